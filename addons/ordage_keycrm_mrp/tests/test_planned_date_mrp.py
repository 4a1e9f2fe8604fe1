"""Lines to be manufactured have a manufacturing order, which follows KeyCRM's planned day."""

from datetime import date

from odoo.addons.ordage_keycrm.tests.order_common import OrderCase


class TestPlannedDateMrp(OrderCase):
    def test_line_to_manufacture_is_made_to_order_for_the_planned_day(self):
        product = self.make(self.new).order_line.product_id
        product.is_storable = True
        board = self.env["product.product"].create({"name": "Дошка", "is_storable": True})
        self.env["mrp.bom"].create(
            {
                "product_tmpl_id": product.product_tmpl_id.id,
                "bom_line_ids": [(0, 0, {"product_id": board.id, "product_qty": 1})],
            }
        )
        product.route_ids = self.warehouse.manufacture_pull_id.route_id
        number = self.new_order(
            [
                {
                    "offer_id": self.offer,
                    "price": 100,
                    "quantity": 2,
                    "shipment_type": "manufacturing",
                }
            ],
            status_id=self.made.keycrm_id,
            shipping={"shipping_date": "2026-12-24"},
        )
        order = self.arrive(number)
        production = self.env["mrp.production"].search([("product_id", "=", product.id)])
        self.assertEqual(order.state, "sale")
        self.assertEqual(len(production), 1)
        self.assertEqual((production.product_qty, production.state), (2, "confirmed"))
        self.assertIn(order.name, production.origin)
        duration = production.date_finished - production.date_start
        self.keycrm.patch_order(number, shipping={"shipping_date": "2026-12-28"}, webhook=False)
        self.arrive(number)
        self.assertEqual(order.commitment_date.date(), date(2026, 12, 28))
        self.assertEqual(production.date_deadline.date(), date(2026, 12, 28))
        self.assertEqual(production.date_finished.date(), date(2026, 12, 28))
        self.assertEqual(production.date_finished - production.date_start, duration)
        self.keycrm.patch_order(number, shipping={"shipping_date": None}, webhook=False)
        self.arrive(number)
        self.assertFalse(order.commitment_date)
        self.assertEqual(production.date_finished, order.expected_date)
        self.assertEqual(production.date_finished - production.date_start, duration)
