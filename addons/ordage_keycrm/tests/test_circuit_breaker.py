"""KeyCRM fails: nothing is lost or concluded too early, and only the failing work pauses."""

import queue
import select
import threading
import time
from datetime import timedelta
from types import SimpleNamespace
from unittest.mock import Mock, patch

from odoo import fields, sql_db
from odoo.exceptions import ConcurrencyError
from odoo.tools import mute_logger

from ..const import BULK_PAUSES, WORKER_MAX_SLEEP
from ..keycrm import rate_limit_rules
from ..keycrm.errors import KeyCrmError, Refused
from ..models.common.rate_limit import DatabaseRateLimiter
from ..services.common import cron_notify, crons
from ..services.common.api_gateway import open_client
from ..services.common.circuit_breaker import CircuitBreaker
from ..services.common.service import Options
from ..services.orders import order_priorities, webhook_inbox
from ..services.orders.order_inbox import OrderInbox
from ..services.workers import cron_runner
from ..services.workers.bulk_jobs import JOBS
from ..services.workers.order_queue import OrderQueue
from ..services.workers.stock_queue import StockQueue
from .common import KeycrmCase

LINES = [{"name": "Кухоль", "price": 100, "quantity": 2}]
LOG = "odoo.addons.ordage_keycrm.services.common.circuit_breaker"


class TestCircuitBreaker(KeycrmCase):
    forget = True

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Event = cls.env["keycrm.event"]
        cls.Order = cls.env["sale.order"]
        cls.enterClassContext(mute_logger(LOG))

    def setUp(self):
        super().setUp()
        self.stop_polling()
        self.keycrm.clear_log()

    def run_orders_queue(self):
        with self.committing():
            self.env["keycrm.account"]._cron_orders(self.account.id)

    def run_stock_queue(self):
        with self.committing():
            self.env["keycrm.account"]._cron_stock(self.account.id)

    def order(self, number):
        return self.Order.search([("keycrm_id", "=", number)])

    def event(self, number):
        return self.Event.search([("keycrm_order_id", "=", number)])

    def requested_paths(self, path="*"):
        return [row["path"] for row in self.keycrm.requests(path=path)]

    def test_order_with_permanent_concurrency_error_fails_alone(self):
        """What it makes is there already, every time: no other transaction is to blame."""
        bad, good = self.new_order(LINES), self.new_order(LINES)
        importer = type(self.env["keycrm.order.importer"])
        real = importer._import_batch

        def conflict(record, account, orders, import_options):
            if any(order.id == bad for order in orders):
                raise ConcurrencyError("made by another transaction too")
            return real(record, account, orders, import_options)

        self.receive_webhook(bad, good, status_id=1)
        with (
            patch.object(importer, "_import_batch", conflict),
            patch.object(cron_runner.time, "sleep"),
            mute_logger("odoo.addons.ordage_keycrm.services.orders.order_import"),
        ):
            self.run_orders_queue()
        self.assertTrue(self.order(good))
        self.assertEqual(self.event(bad).state, "failed")
        self.assertFalse(self.account.circuit_error_code)

    def pause_is_over(self):
        self.account.circuit_open_until = self.env.cr.now() - timedelta(seconds=1)

    # === ONE FAULTY ORDER ===#

    def test_order_that_keycrm_cannot_return_fails_alone(self):
        for fault in (
            {"kind": "status", "status": 500},
            {"kind": "malformed"},
            {"kind": "html"},
            {"kind": "cut"},
            {"kind": "close"},
        ):
            with self.subTest(**fault):
                bad, good = self.new_order(LINES), self.new_order(LINES)
                self.keycrm.add_fault(path=f"/order/{bad}", times=None, **fault)
                self.receive_webhook(bad, good, status_id=1)
                self.run_orders_queue()
                self.assertTrue(self.order(good))
                self.assertEqual(self.event(bad).state, "failed")
                self.assertTrue(self.event(bad).next_try_at > self.env.cr.now())
                self.assertFalse(self.account.circuit_error_text)
                self.keycrm.clear_faults()
                self.event(bad).action_retry()
                self.run_orders_queue()
                self.assertEqual(self.event(bad).state, "done")

    def test_malformed_order_in_a_list_page_delays_no_other_order(self):
        numbers = [self.new_order(LINES) for _ in range(6)]
        self.keycrm.add_fault("status", path="/order", status=500, times=None)
        self.receive_webhook(*numbers, status_id=1)
        self.run_orders_queue()
        self.assertEqual(self.Order.search_count([("keycrm_id", "in", numbers)]), 6)

    def test_list_whose_answer_breaks_off_delays_no_order(self):
        for kind in ("cut", "close"):
            with self.subTest(kind):
                numbers = [self.new_order(LINES) for _ in range(4)]
                self.keycrm.add_fault(kind, path="/order", times=None)
                self.receive_webhook(*numbers, status_id=1)
                self.run_orders_queue()
                self.keycrm.clear_faults()
                self.assertEqual(self.Order.search_count([("keycrm_id", "in", numbers)]), 4)

    def test_malformed_row_in_a_list_page_delays_no_order(self):
        numbers = [self.new_order(LINES) for _ in range(4)]
        self.keycrm.patch_order(self.new_order(LINES), webhook=False, raw={"id": "nonsense"})
        self.receive_webhook(*numbers, status_id=1)
        self.run_orders_queue()
        self.assertEqual(self.Order.search_count([("keycrm_id", "in", numbers)]), 4)

    def test_unreadable_list_delays_only_orders_that_need_its_new_entries(self):
        self.keycrm.put_source(id=777, name="Особливе")
        odd, good = self.new_order(LINES, source_id=777), self.new_order(LINES)
        self.keycrm.add_fault("status", path="/order/payment-method", status=500, times=None)
        self.receive_webhook(odd, good, status_id=1)
        self.run_orders_queue()
        self.assertTrue(self.order(good))
        self.assertFalse(self.account.circuit_error_text)
        self.assertEqual(self.event(odd).state, "failed")
        self.assertTrue(self.event(odd).next_try_at)
        self.keycrm.clear_faults()
        self.event(odd).action_retry()
        self.run_orders_queue()
        self.assertEqual(self.order(odd).keycrm_source_id.name, "Особливе")

    def test_an_order_of_ten_megabytes_arrives(self):
        number = self.new_order(LINES)
        self.keycrm.add_fault("huge", path=f"/order/{number}", size=10_000_000)
        self.receive_webhook(number, status_id=1)
        self.run_orders_queue()
        self.assertEqual(self.order(number).amount_total, 200)

    def test_order_that_failed_before_is_read_last(self):
        bad, good = self.new_order(LINES), self.new_order(LINES)
        self.receive_webhook(bad, status_id=1)
        self.event(bad).write({"state": "failed", "attempts": 2})
        self.receive_webhook(good, status_id=1)
        self.run_orders_queue()
        self.assertEqual(
            self.requested_paths("/order/*"), [f"/v1/order/{good}", f"/v1/order/{bad}"]
        )

    # === ONE PIECE OF WORK ===#

    def test_unreadable_polling_page_delays_no_webhook(self):
        self.account.polled_at = False
        self.keycrm.add_fault("status", path="/order", status=500, times=None)
        self.run_orders_queue()
        self.assertTrue(self.account.circuit_error_text)
        self.assertFalse(CircuitBreaker(self.account).is_unavailable())
        number = self.new_order(LINES)
        self.receive_webhook(number, status_id=1)
        self.run_orders_queue()
        self.assertTrue(self.order(number))
        # The polling pauses: it is not requested again and again.
        self.assertEqual(self.requested_paths("/order").count("/v1/order"), 3)

    def test_unreadable_page_hides_no_other_order(self):
        numbers = [self.new_order(LINES) for _ in range(12)]
        bad = numbers[4]
        # The page with what orders contain, the part that holds the faulty one, and its row.
        self.keycrm.add_fault("status", path="/order", status=500, times=None, contains="include")
        self.break_parts(5)
        self.keycrm.add_fault("status", path=f"/order/{bad}", status=500, times=None)
        good = [number for number in numbers if number != bad]
        self.account.polled_at = self.cursor("orders").read_until = False
        for _turn in range(3):
            self.assertFalse(self.Order.search([("keycrm_id", "in", numbers)]))
            self.backoff_is_over("polling")
            self.run_orders_queue()
        self.run_orders_queue()
        self.assertEqual(self.Order.search_count([("keycrm_id", "in", good)]), len(good))
        self.assertFalse(self.order(bad))
        self.assertFalse(self.cursor("orders").page)
        self.assertTrue(self.cursor("orders").read_until)

    def test_unreadable_order_list_is_not_passed_over(self):
        number = self.new_order(LINES)
        self.account.polled_at = self.cursor("orders").read_until = False
        self.keycrm.add_fault("status", path="/order", status=500, times=None)
        for _turn in range(6):
            self.backoff_is_over("polling")
            self.run_orders_queue()
        self.assertTrue(CircuitBreaker(self.account).is_open("polling"))
        self.assertFalse(self.cursor("orders").read_until)
        self.keycrm.clear_faults()
        self.backoff_is_over("polling")
        self.run_orders_queue()
        self.assertTrue(self.order(number))

    def test_comparison_of_open_orders_reads_a_faulty_page_in_parts(self):
        self.account.enabled_since = self.env.cr.now() - timedelta(days=1)
        numbers = [self.new_order(LINES, status_id=self.status().keycrm_id) for _ in range(12)]
        self.keycrm.add_fault("status", path="/order", status=500, times=None, contains="limit=50")
        self.break_parts(5)
        self.cursor("open_orders").read_until = self.env.cr.now() - timedelta(hours=2)
        for _turn in range(4):
            self.backoff_is_over("reconciliation")
            self.run_orders_queue()
        self.assertEqual(self.Order.search_count([("keycrm_id", "in", numbers)]), 11)

    def test_synchronization_reads_the_orders_of_a_faulty_page_singly(self):
        numbers = [self.new_order(LINES, status_id=self.status().keycrm_id) for _ in range(12)]
        sync = self.env["keycrm.order.sync"].create(
            {"account_id": self.account.id, "status_ids": self.status().ids}
        )
        sync.action_start()
        self.keycrm.add_fault("status", path="/order", status=500, times=None, contains="include")
        for _turn in range(4):
            self.backoff_is_over("sync")
            self.run_orders_queue()
        self.assertEqual((sync.state, sync.done_count, sync.failed_count), ("done", 12, 0))
        self.assertEqual(self.Order.search_count([("keycrm_id", "in", numbers)]), 12)

    def break_parts(self, row):
        """Let a page of ten and a page of one row be unreadable."""
        for contains, page in (("limit=10&", -(-row // 10)), ("limit=1&", row)):
            self.keycrm.add_fault(
                "status", path="/order", status=500, times=None, contains=contains, page=page
            )

    def backoff_is_over(self, work):
        circuits = dict(self.account.work_circuits or {})
        if work in circuits:
            circuits[work] = {**circuits[work], "until": "2020-01-01 00:00:00"}
            self.account.work_circuits = circuits

    def test_refused_synchronization_does_not_delay_webhooks(self):
        sync = self.env["keycrm.order.sync"].create(
            {"account_id": self.account.id, "status_ids": self.status().ids}
        )
        sync.action_start()
        self.keycrm.add_fault("status", path="/order", status=400, message="No.", times=None)
        self.run_orders_queue()
        self.assertEqual(sync.state, "failed")
        self.assertIn("No.", sync.error)
        number = self.new_order(LINES)
        self.receive_webhook(number, status_id=1)
        self.run_orders_queue()
        self.assertTrue(self.order(number))

    def test_synchronization_with_a_failing_page_pauses_alone_and_resumes(self):
        for reason, fault in (
            ("500", {"kind": "status", "status": 500}),
            ("127.0.0.1", {"kind": "cut"}),
        ):
            with self.subTest(**fault):
                self.synchronize_despite(fault, reason)

    def synchronize_despite(self, fault, reason):
        sync = self.env["keycrm.order.sync"].create(
            {"account_id": self.account.id, "status_ids": self.status().ids}
        )
        sync.action_start()
        self.keycrm.add_fault(path="/order", times=None, **fault)
        self.run_orders_queue()
        self.assertTrue(CircuitBreaker(self.account).is_open("sync"))
        self.assertIn(reason, self.account.circuit_error_text)
        number = self.new_order(LINES)
        self.receive_webhook(number, status_id=1)
        self.run_orders_queue()
        self.assertTrue(self.order(number))
        self.keycrm.clear_faults()
        circuits = dict(self.account.work_circuits)
        circuits["sync"] = {**circuits["sync"], "until": "2020-01-01 00:00:00"}
        self.account.work_circuits = circuits
        self.run_orders_queue()
        self.assertEqual(sync.state, "done")
        self.assertNotIn("sync", self.account.work_circuits or {})

    # === WRONG LISTS ===#

    def test_a_wrong_address_that_answers_404_marks_no_order_as_deleted(self):
        number = self.new_order(LINES)
        order = self.arrive(number)
        self.keycrm.add_fault("status", path="*", status=404, times=None)
        self.receive_webhook(number, status_id=1)
        self.run_orders_queue()
        self.assertFalse(order.keycrm_deleted)
        self.assertEqual(self.event(number).state, "pending")
        self.assertTrue(self.account.circuit_error_text)

    def test_empty_order_list_deletes_no_order_and_reads_only_a_few(self):
        numbers = [self.new_order(LINES) for _ in range(60)]
        self.arrive(*numbers)
        self.cursor("open_orders").read_until = self.env.cr.now() - timedelta(hours=2)
        self.keycrm.clear_log()
        self.keycrm.add_fault("empty_list", path="/order", times=None)
        self.run_orders_queue()
        self.assertFalse(self.Order.search([("keycrm_deleted", "=", True)]))
        self.assertLessEqual(len(self.requested_paths()), 60)

    def test_empty_list_does_not_move_the_polling_window(self):
        number = self.new_order(LINES)
        before = self.env.cr.now() - timedelta(minutes=10)
        self.account.polled_at = False
        self.cursor("orders").read_until = before
        self.keycrm.add_fault("empty_list", path="/order", times=1)
        self.run_orders_queue()
        self.assertFalse(self.order(number))
        self.account.polled_at = False
        self.run_orders_queue()
        self.assertTrue(self.order(number))

    def test_an_endless_list_that_repeats_itself_ends(self):
        self.account.polled_at = False
        self.cursor("orders").read_until = self.env.cr.now() - timedelta(minutes=10)
        for _ in range(3):
            self.new_order(LINES)
        self.keycrm.add_fault("endless_next", path="/order", repeat=True, times=None)
        self.run_orders_queue()
        self.assertEqual(self.Order.search_count([("keycrm_id", "!=", 0)]), 3)
        self.assertLessEqual(len(self.requested_paths("/order")), 2)

    def test_page_that_skips_rows_is_completed_by_a_second_read(self):
        numbers = [self.new_order(LINES, status_id=1) for _ in range(60)]
        sync = self.env["keycrm.order.sync"].create(
            {"account_id": self.account.id, "status_ids": self.status().ids}
        )
        sync.action_start()
        self.keycrm.add_fault("skip_rows", path="/order", page=2, rows=4, times=1)
        self.run_orders_queue()
        self.assertEqual((sync.state, sync.done_count, sync.pass_number), ("done", 60, 2))
        self.assertEqual(self.Order.search_count([("keycrm_id", "in", numbers)]), 60)

    def test_page_that_repeats_rows_duplicates_no_order(self):
        numbers = [self.new_order(LINES, status_id=1) for _ in range(60)]
        sync = self.env["keycrm.order.sync"].create(
            {"account_id": self.account.id, "status_ids": self.status().ids}
        )
        sync.action_start()
        self.keycrm.add_fault("repeat_rows", path="/order", page=2, rows=4, times=1)
        self.run_orders_queue()
        self.assertEqual((sync.state, sync.pass_number), ("done", 1))
        self.assertEqual(self.Order.search_count([("keycrm_id", "in", numbers)]), 60)

    # === KEYCRM AS A WHOLE ===#

    def test_unavailable_account_sends_one_probe_per_pause_from_one_queue(self):
        self.keycrm.add_fault("status", status=503, times=None)
        self.receive_webhook(self.new_order(LINES), status_id=1)
        self.run_orders_queue()
        pauses = []
        for _ in range(4):
            pauses.append(self.account.circuit_open_until - self.env.cr.now())
            self.keycrm.clear_log()
            self.run_orders_queue()
            self.run_stock_queue()
            self.assertEqual(self.requested_paths(), [], "paused")
            self.pause_is_over()
            self.run_orders_queue()
            self.run_stock_queue()
            self.assertEqual(self.requested_paths(), ["/v1/order/status"])
        # The seconds that the test takes do not count.
        self.assertEqual([round(pause.total_seconds(), -1) for pause in pauses], [30, 60, 60, 60])

    def test_end_of_a_pause_triggers_both_queues(self):
        crons = self.account.orders_cron_id | self.account.stock_cron_id
        domain = [("cron_id", "in", crons.ids), ("call_at", ">", self.env.cr.now())]
        self.env["ir.cron.trigger"].search(domain).unlink()
        self.keycrm.add_fault("status", status=503, times=None)
        self.receive_webhook(self.new_order(LINES), status_id=1)
        self.run_orders_queue()
        triggers = self.env["ir.cron.trigger"].search(domain)
        self.assertEqual(triggers.cron_id, crons)
        latest = self.account.circuit_open_until + timedelta(seconds=1)
        self.assertTrue(all(trigger.call_at <= latest for trigger in triggers))

    def test_repeated_failure_pauses_work_for_one_minute_at_most(self):
        for name, most in (("polling", 60), ("stock", 60), ("sync", 600)):
            with self.committing():
                for _ in range(6):
                    CircuitBreaker(self.account).open(name, Refused("refused", status=400))
            until = fields.Datetime.to_datetime(self.account.work_circuits[name]["until"])
            self.assertEqual((until - self.env.cr.now()).total_seconds() // 1, most - 1)

    def test_button_acts_at_once_while_the_circuit_breaker_is_open(self):
        number = self.new_order(LINES)
        order = self.arrive(number)
        self.receive_webhook(number, status_id=1)
        self.event(number).write({"state": "failed", "next_try_at": False})
        for press in (
            lambda: self.event(number)[:1].action_retry(),
            order.action_keycrm_refresh,
            self.account.action_allow_zeros,
            self.account.action_resume_stock,
        ):
            until = self.env.cr.now() + timedelta(seconds=50)
            rest = {"count": 3, "until": str(until), "code": "refused", "params": {}}
            self.account.write(
                {
                    "circuit_error_code": "unreachable",
                    "circuit_failures": 4,
                    "circuit_open_until": until,
                    "work_circuits": {"stock": rest},
                }
            )
            press()
            self.assertFalse(CircuitBreaker(self.account).is_unavailable())
            self.assertFalse(CircuitBreaker(self.account).is_open("stock"))
            self.keycrm.clear_log()
            self.run_orders_queue()
            self.assertEqual(self.requested_paths()[:1], ["/v1/order/status"], "one probe first")
            self.assertFalse(self.account.circuit_error_code)

    def test_answer_to_a_button_ends_the_pause(self):
        until = self.env.cr.now() + timedelta(seconds=50)
        self.account.write(
            {
                "circuit_error_code": "unreachable",
                "circuit_failures": 4,
                "circuit_open_until": until,
            }
        )
        self.account.action_refresh_statuses()
        self.assertFalse(self.account.circuit_error_code)
        self.assertFalse(CircuitBreaker(self.account).is_unavailable())

    def test_outage_of_orders_alone_is_retried_each_minute(self):
        number = self.new_order(LINES)
        self.keycrm.add_fault("status", path=f"/order/{number}", status=500, times=None)
        self.receive_webhook(number, status_id=1)
        event = self.event(number)
        for _ in range(8):
            event.next_try_at = self.env.cr.now()
            self.run_orders_queue()
            self.assertEqual(event.state, "failed")
            self.assertLessEqual(
                event.next_try_at, self.env.cr.now() + timedelta(seconds=60), event.attempts
            )
        self.keycrm.clear_faults()
        event.next_try_at = self.env.cr.now()
        self.run_orders_queue()
        self.assertTrue(self.order(number))

    def test_queue_sends_no_probe_that_the_other_queue_claimed(self):
        self.account.write({"circuit_error_code": "unreachable", "circuit_failures": 1})
        self.pause_is_over()
        with self.committing():
            self.assertTrue(CircuitBreaker(self.account)._claim_probe())
            self.assertFalse(CircuitBreaker(self.account)._claim_probe())

    def test_key_withdrawn_during_a_run_loses_nothing_that_was_read(self):
        numbers = [self.new_order(LINES) for _ in range(2)]
        self.keycrm.add_fault("status", path=f"/order/{numbers[1]}", status=401, times=1)
        self.receive_webhook(*numbers, status_id=1)
        self.run_orders_queue()
        self.assertTrue(self.order(numbers[0]))
        self.assertEqual(self.event(numbers[1]).state, "pending")
        self.assertTrue(self.account.circuit_error_text)
        self.pause_is_over()
        self.keycrm.clear_log()
        self.run_orders_queue()
        self.assertTrue(self.order(numbers[1]))
        self.assertNotIn(f"/v1/order/{numbers[0]}", self.requested_paths())

    def test_a_new_key_ends_the_pause_at_once(self):
        self.account.write(
            {
                "circuit_error_code": "unauthorized",
                "circuit_failures": 3,
                "circuit_open_until": self.env.cr.now() + timedelta(minutes=10),
            }
        )
        self.account.api_key = self.sandbox.key
        self.assertFalse(self.account.circuit_error_text)
        self.assertFalse(CircuitBreaker(self.account).is_unavailable())

    # === WAITING HOLDS NO WORKER ===#

    def test_webhook_of_paused_account_triggers_no_worker(self):
        crons = self.account.orders_cron_id | self.account.stock_cron_id
        triggers = self.env["ir.cron.trigger"]
        before = triggers.search_count([("cron_id", "in", crons.ids)])
        until = self.env.cr.now() + timedelta(minutes=3)
        self.account.write({"circuit_error_code": "unreachable", "circuit_open_until": until})
        number = self.new_order(LINES)
        self.receive_webhook(number, status_id=1)
        webhook_inbox.receive(self.account, [{"offer_id": 1}])
        self.assertEqual(triggers.search_count([("cron_id", "in", crons.ids)]), before)
        self.account.write({"circuit_error_code": False, "circuit_open_until": False})
        self.receive_webhook(self.new_order(LINES), status_id=1)
        self.assertEqual(triggers.search_count([("cron_id", "in", crons.ids)]), before + 1)
        self.run_orders_queue()
        self.assertTrue(self.order(number))

    def test_slow_keycrm_releases_the_worker_between_two_orders(self):
        first, second = self.new_order(LINES), self.new_order(LINES)
        self.receive_webhook(first, second, status_id=1)
        # The deadline has passed at the first check.
        options = Options(deadline=1.0)
        with self.committing(), open_client(self.account) as client:
            inbox = OrderInbox(self.account, client, options)
            self.assertEqual(inbox.process(), {first})
            self.assertEqual(self.event(second).state, "pending")
            self.assertEqual(inbox.process(), {second})

    def block_quota(self, delay):
        """Block the rate limiter of the account for some seconds, with an order pending."""
        self.addCleanup(self.reset_quota)
        self.reset_quota()
        self.receive_webhook(self.new_order(LINES), status_id=1)
        with open_client(self.account) as client:
            client._rate_limiter.refused(delay)

    def later_triggers(self):
        cron = self.account.orders_cron_id
        domain = [("cron_id", "=", cron.id), ("call_at", ">", self.env.cr.now())]
        return self.env["ir.cron.trigger"].search(domain)

    def test_short_wait_for_the_quota_is_no_busy_loop(self):
        self.block_quota(1.9)
        slept = []
        with patch.object(cron_runner.time, "sleep", slept.append):
            self.run_orders_queue()
        # Before the request, and once more before the trigger, which is then due at once.
        self.assertGreater(sum(slept), 3)
        self.assertFalse(self.later_triggers())

    def test_long_wait_for_the_quota_holds_no_thread(self):
        self.block_quota(15)
        slept = []
        with patch.object(cron_runner.time, "sleep", slept.append):
            self.run_orders_queue()
        self.assertFalse([second for second in slept if second >= 1])
        self.assertEqual(len(self.later_triggers()), 1)

    def test_delayed_trigger_is_notified_when_it_is_due(self):
        notifications = []
        cron = self.account.orders_cron_id
        with patch.object(cron_notify, "notify", lambda *args: notifications.append(args)):
            cron._keycrm_trigger(15.0)
            self.env.cr.postcommit.run()
        due = self.later_triggers().call_at - self.env.cr.now()
        self.assertEqual(notifications, [(self.env.cr.dbname, due.total_seconds(), cron.ids)])
        self.assertTrue(timedelta(seconds=15) <= due <= timedelta(seconds=16), due)

    def test_several_notifications_at_once_notify_schedulers_once(self):
        with sql_db.db_connect("postgres").cursor() as cr:
            cr.execute("LISTEN cron_trigger")
            cr.commit()
            one = cron_notify.CronNotifier(cron_notify._notify_schedulers)
            for delay in (0.05, 0.45, 0.45, 0.05):
                one.notify("a database", delay)
            notified = []
            for _ in range(40):
                select.select([cr._cnx], [], [], 0.05)
                cr._cnx.poll()
                notified += [row for row in cr._cnx.notifies if row.payload == "a database"]
                cr._cnx.notifies.clear()
        self.assertTrue(2 <= len(notified) <= 3, notified)
        self.assertIsNone(one._thread, "no thread is left when nothing waits")

    def test_move_checks_no_trigger_if_a_notification_is_scheduled(self):
        notified, was_notified = [], threading.Event()
        one = cron_notify.CronNotifier(lambda *args: (notified.append(args), was_notified.set()))
        one.notify("a database", 1.0, [1, 2])
        for database, cron_ids in (("a database", [3]), ("another", [1])):
            one.notify(database, cron_ids=cron_ids)
            self.assertTrue(was_notified.wait(30), "no notification for these")
            was_notified.clear()
        one.notify("a database", cron_ids=[2])
        self.assertTrue(was_notified.wait(30))
        expected = [("a database", (3,)), ("another", (1,)), ("a database", ())]
        self.assertEqual(notified, expected, "the later one, for all that was written until then")

    def test_first_move_is_notified_at_once_and_later_ones_together(self):
        self.enterContext(patch.object(cron_notify, "MIN_INTERVAL", 2.0))
        notified = queue.Queue()
        one = cron_notify.CronNotifier(lambda *args: notified.put((time.monotonic(), *args)))
        begun = time.monotonic()
        one.notify("a database", cron_ids=[1])
        self.assertEqual(notified.get(timeout=30)[1:], ("a database", (1,)))
        for _ in range(5):
            one.notify("a database", cron_ids=[1])
        one.notify("a database", cron_ids=[2])
        self.assertEqual(notified.get(timeout=30)[2], (2,), "another's are not late")
        again, *args = notified.get(timeout=30)
        self.assertEqual(args, ["a database", (1,)])
        self.assertGreaterEqual(again - begun, cron_notify.MIN_INTERVAL)
        one.notify("a database", cron_ids=[1])
        self.assertGreaterEqual(notified.get(timeout=30)[0] - begun, 2 * cron_notify.MIN_INTERVAL)
        self.assertTrue(notified.empty())

    def test_later_moves_are_left_to_a_run_that_debounces(self):
        self.enterContext(patch.object(cron_notify, "MIN_INTERVAL", 2.0))
        notified = queue.Queue()
        one = cron_notify.CronNotifier(lambda *args: notified.put(args))
        one.notify("a database", cron_ids=[1])
        self.assertEqual(notified.get(timeout=30), ("a database", (1,)))
        one.notify("a database", cron_ids=[1])
        one.notify("a database", cron_notify.MIN_INTERVAL + 0.5, [1])
        self.assertEqual(notified.get(timeout=30), ("a database", ()), "one, for all")
        one.notify("a database", cron_ids=[1])
        self.assertEqual(notified.get(timeout=30), ("a database", (1,)), "what came after it")
        self.assertTrue(notified.empty())

    def test_much_later_notification_delays_no_move(self):
        notified = queue.Queue()
        one = cron_notify.CronNotifier(lambda *args: notified.put(args))
        one.notify("a database", 300.0, [1])
        one.notify("a database", cron_ids=[1])
        self.assertEqual(notified.get(timeout=30), ("a database", (1,)))

    def test_commit_succeeds_when_no_notification_thread_can_start(self):
        notified, was_notified = [], threading.Event()
        one = cron_notify.CronNotifier(lambda *args: (notified.append(args), was_notified.set()))
        start = Mock(side_effect=RuntimeError("can't start new thread"))
        full = SimpleNamespace(Thread=lambda **_options: SimpleNamespace(start=start))
        with patch.object(cron_notify, "threading", full):
            one.notify("a database", cron_ids=[1])
        self.assertTrue(start.called)
        self.assertFalse(notified)
        one.notify("a database", cron_ids=[1])
        self.assertTrue(was_notified.wait(30))
        self.assertEqual(notified, [("a database", (1,))])

    def test_schedulers_are_notified_if_pending_triggers_cannot_be_read(self):
        connected, connect = [], sql_db.db_connect

        def broken(dbname):
            connected.append(dbname)
            if dbname != "postgres":
                raise ConnectionError("the pool is full")
            return connect(dbname)

        with patch.object(cron_notify.sql_db, "db_connect", broken):
            cron_notify._notify_schedulers(self.env.cr.dbname, self.account.stock_cron_id.ids)
        self.assertEqual(connected, [self.env.cr.dbname, "postgres"])

    def test_commit_of_a_move_notifies_in_a_background_thread(self):
        crons, notifications = self.account.stock_cron_id, []
        with patch.object(
            cron_notify, "notify", lambda dbname, cron_ids: notifications.append((dbname, cron_ids))
        ):
            crons._keycrm_trigger(coalesce=True)
            self.assertFalse(notifications, "no notification before the commit")
            self.env.cr.postcommit.run()
        self.assertEqual(notifications, [(self.env.cr.dbname, crons.ids)])

    def test_notification_is_skipped_only_if_each_action_has_a_trigger(self):
        crons = self.account.orders_cron_id | self.account.stock_cron_id
        self.enterContext(patch.object(cron_notify, "SOON_SECONDS", 600.0))

        def add_trigger(cron, minutes):
            # By the clock: this test's transaction began with the first test of its class.
            at = fields.Datetime.now() + timedelta(minutes=minutes)
            self.env["ir.cron.trigger"].create({"cron_id": cron.id, "call_at": at})
            self.env.cr.flush()

        add_trigger(crons[1], -1)
        self.assertFalse(crons._is_due_soon(), "a running job may already have consumed it")
        add_trigger(crons[0], 5)
        self.assertTrue(crons[0]._is_due_soon())
        self.assertFalse(crons._is_due_soon(), "the other one would wait for a minute")
        add_trigger(crons[1], 15)
        self.assertFalse(crons._is_due_soon(), "that is not soon")
        add_trigger(crons[1], 5)
        self.assertTrue(crons._is_due_soon())

        connected = []
        connect = sql_db.db_connect

        def record_connection(dbname):
            connected.append(dbname)
            return connect(dbname)

        # Its own connection sees nothing of this test's transaction: no trigger is due there.
        with patch.object(cron_notify.sql_db, "db_connect", record_connection):
            cron_notify._notify_schedulers(self.env.cr.dbname, crons.ids)
            self.assertEqual(connected.pop(), "postgres")
            with patch.object(cron_notify, "are_due_soon", lambda cr, cron_ids: True):
                cron_notify._notify_schedulers(self.env.cr.dbname, crons.ids)
            self.assertNotIn("postgres", connected)

    # === A LOW LIMIT ===#

    def low_limit(self, limit, used=0):
        """Let the account have a low limit; for a request that waits for quota the time has passed.

        :param used: live requests that left a moment ago
        :return: list that takes the seconds of each wait within a run
        """
        self.addCleanup(self.reset_quota)
        self.reset_quota()
        self.account.request_limit = limit
        self.ahead, slept = 0.0, []
        locked_row, begun = DatabaseRateLimiter._locked_row, time.time()

        def later(rate_limiter, cr):
            # On a slow machine time would pass without a wait.
            row = locked_row(rate_limiter, cr)
            return (*row[:-1], begun + self.ahead)

        def sleep(seconds):
            slept.append(seconds)
            self.ahead += seconds

        self.patch(DatabaseRateLimiter, "_locked_row", later)
        self.patch(cron_runner.time, "sleep", sleep)
        with open_client(self.account, max_wait=1000) as client:
            for _ in range(used):
                client._rate_limiter.acquire("live")
        slept.clear()
        return slept

    def runs_until(self, is_done, most=12, queue=None):
        """Run a queue until a condition holds; between two runs the requested pause passes.

        :param queue: the orders queue by default
        :return: how often it ran
        """

        waits = []

        def let_pause_pass(_runner, _queue, wait):
            waits.append(wait)
            self.ahead += wait

        with patch.object(cron_runner.CronRunner, "reschedule", let_pause_pass):
            for number in range(1, most + 1):
                (queue or self.run_orders_queue)()
                if is_done():
                    return number
        self.fail(f"not done after {most} runs: {self.requested_paths()}; pauses: {waits}")

    def test_synchronization_ends_however_low_the_limit_is(self):
        offer = self.keycrm.create_offer(name="Річ", sku="LOW-1", price=5)["id"]
        number = self.new_order([{"offer_id": offer}], status_id=1)
        for limit in (5, 20, 28):
            with self.subTest(limit):
                sync = self.env["keycrm.order.sync"].create(
                    {"account_id": self.account.id, "status_ids": self.status().ids}
                )
                sync.action_start()
                self.low_limit(limit)
                self.keycrm.clear_log()
                self.runs_until(lambda sync=sync: sync.state == "done")
                self.assertEqual(
                    self.requested_paths("/order"), ["/v1/order"], "a page is read once"
                )
        self.assertTrue(self.order(number))

    def test_orders_of_new_products_arrive_under_a_low_limit_and_are_read_once(self):
        numbers = []
        for name in ("LOW-2", "LOW-3"):
            offer = self.keycrm.create_offer(name=name, sku=name, price=5)["id"]
            numbers.append(self.new_order([{"offer_id": offer}]))
        self.low_limit(20, used=10)
        self.receive_webhook(*numbers, status_id=1)
        self.runs_until(lambda: all(self.order(number) for number in numbers))
        self.assertEqual(
            sorted(self.requested_paths("/order/*")), [f"/v1/order/{n}" for n in numbers]
        )

    def test_orders_already_read_are_written_before_waiting_for_quota(self):
        numbers = [self.new_order(LINES), self.new_order(LINES)]
        slept = self.low_limit(20, used=10)
        self.receive_webhook(*numbers, status_id=1)
        self.runs_until(lambda: all(self.order(number) for number in numbers))
        self.assertLess(max(slept, default=0), WORKER_MAX_SLEEP)

    def test_comparison_waiting_for_quota_holds_no_scheduler_thread(self):
        for number in range(60):
            self.keycrm.create_offer(sku=f"LOW-PAGE-{number}")
        slept = self.low_limit(5)
        preview = self.env["keycrm.stock.comparison"]._start(self.account, "preview")
        self.runs_until(lambda: preview.state == "ready", queue=self.run_stock_queue)
        self.assertGreater(preview.next_page, 2)
        self.assertLess(max(slept, default=0), WORKER_MAX_SLEEP)

    def test_unreadable_order_fails_alone_under_a_low_limit(self):
        bad, good = self.new_order(LINES), self.new_order(LINES)
        self.keycrm.add_fault("status", path=f"/order/{bad}", status=500, times=None)
        self.low_limit(20, used=10)
        self.receive_webhook(bad, good, status_id=1)
        self.runs_until(lambda: self.order(good) and self.event(bad).state == "failed")
        self.assertFalse(self.account.circuit_error_text)

    def test_end_of_a_pause_triggers_the_queue_of_the_work(self):
        def names_of_work(service):
            names = []
            with (
                patch.object(CircuitBreaker, "run", lambda _self, name, _work: names.append(name)),
                self.committing(),
                open_client(self.account) as client,
            ):
                service(self.account, client).process()
            return names

        Trigger = self.env["ir.cron.trigger"]
        breaker = CircuitBreaker(self.account)
        for own_queue, service in ((crons.STOCK, StockQueue), (crons.ORDERS, OrderQueue)):
            names = names_of_work(service)
            self.assertGreater(len(names), 1)
            for name in names:
                Trigger.search([]).unlink()
                with self.committing():
                    breaker.open(name, KeyCrmError("timed_out"))
                triggered = Trigger.search([]).cron_id
                self.assertEqual(triggered, crons.scheduled_actions(self.account, own_queue), name)

    def test_bulk_work_that_fails_again_pauses_for_minutes(self):
        breaker = CircuitBreaker(self.account)
        for name in JOBS:
            with self.committing():
                for _ in BULK_PAUSES:
                    breaker.open(name, KeyCrmError("timed_out"))
            until = fields.Datetime.to_datetime(self.account.sudo().work_circuits[name]["until"])
            pause = until - self.env.cr.now()
            self.assertGreater(pause, timedelta(seconds=BULK_PAUSES[-1] - 2), name)

    def test_probe_without_quota_is_not_counted_as_failure(self):
        deleted = self.new_order(LINES)
        self.keycrm.add_fault("status", path=f"/order/{deleted}", status=404, times=None)
        self.keycrm.add_fault("status", path="/order/status", status=429, times=1)
        self.addCleanup(self.reset_quota)
        self.receive_webhook(deleted, status_id=1)
        self.run_orders_queue()
        self.assertFalse(CircuitBreaker(self.account).is_unavailable())
        self.assertFalse(self.account.circuit_error_text)
        self.assertEqual(self.event(deleted).state, "pending")
        self.reset_quota()
        self.run_orders_queue()
        self.assertNotEqual(self.event(deleted).state, "pending")

    def test_live_order_is_read_before_waiting_bulk_work(self):
        number, paths = self.order_beside_bulk_work()
        self.assertEqual(paths[0], f"/v1/order/{number}")
        self.assertIn("/v1/offers", paths)

    def test_live_orders_do_not_defer_bulk_work_for_ever(self):
        order_priorities.InboxState.for_account(self.account).bulk_since = float("-inf")
        number, paths = self.order_beside_bulk_work()
        self.assertEqual(paths[0], "/v1/offers")
        self.assertIn(f"/v1/order/{number}", paths)

    def order_beside_bulk_work(self):
        """Let an order arrive while bulk work waits; return its number and the requests."""
        product = self.env["product.product"].create({"name": "X", "default_code": "BULK-WAITS"})
        action = product.action_keycrm_create()
        self.env["keycrm.product.export"].browse(action["res_id"]).action_start()
        number = self.new_order(LINES)
        self.low_limit(60)
        with open_client(self.account, rate_limit_rules.BULK) as client:
            client.reserve()
        self.keycrm.clear_log()

        def sleep(seconds):
            self.ahead += seconds
            if not self.event(number):
                self.receive_webhook(number, status_id=1)

        self.patch(cron_runner.time, "sleep", sleep)
        self.run_orders_queue()
        return number, self.requested_paths()

    def test_clock_set_back_delays_requests_by_one_window_at_most(self):
        self.low_limit(20)
        self.ahead = 4000.0
        with open_client(self.account, max_wait=65) as client:
            for _ in range(15):
                client._rate_limiter.acquire("live")
            self.ahead = 0.0
            for _ in range(10):
                client._rate_limiter.acquire("live")
        self.assertLess(self.ahead, 65)

    def test_one_key_has_one_quota_however_its_address_is_spelled(self):
        digest = self.env["keycrm.rate.limit"]._digest
        one = digest("key", "https://openapi.keycrm.app/v1")
        for address in (
            "HTTPS://OpenAPI.keycrm.app/v1",
            "https://openapi.keycrm.app/v1//",
            "https://openapi.keycrm.app:443/v1",
            "https://openapi.keycrm.app./v1",
            "https://openapi.keycrm.app/./v1",
            "https://openapi.keycrm.app/%761#v1",
        ):
            self.assertEqual(digest("key", address), one)
        self.assertNotEqual(digest("key", "https://openapi.keycrm.app/v2"), one)

    def reset_quota(self):
        with sql_db.db_connect(self.env.cr.dbname).cursor() as cr:
            cr.execute("DELETE FROM keycrm_rate_limit")
