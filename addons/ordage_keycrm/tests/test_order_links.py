"""From an order in Odoo to the same order in KeyCRM: the link, "Refresh from KeyCRM", what it is found by."""

from lxml import etree

from odoo.exceptions import UserError
from odoo.tests import new_test_user
from odoo.tools.safe_eval import safe_eval

from ..keycrm import addresses
from ..services.common.api_gateway import open_client
from ..services.orders.order_inbox import OrderInbox
from .order_common import OrderCase


class TestOrderLinks(OrderCase):
    def test_order_link_needs_the_address_of_the_cabinet(self):
        order = self.make()
        self.assertFalse(order.keycrm_url)
        self.account.cabinet_url = "https://myshop.keycrm.app/"
        order.invalidate_recordset(["keycrm_url"])
        self.assertEqual(
            order.keycrm_url, f"https://myshop.keycrm.app/app/orders/view/{order.keycrm_id}"
        )
        self.assertEqual(order.action_open_in_keycrm()["url"], order.keycrm_url)

    def test_order_link_works_with_a_cabinet_address_that_has_a_path(self):
        order = self.make()
        for typed in ("", "/", "/app/orders", "/app/orders/view/5?tab=1", "/#/app"):
            with self.subTest(typed):
                self.account.cabinet_url = "https://myshop.keycrm.app" + typed
                self.assertEqual(
                    addresses.order_url(self.account.cabinet_url, order.keycrm_id),
                    f"https://myshop.keycrm.app/app/orders/view/{order.keycrm_id}",
                )

    def test_refresh_reads_the_order_again_for_a_salesperson(self):
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
        with self.committing(), open_client(self.account) as client:
            OrderInbox(self.account, client).process()
        self.assertEqual(order.keycrm_manager_comment, "Терміново")
        self.assertEqual(event.state, "done")
        self.account.enabled = False
        with self.assertRaises(UserError):
            order.with_user(seller).action_keycrm_refresh()

    def test_number_is_on_order_and_delivery_and_finds_both(self):
        order = self.make(self.made, source_uuid="ROZ-555")
        self.assertEqual((order.client_order_ref, order.keycrm_number), ("ROZ-555", "ROZ-555"))
        self.assertIn(str(order.keycrm_id), order.origin)
        self.assertEqual(order.picking_ids.keycrm_order_number, order.keycrm_id)
        self.assertEqual(order.picking_ids.keycrm_number, "ROZ-555")
        found = self.env["stock.picking"].search([("sale_id.keycrm_number", "ilike", "roz-555")])
        self.assertEqual(found, order.picking_ids)

    def found(self, field, typed):
        """Search as a person does who types into the search bar and chooses a field."""
        view = self.env.ref("ordage_keycrm.keycrm_order_view_search")
        arch = etree.fromstring(view.get_combined_arch())
        (node,) = arch.xpath(f"./field[@name='{field}']")
        if node.get("filter_domain"):
            domain = safe_eval(node.get("filter_domain"), {"self": typed})
        else:
            # As the browser does: a number has to be the same one.
            is_number = self.env["sale.order"]._fields[field].type == "integer"
            domain = [(field, "=", int(typed)) if is_number else (field, "ilike", typed)]
        return self.env["sale.order"].search([("keycrm_account_id", "=", self.account.id), *domain])

    def test_search_finds_an_order_by_each_of_its_numbers(self):
        order = self.make(source_uuid="ROZ-777")
        order.keycrm_tracking_code = "20450000123456"
        self.arrive(
            self.new_order(
                [{"offer_id": self.other, "price": 50, "quantity": 1}], source_uuid="PROM-1"
            )
        )
        for field, typed in (
            ("name", order.name),
            ("name", "roz-777"),
            ("keycrm_id", str(order.keycrm_id)),
            ("keycrm_tracking_code", "0000123"),
            ("order_line", "KUHOL-1"),
            ("order_line", "кухоль"),
        ):
            with self.subTest(field=field, typed=typed):
                self.assertEqual(self.found(field, typed), order)

    def test_search_finds_a_phone_in_any_format(self):
        order, other = self.make(), self.make()
        other.partner_id = other.partner_shipping_id = self.env["res.partner"].create(
            {"name": "Other", "phone": "+380 99 999 99 99"}
        )
        ways = ("+380671234567", "067 123-45-67", "38 (067) 123 45 67", "80671234567")
        for kept in ways:
            for partner in ("partner_id", "partner_shipping_id"):
                order.partner_id = order.partner_shipping_id = self.env["res.partner"].create(
                    {"name": "Without"}
                )
                order[partner] = self.env["res.partner"].create({"name": "With", "phone": kept})
                for typed in (*ways, "123 45 67", "067-123", kept):
                    with self.subTest(kept=kept, typed=typed, partner=partner):
                        self.assertEqual(self.found("partner_shipping_id", typed), order)
        self.assertFalse(self.found("partner_shipping_id", "Кухоль 5"))
