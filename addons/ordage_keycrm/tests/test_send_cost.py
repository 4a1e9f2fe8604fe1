"""The cost of a product becomes the purchase price of its offer in KeyCRM."""

from datetime import timedelta
from types import SimpleNamespace
from unittest.mock import patch

from odoo import fields

from ..services.common.api_gateway import open_client
from ..services.common.bridge import as_bridge
from ..services.sending import offer_export, preview_job
from ..services.sending.offer_export import OfferExport
from ..services.sending.order_update_sender import BulkUpdateSender
from ..services.sending.preview_job import PreviewJob
from .common import KeycrmCase


class CostCase(KeycrmCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.account.send_cost = True
        cls.enterClassContext(patch.object(offer_export, "DEBOUNCE_SECONDS", 0.0))

    def setUp(self):
        super().setUp()
        self.account.sudo().values_checked_on = fields.Date.today()
        self.keycrm.clear_faults()
        self.keycrm.set_switches(offers_put_unknown="skip")

    def mapped(self, count=1, known=3, **values):
        """Make products, with an offer each.

        :param known: purchase price that Odoo knows of KeyCRM
        """
        numbers = [
            self.keycrm.create_offer(sku=f"C-{self.id()}-{index}", purchased_price=3)["id"]
            for index in range(count)
        ]
        products = self.env["product.product"].create(
            [{"name": f"P{number}", "is_storable": True, **values} for number in numbers]
        )
        self.env["keycrm.offer"].create(
            [
                {
                    "account_id": self.account.id,
                    "keycrm_id": number,
                    "product_id": product.id,
                    "purchased_price": known or 0,
                    "purchased_price_at": known and fields.Datetime.now() - timedelta(hours=1),
                }
                for number, product in zip(numbers, products, strict=True)
            ]
        )
        self.send()
        return products

    def send(self):
        """Let the worker send what waits.

        :return: bodies of the requests that wrote
        """
        self.env.cr.flush()
        self.keycrm.clear_log()
        with self.committing():
            while OfferExport(self.account).process():
                pass
        return [row["body"]["offers"] for row in self.keycrm.requests(method="PUT")]

    def send_lines(self):
        """Let the worker send the costs of lines.

        :return: bodies of the requests that wrote
        """
        self.send()
        self.keycrm.clear_log()
        with self.committing(), open_client(self.account) as client:
            while BulkUpdateSender(self.account, client).process():
                pass
        return [row["body"]["products"] for row in self.keycrm.requests(method="PUT")]

    def in_keycrm(self, product):
        number = product.keycrm_offer_ids.keycrm_id
        return next(
            float(row["purchased_price"]) for row in self.keycrm.offers() if row["id"] == number
        )


class TestSendCost(CostCase):
    def test_switched_off_sends_no_request(self):
        product = self.mapped()
        self.account.send_cost = False
        product.standard_price = 12
        self.send()
        self.assertFalse(self.keycrm.requests())
        self.assertFalse(self.env["keycrm.offer.change"].search([]))

    def test_changed_cost_is_sent_once(self):
        product = self.mapped()
        product.standard_price = 12.345
        number = product.keycrm_offer_ids.keycrm_id
        self.assertEqual(self.send(), [[{"id": number, "purchased_price": 12.35}]])
        self.assertEqual(self.in_keycrm(product), 12.35)
        self.assertEqual(self.send(), [])
        self.assertEqual(product.keycrm_offer_ids.purchased_price, 12.35)
        self.assertFalse(self.env["keycrm.offer.change"].search([]))

    def test_cost_that_keycrm_has_is_not_sent(self):
        product = self.mapped(known=12)
        product.standard_price = 12
        self.assertEqual(self.send(), [])

    def test_cost_that_was_never_read_is_read_before_it_is_sent(self):
        same, other = products = self.mapped(2)
        products.keycrm_offer_ids.sudo().purchased_price_at = False
        same.standard_price, other.standard_price = 3, 4
        ((row,),) = self.send()
        self.assertEqual(row["id"], other.keycrm_offer_ids.keycrm_id)
        self.assertEqual(self.keycrm.request_counts(), {"GET /v1/offers": 1, "PUT /v1/offers": 1})

    def test_product_without_an_offer_is_found_by_its_sku(self):
        number = self.keycrm.create_offer(sku="BY-SKU", purchased_price=3)["id"]
        product = self.env["product.product"].create(
            {"name": "X", "default_code": "BY-SKU", "is_storable": True}
        )
        product.standard_price = 8
        self.assertEqual(self.send(), [[{"id": number, "purchased_price": 8}]])

    def test_new_product_with_a_cost_is_found_by_its_sku(self):
        number = self.keycrm.create_offer(sku="NEW-SKU", purchased_price=3)["id"]
        self.env["product.product"].create(
            {"name": "X", "default_code": "NEW-SKU", "standard_price": 7, "is_storable": True}
        )
        self.assertEqual(self.send(), [[{"id": number, "purchased_price": 7}]])

    def test_product_that_is_mapped_later_gets_its_cost(self):
        number = self.keycrm.create_offer(sku="LATER", purchased_price=3)["id"]
        product = self.env["product.product"].create({"name": "X", "standard_price": 8})
        self.assertEqual(self.send(), [])
        self.env["keycrm.offer"].create(
            {"account_id": self.account.id, "keycrm_id": number, "product_id": product.id}
        )
        self.assertEqual(self.send(), [[{"id": number, "purchased_price": 8}]])

    def test_daily_comparison_sends_only_missed_costs(self):
        missed, same = self.mapped(2)
        same.standard_price = 3
        self.send()
        self.account.send_cost = False
        missed.standard_price = 9
        self.account.send_cost = True
        self.assertEqual(self.send(), [])
        self.account.sudo().values_checked_on = False
        ((row,),) = self.send()
        self.assertEqual(row["id"], missed.keycrm_offer_ids.keycrm_id)
        self.account.sudo().values_checked_on = False
        self.send()
        self.assertFalse(self.keycrm.requests())

    def test_zero_cost_is_not_sent(self):
        product = self.mapped(known=12, standard_price=12)
        product.standard_price = 0
        self.assertEqual(self.send(), [])
        self.assertEqual(self.in_keycrm(product), 3)

    def test_cost_changed_a_hundred_times_is_sent_once(self):
        product = self.mapped()
        for cost in range(1, 101):
            product.standard_price = cost
            self.env.cr.flush()
        self.assertEqual([len(rows) for rows in self.send()], [1])
        self.assertEqual(self.in_keycrm(product), 100)

    def test_changes_are_collected_before_they_are_sent(self):
        product = self.mapped()
        with patch.object(offer_export, "DEBOUNCE_SECONDS", 60.0):
            product.standard_price = 12
            self.assertEqual(self.send(), [])
            due = self.account.sudo().stock_cron_id.nextcall
            triggers = self.env["ir.cron.trigger"].search(
                [("cron_id", "=", self.account.sudo().stock_cron_id.id)]
            )
            latest = max(triggers.mapped("call_at"))
            self.assertGreater(latest, fields.Datetime.now() + timedelta(seconds=50), due)
        self.assertEqual(len(self.send()), 1)

    def test_ten_thousand_costs_are_one_request(self):
        products = self.mapped(3)
        offers = products.keycrm_offer_ids
        values = [
            offer_export.Value(offers[0].id, number, "cost", offer_export.offer_values.to_money(5))
            for number in range(1, 10_001)
        ]
        self.keycrm.clear_log()
        with self.committing():
            self.assertEqual(OfferExport(self.account)._send(values), ([], None))
        self.assertEqual(self.keycrm.request_counts(), {"PUT /v1/offers": 1})

    def test_user_transaction_costs_one_query_more(self):
        product = self.mapped()
        other = self.mapped()

        def count(one, value):
            return self.queries_of(one.write, {"standard_price": value})

        count(product, 5)
        self.account.send_cost = False
        off = count(product, 6)
        self.account.send_cost = True
        self.env["keycrm.offer.change"]._sending_accounts("send_cost")
        count(other, 5)
        self.assertLessEqual(count(other, 6) - off, 1)

    def test_cost_of_another_company_is_not_sent(self):
        product = self.mapped()
        company = self.env["res.company"].create({"name": "Інша"})
        product.with_company(company).standard_price = 77
        self.assertEqual(self.send(), [])

    def test_product_of_another_company_delays_no_other(self):
        """A user with both companies ticked writes the cost of the other one's product."""
        product = self.mapped()
        company = self.env["res.company"].create({"name": "Інша"})
        self.keycrm.create_offer(sku="BOTH", purchased_price=3)
        values = {"name": "X", "default_code": "BOTH", "is_storable": True}
        _own, foreign = self.env["product.product"].create(
            [{**values, "company_id": one.id} for one in (self.company, company)]
        )
        foreign.standard_price, product.standard_price = 8, 12
        self.assertEqual([len(rows) for rows in self.send()], [1])
        self.assertEqual(self.in_keycrm(product), 12)
        self.assertFalse(foreign.keycrm_offer_ids)

    # === LINES OF OPEN ORDERS ===

    def test_lines_of_open_orders_get_the_new_cost(self):
        product = self.mapped()
        number = product.keycrm_offer_ids.keycrm_id
        lines = [
            {"offer_id": number, "price": 5, "purchased_price": 3},
            {"name": "Разовий", "price": 9, "purchased_price": 1},
        ]
        order, done = (
            self.arrive(self.new_order(lines, status_id=self.status(group).keycrm_id))
            for group in (2, 5)
        )
        one_off = order.order_line.product_id.filtered(lambda one: one.keycrm_origin == "one_off")
        self.send_lines()
        product.standard_price = 4
        one_off.standard_price = 2
        catalog, single = (order.order_line - order.order_line.filtered("display_type")).filtered(
            "keycrm_id"
        )
        self.assertEqual(
            self.send_lines(),
            [
                [
                    {"id": catalog.keycrm_id, "purchased_price": 4},
                    {"id": single.keycrm_id, "purchased_price": 2},
                ]
            ],
        )
        found = self.keycrm.order(done.keycrm_id)["answer"]["products"]
        self.assertEqual(float(found[0]["purchased_price"]), 3)
        # An echo: nothing of the order is sent again.
        self.arrive(order.keycrm_id)
        self.assertEqual(self.send_lines(), [])

    def test_hundred_changes_read_an_open_order_once(self):
        product = self.mapped()
        number = product.keycrm_offer_ids.keycrm_id
        self.arrive(self.new_order([{"offer_id": number, "price": 5}]))
        for cost in range(10, 110):
            product.standard_price = cost
            self.env.cr.flush()
        self.assertEqual(len(self.send_lines()), 1)

    def one_off(self, group=2, **line):
        """Make an order of a one-off product in KeyCRM, and import it; return its line."""
        lines = [{"name": "Разовий", "price": 9, **line}]
        order = self.arrive(self.new_order(lines, status_id=self.status(group).keycrm_id))
        return order.order_line.filtered("keycrm_id")

    def test_new_line_gets_the_cost_that_its_product_has(self):
        known = self.one_off(purchased_price=1)
        known.product_id.standard_price = 2
        self.send_lines()
        done, line = self.one_off(group=5), self.one_off()
        self.assertEqual((done | line).product_id, known.product_id)
        sent = [[{"id": line.keycrm_id, "purchased_price": 2}]]
        self.assertEqual(self.send_lines(), sent)
        # An echo, and an order that has the cost already.
        self.arrive(line.order_id.keycrm_id)
        self.one_off(purchased_price=2)
        self.assertEqual(self.send_lines(), [])
        self.assertFalse(self.keycrm.requests())

    def test_new_lines_cost_no_query_where_no_costs_are_sent(self):
        self.account.send_cost = False
        batch = SimpleNamespace(account=self.account)
        with self.assertQueryCount(0):
            self.env["keycrm.order.importer"]._enqueue_costs(batch)

    def test_open_orders_get_their_costs_when_it_is_switched_on(self):
        self.account.send_cost = False
        line, done = self.one_off(purchased_price=1), self.one_off(group=5, purchased_price=1)
        self.assertEqual(line.product_id, done.product_id)
        line.product_id.standard_price = 2
        preview = self.switch_on()
        self.assertEqual(self.send_lines(), [])
        preview.action_send()
        sent = [[{"id": line.keycrm_id, "purchased_price": 2}]]
        self.assertEqual(self.send_lines(), sent)

    def test_cost_of_a_line_is_sent_in_its_unit(self):
        line = self.one_off(purchased_price=1)
        as_bridge(line).product_uom_id = self.env.ref("uom.product_uom_dozen")
        line.product_id.standard_price = 0.504
        ((row,),) = self.send_lines()
        self.assertEqual(row["purchased_price"], 6.05)

    # === CURRENCY ===

    def enter_rate(self, currency):
        """Enter a rate of two units of the company's currency."""
        currency.active = True
        self.env["res.currency.rate"].create(
            {"currency_id": currency.id, "company_rate": 0.5, "company_id": self.company.id}
        )

    def test_cost_without_a_rate_is_not_sent_and_shows_why(self):
        product = self.mapped()
        self.account.keycrm_currency_id = self.env.ref("base.PLN")
        product.standard_price = 10
        self.assertEqual(self.send(), [])
        self.assertIn("PLN", product.keycrm_offer_ids.send_error)
        self.assertIn("PLN", product.keycrm_push_error)

    def test_costs_without_a_rate_are_sent_once_it_is_entered(self):
        known, empty = products = self.mapped(2)
        # KeyCRM has no cost of it, and Odoo never read that.
        self.keycrm.patch_offer(empty.keycrm_offer_ids.keycrm_id, raw={"purchased_price": None})
        empty.keycrm_offer_ids.sudo().purchased_price_at = False
        self.account.keycrm_currency_id = self.env.ref("base.PLN")
        known.standard_price, empty.standard_price = 10, 20
        self.assertEqual(self.send(), [])
        self.assertTrue(all(products.keycrm_offer_ids.mapped("send_error")))
        self.enter_rate(self.account.keycrm_currency_id)
        (rows,) = self.send()
        self.assertEqual({row["purchased_price"] for row in rows}, {5, 10})
        self.assertFalse(any(products.keycrm_offer_ids.mapped("send_error")))

    def test_daily_comparison_finds_costs_that_had_no_rate(self):
        product = self.mapped()
        self.keycrm.patch_offer(product.keycrm_offer_ids.keycrm_id, raw={"purchased_price": None})
        product.keycrm_offer_ids.sudo().purchased_price_at = False
        currency = self.account.keycrm_currency_id
        self.account.keycrm_currency_id = self.env.ref("base.PLN")
        product.standard_price = 10
        self.assertEqual(self.send(), [])
        self.account.keycrm_currency_id = currency
        self.account.sudo().values_checked_on = False
        ((row,),) = self.send()
        self.assertEqual(row["purchased_price"], 10)

    def test_cost_is_converted_at_an_entered_rate(self):
        product = self.mapped()
        currency = self.env.ref("base.PLN")
        self.enter_rate(currency)
        self.account.keycrm_currency_id = currency
        product.standard_price = 10
        ((row,),) = self.send()
        self.assertEqual(row["purchased_price"], 5.0)

    def test_rate_is_read_once_for_many_products(self):
        products = self.mapped(20)
        currency = self.env.ref("base.PLN")
        self.enter_rate(currency)
        self.account.keycrm_currency_id = currency

        def queries(some):
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.env["keycrm.offer.value"]._amounts(self.account, "cost", some)
            return self.env.cr.sql_log_count - before

        queries(products)
        self.assertEqual(queries(products[:2]), queries(products))

    # === STOCK COMES FIRST ===

    def passes(self):
        """Let the worker send while stock waits all the time, and is checked after each part.

        :return: numbers of values that each pass sent
        """
        self.account.push_stock = True
        product = self.env["product.product"].create({"name": "Залишок", "is_storable": True})
        self.env["keycrm.stock.change"]._enqueue_rows([(self.account.id, product.id)])
        self.env.cr.flush()
        sent = []
        with (
            patch.multiple(offer_export, PART=2, CHECK_SECONDS=-1.0),
            self.committing(),
        ):
            while True:
                self.keycrm.clear_log()
                if not OfferExport(self.account).process():
                    return sent
                puts = self.keycrm.requests(method="PUT")
                sent.append([len(row["body"]["offers"]) for row in puts])

    def test_stock_is_sent_between_the_parts_of_many_costs(self):
        products = self.mapped(7)
        for product in products:
            product.standard_price = 12
        self.assertEqual(self.passes(), [[2], [2], [2], [1]])
        for product in products:
            self.assertEqual(self.in_keycrm(product), 12)
        self.assertFalse(self.env["keycrm.offer.change"].search([]))

    def test_stock_is_sent_between_the_parts_of_the_daily_comparison(self):
        products = self.mapped(5)
        self.account.send_cost = False
        products[4].standard_price = 12
        self.account.send_cost = True
        self.account.sudo().values_checked_on = False
        self.assertEqual(self.passes(), [[], [], [1]])
        self.assertEqual(self.in_keycrm(products[4]), 12)
        self.assertEqual(self.account.sudo().values_checked_on, fields.Date.today())

    # === REFUSALS, LOST ANSWERS, KEYCRM'S OWN CHANGES ===

    def test_refused_offer_is_isolated_and_shows_the_reason(self):
        self.keycrm.set_switches(offers_put_unknown="refuse")
        products = self.mapped(6)
        deleted = products[2]
        self.keycrm.delete_offer(deleted.keycrm_offer_ids.keycrm_id)
        for product in products:
            product.standard_price = 12
        self.send()
        for product in products - deleted:
            self.assertEqual(self.in_keycrm(product), 12)
            self.assertFalse(product.keycrm_offer_ids.send_error)
        self.assertIn("invalid", deleted.keycrm_offer_ids.send_error)

    def test_accepted_price_keeps_the_reason_of_a_refused_cost(self):
        product = self.mapped()
        offer = product.keycrm_offer_ids
        price_list = self.env["product.pricelist"].create(
            {"name": "Роздріб", "currency_id": self.company.currency_id.id}
        )
        self.account.write(
            {"keep_product_info": True, "price_list_id": price_list.id, "send_price": True}
        )
        self.refuse_costs()
        product.write({"standard_price": 12, "list_price": 120})
        self.send()
        self.assertEqual(offer.price, 120)
        self.assertIn("Not today.", offer.send_error)
        self.assertFalse(offer.price_error_code)

    def test_cost_equal_to_keycrms_clears_the_reason(self):
        product = self.mapped()
        self.refuse_costs()
        product.standard_price = 12
        self.send()
        self.assertIn("Not today.", product.keycrm_push_error)
        product.standard_price = 3
        self.assertEqual(self.send(), [])
        self.assertFalse(product.keycrm_push_error)

    def refuse_costs(self):
        self.keycrm.add_fault(
            "status",
            method="PUT",
            path="/offers",
            contains="purchased_price",
            status=422,
            message="Not today.",
            times=None,
        )

    def test_slow_keycrm_gets_smaller_requests(self):
        products = self.mapped(5)
        self.account.sudo().offer_rows = 2
        for product in products:
            product.standard_price = 12
        self.keycrm.add_fault("delay", method="PUT", path="/offers", seconds=1.2, times=1)
        self.assertEqual(len(self.send()[0]), 2)
        for product in products:
            self.assertEqual(self.in_keycrm(product), 12)
        # Fast ones show that KeyCRM needs no small requests.
        self.assertGreater(self.account.sudo().offer_rows or 10_000, 2)

    def test_offers_that_keycrm_cannot_process_do_not_stop_the_others(self):
        products = self.mapped(12)
        bad = products[4] | products[5] | products[9]
        for product in bad:
            self.keycrm.add_fault(
                "status",
                method="PUT",
                path="/offers",
                contains=f'"id": {product.keycrm_offer_ids.keycrm_id},',
                status=500,
                times=None,
            )
        for product in products:
            product.standard_price = 12
        self.send()
        for product in products - bad:
            self.assertEqual(self.in_keycrm(product), 12)
            self.assertFalse(product.keycrm_offer_ids.send_error)
        for product in bad:
            self.assertTrue(product.keycrm_offer_ids.send_error)
        # They wait for their retry, and nothing else does.
        waiting = self.env["keycrm.offer.change"].search([])
        self.assertEqual(waiting.product_id, bad)
        self.keycrm.clear_faults()
        self.keycrm.clear_log()
        self.send()
        self.assertFalse(self.keycrm.requests(method="PUT"))
        for change in waiting.sudo():
            change.changed_at -= timedelta(hours=1)
        self.send()
        for product in bad:
            self.assertEqual(self.in_keycrm(product), 12)
            self.assertFalse(product.keycrm_offer_ids.send_error)

    def test_value_is_tried_again_after_a_minute_and_then_less_often(self):
        product = self.mapped()
        self.keycrm.add_fault("status", method="PUT", path="/offers", status=503, times=6)
        product.standard_price = 12
        for minutes in (1, 15):
            self.send()
            waiting = self.env["keycrm.offer.change"].search([]).sudo()
            self.assertEqual(waiting.product_id, product)
            due = (waiting.changed_at - fields.Datetime.now()).total_seconds()
            self.assertAlmostEqual(due, 60 * minutes, delta=30)
            waiting.changed_at = fields.Datetime.now() - timedelta(seconds=5)
        self.send()
        self.assertEqual(self.in_keycrm(product), 12)
        self.assertFalse(product.keycrm_offer_ids.send_error)

    def test_refused_offers_are_isolated_while_stock_is_sent_in_between(self):
        self.keycrm.set_switches(offers_put_unknown="refuse")
        products = self.mapped(8)
        deleted = products[5]
        self.keycrm.delete_offer(deleted.keycrm_offer_ids.keycrm_id)
        for index, product in enumerate(products):
            product.standard_price = 20 + index
        self.account.push_stock = True
        self.env["keycrm.stock.change"]._enqueue_rows([(self.account.id, products[0].id)])
        self.env.cr.flush()
        passes = []
        with self.committing():
            while True:
                self.keycrm.clear_log()
                if not OfferExport(self.account).process():
                    break
                passes.append(len(self.keycrm.requests(method="PUT")))
        # Stock waits for one request at most, however many are needed.
        self.assertEqual(set(passes), {1})
        self.assertGreater(len(passes), 3)
        for index, product in enumerate(products):
            if product != deleted:
                self.assertEqual(self.in_keycrm(product), 20 + index)
        self.assertIn("invalid", deleted.keycrm_offer_ids.send_error)
        self.assertFalse(self.account.sudo().offer_isolation)
        self.assertFalse(self.env["keycrm.offer.change"].search([]))

    def test_value_is_right_after_a_lost_answer(self):
        product = self.mapped()
        product.standard_price = 12
        self.keycrm.add_fault("close", method="PUT", path="/offers", executed=True)
        self.send()
        self.assertEqual(self.in_keycrm(product), 12)
        self.assertEqual(product.keycrm_offer_ids.purchased_price, 12)

    def test_cost_changed_in_keycrm_is_replaced_by_odoos(self):
        product = self.mapped()
        product.standard_price = 12
        self.send()
        offer = product.keycrm_offer_ids
        self.keycrm.patch_offer(offer.keycrm_id, purchased_price=99)
        offer.sudo().values_sent_at = fields.Datetime.now() - timedelta(minutes=5)
        self.arrive(self.new_order([{"offer_id": offer.keycrm_id, "price": 5}]))
        self.assertEqual(len(self.send()), 1)
        self.assertEqual(self.in_keycrm(product), 12)

    # === PREVIEW ===

    def switch_on(self):
        """Switch it on as a user does, and let the worker make the preview."""
        self.account.web_save({"send_cost": True}, {})
        preview = self.env["keycrm.send.preview"].search([], order="id desc", limit=1)
        with self.committing(), open_client(self.account) as client:
            while preview.state == "running":
                PreviewJob(self.account, client).process()
        return preview

    def test_switching_on_shows_a_preview_and_sends_nothing_before_the_choice(self):
        changed, same = self.mapped(2)
        self.account.send_cost = False
        changed.standard_price, same.standard_price = 12, 3
        # One record at a time: orders are processed in between.
        self.enterContext(patch.object(preview_job, "COMPARED", 1))
        preview = self.switch_on()
        self.assertEqual(preview.state, "ready")
        self.assertEqual(preview.line_ids.product_id, changed)
        currency = self.account.keycrm_currency_id or self.company.currency_id
        line = preview.line_ids
        self.assertEqual(
            (line.keycrm_value, line.odoo_value), (currency.format(3), currency.format(12))
        )
        self.assertGreaterEqual(preview.same_count, 1)
        self.assertEqual(self.send(), [])
        changed.standard_price = 13
        self.assertEqual(self.send(), [])
        preview.action_send()
        self.assertEqual([len(rows) for rows in self.send()], [1])
        self.assertEqual(self.in_keycrm(changed), 13)

    def test_preview_without_a_rate_shows_what_keycrm_has(self):
        products = self.mapped(2)
        self.account.send_cost = False
        currency = self.account.keycrm_currency_id = self.env.ref("base.PLN")
        lines = self.switch_on().line_ids.filtered(lambda line: line.product_id in products)
        self.assertEqual(set(lines.mapped("error_code")), {"value_rate_missing"})
        self.assertEqual(lines.mapped("keycrm_value"), [currency.format(3)] * 2)

    def test_button_not_now_sends_nothing(self):
        product = self.mapped()
        self.account.send_cost = False
        product.standard_price = 12
        preview = self.switch_on()
        preview.action_not_now()
        self.assertFalse(self.account.send_cost)
        self.assertEqual(self.send(), [])


class TestRoundedCost(CostCase):
    """The company works in dollars, KeyCRM in hryvnias: costs lose digits when they are imported."""

    @classmethod
    def settle_currency(cls):
        cls.account.keycrm_currency_id = cls.env.ref("base.UAH")
        cls.account.currency_rate = 41.5
        cls.account.action_set_currency_rate()

    def imported(self, cost, **line):
        """Import an open order of a new offer; return its line."""
        number = self.keycrm.create_offer(sku=f"R-{cost}", purchased_price=cost)["id"]
        line = {"offer_id": number, "price": 5, "purchased_price": cost, **line}
        order = self.arrive(self.new_order([line], status_id=self.status(2).keycrm_id))
        return order.order_line.filtered("keycrm_id")

    def test_imported_cost_is_not_sent_back_rounded(self):
        for cost, dollars in {0.3: 0.01, 1: 0.02, 100: 2.41, 999: 24.07}.items():
            product = self.imported(cost).product_id
            self.assertEqual(product.standard_price, dollars)
        self.assertEqual(self.send(), [])
        self.account.sudo().values_checked_on = False
        self.assertEqual(self.send(), [])
        product.standard_price = 24.08
        number = product.keycrm_offer_ids.keycrm_id
        self.assertEqual(self.send(), [[{"id": number, "purchased_price": 999.32}]])

    def test_cost_of_a_line_is_not_sent_back_rounded(self):
        line = self.imported(0.3)
        updates = [("sale_order_id", "=", line.order_id.id)]
        self.assertFalse(self.env["keycrm.order.update"].search(updates))
        OfferExport(self.account).enqueue_orders()
        self.assertEqual(self.send_lines(), [])

    def test_cost_of_a_dozen_is_not_sent_back_rounded(self):
        line = self.imported(0.3, purchased_price=3.6)
        as_bridge(line).product_uom_id = self.env.ref("uom.product_uom_dozen")
        self.assertEqual(self.send_lines(), [])
        line.product_id.standard_price = 0.02
        ((row,),) = self.send_lines()
        self.assertEqual(row["purchased_price"], 9.96)
