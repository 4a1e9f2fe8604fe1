"""Setup step by step: each step shows its true state, and every fault is a sentence."""

import json
import re
from datetime import timedelta
from pathlib import Path

from lxml import etree

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import Form, HttpCase, new_test_user, tagged

from ..keycrm import webhook_check
from ..services.common import key_check
from ..services.common.api_gateway import open_client
from ..services.orders.order_inbox import OrderInbox
from ..services.orders.order_polling import OrderPolling
from .common import KeycrmCase

LINE = {"name": "Кухоль", "price": 100, "quantity": 2}
SPEC = {"setup_key": {}, "key_text": {}, "enabled": {}}


class TestSetup(KeycrmCase):
    def new(self, **vals):
        """Let a person fill in the form of a new account and save it."""
        (saved,) = self.env["keycrm.account"].web_save(
            {"name": "Shop two", "api_url": self.sandbox.api_url, **vals}, {"id": {}, **SPEC}
        )
        return saved

    def test_pasted_key_is_tested_at_once(self):
        saved = self.new(api_key=self.second_key())
        self.assertEqual(saved["setup_key"], "done")
        account = self.env["keycrm.account"].browse(saved["id"])
        self.assertTrue(account.status_ids, "the statuses are there for the next steps")
        self.assertNotIn(self.second_key(), json.dumps(saved))

    def test_wrong_key_is_kept_and_reported_in_the_readers_language(self):
        saved = self.new(api_key="wrong")
        self.assertEqual(saved["setup_key"], "wrong")
        account = self.env["keycrm.account"].browse(saved["id"])
        self.assertIn("API-ключ", account.with_context(lang="uk_UA").key_text)
        account.web_save({"api_key": self.second_key()}, SPEC)
        self.assertEqual(account.setup_key, "done")
        self.assertFalse(account.key_error_code)

    def test_wrong_key_saved_in_the_settings_is_reported_there(self):
        Settings = self.env["res.config.settings"]
        for key, tick in (("wrong", "wrong"), (self.second_key(), "done")):
            settings = Settings.create({})
            settings.keycrm_api_key = key
            settings.execute()
            shown = Settings.create({})
            self.assertEqual(shown.keycrm_setup_key, tick)
            self.assertTrue(shown.keycrm_key_text)

    def test_keycrm_that_does_not_answer_is_reported_in_a_sentence(self):
        saved = self.new(api_key=self.second_key(), api_url="http://127.0.0.1:9/v1")
        self.assertEqual(saved["setup_key"], "wrong")
        self.assertIn("127.0.0.1", saved["key_text"])

    def test_key_that_stops_working_loses_its_check_mark(self):
        key_check.mark_valid(self.account)
        self.assertEqual(self.account.setup_key, "done")
        self.account.circuit_error_code = "unauthorized"
        self.assertEqual(self.account.setup_key, "wrong")
        self.account.action_test_connection()
        self.assertEqual(self.account.setup_key, "done")

    def test_failure_while_pasting_the_key_ends_when_orders_arrive(self):
        self.keycrm.add_fault("status", status=503, times=None)
        saved = self.new(api_key=self.second_key())
        self.assertEqual(saved["setup_key"], "wrong")
        self.keycrm.clear_faults()
        self.assert_key_becomes_valid(self.env["keycrm.account"].browse(saved["id"]))

    def test_key_written_by_rpc_is_verified_by_the_first_poll(self):
        account = self.env["keycrm.account"].create(
            {"name": "By RPC", "api_key": self.second_key(), "api_url": self.sandbox.api_url}
        )
        self.assertEqual(account.setup_key, "waiting")
        self.assert_key_becomes_valid(account)

    def assert_key_becomes_valid(self, account):
        account.enabled = True
        self.env.flush_all()
        with self.committing(), open_client(account) as client:
            OrderPolling(account, client).process()
        account.invalidate_recordset()
        self.assertEqual((account.setup_key, account.key_error_code), ("done", False))

    def test_error_of_a_former_key_is_not_shown_for_the_next(self):
        account = self.env["keycrm.account"].browse(self.new(api_key="wrong")["id"])
        (shown,) = account.web_save({"api_key": False}, SPEC)
        self.assertEqual((shown["setup_key"], shown["key_text"]), ("todo", False))
        account.web_save({"api_key": self.second_key()}, SPEC)
        self.assertEqual(account.setup_key, "done")
        account.write({"api_key": "another"})
        self.assertEqual((account.setup_key, account.key_text), ("waiting", False))

    def test_pager_shows_the_next_account_after_a_key_was_pasted(self):
        other = self.env["keycrm.account"].create({"name": "Other shop"})
        (shown,) = self.account.web_save(
            {"api_key": self.second_key()}, {"name": {}, "webhook_url": {}}, next_id=other.id
        )
        self.assertEqual((shown["id"], shown["name"]), (other.id, "Other shop"))
        self.assertEqual(shown["webhook_url"], other.webhook_url)

    def test_step_without_archive_statuses_can_be_marked_as_done(self):
        self.assertEqual(self.account.setup_orders, "todo")
        self.account.action_review_step("orders")
        self.assertEqual(self.account.setup_orders, "done")
        other = self.env["keycrm.account"].create({"name": "Other shop"})
        other.archive_status_ids = self.env["keycrm.order.status"].create(
            {"account_id": other.id, "keycrm_id": 12, "name": "Виконано"}
        )
        self.assertEqual(other.setup_orders, "done")

    def test_tested_connection_shows_the_number_of_statuses(self):
        account = self.env["keycrm.account"].create(
            {"name": "New", "api_key": self.second_key(), "api_url": self.sandbox.api_url}
        )
        words = account.action_test_connection()["params"]["message"]
        self.assertGreater(len(account.status_ids), 1)
        self.assertIn(str(len(account.status_ids)), words)
        self.assertEqual(account.key_text, words)

    def test_user_without_the_right_may_only_read_the_setup(self):
        seller = new_test_user(self.env, "seller", groups="sales_team.group_sale_salesman")
        account = self.account.with_user(seller)
        action = account.action_open_setup()
        self.assertEqual(action["res_id"], account.id)
        view = self.env.ref("ordage_keycrm.keycrm_account_view_form_setup")
        arch = account.get_view(view.id)["arch"]
        self.assertIn("setup_key", arch)
        self.assertNotIn('name="api_key"', arch)
        self.assertNotIn('name="webhook_url"', arch)
        for button in (
            "action_check_link",
            "action_test_connection",
            "action_review_step",
            "action_load_all_products",
        ):
            with self.assertRaisesRegex(UserError, "administrator"):
                getattr(account, button)()

    def test_setup_form_opens_empty_and_filled(self):
        view = "ordage_keycrm.keycrm_account_view_form_setup"
        with Form(self.env["keycrm.account"], view) as form:
            form.name = "Shop three"
        with Form(self.account, view) as form:
            form.public_url = "https://odoo.example.com"
        self.assertIn("https://odoo.example.com/keycrm/webhook/", self.account.webhook_url)

    def test_address_and_key_of_a_test_system_are_entered_on_one_form(self):
        """A stored key is sent to no other server: alone neither of both could be corrected."""
        account = self.env["keycrm.account"].create({"name": "Test", "api_key": "entered first"})
        with Form(account.with_user(self.env.ref("base.user_admin"))) as form:
            form.api_url = self.sandbox.api_url
            form.api_key = self.second_key()
        self.assertEqual(account.setup_key, "done", account.key_text)

    def test_a_setting_of_an_account_is_edited_on_one_screen(self):
        """Several places would show several values while they are open, and each its own warning."""

        def editable_fields(model, form, prefix=""):
            arch = etree.fromstring(self.env[model].get_view(self.env.ref(form).id)["arch"])
            nodes = arch.xpath("//field[not(ancestor::field)]")
            names = {
                node.get("name").removeprefix(prefix)
                for node in nodes
                # A new account gets its key and address where it is created.
                if node.get("name").startswith(prefix)
                and node.get("readonly") not in ("1", "True", "id", "keycrm_account_id")
                and node.get("invisible") not in ("1", "True")
                and not self.env[model]._fields[node.get("name")].readonly
            }
            return names & set(self.env["keycrm.account"]._fields)

        setup = editable_fields("keycrm.account", "ordage_keycrm.keycrm_account_view_form_setup")
        form = editable_fields("keycrm.account", "ordage_keycrm.keycrm_account_view_form")
        settings = editable_fields(
            "res.config.settings", "base.res_config_settings_view_form", "keycrm_"
        )
        self.assertLessEqual({"api_key", "archive_status_ids", "push_stock"}, setup)
        self.assertLessEqual({"tax_id", "send_cost", "poll_minutes"}, form)
        # The key of another server is saved together with its address, which only the form has.
        self.assertLessEqual(setup & form, {"name", "company_id", "api_key"})
        self.assertFalse(settings)

    def test_steps_of_products_stock_and_synchronization_are_marked(self):
        self.assertEqual(
            (self.account.setup_products, self.account.setup_stock, self.account.setup_sync),
            ("todo", "todo", "todo"),
        )
        load = self.env["keycrm.product.import"].create({"account_id": self.account.id})
        load.action_start()
        self.account.invalidate_recordset()
        self.assertEqual(self.account.setup_products, "waiting")
        load._end("done")
        self.account.invalidate_recordset()
        self.assertEqual(self.account.setup_products, "done")


class TestPolling(KeycrmCase):
    """Without webhooks orders arrive by polling, and a status missing in the trigger is reported."""

    def receive_webhook_with(self, number, status, **received):
        self.receive_webhook(number, status_id=status.keycrm_id)
        event = self.env["keycrm.event"].search([], order="id desc", limit=1)
        event.write(received)

    def work(self, service):
        with self.committing(), open_client(self.account) as client:
            return service(self.account, client).process()

    def poll(self):
        self.account.polled_at = fields.Datetime.now() - timedelta(minutes=6)
        self.work(OrderPolling)

    def test_without_webhooks_keycrm_is_polled_every_minute(self):
        now = fields.Datetime.now()
        for minutes, lately in ((0.5, True), (1.5, False)):
            self.account.polled_at = now - timedelta(minutes=minutes)
            self.assertEqual(OrderPolling(self.account)._was_polled_recently(now), lately)
        self.receive_webhook_with(1, self.status(1))
        self.account.invalidate_recordset()
        self.account.polled_at = now - timedelta(minutes=1.5)
        self.assertTrue(
            OrderPolling(self.account)._was_polled_recently(now),
            "webhooks arrive: polled every five minutes",
        )
        self.account.polled_at = now - timedelta(minutes=5.5)
        self.assertFalse(OrderPolling(self.account)._was_polled_recently(now))
        self.env["keycrm.event"].search([]).received_at = now - timedelta(hours=25)
        self.account.invalidate_recordset()
        self.account.polled_at = now - timedelta(minutes=1.5)
        self.assertFalse(
            OrderPolling(self.account)._was_polled_recently(now), "webhooks have stopped arriving"
        )

    def moved(self, minutes=10):
        """Let an order that Odoo has move to another status some minutes ago, without a webhook."""
        number = self.new_order([LINE])
        self.arrive(number)
        goal = self.status(3)
        self.keycrm.set_status(number, goal.keycrm_id, webhook=False)
        ago = (fields.Datetime.now() - timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")
        self.keycrm.patch_order(
            number, webhook=False, status_changed_at=ago, created_at="2026-01-01T00:00:00Z"
        )
        return number, goal

    def test_status_missing_in_the_trigger_is_reported(self):
        long_ago = fields.Datetime.now() - timedelta(days=3)
        self.receive_webhook_with(
            999, self.status(1), received_at=long_ago, state="ignored", next_try_at=False
        )
        number, goal = self.moved()
        self.poll()
        self.assertEqual(self.account.missed_status_ids, goal)
        self.assertTrue(goal.missed_at)
        # The next webhook of that status shows that the trigger has it by now.
        self.receive_webhook_with(number, goal)
        self.work(OrderInbox)
        self.account.invalidate_recordset()
        self.assertFalse(self.account.missed_status_ids)

    def test_missing_status_is_reported_also_with_rare_polling(self):
        self.account.poll_minutes = 20
        long_ago = fields.Datetime.now() - timedelta(days=3)
        self.receive_webhook_with(
            999, self.status(1), received_at=long_ago, state="ignored", next_try_at=False
        )
        _number, goal = self.moved()
        self.account.polled_at = fields.Datetime.now() - timedelta(minutes=21)
        self.work(OrderPolling)
        self.assertEqual(self.account.missed_status_ids, goal)

    def test_no_status_is_reported_before_the_first_webhook_could_arrive(self):
        self.moved()
        self.poll()
        self.assertFalse(self.account.missed_status_ids)
        long_ago = fields.Datetime.now() - timedelta(days=3)
        self.receive_webhook_with(
            999, self.status(1), received_at=long_ago, state="ignored", next_try_at=False
        )
        self.moved(minutes=0.2)
        self.poll()
        self.assertFalse(self.account.missed_status_ids)

    def test_no_status_is_reported_while_odoo_was_off(self):
        long_ago = fields.Datetime.now() - timedelta(days=3)
        self.receive_webhook_with(
            999, self.status(1), received_at=long_ago, state="ignored", next_try_at=False
        )
        self.moved()
        self.account.polled_at = fields.Datetime.now() - timedelta(hours=2)
        self.work(OrderPolling)
        self.assertFalse(self.account.missed_status_ids)


@tagged("post_install", "-at_install")
class TestLink(KeycrmCase, HttpCase):
    def setUp(self):
        super().setUp()
        self.account.public_url = self.base_url()
        self.path = "/" + self.account.webhook_url.split("/", 3)[3]

    def test_local_address_is_reported_and_marked_as_wrong(self):
        self.assertEqual(self.account.setup_webhook, "waiting")
        action = self.account.with_context(lang="uk_UA").action_check_link()
        self.assertEqual(action["params"]["type"], "warning")
        self.assertIn("внутрішньої мережі", action["params"]["message"])
        self.assertEqual(
            (self.account.setup_webhook, self.account.link_code), ("wrong", "link_local")
        )

    def test_fault_of_a_former_address_is_not_shown_for_the_new_one(self):
        self.account.action_check_link()
        self.assertEqual(self.account.setup_webhook, "wrong")
        self.account.public_url = "https://odoo.example.com"
        self.assertEqual((self.account.setup_webhook, self.account.link_text), ("waiting", ""))

    def test_address_with_a_page_of_odoo_is_reported(self):
        token = self.account._decrypted(self.account.sudo().webhook_token)
        for page in ("/odoo", "/odoo/action-523", "/web", "/odoo?debug=1", "/web#action=5"):
            with self.subTest(page):
                self.account.public_url = self.base_url() + page
                with self.assertRaises(webhook_check.LinkProblem) as caught:
                    webhook_check.send_challenge(self.account.webhook_url, token)
                problem = caught.exception
                self.assertEqual(problem.code, "link_page")
                text = self.env["keycrm.error.message"]._sentence(problem.code, problem.params)
                self.assertIn(f"“{page}”", text)
                self.assertIn(f"only {self.base_url()}", text)

    def test_webhook_check_is_answered_and_stores_no_event(self):
        def send_check(path):
            return self.url_open(
                path,
                data=json.dumps({"event": webhook_check.CHECK_EVENT, "nonce": "n"}),
                headers={"Content-Type": "application/json"},
            )

        token = self.account._decrypted(self.account.sudo().webhook_token)
        self.assertEqual(send_check(self.path).json(), {"proof": webhook_check.proof(token, "n")})
        self.assertEqual(send_check(self.path + "x").status_code, 404)
        self.account.invalidate_recordset()
        self.assertFalse(self.account.last_webhook_at)

    def test_first_webhook_marks_the_step_done_whatever_the_check_found(self):
        self.account.action_check_link()
        answer = self.url_open(
            self.path,
            data=json.dumps({"event": "order.change_order_status", "context": {"id": 4}}),
            headers={"Content-Type": "application/json"},
        )
        self.assertEqual(answer.status_code, 204)
        self.account.invalidate_recordset()
        self.assertEqual(self.account.setup_webhook, "done")
        self.assertFalse(self.account.link_text)

    def test_get_trigger_is_reported_and_a_browser_is_not(self):
        answer = self.url_open(self.path, headers={"Accept": "text/html"})
        self.assertEqual(answer.status_code, 405)
        self.account.invalidate_recordset()
        self.assertFalse(self.account.trigger_get_at)
        self.assertEqual(self.url_open(self.path).status_code, 405)
        self.account.invalidate_recordset()
        self.assertEqual(self.account.setup_webhook, "wrong")
        self.assertIn("POST", self.account.link_text)
        self.assertEqual(self.url_open("/keycrm/webhook/unknown").status_code, 404)

    def test_configuration_lines_contain_this_database(self):
        self.account.write(
            {
                "link_code": "link_several_databases",
                "link_params": {"host": "odoo.example.com"},
                "link_checked_at": fields.Datetime.now(),
            }
        )
        self.assertIn(self.env.cr.dbname, self.account.link_text)
        self.assertIn(f"X-Odoo-Database {self.env.cr.dbname};", self.account.link_lines)
        # Pictures are requested without a session too: without the line they are 404.
        location = re.search(r"location ~ (\S+) {", self.account.link_lines)[1]
        for path in ("/keycrm/webhook/token", "/keycrm/picture/1/signature.jpg"):
            self.assertRegex(path, location)
        self.assertNotRegex("/web/login", location)

    def test_every_fault_of_the_link_has_a_sentence_in_both_languages(self):
        codes = set(re.findall(r'"(link_\w+)"', Path(webhook_check.__file__).read_text()))
        codes.add("link_trigger_get")
        self.assertGreater(len(codes), 10)
        explain = self.env["keycrm.error.message"]
        for code in codes:
            english = explain._sentence(code, {"host": "h"})
            ukrainian = explain.with_context(lang="uk_UA")._sentence(code, {"host": "h"})
            self.assertNotIn(code, english)
            self.assertNotEqual(english, ukrainian)
