"""Goods bought, made or dropshipped for an order are not subtracted from stock.

After each step KeyCRM has each kind of quantity exactly right, as (on hand, free, available).
"""

from __future__ import annotations

from odoo.fields import Command

from odoo.addons.ordage_keycrm.tests.stock_common import StockCase

PRODUCTION, DELIVERING, CANCELED = 4, 6, 12
BUY, MAKE = "purchase_stock.route_warehouse0_buy", "mrp.route_warehouse0_manufacture"
DROPSHIP = "stock_dropshipping.route_drop_shipping"


class TestMadeToOrder(StockCase):
    def setUp(self):
        super().setUp()
        self.keycrm.clear_log()
        self.keycrm.set_switches(status_reserve="on", status_write_off="on")
        vendor = self.env["res.partner"].create({"name": "Vendor"})
        self.lamp = self.goods(
            f"LAMP-{self.id().rsplit('.', 1)[-1]}",
            seller_ids=[Command.create({"partner_id": vendor.id, "price": 1})],
        )
        self.count(self.lamp, 10)

    def check(self, step, on_hand, free, available):
        self.assert_each_kind(step, {self.lamp: (on_hand, free, available)})

    def order(self, quantity, status, route=BUY):
        # The kind of quantity that depends on the order.
        self.account.stock_quantity = "on_hand" if status == DELIVERING else "available"
        self.lamp.route_ids = self.env.ref(route)
        if route != DROPSHIP:
            to_order = self.env.ref("stock.route_warehouse0_mto")
            to_order.active = True
            self.lamp.route_ids |= to_order
        number = self.new_order(
            [{"offer_id": self.number(self.lamp), "quantity": quantity}], status_id=status
        )
        order = self.arrive(number)
        self.assertEqual(
            order.order_line.keycrm_stock_status,
            "fulfilled" if status == DELIVERING else "reserved",
        )
        return order

    def cancel_in_keycrm(self, order):
        self.keycrm.set_status(order.keycrm_id, CANCELED, webhook=False)
        self.arrive(order.keycrm_id)
        self.assertEqual(order.state, "cancel")

    def change_in_keycrm(self, order, quantity):
        line = self.keycrm.order(order.keycrm_id)["answer"]["products"][0]["id"]
        self.keycrm.patch_line(order.keycrm_id, line, quantity=quantity, webhook=False)
        self.arrive(order.keycrm_id)

    def purchase(self):
        """Confirm what the orders of the lamp let Odoo buy.

        :return: ``purchase.order``, of each order one
        """
        lines = self.env["purchase.order.line"].search([("product_id", "=", self.lamp.id)])
        self.assertEqual(set(lines.mapped("state")), {"draft"})
        lines.order_id.button_confirm()
        self.check("bought", 10, 10, 10)
        return lines.order_id

    def production(self):
        return self.env["mrp.production"].search([("product_id", "=", self.lamp.id)])

    def make_from_parts(self):
        """:return: the product of which a lamp needs two"""
        part = self.goods(f"PART-{self.lamp.default_code}")
        self.count(part, 20)
        self.env["mrp.bom"].create(
            {
                "product_tmpl_id": self.lamp.product_tmpl_id.id,
                "bom_line_ids": [Command.create({"product_id": part.id, "product_qty": 2})],
            }
        )
        return part

    def validate(self, pickings, quantity):
        """Validate a move of the open picking among these, with a backorder for what is left."""
        picking = pickings.filtered(lambda one: one.state not in ("done", "cancel"))[:1]
        picking.move_ids[:1].write({"quantity": quantity, "picked": True})
        picking.with_context(skip_backorder=True).button_validate()
        self.assertEqual(picking.state, "done")

    # === BOUGHT ===#

    def buy_to_order(self, status):
        order = self.order(3, status)
        self.assertEqual(order.state, "sale")
        # KeyCRM has subtracted all three; those in stock that are to be shipped are not offered again.
        written_off = status == DELIVERING
        self.check("ordered", 10, 10, 10)
        purchase, delivery = self.purchase(), order.picking_ids
        self.validate(purchase.picking_ids, 1)
        self.check("a part has arrived", 10 if written_off else 11, 10, 10)
        self.validate(purchase.picking_ids, 2)
        self.check("all has arrived", 10 if written_off else 13, 10, 10)
        delivery.do_unreserve()
        self.check("a user unreserved it", 10 if written_off else 13, 13, 10)
        delivery.action_assign()
        self.check("it is reserved again", 10 if written_off else 13, 10, 10)
        self.validate(order.picking_ids, 1)
        self.check("a part is shipped", 10 if written_off else 12, 10, 10)
        self.validate(order.picking_ids, 2)
        self.check("all is shipped", 10, 10, 10)
        self.assertEqual(order.order_line.qty_delivered, 3)

    def test_quantity_of_goods_bought_to_order_is_exact(self):
        self.buy_to_order(PRODUCTION)

    def test_quantity_of_written_off_goods_bought_to_order_is_exact(self):
        self.buy_to_order(DELIVERING)

    def test_two_orders_of_bought_goods_subtract_nothing(self):
        orders = self.order(3, PRODUCTION) | self.order(3, PRODUCTION)
        purchases = self.purchase()
        self.validate(purchases.picking_ids, 3)
        self.check("a part has arrived", 13, 10, 10)
        self.validate(purchases.picking_ids, 3)
        self.check("all has arrived", 16, 10, 10)
        self.validate(orders[0].picking_ids, 3)
        self.check("one is shipped", 13, 10, 10)
        self.validate(orders[1].picking_ids, 3)
        self.check("both are shipped", 10, 10, 10)

    def test_goods_bought_to_order_in_several_steps_subtract_nothing(self):
        self.warehouse.write({"delivery_steps": "pick_pack_ship", "reception_steps": "three_steps"})
        order = self.order(3, PRODUCTION)
        self.purchase()
        for _step in range(6):
            picking = self.env["stock.picking"].search(
                [
                    ("move_ids.product_id", "=", self.lamp.id),
                    ("state", "in", ("assigned", "confirmed")),
                ],
                limit=1,
            )
            self.validate(picking, 3)
            shipped = order.order_line.qty_delivered
            self.check(picking.picking_type_id.name, 13 - shipped, 10, 10)
        self.assertEqual(shipped, 3)

    def test_quantity_is_exact_if_keycrm_changes_the_order(self):
        order = self.order(3, PRODUCTION)
        self.change_in_keycrm(order, 5)
        self.check("five in KeyCRM", 10, 10, 10)
        purchase = self.purchase()
        self.validate(purchase.picking_ids, 5)
        self.check("five have arrived", 15, 10, 10)
        self.change_in_keycrm(order, 2)
        self.check("two in KeyCRM", 15, 13, 13)

    def test_goods_of_an_order_canceled_before_receipt_are_offered(self):
        order = self.order(3, PRODUCTION)
        purchase = self.purchase()
        self.cancel_in_keycrm(order)
        self.check("canceled", 10, 10, 10)
        self.validate(purchase.picking_ids, 3)
        self.check("the goods have arrived", 13, 13, 13)

    def test_goods_of_an_order_canceled_after_receipt_are_offered(self):
        order = self.order(3, DELIVERING)
        self.validate(self.purchase().picking_ids, 3)
        self.check("the goods have arrived", 10, 10, 10)
        self.cancel_in_keycrm(order)
        self.check("canceled", 13, 13, 13)

    # === CANCELED OR REDUCED SUPPLY ===#

    def ship_from_stock(self, order, written_off):
        self.check("the supply has ended", 7 if written_off else 10, 10, 7)
        order.picking_ids.action_assign()
        self.check("reserved", 7 if written_off else 10, 7, 7)
        self.validate(order.picking_ids, 3)
        self.check("shipped", 7, 7, 7)

    def cancel_purchase(self, status):
        order = self.order(3, status)
        purchase = self.purchase()
        purchase.order_line.propagate_cancel = False
        purchase.picking_ids.move_ids.propagate_cancel = False
        purchase.button_cancel()
        self.ship_from_stock(order, status == DELIVERING)

    def test_canceled_purchase_subtracts_from_stock(self):
        self.cancel_purchase(PRODUCTION)

    def test_canceled_purchase_of_written_off_goods_subtracts_from_stock(self):
        self.cancel_purchase(DELIVERING)

    def test_canceled_receipt_subtracts_from_stock(self):
        order = self.order(3, PRODUCTION)
        receipt = self.purchase().picking_ids
        receipt.move_ids.propagate_cancel = False
        receipt.action_cancel()
        self.ship_from_stock(order, written_off=False)

    def test_canceled_rest_of_a_receipt_subtracts_from_stock(self):
        self.order(3, PRODUCTION)
        purchase = self.purchase()
        self.validate(purchase.picking_ids, 1)
        self.check("a part has arrived", 11, 10, 10)
        purchase.picking_ids.filtered(lambda one: one.state != "done").action_cancel()
        self.check("the rest is canceled", 11, 10, 8)

    def test_receipt_of_fewer_goods_subtracts_the_rest_from_stock(self):
        self.order(3, PRODUCTION)
        self.purchase().picking_ids.move_ids.product_uom_qty = 1
        self.check("the vendor has one", 10, 10, 8)

    def test_canceled_manufacturing_order_subtracts_from_stock(self):
        self.make_from_parts()
        order = self.order(3, PRODUCTION, MAKE)
        self.check("ordered", 10, 10, 10)
        self.production().action_cancel()
        self.ship_from_stock(order, written_off=False)

    # === MADE ===#

    def test_quantity_of_manufactured_goods_is_exact(self):
        part = self.make_from_parts()
        order = self.order(3, PRODUCTION, MAKE)
        production = self.production()
        production.action_assign()
        self.assert_each_kind("ordered", {self.lamp: (10, 10, 10), part: (20, 14, 14)})
        production.qty_producing = 3
        production._set_qty_producing()
        production.move_raw_ids.picked = True
        production.button_mark_done()
        self.assertEqual(production.state, "done")
        self.assert_each_kind("made", {self.lamp: (13, 10, 10), part: (14, 14, 14)})
        self.validate(order.picking_ids, 3)
        self.assert_each_kind("shipped", {self.lamp: (10, 10, 10), part: (14, 14, 14)})

    # === DROPSHIPPED ===#

    def dropship(self, status):
        order = self.order(3, status, DROPSHIP)
        self.check("ordered", 10, 10, 10)
        purchase = self.purchase()
        self.assertEqual(order.order_line.move_ids.location_id, self.suppliers)
        self.validate(purchase.picking_ids, 1)
        self.check("a part is shipped", 10, 10, 10)
        self.validate(purchase.picking_ids, 2)
        self.check("all is shipped", 10, 10, 10)
        self.assertEqual(order.order_line.qty_delivered, 3)

    def test_quantity_of_dropshipped_goods_is_exact(self):
        self.dropship(PRODUCTION)

    def test_quantity_of_written_off_dropshipped_goods_is_exact(self):
        self.dropship(DELIVERING)

    # === NOT CONFIRMED ===#

    def test_unconfirmed_order_of_bought_goods_subtracts_nothing(self):
        for route in (BUY, DROPSHIP):
            for number in (PRODUCTION, DELIVERING):
                status = self.account.status_ids.filtered(lambda s, n=number: s.keycrm_id == n)
                status.order_action = "quotation"
                order = self.order(2, number, route)
                self.assertEqual(order.state, "draft")
                self.check(f"{route}, {status.name}", 10, 10, 10)
                self.cancel_in_keycrm(order)
                self.check("canceled", 10, 10, 10)
