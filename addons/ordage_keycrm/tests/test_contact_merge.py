"""Contacts that a user merges by Odoo's wizard: their mappings follow."""

from odoo.tests import new_test_user

from .buyer_common import OFFICE, BuyerCase


class TestContactMerge(BuyerCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.clerk = new_test_user(
            cls.env, "clerk", groups="base.group_system,sales_team.group_sale_manager"
        )

    def merge(self, target, *others):
        """Merge contacts as an administrator does in the list of contacts."""
        self.env.flush_all()
        wizard = self.env["base.partner.merge.automatic.wizard"].with_user(self.clerk)
        partners = target.union(*others)
        wizard = wizard.with_context(active_model="res.partner", active_ids=partners.ids)
        wizard.create({"dst_partner_id": target.id}).action_merge()
        self.env.invalidate_all()
        self.assertEqual(partners.exists(), target)

    def mapping(self, client):
        return self.env["keycrm.buyer"].search([("keycrm_id", "=", client)])

    def order_of(self, client, **fields):
        return self.arrive(self.new_order([], client_id=client, **fields))

    def test_buyer_follows_into_a_contact_that_a_user_created(self):
        client = self.buyer(phones=["0671112260"], emails=["buyer@example.com"])
        order = self.order_of(client)
        typed = self.env["res.partner"].create(
            {"name": "Петренко І.", "phone": "+380671112299", "email": "typed@example.com"}
        )
        self.merge(typed, order.partner_id)
        self.assertEqual(self.mapping(client).partner_id, typed)
        self.assertEqual(order.partner_id, typed)
        self.assertEqual(self.order_of(client).partner_id, typed)
        # What a person typed stays, and what KeyCRM changes is proposed.
        self.keycrm.patch_buyer(client, emails=["new@example.com"])
        self.arrive(order.keycrm_id)
        self.assertEqual((typed.name, typed.email), ("Петренко І.", "typed@example.com"))
        self.assertIn("new@example.com", self.mapping(client).activity_id.note)
        self.assertEqual(self.mapping(client).activity_id.res_id, typed.id)

    def test_pending_activity_moves_to_the_merged_contact(self):
        client = self.buyer(phones=["0671112261"], emails=["one@example.com"])
        order = self.order_of(client)
        order.partner_id.email = "person@example.com"
        self.keycrm.patch_buyer(client, emails=["two@example.com"])
        self.arrive(order.keycrm_id)
        activity = self.mapping(client).activity_id
        self.assertTrue(activity)
        typed = self.env["res.partner"].create({"name": "Петренко І."})
        self.merge(typed, order.partner_id)
        self.assertEqual(activity.exists().res_id, typed.id)
        self.assertEqual(self.mapping(client).activity_id, activity)

    def test_two_buyers_that_are_one_contact_keep_both_mappings(self):
        clients = [self.buyer(phones=[f"067111227{n}"]) for n in range(2)]
        one, two = (self.order_of(client).partner_id for client in clients)
        self.merge(one, two)
        for client in clients:
            self.assertEqual(self.mapping(client).partner_id, one)
            order = self.order_of(client)
            self.assertEqual(order.partner_id, one)
        # Each buyer's changes are judged by what that buyer gave.
        phone = one.phone
        self.keycrm.patch_buyer(clients[1], phones=["0671112279"])
        self.arrive(order.keycrm_id)
        self.assertEqual(one.phone, phone)

    def test_merged_company_contact_keeps_its_buyers(self):
        company = self.keycrm.create_company(name="ТОВ Ромашка")["id"]
        client = self.buyer(phones=["0671112280"], company_id=company)
        (order,) = self.arrive_by_worker(self.new_order([], client_id=client))
        made = order.partner_id.parent_id
        self.assertTrue(made)
        typed = self.env["res.partner"].create({"name": "Ромашка", "is_company": True})
        self.merge(typed, made)
        self.assertEqual(order.partner_id.parent_id, typed)
        other = self.buyer(phones=["0671112281"], company_id=company)
        (order,) = self.arrive_by_worker(self.new_order([], client_id=other))
        self.assertEqual(order.partner_id.parent_id, typed)

    def test_contact_of_a_user_that_takes_a_buyer_in_is_not_overwritten(self):
        client = self.buyer(phones=["0671112290"], emails=["buyer@example.com"])
        order = self.order_of(client)
        user = new_test_user(self.env, "owner", groups="base.group_user", email="me@example.com")
        before = user.partner_id.read(["name", "email", "phone"])
        self.merge(user.partner_id, order.partner_id)
        before[0]["phone"] = user.partner_id.phone
        self.keycrm.patch_buyer(
            client, full_name="Інший", emails=["evil@example.com"], phones=["0671112291"]
        )
        self.assertEqual(self.order_of(client).partner_id, user.partner_id)
        self.assertEqual(user.partner_id.read(["name", "email", "phone"]), before)

    def test_recipients_that_were_merged_are_not_created_again(self):
        client = self.buyer(phones=["0671112262"])
        other = {**OFFICE, "recipient_full_name": "Коваль Марія"}
        one = self.order_of(client, shipping=OFFICE).partner_shipping_id
        two = self.order_of(client, shipping=other).partner_shipping_id
        self.assertNotEqual(one, two)
        self.merge(one, two)
        for shipping in (OFFICE, other):
            self.assertEqual(self.order_of(client, shipping=shipping).partner_shipping_id, one)
