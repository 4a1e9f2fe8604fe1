"""KeyCRM's data of a delivery is on the order, the transfer and its slips."""

from datetime import date, datetime

from lxml import html

from odoo.exceptions import UserError
from odoo.tests import tagged

from .order_common import OrderCase

OFFICE = "Відділення №5: вул. Данилишина, 6"


class TestAddresses(OrderCase):
    def address(self, **shipping):
        shipping.setdefault("recipient_full_name", "Марія Коваль")
        return self.make(shipping=shipping).partner_shipping_id

    def test_street_is_kept_next_to_a_parcel_office(self):
        address = self.address(
            shipping_receive_point=OFFICE,
            shipping_address="вул. Шевченка, 1",
            shipping_secondary_line="кв. 7",
            shipping_address_city="Львів",
        )
        self.assertEqual((address.street, address.street2), (OFFICE, "вул. Шевченка, 1, кв. 7"))

    def test_street_that_the_office_names_is_not_repeated(self):
        address = self.address(shipping_receive_point=OFFICE, shipping_address="вул. Данилишина, 6")
        self.assertEqual((address.street, address.street2), (OFFICE, False))

    def test_full_address_is_used_if_there_is_no_other(self):
        whole = "79000, Львів, вул. Шевченка, 1"
        self.assertEqual(self.address(full_address=whole).street, whole)
        address = self.address(full_address=whole, shipping_receive_point=OFFICE)
        self.assertEqual((address.street, address.street2), (OFFICE, False))

    def test_countries_are_found_by_name_or_code(self):
        self.company.country_id = self.env.ref("base.ua")
        for given, code in (
            ({"shipping_address_country": "Польща"}, "PL"),
            ({"shipping_address_country": "  poland "}, "PL"),
            ({"shipping_address_country": "Германия"}, "DE"),
            ({"shipping_address_country": "США"}, "US"),
            ({"shipping_address_country": "CZ"}, "CZ"),
            ({"shipping_address_country_code": "lt", "shipping_address_country": "Литва"}, "LT"),
            ({"shipping_address_country": "Україна"}, "UA"),
            ({}, "UA"),
        ):
            with self.subTest(given=given):
                address = self.address(shipping_address_city="Місто", **given)
                self.assertEqual((address.country_id.code, address.street2), (code, False))

    def test_unknown_country_is_kept_as_text_of_the_address(self):
        self.company.country_id = self.env.ref("base.ua")
        address = self.address(shipping_address_city="Місто", shipping_address_country="Нарнія")
        self.assertEqual((address.country_id.id, address.street2), (False, "Нарнія"))
        address = self.address(shipping_address_city="Місто", shipping_address_country_code="NQ")
        self.assertEqual((address.country_id.id, address.street2), (False, "NQ"))

    def test_country_is_found_by_name_if_its_code_is_unknown(self):
        self.company.country_id = self.env.ref("base.ua")
        address = self.address(
            shipping_address_city="Місто",
            shipping_address_country_code="NQ",
            shipping_address_country="Польща",
        )
        self.assertEqual((address.country_id.code, address.street2), ("PL", False))


@tagged("-at_install", "post_install")
class TestFacts(OrderCase):
    def ship(self, **shipping):
        return self.make(
            self.made,
            buyer={"full_name": "Оля", "phone": "067 111 22 33, 050 444 55 66", "note": "Дзвінок"},
            buyer_comment="Від покупця",
            client_comment="Ще коментар",
            is_gift=True,
            gift_message="Вітаємо",
            raw={"gift_wrap": True},
            shipping={
                "recipient_full_name": "Марія",
                "recipient_phone": "0509998877 0631112233",
                "shipping_receive_point": OFFICE,
                "shipping_date": "2026-12-24",
                **shipping,
            },
        )

    def test_delivery_data_is_on_order_delivery_and_slips(self):
        order = self.ship(shipping_status="transit")
        self.assertEqual(order.partner_id.phone, "+380671112233")
        self.assertEqual(order.partner_shipping_id.phone, "+380509998877")
        self.assertEqual(order.commitment_date.date(), date(2026, 12, 24))
        for record in (order, order.picking_ids):
            self.assertRecordValues(
                record,
                [
                    {
                        "keycrm_buyer_comment": "Від покупця\nЩе коментар",
                        "keycrm_is_gift": True,
                        "keycrm_gift_message": "Вітаємо",
                        "keycrm_gift_wrap": True,
                        "keycrm_other_phones": "+380504445566, +380631112233",
                        "keycrm_buyer_note": "Дзвінок",
                        "keycrm_shipping_date": date(2026, 12, 24),
                        "keycrm_shipping_status": "transit",
                    }
                ],
            )
        for slip in ("stock.report_picking", "stock.report_deliveryslip"):
            page, _kind = self.env["ir.actions.report"]._render_qweb_html(
                slip, order.picking_ids.ids
            )
            text = " ".join(html.fromstring(page).text_content().split())
            for word in ("+380504445566", "Ще коментар", "Вітаємо"):
                self.assertIn(word, text)
            self.assertRegex(text, r"12/24/2026|24\.12\.2026")
            self.assertEqual(len(html.fromstring(page).xpath("//*[@name='keycrm_gift_wrap']")), 1)
            self.assertNotIn("Дзвінок", text, "the buyer may get the slip")

    def test_delivery_date_follows_keycrm_until_a_user_changes_it(self):
        order = self.ship()
        order.commitment_date = "2026-12-30 10:00:00"
        self.arrive(order.keycrm_id)
        self.assertEqual(order.commitment_date.day, 30)
        shipping = {**self.keycrm.order(order.keycrm_id)["answer"]["shipping"]}
        self.keycrm.patch_order(
            order.keycrm_id, shipping={**shipping, "shipping_date": "2026-12-26"}, webhook=False
        )
        self.arrive(order.keycrm_id)
        self.assertEqual(order.commitment_date.day, 26)

    def test_open_delivery_is_planned_for_keycrms_date(self):
        order = self.ship()
        picking = order.picking_ids
        picking.scheduled_date = "2026-12-20 08:00:00"
        self.arrive(order.keycrm_id)
        self.assertEqual(picking.scheduled_date.day, 20, "a user chose it")
        shipping = {**self.keycrm.order(order.keycrm_id)["answer"]["shipping"]}
        for key, day in (("shipping_date", 27), ("shipping_date_actual", 28)):
            planned = {**shipping, "shipping_date": None, key: f"2026-12-{day}"}
            self.keycrm.patch_order(order.keycrm_id, shipping=planned, webhook=False)
            self.arrive(order.keycrm_id)
            self.assertEqual(picking.scheduled_date.day, day)
        self.deliver(order)
        done = picking.scheduled_date
        planned = {**shipping, "shipping_date": "2026-12-29"}
        self.keycrm.patch_order(order.keycrm_id, shipping=planned, webhook=False)
        self.arrive(order.keycrm_id)
        self.assertEqual(picking.scheduled_date, done, "already shipped")

    def test_removed_delivery_date_is_cleared_unless_a_user_changed_it(self):
        order, other = self.ship(), self.ship()
        other.commitment_date = "2026-12-30 10:00:00"
        chosen = other.picking_ids.scheduled_date = datetime(2026, 12, 29, 10)
        for one in (order, other):
            shipping = {**self.keycrm.order(one.keycrm_id)["answer"]["shipping"]}
            planned = {**shipping, "shipping_date": None}
            self.keycrm.patch_order(one.keycrm_id, shipping=planned, webhook=False)
            self.arrive(one.keycrm_id)
            self.assertFalse(one.keycrm_shipping_date)
        self.assertFalse(order.commitment_date)
        self.assertEqual(order.picking_ids.scheduled_date, order.expected_date)
        self.assertEqual(order.picking_ids.date_deadline, order.expected_date)
        self.assertEqual(other.commitment_date.day, 30)
        self.assertEqual(other.picking_ids.scheduled_date, chosen)

    def test_chosen_custom_fields_are_shown_and_searchable(self):
        self.account.action_refresh_delivery_services()
        values = [
            {"uuid": "OR_1002", "name": "Гравіювання", "type": "textarea", "value": "Для Олі"},
            {
                "uuid": "OR_1003",
                "name": "Пакування",
                "type": "select",
                "value": ["Коробка", "Пакет"],
            },
            {"uuid": "OR_1004", "name": "Терміново", "type": "switcher", "value": "1"},
            {"uuid": "OR_1001", "name": "Інше", "type": "text", "value": "ні"},
        ]
        order = self.make(self.new, custom_fields=values)
        self.assertFalse(order.keycrm_custom_fields)
        self.account.shown_field_ids = self.env["keycrm.custom.field"].search(
            [("uuid", "in", ("OR_1002", "OR_1003", "OR_1004"))]
        )
        self.arrive(order.keycrm_id)
        self.assertEqual(
            order.keycrm_custom_fields,
            "Гравіювання: Для Олі\nПакування: Коробка, Пакет\nТерміново: Yes",
        )
        found = self.env["sale.order"].search([("keycrm_custom_fields", "ilike", "олі")])
        self.assertIn(order, found)
        self.keycrm.patch_order(order.keycrm_id, custom_fields=values[1:2], webhook=False)
        self.arrive(order.keycrm_id)
        self.assertEqual(order.keycrm_custom_fields, "Пакування: Коробка, Пакет")

    def test_custom_fields_are_not_requested_unless_chosen(self):
        self.keycrm.clear_log()
        self.make(self.new)
        self.assertFalse(
            [row for row in self.keycrm.requests() if "custom_fields" in str(row["query"])]
        )

    def test_unknown_parcel_status_is_not_shown(self):
        self.assertFalse(self.ship(shipping_status="teleported").keycrm_shipping_status)


class TestRefusedParcels(OrderCase):
    def parcel(self, order, status):
        self.keycrm.patch_order(
            order.keycrm_id, shipping={"shipping_status": status}, webhook=False
        )
        self.arrive(order.keycrm_id)

    def expected(self, order):
        return order.picking_ids.filtered(
            lambda p: p.keycrm_expected_return and p.state not in ("done", "cancel")
        )

    def test_refused_and_returning_parcels_get_an_expected_return_once(self):
        for status in ("refused", "return"):
            order = self.make(self.sent)
            self.deliver(order)
            self.assertFalse(self.expected(order))
            self.parcel(order, status)
            back = self.expected(order)
            self.assertEqual((len(back), back.move_ids.product_uom_qty), (1, 5))
            self.arrive(order.keycrm_id)
            self.parcel(order, "returned")
            self.assertEqual(self.expected(order), back)

    def test_revoked_refusal_expects_no_return(self):
        order = self.make(self.sent)
        self.deliver(order)
        self.parcel(order, "refused")
        self.parcel(order, "cash_received")
        self.assertFalse(self.expected(order))

    def cancel_return(self, order):
        back = self.expected(order)
        self.assertEqual(len(back), 1)
        back.action_cancel()
        self.edit(order)
        self.assertFalse(self.expected(order), "the storekeeper's decision is kept")

    def edit(self, order):
        comment = f"{order.keycrm_manager_comment or ''}!"
        self.keycrm.patch_order(order.keycrm_id, manager_comment=comment, webhook=False)
        self.arrive(order.keycrm_id)
        self.assertEqual(order.keycrm_manager_comment, comment)

    def expected_quantity(self, order):
        return sum(self.expected(order).move_ids.mapped("product_uom_qty"))

    def test_canceled_return_is_expected_again_when_the_parcel_moves(self):
        order = self.make(self.sent)
        self.deliver(order)
        self.parcel(order, "refused")
        self.cancel_return(order)
        self.parcel(order, "transit")
        self.assertFalse(self.expected(order))
        self.parcel(order, "refused")
        self.cancel_return(order)
        # The delivery service has it after all.
        self.parcel(order, "returned")
        self.assertEqual(self.expected_quantity(order), 5)

    def test_canceled_return_of_a_canceled_order_stays_canceled(self):
        order = self.make(self.sent)
        self.deliver(order)
        self.move(order, self.canceled)
        self.cancel_return(order)
        self.move(order, self.sent)
        self.assertFalse(self.expected(order))
        self.move(order, self.canceled)
        self.assertEqual(self.expected_quantity(order), 5)

    def test_expected_return_is_canceled_instead_of_deleted(self):
        """A deleted one leaves no trace of the decision: the next update would create it again."""
        order = self.make(self.sent)
        self.deliver(order)
        self.parcel(order, "refused")
        with self.assertRaises(UserError):
            self.expected(order).unlink()
        self.cancel_return(order)
        back = order.picking_ids.filtered("keycrm_expected_return")
        with self.assertRaises(UserError):
            back.unlink()

    def test_canceled_return_is_expected_again_for_other_quantities_only(self):
        order = self.make(self.sent)
        self.deliver(order)
        line = self.line_id(order)

        def sell(quantity):
            self.keycrm.patch_line(order.keycrm_id, line, quantity=quantity, webhook=False)
            self.arrive(order.keycrm_id)
            return self.expected_quantity(order)

        self.assertEqual(sell(3), 2)
        self.cancel_return(order)
        self.assertEqual(sell(2), 1)
        self.cancel_return(order)
        self.assertEqual(sell(5), 0)
        self.assertEqual(sell(3), 2)

    def test_rest_of_a_return_is_expected_as_the_user_decides(self):
        for context, rest in (({}, 3), ({"cancel_backorder": True}, 0)):
            order = self.make(self.sent)
            self.deliver(order)
            self.parcel(order, "refused")
            back = self.expected(order)
            back.move_ids.write({"quantity": 2, "picked": True})
            back.with_context(**context)._action_done()
            self.edit(order)
            self.assertEqual(back.state, "done")
            self.assertEqual(self.expected_quantity(order), rest)
            if rest:
                self.cancel_return(order)

    def test_restored_order_expects_its_refused_parcel_again(self):
        order = self.make(self.sent)
        self.deliver(order)
        self.parcel(order, "refused")
        order.locked = False
        order._action_cancel()
        self.assertFalse(self.expected(order))
        order.keycrm_canceled_here = False
        self.arrive(order.keycrm_id)
        self.assertEqual(order.state, "sale")
        self.assertEqual(self.expected_quantity(order), 5)

    def test_refused_parcel_not_shipped_from_odoo_expects_no_return(self):
        order = self.make(self.sent)
        self.parcel(order, "refused")
        self.assertFalse(self.expected(order))
        self.assertEqual(order.state, "sale")
