"""SMS about deliveries of KeyCRM orders: none unless the account lets Odoo write to buyers."""

from __future__ import annotations

from unittest.mock import patch

from odoo.modules import module

from odoo.addons.ordage_keycrm.tests.order_common import OrderCase
from odoo.addons.sms.models.sms_sms import SmsSms


class TestSms(OrderCase):
    def deliver_and_read_sms(self):
        """Ship an order of KeyCRM.

        :return: the ``sms.sms`` that Odoo made for it
        """
        order = self.make(self.made, client_id=self.client)
        picking = order.picking_ids
        self.assertTrue(picking.partner_id.phone)
        picking.move_ids.write({"quantity": 5, "picked": True})
        before = self.env["sms.sms"].search([])
        with (
            # Odoo sends none in tests, and they are sent by an external service.
            patch.object(module, "current_test", False),
            patch.object(SmsSms, "send", lambda *_args, **_kwargs: None),
        ):
            picking.button_validate()
        self.assertEqual(picking.state, "done")
        return self.env["sms.sms"].search([]) - before

    def test_sms_about_a_delivery_follows_the_choice_of_the_account(self):
        self.company.write(
            {"stock_text_confirmation": True, "has_received_warning_stock_sms": True}
        )
        self.client = self.keycrm.create_buyer(full_name="Іван", phone="+380671112233")["id"]
        self.assertFalse(self.deliver_and_read_sms())
        self.account.notify_buyers = True
        self.assertEqual(self.deliver_and_read_sms().number, "+380671112233")
