from contextlib import suppress

from odoo.tests import tagged

from .stock_common import StockCase


@tagged("post_install", "-at_install")
class TestStockOverhead(StockCase):
    """What the addon costs a user's stock operation: counted in queries."""

    def test_recording_a_change_costs_three_queries_at_most_at_any_size(self):
        other = self.account.copy({"name": "Second shop", "company_id": self.company.id})
        other.api_key = self.second_key()
        other.write({"enabled": True, "push_stock": True})
        products = self.env["product.product"].create(
            [{"name": f"P{number}", "is_storable": True} for number in range(300)]
        )
        Quant = self.env["stock.quant"]
        for products_now in (products[:1], products):
            self.env.cr.flush()
            quants = Quant.create(
                [
                    {
                        "product_id": product.id,
                        "location_id": self.warehouse.lot_stock_id.id,
                        "quantity": 5,
                    }
                    for product in products_now
                ]
            )
            self.env.flush_all()
            before = self.env.cr.sql_log_count
            self.env.cr.precommit.run()
            cost = self.env.cr.sql_log_count - before
            self.assertLessEqual(cost, 3)
            self.assertTrue(quants)
        rows = self.env["keycrm.stock.change"].search_count([("product_id", "in", products.ids)])
        self.assertEqual(rows, 2 * 301)

    def test_writing_quants_costs_no_further_read(self):
        product = self.goods("QUERIES")
        quant = self.env["stock.quant"].create(
            {
                "product_id": product.id,
                "location_id": self.warehouse.lot_stock_id.id,
                "quantity": 5,
            }
        )
        self.env.cr.flush()

        def cost():
            self.env.flush_all()
            before = self.env.cr.sql_log_count
            quant.write({"quantity": quant.quantity + 1})
            self.env.flush_all()
            return self.env.cr.sql_log_count - before

        cost()
        with_hook = cost()
        self.account.push_stock = False
        self.env.cr.flush()
        cost()
        self.assertEqual(with_hook, cost())

    def test_new_product_makes_no_later_operation_read_the_accounts_again(self):
        Change = self.env["keycrm.stock.change"]
        Change._sending_accounts("push_stock")
        self.env["product.product"].create({"name": "Another"})
        with self.assertQueryCount(0):
            self.assertTrue(Change._sending_accounts("push_stock"))

    def test_validating_a_delivery_costs_three_queries_more_at_most(self):
        """Deliveries of KeyCRM's own orders, too: their moves and lines are looked at as well."""
        other = self.account.copy({"name": "Second shop", "company_id": self.company.id})
        other.sudo().api_key_secret = "key"
        other.enabled = True
        products = self.env["product.product"].concat(
            *(self.goods(f"PICK-{number}") for number in range(20))
        )
        for product in products:
            self.count(product, 100)

        def cost(count, push):
            (self.account + other).push_stock = push
            lines = [
                {"offer_id": self.number(product), "quantity": 2} for product in products[:count]
            ]

            def make():
                picking = self.arrive(self.new_order(lines, status_id=4)).picking_ids
                self.assertEqual(len(picking.move_ids), count)
                return picking

            return self.queries_of_validating(make)

        for count in (1, 20):
            for push in (False, True):
                cost(count, push)
            self.assertLessEqual(cost(count, True) - cost(count, False), 3, count)

    def test_rolled_back_operation_enqueues_nothing(self):
        product = self.goods("ROLLBACK")
        self.work()
        self.sent()
        with suppress(ZeroDivisionError), self.env.cr.savepoint():
            self.count(product, 5)
            raise ZeroDivisionError
        self.env.cr.flush()
        self.assertFalse(
            self.env["keycrm.stock.change"].search_count([("product_id", "=", product.id)])
        )

    def test_quotations_without_reserve_enqueue_nothing(self):
        """A synchronization would otherwise fill the outbox, and a user's own change wait in it."""
        product = self.goods("QUOTED")
        self.count(product, 50)
        self.work()
        lines = [{"offer_id": self.number(product), "quantity": 2}]
        Change = self.env["keycrm.stock.change"]

        order = self.arrive(self.new_order(lines, status_id=1))
        self.assertEqual(order.state, "draft")
        self.assertEqual(order.order_line.product_id, product)
        self.env.cr.flush()
        self.assertFalse(Change.search_count([]))
        order._action_cancel()
        self.env.cr.flush()
        self.assertFalse(Change.search_count([]))

        # As soon as KeyCRM holds something for it, it counts; and once more when it does not.
        for held in ("reserved", False):
            order.order_line.keycrm_stock_status = held
            self.env.cr.flush()
            self.assertEqual(Change.search([]).product_id, product)
            self.work()

    def test_deleted_quotation_releases_its_quantity(self):
        self.account.stock_quantity = "available"
        product = self.goods("DELETED")
        self.count(product, 50)
        lines = [{"offer_id": self.number(product), "quantity": 2}]
        order = self.arrive(self.new_order(lines, status_id=1))
        order.order_line.write(
            {
                "keycrm_stock_status": "reserved",
                "keycrm_warehouse_id": self.account.warehouse_ids[:1].id,
            }
        )
        self.work()
        order.keycrm_deleted = True
        order.unlink()
        self.env.cr.flush()
        self.assertEqual(self.env["keycrm.stock.change"].search([]).product_id, product)

    def test_without_an_account_that_sends_stock_nothing_is_enqueued(self):
        self.account.push_stock = False
        product = self.goods("NOBODY")
        self.env.cr.flush()
        before = self.env["keycrm.stock.change"].search_count([])
        self.count(product, 5)
        self.env.cr.flush()
        self.assertEqual(self.env["keycrm.stock.change"].search_count([]), before)
