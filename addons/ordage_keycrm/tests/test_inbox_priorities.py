"""A long inbox keeps no new order waiting: requests are counted on a clock that only they move."""

from datetime import timedelta
from types import SimpleNamespace

from odoo import sql_db
from odoo.tools import SQL

from ..keycrm import client
from ..models.common import rate_limit
from ..models.common.rate_limit import DatabaseRateLimiter
from ..services.common import service
from ..services.orders import order_inbox, order_priorities
from ..services.orders.order_enrichment import OrderEnrichment
from ..services.workers import cron_runner
from .common import KeycrmCase

BACKLOG = 5000
#: Numbers below that of the newest known order, of which KeyCRM has no order.
FIRST, NEWEST = 100_000, 1_000_000
#: Updates of orders that wait to be sent.
UPDATES = 60
LINES = [{"name": "Кухоль", "price": 100, "quantity": 1}]
#: Seconds within which a new order comes, by requests a minute.
BOUNDS = {60: 15, 20: 45}


class TestInboxPriorities(KeycrmCase):
    forget = True

    def setUp(self):
        super().setUp()
        self.account.poll_minutes = 60
        self.stop_polling()
        self.account.request_limit = 60
        self.reset_quota()
        self.addCleanup(self.reset_quota)
        self.ahead = 0.0
        locked_row, changed = DatabaseRateLimiter._locked_row, DatabaseRateLimiter._apply_to_row

        def later(rate_limiter, cr):
            *row, clock = locked_row(rate_limiter, cr)
            return (*row, clock + self.ahead)

        def sleep(seconds):
            self.ahead += seconds

        self.patch(DatabaseRateLimiter, "_locked_row", later)
        self.patch(DatabaseRateLimiter, "_apply_to_row", changed)
        # Not the functions of ``time`` themselves: the event loop of the sandbox uses them too.
        clock = SimpleNamespace(monotonic=lambda: self.ahead, sleep=sleep)
        for module in (client, cron_runner, order_priorities, rate_limit, service):
            self.patch(module, "time", clock)

        def let_pause_pass(_runner, _queue, wait):
            self.ahead += wait

        self.patch(cron_runner.CronRunner, "reschedule", let_pause_pass)

    def reset_quota(self):
        with sql_db.db_connect(self.env.cr.dbname).cursor() as cr:
            cr.execute("DELETE FROM keycrm_rate_limit")

    def run_queue(self):
        before = self.ahead
        with self.committing():
            self.env["keycrm.account"]._cron_orders(self.account.id)
        if self.ahead == before:
            # Nothing was waited for; the clock goes on all the same.
            self.ahead += 1

    def fill(self, numbers, event="order.change_order_status", **fields):
        """Put events into the inbox, with one statement: there are thousands."""
        vals = {
            "account_id": self.account.id,
            "event": event,
            "from_webhook": event.startswith("order."),
            "received_at": self.env.cr.now() - timedelta(minutes=30),
            "next_try_at": self.env.cr.now(),
            "state": "pending",
            "attempts": 0,
            **fields,
        }
        columns = SQL(", ").join(map(SQL.identifier, vals))
        self.env.cr.execute(
            SQL(
                "INSERT INTO keycrm_event (keycrm_order_id, %s) SELECT number, %s FROM unnest(%s) number",
                columns,
                SQL(", ").join(SQL("%s", value) for value in vals.values()),
                list(numbers),
            )
        )

    def import_newest_order(self):
        """Let Odoo have an order with a high number: new webhooks may be of orders that it has."""
        order = self.arrive(self.new_order(LINES))
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE sale_order SET keycrm_id = %s WHERE id = %s", [NEWEST, order.id]
        )
        self.env.invalidate_all()

    def order(self, number):
        return self.env["sale.order"].search([("keycrm_id", "=", number)])

    def seconds_until_imported(self, number):
        """:return: seconds of the clock until an order is there"""
        begun = self.ahead
        for _run in range(200):
            self.run_queue()
            if self.order(number):
                return self.ahead - begun
        self.fail(f"order {number} did not come within {self.ahead - begun:.0f} s")

    def assertArrivesSoon(self, limit):
        """Expect that new orders arrive within their time, wherever the workers are in the backlog."""
        self.account.request_limit = limit
        begun = self.ahead
        while self.ahead < begun + 65:
            # The window is full then.
            self.run_queue()
        for _ in range(3):
            number = self.new_order(LINES)
            self.receive_webhook(number)
            seconds = self.seconds_until_imported(number)
            self.assertLessEqual(seconds, BOUNDS[limit])

    def test_invented_order_numbers_delay_no_new_order(self):
        known = self.new_order(LINES)
        self.arrive(known)
        for limit, first in ((60, known + 10_000), (20, known + 900_000)):
            with self.subTest(limit=limit):
                self.fill(range(first, first + BACKLOG))
                self.assertArrivesSoon(limit)

    def test_invented_order_numbers_cost_few_requests(self):
        known = self.new_order(LINES)
        self.arrive(known)
        self.fill(range(known + 10_000, known + 10_000 + BACKLOG))
        self.fill(range(known + 1, known + 400))
        self.keycrm.clear_log()
        for _ in range(10):
            self.run_queue()
            # Numbers that are not listed yet are looked up again until they count as unknown.
            self.env["keycrm.event"].search([("state", "=", "pending")]).write(
                {"next_try_at": self.env.cr.now(), "received_at": self.env.cr.now() - timedelta(1)}
            )
            self.ahead += 60
        self.assertFalse(self.env["keycrm.event"].search_count([("state", "=", "pending")]))
        self.assertLessEqual(len(self.keycrm.requests(path="/order*")), 5)

    def test_number_that_is_not_listed_yet_is_looked_up_again(self):
        known = self.new_order(LINES)
        self.arrive(known)
        self.fill(range(known + 1, known + 9), received_at=self.env.cr.now())
        self.run_queue()
        events = self.env["keycrm.event"].search([("keycrm_order_id", ">", known)])
        self.assertEqual(set(events.mapped("state")), {"pending"})
        self.assertTrue(all(event.next_try_at > self.env.cr.now() for event in events))
        numbers = [self.new_order(LINES) for _ in range(8)]
        events.next_try_at = self.env.cr.now()
        self.ahead += 60
        self.run_queue()
        self.assertEqual(set(events.mapped("state")), {"done"})
        self.assertTrue(all(self.order(number) for number in numbers))

    def test_a_list_that_is_not_sorted_as_requested_makes_no_order_unknown(self):
        known = self.new_order(LINES)
        self.arrive(known)
        numbers = [self.new_order(LINES) for _ in range(6)]
        self.keycrm.add_fault("empty_list", path="/order", times=None)
        self.receive_webhook(*numbers)
        for _ in range(6):
            self.run_queue()
            self.ahead += 10
        self.assertTrue(all(self.order(number) for number in numbers))

    def test_updates_of_thousands_of_orders_delay_no_new_order(self):
        self.import_newest_order()
        # No list contains them: they were updated long ago, or do not exist.
        self.fill(range(FIRST, FIRST + BACKLOG))
        for limit in BOUNDS:
            with self.subTest(limit=limit):
                self.assertArrivesSoon(limit)

    def test_refreshes_and_retries_delay_no_new_order(self):
        self.import_newest_order()
        self.fill(range(FIRST, FIRST + 3000), event="odoo.refresh")
        self.fill(
            range(FIRST + 3000, FIRST + BACKLOG),
            attempts=2,
            state="failed",
            error_code="server_trouble",
        )
        for limit in BOUNDS:
            with self.subTest(limit=limit):
                self.assertArrivesSoon(limit)

    def test_oldest_webhook_of_a_backlog_is_processed_soon(self):
        self.import_newest_order()
        oldest = self.new_order(LINES)
        self.receive_webhook(oldest)
        self.fill(range(FIRST, FIRST + 300))
        self.assertLess(self.seconds_until_imported(oldest), 15)

    def test_long_inbox_is_read_from_lists_under_a_low_limit(self):
        self.account.request_limit = 20
        numbers = self.report_changes(300)
        self.patch(order_inbox, "INBOX_BATCH", 50)
        domain = [("keycrm_id", "in", numbers)]
        for _run in range(40):
            self.run_queue()
            if self.env["sale.order"].search_count(domain) == 300:
                break
        self.assertEqual(self.env["sale.order"].search_count(domain), 300)
        self.assertLessEqual(len(self.keycrm.requests()), 14)

    def test_webhook_received_after_the_list_was_read_is_processed(self):
        """Otherwise an order of a long inbox keeps the status that it had on the list."""
        numbers = self.report_changes(8)
        self.patch(order_inbox, "INBOX_BATCH", 4)
        first = {order.number for order in self.env["keycrm.event"]._waiting(self.account, 4)}
        changed = next(number for number in numbers if number not in first)
        enrich, changes = OrderEnrichment.enrich, [changed]

        def change(enrichment, orders, **options):
            if changes and changed in [order.id for order in orders]:
                self.keycrm.patch_order(changes.pop(), status_id=3, bump=False, webhook=False)
                self.receive_webhook(changed)
            return enrich(enrichment, orders, **options)

        self.patch(OrderEnrichment, "enrich", change)
        for _run in range(5):
            self.run_queue()
        self.assertFalse(changes)
        self.assertEqual(self.order(changed).keycrm_status_id.keycrm_id, 3)
        self.assertEqual(set(self.env["keycrm.event"].search([]).mapped("state")), {"done"})

    def test_unknown_number_is_not_requested_again_at_once(self):
        self.import_newest_order()
        unknown = FIRST
        self.receive_webhook(unknown)
        self.run_queue()
        self.keycrm.clear_log()
        for _ in range(5):
            self.receive_webhook(unknown)
            self.run_queue()
        self.assertFalse(self.keycrm.requests(path=f"/order/{unknown}"))
        events = self.env["keycrm.event"].search([("keycrm_order_id", "=", unknown)])
        self.assertEqual(set(events.mapped("state")), {"ignored"})
        events[0].action_retry()
        self.run_queue()
        self.assertEqual(len(self.keycrm.requests(path=f"/order/{unknown}")), 1, "a user's button")

    def test_order_whose_number_was_forged_earlier_arrives_at_once(self):
        known = self.new_order(LINES)
        self.arrive(known)
        for _ in range(3):
            self.receive_webhook(known + 1)
            self.run_queue()
            self.ahead += 10
        number = self.new_order(LINES)
        self.assertEqual(number, known + 1)
        self.receive_webhook(number)
        self.assertLess(self.seconds_until_imported(number), 15)

    def test_polling_and_status_updates_have_their_turn_in_a_backlog(self):
        lost = self.new_order(LINES)
        self.import_newest_order()
        self.fill(range(FIRST, FIRST + BACKLOG))
        self.account.polled_at = False
        self.cursor("orders").read_until = False
        self.assertLess(self.seconds_until_imported(lost), 60)

    def test_orders_that_failed_in_an_outage_are_retried_by_one_first(self):
        numbers = [self.new_order(LINES) for _ in range(20)]
        for number in numbers:
            self.keycrm.add_fault("status", path=f"/order/{number}", status=500, times=None)
        self.fill(numbers, attempts=1, state="failed", error_code="server_trouble")
        self.run_queue()
        tried = {row["path"] for row in self.keycrm.requests(path="/order/*")}
        self.assertEqual(len(tried - {"/v1/order/status"}), 1)
        self.keycrm.clear_faults()
        self.env["keycrm.event"].search([]).next_try_at = self.env.cr.now()
        for _ in range(10):
            self.run_queue()
        self.assertTrue(all(self.order(number) for number in numbers))

    def test_many_updates_do_not_stop_polling_for_new_orders(self):
        orders = self.env["sale.order"].union(
            *(self.arrive(self.new_order(LINES)) for _ in range(UPDATES))
        )
        self.account.send_tracking = True
        self.account.kinds_to_preview = False
        self.env["keycrm.order.update"]._enqueue_orders("tracking", orders)
        waiting = [("state", "=", "pending"), ("sale_order_id", "in", orders.ids)]
        self.assertEqual(self.env["keycrm.order.update"].search_count(waiting), UPDATES)
        # No webhook is sent for it.
        number = self.new_order(LINES)
        self.account.polled_at = self.env.cr.now() - timedelta(hours=2)
        self.account.request_limit = 20
        self.assertLessEqual(self.seconds_until_imported(number), BOUNDS[20])
        self.assertGreater(self.env["keycrm.order.update"].search_count(waiting), UPDATES / 2)
