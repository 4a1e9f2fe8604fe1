"""A kit that comes back: it was shipped as its components, each in its own number."""

from odoo.fields import Command

from odoo.addons.ordage_keycrm.tests.order_common import OrderCase


class TestReturnsMrp(OrderCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cup, cls.plate = cls.env["product.product"].create(
            [{"name": name, "type": "consu", "is_storable": True} for name in ("Чашка", "Блюдце")]
        )

    def shipped_kits(self, quantity):
        """Let an order of kits arrive and ship it."""
        order = self.ordered_kits(quantity)
        self.deliver(order)
        self.assertEqual(order.order_line.qty_delivered, quantity)
        return order

    def ordered_kits(self, quantity):
        """Let an order of kits arrive: two cups and a plate each."""
        kit = self.make(self.new).order_line.product_id
        self.env["mrp.bom"].create(
            {
                "product_tmpl_id": kit.product_tmpl_id.id,
                "type": "phantom",
                "bom_line_ids": [
                    Command.create({"product_id": self.cup.id, "product_qty": 2}),
                    Command.create({"product_id": self.plate.id, "product_qty": 1}),
                ],
            }
        )
        return self.make(self.made, quantity=quantity)

    def do_cups(self, picking):
        """Validate the cups of a transfer alone; the plates stay in a backorder."""
        cups = picking.move_ids.filtered(lambda move: move.product_id == self.cup)
        cups.write({"quantity": cups.product_uom_qty, "picked": True})
        picking._action_done()

    def with_buyer(self, order):
        """Return what the buyer will have when all open transfers are done: (cups, plates)."""
        moves = order.order_line.move_ids.filtered(lambda move: move.state != "cancel")
        return tuple(
            sum(
                move.product_uom_qty * (1 if move.location_dest_usage == "customer" else -1)
                for move in moves
                if move.product_id == product
            )
            for product in (self.cup, self.plate)
        )

    def set_quantity(self, order, quantity):
        self.keycrm.patch_line(
            order.keycrm_id, self.line_id(order), quantity=quantity, webhook=False
        )
        self.arrive(order.keycrm_id)

    def assert_expected_back(self, order, cups, plates):
        back = order.picking_ids.filtered("keycrm_expected_return").move_ids
        back = back.filtered(lambda move: move.state not in ("done", "cancel"))
        numbers = {
            product: sum(moves.mapped("product_uom_qty"))
            for product, moves in back.grouped("product_id").items()
        }
        expected = {self.cup: cups, self.plate: plates}
        self.assertEqual(numbers, {product: n for product, n in expected.items() if n})

    def test_canceled_shipped_kit_expects_a_return_of_all_components(self):
        order = self.shipped_kits(3)
        self.move(order, self.canceled)
        self.assert_expected_back(order, cups=6, plates=3)
        self.arrive(order.keycrm_id)
        self.assert_expected_back(order, cups=6, plates=3)

    def test_one_kit_less_expects_a_return_of_its_components(self):
        order = self.shipped_kits(3)
        self.set_quantity(order, 2)
        self.assert_expected_back(order, cups=2, plates=1)
        self.assertEqual(self.with_buyer(order), (4, 2))
        self.set_quantity(order, 1)
        self.assert_expected_back(order, cups=4, plates=2)
        self.assertEqual(self.with_buyer(order), (2, 1), "nothing is shipped again")

    def test_restored_kit_expects_no_return(self):
        order = self.shipped_kits(3)
        self.set_quantity(order, 1)
        self.set_quantity(order, 3)
        self.assert_expected_back(order, cups=0, plates=0)
        outgoing = order.picking_ids.filtered(lambda one: one.picking_type_code == "outgoing")
        self.assertEqual(outgoing.mapped("state"), ["done"], "nothing is shipped twice")

    def test_shipped_kit_with_new_line_ids_ships_nothing_again(self):
        self.keycrm.set_switches(line_ids="new")
        self.addCleanup(self.keycrm.set_switches, line_ids="kept")
        order = self.shipped_kits(3)
        line = order.order_line
        self.set_quantity(order, 3)
        self.assertEqual(order.order_line, line)
        self.assertEqual(line.keycrm_id, self.line_id(order))
        outgoing = order.picking_ids.filtered(lambda one: one.picking_type_code == "outgoing")
        self.assertEqual(outgoing.mapped("state"), ["done"], "nothing is shipped twice")
        # One more kit with new ids: its components alone are to be shipped.
        self.set_quantity(order, 4)
        self.assertEqual(order.order_line, line)
        open_moves = order.picking_ids.move_ids.filtered(
            lambda m: m.state not in ("done", "cancel")
        )
        numbers = {move.product_id: move.product_uom_qty for move in open_moves}
        self.assertEqual(numbers, {self.cup: 2, self.plate: 1})

    def test_return_of_a_part_of_a_kit_leaves_the_rest_expected(self):
        order = self.shipped_kits(2)
        self.move(order, self.canceled)
        self.do_cups(order.picking_ids.filtered("keycrm_expected_return"))
        self.assertEqual(order.order_line.qty_delivered, 0)
        self.arrive(order.keycrm_id)
        self.assertEqual(order.state, "sale")
        self.assert_expected_back(order, cups=0, plates=2)
        self.move(order, self.made)
        self.assertEqual(self.with_buyer(order), (4, 2))

    def test_part_of_a_kit_that_was_shipped_comes_back_when_canceled(self):
        order = self.ordered_kits(2)
        self.do_cups(order.picking_ids)
        self.move(order, self.canceled)
        for _again in range(2):
            self.arrive(order.keycrm_id)
            self.assertEqual((order.state, self.with_buyer(order)), ("sale", (0, 0)))
        self.assertIn("a return is expected", self.activities(order))
        self.move(order, self.made)
        self.assertEqual(self.with_buyer(order), (4, 2))
