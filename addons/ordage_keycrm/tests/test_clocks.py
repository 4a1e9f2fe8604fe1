"""Clocks that differ, nights with 25 and 23 hours, dates in the future."""

from datetime import UTC, datetime, timedelta

from odoo import fields

from ..services.common.api_gateway import open_client
from ..services.orders.order_enrichment import OrderEnrichment
from ..services.orders.order_inbox import OrderInbox
from ..services.orders.order_polling import OrderPolling
from .common import KeycrmCase

LINES = [{"name": "Кухоль", "price": 100, "quantity": 2}]


class TestClocks(KeycrmCase):
    forget = True

    def setUp(self):
        super().setUp()
        self.addCleanup(self.keycrm.set_clock, 0)
        self.account.polled_at = False
        self.cursor("orders").read_until = False

    def order(self, number):
        return self.env["sale.order"].search([("keycrm_id", "=", number)])

    def poll(self, minutes=0):
        """Poll once for updated orders, as every five minutes.

        :param minutes: how much later than now
        """
        now = fields.Datetime.now() + timedelta(minutes=minutes)
        with self.committing(), open_client(self.account) as client:
            OrderPolling(self.account, client).process_page(now)
            OrderInbox(self.account, client).process()

    def test_polling_finds_order_with_lost_webhook_despite_clock_difference(self):
        for minutes in (-10, 10):
            with self.subTest(minutes=minutes):
                self.cursor("orders").read_until = False
                self.keycrm.set_clock(offset_seconds=minutes * 60)
                first = self.new_order(LINES)
                self.receive_webhook(first)
                self.poll()
                lost = self.new_order(LINES)
                # Minutes pass in which KeyCRM is polled and returns nothing new.
                for later in (5, 10, 15):
                    self.poll(later)
                self.assertTrue(self.order(lost))

    def test_an_update_dated_in_the_future_hides_no_later_one(self):
        future = self.new_order(LINES)
        self.keycrm.patch_order(
            future, webhook=False, updated_at=_text(datetime.now(UTC) + timedelta(hours=20))
        )
        self.receive_webhook(future)
        self.poll()
        self.assertTrue(self.order(future))
        self.assertLessEqual(self.cursor("orders").read_until, fields.Datetime.now())
        later = self.new_order(LINES)
        self.poll()
        self.assertTrue(self.order(later))

    def test_clock_that_was_two_days_ahead_delays_nothing(self):
        received, lost = self.new_order(LINES), self.new_order(LINES)
        self.receive_webhook(received)
        ahead = fields.Datetime.now() + timedelta(days=2)
        self.env["keycrm.event"].search([("keycrm_order_id", "=", received)]).next_try_at = ahead
        guard = {"count": 1, "until": _text(ahead), "code": "timed_out", "params": {}}
        cases = (
            {"circuit_open_until": ahead, "circuit_failures": 1, "circuit_error_code": "timed_out"},
            {"work_circuits": {"polling": guard}},
            {},
        )
        for case in cases:
            with self.subTest(case=list(case)), self.env.cr.savepoint() as savepoint:
                self.account.sudo().write({"polled_at": ahead, **case})
                for name in ("orders", "open_orders", "new_orders", "transactions"):
                    self.cursor(name).read_until = ahead
                with self.committing():
                    self.account._cron_orders(self.account.id)
                    # A pause over which KeyCRM is probed.
                    self.account._cron_orders(self.account.id)
                self.assertTrue(self.order(received), "an event that waits")
                self.assertTrue(self.order(lost), "an order that only polling finds")
                self.assertFalse(self.account.circuit_error_text)
                self.assertLessEqual(self.account.polled_at, fields.Datetime.now())
                savepoint.rollback()
            self.env.invalidate_all()

    def let_host_clock_be_ahead(self):
        """Let the clock of Odoo's host be three minutes ahead of that of the database server."""
        now = fields.Datetime.now
        ahead = staticmethod(lambda *_args: now() + timedelta(minutes=3))
        self.patch(fields.Datetime, "now", ahead)

    def test_host_clock_ahead_of_the_database_resets_nothing(self):
        """Otherwise each poll would end all pauses and let all lists be read again."""
        self.let_host_clock_be_ahead()
        self.account.import_payments = True
        until = _text(self.env.cr.now() + timedelta(hours=1))
        guard = {"count": 1, "until": until, "code": "timed_out", "params": {}}
        self.account.sudo().work_circuits = {"pictures": guard}
        with self.committing():
            self.account._cron_orders(self.account.id)
            self.assertTrue(self.keycrm.requests(path="/order"))
            self.keycrm.clear_log()
            self.account._cron_orders(self.account.id)
        self.assertEqual([row["path"] for row in self.keycrm.requests()], [])
        self.assertIn("pictures", self.account.sudo().work_circuits)
        for cursor in self.account.sudo().cursor_ids:
            self.assertLessEqual(cursor.read_until or datetime.min, self.env.cr.now(), cursor.name)

    def test_host_clock_ahead_of_the_database_reads_no_offer_again(self):
        """Otherwise each order of a long inbox would cost a request."""
        number = self.new_order([{"offer_id": self.keycrm.create_offer()["id"], "quantity": 1}])
        self.arrive(number)
        order = self.read_order(number)
        offer = order.lines[0].offer
        mapping = self.env["keycrm.offer"].search([("keycrm_id", "=", offer.id)])
        mapping.catalog_at = self.env.cr.now()
        self.let_host_clock_be_ahead()
        is_fresh = OrderEnrichment(self.account)._is_fresh
        self.assertTrue(is_fresh(mapping, order, offer, is_high_load=True))

    def test_an_order_dated_in_the_future_arrives_with_its_date(self):
        moment = datetime(2031, 5, 1, 9, 30)
        number = self.new_order(LINES, ordered_at=_text(moment))
        self.assertEqual(self.arrive(number).date_order, moment)

    def test_hours_that_come_twice_or_never_in_kyiv_keep_their_time(self):
        moments = [
            # 03:30 comes twice on 25 October 2026, and never on 28 March 2027.
            datetime(2026, 10, 25, 0, 30),
            datetime(2026, 10, 25, 1, 30),
            datetime(2027, 3, 28, 0, 59, 59),
            datetime(2027, 3, 28, 1, 0),
        ]
        numbers = [self.new_order(LINES, ordered_at=_text(moment)) for moment in moments]
        orders = self.arrive(*numbers).with_context(tz="Europe/Kyiv")
        self.assertEqual(orders.mapped("date_order"), moments)
        local = [
            fields.Datetime.context_timestamp(order, order.date_order).strftime("%H:%M %z")
            for order in orders
        ]
        self.assertEqual(local, ["03:30 +0300", "03:30 +0200", "02:59 +0200", "04:00 +0300"])


def _text(moment):
    return moment.strftime("%Y-%m-%d %H:%M:%S")
