"""Edits in KeyCRM are followed; an activity shows what cannot be followed."""

from .order_common import OrderCase


class TestEdits(OrderCase):
    def change_all(self, order):
        """In KeyCRM: another quantity, another price, one more line."""
        self.keycrm.patch_line(
            order.keycrm_id, self.line_id(order), quantity=7, price=90, webhook=False
        )
        self.keycrm.add_line(
            order.keycrm_id, offer_id=self.other, price=50, quantity=1, webhook=False
        )
        self.arrive(order.keycrm_id)

    def test_reduced_quantity_stops_at_what_was_delivered(self):
        order = self.make(self.made)
        self.deliver(order, quantity=2)
        self.keycrm.patch_line(order.keycrm_id, self.line_id(order), quantity=3, webhook=False)
        self.arrive(order.keycrm_id)
        self.assertEqual(order.order_line.product_uom_qty, 3)
        self.assertFalse(order.activity_ids)
        self.keycrm.patch_line(order.keycrm_id, self.line_id(order), quantity=1, webhook=False)
        self.arrive(order.keycrm_id)
        self.assertEqual(order.order_line.product_uom_qty, 2)
        self.assertIn("Кухоль", self.activities(order))
        back = order.picking_ids.filtered("return_id")
        self.assertEqual(sum(back.move_ids.mapped("product_uom_qty")), 1)
        self.assertTrue(order.keycrm_total_differs)

    def test_expected_returns_follow_the_quantity_in_keycrm(self):
        # Two returns were created one after the other; together they are never more than KeyCRM removed.
        order = self.make(self.made)
        self.deliver(order)
        line = self.line_id(order)
        for quantity in (3, 1, 3, 2, 4, 1, 5):
            self.keycrm.patch_line(order.keycrm_id, line, quantity=quantity, webhook=False)
            self.arrive(order.keycrm_id)
            still = order.picking_ids.move_ids.filtered(lambda m: m.state not in ("done", "cancel"))
            self.assertEqual(
                sum(still.mapped("product_uom_qty")), 5 - quantity, f"{quantity} in KeyCRM"
            )
            self.assertEqual(still.origin_returned_move_id.mapped("state"), ["done"] * bool(still))

    def test_removed_delivered_line_expects_a_return(self):
        order = self.make(self.made)
        self.deliver(order)
        self.keycrm.add_line(
            order.keycrm_id, offer_id=self.other, price=50, quantity=1, webhook=False
        )
        self.keycrm.remove_line(order.keycrm_id, self.line_id(order))
        self.arrive(order.keycrm_id)
        kept = order.order_line.filtered(lambda line: line.product_id.default_code == "KUHOL-1")
        self.assertEqual(kept.product_uom_qty, 5)
        self.assertTrue(order.picking_ids.filtered("return_id"))
        self.assertIn("Кухоль", self.activities(order))

    def test_invoiced_order_keeps_its_prices_and_shows_the_conflict(self):
        order = self.make(self.made)
        self.deliver(order)
        self.invoice(order)
        self.change_all(order)
        self.assertEqual(order.order_line[0].price_unit, 100)
        self.assertTrue(self.activities(order))
        self.assertTrue(order.keycrm_total_differs)

    def test_overdelivery_does_not_change_the_ordered_quantity(self):
        order = self.make(self.made)
        self.deliver(order, quantity=7)
        self.keycrm.patch_order(order.keycrm_id, manager_comment="Дякую", webhook=False)
        self.arrive(order.keycrm_id)
        self.assertEqual((order.order_line.product_uom_qty, order.order_line.qty_delivered), (5, 7))
        self.assertFalse(order.activity_ids or order.keycrm_total_differs)
        self.assertFalse(order.picking_ids.filtered("keycrm_expected_return"))

    def test_unchanged_order_is_not_written_again(self):
        order = self.make(self.made)
        self.env.flush_all()
        before = order.write_date, order.order_line.mapped("write_date"), order.message_ids
        self.arrive(order.keycrm_id)
        self.env.flush_all()
        self.assertEqual(
            before, (order.write_date, order.order_line.mapped("write_date"), order.message_ids)
        )
