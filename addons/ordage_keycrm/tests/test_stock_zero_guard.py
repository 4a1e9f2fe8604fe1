from odoo.addons.mail.tests.common import mail_new_test_user

from ..services.stock.stock_settings import StockSettings
from .stock_common import StockCase


class TestStockZeroGuard(StockCase):
    """Zeros of everyday trade are always sent; many zeros that no movement explains wait for a user."""

    def make_zero_without_a_move(self, products):
        """Make these products zero without any move or count: their location counts elsewhere."""
        shelf = self.env["stock.location"].create(
            {"name": "Shelf", "location_id": self.warehouse.lot_stock_id.id}
        )
        for product in products:
            self.move(product, 5, self.warehouse.lot_stock_id, shelf)
        self.work()
        self.sent()
        shelf.location_id = self.second.lot_stock_id
        return shelf

    def stocked(self, quantity, prefix):
        products = self.many(quantity, prefix)
        self.count_all(products, 5)
        self.work()
        self.sent()
        return products

    def activities(self):
        return self.account.activity_ids

    # === EVERYDAY TRADE ===#

    def test_zeros_of_counts_and_scraps_are_sent_however_many(self):
        products = self.stocked(30, "COUNT-")
        self.count_all(products[:25], 0)
        scraps = self.env["stock.scrap"].create(
            [
                {"product_id": product.id, "scrap_qty": 5, "product_uom_id": product.uom_id.id}
                for product in products[25:]
            ]
        )
        for scrap in scraps:
            scrap.do_scrap()
        self.assert_sent(*((product, 0) for product in products))

    def test_zero_whose_answer_was_lost_is_not_held(self):
        products = self.stocked(25, "BROKE-")
        self.count_all(products, 0)
        self.keycrm.add_fault("status", status=503, times=None)
        self.breaks()
        self.keycrm.clear_faults()
        self.work()
        self.assertEqual({self.shown(product) for product in products}, {0.0})

    # === MANY ZEROS WITHOUT A MOVE ===#

    def test_many_zeros_without_a_move_wait_and_everything_else_is_sent(self):
        products = self.stocked(23, "HELD-")
        shelf = self.make_zero_without_a_move(products[:21])
        self.move(products[21], 3, self.warehouse.lot_stock_id, self.customers)
        self.move(products[22], 5, self.warehouse.lot_stock_id, self.customers)
        self.assert_sent((products[21], 2), (products[22], 0))
        self.assertEqual(self.account.stock_held_zeros, 21)
        held = self.env["keycrm.stock.level"].search([("is_held", "=", True)])
        self.assertEqual(held.product_id, products[:21])
        # Nothing waits in the outbox, so nothing is tried again and again.
        self.assertEqual(self.sent(), [])
        self.assertFalse(self.env["keycrm.stock.change"].search([]))
        shelf.location_id = self.warehouse.lot_stock_id
        self.assertEqual(self.sent(), [])
        self.assertEqual(self.account.stock_held_zeros, 0)

    def test_user_is_notified_once_and_the_activity_ends_with_the_cause(self):
        products = self.stocked(21, "NOTIFY-")
        self.account.user_id = mail_new_test_user(self.env, "stock_keeper")
        shelf = self.make_zero_without_a_move(products)
        self.work()
        (activity,) = self.activities()
        self.assertEqual(activity.user_id, self.account.user_id)
        self.assertIn("21", activity.note)
        self.assertIn("NOTIFY-", activity.note)
        StockSettings(self.account).enqueue_counted()
        self.work()
        self.assertEqual(self.activities(), activity)
        shelf.location_id = self.warehouse.lot_stock_id
        self.work()
        self.assertFalse(self.activities())

    def test_send_anyway_sends_the_held_zeros_and_guards_the_next_ones(self):
        products = self.stocked(42, "ANYWAY-")
        self.make_zero_without_a_move(products[:21])
        self.work()
        self.account.action_allow_zeros()
        self.assert_sent(*((product, 0) for product in products[:21]))
        self.assertEqual(self.account.stock_held_zeros, 0)
        self.assertFalse(self.activities())
        self.make_zero_without_a_move(products[21:])
        self.assertEqual(self.sent(), [])
        self.assertEqual(self.account.stock_held_zeros, 21)

    def test_held_product_that_is_sold_out_by_a_move_is_sent(self):
        products = self.stocked(21, "SOLD-")
        self.make_zero_without_a_move(products)
        self.work()
        self.count(products[0], 2)
        self.move(products[0], 2, self.warehouse.lot_stock_id, self.customers)
        self.assert_sent((products[0], 0))
        self.assertEqual(self.account.stock_held_zeros, 20)

    def test_zeros_that_a_comparison_finds_are_held(self):
        products = self.stocked(21, "COMPARE-")
        self.count_all(products, 0)
        self.work()
        self.settle()
        for product in products:
            self.keycrm.set_stock(self.number(product), 1, 7, webhook=False)
        self.account.action_compare_stock()
        self.work()
        self.assertEqual({self.shown(product) for product in products}, {7.0})
        self.assertEqual(self.account.stock_held_zeros, 21)

    def test_goods_missing_in_an_answer_are_not_zeroed(self):
        products = self.many(60, "UNREAD")
        self.count_all(products, 0)
        self.keycrm.add_fault("empty_list", method="GET", path="/offers/stocks", times=2)
        self.work()
        self.assertEqual({self.shown(product) for product in products}, {5.0})
        StockSettings(self.account).enqueue_counted()
        self.work()
        self.assertEqual(self.account.stock_held_zeros, 60)

    def test_changed_limit_sends_the_held_zeros(self):
        products = self.stocked(21, "LIMIT-")
        self.make_zero_without_a_move(products)
        self.assertEqual(self.sent(), [])
        self.account.write({"stock_zero_limit": 30, "stock_zero_percent": 100})
        self.assert_sent(*((product, 0) for product in products))
        self.assertEqual(self.account.stock_held_zeros, 0)
