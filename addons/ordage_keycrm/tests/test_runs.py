"""A job shows its progress, can be stopped, and notifies its user when it ends."""

import json
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.tests import new_test_user

from ..keycrm.client import KeyCrmClient
from ..keycrm.errors import Refused
from ..services.common.api_gateway import open_client
from ..services.common.live_updates import notify_clients
from ..services.workers.order_queue import OrderQueue
from .common import KeycrmCase
from .stock_common import StockCase

LINE = {"name": "Кухоль", "price": 100, "quantity": 2}


class RunCase:
    def bus_messages(self):
        """:return: what the bus carries to browsers, of this transaction: ``[(channel, type, payload)]``"""
        self.env.cr.precommit.run()
        rows = self.env["bus.bus"].sudo().search([("id", ">", self.last_bus)])
        return [
            (row.channel, json.loads(row.message)["type"], json.loads(row.message)["payload"])
            for row in rows
        ]

    def skip_bus_messages(self):
        self.env.cr.precommit.run()
        self.last_bus = self.env["bus.bus"].sudo()._bus_last_id()


class TestRuns(RunCase, KeycrmCase):
    def setUp(self):
        super().setUp()
        self.boss = new_test_user(
            self.env, "boss", groups="ordage_keycrm.group_manager", lang="uk_UA"
        )
        # Nothing but the run is due.
        self.account.polled_at = fields.Datetime.now()
        self.skip_bus_messages()

    def start(self, model, **vals):
        run = self.env[model].with_user(self.boss).create({"account_id": self.account.id, **vals})
        run.action_start()
        return run

    def work(self):
        with self.committing(), open_client(self.account) as client:
            return OrderQueue(self.account, client).process()

    def test_finished_synchronization_notifies_in_the_users_language(self):
        self.new_order([LINE])
        sync = self.start("keycrm.order.sync", status_ids=self.status(1).ids)
        for _ in range(20):
            if sync.state != "running":
                break
            self.work()
        self.assertEqual((sync.state, sync.user_id), ("done", self.boss))
        notices = [row for row in self.bus_messages() if row[1] == "simple_notification"]
        self.assertEqual(len(notices), 1)
        channel, _kind, payload = notices[0]
        self.assertEqual(json.loads(channel)[1:], ["res.partner", self.boss.partner_id.id])
        self.assertIn("Нових замовлень: 1", payload["message"])
        self.assertEqual(payload["type"], "success")

    def test_permanent_refusal_ends_the_job_and_not_the_account(self):
        sync = self.start("keycrm.order.sync", status_ids=self.status(1).ids)
        self.keycrm.add_fault("status", path="/order", status=400, times=1)
        self.work()
        self.assertEqual(sync.state, "failed")
        self.assertTrue(sync.error)
        self.assertFalse(self.account.circuit_error_code)
        (notice,) = [row[2] for row in self.bus_messages() if row[1] == "simple_notification"]
        self.assertEqual((notice["type"], notice["sticky"]), ("danger", True))

    def test_stopped_job_notifies_no_user_and_stays_stopped(self):
        sync = self.start("keycrm.order.sync", status_ids=self.status(1).ids)
        sync.action_cancel()
        self.work()
        self.assertEqual(sync.state, "canceled")
        self.assertFalse([row for row in self.bus_messages() if row[1] == "simple_notification"])

    def test_starting_a_running_import_again_does_not_reset_it(self):
        load = self.start("keycrm.product.import")
        load.sudo().write({"total_count": 200, "done_count": 50})
        load.action_start()
        self.assertEqual((load.done_count, load.progress), (50, 25))
        load.sudo().started_at = "2026-01-01 10:00:00"
        self.assertTrue(load.remaining_text)

    def test_job_has_a_name_in_the_readers_language(self):
        sync = self.start("keycrm.order.sync", status_ids=self.status(1).ids)
        self.assertIn("Order synchronization, ", sync.with_context(lang="en_US").display_name)
        self.assertIn("Синхронізація замовлень від ", sync.with_context(lang="uk_UA").display_name)

    def test_stalled_job_shows_its_reason_and_no_remaining_time(self):
        sync = self.start("keycrm.order.sync", status_ids=self.status(1).ids)
        sync.sudo().write({"total_count": 200, "done_count": 50})
        sync.sudo().started_at = "2026-01-01 10:00:00"
        self.assertEqual((sync.waiting_text, bool(sync.remaining_text)), ("", True))
        for held, over, words in (
            ({"enabled": False}, {"enabled": True}, "вимкнено"),
            ({"circuit_error_code": "unauthorized"}, {"circuit_error_code": False}, "API-ключ"),
        ):
            with self.subTest(words):
                self.account.write(held)
                self.assertIn(words, sync.with_context(lang="uk_UA").waiting_text)
                self.assertFalse(sync.remaining_text)
                self.account.write(over)
                self.assertEqual((sync.waiting_text, bool(sync.remaining_text)), ("", True))
        sync.action_cancel()
        self.account.enabled = False
        self.assertFalse(sync.waiting_text, "what is over stands still for no reason")

    def test_only_the_paused_job_shows_its_reason(self):
        sync = self.start("keycrm.order.sync", status_ids=self.status(1).ids)
        load = self.start("keycrm.product.import")
        self.keycrm.add_fault("status", path="/order", status=500, times=20)
        self.work()
        self.keycrm.clear_faults()
        self.assertIn("500", sync.waiting_text)
        self.assertFalse(load.waiting_text)

    def test_screens_receive_the_id_of_the_account_alone(self):
        notify_clients(self.account)
        (row,) = [row for row in self.bus_messages() if row[1] == "keycrm/changed"]
        self.assertEqual(row[2], {"account_id": self.account.id})
        self.assertIn("res.groups", row[0])


class TestStopped(RunCase, StockCase):
    """Stop means stop, also while the worker waits for KeyCRM's answer."""

    def setUp(self):
        super().setUp()
        self.sock = self.goods("SOCK")
        self.count(self.sock, 5)
        self.work()
        self.settle()
        self.keycrm.set_stock(self.number(self.sock), 1, 99, webhook=False)
        self.sent()

    def stopped_during(self, state, begin="action_compare_stock", refusal=None):
        """Let a user press "Stop" while KeyCRM is requested, which then answers or refuses."""
        action = getattr(self.account, begin)()
        run = self.env[action["res_model"]].browse(action["res_id"])
        real = KeyCrmClient.page

        def slow(client, path, query=None, *args):
            if run.state == state:
                run.action_cancel()
                if refusal:
                    raise refusal
            return real(client, path, query, *args)

        with patch.object(KeyCrmClient, "page", slow):
            self.work()
        return run

    def test_stop_during_the_last_page_changes_no_stock_in_keycrm(self):
        run = self.stopped_during("reading")
        self.assertEqual((run.state, run.next_page), ("canceled", 1))
        self.assertEqual(self.sent(), [])

    def test_stop_during_the_check_changes_no_stock_in_keycrm(self):
        run = self.stopped_during("checking")
        self.assertEqual((run.state, run.line_ids.ids), ("canceled", []))
        self.assertEqual(self.sent(), [])

    def test_stopped_preview_offers_no_choice(self):
        run = self.stopped_during("reading", "action_preview_stock")
        self.assertEqual((run.state, run.line_ids.ids), ("canceled", []))

    def test_notification_of_a_ready_preview_is_not_sticky(self):
        boss = new_test_user(self.env, "boss", groups="ordage_keycrm.group_manager")
        self.skip_bus_messages()
        action = self.account.with_user(boss).action_preview_stock()
        preview = self.env["keycrm.stock.comparison"].browse(action["res_id"])
        preview.started_at -= timedelta(hours=1)
        self.work()
        self.assertEqual(preview.state, "ready")
        (notice,) = [row[2] for row in self.bus_messages() if row[1] == "simple_notification"]
        self.assertEqual((notice["type"], notice["sticky"]), ("warning", False))

    def test_comparison_progress_is_full_after_differences_were_checked(self):
        run = self.env["keycrm.stock.comparison"].create({"account_id": self.account.id})
        run.write({"total_count": 100, "done_count": 100, "state": "checking"})
        for to_check, progress in ((range(100), 50), (range(50), 75), ([], 100)):
            run.write({"check_count": 100, "to_check": list(to_check)})
            self.assertEqual(run.progress, progress)
        run.write({"to_check": [1], "started_at": fields.Datetime.now() - timedelta(hours=1)})
        self.assertTrue(run.remaining_text)

    def test_refusal_after_a_stop_is_no_failure(self):
        for state in ("reading", "checking"):
            with self.subTest(state):
                run = self.stopped_during(state, refusal=Refused("refused", status=400))
                self.assertEqual(run.state, "canceled")


class TestPush(RunCase, StockCase):
    def test_full_export_shows_its_progress(self):
        for sku in ("A", "B", "C"):
            self.count(self.goods(sku), 4)
        self.work()
        self.skip_bus_messages()
        action = self.account.action_push_all_stock()
        push = self.env[action["res_model"]].browse(action["res_id"])
        self.assertEqual((push.state, push.total_count, push.done_count), ("running", 3, 0))
        self.assertEqual(self.account.action_push_all_stock()["res_id"], push.id)
        self.work()
        self.assertEqual((push.state, push.done_count, push.progress), ("done", 3, 100))

    def test_stopped_export_sends_nothing_more(self):
        shirt = self.goods("SHIRT")
        self.count(shirt, 4)
        self.work()
        self.keycrm.clear_log()
        action = self.account.action_push_all_stock()
        push = self.env[action["res_model"]].browse(action["res_id"])
        push.action_cancel()
        self.assertEqual(self.sent(), [])
        self.assertEqual(push.state, "canceled")

    def test_paused_export_shows_how_to_resume(self):
        self.count(self.goods("SHIRT"), 4)
        push = self.env["keycrm.stock.export"].browse(
            self.account.action_push_all_stock()["res_id"]
        )
        self.assertEqual(push.waiting_text, "")
        self.account.action_pause_stock()
        self.assertIn("Resume stock sync", push.waiting_text)
        self.account.action_resume_stock()
        self.assertEqual(push.waiting_text, "")

    def test_export_with_nothing_to_send_ends_at_once(self):
        action = self.account.action_push_all_stock()
        self.assertEqual(self.env[action["res_model"]].browse(action["res_id"]).state, "done")
