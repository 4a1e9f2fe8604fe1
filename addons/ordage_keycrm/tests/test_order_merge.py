"""Orders that KeyCRM merges, copies, deletes."""

from .order_common import OrderCase


class TestMergeCopyDelete(OrderCase):
    def test_merged_orders_leave_one_set_of_deliveries_in_either_order_of_events(self):
        for first_main in (True, False):
            main, other = self.make(self.made), self.make(self.made, quantity=2)
            self.keycrm.merge_orders(main.keycrm_id, other.keycrm_id)
            pair = [main.keycrm_id, other.keycrm_id]
            for number in pair if first_main else reversed(pair):
                self.arrive(number)
            self.assertEqual(other.state, "cancel")
            open_moves = (main | other).picking_ids.move_ids.filtered(lambda m: m.state != "cancel")
            self.assertEqual(sum(open_moves.mapped("product_uom_qty")), 7)

    def test_a_merge_takes_the_payments_along_once(self):
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

    def test_a_merged_order_that_had_shipped_names_both(self):
        main, other = self.make(self.made), self.make(self.made, quantity=2)
        self.deliver(other)
        self.keycrm.merge_orders(main.keycrm_id, other.keycrm_id)
        self.arrive(main.keycrm_id)
        self.arrive(other.keycrm_id)
        self.assertIn(main.name, self.todo(other))
        self.assertIn(other.name, self.todo(other))

    def test_a_copy_is_linked_to_its_original(self):
        order = self.make(self.made)
        copy = self.arrive(self.keycrm.copy_order(order.keycrm_id, webhook=False)["id"])
        self.assertEqual(copy.keycrm_parent_order_id, order)

    def test_a_deleted_order_is_marked_and_kept(self):
        order = self.make(self.made)
        self.keycrm.delete_order(order.keycrm_id)
        self.env["keycrm.event"]._tell(self.account, "odoo.refresh", [order.keycrm_id])
        with self.committing(), self.account._client() as client:
            self.account._work_inbox(client)
        self.assertTrue(order.keycrm_deleted)
        self.assertEqual(order.state, "sale")
        self.assertTrue(order.activity_ids)
        event = self.env["keycrm.event"].search([("keycrm_order_id", "=", order.keycrm_id)])
        self.assertEqual(event.state, "ignored")
        self.assertIn(str(order.keycrm_id), event.error)
