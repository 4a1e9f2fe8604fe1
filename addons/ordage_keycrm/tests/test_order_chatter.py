"""Each change that KeyCRM makes to a known order is one line in its chatter: what, from, to."""

import re
from functools import partial

from lxml import html

from odoo.tools import format_amount

from ..services.common.api_gateway import open_client
from ..services.orders.order_enrichment import OrderEnrichment
from ..services.orders.order_import import ImportOptions
from ..services.orders.order_writer import OrderWriter
from .buyer_common import OFFICE
from .order_common import OrderCase

#: Values of an order that have no line of their own, with the reason.
NOT_LOGGED = {
    "keycrm_client_id": "the contact of the buyer is logged",
    "partner_invoice_id": "follows the buyer",
    "pricelist_id": "its currency is logged",
    "client_order_ref": "is the number at the source, which is logged",
    "origin": "never changes",
    "keycrm_parent_id": "never changes",
    "keycrm_updated_at": "changes at each edit",
    "keycrm_read_fresh": "technical",
    "keycrm_payments_differ": "the order shows it as a decision",
    "commitment_date": "follows the planned shipping date",
    "keycrm_problem_code": "the order shows it as a decision",
    "keycrm_problem_params": "the order shows it as a decision",
}
#: The same of a line.
NOT_LOGGED_OF_LINE = {
    "keycrm_id": "technical",
    "product_id": "names the goods",
    "name": "is the description in KeyCRM, or a user's own",
    "keycrm_sku": "names the goods",
    "product_uom_id": "is the unit of the goods",
    "tax_ids": "a setting of the account",
    "keycrm_stock_status": "KeyCRM reserves by itself",
    "keycrm_quantity": "an activity describes what differs from the quantity in Odoo",
    "route_ids": "follows what is to be manufactured",
}
RECIPIENT = "Марія Коваль, +380509998877, Відділення №5: вул. Данилишина, 6, Львів"


class TestOrderChatter(OrderCase):
    def logged(self, order):
        """Return the lines about changes by KeyCRM in the chatter, the oldest first."""
        order.invalidate_recordset(["message_ids"])
        return [
            " ".join(item.text_content().split())
            for body in reversed(order.message_ids.mapped("body"))
            if body
            for item in html.fromstring(body).xpath("//li")
        ]

    def added(self, order, action, *args):
        """Return the lines that an action adds to the chatter of an order."""
        before = len(self.logged(order))
        action(*args)
        return self.logged(order)[before:]

    def changed(self, order, **fields):
        """Change an order in KeyCRM and return the lines that its arrival adds to the chatter."""
        self.keycrm.patch_order(order.keycrm_id, webhook=False, **fields)
        return self.added(order, self.arrive, order.keycrm_id)

    def written(self, number):
        """Return the names of the values that an arriving order writes.

        :return: (those of the order, those of its lines)
        """
        importer = self.env["keycrm.order.importer"]._with_import_context(self.account)
        order = self.read_order(number)
        batch = importer._prefetch(self.account, [order], ImportOptions())
        batch.partners, batch.products = importer._partners(batch), importer._products(batch)
        lines = [importer._prepare_line_values(batch, line) for line in order.lines]
        return {*importer._prepare_order_values(batch, order)}, {*lines[0]}

    def test_each_value_that_keycrm_changes_is_one_line(self):
        self.company.partner_id.tz = "Europe/Kyiv"
        self.account.action_refresh_delivery_services()
        self.account.shown_field_ids = self.env["keycrm.custom.field"].search(
            [("uuid", "in", ("OR_1001", "OR_1002"))]
        )
        phones = ["0671112233, 0504445566"]
        buyer = self.keycrm.create_buyer(full_name="Оля Бойко", phones=phones, note="Дзвінок")["id"]
        other = self.keycrm.create_buyer(full_name="Іван Бондар", phones=["0631112233"])["id"]
        custom = [
            {"uuid": "OR_1001", "name": "Додаткові ТТН", "type": "text", "value": "2045"},
            {"uuid": "OR_1002", "name": "Гравіювання", "type": "text", "value": "Олі"},
        ]
        number = self.new_order(
            [{"offer_id": self.offer, "price": 100, "quantity": 5, "comment": "синій"}],
            status_id=self.new.keycrm_id,
            client_id=buyer,
            source_uuid="A-1",
            ordered_at="2026-03-01 10:00:00",
            manager_id=1,
            marketing={"utm_campaign": "C-1", "utm_medium": "M-1", "utm_source": "S-1"},
            shipping=OFFICE,
            tags=[{"id": 1, "name": "VIP"}],
            custom_fields=custom,
        )
        order = self.arrive(number)
        self.assertFalse(self.logged(order), "nothing changed")
        money = partial(format_amount, self.env, currency=order.currency_id)
        goods = order.order_line.product_id.display_name
        patch = partial(self.keycrm.patch_order, number, webhook=False)
        patch_line = partial(self.keycrm.patch_line, number, self.line_id(order), webhook=False)
        patch_buyer = partial(self.keycrm.patch_buyer, buyer)
        office = {**OFFICE, "shipping_receive_point": "Відділення №12"}
        service = {**office, "delivery_service_id": 1}
        parcel = {**service, "tracking_code": "20450000000001"}
        sent = {**parcel, "shipping_status": "transit"}
        planned = {**sent, "shipping_date": "2026-12-24"}
        former = order.keycrm_status_id.display_name
        cases = (
            (
                ("keycrm_status_id",),
                partial(patch, status_id=self.agreed.keycrm_id),
                [f"KeyCRM status: {former} → {self.agreed.display_name}"],
            ),
            (
                ("keycrm_number",),
                partial(patch, source_uuid="A-2"),
                ["Number at the source: A-1 → A-2"],
            ),
            (
                ("date_order",),
                partial(patch, ordered_at="2026-03-02 10:30:00"),
                ["Order Date: 3/1/26, 12:00 PM → 3/2/26, 12:30 PM"],
            ),
            (
                ("keycrm_source_id",),
                partial(patch, source_id=2),
                ["KeyCRM source: Сайт → Instagram"],
            ),
            (
                ("keycrm_manager_name",),
                partial(patch, manager_id=2),
                ["KeyCRM manager: Олена Коваль → Тарас Мельник"],
            ),
            (
                ("campaign_id", "medium_id", "source_id"),
                partial(
                    patch,
                    marketing={"utm_campaign": "C-2", "utm_medium": "M-2", "utm_source": "S-2"},
                ),
                ["Campaign: C-1 → C-2", "Medium: M-1 → M-2", "Source: S-1 → S-2"],
            ),
            (
                ("keycrm_other_phones",),
                partial(patch_buyer, phones=["0671112233, 0504445577"]),
                ["Other phones: +380504445566 → +380504445577"],
            ),
            (
                ("keycrm_buyer_note",),
                partial(patch_buyer, note="Писати"),
                ["Note about the buyer: Дзвінок → Писати"],
            ),
            (
                ("partner_id",),
                partial(patch, client_id=other),
                [
                    "Customer: Оля Бойко → Іван Бондар",
                    "Other phones: +380504445577 → –",
                    "Note about the buyer: Писати → –",
                ],
            ),
            (
                ("partner_shipping_id",),
                partial(patch, shipping=office),
                [
                    f"Delivery Address: {RECIPIENT} → "
                    "Марія Коваль, +380509998877, Відділення №12, Львів"
                ],
            ),
            (
                ("keycrm_total", "product_uom_qty", "price_unit", "discount"),
                partial(patch_line, quantity=7, price=90, discount_percent=10),
                [
                    f"Total in KeyCRM: {money(500)} → {money(567)}",
                    f"{goods}: 5 × {money(100)} → 7 × {money(90)} (-10 %)",
                ],
            ),
            (("keycrm_promocode",), partial(patch, promocode="X5"), ["Promo code: – → X5"]),
            (
                ("keycrm_payment_status", "keycrm_amount_paid"),
                partial(self.keycrm.add_payment, number, webhook=False, amount=100),
                [
                    "Payment in KeyCRM: Not paid → Partly paid",
                    f"Paid in KeyCRM: {money(0)} → {money(100)}",
                ],
            ),
            (
                ("keycrm_delivery_service",),
                partial(patch, shipping=service),
                ["Delivery service: – → Нова Пошта"],
            ),
            (
                ("keycrm_tracking_code",),
                partial(patch, shipping=parcel),
                ["Tracking number: – → 20450000000001"],
            ),
            (
                ("keycrm_shipping_status",),
                partial(patch, shipping=sent),
                ["Parcel status: – → In transit"],
            ),
            (
                ("keycrm_shipping_date",),
                partial(patch, shipping=planned),
                ["Planned shipping date: – → 12/24/2026"],
            ),
            (
                ("keycrm_buyer_comment",),
                partial(patch, buyer_comment="Без дзвінка"),
                ["Buyer's comment: – → Без дзвінка"],
            ),
            (
                ("keycrm_manager_comment",),
                partial(patch, manager_comment="Терміново"),
                ["Manager's comment: – → Терміново"],
            ),
            (
                ("keycrm_custom_fields",),
                partial(patch, custom_fields=[custom[0], {**custom[1], "value": "Марії"}]),
                ["Custom fields: Гравіювання: Олі → Гравіювання: Марії"],
            ),
            (
                ("tag_ids",),
                partial(patch, tags=[{"id": 1, "name": "VIP"}, {"id": 2, "name": "Опт"}]),
                ["Tags: VIP → VIP, Опт"],
            ),
            (("keycrm_is_gift",), partial(patch, is_gift=True), ["Gift: No → Yes"]),
            (
                ("keycrm_gift_message",),
                partial(patch, gift_message="Вітаємо"),
                ["Gift message: – → Вітаємо"],
            ),
            (("keycrm_gift_wrap",), partial(patch, gift_wrap=True), ["Gift wrap: No → Yes"]),
            (
                ("keycrm_name",),
                partial(patch_line, comment="білий"),
                [f"{goods}, Description in KeyCRM: Кухоль синій → Кухоль білий"],
            ),
            (
                ("keycrm_warehouse_id",),
                partial(patch_line, warehouse_id=2),
                [f"{goods}, KeyCRM warehouse: Основний склад → Магазин"],
            ),
            (
                ("keycrm_to_make",),
                partial(patch_line, shipment_type="manufacturing"),
                [f"{goods}, To manufacture: No → Yes"],
            ),
        )
        of_order, of_lines = set(), set()
        for names, change, expected in cases:
            with self.subTest(names[0]):
                change()
                for found, some in zip((of_order, of_lines), self.written(number), strict=True):
                    found |= some
                found = self.added(order, self.arrive, number)
                self.assertEqual(found, [" ".join(line.split()) for line in expected])
        self.assertFalse(self.added(order, self.arrive, number))
        shown = {name for names, _change, _expected in cases for name in names}
        # It changes where an order comes back that KeyCRM did not have.
        shown.add("keycrm_deleted")
        self.assertEqual(of_order - shown, set(NOT_LOGGED), "logged, or not, with a reason")
        self.assertEqual(of_lines - shown, set(NOT_LOGGED_OF_LINE), "the same")

    def test_other_office_or_phone_of_the_same_recipient_is_logged(self):
        for name, value, now in (
            (
                "shipping_receive_point",
                "Відділення №12",
                "Марія Коваль, +380509998877, Відділення №12, Львів",
            ),
            ("recipient_phone", "0671234567", RECIPIENT.replace("+380509998877", "+380671234567")),
        ):
            for is_shipped in (False, True):
                with self.subTest(name, is_shipped=is_shipped):
                    order = self.make(self.made, shipping=OFFICE)
                    if is_shipped:
                        self.deliver(order)
                    lines = self.changed(order, shipping={**OFFICE, name: value})
                    self.assertEqual(lines, [f"Delivery Address: {RECIPIENT} → {now}"])
                    note = html.fromstring(order.activity_ids.note or "<p/>").text_content()
                    if is_shipped:
                        self.assertIn(f"The goods go to {RECIPIENT}, but the recipient", note)
                        self.assertIn(f"in KeyCRM is now {now}.", note)
                    else:
                        self.assertFalse(order.activity_ids)
                        self.assertEqual(order.picking_ids.partner_id, order.partner_shipping_id)

    def test_move_to_a_skipped_status_is_logged(self):
        order = self.make(self.made)
        self.sent.order_action = "skip"
        lines = self.changed(order, status_id=self.sent.keycrm_id)
        names = self.made.display_name, self.sent.display_name
        self.assertEqual(lines, ["KeyCRM status: {} → {}".format(*names)])
        self.assertEqual(order.state, "sale")

    def test_deletion_is_logged_once_and_so_is_the_return(self):
        order = self.make(self.made)
        deleted = self.added(order, order._keycrm_mark_deleted)
        self.assertEqual(deleted, ["Deleted in KeyCRM: No → Yes"])
        self.assertFalse(self.added(order, order._keycrm_mark_deleted))
        back = self.added(order, self.arrive, order.keycrm_id)
        self.assertEqual(back, ["Deleted in KeyCRM: Yes → No"])

    def test_each_amount_is_logged_in_its_currency(self):
        order = self.make(self.new)
        hryvnias = format_amount(self.env, 500, order.currency_id)
        dollars = format_amount(self.env, 450, self.env.ref("base.USD"))
        self.keycrm.patch_line(order.keycrm_id, self.line_id(order), webhook=False, price=90)
        lines = self.changed(order, source_id=4)
        self.assertIn("Currency: UAH → USD", lines)
        self.assertIn(" ".join(f"Total in KeyCRM: {hryvnias} → {dollars}".split()), lines)

    def test_quantity_of_a_confirmed_order_is_logged_once(self):
        order = self.make(self.made)
        self.keycrm.patch_line(order.keycrm_id, self.line_id(order), webhook=False, quantity=7)
        before = order.message_ids
        lines = self.added(order, self.arrive, order.keycrm_id)
        self.assertEqual(len(order.message_ids - before), 1, "not by Odoo too")
        self.assertRegex(lines[1], r"Кухоль: 5 × .*100\.00.* → 7 × .*100\.00")
        self.assertEqual(sum(order.picking_ids.move_ids.mapped("product_uom_qty")), 7)

    def test_goods_that_are_added_or_removed_are_one_line(self):
        order = self.make(self.new)
        row = self.keycrm.add_line(
            order.keycrm_id, webhook=False, offer_id=self.other, quantity=2, comment="білі"
        )
        added = self.added(order, self.arrive, order.keycrm_id)
        plate = order.order_line[-1].product_id.display_name
        self.assertEqual(len(added), 2, "and the total")
        self.assertRegex(added[1], rf"^{re.escape(plate)}: – → 2 × .*50\.00")
        self.keycrm.remove_line(order.keycrm_id, row["id"])
        removed = self.added(order, self.arrive, order.keycrm_id)
        self.assertEqual(len(removed), 2, "and the total")
        self.assertRegex(removed[1], rf"^{re.escape(plate)}: 2 × .*50\.00.* → –$")

    def test_what_reads_the_same_is_not_logged(self):
        number = self.new_order(
            [
                {"offer_id": self.offer, "price": 100, "quantity": 5},
                {"offer_id": self.offer, "price": 90, "quantity": 2},
            ],
            status_id=self.made.keycrm_id,
            shipping=OFFICE,
        )
        order = self.arrive(number)
        first, second = order.order_line.mapped("keycrm_id")
        self.keycrm.patch_line(number, first, webhook=False, price=90, quantity=2)
        self.keycrm.patch_line(number, second, webhook=False, price=100, quantity=5)
        self.assertFalse(self.added(order, self.arrive, number), "lines in another sequence")
        self.assertEqual(order.order_line.mapped("product_uom_qty"), [2, 5])
        spaced = {
            **OFFICE,
            "recipient_full_name": " Марія  Коваль",
            "recipient_phone": "+38 050 9998877",
        }
        self.assertFalse(self.changed(order, shipping=spaced))

    def test_what_a_user_or_the_catalog_changed_is_not_logged(self):
        order = self.make(
            self.made,
            updated_at="2026-03-01 10:00:00",
            custom_fields=[
                {"uuid": "OR_1002", "name": "Гравіювання", "type": "text", "value": "Олі"}
            ],
        )
        self.account.action_refresh_delivery_services()
        self.account.shown_field_ids = self.env["keycrm.custom.field"].search(
            [("uuid", "=", "OR_1002")]
        )
        self.assertFalse(self.added(order, self.arrive, order.keycrm_id), "a setting of Odoo")
        self.assertEqual(order.keycrm_custom_fields, "Гравіювання: Олі")
        product = next(row for row in self.keycrm.offers() if row["id"] == self.offer)
        self.keycrm.patch_product(product["product_id"], name="Чашка")
        self.addCleanup(self.keycrm.patch_product, product["product_id"], name="Кухоль")

        def arrive():
            with open_client(self.account) as client, self.committing():
                orders = [self.read_order(order.keycrm_id)]
                orders = OrderEnrichment(self.account, client).enrich(orders)
            OrderWriter(self.account).import_orders(orders)

        self.assertFalse(self.added(order, arrive), "the same goods")
        self.assertEqual(order.order_line.product_id.name, "Чашка")
