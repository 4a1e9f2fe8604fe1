"""From an order in Odoo to the same order in KeyCRM: the link, "Refresh from KeyCRM", what it is found by."""

from odoo.exceptions import UserError
from odoo.tests import new_test_user

from .order_common import OrderCase


class TestOrderLinks(OrderCase):
    def test_a_link_opens_the_order_in_keycrm_once_the_cabinet_is_known(self):
        order = self.make()
        self.assertFalse(order.keycrm_url)
        self.account.cabinet_url = "https://myshop.keycrm.app/"
        order.invalidate_recordset(["keycrm_url"])
        self.assertEqual(
            order.keycrm_url, f"https://myshop.keycrm.app/app/orders/view/{order.keycrm_id}"
        )
        self.assertEqual(order.action_open_in_keycrm()["url"], order.keycrm_url)

    def test_a_cabinet_address_copied_with_the_page_that_was_open_opens_the_order_too(self):
        order = self.make()
        for typed in ("", "/", "/app/orders", "/app/orders/view/5?tab=1", "/#/app"):
            with self.subTest(typed):
                self.account.cabinet_url = "https://myshop.keycrm.app" + typed
                self.assertEqual(
                    self.account._order_url(order.keycrm_id),
                    f"https://myshop.keycrm.app/app/orders/view/{order.keycrm_id}",
                )

    def test_refresh_reads_the_order_anew_for_a_salesperson(self):
        order = self.make()
        self.keycrm.patch_order(order.keycrm_id, manager_comment="Терміново", webhook=False)
        seller = new_test_user(
            self.env,
            "refresher",
            groups="sales_team.group_sale_salesman_all_leads,ordage_keycrm.group_user",
        )
        order.with_user(seller).action_keycrm_refresh()
        event = self.env["keycrm.event"].search([("keycrm_order_id", "=", order.keycrm_id)])
        self.assertEqual((event.state, event.sale_order_id), ("pending", order))
        with self.committing(), self.account._client() as client:
            self.account._work_inbox(client)
        self.assertEqual(order.keycrm_manager_comment, "Терміново")
        self.assertEqual(event.state, "done")
        self.account.enabled = False
        with self.assertRaises(UserError):
            order.with_user(seller).action_keycrm_refresh()

    def test_the_number_stands_on_order_and_slip_and_finds_both(self):
        order = self.make(self.made, source_uuid="ROZ-555")
        self.assertEqual((order.client_order_ref, order.keycrm_number), ("ROZ-555", "ROZ-555"))
        self.assertIn(str(order.keycrm_id), order.origin)
        self.assertEqual(order.picking_ids.keycrm_order_number, order.keycrm_id)
        self.assertEqual(order.picking_ids.keycrm_number, "ROZ-555")
        found = self.env["stock.picking"].search([("sale_id.keycrm_number", "ilike", "roz-555")])
        self.assertEqual(found, order.picking_ids)
