"""Who reads what of an order: payments, bank transactions, buyers, and nothing of it in the portal."""

from odoo.exceptions import AccessError
from odoo.tests import Form, new_test_user

from .test_rights import RightsCase

#: Roles that read payments and bank transactions, and roles that do not.
READERS = {
    "accountant": "account.group_account_readonly",
    "billing": "account.group_account_invoice",
    "KeyCRM user": "ordage_keycrm.group_user",
    "KeyCRM administrator": "ordage_keycrm.group_manager",
}
OTHERS = {
    "storekeeper": "stock.group_stock_user",
    "stock manager": "stock.group_stock_manager",
    "seller of own orders": "sales_team.group_sale_salesman",
    "seller of all orders": "sales_team.group_sale_salesman_all_leads",
    "employee": "base.group_user",
    "portal": "base.group_portal",
}


class TestVisibility(RightsCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.people = {
            role: new_test_user(cls.env, f"sees-{place}", groups=groups)
            for place, (role, groups) in enumerate({**READERS, **OTHERS}.items())
        }
        cls.order = cls.records["sale.order"]
        cls.env["keycrm.event"].create(
            {"account_id": cls.account.id, "event": "x", "sale_order_id": cls.order.id}
        )

    def of_order(self):
        """:return: records of our models that belong to the order"""
        order = [("sale_order_id", "=", self.order.id)]
        buyers = [("partner_id", "=", self.order.partner_id.id)]
        return {
            "keycrm.event": self.env["keycrm.event"].search(order),
            "keycrm.order.update": self.env["keycrm.order.update"].search(order),
            "keycrm.buyer": self.env["keycrm.buyer"].search(buyers),
        }

    def test_payments_and_bank_data_are_for_accounting_and_keycrm_roles(self):
        for model in ("keycrm.payment", "keycrm.transaction"):
            for role in READERS:
                with self.subTest(model=model, role=role):
                    self.assertTrue(self.env[model].with_user(self.people[role]).search([]))
            for role in OTHERS:
                with self.subTest(model=model, role=role), self.assertRaises(AccessError):
                    self.env[model].with_user(self.people[role]).search([])
        for role in OTHERS:
            with self.subTest(role), self.assertRaises(AccessError):
                self.order.with_user(self.people[role]).read(["keycrm_payment_ids"])

    def test_updates_that_send_payments_are_visible_to_the_same_roles(self):
        update = self.env["keycrm.order.update"].create(
            {
                "account_id": self.account.id,
                "sale_order_id": self.order.id,
                "kind": "payment",
                "state": "failed",
                "error_code": "payment_unclear",
            }
        )
        self.order.user_id = self.people["seller of own orders"]
        self.env.flush_all()
        for role, person in self.people.items():
            seen = update.with_user(person)
            with self.subTest(role):
                if role.startswith("KeyCRM"):
                    self.assertTrue(seen.search([("id", "=", update.id)]).error)
                    continue
                # Without a KeyCRM role, accountants have no right to updates.
                self.assertRefused(seen.read, ["error"])
                if seen.browse().has_access("read"):
                    self.assertFalse(seen.search([("id", "=", update.id)]))

    def test_data_of_an_order_follows_the_right_to_the_order(self):
        own, everything = (
            self.people["seller of own orders"],
            self.people["seller of all orders"],
        )
        for owner, is_seen in ((everything, False), (own, True), (self.env["res.users"], True)):
            self.order.user_id = owner
            self.env.flush_all()
            for model, records in self.of_order().items():
                with self.subTest(model=model, owner=owner.login):
                    self.assertTrue(records)
                    for person, found in ((own, is_seen), (everything, True)):
                        seen = records.with_user(person)
                        self.assertEqual(bool(seen.search([("id", "in", records.ids)])), found)
                        if not found:
                            self.assertRefused(seen.read, ["display_name"])

    def test_forms_open_for_each_role_that_may_see_the_record(self):
        screens = {
            "sale.order": self.order,
            "stock.picking": self.order.picking_ids[:1],
            "product.template": self.records["product.template"],
            "res.partner": self.order.partner_id,
        }
        self.order.user_id = False
        for role in ("storekeeper", "seller of own orders", "billing", "KeyCRM administrator"):
            for model, record in screens.items():
                seen = record.with_user(self.people[role])
                # Odoo itself does not let a storekeeper open the form of an order.
                if not seen.has_access("read") or (role, model) == ("storekeeper", "sale.order"):
                    continue
                with self.subTest(role=role, model=model):
                    self.assertTrue(Form(seen))

    def test_a_buyer_in_the_portal_reads_no_field_of_keycrm(self):
        self.order._keycrm_schedule_activity("code", "Внутрішнє", ["Не для покупця"])
        self.order.write({"partner_id": self.people["portal"].partner_id.id})
        self.env.flush_all()
        for record in (self.order, self.order.order_line[:1]):
            seen = record.with_user(self.people["portal"])
            names = [name for name in record._fields if name.startswith("keycrm_")]
            self.assertFalse(set(names) & set(seen.fields_get()))
            for name in names:
                with self.subTest(model=record._name, field=name):
                    with self.assertRaises(AccessError):
                        seen.read([name])
                    if record._fields[name]._description_searchable:
                        self.assertRefused(seen.search, [(name, "!=", False)])
