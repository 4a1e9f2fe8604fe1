"""Orders whose status, warehouse or way of shipping changes after they were confirmed."""

from ast import literal_eval

from .order_common import OrderCase
from .stock_common import StockCase


class TestSkippedLater(StockCase):
    """An order that is moved to a "skip" status: what KeyCRM holds for it stays known."""

    NEW, PRODUCTION, SKIPPED = 1, 4, 2

    def setUp(self):
        super().setUp()
        self.keycrm.set_switches(status_reserve="on", status_write_off="on")
        self.cap = self.goods("CAP")
        self.count(self.cap, 20)
        self.account.stock_quantity = "available"
        self.account.action_push_all_stock()
        self.work()
        self.account.status_ids.filtered(
            lambda status: status.keycrm_id == self.SKIPPED
        ).order_action = "skip"
        self.number_ = self.new_order(
            [{"offer_id": self.number(self.cap), "quantity": 5}], status_id=self.PRODUCTION
        )
        self.order = self.arrive(self.number_)
        self.work()

    def sells(self):
        """:return: what KeyCRM has free to sell"""
        stock = self.keycrm.stock(self.number(self.cap))["warehouses"]["1"]
        return float(stock["quantity"]) - float(stock["reserve"])

    def test_released_reserve_is_no_longer_counted(self):
        self.assertEqual(self.sells(), 15)
        line = self.keycrm.order(self.number_)["answer"]["products"][0]["id"]
        self.keycrm.set_status(self.number_, self.SKIPPED, webhook=False)
        self.arrive(self.number_)
        self.work()
        self.assertEqual(self.sells(), 15, "Odoo still ships the five")
        # A manager shortens it, then cancels it, while its status is skipped in Odoo.
        self.keycrm.patch_line(self.number_, line, quantity=2, webhook=False)
        self.arrive(self.number_)
        self.work()
        self.assertEqual(self.sells(), 15)
        held = self.keycrm.order(self.number_)["answer"]["products"][0]["stock_status"]
        self.assertEqual(
            (
                self.order.order_line.keycrm_stock_status or None,
                self.order.order_line.keycrm_quantity,
            ),
            (held, 2),
        )
        self.assertEqual(
            self.order.order_line.product_uom_qty, 5, "the order itself is not followed"
        )

    def test_removed_line_reserves_nothing(self):
        line = self.keycrm.order(self.number_)["answer"]["products"][0]["id"]
        self.keycrm.set_status(self.number_, self.SKIPPED, webhook=False)
        self.keycrm.remove_line(self.number_, line)
        self.arrive(self.number_)
        self.work()
        self.assertEqual(self.order.order_line.keycrm_quantity, 0)
        self.assertEqual(self.sells(), 15)

    def test_replaced_goods_of_a_line_reserve_nothing(self):
        other = self.goods("HAT")
        self.count(other, 9)
        line = self.keycrm.order(self.number_)["answer"]["products"][0]["id"]
        self.keycrm.set_status(self.number_, self.SKIPPED, webhook=False)
        self.keycrm.patch_line(
            self.number_, line, offer_id=self.number(other), sku="HAT", webhook=False
        )
        self.arrive(self.number_)
        self.work()
        self.assertEqual(self.order.order_line.product_id, self.cap)
        self.assertEqual(self.order.order_line.keycrm_quantity, 0)
        self.assertEqual(self.sells(), 15)


class TestShippingChanges(OrderCase):
    def setUp(self):
        super().setUp()
        self.second = self.match_second_warehouse()
        number = self.new_order(
            [{"offer_id": self.offer, "price": 100, "quantity": 5, "warehouse_id": 1}],
            status_id=self.made.keycrm_id,
        )
        self.order = self.arrive(number)

    def change(self, **values):
        number = self.order.keycrm_id
        self.keycrm.patch_line(number, self.line_id(self.order), webhook=False, **values)
        self.arrive(number)

    def open_from(self, warehouse):
        moves = self.order.picking_ids.move_ids.filtered(
            lambda move: (
                move.state not in ("done", "cancel")
                and move.picking_type_id.warehouse_id == warehouse
            )
        )
        return sum(moves.mapped("product_uom_qty"))

    def test_open_goods_ship_from_keycrms_new_warehouse(self):
        self.assertEqual((self.open_from(self.warehouse), self.open_from(self.second)), (5, 0))
        self.change(warehouse_id=2)
        self.assertEqual((self.open_from(self.warehouse), self.open_from(self.second)), (0, 5))
        self.deliver(self.order, quantity=2)
        self.change(warehouse_id=1, quantity=6)
        self.assertEqual((self.open_from(self.warehouse), self.open_from(self.second)), (4, 0))
        self.assertEqual(self.order.order_line.qty_delivered, 2)
        self.assertFalse(self.order.activity_ids)

    def test_goods_being_picked_are_kept_and_schedule_an_activity(self):
        self.order.picking_ids.move_ids.write({"quantity": 5, "picked": True})
        self.change(warehouse_id=2)
        self.assertEqual((self.open_from(self.warehouse), self.open_from(self.second)), (5, 0))
        self.assertIn("Другий", self.activities(self.order))

    def test_line_changed_to_manufacturing_schedules_one_activity(self):
        self.change(shipment_type="manufacturing")
        self.arrive(self.order.keycrm_id)
        self.assertEqual(len(self.order.activity_ids), 1)
        self.assertIn("Кухоль", self.activities(self.order))

    def test_revoked_cancellation_expects_no_return(self):
        self.deliver(self.order)
        self.move(self.order, self.canceled)
        back = self.order.picking_ids.filtered("keycrm_expected_return")
        self.assertEqual(sum(back.move_ids.mapped("product_uom_qty")), 5)
        self.assertTrue(self.order.activity_ids)
        self.move(self.order, self.made)
        self.assertEqual(back.state, "cancel")
        self.assertFalse(self.order.activity_ids)
        self.assertEqual(self.order.order_line.product_uom_qty, 5)
        self.assertFalse(self.order.keycrm_total_differs)
        # Canceled once more, it schedules an activity once more.
        self.move(self.order, self.canceled)
        self.assertTrue(self.order.activity_ids)

    def test_return_created_by_a_user_is_not_changed(self):
        picking = self.deliver(self.order)
        wizard = self.env["stock.return.picking"].create({"picking_id": picking.id})
        wizard.product_return_moves.quantity = 1
        own = wizard._create_return()
        self.move(self.order, self.canceled)
        expected = self.order.picking_ids.filtered("keycrm_expected_return")
        self.assertEqual(sum(expected.move_ids.mapped("product_uom_qty")), 4)
        self.move(self.order, self.made)
        self.assertNotEqual(own.state, "cancel")
        self.assertEqual(expected.state, "cancel")

    def test_empty_list_of_returns_shows_its_own_help(self):
        action = self.env.ref("ordage_keycrm.stock_picking_returns_action")
        Picking = self.env["stock.picking"]
        returns = Picking.with_context(**literal_eval(action.context))
        self.assertEqual(returns.get_empty_list_help("No parcels"), "No parcels")
        self.assertNotEqual(Picking.get_empty_list_help("No parcels"), "No parcels")

    def test_an_expected_return_is_found_by_its_tracking_number(self):
        self.keycrm.patch_order(
            self.order.keycrm_id, shipping={"tracking_code": "20450007770001"}, webhook=False
        )
        self.deliver(self.order)
        self.move(self.order, self.canceled)
        found = self.env["stock.picking"].search(
            [("keycrm_tracking_code", "=", "20450007770001"), ("keycrm_expected_return", "=", True)]
        )
        self.assertEqual(found, self.order.picking_ids.filtered("return_id"))
