import time
from datetime import timedelta

from odoo import fields, models
from odoo.tools import SQL

from ..const import EVENT_STOCK
from ..keycrm import stock as rules
from ..keycrm.errors import MalformedAnswer
from ..keycrm.values import to_amount, to_int, to_objects

#: Stock webhooks that one pass takes. Most are echoes, which cost no request; as many as KeyCRM's webhook
#: tells in seconds while ten thousand numbers are sent.
EVENT_BATCH = 1000
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
    _inherit = "keycrm.account.record"
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
        """Note that stock webhooks were worked."""
        self.write({"state": state, "done_at": fields.Datetime.now(), "attempts": 1})


class KeycrmAccount(models.Model):
    """KeyCRM's stock webhook: echoes cost nothing, anything else is read and corrected."""

    _inherit = "keycrm.account"

    stock_webhook_at = fields.Datetime(string="Last stock webhook", readonly=True, copy=False)

    def _expect_echoes(self, offer_ids):
        """Note what KeyCRM is going to say of offers that were just written.

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
        """Work stock webhooks: what was sent ourselves is crossed off, the rest is queued to be
        read.

        :return: True when there was something
        """
        events = (
            self.env["keycrm.event"]
            .sudo()
            .search(
                [
                    ("account_id", "=", self.id),
                    ("event", "=", EVENT_STOCK),
                    ("state", "=", "pending"),
                ],
                order="id",
                limit=EVENT_BATCH,
            )
        )
        if not events:
            return False
        if not (self.push_stock and self._sending_warehouses()):
            self._committed(lambda: events._finish_stock("ignored"))
            return True
        if self._committed(lambda: self._cross_off(events)):
            # An order is about to say why the number differs.
            time.sleep(0.2)
        return True

    def _cross_off(self, events):
        """Finish the webhooks that tell nothing new; queue the products of the others.

        :return: True when some wait for an order that is being worked
        """
        told = {event: _told_by(event.payload) for event in events}
        offers = self._by_keycrm_id(
            self.env["keycrm.offer"]
            .sudo()
            .search(
                [
                    ("account_id", "=", self.id),
                    (
                        "keycrm_id",
                        "in",
                        list({number for rows in told.values() for number in rows}),
                    ),
                ]
            )
        )
        Echo = self.env["keycrm.stock.echo"].sudo()
        now = fields.Datetime.now()
        self._forget_old_echoes(now)
        expected = Echo.search(
            [("offer_id", "in", [offer.id for offer in offers.values()])], order="id"
        )
        news, waiting = {}, False
        for event in events:
            crossed, differs = Echo, []
            for number, quantity in told[event].items():
                offer = offers.get(number)
                if not offer:
                    continue
                echo = expected.filtered(
                    lambda row, offer=offer, quantity=quantity: (
                        row.offer_id == offer and _is_sum(quantity, row.quantity, offer)
                    )
                )[:1]
                if echo and self._is_awaited(offer, quantity, expected - crossed - echo):
                    crossed |= echo
                elif not self._is_known_total(offer, quantity):
                    differs.append(offer)
            if differs and self._order_comes_first(event, now):
                waiting = True
                continue
            expected -= crossed
            crossed.unlink()
            event._finish_stock("done")
            news.update(dict.fromkeys(offer.product_id.id for offer in differs))
        self.env["keycrm.stock.change"].sudo()._append(
            [(self.id, product_id) for product_id in news], True
        )
        self.sudo().stock_webhook_at = now
        return waiting

    def _is_awaited(self, offer, quantity, others):
        """Tell whether an echo is one of what was sent, and not a hand edit back to it.

        The number that was sent last is. An earlier one is, as long as the last one is still to
        come: with it gone by, or lost, the echo of an earlier one came late at the best.

        :param others: the other echoes that are expected
        """
        return self._is_known_total(offer, quantity) or any(
            self._is_known_total(offer, other.quantity)
            for other in others.filtered(lambda other: other.offer_id == offer)
        )

    @staticmethod
    def _is_known_total(offer, quantity):
        levels = offer.level_ids
        total = offer.elsewhere_quantity + sum(levels.mapped("quantity"))
        return bool(levels) and all(levels.mapped("is_known")) and _is_sum(quantity, total, offer)

    def _order_comes_first(self, event, now):
        """Tell whether an order's webhook may be about to explain this one."""
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


def _is_sum(quantity, total, offer):
    """Tell whether a webhook's number is that of an offer's total.

    KeyCRM's webhook may be set up for all of its warehouses, or for the matched ones alone.

    :param total: over all warehouses
    """
    return rules.is_same(quantity, total) or rules.is_same(
        quantity, total - offer.elsewhere_quantity
    )


def _told_by(payload):
    """Read a stock webhook: an array, or a single object (both are seen).

    :return: ``{KeyCRM's offer number: quantity over its warehouses}``; what cannot be read is left
    out
    """
    found = {}
    for row in to_objects(payload if isinstance(payload, list) else [payload]):
        try:
            number = to_int(row.get("offer_id"))
            if number and row.get("in_stock") is not None:
                found[number] = float(to_amount(row["in_stock"]))
        except MalformedAnswer:
            continue
    return found
