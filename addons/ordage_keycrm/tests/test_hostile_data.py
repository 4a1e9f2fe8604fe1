"""What comes from KeyCRM is data: stored as text, shown escaped, cut where Odoo has a limit."""

from unittest.mock import patch

from lxml import html

from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from ..services.common.api_gateway import open_client
from ..services.orders import webhook_inbox
from ..services.orders.order_inbox import OrderInbox
from ..services.orders.order_polling import OrderPolling
from ..services.stock.echo_matcher import EchoMatcher
from .common import KeycrmCase

SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(2)>"
FORMULA = '=cmd|" /C calc"!A1'
TEMPLATE = "{{ object.env.cr }} ${object} %(name)s %s {0} <t t-esc='1'/>"
TURNED = "рахунок\u202efdp.exe\u2066"
BROKEN = "нуль\0 дзвінок\x07 половина\ud800 кінець"
MODELS = "odoo.addons.ordage_keycrm.models."
ECHO_LOG, RETRIED_LOG = (
    "odoo.addons.ordage_keycrm.services.stock.echo_matcher",
    MODELS + "keycrm_retry_mixin",
)
OUTCOME_LOG = "odoo.addons.ordage_keycrm.services.orders.order_import"
BUYER = {"full_name": SCRIPT, "phone": "+380671112233", "email": "<b>@x\n.example"}


class HostileCase(KeycrmCase):
    forget = True

    def raw_order(self, *, shipping=None, line=None, **fields):
        """Make an order whose answer holds exactly these values, however mad."""
        number = self.new_order([{"name": "Річ", "price": 10, "quantity": 1, "sku": "MAD-1"}])
        answer = self.keycrm.order(number)["answer"]
        products = [{**answer["products"][0], **(line or {})}]
        raw = {**fields, "products": products}
        if shipping:
            raw["shipping"] = {**(answer.get("shipping") or {}), **shipping}
        self.keycrm.patch_order(number, raw=raw, webhook=False)
        return number


class TestHostileData(HostileCase):
    def test_text_is_stored_as_it_is_and_never_executed(self):
        for text in (SCRIPT, FORMULA, TEMPLATE, "'; DROP TABLE sale_order; --"):
            order = self.arrive(
                self.raw_order(
                    manager_comment=text,
                    buyer_comment=text,
                    line={"name": text, "comment": text, "sku": text[:40]},
                    shipping={"recipient_full_name": text, "shipping_address": text},
                )
            )
            with self.subTest(text):
                line = order.order_line.filtered("keycrm_id")
                self.assertEqual(order.keycrm_manager_comment, text)
                self.assertEqual(order.keycrm_buyer_comment, text)
                self.assertIn(" ".join(text.split()), line.product_id.name)
                self.assertEqual(order.partner_shipping_id.name, text)

    def test_characters_that_cannot_be_stored_are_removed(self):
        order = self.arrive(
            self.raw_order(
                manager_comment=BROKEN,
                source_uuid=TURNED,
                line={
                    "name": BROKEN,
                    "sku": BROKEN,
                    "properties": [{"name": "К", "value": TURNED}],
                },
                shipping={"recipient_full_name": TURNED, "tracking_code": BROKEN},
            )
        )
        self.assertEqual(order.keycrm_manager_comment, "нуль дзвінок половина кінець")
        self.assertEqual(order.keycrm_number, "рахунокfdp.exe")
        product = order.order_line.filtered("keycrm_id").product_id
        self.assertIn("рахунокfdp.exe", product.display_name)
        self.assertEqual(order.amount_total, 10)

    def test_a_comment_of_a_megabyte_is_kept_and_names_without_end_are_cut(self):
        comment, name = "Дуже довго. " * 90_000, "Нескінченна назва " * 6_000
        order = self.arrive(
            self.raw_order(
                manager_comment=comment,
                source_uuid=name,
                promocode=name,
                tags=[{"id": 1, "name": name}],
                line={
                    "name": name,
                    "sku": name,
                    "comment": name,
                    "offer": None,
                    "properties": [{"name": name, "value": name}],
                },
                shipping={
                    "recipient_full_name": name,
                    "recipient_phone": name,
                    "shipping_address_city": name,
                    "shipping_address": name,
                    "tracking_code": name,
                },
            )
        )
        self.assertEqual(order.keycrm_manager_comment, comment.strip())
        for text in (
            order.partner_shipping_id.name,
            order.order_line.filtered("keycrm_id").product_id.name,
            order.order_line.filtered("keycrm_id").product_id.default_code,
            order.keycrm_number,
        ):
            self.assertTrue(text)
            self.assertLessEqual(len(text), 500)
        self.assertEqual(order.amount_total, 10)

    def test_buyer_with_any_name_becomes_a_contact(self):
        client = self.keycrm.create_buyer(**BUYER)["id"]
        order = self.arrive(self.new_order([], client_id=client))
        self.assertEqual(order.partner_id.name, SCRIPT)

    def test_huge_numbers_fail_their_own_order_alone(self):
        good = self.new_order([])
        for fields in (
            {"client_id": 10**18},
            {"grand_total": "1e999999999"},
            {"line": {"quantity": "1e400"}},
            {"line": {"id": 2**63}},
        ):
            bad = self.raw_order(**fields)
            with self.subTest(fields), self.committing():
                self.receive_webhook(bad, good)
                with open_client(self.account) as client:
                    OrderInbox(self.account, client).process()
                events = self.env["keycrm.event"].search([("keycrm_order_id", "=", bad)])
                self.assertNotIn("pending", events.mapped("state"))
                self.assertTrue(events[:1].error or events[:1].state == "done")
                Order = self.env["sale.order"]
                self.assertTrue(Order.search([("keycrm_id", "=", good)]))

    def work_inbox(self):
        with self.committing(), open_client(self.account) as client:
            OrderInbox(self.account, client).process()

    def events_of(self, number):
        return self.env["keycrm.event"].search([("keycrm_order_id", "=", number)])

    def test_a_webhook_whose_status_is_no_number_stops_no_order(self):
        self.account.status_ids[:1].missed_at = self.env.cr.now()
        for status in ([1], {"id": 1}, [[]], "x", 10**30, True):
            number, good = self.new_order([]), self.new_order([])
            with self.subTest(status):
                self.receive_webhook(number, status_id=status)
                self.receive_webhook(good)
                self.work_inbox()
                self.assertEqual(set(self.events_of(number).mapped("state")), {"done"})
                self.assertEqual(self.events_of(good).state, "done")

    def test_a_stored_payload_that_cannot_be_read_stops_no_stock_webhook(self):
        offer = self.keycrm.create_offer(sku="DEEP")["id"]
        for _ in range(4):
            webhook_inbox.receive(self.account, [{"offer_id": offer, "in_stock": 3}])
        events = self.env["keycrm.event"].search([("event", "=", "offers.stock")], order="id")
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE keycrm_event SET payload = %s::jsonb WHERE id = %s",
            ["[" * 2000 + "]" * 2000, events[1].id],
        )
        self.env.invalidate_all()
        with self.committing(), mute_logger(ECHO_LOG):
            EchoMatcher(self.account)._match_isolated(events)
        self.assertEqual(events.mapped("state"), ["done", "failed", "done", "done"])
        self.assertIn("RecursionError", events[1].error)

    def test_an_order_that_fails_after_it_was_written_fails_alone(self):
        """Finishing, counting, notifying: whatever raises there."""
        Event = type(self.env["keycrm.event"])
        for model, name in (
            (type(self.env["keycrm.latency"]), "_record_orders"),
            (type(self.env["keycrm.order.status"]), "_record_received"),
            (Event, "_finish_vals"),
        ):
            numbers = [self.new_order([]) for _ in range(4)]
            bad, real = numbers[1], getattr(model, name)

            def fail(record, *args, bad=bad, real=real, name=name):
                events = record if record._name == "keycrm.event" else args[-1]
                failed = any(
                    event.keycrm_order_id == bad and event.error_code != "unexpected"
                    for event in events
                )
                is_failure = record._name == "keycrm.event" and args[0].code
                if failed and not is_failure:
                    raise RecursionError(name)
                return real(record, *args)

            with self.subTest(name), patch.object(model, name, fail):
                self.receive_webhook(*numbers)
                with mute_logger(OUTCOME_LOG):
                    self.work_inbox()
                states = [self.events_of(number).state for number in numbers]
                self.assertEqual(states, ["done", "failed", "done", "done"])

    def test_event_ends_although_its_activity_cannot_be_created(self):
        number = self.new_order([])
        self.receive_webhook(number)
        event = self.events_of(number)
        event.write({"state": "failed", "next_try_at": False})
        with (
            patch.object(type(event), "_update_activity", side_effect=ValueError),
            mute_logger(RETRIED_LOG),
        ):
            event._end_try(event._failed_vals("unexpected", {}))
        self.assertEqual(event.attempts, 1)

    def test_rows_of_lists_that_cannot_be_parsed_stop_no_other_row(self):
        bad, good = self.new_order([]), self.new_order([])
        self.keycrm.patch_order(bad, raw={"status_id": [{}], "updated_at": {}}, webhook=False)
        self.account.polled_at = False
        self.cursor("orders").read_until = False
        with self.committing(), open_client(self.account) as client:
            OrderPolling(self.account, client).process()
        self.assertTrue(self.env["sale.order"].search([("keycrm_id", "=", good)]))

    def test_failure_is_recorded_whatever_text_keycrm_sends(self):
        self.keycrm.add_fault("status", path="/order/*", status=422, message=f"{BROKEN}{SCRIPT}")
        self.addCleanup(self.keycrm.clear_faults)
        number = self.new_order([])
        self.receive_webhook(number)
        with self.committing():
            self.env["keycrm.account"]._cron_orders(self.account.id)
        message = self.account.circuit_error_text or ""
        event = self.env["keycrm.event"].search([("keycrm_order_id", "=", number)], limit=1)
        self.assertIn("<script>", message + (event.error or ""))

    def test_messages_and_activities_of_an_order_are_escaped(self):
        order = self.arrive(self.raw_order(line={"name": SCRIPT}))
        order._keycrm_schedule_activity("code", SCRIPT, [SCRIPT, FORMULA])
        activities = self.env["mail.activity"].search([("res_model", "=", "sale.order")])
        self.assertIn("alert", str(activities.mapped("note")))
        notes = [*order.message_ids.mapped("body"), *activities.mapped("note")]
        for note in notes:
            tree = html.fromstring(f"<div>{note or ''}</div>")
            self.assertFalse(tree.xpath("//script|//img[@onerror]"))


@tagged("-at_install", "post_install")
class TestHostileOnScreen(HostileCase, HttpCase):
    def test_reports_show_it_escaped(self):
        order = self.arrive(
            self.raw_order(
                buyer_comment=SCRIPT,
                gift_message=SCRIPT,
                line={"name": SCRIPT, "comment": SCRIPT},
                shipping={"recipient_full_name": SCRIPT, "shipping_address": SCRIPT},
            )
        )
        order.action_confirm()
        Report = self.env["ir.actions.report"]
        for name, records in (
            ("sale.report_saleorder", order),
            ("stock.report_deliveryslip", order.picking_ids),
            ("stock.report_picking", order.picking_ids),
        ):
            page, _kind = Report._render_qweb_html(name, records.ids)
            tree = html.fromstring(page)
            with self.subTest(name):
                self.assertIn("alert(1)", tree.text_content())
                scripts = " ".join(tree.xpath("//script/text()"))
                self.assertNotIn("alert(1)", scripts)
                self.assertFalse(tree.xpath("//img[@onerror]"))

    def test_a_buyer_sees_the_order_in_the_portal_escaped(self):
        order = self.arrive(self.raw_order(line={"name": SCRIPT}))
        order.state = "sent"
        answer = self.url_open(f"{order.get_portal_url()}")
        self.assertEqual(answer.status_code, 200)
        tree = html.fromstring(answer.content)
        self.assertNotIn("alert(1)", " ".join(tree.xpath("//script/text()")))
        self.assertFalse(tree.xpath("//img[@onerror]"))
        self.assertIn("alert(1)", tree.text_content())
