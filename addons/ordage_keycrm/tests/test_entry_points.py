"""How orders arrive: inbox, polling, synchronization, reconciliation of open orders."""

from datetime import timedelta

from odoo import fields, sql_db
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import new_test_user
from odoo.tools import mute_logger

from ..services.common.activities import administrators
from ..services.common.api_gateway import open_client
from ..services.common.circuit_breaker import CircuitBreaker
from ..services.orders import webhook_inbox
from ..services.orders.order_inbox import OrderInbox
from ..services.orders.order_polling import OrderPolling
from ..services.orders.order_writer import OrderWriter
from ..services.workers.bulk_jobs import BulkJobs
from ..services.workers.order_queue import OrderQueue
from .common import KeycrmCase

LINES = [{"name": "Кухоль", "price": 100, "quantity": 2}]


class TestEntryPoints(KeycrmCase):
    forget = True

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Event = cls.env["keycrm.event"]
        cls.Order = cls.env["sale.order"]

    def setUp(self):
        super().setUp()
        # Polling is not due: only what a test is about imports orders.
        self.account.polled_at = fields.Datetime.now()

    def work(self, service=OrderInbox):
        with self.committing(), open_client(self.account) as client:
            return service(self.account, client).process()

    def order(self, number):
        return self.Order.search(
            [("keycrm_account_id", "=", self.account.id), ("keycrm_id", "=", number)]
        )

    def reads(self):
        return [r["path"] for r in self.keycrm.requests() if r["path"].startswith("/v1/order")]

    # === INBOX ===#

    def test_repeated_webhooks_of_an_order_are_read_once(self):
        number = self.new_order(LINES)
        for _ in range(5):
            self.receive_webhook(number, status_id=1)
        self.keycrm.clear_log()
        self.work()
        self.assertEqual(self.reads(), [f"/v1/order/{number}"])
        self.assertEqual(set(self.Event.search([]).mapped("state")), {"done"})
        self.assertEqual(len(self.order(number)), 1)

    def test_many_orders_are_read_in_pages(self):
        numbers = [self.new_order(LINES) for _ in range(30)]
        for number in numbers:
            self.receive_webhook(number, status_id=1)
        self.keycrm.clear_log()
        self.work()
        self.assertEqual(len(self.order(numbers[0]) | self.order(numbers[-1])), 2)
        self.assertEqual(self.Order.search_count([("keycrm_id", "in", numbers)]), 30)
        self.assertLessEqual(len(self.reads()), 3)

    def test_failed_order_is_deferred_with_its_reason_alone(self):
        good, bad = self.new_order(LINES), self.new_order([{**LINES[0], "sku": "TWICE"}])
        for name in ("А", "Б"):
            self.env["product.product"].create({"name": name, "default_code": "twice "})
        self.receive_webhook(good, status_id=1)
        self.receive_webhook(bad, status_id=1)
        self.work()
        self.assertTrue(self.order(good))
        self.assertFalse(self.order(bad))
        event = self.Event.search([("keycrm_order_id", "=", bad)])
        self.assertEqual(event.state, "failed")
        self.assertIn("TWICE", event.error)
        self.assertTrue(event.next_try_at > self.env.cr.now())
        self.assertIn("TWICE", event.with_context(lang="uk_UA").error)

    def test_failed_event_retried_by_a_user_becomes_done(self):
        number = self.new_order([{**LINES[0], "sku": "TWICE"}])
        twins = [
            self.env["product.product"].create({"name": n, "default_code": "TWICE"}) for n in "АБ"
        ]
        self.receive_webhook(number, status_id=1)
        self.work()
        event = self.Event.search([("keycrm_order_id", "=", number)])
        twins[0].default_code = "ONCE"
        event.action_retry()
        self.work()
        self.assertEqual((event.state, event.sale_order_id), ("done", self.order(number)))

    def test_retries_use_backoff_and_end_with_an_activity(self):
        number = self.new_order([{**LINES[0], "sku": "TWICE"}])
        for name in ("А", "Б"):
            self.env["product.product"].create({"name": name, "default_code": "TWICE"})
        self.receive_webhook(number, status_id=1)
        event = self.Event.search([("keycrm_order_id", "=", number)])
        pauses = []
        for _ in range(6):
            event.next_try_at = self.env.cr.now()
            self.work()
            if event.next_try_at:
                pauses.append(event.next_try_at - self.env.cr.now())
        self.assertEqual(pauses, sorted(pauses))
        self.assertEqual(len(pauses), 5)
        self.assertEqual((event.state, event.next_try_at, event.attempts), ("failed", False, 6))
        activities = self.account.activity_ids
        self.assertEqual(len(activities), 1)
        self.assertIn(str(number), activities.summary)
        self.assertIn("TWICE", activities.note)
        self.env["product.product"].search([("default_code", "=", "TWICE")])[0].default_code = "ONE"
        self.receive_webhook(number, status_id=1)
        self.work()
        self.assertEqual(event.state, "done")
        self.assertFalse(self.account.activity_ids)

    def test_only_finished_events_are_cleared_after_the_retention_time(self):
        old = fields.Datetime.now() - timedelta(days=100)
        kept = []
        for state, moment in (
            ("done", old),
            ("ignored", old),
            ("failed", old),
            ("pending", old),
            ("done", fields.Datetime.now()),
        ):
            event = self.Event.create(
                {
                    "account_id": self.account.id,
                    "event": "x",
                    "state": state,
                    "received_at": moment,
                    "next_try_at": moment if state == "pending" else False,
                }
            )
            if state in ("failed", "pending") or moment != old:
                kept.append(event.id)
        self.account._gc_finished()
        self.assertEqual(sorted(self.Event.search([]).ids), kept)

    def test_only_finished_jobs_are_deleted_after_the_retention_time(self):
        runs = {}
        for name in ("keycrm.order.sync", "keycrm.product.import", "keycrm.stock.comparison"):
            states = ["running", "done", "done"]
            if name == "keycrm.stock.comparison":
                states = ["failed", "done", "done"]
            runs[name] = self.env[name].create(
                [{"account_id": self.account.id, "state": state} for state in states]
            )
            self.env.flush_all()
            self.env.cr.execute(
                f"UPDATE {runs[name]._table} SET create_date = now() - interval '100 days'"
            )
        self.env.invalidate_all()
        self.account.keep_days = 0
        self.account._gc_finished()
        self.assertEqual([len(found.exists()) for found in runs.values()], [3, 3, 3])
        self.account.keep_days = 90
        self.account._gc_finished()
        left = [found.exists().mapped("state") for found in runs.values()]
        self.assertEqual(left, [["running"], ["running", "done"], ["failed", "done"]])

    def test_very_long_retention_keeps_all_events(self):
        other = self.account.create({"name": "Other", "keep_days": 1})
        event = {"event": "order.change_order_status", "state": "done", "next_try_at": False}
        event["received_at"] = self.env.cr.now() - timedelta(days=1000)
        kept = self.Event.create({**event, "account_id": self.account.id})
        old = self.Event.create({**event, "account_id": other.id})
        self.env["keycrm.latency"]._record(self.account, "in", 1, 1)
        self.account.keep_days = 999999
        self.env.flush_all()
        self.account._gc_finished()
        self.env["keycrm.latency"]._gc_old()
        self.assertEqual(kept.exists(), kept)
        self.assertFalse(old.exists())

    def test_activity_is_assigned_to_an_active_user(self):
        users = [
            new_test_user(
                self.env,
                login=login,
                groups="base.group_user,ordage_keycrm.group_manager",
                company_id=self.company.id,
            )
            for login in ("seller", "responsible")
        ]
        order = self.arrive(self.new_order(LINES))
        seller, order.user_id = users[0], users[0]
        responsible, self.account.user_id = users[1], users[1]
        admin = self.env.ref("base.user_admin")
        # Administrators that existed before the test are not considered.
        administrators(self.account).filtered(
            lambda user: user not in [*users, admin]
        ).active = False
        event = self.Event.create(
            {"account_id": self.account.id, "event": "odoo.refresh", "sale_order_id": order.id}
        )
        for person, leaves in ((seller, seller), (responsible, responsible), (admin, admin)):
            order._keycrm_schedule_activity(person.login, f"To be seen by {person.login}", ["Why"])
            self.assertEqual(order.activity_ids[-1:].user_id, person)
            order.activity_ids.unlink()
            event.write({"state": "failed", "error_code": "not_found", "error_params": {}})
            event._update_activity()
            self.assertEqual(order.activity_ids.user_id, person)
            order.activity_ids.unlink()
            leaves.active = False
        seller.active = True
        order.user_id = responsible
        order._keycrm_schedule_activity("code", "To be seen by an administrator", ["Why"])
        self.assertEqual(order.activity_ids.user_id, seller)

    def test_quantities_of_the_last_preview_are_not_cleared(self):
        choices = ("send", "opening", False, False)
        runs = self.env["keycrm.stock.comparison"].create(
            [{"account_id": self.account.id, "state": "done", "choice": c} for c in choices]
        )
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE keycrm_stock_comparison SET create_date = now() - interval '100 days'"
        )
        self.env.invalidate_all()
        self.account.keep_days = 90
        self.account._gc_finished()
        self.assertEqual(runs.exists(), runs[1] | runs[3])

    def test_unexpected_error_is_recorded_and_stops_no_scheduled_action(self):
        self.patch(OrderInbox, "process", lambda *_args: 1 / 0)
        with (
            self.committing(),
            mute_logger("odoo.addons.ordage_keycrm.services.common.circuit_breaker"),
        ):
            self.env["keycrm.account"]._cron_orders(self.account.id)
        self.assertIn("ZeroDivisionError", self.account.circuit_error_text)
        self.assertTrue(CircuitBreaker(self.account).is_open("orders"))
        self.account.action_test_connection()
        self.assertFalse(self.account.circuit_error_text)

    def reset_quota(self):
        with sql_db.db_connect(self.env.cr.dbname).cursor() as cr:
            cr.execute("DELETE FROM keycrm_rate_limit")

    def test_429_without_a_time_is_waited_out_and_is_no_problem(self):
        # The quota is kept beside the test's transaction; the next test needs a fresh one.
        self.addCleanup(self.reset_quota)
        number = self.new_order(LINES)
        self.receive_webhook(number, status_id=1)
        self.keycrm.set_switches(retry_after="no")
        self.keycrm.add_fault("status", path="/order/*", status=429, times=1)
        with self.committing():
            self.env["keycrm.account"]._cron_orders(self.account.id)
        self.assertFalse(self.account.circuit_error_text)
        event = self.Event.search([("keycrm_order_id", "=", number)])
        self.assertEqual(event.state, "pending")
        later = self.env["ir.cron.trigger"].search(
            [("cron_id", "=", self.account.orders_cron_id.id)], order="call_at desc", limit=1
        )
        self.assertGreater(later.call_at, self.env.cr.now())

    def test_unknown_status_is_read_with_its_order(self):
        self.keycrm.put_status(id=777, name="Особливий", group_id=3)
        number = self.new_order(LINES, status_id=777)
        self.receive_webhook(number, status_id=1)
        self.work()
        self.assertEqual(self.order(number).keycrm_status_id.name, "Особливий")
        self.assertEqual(self.order(number).state, "sale")

    # === WHAT IS NOT AN ORDER ===#

    def test_any_event_of_an_order_with_a_number_is_read(self):
        names = ("order.created", "order.edited", "order.payment.added", "order.x")
        for name in names:
            number = self.new_order(LINES)
            self.receive_webhook(number, event=name, status_id=1)
            self.work()
            self.assertTrue(self.order(number), name)
            event = self.Event.search([("keycrm_order_id", "=", number)])
            self.assertEqual((event.state, event.event, event.event_name), ("done", name, name))

    def test_other_events_are_kept_and_ignored(self):
        for payload in (
            {"event": "lead.change_lead_status", "context": {"id": 1}},
            {"event": "order.change_order_status", "context": {"id": "abc"}},
            {"event": "order.change_order_status", "context": {"id": 10**12}},
            {"event": "order.change_order_status"},
            {"event": "order.created", "context": {"id": None}},
            {"event": "orders.changed", "context": {"id": 1}},
            {"event": "", "context": {"id": 1}},
            "text",
            7,
            None,
            {},
        ):
            webhook_inbox.receive(self.account, payload)
        events = self.Event.search([])
        self.assertEqual(len(events), 11)
        self.assertEqual(set(events.mapped("state")), {"ignored"})
        self.assertFalse(self.work())

    # === CATCH-UP ===#

    def poll(self):
        self.account.polled_at = False
        while self.work(OrderPolling):
            self.work()

    def test_with_all_webhooks_lost_orders_still_arrive(self):
        self.cursor("orders").read_until = fields.Datetime.now() - timedelta(minutes=10)
        numbers = [self.new_order(LINES) for _ in range(70)]
        self.poll()
        self.assertEqual(self.Order.search_count([("keycrm_id", "in", numbers)]), 70)
        self.keycrm.clear_log()
        self.poll()
        self.assertFalse([path for path in self.reads() if path != "/v1/order"])

    def test_orders_deleted_between_two_pages_hide_no_other(self):
        self.account.polled_at = False
        self.cursor("orders").read_until = fields.Datetime.now() - timedelta(minutes=10)
        numbers = [self.new_order(LINES) for _ in range(105)]
        self.work(OrderPolling)
        for number in numbers[:10]:
            self.keycrm.delete_order(number)
        self.poll_to_the_end()
        self.assertEqual(self.Order.search_count([("keycrm_id", "in", numbers)]), 105)

    def poll_to_the_end(self):
        while self.cursor("orders").page:
            self.work(OrderPolling)

    def updated_orders(self, count, seconds):
        """Make orders that were updated so many seconds apart, the first one five minutes ago."""
        self.account.polled_at = False
        begun = fields.Datetime.now() - timedelta(minutes=5)
        self.cursor("orders").read_until = begun - timedelta(minutes=5)
        numbers = [self.new_order(LINES) for _ in range(count)]
        for place, number in enumerate(numbers):
            at = begun + timedelta(seconds=place * seconds)
            self.keycrm.patch_order(number, updated_at=f"{at:%Y-%m-%d %H:%M:%S}", webhook=False)
        return numbers

    def test_order_edited_between_two_pages_hides_no_other(self):
        numbers = self.updated_orders(60, seconds=2)
        # KeyCRM's clock behind Odoo's, so that the edited order stays in the window for long.
        self.addCleanup(self.keycrm.set_clock, 0)
        self.keycrm.set_clock(offset_seconds=-60)
        self.work(OrderPolling)
        self.keycrm.patch_order(numbers[6], manager_comment="Нове", webhook=False)
        self.poll_to_the_end()
        self.assertEqual(self.Order.search_count([("keycrm_id", "in", numbers)]), 60)
        self.assertEqual(self.order(numbers[6]).keycrm_manager_comment, "Нове")

    def test_updates_of_one_second_on_several_pages_are_all_read(self):
        numbers = self.updated_orders(120, seconds=0)
        self.work(OrderPolling)
        self.keycrm.clear_log()
        self.poll_to_the_end()
        self.assertEqual(self.Order.search_count([("keycrm_id", "in", numbers)]), 120)
        self.assertLessEqual(len(self.reads()), 3)

    def test_account_of_an_earlier_version_gets_its_cursors(self):
        names = self.account.sudo().cursor_ids.mapped("name")
        self.account.sudo().cursor_ids.unlink()
        for _ in range(2):
            self.env["keycrm.sync.cursor"].init()
        self.account.invalidate_recordset()
        self.assertCountEqual(self.account.sudo().cursor_ids.mapped("name"), names)

    def test_polling_finds_changes_and_respects_skipped_statuses(self):
        self.cursor("orders").read_until = fields.Datetime.now() - timedelta(minutes=10)
        skipped = self.status(2)
        skipped.order_action = "skip"
        number = self.new_order(LINES)
        skipped_order = self.new_order(LINES, status_id=skipped.keycrm_id)
        self.poll()
        self.assertTrue(self.order(number))
        self.assertFalse(self.order(skipped_order))
        self.keycrm.patch_order(number, manager_comment="Нове", webhook=False)
        self.poll()
        self.assertEqual(self.order(number).keycrm_manager_comment, "Нове")

    def shipped_parcel(self, minutes, status=4, **fields_):
        """Make an order that came to its status so many minutes before now."""
        number = self.new_order(LINES, status_id=self.status(status).keycrm_id, **fields_)
        at = fields.Datetime.now() - timedelta(minutes=minutes)
        raw = {"status_changed_at": at.isoformat() + "Z"}
        self.keycrm.patch_order(number, raw=raw, webhook=False)
        return number

    def test_parcels_shipped_just_before_enabling_are_not_shipped_again(self):
        self.cursor("orders").read_until = False
        shipped = [self.shipped_parcel(5, group) for group in (4, 5)]
        open_one = self.shipped_parcel(5, 3)
        # Enabled while KeyCRM is unavailable: what was shipped since then is shipped with Odoo.
        since = self.shipped_parcel(-1)
        self.poll()
        for number in shipped:
            self.assertTrue(self.order(number).keycrm_skip_delivery)
            self.assertFalse(self.order(number).picking_ids)
        self.assertTrue(self.order(open_one).picking_ids)
        self.assertTrue(self.order(since).picking_ids)

    def test_webhook_before_the_first_polling_ships_no_earlier_parcel(self):
        key = self.second_key()
        vals = {"name": "New", "api_key": key, "api_url": self.account.api_url}
        self.account.enabled = False
        for enable in ("create", "write"):
            account = self.env["keycrm.account"].create({**vals, "enabled": enable == "create"})
            account.enabled = True
            self.assertFalse(account.polled_at)
            account.action_refresh_statuses()
            shipped, since = self.shipped_parcel(60 * 24 * 30), self.shipped_parcel(-1)
            made = self.new_order(LINES, status_id=self.status(4).keycrm_id)
            before = (fields.Datetime.now() - timedelta(days=30)).isoformat() + "Z"
            raw = {"status_changed_at": None, "created_at": before}
            self.keycrm.patch_order(made, raw=raw, webhook=False)
            for number in (shipped, since, made):
                payload = {"event": "order.change_payment_status", "context": {"id": number}}
                webhook_inbox.receive(account, payload)
            with self.committing(), open_client(account) as client:
                while OrderInbox(account, client).process():
                    pass
            orders = self.Order.search([("keycrm_account_id", "=", account.id)])
            by_number = {order.keycrm_id: order for order in orders}
            for number in (shipped, made):
                self.assertTrue(by_number[number].keycrm_skip_delivery, enable)
                self.assertFalse(by_number[number].picking_ids)
            self.assertTrue(by_number[since].picking_ids)
            account.write({"enabled": False, "api_key": False})

    def test_order_shipped_before_that_failed_in_first_poll_stays_shipped(
        self,
    ):
        twins = self.env["product.product"].create(
            [{"name": name, "default_code": "TWICE"} for name in ("А", "Б")]
        )
        sent = self.status(4)
        number = self.new_order([{**LINES[0], "sku": "TWICE"}], status_id=sent.keycrm_id)
        before = fields.Datetime.now() - timedelta(minutes=5)
        changed = {"status_changed_at": before.isoformat() + "Z"}
        self.keycrm.patch_order(number, raw=changed, webhook=False)
        self.cursor("orders").read_until = False
        self.poll()
        self.assertFalse(self.order(number))
        twins[1].default_code = "ONCE"
        self.Event.search([("keycrm_order_id", "=", number)]).action_retry()
        self.work()
        self.assertTrue(self.order(number).keycrm_skip_delivery)
        self.assertFalse(self.order(number).picking_ids, "it is not shipped again")

    def test_order_shipped_before_and_changed_weeks_later_stays_shipped(self):
        sent, now = self.status(4), fields.Datetime.now()
        orders = []
        for at in (now - timedelta(days=30), now):
            number = self.new_order(LINES, status_id=sent.keycrm_id)
            changed = {"status_changed_at": at.isoformat() + "Z"}
            self.keycrm.patch_order(number, raw=changed, webhook=False)
            self.receive_webhook(number, event="order.change_payment_status", status_id=1)
            orders.append(number)
        self.account.enabled_since = now - timedelta(days=20)
        self.work()
        before, since = map(self.order, orders)
        self.assertTrue(before.keycrm_skip_delivery)
        self.assertFalse(before.picking_ids)
        self.assertTrue(since.picking_ids)

    def test_shipped_statuses_of_a_synchronization_apply_to_old_orders(self):
        sent = self.status(4)
        number = self.new_order(LINES, status_id=sent.keycrm_id)
        self.account.enabled_since = fields.Datetime.now() + timedelta(days=1)
        sync = self.sync(sent)
        sync.shipped_status_ids = False
        self.run_to_end(sync)
        self.assertTrue(self.order(number).picking_ids)

    def compare_open_orders(self):
        self.cursor("open_orders").read_until = fields.Datetime.now() - timedelta(hours=2)
        while self.work(OrderQueue):
            pass

    def test_reconciliation_finds_a_status_change_without_updated_at(self):
        self.keycrm.set_switches(updated_at_on_status="not")
        number, deleted = self.new_order(LINES), self.new_order(LINES)
        self.arrive(number, deleted)
        self.keycrm.set_status(number, self.status(3).keycrm_id, webhook=False)
        self.keycrm.delete_order(deleted)
        self.compare_open_orders()
        self.assertEqual(self.order(number).state, "sale")
        self.assertTrue(self.order(deleted).keycrm_deleted)
        self.keycrm.set_switches(updated_at_on_status="bumped")

    def test_reconciliation_finds_merged_buyers_without_updated_at(self):
        kept = self.keycrm.create_buyer(full_name="Лишається")["id"]
        merged = self.keycrm.create_buyer(full_name="Зникає")["id"]
        other = self.keycrm.create_buyer(full_name="Стороння")["id"]
        order = self.arrive(self.new_order(LINES, client_id=merged))
        self.arrive(self.new_order(LINES, client_id=other))
        self.keycrm.merge_buyers(kept, merged)
        self.compare_open_orders()
        self.assertEqual(order.keycrm_client_id, kept)
        events = self.Event.search([("event", "=", "odoo.reconcile")])
        self.assertEqual(events.mapped("keycrm_order_id"), [order.keycrm_id])

    # === SYNCHRONISE ===#

    def sync(self, statuses, **vals):
        sync = self.env["keycrm.order.sync"].create(
            {"account_id": self.account.id, "status_ids": statuses.ids, **vals}
        )
        sync.action_start()
        return sync

    def run_to_end(self, sync):
        for _ in range(50):
            if sync.state != "running":
                return
            self.work(OrderQueue)
        self.fail("the synchronization does not end")

    def test_synchronization_imports_each_order_of_its_statuses_once(self):
        chosen, other = self.status(1), self.status(4)
        wanted = [self.new_order(LINES, status_id=chosen.keycrm_id) for _ in range(60)]
        self.new_order(LINES, status_id=other.keycrm_id)
        sync = self.sync(chosen)
        self.run_to_end(sync)
        self.assertEqual((sync.state, sync.total_count, sync.done_count), ("done", 60, 60))
        self.assertEqual((sync.created_count, sync.failed_count, sync.progress), (60, 0, 100))
        found = self.Order.search([("keycrm_account_id", "=", self.account.id)])
        self.assertEqual(sorted(found.mapped("keycrm_id")), wanted)
        again = self.sync(chosen)
        self.run_to_end(again)
        self.assertEqual((again.created_count, again.updated_count), (0, 60))

    def test_failed_order_does_not_stop_a_synchronization_and_is_listed(self):
        for name in ("А", "Б"):
            self.env["product.product"].create({"name": name, "default_code": "TWICE"})
        numbers = [self.new_order(LINES), self.new_order([{**LINES[0], "sku": "TWICE"}])]
        sync = self.sync(self.status(1))
        self.run_to_end(sync)
        self.assertEqual((sync.created_count, sync.failed_count), (1, 1))
        self.assertEqual(sync.event_ids.keycrm_order_id, numbers[1])
        self.assertIn("TWICE", sync.event_ids.error)

    def sync_with_a_failing_parcel(self):
        """:return: number of an order in delivery that could not be written, since its SKU is there twice"""
        self.env["product.product"].create(
            [{"name": name, "default_code": "TWICE"} for name in ("А", "Б")]
        )
        sent = self.status(4)
        number = self.new_order([{**LINES[0], "sku": "TWICE"}], status_id=sent.keycrm_id)
        sync = self.sync(sent)
        self.assertEqual(sync.shipped_status_ids, sent)
        self.run_to_end(sync)
        self.assertEqual(sync.failed_count, 1)
        self.env["product.product"].search([("name", "=", "Б")]).default_code = "ONCE"
        return number

    def test_order_shipped_before_that_failed_in_a_sync_stays_shipped(self):
        number = self.sync_with_a_failing_parcel()
        self.Event.search([("keycrm_order_id", "=", number)]).action_retry()
        self.work()
        self.assertTrue(self.order(number).keycrm_skip_delivery)
        self.assertFalse(self.order(number).picking_ids, "it is not shipped again")

    def test_order_that_failed_in_a_sync_and_ships_later_takes_stock(self):
        number = self.sync_with_a_failing_parcel()
        later = fields.Datetime.now() + timedelta(hours=1)
        self.keycrm.patch_order(
            number, raw={"status_changed_at": later.isoformat() + "Z"}, webhook=False
        )
        self.Event.search([("keycrm_order_id", "=", number)]).action_retry()
        self.work()
        self.assertTrue(self.order(number).picking_ids)

    def test_parcel_paid_during_a_sync_is_not_shipped_again(self):
        sent = self.status(4)
        before = {"created_at": "2026-01-10T10:00:00Z", "ordered_at": "2026-01-10T10:00:00Z"}
        number = self.new_order(LINES, status_id=sent.keycrm_id, **before)
        sync = self.sync(sent)
        live = self.new_order(LINES, status_id=self.status(3).keycrm_id)
        self.receive_webhook(number, event="order.change_payment_status", status_id=1)
        self.receive_webhook(live, status_id=1)
        self.work()
        self.assertEqual(sync.state, "running")
        self.assertTrue(self.order(number).keycrm_skip_delivery)
        self.assertFalse(self.order(number).picking_ids, "it is not shipped again")
        self.assertTrue(self.order(live).picking_ids)

    def test_orders_that_change_status_during_a_sync_hide_no_other(self):
        """The rest of the list moves forward by as many: the run steps back."""
        numbers = [self.new_order(LINES) for _ in range(105)]
        sync = self.sync(self.status(1))
        with self.committing():
            BulkJobs(self.account).process()
        self.assertEqual(sync.page, 2)
        self.keycrm.set_statuses(numbers[:10], self.status(2).keycrm_id, webhook=False)
        self.run_to_end(sync)
        self.assertEqual(self.Order.search_count([("keycrm_id", "in", numbers)]), 105)
        self.assertEqual((sync.pass_number, sync.failed_count), (1, 0), "no second pass was needed")

    def test_synchronization_respects_its_dates(self):
        self.new_order(LINES, ordered_at="2026-01-10T10:00:00Z", created_at="2026-01-10T10:00:00Z")
        kept = self.new_order(
            LINES, ordered_at="2026-02-10T10:00:00Z", created_at="2026-02-10T10:00:00Z"
        )
        sync = self.sync(
            self.status(1), date_from="2026-02-01 00:00:00", date_to="2026-03-01 00:00:00"
        )
        self.run_to_end(sync)
        self.assertEqual(sync.created_count, 1)
        self.assertTrue(self.order(kept))

    def test_synchronization_can_be_stopped(self):
        self.new_order(LINES)
        sync = self.sync(self.status(1))
        sync.action_cancel()
        self.assertEqual(sync.state, "canceled")
        self.work(OrderQueue)
        self.assertFalse(self.Order.search([("keycrm_account_id", "=", self.account.id)]))

    def test_live_change_wins_over_the_older_page_of_a_sync(self):
        # Of orders that are to be confirmed sixteen are written at a time.
        status = self.status(3)
        numbers = [self.new_order(LINES, status_id=status.keycrm_id) for _ in range(20)]
        sync = self.sync(status)
        keycrm, receive_webhook = self.keycrm, self.receive_webhook
        write = OrderWriter.write_orders
        parts = []

        def spy(writer, read, events, **options):
            if not parts:
                # While the page's first part is written, the last order changes in KeyCRM.
                keycrm.patch_order(numbers[-1], manager_comment="Пізніше", webhook=False)
                receive_webhook(numbers[-1], status_id=1)
            parts.append(list(read))
            return write(writer, read, events, **options)

        self.patch(OrderWriter, "write_orders", spy)
        self.run_to_end(sync)
        self.assertEqual(self.order(numbers[-1]).keycrm_manager_comment, "Пізніше")
        self.assertEqual(parts[1], [numbers[-1]])
        self.assertNotIn(numbers[-1], parts[2])

    def test_synchronization_needs_statuses_and_an_enabled_account(self):
        sync = self.env["keycrm.order.sync"].create({"account_id": self.account.id})
        with self.assertRaises(UserError):
            sync.action_start()
        self.account.enabled = False
        sync.status_ids = self.status(1)
        with self.assertRaises(UserError):
            sync.action_start()


class TestAccount(KeycrmCase):
    def test_the_key_is_never_shown_again(self):
        manager = new_test_user(self.env, "keycrm-boss", groups="ordage_keycrm.group_manager")
        account = self.account.with_user(manager)
        account.invalidate_recordset()
        self.assertNotIn("key", account.read(["api_key"])[0]["api_key"])
        shown = account.api_key
        account.write({"api_key": shown})
        self.assertEqual(self.account._api_key(), self.sandbox.key)
        with self.assertRaises(AccessError):
            account.read(["api_key_secret"])
        self.assertNotIn(self.sandbox.key, str(account.read()))
        exported = self.account.with_user(self.env.ref("base.user_admin")).export_data(["api_key"])
        self.assertNotIn(self.sandbox.key, str(exported))

    def test_wrong_key_is_reported_in_a_sentence(self):
        self.account.api_key = "wrong"
        with self.assertRaisesRegex(UserError, "API key"):
            self.account.action_test_connection()
        with self.assertRaisesRegex(UserError, "API-ключ"):
            self.account.with_context(lang="uk_UA").action_test_connection()

    def test_wrong_address_is_reported_in_a_sentence(self):
        for address, words in (
            ("http://127.0.0.1:9/v1", "does not respond"),
            (self.sandbox.url, "does not respond"),
        ):
            self.account.write({"api_url": address, "api_key": self.sandbox.key})
            with self.assertRaisesRegex(UserError, words):
                self.account.action_test_connection()
        for address in ("ftp://x", "nonsense", "http://[::1"):
            with self.assertRaises(ValidationError):
                self.account.api_url = address

    def test_valid_key_is_confirmed(self):
        answer = self.account.action_test_connection()
        self.assertEqual(answer["params"]["type"], "success")
        self.assertTrue(self.account.action_refresh_warehouses())

    def test_account_without_a_key_cannot_be_enabled(self):
        with self.assertRaises(ValidationError):
            self.env["keycrm.account"].create({"name": "Empty", "enabled": True})

    def test_new_webhook_link_invalidates_the_old_one(self):
        old = self.account.webhook_url
        token = old.rsplit("/", 1)[1]
        self.assertGreaterEqual(len(token), 43)
        self.assertEqual(webhook_inbox.find_account(self.env(su=True), token), self.account)
        self.account.action_new_webhook_token()
        self.account.invalidate_recordset()
        self.assertNotEqual(self.account.webhook_url, old)
        self.assertFalse(webhook_inbox.find_account(self.env(su=True), token))

    def test_users_may_only_read_an_account(self):
        user = new_test_user(self.env, "keycrm-user", groups="ordage_keycrm.group_user")
        account = self.account.with_user(user)
        self.assertEqual(account.name, "Shop")
        for act in (
            account.action_test_connection,
            account.action_refresh_statuses,
            account.action_new_webhook_token,
            account.action_push_all_stock,
        ):
            with self.assertRaises(UserError):
                act()
        with self.assertRaises(AccessError):
            account.write({"name": "x"})
        with self.assertRaises(AccessError):
            account.read(["webhook_url"])

    def test_odoo_warehouse_is_matched_once_per_account(self):
        Warehouse = self.env["keycrm.warehouse"]
        vals = {"account_id": self.account.id, "warehouse_ids": self.warehouse.ids}
        Warehouse.create({**vals, "keycrm_id": 91, "name": "A"})
        with self.assertRaisesRegex(ValidationError, "only one"):
            Warehouse.create({**vals, "keycrm_id": 92, "name": "B"})
