"""Buyers: what a shop would lose if contacts went wrong."""

from odoo.addons.ordage_keycrm.keycrm.orders import Order

from ..models.orders.importer.batch import Batch
from ..services.orders.order_writer import OrderWriter
from .buyer_common import OFFICE, BuyerCase


class TestBuyers(BuyerCase):
    # === BY NUMBER, PHONE, E-MAIL ===#

    def test_the_same_buyer_is_one_contact_however_often_it_orders(self):
        client = self.buyer(phone="067 111 22 33")
        first, second = self.arrive(
            self.new_order([], client_id=client), self.new_order([], client_id=client)
        )
        third = self.arrive(self.new_order([], client_id=client))
        self.assertEqual(first.partner_id, second.partner_id)
        self.assertEqual(first.partner_id, third.partner_id)
        self.assertEqual(first.partner_id.name, "Іван Петренко")
        self.assertEqual(first.partner_id.phone, "+380671112233")
        self.assertEqual(first.partner_id.keycrm_buyer_ids.keycrm_id, client)

    def test_new_buyer_matches_the_only_contact_with_its_phone_in_any_format(self):
        known = self.env["res.partner"].create({"name": "Іван (опт)", "phone": "(050) 123-45-67"})
        order = self.arrive(
            self.new_order([], client_id=self.buyer(phone="+380501234567", email="i@example.com"))
        )
        self.assertEqual(order.partner_id, known)
        self.assertEqual(known.name, "Іван (опт)", "a contact made by hand keeps its name")
        self.assertEqual(known.email, "i@example.com", "what it lacked is filled")

    def test_new_buyer_matches_the_only_contact_with_its_email(self):
        known = self.env["res.partner"].create({"name": "Олена", "email": "Olena@Example.com"})
        order = self.arrive(self.new_order([], client_id=self.buyer(email="olena@example.com")))
        self.assertEqual(order.partner_id, known)

    def test_two_contacts_with_one_phone_are_not_guessed(self):
        both = self.env["res.partner"].create(
            [{"name": "А", "phone": "0501234568"}, {"name": "Б", "phone": "+380501234568"}]
        )
        order = self.arrive(self.new_order([], client_id=self.buyer(phone="0501234568")))
        self.assertNotIn(order.partner_id, both)

    def test_contacts_are_not_guessed_if_phone_and_email_disagree(self):
        both = self.env["res.partner"].create(
            [{"name": "А", "phone": "0501234569"}, {"name": "Б", "email": "b@example.com"}]
        )
        order = self.arrive(
            self.new_order([], client_id=self.buyer(phone="0501234569", email="b@example.com"))
        )
        self.assertNotIn(order.partner_id, both)

    def test_contact_of_another_company_is_not_matched(self):
        other = self.env["res.company"].create({"name": "Other shop"})
        theirs = self.env["res.partner"].create(
            {"name": "Чужий", "phone": "0501234560", "company_id": other.id}
        )
        order = self.arrive(self.new_order([], client_id=self.buyer(phone="0501234560")))
        self.assertNotEqual(order.partner_id, theirs)

    def test_two_buyers_with_one_phone_stay_two_contacts(self):
        numbers = [
            self.new_order([], client_id=self.buyer(full_name=name, phone="0671234567"))
            for name in ("Мама", "Донька", "Бабуся")
        ]
        together = self.arrive(*numbers[:2])
        later = self.arrive(numbers[2])
        self.assertEqual(len(together.partner_id | later.partner_id), 3)
        self.assertEqual(
            set((together | later).partner_id.mapped("name")), {"Мама", "Донька", "Бабуся"}
        )

    def test_an_order_without_a_buyer_arrives(self):
        first, second = self.arrive(self.new_order([]), self.new_order([]))
        self.assertTrue(first.partner_id)
        self.assertEqual(first.partner_id, second.partner_id)

    # === CHANGES ===#

    def test_changed_name_phone_and_email_reach_the_contact(self):
        client = self.buyer(phone="0671230001", email="old@example.com")
        number = self.new_order([], client_id=client)
        partner = self.arrive(number).partner_id
        self.keycrm.patch_buyer(
            client, full_name="Іван Новий", phones=["0671230002"], emails=["new@example.com"]
        )
        self.arrive(number)
        self.assertRecordValues(
            partner,
            [{"name": "Іван Новий", "phone": "+380671230002", "email": "new@example.com"}],
        )

    def test_older_answer_does_not_restore_an_old_name(self):
        client = self.buyer()
        number = self.new_order([], client_id=client)
        self.keycrm.patch_buyer(client, raw={"updated_at": "2026-08-01T10:00:00.000000Z"})
        old = self.read_order(number)
        self.keycrm.patch_buyer(
            client, full_name="Нове ім'я", raw={"updated_at": "2026-08-01T11:00:00.000000Z"}
        )
        partner = self.arrive(number).partner_id
        OrderWriter(self.account).import_orders([old])
        self.assertEqual(partner.name, "Нове ім'я")

    def test_merged_buyers_schedule_an_activity_to_merge_contacts(self):
        keep, merged = self.buyer(full_name="Лишається"), self.buyer(full_name="Зникає")
        number = self.new_order([], client_id=merged)
        kept = self.arrive(self.new_order([], client_id=keep)).partner_id
        order = self.arrive(number)
        former = order.partner_id
        self.keycrm.merge_buyers(keep, merged)
        self.arrive(number)
        self.arrive(number)
        self.assertEqual(order.partner_id, kept)
        activities = order.activity_ids
        self.assertEqual(len(activities), 1, "the to-do is left once")
        self.assertIn("Зникає", activities.note)
        self.assertDecisions(order)
        action = order.action_keycrm_merge_contacts()
        wizard = self.env[action["res_model"]].with_context(**action["context"]).create({})
        self.assertEqual(wizard.partner_ids, kept | former)
        wizard.action_merge()
        self.env.invalidate_all()
        self.assertDecisions()

    def test_merged_buyer_replaces_the_contact_of_a_confirmed_order(self):
        keep, merged = self.buyer(full_name="Лишається"), self.buyer(full_name="Зникає")
        number = self.new_order(
            [{"name": "Кулон", "price": 100}], client_id=merged, status_id=self.status(3).keycrm_id
        )
        order = self.arrive(number)
        self.assertEqual(order.state, "sale")
        self.keycrm.merge_buyers(keep, merged)
        self.arrive(number)
        self.assertEqual(order.partner_id.name, "Лишається")
        self.assertEqual(len(order.activity_ids), 1)

    def test_unusual_shapes_of_buyer_and_shipping_are_imported(self):
        for raw in (
            {"buyer": []},
            {"buyer": None, "client_id": None},
            {"shipping": []},
            {"shipping": {"recipient_full_name": None, "address_payload": []}},
            {"buyer": {"id": 990, "full_name": None, "phone": [], "email": None}, "client_id": 990},
        ):
            with self.subTest(raw=raw):
                self.assertTrue(self.arrive(self.new_order([], raw=raw)).partner_id)

    def test_known_buyers_of_a_batch_cost_a_fixed_number_of_queries(self):
        def orders(count):
            base = 900_000 + 1000 * count
            return [
                Order.parse(
                    {
                        "id": number,
                        "client_id": number,
                        "products": [],
                        "products_total": 0,
                        "buyer": {
                            "id": number,
                            "full_name": f"К {number}",
                            "phone": f"067{number}",
                        },
                        "shipping": {**OFFICE, "recipient_phone": f"0501{number}"},
                    }
                )
                for number in range(base, base + count)
            ]

        def queries(read):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            importer = self.env["keycrm.order.importer"].with_company(self.company)
            importer._with_import_context(self.account)._partners(Batch(self.account, read, {}, {}))
            self.env.flush_all()
            return self.env.cr.sql_log_count - before

        few, many = orders(5), orders(50)
        new_few, new_many = queries(few), queries(many)
        # Odoo itself reads once for each contact that it creates.
        self.assertLessEqual(new_many - new_few, 45)
        self.assertEqual(queries(few), queries(many))
