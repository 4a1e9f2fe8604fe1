"""What a vendor ships to the buyer is a delivery too: number, status, planned date, recipient."""

from __future__ import annotations

from odoo import fields

from odoo.addons.ordage_keycrm.services.common.api_gateway import open_client
from odoo.addons.ordage_keycrm.services.sending.order_update_sender import OrderUpdateSender
from odoo.addons.ordage_keycrm.tests.order_common import OrderCase

CODE = "20450009998887"


class TestDropship(OrderCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.vendor = cls.env["res.partner"].create({"name": "Vendor"})
        cls.account.write({"send_tracking": True, "delivered_status_id": cls.sent.id})

    def dropshipped(self, **fields_):
        """Make a confirmed order whose goods the vendor ships; return it with the transfer."""
        product = self.env["product.product"].create(
            {
                "name": "Тумба",
                "default_code": "DROP-1",
                "is_storable": True,
                "seller_ids": [fields.Command.create({"partner_id": self.vendor.id, "price": 1})],
                "route_ids": self.env.ref("stock_dropshipping.route_drop_shipping").ids,
            }
        )
        offer = self.keycrm.create_offer(sku="DROP-1", price=100)["id"]
        number = self.new_order(
            [{"offer_id": offer, "price": 100, "quantity": 1}],
            status_id=self.made.keycrm_id,
            **fields_,
        )
        order = self.arrive(number)
        self.assertEqual(order.order_line.product_id, product)
        purchase = self.env["purchase.order"].search([("partner_id", "=", self.vendor.id)])
        purchase.button_confirm()
        picking = order.picking_ids
        self.assertEqual(picking.picking_type_code, "dropship")
        return order, picking

    def send(self):
        self.env.cr.flush()
        with self.committing(), open_client(self.account) as client:
            while OrderUpdateSender(self.account, client).process():
                pass

    def test_number_and_status_of_a_dropship_reach_keycrm(self):
        order, picking = self.dropshipped()
        picking.carrier_tracking_ref = CODE
        self.send()
        answer = self.keycrm.order(order.keycrm_id)["answer"]
        self.assertEqual(answer["shipping"]["tracking_code"], CODE)
        picking.move_ids.write({"quantity": 1, "picked": True})
        picking._action_done()
        self.send()
        answer = self.keycrm.order(order.keycrm_id)["answer"]
        self.assertEqual(answer["status_id"], self.sent.keycrm_id)

    def test_planned_date_moves_a_dropship(self):
        order, picking = self.dropshipped()
        day = fields.Date.add(fields.Date.today(), days=9)
        self.keycrm.patch_order(
            order.keycrm_id, webhook=False, shipping={"shipping_date": day.isoformat()}
        )
        self.arrive(order.keycrm_id)
        self.assertEqual(picking.scheduled_date, order.commitment_date)
        self.assertEqual(order.keycrm_shipping_date, day)

    def test_other_recipient_of_a_dropship_is_reported_and_the_vendor_stays(self):
        order, picking = self.dropshipped()
        self.assertEqual(picking.partner_id, self.vendor)
        self.keycrm.patch_order(
            order.keycrm_id,
            webhook=False,
            shipping={"recipient_full_name": "Ганна Коваль", "shipping_address_city": "Львів"},
        )
        self.arrive(order.keycrm_id)
        self.assertEqual(picking.partner_id, self.vendor)
        self.assertIn("Ганна Коваль", self.activities(order))
