"""Goods bought, made or dropshipped for an order are not subtracted from stock."""

from __future__ import annotations

from odoo import fields

from odoo.addons.ordage_keycrm.tests.stock_common import StockCase

PRODUCTION, DELIVERING = 4, 6


class TestMadeToOrder(StockCase):
    def setUp(self):
        super().setUp()
        self.keycrm.clear_log()
        self.keycrm.set_switches(status_reserve="on", status_write_off="on")
        self.vendor = self.env["res.partner"].create({"name": "Vendor"})
        name = self.id().rsplit(".", 1)[-1]
        self.lamp = self.goods(
            f"LAMP-{name}",
            seller_ids=[fields.Command.create({"partner_id": self.vendor.id, "price": 1})],
        )
        self.count(self.lamp, 10)

    def route(self, name):
        if name == "mto":
            route = self.env.ref("stock.route_warehouse0_mto")
            route.active = True
            return route | self.env.ref("purchase_stock.route_warehouse0_buy")
        return self.env.ref("stock_dropshipping.route_drop_shipping")

    def order(self, quantity, status):
        number = self.new_order(
            [{"offer_id": self.number(self.lamp), "quantity": quantity}], status_id=status
        )
        return self.arrive(number)

    def purchase(self):
        line = self.env["purchase.order.line"].search([("product_id", "=", self.lamp.id)])
        return line.order_id

    def receive(self, picking, quantity):
        picking.move_ids.write({"quantity": quantity, "picked": True})
        picking.with_context(skip_backorder=True).button_validate()
        self.assertEqual(picking.state, "done")

    def sells(self):
        """:return: what can be sold in KeyCRM: its quantity without its own reserve"""
        self.work()
        stock = self.keycrm.stock(self.number(self.lamp))["warehouses"]["1"]
        return float(stock["quantity"]) - float(stock["reserve"])

    def test_line_bought_to_order_subtracts_nothing_before_it_arrives(self):
        self.account.stock_quantity = "available"
        self.lamp.route_ids = self.route("mto")
        order = self.order(3, PRODUCTION)
        self.assertEqual(order.state, "sale")
        purchase = self.purchase()
        self.assertEqual(purchase.state, "draft")
        self.assertEqual(self.sells(), 10, "the purchase is not confirmed")
        purchase.button_confirm()
        self.assertEqual(self.sells(), 10, "the purchase runs")
        self.receive(purchase.picking_ids, 1)
        self.assertEqual(self.sells(), 10, "a part has arrived")
        self.receive(purchase.picking_ids.filtered(lambda p: p.state != "done"), 2)
        self.assertEqual(self.sells(), 10, "all has arrived")
        delivery = order.picking_ids
        delivery.do_unreserve()
        self.assertEqual(self.sells(), 10, "a user unreserves what has arrived")
        delivery.action_assign()
        self.receive(delivery, 3)
        self.assertEqual(self.sells(), 10, "it is delivered")

    def test_canceled_purchase_subtracts_from_stock(self):
        self.account.stock_quantity = "available"
        self.lamp.route_ids = self.route("mto")
        order = self.order(3, PRODUCTION)
        purchase = self.purchase()
        purchase.button_confirm()
        purchase.order_line.propagate_cancel = False
        purchase.picking_ids.move_ids.propagate_cancel = False
        purchase.button_cancel()
        self.assertEqual(order.picking_ids.move_ids.procure_method, "make_to_stock")
        self.assertEqual(self.sells(), 7)

    def test_two_orders_of_one_purchase_subtract_nothing(self):
        self.account.stock_quantity = "available"
        self.lamp.route_ids = self.route("mto")
        self.order(3, PRODUCTION)
        self.order(3, PRODUCTION)
        purchase = self.purchase()
        purchase.button_confirm()
        self.assertEqual(self.sells(), 10)
        self.receive(purchase.picking_ids[:1], 3)
        self.assertEqual(self.sells(), 10)

    def test_goods_bought_to_order_in_several_steps_subtract_nothing(self):
        self.account.stock_quantity = "available"
        self.warehouse.write({"delivery_steps": "pick_pack_ship", "reception_steps": "three_steps"})
        self.lamp.route_ids = self.route("mto")
        order = self.order(3, PRODUCTION)
        purchase = self.purchase()
        self.assertEqual(self.sells(), 10)
        purchase.button_confirm()
        self.assertEqual(self.sells(), 10)
        for _step in range(6):
            pickings = self.env["stock.picking"].search(
                [
                    ("move_ids.product_id", "=", self.lamp.id),
                    ("state", "in", ("assigned", "confirmed")),
                ]
            )
            if not pickings:
                break
            self.receive(pickings[:1], 3)
            self.assertEqual(self.sells(), 10, pickings[:1].picking_type_id.name)
        self.assertEqual(order.order_line.qty_delivered, 3)

    def test_written_off_line_bought_to_order_keeps_on_hand(self):
        self.lamp.route_ids = self.route("mto")
        self.order(3, DELIVERING)
        purchase = self.purchase()
        self.assertEqual(self.offered(self.lamp)["on_hand"], 10)
        purchase.button_confirm()
        self.assertEqual(self.offered(self.lamp)["on_hand"], 10)
        self.receive(purchase.picking_ids, 3)
        self.assertEqual(self.offered(self.lamp)["on_hand"], 10)

    def test_written_off_dropshipped_line_keeps_on_hand(self):
        self.lamp.route_ids = self.route("dropship")
        order = self.order(2, DELIVERING)
        self.assertEqual(self.offered(self.lamp), {"on_hand": 10, "free": 10, "available": 10})
        self.purchase().button_confirm()
        self.assertTrue(order.order_line.move_ids)
        self.assertEqual(self.offered(self.lamp), {"on_hand": 10, "free": 10, "available": 10})
        self.receive(self.purchase().picking_ids, 2)
        self.assertEqual(order.order_line.qty_delivered, 2)
        self.assertEqual(self.offered(self.lamp), {"on_hand": 10, "free": 10, "available": 10})

    def test_unconfirmed_order_of_bought_goods_subtracts_nothing(self):
        for route in ("mto", "dropship"):
            self.lamp.route_ids = self.route(route)
            for status in (PRODUCTION, DELIVERING):
                kind = self.account.status_ids.filtered(lambda s, n=status: s.keycrm_id == n)
                kind.order_action = "quotation"
                order = self.order(2, status)
                self.assertEqual(order.state, "draft")
                offered = self.offered(self.lamp)
                held = 2 if status == PRODUCTION else 0
                self.assertEqual((offered["on_hand"], offered["available"] - held), (10, 10))
                order._action_cancel()
                order.keycrm_deleted = True
                order.unlink()
