"""What stands in an order: everything as KeyCRM has it, the total to the cent."""

from datetime import datetime
from unittest.mock import patch

from odoo import fields
from odoo.tests import tagged

from ..services.orders.order_writer import OrderWriter
from .common import KeycrmCase

LINE = {"name": "Кухоль", "price": 100, "quantity": 2}


class TestOrderContent(KeycrmCase):
    def lines_of(self, order):
        return [
            (line.name, line.product_uom_qty, line.price_unit, line.discount, line.price_total)
            for line in order.order_line
        ]

    def assertTotal(self, order):
        total = self.keycrm.order(order.keycrm_id)["answer"]["grand_total"]
        self.assertEqual(f"{order.amount_total:.2f}", f"{float(total):.2f}")
        self.assertFalse(order.keycrm_total_differs)

    def test_a_sample_order_arrives_with_every_line_to_the_cent(self):
        number = self.keycrm.create_sample_order(webhook=False)["id"]
        order = self.arrive(number)
        self.assertTotal(order)
        names = " ".join(order.order_line.mapped("name"))
        self.assertIn("] Сорочка, біла, M", names, "as Odoo names a product in a line")
        self.assertEqual(order.origin, f"KeyCRM #{number}")

    def test_inexact_discount_percentage_is_replaced_by_the_price(self):
        lines = [
            {"name": "A", "price": 1035, "quantity": 1, "discount_percent": 12,
             "loyalty_discount": 3, "discount_amount": 0.35},
            {"name": "B", "price": 200, "quantity": 3, "discount_percent": 25},
        ]  # fmt: skip
        order = self.arrive(self.new_order(lines))
        self.assertTotal(order)
        self.assertEqual(order.order_line[0].price_unit, 879.40)
        self.assertEqual(order.order_line[1].price_unit, 200)
        self.assertEqual(order.order_line[1].discount, 25)

    def test_discount_that_odoo_would_round_is_replaced_by_the_price(self):
        self.env["decimal.precision"].search([("name", "=", "Discount")]).digits = 0
        line = {"name": "A", "price": 1000, "quantity": 1, "discount_percent": "12.5"}
        number = self.new_order([line], status_id=self.status(3).keycrm_id)
        order = self.arrive(number)
        self.assertTotal(order)
        self.assertEqual((order.state, order.amount_total), ("sale", 875))
        with patch.object(self.env.registry["sale.order.line"], "write") as write:
            self.arrive(number)
        write.assert_not_called()

    def test_the_orders_own_discount_is_a_line(self):
        order = self.arrive(self.new_order([LINE], discount_percent=20, discount_amount="0.20"))
        self.assertTotal(order)
        discount = order.order_line.filtered(lambda line: line.keycrm_extra == "discount")
        self.assertEqual(discount.price_total, -40.20)

    def test_shipping_wrap_and_taxes_count_as_in_keycrms_total(self):
        for inside in ("yes", "no"):
            self.keycrm.set_switches(
                shipping_in_total=inside, wrap_in_total=inside, taxes_in_total=inside
            )
            order = self.arrive(
                self.new_order([LINE], shipping_price=60, wrap_price="5.50", taxes="4.00")
            )
            self.assertTotal(order)
            self.assertEqual(order.amount_total, 269.5 if inside == "yes" else 200)

    def test_orders_cost_few_queries_and_unchanged_ones_fewer(self):
        numbers = [
            self.new_order(
                [{"name": f"Товар {n}", "price": 10 + n, "quantity": 1} for n in range(3)]
            )
            for _ in range(21)
        ]
        orders = [self.read_order(number) for number in numbers]
        OrderWriter(self.account).import_orders(orders[:1])
        self.env.flush_all()
        counts = []
        for _ in range(2):
            before = self.env.cr.sql_log_count
            for start in (1, 11):
                OrderWriter(self.account).import_orders(orders[start : start + 10])
                self.env.flush_all()
            counts.append((self.env.cr.sql_log_count - before) / 20)
        self.assertLessEqual(counts[0], 8)
        self.assertLessEqual(counts[1], 3)

    def test_batch_is_numbered_by_any_kind_of_sequence(self):
        sequence = self.env["ir.sequence"].search(
            [("code", "=", "sale.order"), ("company_id", "in", (self.company.id, False))],
            order="company_id",
            limit=1,
        )
        year = fields.Date.today().year
        for step, prefix, vals in (
            (3, "S", {"implementation": "standard"}),
            (2, "S", {"implementation": "no_gap"}),
            (
                1,
                f"{year}-",
                {"implementation": "standard", "use_date_range": True, "prefix": "%(range_year)s-"},
            ),
        ):
            sequence.write({"number_increment": step, **vals})
            orders = [self.read_order(self.new_order([LINE])) for _ in range(3)]
            results = OrderWriter(self.account).import_orders(orders)
            names = [
                *(self.env["sale.order"].browse(results[one.id].order_id).name for one in orders),
                self.env["ir.sequence"].with_company(self.company).next_by_code("sale.order"),
            ]
            numbers = [int(name.removeprefix(prefix)) for name in names]
            self.assertEqual(numbers, [numbers[0] + step * place for place in range(4)])

    def test_numbers_of_a_module_that_changes_sequences_are_used(self):
        sequence_class, orders = (
            type(self.env["ir.sequence"]),
            [self.read_order(self.new_order([LINE])) for _ in range(2)],
        )
        original, drawn = sequence_class._next_do, []

        def _next_do(sequence):
            drawn.append(original(sequence))
            return f"WEB/{drawn[-1]}"

        self.patch(sequence_class, "_next_do", _next_do)
        results = OrderWriter(self.account).import_orders(orders)
        names = [self.env["sale.order"].browse(results[one.id].order_id).name for one in orders]
        self.assertEqual(names, [f"WEB/{name}" for name in drawn])

    def test_analytic_distribution_that_odoo_would_set_is_set(self):
        analytic = self.env["account.analytic.account"].create(
            {"name": "Web", "plan_id": self.env["account.analytic.plan"].create({"name": "W"}).id}
        )
        self.env["ir.default"].set(
            "sale.order.line", "analytic_distribution", {str(analytic.id): 100}
        )
        order = self.arrive(self.new_order([LINE]))
        self.assertEqual(order.order_line.analytic_distribution, {str(analytic.id): 100})

    def test_free_lines_fractions_and_numbers_as_strings_are_imported(self):
        for numbers in ("json", "strings"):
            self.keycrm.set_switches(numbers=numbers)
            lines = [
                {"name": "Подарунок", "price": 0, "quantity": 1},
                {"name": "Кава", "price": "412.37", "quantity": "0.333", "unit_type": "кг"},
            ]
            order = self.arrive(self.new_order(lines))
            self.assertTotal(order)
            self.assertEqual(order.order_line[1].product_uom_qty, 0.333)
        self.keycrm.set_switches(numbers="json")

    def test_a_total_that_nothing_explains_is_shown_and_not_confirmed(self):
        status = self.status(3)
        order = self.arrive(self.new_order([LINE], grand_total=777, status_id=status.keycrm_id))
        self.assertTrue(order.keycrm_total_differs)
        self.assertEqual(order.state, "draft")
        self.assertEqual((order.keycrm_total, order.amount_total), (777, 200))
        self.assertIn(order, self.env["sale.order"].search([("keycrm_total_differs", "=", True)]))

    def test_no_tax_changes_the_total(self):
        country = self.company.account_fiscal_country_id
        group = self.env["account.tax.group"].create(
            {"name": "KeyCRM", "company_id": self.company.id, "country_id": country.id}
        )
        lines = [
            {"name": "A", "price": "33.33", "quantity": 3},
            {"name": "B", "price": "0.07", "quantity": 7},
            {"name": "C", "price": "19.99", "quantity": 1},
        ]
        for amount, included in ((20, True), (20, False), (7, False), (5.5, True), (21, False)):
            self.account.tax_id = self.env["account.tax"].create(
                {
                    "name": f"{amount} {included}",
                    "amount": amount,
                    "type_tax_use": "sale",
                    "price_include_override": "tax_included" if included else "tax_excluded",
                    "tax_group_id": group.id,
                    "country_id": country.id,
                    "company_id": self.company.id,
                }
            )
            number = self.new_order(lines, discount_percent=3, shipping_price=50)
            order = self.arrive(number)
            self.assertTotal(order)
            self.assertTrue(order.amount_tax)
            again = self.arrive(number)
            self.assertEqual(again, order)
            self.assertTotal(order)

    def test_dates_are_utc_and_the_order_date_is_when_it_was_ordered(self):
        number = self.new_order([LINE], ordered_at="2026-03-29T00:30:00Z", created_at="2026-04-20T10:00:00Z",
                                status_id=self.status(3).keycrm_id)  # fmt: skip
        order = self.arrive(number)
        self.assertEqual(order.state, "sale")
        self.assertEqual(order.date_order, datetime(2026, 3, 29, 0, 30))

    def test_comments_promo_code_tags_and_utm_marks_are_imported(self):
        order = self.arrive(
            self.new_order(
                [LINE],
                buyer_comment="Подзвоніть <b>перед</b>",
                manager_comment="VIP",
                promocode="SPRING",
                source_uuid="ROZ-77",
                marketing={"utm_source": "google", "utm_medium": "cpc", "utm_campaign": "весна"},
                tags=[{"id": 1, "name": "опт", "color": "#fff"}],
            )
        )
        self.assertEqual(order.keycrm_buyer_comment, "Подзвоніть <b>перед</b>")
        self.assertEqual(order.keycrm_manager_comment, "VIP")
        self.assertEqual(order.keycrm_promocode, "SPRING")
        self.assertEqual(order.keycrm_number, "ROZ-77")
        self.assertEqual(order.campaign_id.name, "весна")
        self.assertEqual(order.tag_ids.mapped("name"), ["опт"])

    def test_comments_and_gift_of_every_shape_are_stored(self):
        for given, comment, gift, message in (
            ({"buyer_comment": "Дзвоніть", "client_comment": "Дзвоніть"}, "Дзвоніть", False, False),
            ({"buyer_comment": "Дзвоніть", "client_comment": "Після 18"}, "Дзвоніть\nПісля 18", False, False),
            ({"client_comment": "Після 18", "raw": {"is_gift": "1"}}, "Після 18", True, False),
            ({"raw": {"is_gift": 0, "gift_message": []}}, False, False, False),
            ({"is_gift": True, "gift_message": "З днем\nнародження"}, False, True, "З днем\nнародження"),
        ):  # fmt: skip
            with self.subTest(given):
                order = self.arrive(self.new_order([LINE], **given))
                self.assertEqual(order.keycrm_buyer_comment, comment)
                self.assertEqual(order.keycrm_is_gift, gift)
                self.assertEqual(order.keycrm_gift_message, message)

    def test_utm_mark_with_special_characters_is_created_once(self):
        for mark in ("google\\", "a\\b", "a_b", "100%"):
            with self.subTest(mark):
                orders = self.env["sale.order"].union(
                    *(
                        self.arrive(self.new_order([LINE], marketing={"utm_source": mark}))
                        for _ in range(2)
                    )
                )
                self.assertEqual(orders.source_id.mapped("name"), [mark])

    def test_unknown_currency_of_an_order_is_reported(self):
        for code in ("USDT", "QQQ"):
            with self.subTest(code):
                source = next(s for s in self.keycrm.sources())["id"]
                self.keycrm.put_source(id=source, currency_code=code)
                self.account.action_refresh_statuses()
                (outcome,) = self.outcomes(self.new_order([LINE], source_id=source)).values()
                self.assertEqual(outcome.code, "currency_unknown")
                self.assertEqual(outcome.params, {"currency": code})
        self.keycrm.put_source(id=source, currency_code="UAH")

    def test_an_order_is_in_the_currency_of_its_source(self):
        source = next(s for s in self.keycrm.sources())["id"]
        self.keycrm.put_source(id=source, currency_code="USD")
        self.account.action_refresh_statuses()
        usd = self.env.ref("base.USD")
        usd.active = False
        first = self.arrive(self.new_order([LINE], source_id=source))
        self.assertTrue(usd.active)
        second = self.arrive(self.new_order([LINE], source_id=source))
        self.assertEqual((first.currency_id, first.amount_total), (usd, 200))
        self.assertEqual(first.pricelist_id, second.pricelist_id)
        self.keycrm.put_source(id=source, currency_code="UAH")
        self.account.action_refresh_statuses()

    def test_order_gets_the_sales_team_and_warehouse_of_its_source(self):
        number = self.new_order([LINE])
        parsed = self.read_order(number)
        source = self.env["keycrm.source"].search(
            [("account_id", "=", self.account.id), ("keycrm_id", "=", parsed.source_id)]
        )
        source.team_id = self.env["crm.team"].create({"name": "Маркетплейси"})
        source.warehouse_id = self.env["stock.warehouse"].create({"name": "Інший", "code": "INS"})
        order = self.arrive(number)
        self.assertEqual((order.team_id, order.warehouse_id), (source.team_id, source.warehouse_id))

    def test_order_gets_the_invoice_journal_of_its_source(self):
        number = self.new_order([LINE], status_id=self.status(3).keycrm_id)
        source = self.env["keycrm.source"].search(
            [
                ("account_id", "=", self.account.id),
                ("keycrm_id", "=", self.read_order(number).source_id),
            ]
        )
        first = self.env["account.journal"].search(
            [("type", "=", "sale"), ("company_id", "=", self.company.id)], limit=1
        )
        source.journal_id = first.copy({"name": "Маркетплейси", "code": "MKT"})
        order = self.arrive(number)
        order.order_line.product_id.invoice_policy = "order"
        self.assertEqual(order._create_invoices().journal_id, source.journal_id)

    def test_an_order_whose_source_changes_follows_it(self):
        number = self.new_order([LINE])
        quotation = self.arrive(number)
        confirmed = self.arrive(self.new_order([LINE], status_id=self.status(3).keycrm_id))
        team = self.env["crm.team"].create({"name": "Маркетплейси"})
        row = self.keycrm.put_source(name="Маркет", currency_code="UAH")
        self.account.action_refresh_statuses()
        source = self.env["keycrm.source"].search([("keycrm_id", "=", row["id"])])
        source.team_id = team
        former = confirmed.team_id
        for order in (quotation, confirmed):
            moved = {"source_id": source.keycrm_id}
            self.keycrm.patch_order(order.keycrm_id, raw=moved, webhook=False)
            self.arrive(order.keycrm_id)
            self.assertEqual(order.keycrm_source_id, source)
        self.assertEqual((quotation.team_id, confirmed.team_id), (team, former))
        # What a person chooses afterwards stays.
        quotation.team_id = former
        self.keycrm.patch_order(number, manager_comment="Ще раз", webhook=False)
        self.assertEqual(self.arrive(number).team_id, former)

    def test_line_ships_from_the_main_of_several_summed_warehouses(self):
        other = self.env["stock.warehouse"].create({"name": "Другий", "code": "DRU"})
        self.assertLess(self.warehouse.id, other.id)
        mapping = self.env["keycrm.warehouse"].search(
            [("account_id", "=", self.account.id), ("keycrm_id", "=", 2)]
        ) or self.env["keycrm.warehouse"].create(
            {"account_id": self.account.id, "keycrm_id": 2, "name": "Разом"}
        )
        mapping.warehouse_ids = self.warehouse | other
        for main in (other, self.warehouse):
            self.account.warehouse_id = main
            order = self.arrive(
                self.new_order([{**LINE, "warehouse_id": 2}], status_id=self.status(3).keycrm_id)
            )
            self.assertEqual(order.order_line.warehouse_id, main)
            self.assertEqual(order.picking_ids.picking_type_id.warehouse_id, main)

    def test_a_line_ships_from_the_warehouse_matched_to_its_keycrm_warehouse(self):
        other = self.env["stock.warehouse"].create({"name": "Другий", "code": "DRU"})
        remote = next(w for w in self.keycrm.warehouses() if w["id"] == 2)
        mapping = self.env["keycrm.warehouse"].create(
            {"account_id": self.account.id, "keycrm_id": remote["id"], "name": remote["name"]}
        )
        mapping.warehouse_ids = other
        order = self.arrive(
            self.new_order([{**LINE, "warehouse_id": 2}], status_id=self.status(3).keycrm_id)
        )
        self.assertEqual(order.order_line.warehouse_id, other)
        self.assertEqual(order.picking_ids.picking_type_id.warehouse_id, other)

    def test_line_to_manufacture_without_route_schedules_an_activity(self):
        order = self.arrive(
            self.new_order(
                [{**LINE, "shipment_type": "manufacturing"}], status_id=self.status(3).keycrm_id
            )
        )
        self.assertTrue(order.order_line.keycrm_to_make)
        self.assertIn("Кухоль", order.activity_ids.note)
        self.assertDecisions()  # work, and no decision

    def test_the_tracking_number_is_on_order_and_delivery_and_is_found(self):
        order = self.arrive(
            self.new_order(
                [LINE],
                status_id=self.status(3).keycrm_id,
                shipping={"tracking_code": "20450000123456", "recipient_full_name": "Олена Коваль"},
            )
        )
        self.assertEqual(order.picking_ids.keycrm_tracking_code, "20450000123456")
        self.assertEqual(
            self.env["sale.order"].search([("keycrm_tracking_code", "=", "20450000123456")]), order
        )

    def test_hostile_and_odd_shapes_arrive_or_fail_with_a_sentence(self):
        shapes = [
            {"lines": [{"name": "x" * 3000, "price": 1, "quantity": 1}]},
            {"lines": [{"name": "🎁 <script>alert(1)</script>", "price": 1, "quantity": 1}]},
            {"lines": [{"name": "=cmd|' /C calc'!A0", "price": "9999999.99", "quantity": 40}]},
            {"lines": [{**LINE, "name": f"Рядок {n}"} for n in range(40)]},
            {"lines": [LINE], "raw": {"buyer": [], "shipping": [], "manager": [], "tags": []}},
            {"lines": [LINE], "raw": {"buyer": None, "status": None, "surprise": {"a": [1]}}},
            {"lines": [LINE], "raw": {"ordered_at": None, "created_at": "not a date"}},
            {"lines": [{**LINE, "raw": {"name": None, "sku": None, "properties": []}}]},
            {"lines": [LINE], "buyer_comment": "к" * 1_000_000},
        ]
        for shape in shapes:
            with self.subTest(str(shape)[:80]):
                order = self.arrive(self.new_order(**shape))
                self.assertTrue(order)
                self.assertFalse(order.keycrm_total_differs)


@tagged("post_install", "-at_install")
class TestOneOffSwitch(KeycrmCase):
    def test_a_one_off_line_is_the_same_whether_its_offer_is_null_or_missing(self):
        names = set()
        for answer in ("null", "missing"):
            self.keycrm.set_switches(one_off_offer=answer)
            order = self.arrive(
                self.new_order([{"name": "Гравіювання", "price": 5, "quantity": 1}])
            )
            self.assertEqual(order.order_line.product_id.keycrm_origin, "one_off")
            names.add(order.order_line.product_id.id)
        self.assertEqual(len(names), 1)
