"""Contacts that no buyer may take over: of Odoo users, of companies of this database, entered by users."""

import re

from odoo.tests import new_test_user

from .buyer_common import OFFICE, BuyerCase

#: Each kind of user that a contact may have.
ROLES = {
    "administrator": "base.group_system",
    "employee": "base.group_user",
    "salesperson": "sales_team.group_sale_salesman",
    "portal": "base.group_portal",
    "public": "base.group_public",
}


class TakeoverCase(BuyerCase):
    def new_user(self, role, phone, email, **values):
        user = new_test_user(self.env, f"user-{role}", groups=ROLES[role], email=email)
        user.partner_id.write({"phone": phone, "name": "Власник", **values})
        return user

    def order_of(self, **buyer):
        """:return: (order, number of the order, number of its buyer)"""
        client = self.buyer(**buyer)
        number = self.new_order([], client_id=client)
        return self.arrive(number), number, client

    def mapping(self, client):
        return self.env["keycrm.buyer"].search([("keycrm_id", "=", client)])

    def contact_data(self, partner):
        return partner.read(["name", "phone", "email", "parent_id", "street", "city"])[0]


class TestContactsOfUsers(TakeoverCase):
    def test_no_buyer_is_matched_to_the_contact_of_a_user(self):
        for place, role in enumerate(ROLES):
            phone, email = f"06711100{place:02}", f"{role}@example.com"
            for active in (True, False):
                user = self.env["res.users"].with_context(active_test=False)
                user = user.search([("login", "=", f"user-{role}")])
                user = user or self.new_user(role, phone, email)
                user.active = active
                before = self.contact_data(user.partner_id)
                for buyer in ({"phone": phone}, {"email": email}, {"phone": phone, "email": email}):
                    with self.subTest(role=role, active=active, buyer=buyer):
                        order, *_numbers = self.order_of(**buyer)
                        self.assertNotEqual(order.partner_id, user.partner_id)
                        self.assertNotEqual(order.partner_shipping_id, user.partner_id)
                        self.assertEqual(self.contact_data(user.partner_id), before)

    def test_password_reset_does_not_go_to_a_buyer_with_the_same_phone(self):
        admin = self.new_user("administrator", "0671112200", "owner@shop.example")
        _order, number, client = self.order_of(phone="0671112200")
        self.keycrm.patch_buyer(client, emails=["stranger@evil.example"])
        self.arrive(number)
        sent = []
        self.patch(
            type(self.env["mail.mail"]),
            "send",
            lambda mails, *args, **kwargs: sent.extend(mails.mapped("email_to")),
        )
        admin.with_context(create_user=False).action_reset_password()
        self.assertEqual(admin.email, "owner@shop.example")
        self.assertTrue(sent)
        self.assertFalse([address for address in sent if "evil" in (address or "")], sent)

    def test_orders_of_other_buyers_do_not_appear_in_the_portal(self):
        portal = self.new_user("portal", "0671112211", "thief@example.com")
        family = self.env["res.partner"].create(
            {"name": "Дитина", "parent_id": portal.partner_id.id, "phone": "0671112212"}
        )
        for buyer in (
            {"phone": "0671112211"},
            {"email": "thief@example.com"},
            {"phone": "0671112212"},
        ):
            with self.subTest(buyer=buyer):
                order, *_numbers = self.order_of(**buyer)
                self.assertNotIn(order.partner_id, portal.partner_id | family)
                self.assertFalse(
                    self.env["sale.order"].with_user(portal).search([("id", "=", order.id)])
                )

    def test_contact_that_a_visitor_entered_gets_no_orders_of_a_buyer(self):
        """As at the checkout of the website, or in the portal: the visitor may sign up later."""
        portal = self.new_user("portal", "0671112213", "visitor@example.com")
        for place, visitor in enumerate((self.env.ref("base.public_user"), portal)):
            phone = f"067111221{4 + place}"
            Partner = self.env["res.partner"].with_user(visitor).sudo()
            entered = Partner.create({"name": "Хтось", "phone": phone})
            order, *_numbers = self.order_of(phone=phone)
            self.assertNotEqual(order.partner_id, entered)
            attacker = new_test_user(self.env, f"signed-up-{place}", groups=ROLES["portal"])
            attacker.partner_id = entered
            self.assertFalse(
                self.env["sale.order"].with_user(attacker).search([("id", "=", order.id)])
            )

    def test_a_free_contact_with_the_same_phone_is_still_matched(self):
        self.new_user("portal", "0671112220", "p@example.com")
        free = self.env["res.partner"].create({"name": "Вільна", "phone": "0671112220"})
        order, *_numbers = self.order_of(phone="0671112220")
        self.assertEqual(order.partner_id, free)

    def test_a_contact_that_gets_a_user_later_is_not_written_any_more(self):
        order, number, client = self.order_of(phone="0671112230", email="mine@example.com")
        partner = order.partner_id
        for role in ("portal", "administrator"):
            user = new_test_user(self.env, f"late-{role}", groups=ROLES[role])
            user.partner_id = partner
            before = self.contact_data(partner)
            self.keycrm.patch_buyer(
                client,
                full_name=f"Новий {role}",
                phones=["0671112231"],
                emails=[f"{role}@evil.example"],
            )
            self.arrive(number)
            self.assertEqual(self.contact_data(partner), before)
            self.assertEqual(order.partner_id, partner)
            activity = self.mapping(client).activity_id
            self.assertEqual(activity.res_id, partner.id)
            self.assertIn(f"{role}@evil.example", activity.note)
        self.assertEqual(len(partner.activity_ids), 1)

    def test_matched_contact_that_gets_a_user_later_gets_no_new_orders(self):
        known = self.env["res.partner"].create({"name": "Хтось", "phone": "0671112235"})
        _order, number, client = self.order_of(phone="0671112235")
        self.assertEqual(self.mapping(client).partner_id, known)
        portal = new_test_user(self.env, "late-portal", groups=ROLES["portal"])
        portal.partner_id = known
        for again in (self.new_order([], client_id=client), number):
            order = self.arrive(again)
            self.assertNotIn(known, order.partner_id | order.partner_shipping_id)
            seen = self.env["sale.order"].with_user(portal)
            self.assertFalse(seen.search([("id", "=", order.id)]))
        partner = order.partner_id
        self.assertEqual(partner.phone, "+380671112235")
        self.assertIn("Хтось", partner.activity_ids.note)
        self.assertDecisions(partner)
        # A person decides that both are the same.
        mapping = self.mapping(client)
        manager = new_test_user(self.env, "keycrm-boss", groups="ordage_keycrm.group_manager")
        mapping.with_user(manager).partner_id = known
        self.assertDecisions()
        self.assertEqual(self.arrive(self.new_order([], client_id=client)).partner_id, known)

    def test_a_contact_merged_into_a_users_contact_is_not_written(self):
        user = self.new_user("employee", "0671112240", "worker@example.com")
        order, number, client = self.order_of(phone="0671112241", email="buyer@example.com")
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        wizard._merge((order.partner_id | user.partner_id).ids, user.partner_id)
        self.env.invalidate_all()
        self.assertEqual(self.mapping(client).partner_id, user.partner_id)
        self.keycrm.patch_buyer(client, emails=["stranger@evil.example"])
        self.arrive(number)
        self.assertEqual(user.email, "worker@example.com")

    def test_recipients_do_not_change_a_user_or_its_addresses(self):
        order, _number, client = self.order_of(phone="0671112250")
        portal = new_test_user(self.env, "late-portal", groups=ROLES["portal"])
        portal.partner_id = order.partner_id
        before = self.contact_data(order.partner_id)
        self.arrive(self.new_order([], client_id=client, shipping=OFFICE))
        self.assertEqual(self.contact_data(order.partner_id), before)
        address = order.partner_id.child_ids
        other = new_test_user(self.env, "late-address", groups=ROLES["portal"])
        other.partner_id = address
        again = self.arrive(self.new_order([], client_id=client, shipping=OFFICE))
        self.assertNotEqual(again.partner_shipping_id, address)

    def test_orders_without_a_buyer_use_no_contact_that_got_a_user(self):
        order = self.arrive(self.new_order([]))
        portal = new_test_user(self.env, "portal-buyer", groups=ROLES["portal"])
        portal.partner_id = order.partner_id
        self.assertNotEqual(self.arrive(self.new_order([])).partner_id, portal.partner_id)

    # === BY HAND ===#

    def test_manager_may_map_a_buyer_to_the_contact_of_a_user(self):
        portal = self.new_user("portal", "0671112260", "regular@example.com")
        manager = new_test_user(self.env, "keycrm-boss", groups="ordage_keycrm.group_manager")
        client = self.buyer(phone="0671112260", email="regular@example.com")
        mapping = (
            self.env["keycrm.buyer"]
            .with_user(manager)
            .create(
                {
                    "account_id": self.account.id,
                    "keycrm_id": client,
                    "partner_id": portal.partner_id.id,
                }
            )
        )
        self.assertTrue(mapping.by_hand)
        number = self.new_order([], client_id=client)
        order = self.arrive(number)
        self.assertEqual(order.partner_id, portal.partner_id)
        self.keycrm.patch_buyer(client, emails=["stranger@evil.example"])
        self.arrive(number)
        self.assertEqual(portal.email, "regular@example.com")
        self.assertIn("stranger@evil.example", mapping.sudo().activity_id.note)

    def test_manual_mapping_is_marked_and_kept(self):
        _order, _number, client = self.order_of(phone="0671112270")
        mapping = self.mapping(client)
        self.assertFalse(mapping.by_hand)
        manager = new_test_user(self.env, "keycrm-boss", groups="ordage_keycrm.group_manager")
        other = self.env["res.partner"].create({"name": "Інша"})
        mapping.with_user(manager).partner_id = other
        self.assertTrue(mapping.by_hand)
        self.assertEqual(self.arrive(self.new_order([], client_id=client)).partner_id, other)


class TestContactsOfCompanies(TakeoverCase):
    def test_no_buyer_is_matched_to_a_company_of_this_database(self):
        closed = self.env["res.company"].create({"name": "Закрита"})
        closed.active = False
        branch = self.env["res.partner"].create(
            {"name": "Філія", "is_company": True, "parent_id": self.company.partner_id.id}
        )
        clerk = self.env["res.partner"].create({"name": "Клерк", "parent_id": branch.id})
        for place, partner in enumerate(
            (self.company.partner_id, closed.partner_id, branch, clerk)
        ):
            with self.subTest(partner.name):
                partner.write({"phone": f"06722200{place:02}", "email": f"c{place}@example.com"})
                before = self.contact_data(partner)
                for buyer in ({"phone": partner.phone}, {"email": partner.email}):
                    order, *_numbers = self.order_of(**buyer)
                    self.assertNotEqual(order.partner_id, partner)
                self.assertEqual(self.contact_data(partner), before)

    def test_a_company_of_this_database_is_not_renamed_and_gets_no_buyers(self):
        client = self.buyer(company="ТОВ Ромашка")
        self.arrive_by_worker(self.new_order([], client_id=client))
        company = self.env["keycrm.company"].search([("account_id", "=", self.account.id)])
        self.env.cr.execute(
            "UPDATE keycrm_company SET partner_id = %s WHERE id = %s",
            (self.company.partner_id.id, company.id),
        )
        company.invalidate_recordset()
        name = self.company.partner_id.name
        company._update_contact({"name": "ТОВ Ромашка Плюс"})
        self.assertEqual(self.company.partner_id.name, name)
        mate = self.keycrm.create_buyer(full_name="Оля", company_id=company.keycrm_id)["id"]
        order = self.arrive_by_worker(self.new_order([], client_id=mate))
        self.assertFalse(order.partner_id.parent_id)


class TestTypedValues(TakeoverCase):
    def test_what_a_user_typed_is_not_overwritten_but_proposed_once(self):
        order, number, client = self.order_of(phone="0671230003", email="a@example.com")
        partner = order.partner_id
        partner.write({"name": "Петренко Іван Васильович", "email": "typed@example.com"})
        self.arrive(number)
        self.assertFalse(partner.activity_ids, "KeyCRM changed nothing")
        self.keycrm.patch_buyer(
            client, full_name="Іван Коваль", phones=["0671230004"], emails=["new@example.com"]
        )
        self.arrive(number)
        self.arrive(number)
        self.assertRecordValues(
            partner,
            [
                {
                    "name": "Петренко Іван Васильович",
                    "email": "typed@example.com",
                    "phone": "+380671230004",
                }
            ],
        )
        activity = partner.activity_ids
        self.assertEqual(len(activity), 1)
        for text in ("Іван Коваль", "new@example.com", "typed@example.com"):
            self.assertIn(text, activity.note)
        self.assertNotIn("0671230004", activity.note)
        self.assertDecisions(partner)

    def test_proposal_ends_when_a_user_applies_it(self):
        order, number, client = self.order_of(email="a@example.com")
        partner = order.partner_id
        partner.write({"name": "Інше", "email": "typed@example.com"})
        self.keycrm.patch_buyer(client, full_name="Нове", emails=["new@example.com"])
        self.arrive(number)
        partner.email = "new@example.com"
        activity = partner.activity_ids
        self.assertEqual(len(activity), 1)
        self.assertNotIn("new@example.com", activity.note)
        partner.name = "Нове"
        self.assertFalse(partner.activity_ids)
        self.assertDecisions()

    def test_proposal_ends_when_keycrm_reverts_the_change(self):
        order, number, client = self.order_of(email="a@example.com")
        order.partner_id.email = "typed@example.com"
        for email in ("new@example.com", "typed@example.com"):
            self.keycrm.patch_buyer(client, emails=[email])
            self.arrive(number)
        self.assertFalse(order.partner_id.activity_ids)

    def test_dismissed_proposal_does_not_return(self):
        order, number, client = self.order_of(email="a@example.com")
        order.partner_id.email = "typed@example.com"
        self.keycrm.patch_buyer(client, emails=["new@example.com"])
        self.arrive(number)
        order.partner_id.activity_ids.action_done()
        self.arrive(number)
        self.assertFalse(order.partner_id.activity_ids)
        self.keycrm.patch_buyer(client, emails=["newest@example.com"])
        self.arrive(number)
        self.assertEqual(len(order.partner_id.activity_ids), 1)

    def test_matched_contact_keeps_what_a_user_typed(self):
        known = self.env["res.partner"].create({"name": "Опт", "email": "shared@example.com"})
        order, number, client = self.order_of(email="shared@example.com", phone="0671230010")
        self.assertEqual(order.partner_id, known)
        self.assertEqual(known.phone, "+380671230010", "what it lacked was filled")
        self.keycrm.patch_buyer(client, phones=["0671230011"], emails=["other@example.com"])
        self.arrive(number)
        self.assertEqual(known.phone, "+380671230011", "KeyCRM gave the phone before")
        self.assertEqual(known.email, "shared@example.com", "a person typed the address")
        self.assertIn("other@example.com", known.activity_ids.note)

    def test_a_company_in_keycrm_does_not_replace_a_typed_address(self):
        known = self.env["res.partner"].create(
            {"name": "Опт", "phone": "0671230020", "street": "Хрещатик, 1"}
        )
        _order, number, client = self.order_of(phone="0671230020")
        company = self.keycrm.create_company(name="ФОП Коваль")["id"]
        self.keycrm.patch_buyer(client, company_id=company)
        self.arrive_by_worker(number)
        self.assertFalse(known.parent_id)
        self.assertEqual(known.street, "Хрещатик, 1")
        self.assertRegex(re.sub("<[^>]+>", " ", known.activity_ids.note), "ФОП Коваль")
