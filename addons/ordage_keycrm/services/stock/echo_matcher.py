import logging
import time
from datetime import timedelta

from odoo import fields
from odoo.tools import SQL

from ...const import EVENT_STOCK
from ...keycrm.echo_rules import ExpectedEchoes, OfferTotal
from ...keycrm.webhook import stock_totals
from ..common.concurrency import ERRORS_OF_NO_RECORD
from ..common.service import Service
from ..common.transactions import run_in_transaction
from ..common.values import by_keycrm_id

_logger = logging.getLogger(__name__)

#: Stock webhooks that one pass processes. Most are echoes, which cost no request, and as many arrive
#: within seconds while ten thousand quantities are sent.
EVENT_BATCH = 1000
#: Stored bytes of webhooks that one transaction processes, about five thousand rows; at least one
#: webhook.
EVENT_BATCH_BYTES = 256 * 1024
#: An echo that has not come after this long is not expected any more (assumed).
ECHO_LIFETIME = timedelta(minutes=10)
#: KeyCRM's own write-off sends the webhooks of the order and of the stock at the same time; the order
#: goes first.
ORDER_FIRST = timedelta(seconds=1)
#: Orders that wait longer than this delay no stock webhook.
ORDER_MAX_WAIT = timedelta(minutes=2)
#: Sleep while stock webhooks wait for an order, which the orders queue is about to import.
ORDER_POLL_SECONDS = 0.2


class EchoMatcher(Service):
    """Match KeyCRM's stock webhooks with the echoes of Odoo's own writes, which cost no request.

    The stock of all other webhooks is read and corrected. ``keycrm.stock.echo`` holds the expected
    echoes, :mod:`~.keycrm.echo_rules` the decision.
    """

    def expect(self, offer_ids):
        """Record the echoes of offers that were just written.

        Only if a stock webhook was ever received: otherwise KeyCRM sends no echoes.

        :param offer_ids: list of ids of ``keycrm.offer``
        """
        if not self.account.stock_webhook_at:
            return
        now = fields.Datetime.now()
        self._delete_expired(now)
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
                offer_ids,
            )
        )

    def process(self):
        """Process some stock webhooks: match echoes, enqueue the products of the others.

        :return: True when there was something
        """
        events = self._next_events()
        if not events:
            return False
        if not (self.account.push_stock and self.account.warehouse_ids._sending()):
            run_in_transaction(self.env.cr, lambda: events._finish_stock("ignored"))
            return True
        if self._match_isolated(events):
            # An order that explains the quantity is about to be imported.
            time.sleep(ORDER_POLL_SECONDS)
        return True

    def _match_isolated(self, events):
        """Process stock webhooks together; on failure the batch is bisected until the faulty one fails.

        :param events: ``keycrm.event``
        :return: True when some wait for an order that is being imported
        """
        try:
            return run_in_transaction(self.env.cr, lambda: self._match(events))
        except ERRORS_OF_NO_RECORD:
            raise
        except Exception as error:
            if self.env.cr.closed:
                raise
            if len(events) == 1:
                _logger.exception(
                    "KeyCRM account %s: %s cannot be processed", self.account.id, events
                )
                failure = error
                run_in_transaction(self.env.cr, lambda: events._finish_stock("failed", failure))
                return False
        middle = len(events) // 2
        waiting = self._match_isolated(events[:middle])
        return self._match_isolated(events[middle:]) or waiting

    def _next_events(self):
        """Return the oldest pending stock webhooks that one transaction processes.

        By SQL, because a webhook can have ten thousand rows: the size decides how many.

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
                self.account.id,
                EVENT_STOCK,
                EVENT_BATCH,
                EVENT_BATCH_BYTES,
            )
        )
        ids = [event_id for (event_id,) in self.env.cr.fetchall()]
        return self.env["keycrm.event"].sudo().browse(ids)

    def _match(self, events):
        """Finish the webhooks that are echoes; enqueue the products of the others.

        :param events: ``keycrm.event``
        :return: True when some wait for an order that is being imported
        """
        reported = {event: stock_totals(event.payload) for event in events}
        numbers = {number for rows in reported.values() for number in rows}
        offers = self.env["keycrm.offer"]._with_numbers(self.account, numbers)
        by_number = by_keycrm_id(offers)
        now = fields.Datetime.now()
        self._delete_expired(now)
        Echo = self.env["keycrm.stock.echo"].sudo()
        echoes = Echo.search([("offer_id", "in", offers.ids)], order="id")
        expected = ExpectedEchoes(
            {offer.id: _offer_total(offer) for offer in offers},
            [(echo.id, echo.offer_id.id, echo.quantity) for echo in echoes],
        )
        echo_ids, updated, done = [], {}, []
        for event, rows in reported.items():
            matched, differing = expected.match(
                {by_number[n].id: quantity for n, quantity in rows.items() if n in by_number}
            )
            if differing and self._is_order_first(event, now):
                continue
            expected.consume(matched)
            echo_ids += matched.values()
            updated.update(dict.fromkeys(differing))
            done.append(event.id)
        Echo.browse(echo_ids).unlink()
        events.browse(done)._finish_stock("done")
        products = self.env["keycrm.offer"].sudo().browse(updated).product_id
        self.env["keycrm.stock.change"].sudo()._enqueue_rows(
            [(self.account.id, product_id) for product_id in products.ids], refresh_first=True
        )
        self.account.sudo().stock_webhook_at = now
        return len(done) < len(events)

    def _is_order_first(self, event, now):
        """Return whether an order's webhook may be about to explain a stock webhook.

        :param event: ``keycrm.event``, one
        :param now: time in UTC
        """
        age = now - event.received_at
        # A larger negative age means that the receiving host has another clock.
        if -ORDER_FIRST < age < ORDER_FIRST:
            return True
        if event.received_at < now - ORDER_MAX_WAIT:
            return False
        return bool(
            self.env["keycrm.event"]
            .sudo()
            .search_count(
                [
                    ("account_id", "=", self.account.id),
                    ("state", "=", "pending"),
                    ("event", "!=", EVENT_STOCK),
                    ("next_try_at", "<=", now),
                    ("received_at", ">", now - ORDER_MAX_WAIT),
                ],
                limit=1,
            )
        )

    def _delete_expired(self, now):
        """Delete echoes that are not expected any more, all of them where the webhook was removed.

        :param now: time in UTC
        """
        self.env["keycrm.stock.echo"].sudo().search(
            [("account_id", "=", self.account.id), ("sent_at", "<", now - ECHO_LIFETIME)]
        ).unlink()


def _offer_total(offer):
    levels = offer.level_ids
    is_known = bool(levels) and all(levels.mapped("is_known"))
    return OfferTotal(
        offer.elsewhere_quantity + sum(levels.mapped("quantity")) if is_known else None,
        offer.elsewhere_quantity,
    )
