"""The cards of the overview: their figures and their number of queries."""

import json
from datetime import timedelta

from odoo.tests import new_test_user

from ..services.account.account_figures import AccountFigures, start_of_day
from ..services.common.api_gateway import open_client
from ..services.orders.order_inbox import OrderInbox
from ..services.workers.bulk_jobs import BulkJobs
from .common import KeycrmCase
from .stock_common import StockCase

LINE = {"name": "Кухоль", "price": 100, "quantity": 2}
CARD = [
    "name",
    "overview_state",
    "circuit_error_text",
    "last_webhook_at",
    "orders_today",
    "waiting_event_count",
    "failed_count",
    "decision_count",
    "unshipped_count",
    "stock_waiting_count",
    "requests_used",
    "requests_allowed",
    "key_is_shared",
    "delay_in_text",
    "delay_out_text",
    "delays_graph",
]


class TestAccountCards(KeycrmCase):
    def cards(self, accounts=None):
        accounts = accounts or self.account
        accounts.invalidate_recordset()
        return accounts.read(CARD)

    def event(self, **vals):
        return self.env["keycrm.event"].create(
            {"account_id": self.account.id, "event": "order.change_order_status", **vals}
        )

    def test_orders_are_counted_by_the_readers_day(self):
        self.env.user.tz = "Pacific/Auckland"
        today, _days, _since, tz = AccountFigures(self.account).days()
        orders = self.arrive(*(self.new_order([LINE]) for _ in range(3)))
        # Half an hour of that day: in UTC it is still the day before.
        orders.date_order = start_of_day(today, tz) + timedelta(minutes=30)
        orders[0].date_order -= timedelta(days=2)
        (card,) = self.cards()
        self.assertEqual(card["orders_today"], 2)
        bars = self.env["keycrm.account"].get_overview_figures()["sales"]["measures"][0]["series"][
            0
        ]["values"]
        self.assertEqual((len(bars), bars[-1], bars[-3]), (14, 2, 1))
        shown = self.env["sale.order"].search(self.account.action_open_orders_today()["domain"])
        self.assertEqual(shown, orders[1:].sorted())

    def test_pending_and_failed_events_lead_to_their_lists(self):
        self.event(keycrm_order_id=1)
        self.event(keycrm_order_id=1)
        self.event(keycrm_order_id=2, state="failed", next_try_at=False)
        self.event(keycrm_order_id=3, state="done", next_try_at=False)
        (card,) = self.cards()
        self.assertEqual((card["waiting_event_count"], card["failed_count"]), (1, 1))
        action = self.account.action_open_failed_events()
        self.assertEqual(action["res_model"], "keycrm.event")
        self.assertTrue(action["context"]["search_default_failed"])

    def test_failed_orders_list_has_as_many_rows_as_its_count(self):
        self.event(keycrm_order_id=900001, state="failed", next_try_at=False)
        newest = self.event(keycrm_order_id=900001, state="failed", next_try_at=False)
        self.event(state="failed", next_try_at=False)  # a message that names no order
        other = self.env["keycrm.account"].create({"name": "Other shop"})
        self.event(account_id=other.id, keycrm_order_id=900002, state="failed")
        for name in ("А", "Б"):
            self.env["product.product"].create({"name": name, "default_code": "TWICE"})
        self.new_order([{**LINE, "sku": "TWICE"}])
        sync = self.env["keycrm.order.sync"].create(
            {"account_id": self.account.id, "status_ids": [(6, 0, self.status(1).ids)]}
        )
        sync.action_start()
        with self.committing():
            BulkJobs(self.account).process()
        self.assertEqual(sync.state, "done")
        (card,) = self.cards()
        shown = self.env["keycrm.event"].search(
            self.account.action_open_failed_orders()["domain"], order="id"
        )
        self.assertEqual(shown, newest + sync.event_ids)
        self.assertEqual(card["failed_count"], len(shown))

    def test_order_imported_by_synchronization_is_no_longer_failed(self):
        number = self.new_order([LINE])
        failed = self.event(keycrm_order_id=number, attempts=9, state="failed", next_try_at=False)
        waiting = self.event(keycrm_order_id=number)
        sync = self.env["keycrm.order.sync"].create(
            {"account_id": self.account.id, "status_ids": [(6, 0, self.status(1).ids)]}
        )
        sync.action_start()
        waiting.next_try_at += timedelta(hours=1)
        with self.committing():
            BulkJobs(self.account).process()
        self.assertEqual((failed.state, waiting.state), ("done", "pending"))
        self.assertEqual(failed.sale_order_id.keycrm_id, number)
        self.assertEqual(self.cards()[0]["failed_count"], 0)

    def test_problem_is_shown_in_the_readers_language(self):
        self.account.write({"circuit_error_code": "unauthorized", "circuit_error_params": {}})
        (card,) = self.cards()
        self.assertEqual(card["overview_state"], "problem")
        self.assertIn("API key", card["circuit_error_text"])
        (card,) = self.cards(self.account.with_context(lang="uk_UA"))
        self.assertIn("API-ключ", card["circuit_error_text"])

    def test_early_429_shows_that_the_key_is_shared(self):
        with open_client(self.account) as client:
            client.page("/order/status")
        (card,) = self.cards()
        self.assertGreaterEqual(card["requests_used"], 1)
        self.assertFalse(card["key_is_shared"])
        rate_limiter = self.env["keycrm.rate.limit"]._rate_limiter(
            self.sandbox.key, self.sandbox.api_url, self.account.request_limit
        )
        self.addCleanup(self._forget_limit)
        rate_limiter.refused(1)
        (card,) = self.cards()
        self.assertTrue(card["key_is_shared"])
        self.assertLess(card["requests_allowed"], self.account.request_limit)

    def _forget_limit(self):
        """The quota has transactions of its own, which the test's rollback does not take back."""
        rate_limiter = self.env["keycrm.rate.limit"]._rate_limiter(
            self.sandbox.key, self.sandbox.api_url, self.account.request_limit
        )
        rate_limiter._apply_to_row(lambda quota, now: (type(quota)(), None))

    def test_latencies_are_shown_as_median_and_maximum(self):
        for seconds in (1, 2, 300):
            self.env["keycrm.latency"]._record(self.account, "in", seconds, 1)
        self.env["keycrm.latency"]._record(self.account, "out", 0.4, 2)
        (card,) = self.cards()
        self.assertEqual(card["delay_in_text"], "typically 2 s, max. 5 min")
        self.assertEqual(card["delay_out_text"], "under 1 s")
        bars = json.loads(card["delays_graph"])[0]["values"]
        self.assertEqual(bars[-1]["value"], 300)

    def test_processed_webhook_records_its_latency(self):
        number = self.new_order([LINE])
        self.receive_webhook(number, status_id=1)
        with self.committing(), open_client(self.account) as client:
            OrderInbox(self.account, client).process()
        latency = self.env["keycrm.latency"].search([("account_id", "=", self.account.id)])
        self.assertEqual((latency.direction, latency.count), ("in", 1))
        self.assertLess(latency.seconds, 60)

    def test_many_accounts_cost_no_more_queries_than_one(self):
        def queries(accounts):
            accounts.invalidate_recordset()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            accounts.read(CARD)
            return self.env.cr.sql_log_count - before

        one = queries(self.account)
        more = self.account
        for index in range(9):
            more |= self.env["keycrm.account"].create({"name": f"Shop {index}"})
        self.assertLessEqual(queries(more), one + 1)
        self.assertLessEqual(one, 26)

    def test_a_salesperson_sees_the_figures_and_no_secret(self):
        seller = new_test_user(self.env, "seller", groups="sales_team.group_sale_salesman")
        (card,) = self.cards(self.account.with_user(seller))
        self.assertEqual(card["overview_state"], "connected")
        self.assertNotIn(self.sandbox.key, json.dumps(card, default=str))


class TestStockCards(StockCase):
    def test_waiting_stock_is_counted_and_its_latency_recorded(self):
        shirt = self.goods("SHIRT")
        self.count(shirt, 5)
        self.env.cr.flush()
        self.account.invalidate_recordset()
        self.assertEqual(self.account.stock_waiting_count, 1)
        self.assertEqual(
            self.env["keycrm.stock.change"]
            .search(self.account.action_open_stock_waiting()["domain"])
            .product_id,
            shirt,
        )
        self.work()
        self.account.invalidate_recordset()
        self.assertEqual(self.account.stock_waiting_count, 0)
        latency = self.env["keycrm.latency"].search([("account_id", "=", self.account.id)])
        self.assertIn("out", latency.mapped("direction"))

    def test_full_export_records_no_latency(self):
        shirt = self.goods("SHIRT")
        self.count(shirt, 5)
        self.work()
        self.env["keycrm.latency"].search([]).unlink()
        self.account.action_push_all_stock()
        self.work()
        self.assertFalse(self.env["keycrm.latency"].search([("direction", "=", "out")]))
