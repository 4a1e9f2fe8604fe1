"""Buyers, companies and recipients: what a shop would lose if contacts went wrong."""

from odoo.addons.ordage_keycrm.keycrm.records import Order

from .common import KeycrmCase


class TestBuyers(KeycrmCase):
    def arrive_by_worker(self, *numbers):
        """Let orders arrive together with what the worker reads before it writes them."""
        orders = [self.read_order(number) for number in numbers]
        with self.account._client() as client, self.committing():
            orders = self.account._learn_for(client, orders)
        outcomes = self.account._import_orders(orders)
        self.assertFalse([outcome.code for outcome in outcomes.values() if outcome.code])
        return self.env["sale.order"].browse([outcomes[number].order_id for number in numbers])

    def buyer(self, **fields):
        return self.keycrm.create_buyer(**{"full_name": "Іван Петренко", **fields})["id"]

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

    def test_a_first_time_buyer_is_the_one_contact_with_that_phone_however_it_was_typed(self):
        known = self.env["res.partner"].create({"name": "Іван (опт)", "phone": "(050) 123-45-67"})
        order = self.arrive(
            self.new_order([], client_id=self.buyer(phone="+380501234567", email="i@example.com"))
        )
        self.assertEqual(order.partner_id, known)
        self.assertEqual(known.name, "Іван (опт)", "a contact made by hand keeps its name")
        self.assertEqual(known.email, "i@example.com", "what it lacked is filled")

    def test_a_first_time_buyer_is_the_one_contact_with_that_e_mail(self):
        known = self.env["res.partner"].create({"name": "Олена", "email": "Olena@Example.com"})
        order = self.arrive(self.new_order([], client_id=self.buyer(email="olena@example.com")))
        self.assertEqual(order.partner_id, known)

    def test_no_guess_between_two_contacts_with_one_phone(self):
        both = self.env["res.partner"].create(
            [{"name": "А", "phone": "0501234568"}, {"name": "Б", "phone": "+380501234568"}]
        )
        order = self.arrive(self.new_order([], client_id=self.buyer(phone="0501234568")))
        self.assertNotIn(order.partner_id, both)

    def test_no_guess_where_phone_and_e_mail_point_to_different_contacts(self):
        both = self.env["res.partner"].create(
            [{"name": "А", "phone": "0501234569"}, {"name": "Б", "email": "b@example.com"}]
        )
        order = self.arrive(
            self.new_order([], client_id=self.buyer(phone="0501234569", email="b@example.com"))
        )
        self.assertNotIn(order.partner_id, both)

    def test_a_contact_of_another_company_is_not_taken(self):
        other = self.env["res.company"].create({"name": "Other shop"})
        theirs = self.env["res.partner"].create(
            {"name": "Чужий", "phone": "0501234560", "company_id": other.id}
        )
        order = self.arrive(self.new_order([], client_id=self.buyer(phone="0501234560")))
        self.assertNotEqual(order.partner_id, theirs)

    def test_two_buyers_with_one_phone_stay_two_contacts_in_one_batch_and_later(self):
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

    def test_changes_of_name_phone_and_e_mail_follow(self):
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

    def test_what_was_put_right_in_odoo_stays_until_keycrm_changes_it(self):
        client = self.buyer(phone="0671230003")
        number = self.new_order([], client_id=client)
        partner = self.arrive(number).partner_id
        partner.name = "Петренко Іван Васильович"
        self.arrive(number)
        self.assertEqual(partner.name, "Петренко Іван Васильович")
        self.keycrm.patch_buyer(client, full_name="Іван Петренко-Коваль")
        self.arrive(number)
        self.assertEqual(partner.name, "Іван Петренко-Коваль")

    def test_an_older_reading_does_not_bring_an_old_name_back(self):
        client = self.buyer()
        number = self.new_order([], client_id=client)
        self.keycrm.patch_buyer(client, raw={"updated_at": "2026-08-01T10:00:00.000000Z"})
        old = self.read_order(number)
        self.keycrm.patch_buyer(
            client, full_name="Нове ім'я", raw={"updated_at": "2026-08-01T11:00:00.000000Z"}
        )
        partner = self.arrive(number).partner_id
        self.account._import_orders([old])
        self.assertEqual(partner.name, "Нове ім'я")

    def test_a_merge_of_two_buyers_is_followed_and_a_to_do_offers_to_merge_contacts(self):
        keep, gone = self.buyer(full_name="Лишається"), self.buyer(full_name="Зникає")
        number = self.new_order([], client_id=gone)
        kept = self.arrive(self.new_order([], client_id=keep)).partner_id
        order = self.arrive(number)
        former = order.partner_id
        self.keycrm.merge_buyers(keep, gone)
        self.arrive(number)
        self.arrive(number)
        self.assertEqual(order.partner_id, kept)
        todo = order.activity_ids
        self.assertEqual(len(todo), 1, "the to-do is left once")
        self.assertIn("Зникає", todo.note)
        action = order.action_keycrm_merge_contacts()
        wizard = self.env[action["res_model"]].with_context(**action["context"]).create({})
        self.assertEqual(wizard.partner_ids, kept | former)

    def test_a_merge_is_followed_in_a_confirmed_order(self):
        keep, gone = self.buyer(full_name="Лишається"), self.buyer(full_name="Зникає")
        number = self.new_order(
            [{"name": "Кулон", "price": 100}], client_id=gone, status_id=self.status(3).keycrm_id
        )
        order = self.arrive(number)
        self.assertEqual(order.state, "sale")
        self.keycrm.merge_buyers(keep, gone)
        self.arrive(number)
        self.assertEqual(order.partner_id.name, "Лишається")
        self.assertEqual(len(order.activity_ids), 1)

    # === COMPANIES ===#

    def test_a_company_buyer_becomes_a_company_contact(self):
        client = self.buyer(company="ТОВ Ромашка")
        mate = self.keycrm.create_buyer(full_name="Оля", company_id=self.keycrm_company_of(client))[
            "id"
        ]
        first, second = self.arrive_by_worker(
            self.new_order([], client_id=client), self.new_order([], client_id=mate)
        )
        company = first.partner_id.commercial_partner_id
        self.assertEqual(company.name, "ТОВ Ромашка")
        self.assertTrue(company.is_company)
        self.assertEqual(first.partner_id.name, "Іван Петренко")
        self.assertEqual(first.partner_invoice_id, company)
        self.assertEqual(second.partner_id.parent_id, company, "the company is there once")

    def keycrm_company_of(self, client):
        with self.account._client() as keycrm:
            return keycrm.get(f"/buyer/{client}", {"include": "company"})["company"]["id"]

    def test_a_buyer_that_joins_a_company_later_follows(self):
        client = self.buyer()
        number = self.new_order([], client_id=client)
        partner = self.arrive_by_worker(number).partner_id
        company = self.keycrm.create_company(name="ФОП Коваль")["id"]
        self.keycrm.patch_buyer(client, company_id=company)
        self.arrive_by_worker(number)
        self.assertEqual(partner.parent_id.name, "ФОП Коваль")

    def test_companies_that_cannot_be_read_keep_no_order_from_arriving(self):
        client = self.buyer(company="ТОВ Без відповіді")
        self.keycrm.add_fault("status", path="/buyer", status=400, times=None)
        self.addCleanup(self.keycrm.clear_faults)
        order = self.arrive_by_worker(self.new_order([], client_id=client))
        self.assertEqual(order.partner_id.name, "Іван Петренко")

    # === RECIPIENTS ===#

    OFFICE = {
        "recipient_full_name": "Марія Коваль",
        "recipient_phone": "0509998877",
        "shipping_address_city": "Львів",
        "shipping_receive_point": "Відділення №5: вул. Данилишина, 6",
    }

    def test_recipient_and_parcel_office_become_the_delivery_address(self):
        order = self.arrive(self.new_order([], client_id=self.buyer(), shipping=self.OFFICE))
        address = order.partner_shipping_id
        self.assertRecordValues(
            address,
            [
                {
                    "type": "delivery",
                    "parent_id": order.partner_id.id,
                    "name": "Марія Коваль",
                    "phone": "+380509998877",
                    "street": "Відділення №5: вул. Данилишина, 6",
                    "city": "Львів",
                }
            ],
        )

    def test_the_same_recipient_is_not_made_again(self):
        client = self.buyer()
        first, second = self.arrive(
            self.new_order([], client_id=client, shipping=self.OFFICE),
            self.new_order(
                [],
                client_id=client,
                shipping={
                    **self.OFFICE,
                    "recipient_full_name": " марія  КОВАЛЬ",
                    "recipient_phone": "+38 (050) 999-88-77",
                },
            ),
        )
        first.partner_shipping_id.street = "Відділення 5 (виправлено)"
        third = self.arrive(self.new_order([], client_id=client, shipping=self.OFFICE))
        self.assertEqual(first.partner_shipping_id, second.partner_shipping_id)
        self.assertEqual(first.partner_shipping_id, third.partner_shipping_id)
        self.assertEqual(len(first.partner_id.child_ids), 1)

    def test_nothing_that_differs_makes_no_address(self):
        client = self.buyer(phone="0671112233")
        order = self.arrive(
            self.new_order(
                [],
                client_id=client,
                shipping={
                    "recipient_full_name": "Іван Петренко",
                    "recipient_phone": "067 111-22-33",
                },
            )
        )
        self.assertEqual(order.partner_shipping_id, order.partner_id)
        self.assertFalse(order.partner_id.child_ids)

    def test_a_changed_recipient_of_a_confirmed_order_reaches_its_open_delivery(self):
        number = self.new_order(
            [{"name": "Кулон", "price": 100}],
            client_id=self.buyer(),
            status_id=self.status(3).keycrm_id,
            shipping=self.OFFICE,
        )
        order = self.arrive(number)
        self.assertEqual(order.picking_ids.partner_id.name, "Марія Коваль")
        self.keycrm.patch_order(
            number, webhook=False, shipping={**self.OFFICE, "recipient_full_name": "Ганна Коваль"}
        )
        self.arrive(number)
        self.assertEqual(order.partner_shipping_id.name, "Ганна Коваль")
        self.assertEqual(order.picking_ids.partner_id, order.partner_shipping_id)
        self.assertFalse(order.picking_ids.activity_ids, "nobody has to do it by hand")

    def test_a_changed_recipient_of_shipped_goods_is_told_to_a_person(self):
        number = self.new_order(
            [{"name": "Кулон", "price": 100}],
            client_id=self.buyer(),
            status_id=self.status(3).keycrm_id,
            shipping=self.OFFICE,
        )
        order = self.arrive(number)
        picking = order.picking_ids
        picking._keycrm_validate_deliveries()
        self.assertEqual(picking.state, "done")
        self.keycrm.patch_order(
            number, webhook=False, shipping={**self.OFFICE, "recipient_full_name": "Ганна Коваль"}
        )
        self.arrive(number)
        self.assertEqual(picking.partner_id.name, "Марія Коваль", "history stays as it was")
        self.assertIn("Ганна Коваль", order.activity_ids.note)

    def test_tracking_number_and_carrier_stand_on_order_and_delivery_and_are_found(self):
        number = self.new_order(
            [{"name": "Кулон", "price": 100}],
            client_id=self.buyer(),
            status_id=self.status(3).keycrm_id,
            shipping={**self.OFFICE, "tracking_code": "20450001112233", "delivery_service_id": 1},
        )
        order = self.arrive(number)
        self.assertEqual(order.keycrm_tracking_code, "20450001112233")
        self.assertTrue(order.keycrm_delivery_service)
        self.assertEqual(order.picking_ids.keycrm_tracking_code, "20450001112233")
        self.assertEqual(order.picking_ids.keycrm_delivery_service, order.keycrm_delivery_service)
        found = self.env["stock.picking"].search([("keycrm_tracking_code", "=", "20450001112233")])
        self.assertEqual(found, order.picking_ids)

    def test_odd_shapes_of_buyer_and_shipping_arrive(self):
        for raw in (
            {"buyer": []},
            {"buyer": None, "client_id": None},
            {"shipping": []},
            {"shipping": {"recipient_full_name": None, "address_payload": []}},
            {"buyer": {"id": 990, "full_name": None, "phone": [], "email": None}, "client_id": 990},
        ):
            with self.subTest(raw=raw):
                self.assertTrue(self.arrive(self.new_order([], raw=raw)).partner_id)

    def test_known_buyers_and_recipients_of_a_batch_cost_a_fixed_number_of_queries(self):
        def orders(count):
            base = 900_000 + 1000 * count
            return [
                Order.parse(
                    {
                        "id": number,
                        "client_id": number,
                        "buyer": {
                            "id": number,
                            "full_name": f"К {number}",
                            "phone": f"067{number}",
                        },
                        "shipping": {**self.OFFICE, "recipient_phone": f"0501{number}"},
                    }
                )
                for number in range(base, base + count)
            ]

        def queries(read):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            importer = self.env["keycrm.order.importer"].with_company(self.company)
            importer._quiet(self.account)._partners(self.account, read)
            self.env.flush_all()
            return self.env.cr.sql_log_count - before

        few, many = orders(5), orders(50)
        new_few, new_many = queries(few), queries(many)
        # Odoo itself asks once for each contact that it makes.
        self.assertLessEqual(new_many - new_few, 45)
        self.assertEqual(queries(few), queries(many))
