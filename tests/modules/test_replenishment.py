"""What to produce or buy: what open KeyCRM orders need more than there is, and the order for it."""

from __future__ import annotations

from odoo import fields

from odoo.addons.ordage_keycrm.tests.stock_common import StockCase

PRODUCTION = 4


class TestReplenishment(StockCase):
    def setUp(self):
        super().setUp()
        name = self.id().rsplit(".", 1)[-1]
        vendor = self.env["res.partner"].create({"name": "Vendor"})
        self.lamp = self.goods(
            f"LAMP-{name}",
            route_ids=self.env.ref("purchase_stock.route_warehouse0_buy").ids,
            seller_ids=[fields.Command.create({"partner_id": vendor.id, "price": 1})],
        )
        self.table = self.goods(
            f"TABLE-{name}", route_ids=self.env.ref("mrp.route_warehouse0_manufacture").ids
        )
        board = self.env["product.product"].create({"name": "Board", "is_storable": True})
        self.env["mrp.bom"].create(
            {
                "product_tmpl_id": self.table.product_tmpl_id.id,
                "bom_line_ids": [fields.Command.create({"product_id": board.id, "product_qty": 4})],
            }
        )

    def order(self, *quantities):
        lines = [
            {"offer_id": self.number(product), "quantity": quantity}
            for product, quantity in quantities
        ]
        return self.arrive(self.new_order(lines, status_id=PRODUCTION))

    def listed(self):
        """:return: the rows of the screen by product"""
        self.env.flush_all()
        self.env.invalidate_all()
        action = self.env["stock.warehouse.orderpoint"]._keycrm_replenishment()
        found = self.env["stock.warehouse.orderpoint"].search(action["domain"])
        return {row.product_id: row for row in found if row.product_id in self.lamp | self.table}

    def test_missing_goods_are_listed_with_their_orders_and_bought_or_made(self):
        self.count(self.lamp, 2)
        first, second = self.order((self.lamp, 3)), self.order((self.lamp, 4), (self.table, 1))
        rows = self.listed()
        self.assertEqual(rows.keys(), {self.lamp, self.table})
        lamp, table = rows[self.lamp], rows[self.table]
        self.assertEqual((lamp.keycrm_demand, lamp.qty_on_hand, lamp.qty_to_order), (7, 2, 5))
        self.assertEqual(lamp.keycrm_order_ids, first | second)
        self.assertEqual(
            lamp.action_keycrm_orders()["domain"], [("id", "in", (first | second).ids)]
        )
        self.assertEqual((table.keycrm_demand, table.qty_to_order), (1, 1))
        self.assertEqual(table.keycrm_order_ids, second)

        (lamp | table).action_replenish()
        bought = self.env["purchase.order.line"].search([("product_id", "=", self.lamp.id)])
        self.assertEqual((bought.product_qty, bought.order_id.state), (5, "draft"))
        made = self.env["mrp.production"].search([("product_id", "=", self.table.id)])
        self.assertEqual(made.product_qty, 1)
        self.assertEqual([row for row in self.listed().values() if row.qty_to_order > 0], [])

    def test_goods_of_other_orders_and_enough_stock_are_not_listed(self):
        self.count(self.lamp, 10)
        self.order((self.lamp, 3))
        other = self.env["sale.order"].create(
            {
                "partner_id": self.env["res.partner"].create({"name": "Neighbor"}).id,
                "order_line": [
                    fields.Command.create({"product_id": self.table.id, "product_uom_qty": 2})
                ],
            }
        )
        other.action_confirm()
        self.assertEqual(self.listed(), {})
