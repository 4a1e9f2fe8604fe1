import logging
import time
from datetime import timedelta

from odoo import fields, models
from odoo.tools import SQL

from ...const import EVENT_STOCK
from ...keycrm.echo_matching import EchoMatcher, OfferTotal
from ...keycrm.webhook import stock_totals
from ...services.concurrency import ERRORS_OF_NO_RECORD
from ...services.transactions import run_in_transaction

_logger = logging.getLogger(__name__)

#: Stock webhooks that one pass takes. Most are echoes, which cost no request; as many as KeyCRM's webhook
#: tells in seconds while ten thousand numbers are sent.
EVENT_BATCH = 1000
#: Stored bytes of webhooks that one transaction works, about five thousand rows; at least one webhook.
EVENT_BATCH_BYTES = 256 * 1024
#: An echo that has not come after this long does not come any more (assumed).
ECHO_LIFETIME = timedelta(minutes=10)
#: KeyCRM's own write-off tells of the order and of the stock at the same time; the order goes
#: first.
ORDER_FIRST = timedelta(seconds=1)
#: Orders that wait longer than this keep no stock webhook waiting.
ORDER_WAITS = timedelta(minutes=2)


class KeycrmStockEcho(models.Model):
    """What KeyCRM's stock webhook is going to repeat of what was sent.

    Each write makes KeyCRM call, with the sum over its warehouses. Each echo that is expected is
    crossed off once: a hand edit back to a number that was sent before is not taken for one.
    """

    _name = "keycrm.stock.echo"
    _inherit = "keycrm.account.mixin"
    _description = "Expected echo of a stock write"
    _log_access = False
    _rec_name = "offer_id"

    # Echoes are found by their offer, and cleared by their age.
    offer_id = fields.Many2one("keycrm.offer", required=True, ondelete="cascade", index=True)
    quantity = fields.Float(digits=(16, 3))
    sent_at = fields.Datetime(string="Sent on", required=True, index=True)


class KeycrmEvent(models.Model):
    _inherit = "keycrm.event"

    # The stock worker's look at stock webhooks, however many events there are.
    _stock_index = models.Index(
        "(account_id, id) WHERE event = 'offers.stock' AND state = 'pending'"
    )

    def _finish_stock(self, state):
        """Record that stock webhooks were worked."""
        self.write({"state": state, "done_at": fields.Datetime.now(), "attempts": 1})


class KeycrmAccount(models.Model):
    """KeyCRM's stock webhook: echoes cost nothing, anything else is read and corrected."""

    _inherit = "keycrm.account"

    stock_webhook_at = fields.Datetime(string="Last stock webhook", readonly=True, copy=False)

    def _expect_echoes(self, offer_ids):
        """Record what KeyCRM is going to say of offers that were just written.

        Only where a stock webhook ever came: without one there is nothing to expect.
        """
        if not self.stock_webhook_at:
            return
        now = fields.Datetime.now()
        self._forget_old_echoes(now)
        self.env.cr.execute(
            SQL(
                """INSERT INTO keycrm_stock_echo (account_id, offer_id, quantity, sent_at)
                   SELECT offer.account_id, offer.id,
                          COALESCE(offer.elsewhere_quantity, 0) + SUM(COALESCE(level.quantity, 0)),
                          %s FROM keycrm_offer offer
                     JOIN keycrm_stock_level level ON level.offer_id = offer.id
                    WHERE offer.id = ANY(%s)
                 GROUP BY offer.id""",
                now,
                list(offer_ids),
            )
        )

    def _forget_old_echoes(self, now):
        """What did not come does not come any more; where the webhook was taken out, all of it."""
        self.env["keycrm.stock.echo"].sudo().search(
            [("account_id", "=", self.id), ("sent_at", "<", now - ECHO_LIFETIME)]
        ).unlink()

    def _work_stock_events(self):
        """Work some stock webhooks: echoes are matched, products of the others are enqueued.

        :return: True when there was something
        """
        events = self._next_stock_events()
        if not events:
            return False
        if not (self.push_stock and self._sending_warehouses()):
            run_in_transaction(self.env.cr, lambda: events._finish_stock("ignored"))
            return True
        if self._match_echoes_isolated(events):
            # An order is about to say why the number differs.
            time.sleep(0.2)
        return True

    def _match_echoes_isolated(self, events):
        """Work stock webhooks together; on a failure they are bisected, and the faulty one fails alone.

        :return: True when some wait for an order that is being worked
        """
        try:
            return run_in_transaction(self.env.cr, lambda: self._match_echoes(events))
        except ERRORS_OF_NO_RECORD:
            raise
        except Exception:
            if self.env.cr.closed:
                raise
            if len(events) == 1:
                _logger.exception("KeyCRM account %s: %s cannot be worked", self.id, events)
                run_in_transaction(self.env.cr, lambda: events._finish_stock("failed"))
                return False
        middle = len(events) // 2
        waiting = self._match_echoes_isolated(events[:middle])
        return self._match_echoes_isolated(events[middle:]) or waiting

    def _next_stock_events(self):
        """Return the oldest pending stock webhooks that one transaction works.

        By SQL, because a webhook can have ten thousand rows: it is their size that counts.

        :return: ``keycrm.event``, at least one where there are some
        """
        self.env["keycrm.event"].flush_model()
        self.env.cr.execute(
            SQL(
                """SELECT id FROM (
                     SELECT id, sum(size) OVER (ORDER BY id) AS size_so_far,
                            row_number() OVER (ORDER BY id) AS number
                       FROM (SELECT id, COALESCE(pg_column_size(payload), 0) AS size FROM keycrm_event
                              WHERE account_id = %s AND event = %s AND state = 'pending'
                           ORDER BY id LIMIT %s) AS oldest) AS counted
                    WHERE size_so_far <= %s OR number = 1 ORDER BY id""",
                self.id,
                EVENT_STOCK,
                EVENT_BATCH,
                EVENT_BATCH_BYTES,
            )
        )
        ids = [event_id for (event_id,) in self.env.cr.fetchall()]
        return self.env["keycrm.event"].sudo().browse(ids)

    def _match_echoes(self, events):
        """Finish the webhooks that report no news; enqueue the products of the others.

        :return: True when some wait for an order that is being worked
        """
        reported = {event: stock_totals(event.payload) for event in events}
        numbers = {number for rows in reported.values() for number in rows}
        offers = (
            self.env["keycrm.offer"]
            .sudo()
            .search([("account_id", "=", self.id), ("keycrm_id", "in", list(numbers))])
        )
        by_number = {offer.keycrm_id: offer for offer in offers}
        now = fields.Datetime.now()
        self._forget_old_echoes(now)
        Echo = self.env["keycrm.stock.echo"].sudo()
        expected = Echo.search([("offer_id", "in", offers.ids)], order="id")
        matcher = EchoMatcher(
            {offer.id: self._offer_total(offer) for offer in offers},
            [(echo.id, echo.offer_id.id, echo.quantity) for echo in expected],
        )
        echo_ids, news, done = [], {}, []
        for event, rows in reported.items():
            matched, differing = matcher.match(
                {by_number[n].id: quantity for n, quantity in rows.items() if n in by_number}
            )
            if differing and self._order_comes_first(event, now):
                continue
            matcher.consume(matched)
            echo_ids += matched.values()
            news.update(dict.fromkeys(differing))
            done.append(event.id)
        Echo.browse(echo_ids).unlink()
        events.browse(done)._finish_stock("done")
        products = self.env["keycrm.offer"].sudo().browse(news).product_id
        self.env["keycrm.stock.change"].sudo()._append(
            [(self.id, product_id) for product_id in products.ids], refresh_first=True
        )
        self.sudo().stock_webhook_at = now
        return len(done) < len(events)

    @staticmethod
    def _offer_total(offer):
        levels = offer.level_ids
        is_known = bool(levels) and all(levels.mapped("is_known"))
        return OfferTotal(
            offer.elsewhere_quantity + sum(levels.mapped("quantity")) if is_known else None,
            offer.elsewhere_quantity,
        )

    def _order_comes_first(self, event, now):
        """Return whether an order's webhook may be about to explain this one."""
        age = now - event.received_at
        # Beyond that it is no age: the host that received it has another clock.
        if -ORDER_FIRST < age < ORDER_FIRST:
            return True
        if event.received_at < now - ORDER_WAITS:
            return False
        return bool(
            self.env["keycrm.event"]
            .sudo()
            .search_count(
                [
                    ("account_id", "=", self.id),
                    ("state", "=", "pending"),
                    ("event", "!=", EVENT_STOCK),
                    ("next_try_at", "<=", now),
                    ("received_at", ">", now - ORDER_WAITS),
                ],
                limit=1,
            )
        )
