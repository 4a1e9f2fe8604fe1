"""Quantities that are still to be shipped after KeyCRM changed an order in any state of its shipment."""

from .order_common import OrderCase


class TestStillToShip(OrderCase):
    def setUp(self):
        super().setUp()
        self.second = self.match_second_warehouse()

    def edit(self, order, **values):
        number = order.keycrm_id
        self.keycrm.patch_line(number, self.line_id(order), webhook=False, **values)
        return self.arrive(number)

    def still(self, order):
        """Return the open moves: (warehouse, usage of the destination, quantity)."""
        moves = order.picking_ids.move_ids | order.order_line.move_ids
        moves = moves.filtered(lambda move: move.state not in ("done", "cancel"))
        return sorted(
            (
                move.location_id.warehouse_id.code or "buyer",
                move.location_dest_id.usage,
                move.product_uom_qty,
            )
            for move in moves
        )

    def pick(self, order):
        pick = order.picking_ids
        pick.move_ids.write({"quantity": 5, "picked": True})
        pick._action_done()

    def take_back(self, order):
        back = order.picking_ids.filtered("keycrm_expected_return")
        for move in back.move_ids:
            move.write({"quantity": move.product_uom_qty, "picked": True})
        back._action_done()

    def test_fewer_goods_from_another_warehouse(self):
        order = self.make(self.made)
        self.edit(order, warehouse_id=2, quantity=3)
        self.assertEqual(self.still(order), [("DRU", "customer", 3)])

    def test_fewer_goods_from_another_warehouse_after_a_part(self):
        order = self.make(self.made)
        self.deliver(order, 2)
        self.edit(order, warehouse_id=2, quantity=3)
        self.assertEqual(self.still(order), [("DRU", "customer", 1)])

    def test_fewer_goods_from_another_warehouse_while_picked(self):
        order = self.make(self.made)
        order.picking_ids.move_ids.write({"quantity": 5, "picked": True})
        self.edit(order, warehouse_id=2, quantity=3)
        self.assertEqual(self.still(order), [("WH", "customer", 3)])

    def test_fewer_goods_after_another_shipping_date_in_two_steps(self):
        self.warehouse.delivery_steps = "pick_ship"
        order = self.make(self.made)
        self.keycrm.patch_order(
            order.keycrm_id, shipping={"shipping_date": "2026-12-24"}, webhook=False
        )
        self.arrive(order.keycrm_id)
        self.edit(order, quantity=3)
        self.assertEqual(self.still(order), [("WH", "internal", 3)])

    def test_fewer_goods_with_another_shipping_date(self):
        order = self.make(self.made)
        self.keycrm.patch_order(
            order.keycrm_id, shipping={"shipping_date": "2026-12-24"}, webhook=False
        )
        self.edit(order, quantity=3)
        self.assertEqual(self.still(order), [("WH", "customer", 3)])

    def test_canceled_invoiced_order_ships_nothing_until_it_is_revived(self):
        order = self.make(self.made)
        order.order_line.product_id.invoice_policy = "order"
        self.invoice(order)
        self.move(order, self.canceled)
        self.assertEqual(self.still(order), [])
        self.move(order, self.made)
        self.assertEqual(self.still(order), [("WH", "customer", 5)])

    def test_canceled_invoiced_order_ships_no_rest(self):
        order = self.make(self.made)
        order.order_line.product_id.invoice_policy = "order"
        self.deliver(order, 2)
        self.invoice(order)
        self.move(order, self.canceled)
        self.assertEqual(self.still(order), [("buyer", "internal", 2)])
        self.move(order, self.made)
        self.assertEqual(self.still(order), [("WH", "customer", 3)])

    def test_archiving_ships_nothing_of_a_canceled_invoiced_order(self):
        order = self.make(self.made)
        order.order_line.product_id.invoice_policy = "order"
        self.invoice(order)
        self.account.archive_status_ids = self.canceled
        self.account.archive_validates = True
        self.move(order, self.canceled)
        self.assertEqual(order.order_line.qty_delivered, 0)

    def test_picked_goods_of_an_order_confirmed_again_are_shipped(self):
        self.warehouse.delivery_steps = "pick_ship"
        for status, quantity in ((self.agreed, 5), (self.canceled, 5), (self.canceled, 3)):
            with self.subTest(status=status.name, quantity=quantity):
                order = self.make(self.made)
                self.pick(order)
                self.move(order, status)
                self.assertEqual(self.still(order), [])
                self.edit(order, quantity=quantity)
                self.move(order, self.made)
                spare = [("WH", "internal", 5 - quantity)] if quantity < 5 else []
                self.assertEqual(self.still(order), [("WH", "customer", quantity), *spare])
                self.deliver(order)
                self.assertEqual(order.order_line.qty_delivered, quantity)

    def test_picked_rest_of_a_revived_order_is_picked_again(self):
        self.warehouse.delivery_steps = "pick_ship"
        order = self.make(self.made)
        self.pick(order)
        self.deliver(order, 2)
        self.move(order, self.canceled)
        # To the shelf, and from the buyer.
        self.assertEqual(self.still(order), [("WH", "internal", 3), ("buyer", "internal", 2)])
        self.move(order, self.made)
        self.assertEqual(self.still(order), [("WH", "internal", 3)] * 2)

    def test_picked_goods_that_were_taken_back_are_picked_again(self):
        self.warehouse.delivery_steps = "pick_ship"
        order = self.make(self.made)
        self.pick(order)
        pick = order.picking_ids.filtered(lambda p: p.state == "done")
        self.move(order, self.agreed)
        wizard = self.env["stock.return.picking"].create({"picking_id": pick.id})
        for row in wizard.product_return_moves:
            row.quantity = 5
        back = wizard._create_return()
        back.move_ids.write({"quantity": 5, "picked": True})
        back._action_done()
        self.move(order, self.made)
        self.assertEqual(self.still(order), [("WH", "internal", 5)])

    def test_shipped_line_of_an_order_canceled_here_is_kept(self):
        order = self.make(self.made)
        self.deliver(order, 2)
        line = order.order_line
        order.locked = False
        order._action_cancel()
        self.keycrm.add_line(
            order.keycrm_id, offer_id=self.other, price=50, quantity=1, webhook=False
        )
        self.keycrm.remove_line(order.keycrm_id, self.line_id(order))
        self.arrive(order.keycrm_id)
        self.assertEqual((line.product_uom_qty, line.qty_delivered, line.keycrm_excess), (2, 2, 2))
        self.assertIn("Кухоль", self.activities(order))
        self.assertEqual(self.still(order), [], "a user canceled the order, and decides")

    def test_goods_that_returned_before_the_order_was_revived_are_shipped(self):
        order = self.make(self.made)
        self.deliver(order)
        self.move(order, self.canceled)
        self.take_back(order)
        self.move(order, self.made)
        self.assertEqual(self.still(order), [("WH", "customer", 5)])

    def test_transfer_that_a_user_canceled_is_not_created_again(self):
        order = self.make(self.made)
        order.order_line.product_id.invoice_policy = "order"
        self.invoice(order)
        self.edit(order, quantity=3)
        self.assertEqual(self.still(order), [("WH", "customer", 3)])
        order.picking_ids.action_cancel()
        for _again in range(2):
            self.arrive(order.keycrm_id)
            self.assertEqual(self.still(order), [])

    def test_another_price_of_overdelivered_goods_expects_no_return(self):
        order = self.make(self.made)
        self.deliver(order, 7)
        self.invoice(order)
        self.edit(order, price=90)
        self.assertIn("90", self.activities(order))
        self.assertEqual(self.still(order), [])

    def test_goods_that_returned_to_a_canceled_order_are_shipped(self):
        order = self.make(self.made)
        self.deliver(order)
        self.move(order, self.canceled)
        self.take_back(order)
        self.arrive(order.keycrm_id)
        self.move(order, self.made)
        self.assertEqual(self.still(order), [("WH", "customer", 5)])

    def test_goods_that_returned_before_they_were_added_again_are_shipped(self):
        order = self.make(self.made)
        self.deliver(order)
        self.edit(order, quantity=3)
        self.take_back(order)
        self.edit(order, quantity=5)
        self.assertEqual(self.still(order), [("WH", "customer", 2)])
