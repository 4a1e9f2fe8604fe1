"""The webhook's door: what is let in, what is answered, what is stored."""

import json

from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from ..services.common import crons
from .common import KeycrmCase

EVENT = {"event": "order.change_order_status", "context": {"id": 41, "status_id": 1}}


@tagged("post_install", "-at_install")
class TestWebhook(KeycrmCase, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.path = "/" + cls.account.webhook_url.split("/", 3)[3]

    def post(self, data, path=None, method="POST", **headers):
        if not isinstance(data, bytes):
            data = json.dumps(data).encode()
        return self.url_open(
            path or self.path,
            data=data,
            headers={"Content-Type": "application/json", **headers},
            method=method,
        )

    def events(self):
        return self.env["keycrm.event"].search([("account_id", "=", self.account.id)])

    def test_an_event_is_stored_and_answered(self):
        answer = self.post(EVENT)
        self.assertEqual((answer.status_code, answer.content), (204, b""))
        event = self.events()
        self.assertEqual((event.keycrm_order_id, event.state), (41, "pending"))
        self.assertEqual(event.payload, EVENT)
        self.assertTrue(self.account.last_webhook_at)

    def test_repeated_webhooks_are_all_stored(self):
        for _ in range(3):
            self.assertEqual(self.post(EVENT).status_code, 204)
        self.assertEqual(len(self.events()), 3)

    def test_webhook_triggers_the_worker(self):
        triggers = self.env["ir.cron.trigger"]
        before = triggers.search_count([("cron_id", "=", self.account.orders_cron_id.id)])
        self.post(EVENT)
        after = triggers.search_count([("cron_id", "=", self.account.orders_cron_id.id)])
        self.assertEqual(after, before + 1)

    def test_trigger_is_consumed_when_its_action_begins(self):
        cron = self.account.orders_cron_id
        crons.trigger(self.account, crons.ORDERS)
        self.env.flush_all()
        cron._clear_schedule({"id": cron.id})
        self.assertFalse(self.env["ir.cron.trigger"].search_count([("cron_id", "=", cron.id)]))

    def test_unknown_token_or_disabled_account_is_404(self):
        for path in ("/keycrm/webhook/x", self.path + "x", "/keycrm/webhook/" + "я" * 40):
            self.assertEqual(self.post(EVENT, path).status_code, 404)
        self.account.enabled = False
        self.assertEqual(self.post(EVENT).status_code, 404)
        self.assertFalse(self.events())

    @mute_logger("odoo.http")
    def test_invalid_json_is_400(self):
        for body in (b"", b"{", b"order=41", b"\xff\xfe", b"NaN", b'{"a": 1e999}', b"[" * 100_000):
            with self.subTest(body[:20]):
                self.assertEqual(self.post(body).status_code, 400)
        self.assertFalse(self.events())

    def test_more_than_a_mebibyte_is_413(self):
        body = json.dumps({**EVENT, "more": "x" * (1024 * 1024)}).encode()
        self.assertEqual(self.post(body).status_code, 413)
        self.assertFalse(self.events())
        nearly = json.dumps({**EVENT, "more": "x" * (1024 * 1024 - 200)}).encode()
        self.assertEqual(self.post(nearly).status_code, 204)

    @mute_logger("odoo.http")
    def test_other_methods_are_405(self):
        for method in ("GET", "PUT", "DELETE"):
            self.assertEqual(self.post(EVENT, method=method).status_code, 405)

    def test_body_with_characters_that_postgresql_refuses_is_stored(self):
        body = (
            b'{"event": "order.change_order_status", "context": {"id": 41}, "a": "x\\u0000\\ud800"}'
        )
        self.assertEqual(self.post(body).status_code, 204)
        self.assertEqual(self.events().keycrm_order_id, 41)

    def test_text_that_spells_nul_is_stored(self):
        body = rb'{"event": "order.change_order_status", "context": {"id": 41, "a": "\\u0000"}}'
        self.assertEqual(self.post(body).status_code, 204)
        self.assertEqual(self.events().payload["context"]["a"], r"\u0000")

    @mute_logger("odoo.http")
    def test_body_nested_deeper_than_fifty_is_400(self):
        for depth in (51, 880, 964):
            self.assertEqual(self.post(b"[" * depth + b"]" * depth).status_code, 400)
        self.assertEqual(self.post(b"[" * 50 + b"]" * 50).status_code, 204)

    def test_unknown_events_and_shapes_are_stored_as_ignored(self):
        for payload in ({}, 1, "x", None, {"event": "new.kind", "context": {"id": 1}}):
            self.assertEqual(self.post(payload).status_code, 204)
        self.assertEqual(set(self.events().mapped("state")), {"ignored"})

    def test_stock_webhook_is_stored_for_the_stock_worker(self):
        for payload in ([{"offer_id": 1, "in_stock": 3}], {"offer_id": 1, "in_stock": 3}, []):
            self.assertEqual(self.post(payload).status_code, 204)
        self.assertEqual(set(self.events().mapped("event")), {"offers.stock"})
