"""A contact that Odoo refuses never loses an order: it is imported, and an activity shows the refusal."""

import re

from psycopg2 import sql

from odoo.fields import Command

from .buyer_common import OFFICE, BuyerCase

#: The tax numbers of two Ukrainian firms.
VATS = ("UA20033301", "UA12345673")


class RefusalCase(BuyerCase):
    def mapping(self, client):
        return self.env["keycrm.buyer"].search([("keycrm_id", "=", client)])

    def firm(self, name, vat=False):
        """:return: (number of the firm in KeyCRM, its contact, which has a tax number)"""
        number = self.keycrm.create_company(name=name)["id"]
        first = self.buyer(company_id=number)
        contact = self.arrive_by_worker(self.new_order([], client_id=first)).partner_id.parent_id
        self.assertEqual(contact.name, name)
        contact.write({"country_id": self.env.ref("base.ua").id, "vat": vat})
        return number, contact

    def post_journal_entry(self, partner):
        """Post a journal entry on the contact."""
        account = self.env["account.account"].create(
            {"name": "Дебітори", "code": "KCRM1", "account_type": "asset_receivable"}
        )
        journal = self.env["account.journal"].create(
            {"name": "Різне", "code": "KCRM", "type": "general"}
        )
        self.env["account.move"].create(
            {
                "journal_id": journal.id,
                "line_ids": [
                    Command.create(
                        {
                            "account_id": account.id,
                            "partner_id": partner.id,
                            "debit": d,
                            "credit": c,
                        }
                    )
                    for d, c in ((100, 0), (0, 100))
                ],
            }
        ).action_post()

    def activity_text(self, record):
        return re.sub("<[^>]+>", " ", " ".join(record.activity_ids.mapped("note")))

    def refuse(self, condition):
        """Let the database accept only contacts of which the condition is true."""
        self.env.flush_all()
        self.env.cr.execute(
            sql.SQL("ALTER TABLE res_partner ADD CONSTRAINT strict CHECK ({}) NOT VALID").format(
                sql.SQL(condition)
            )
        )


class TestFirms(RefusalCase):
    def test_buyer_with_journal_items_joins_a_firm_with_a_tax_number(self):
        company, firm = self.firm("ТОВ Ромашка", VATS[0])
        client = self.buyer(phone="0671112233")
        number = self.new_order([], client_id=client)
        order = self.arrive_by_worker(number)
        partner = order.partner_id
        self.post_journal_entry(partner)
        self.keycrm.patch_buyer(client, company_id=company, full_name="Іван Петренко-Коваль")
        later = self.new_order([], client_id=client)
        second = self.arrive_by_worker(number, later)[1]
        self.assertEqual((second.partner_id, second.partner_invoice_id), (partner, partner))
        self.assertFalse(partner.parent_id)
        self.assertEqual(partner.name, "Іван Петренко-Коваль", "what is allowed is taken over")
        self.assertIn("ТОВ Ромашка", self.activity_text(partner))
        self.assertRegex(
            self.activity_text(partner),
            "виставлення рахунків|invoicing address",
            "Odoo's own reason is named",
        )
        partner.activity_ids.action_done()
        self.arrive_by_worker(number, later)
        self.assertFalse(partner.activity_ids, "reported once")
        partner.vat = firm.vat
        partner.parent_id = firm
        self.assertFalse(self.mapping(client).proposed, "a person did it")

    def test_first_order_for_a_firm_of_a_contact_with_journal_items(self):
        company, _firm = self.firm("ТОВ Ромашка", VATS[0])
        old = self.env["res.partner"].create({"name": "Опт", "phone": "0671112244"})
        self.post_journal_entry(old)
        client = self.buyer(phone="+380671112244", company_id=company)
        order = self.arrive_by_worker(self.new_order([], client_id=client))
        self.assertEqual(order.partner_id, old)
        self.assertFalse(old.parent_id)
        self.assertIn("ТОВ Ромашка", self.activity_text(old))

    def change_firm(self, *, has_journal_items):
        """:return: (the buyer's order, the contact of the first firm, that of the second one)"""
        first, firm = self.firm("ТОВ Ромашка", VATS[0])
        second, other = self.firm("ТОВ Волошка", VATS[1])
        client = self.buyer(company_id=first)
        number = self.new_order([], client_id=client)
        order = self.arrive_by_worker(number)
        self.assertEqual(order.partner_id.parent_id, firm)
        if has_journal_items:
            self.post_journal_entry(order.partner_id)
        self.keycrm.patch_buyer(client, company_id=second)
        self.arrive_by_worker(number)
        return order, firm, other

    def test_buyer_with_journal_items_stays_in_the_former_firm(self):
        order, firm, _other = self.change_firm(has_journal_items=True)
        self.assertEqual((order.partner_id.parent_id, order.partner_invoice_id), (firm, firm))
        self.assertEqual(order.partner_id.vat, VATS[0])
        self.assertIn("ТОВ Волошка", self.activity_text(order.partner_id))

    def test_buyer_without_journal_items_moves_to_the_other_firm(self):
        order, _firm, other = self.change_firm(has_journal_items=False)
        self.assertEqual((order.partner_id.parent_id, order.partner_invoice_id), (other, other))
        self.assertEqual(order.partner_id.vat, VATS[1])
        self.assertFalse(order.partner_id.activity_ids)

    def test_buyer_with_a_tax_number_of_its_own_keeps_it(self):
        company, _firm = self.firm("ТОВ Ромашка", VATS[0])
        client = self.buyer()
        number = self.new_order([], client_id=client)
        partner = self.arrive_by_worker(number).partner_id
        partner.write({"country_id": self.env.ref("base.ua").id, "vat": VATS[1]})
        self.keycrm.patch_buyer(client, company_id=company)
        self.arrive_by_worker(number)
        self.assertEqual((partner.vat, partner.parent_id.id), (VATS[1], False))
        self.assertIn("ТОВ Ромашка", self.activity_text(partner))

    def test_buyer_joins_a_firm_whose_tax_number_odoo_would_refuse(self):
        company, firm = self.firm("ТОВ Ромашка")
        firm.with_context(no_vat_validation=True).vat = "1"
        self.assertEqual(firm.vat, "1")
        client = self.buyer(company_id=company)
        order = self.arrive_by_worker(self.new_order([], client_id=client, shipping=OFFICE))
        self.assertEqual(order.partner_id.parent_id, firm)
        self.assertEqual(order.partner_shipping_id.name, "Марія Коваль")


class TestOtherCompanies(RefusalCase):
    def setUp(self):
        super().setUp()
        self.other = self.env["res.company"].create({"name": "Інша"})

    def test_contact_moved_to_another_company_is_replaced(self):
        client = self.buyer(phone="0671112255")
        number = self.new_order([], client_id=client)
        former = self.arrive_by_worker(number).partner_id
        former.company_id = self.other
        order = self.arrive_by_worker(self.new_order([], client_id=client))
        self.assertNotEqual(order.partner_id, former)
        self.assertEqual(order.partner_id.phone, former.phone)
        self.assertEqual(self.mapping(client).partner_id, order.partner_id)
        self.assertIn("Інша", self.activity_text(order.partner_id))
        self.assertDecisions()  # nobody has to do anything
        self.arrive_by_worker(number, order.keycrm_id)
        self.assertEqual(self.mapping(client).partner_id, order.partner_id, "once")

    def test_firm_moved_to_another_company_is_replaced(self):
        company, former = self.firm("ТОВ Ромашка")
        former.company_id = self.other
        client = self.buyer(company_id=company)
        order = self.arrive_by_worker(self.new_order([], client_id=client))
        firm = order.partner_invoice_id
        self.assertNotEqual(firm, former)
        self.assertEqual(firm, order.partner_id.parent_id)
        self.assertIn("Інша", self.activity_text(firm))

    def test_buyer_that_a_user_put_below_a_firm_of_another_company(self):
        client = self.buyer()
        number = self.new_order([], client_id=client)
        partner = self.arrive_by_worker(number).partner_id
        partner.parent_id = self.env["res.partner"].create(
            {"name": "Чужа", "is_company": True, "company_id": self.other.id}
        )
        order = self.arrive_by_worker(self.new_order([], client_id=client))
        self.assertEqual(order.partner_invoice_id.company_id, order.company_id)

    def test_contact_without_a_buyer_moved_to_a_company_is_replaced(self):
        first = self.arrive(self.new_order([], client_id=None))
        first.partner_id.company_id = self.other
        second = self.arrive(self.new_order([], client_id=None))
        self.assertNotEqual(second.partner_id, first.partner_id)

    def test_archived_and_merged_contacts_keep_their_orders(self):
        company, firm = self.firm("ТОВ Ромашка", VATS[0])
        client = self.buyer(company_id=company)
        number = self.new_order([], client_id=client)
        order = self.arrive_by_worker(number)
        partner, address = order.partner_id, order.partner_shipping_id
        partner.active = False
        firm.active = False
        later = self.new_order([], client_id=client, shipping=OFFICE)
        orders = self.arrive_by_worker(number, later)
        self.assertEqual(orders.mapped("partner_id"), partner)
        self.assertEqual(orders.mapped("partner_invoice_id"), firm)
        self.assertEqual(orders[0].partner_shipping_id, address)
        self.assertEqual(orders[1].partner_shipping_id.name, "Марія Коваль")
        self.assertEqual(orders[1].partner_shipping_id.parent_id, partner)
        (partner | firm).active = True
        wizard = self.env["base.partner.merge.automatic.wizard"].create(
            {"partner_ids": [Command.set((partner | firm).ids)], "dst_partner_id": partner.id}
        )
        partner.parent_id = False
        wizard.action_merge()
        order = self.arrive_by_worker(self.new_order([], client_id=client))
        self.assertEqual(order.partner_id, partner)


class TestOtherModules(RefusalCase):
    def test_only_refused_values_of_a_new_contact_are_left_out(self):
        self.refuse("email IS NULL OR email NOT LIKE '%refused%'")
        good, bad = self.buyer(), self.buyer(phone="0671112266", email="a@refused.example")
        orders = self.arrive_by_worker(
            self.new_order([], client_id=good), self.new_order([], client_id=bad)
        )
        partner = orders[1].partner_id
        self.assertEqual((partner.phone, partner.email), ("+380671112266", False))
        self.assertIn("a@refused.example", self.activity_text(partner))
        self.assertFalse(orders[0].partner_id.activity_ids)

    def test_order_arrives_without_its_buyer_if_the_contact_is_refused(self):
        self.refuse("name NOT LIKE 'Заборона%'")
        client = self.buyer(full_name="Заборона", phone="0671112277")
        number = self.new_order([], client_id=client)
        order = self.arrive_by_worker(number)
        self.assertEqual(
            order.partner_id, self.mapping(0).partner_id, "that of orders without a buyer"
        )
        self.assertIn("+380671112277", self.activity_text(order))
        self.env.cr.execute("ALTER TABLE res_partner DROP CONSTRAINT strict")
        self.arrive_by_worker(number)
        self.assertEqual(order.partner_id.name, "Заборона")
        self.assertFalse(order.activity_ids, "nothing is left to be done")

    def test_refused_change_is_reported_and_the_others_are_written(self):
        client = self.buyer(email="a@example.com")
        number = self.new_order([], client_id=client)
        partner = self.arrive_by_worker(number).partner_id
        self.refuse("email IS NULL OR email NOT LIKE '%refused%'")
        self.keycrm.patch_buyer(client, full_name="Нове", emails=["a@refused.example"])
        self.arrive_by_worker(number)
        self.assertEqual((partner.name, partner.email), ("Нове", "a@example.com"))
        self.assertIn("a@refused.example", self.activity_text(partner))
        self.assertDecisions(partner)

    def test_refused_delivery_address_is_reported_on_the_order(self):
        self.refuse("type != 'delivery' OR zip IS NULL")
        shipping = {**OFFICE, "shipping_address_zip": "79000"}
        part = self.arrive_by_worker(self.new_order([], shipping=shipping))
        address = part.partner_shipping_id
        self.assertEqual((address.zip, address.city), (False, "Львів"))
        self.assertIn("79000", self.activity_text(part))
        self.assertDecisions(part)
        self.env.cr.execute("ALTER TABLE res_partner DROP CONSTRAINT strict")
        self.refuse("type != 'delivery' OR id < 0")
        none = self.arrive_by_worker(self.new_order([], client_id=self.buyer(), shipping=OFFICE))
        self.assertEqual(none.partner_shipping_id, none.partner_id)
        self.assertIn("Відділення №5", self.activity_text(none))

    def test_contact_that_fails_with_any_error_loses_no_order(self):
        self.refuse("email IS NULL OR 1 / (CASE WHEN email LIKE '%broken%' THEN 0 ELSE 1 END) > 0")
        client = self.buyer(phone="0671112288", email="a@broken.example")
        with self.assertLogs("odoo.addons.ordage_keycrm.services.orders.contacts", "WARNING"):
            order = self.arrive_by_worker(self.new_order([], client_id=client))
        partner = order.partner_id
        self.assertEqual((partner.phone, partner.email), ("+380671112288", False))
        self.assertIn("a@broken.example", self.activity_text(partner))

    def test_order_arrives_if_no_contact_can_be_created(self):
        newest = self.env["res.partner"].with_context(active_test=False).search([], order="id desc")
        self.refuse(f"id <= {newest[0].id}")
        client = self.buyer(full_name="Заборона", phone="0671112299")
        number, without = self.new_order([], client_id=client), self.new_order([], client_id=None)
        orders = self.arrive_by_worker(number, without)
        self.assertEqual(orders.partner_id, self.company.partner_id)
        self.assertIn("+380671112299", self.activity_text(orders[0]))
        self.assertIn("strict", self.activity_text(orders[1]))
        self.assertFalse(self.mapping(0) or self.mapping(client))
        self.env.cr.execute("ALTER TABLE res_partner DROP CONSTRAINT strict")
        self.arrive_by_worker(number, without)
        self.assertEqual(orders[0].partner_id.name, "Заборона")
        self.assertEqual(orders[1].partner_id, self.mapping(0).partner_id)
        self.assertFalse(orders.activity_ids, "nothing is left to be done")

    def test_refused_name_of_one_firm_does_not_stop_the_others(self):
        number, firm = self.firm("ТОВ Ромашка")
        buyer = self.env["keycrm.buyer"].search([("partner_id", "in", firm.child_ids.ids)])
        self.refuse("name NOT LIKE 'Заборона%'")
        self.keycrm.patch_buyer(
            buyer.keycrm_id, raw={"company": {"id": number, "full_name": "Заборона"}}
        )
        other = self.keycrm.create_company(name="ТОВ Волошка")["id"]
        self.env["keycrm.company"].search([]).read_at = "2020-01-01"
        orders = self.arrive_by_worker(
            self.new_order([], client_id=buyer.keycrm_id),
            self.new_order([], client_id=self.buyer(company_id=other)),
        )
        self.assertEqual(orders[1].partner_id.parent_id.name, "ТОВ Волошка")
        self.assertEqual(firm.name, "ТОВ Ромашка")
        self.assertIn("Заборона", self.activity_text(firm))
