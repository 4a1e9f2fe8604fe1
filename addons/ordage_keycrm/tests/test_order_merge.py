"""Orders that KeyCRM merges, copies, deletes."""

from ..services.common.api_gateway import open_client
from ..services.orders.order_inbox import OrderInbox, order_query, parse_order
from ..services.orders.order_writer import OrderWriter
from .order_common import OrderCase


class TestMergeCopyDelete(OrderCase):
    def test_merged_orders_leave_one_set_of_deliveries_in_any_event_order(self):
        for first_main in (True, False):
            main, other = self.make(self.made), self.make(self.made, quantity=2)
            self.keycrm.merge_orders(main.keycrm_id, other.keycrm_id)
            pair = [main.keycrm_id, other.keycrm_id]
            for number in pair if first_main else reversed(pair):
                self.arrive(number)
            self.assertEqual(other.state, "cancel")
            open_moves = (main | other).picking_ids.move_ids.filtered(lambda m: m.state != "cancel")
            self.assertEqual(sum(open_moves.mapped("product_uom_qty")), 7)

    def test_merge_moves_the_payments_once(self):
        self.account.import_payments = True
        main = self.make(self.made)
        other = self.make(self.made, payments=[{"amount": 500, "status": "paid"}])
        self.assertEqual(other.keycrm_amount_paid, 500)
        self.keycrm.merge_orders(main.keycrm_id, other.keycrm_id)
        self.arrive(other.keycrm_id)
        self.arrive(main.keycrm_id)
        payments = self.env["keycrm.payment"].search([("account_id", "=", self.account.id)])
        self.assertEqual((payments.sale_order_id, payments.amount), (main, 500))
        self.assertEqual((main.keycrm_amount_paid, other.keycrm_amount_paid), (500, 0))

    def test_merge_of_a_shipped_order_names_both_in_any_event_order(self):
        for first_main in (True, False):
            with self.subTest(first_main=first_main):
                main, other = self.make(self.made), self.make(self.made, quantity=2)
                self.deliver(other)
                self.keycrm.merge_orders(main.keycrm_id, other.keycrm_id)
                pair = [main.keycrm_id, other.keycrm_id]
                for number in pair if first_main else reversed(pair):
                    self.arrive(number)
                self.assertIn(main.name, self.activities(other))
                self.assertIn(other.name, self.activities(other))
                self.assertEqual(len(other.activity_ids), 1)
                back = other.picking_ids.filtered("keycrm_expected_return")
                self.assertEqual(sum(back.move_ids.mapped("product_uom_qty")), 2)

    def test_goods_merged_into_a_new_order_name_both_orders(self):
        other = self.make(self.made, quantity=2)
        self.deliver(other)
        number = self.new_order(
            [{"offer_id": self.other, "price": 50, "quantity": 1}], status_id=self.made.keycrm_id
        )
        self.keycrm.merge_orders(number, other.keycrm_id)
        self.arrive(other.keycrm_id)
        main = self.arrive(number)
        self.assertIn(main.name, self.activities(other))

    def test_one_off_goods_keep_their_product_when_they_are_merged(self):
        main = self.make(self.made)
        other = self.arrive(
            self.new_order([{"name": "Листівка", "price": 20}], status_id=self.made.keycrm_id)
        )
        product = other.order_line.product_id
        product.write({"default_code": "OWN", "keycrm_sku_generated": False})
        line = other.order_line.keycrm_id
        self.keycrm.merge_orders(main.keycrm_id, other.keycrm_id)
        self.keycrm.patch_line(main.keycrm_id, line, name="Листівка велика", webhook=False)
        self.arrive(other.keycrm_id, main.keycrm_id)
        self.assertIn(product, main.order_line.product_id)

    def test_a_copy_is_linked_to_its_original(self):
        order = self.make(self.made)
        copy = self.arrive(self.keycrm.copy_order(order.keycrm_id, webhook=False)["id"])
        self.assertEqual(copy.keycrm_parent_order_id, order)

    def test_a_deleted_order_is_marked_and_kept(self):
        order = self.make(self.made)
        self.keycrm.delete_order(order.keycrm_id)
        self.check_deleted(order)

    def test_deleted_order_that_keycrm_still_returns_is_marked(self):
        order = self.make(self.made)
        order.order_line.write({"keycrm_stock_status": "reserved", "keycrm_quantity": 5})
        self.keycrm.patch_order(order.keycrm_id, deleted_at="2026-08-01T10:00:00Z", webhook=False)
        self.check_deleted(order)
        self.assertEqual(order.order_line.keycrm_quantity, 0, "KeyCRM reserves nothing for it")
        # Found in a list, it is no new order either.
        number = self.new_order(
            [{"offer_id": self.offer, "price": 1, "quantity": 1}],
            deleted_at="2026-08-01T10:00:00Z",
        )
        with open_client(self.account) as client:
            row = client.get(f"/order/{number}", order_query(self.account))
        parsed = parse_order(row)
        outcome = OrderWriter(self.account).record_error(number, parsed)
        self.assertTrue(outcome.skipped)
        self.assertFalse(outcome.order_id)

    def check_deleted(self, order):
        self.env["keycrm.event"]._enqueue(self.account, "odoo.refresh", [order.keycrm_id])
        with self.committing(), open_client(self.account) as client:
            OrderInbox(self.account, client).process()
        self.assertTrue(order.keycrm_deleted)
        self.assertEqual(order.state, "sale")
        self.assertTrue(order.activity_ids)
        event = self.env["keycrm.event"].search([("keycrm_order_id", "=", order.keycrm_id)])
        self.assertEqual(event.state, "ignored")
        self.assertIn(str(order.keycrm_id), event.error)
