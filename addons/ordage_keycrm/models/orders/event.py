from datetime import timedelta

from odoo import api, fields, models

from ...const import POLLING_OVERLAP, ROW_LOCKED_PAUSE
from ...services import crons

#: Webhooks that a look for a burst goes back at most: a few orders, of which each was told of several times.
LATELY_ROWS = 20


class KeycrmEvent(models.Model):
    """The inbox: everything KeyCRM told us, and what became of it.

    Append-only and without a unique key: repeats are folded when the worker takes them. A unique key
    would drop a webhook that comes between the worker's reading and its commit.
    """

    _name = "keycrm.event"
    _inherit = ["keycrm.retry.mixin"]
    _description = "KeyCRM event"
    _order = "id desc"
    _log_access = False
    _rec_name = "event"

    # === FIELDS ===#

    # A table that grows: what is looked for has its own index, below.
    event = fields.Char(required=True)
    keycrm_order_id = fields.Integer(string="KeyCRM order", index="btree_not_null")
    # Read alone: one that cannot be read keeps the other fields of no event from being read.
    payload = fields.Json(
        string="Data from KeyCRM", prefetch=False, groups="ordage_keycrm.group_manager"
    )
    from_webhook = fields.Boolean(string="Received from KeyCRM")
    received_at = fields.Datetime(string="Received", required=True, default=fields.Datetime.now)
    done_at = fields.Datetime(string="Processed on")
    details = fields.Text(string="Technical details", groups="ordage_keycrm.group_manager")
    # Indexed for the order's own list of events, and for PostgreSQL when an order or a run is deleted.
    sale_order_id = fields.Many2one(ondelete="set null", index="btree_not_null")
    sync_id = fields.Many2one(
        "keycrm.order.sync", string="Synchronization", ondelete="set null", index="btree_not_null"
    )

    # The worker's look at the inbox, however many done events there are.
    _due_index = models.Index("(account_id, id) WHERE next_try_at IS NOT NULL")
    # "Last webhook" of an account, and its first one; in the words in which Odoo asks.
    _webhook_index = models.Index("(account_id, id) WHERE from_webhook IS TRUE")

    # === BUSINESS METHODS ===#

    def _retryable(self):
        """Only what names an order can be worked by the orders' worker."""
        return super()._retryable().filtered("keycrm_order_id")

    @api.model
    def _due(self, account, limit):
        """Take what is to be worked now, and with it all that is unfinished of the same orders.

        :param limit: number of orders
        """
        waiting = self._waiting(account, limit)
        return self._unfinished(account, [order.number for order in waiting])

    @api.model
    def _recent_count(self, account):
        """Return how many orders KeyCRM told of within the last second or two, those that are worked too.

        :param account: ``keycrm.account``, one
        :return: number of orders, of which no more than a few are counted
        """
        last = self.sudo().search_fetch(
            [("account_id", "=", account.id), ("from_webhook", "=", True)],
            ["keycrm_order_id", "received_at"],
            order="id desc",
            limit=LATELY_ROWS,
        )
        now = fields.Datetime.now()
        # No later than now: another host's clock may be ahead.
        return len(
            {
                event.keycrm_order_id
                for event in last
                if event.keycrm_order_id and now - timedelta(seconds=1) <= event.received_at <= now
            }
        )

    @api.model
    def _tell(self, account, event, numbers):
        """Put orders into the inbox by ourselves.

        :param event: kind of the event, for people to see why
        :param numbers: KeyCRM's numbers
        """
        self.sudo().create(
            [
                {"account_id": account.id, "event": event, "keycrm_order_id": number}
                for number in numbers
            ]
        )

    @api.model
    def _enqueue_failed(self, account, event, outcomes, sync=None):
        """Put what failed outside the inbox into it: there it is listed, tried again and retried.

        :param outcomes: ``{KeyCRM order number: ImportResult}``; good ones are left out
        :param sync: the ``keycrm.order.sync`` that met the failures
        """
        failed = {number: outcome for number, outcome in outcomes.items() if outcome.is_failure}
        if not failed:
            return
        sync_id = sync.id if sync else False
        noted = self.sudo().search(
            [
                ("account_id", "=", account.id),
                ("event", "=", event),
                ("sync_id", "=", sync_id),
                ("keycrm_order_id", "in", list(failed)),
                ("state", "=", "failed"),
            ]
        )
        new = self.sudo().create(
            [
                {
                    "account_id": account.id,
                    "event": event,
                    "keycrm_order_id": number,
                    "sync_id": sync_id,
                }
                for number in failed
                if number not in noted.mapped("keycrm_order_id")
            ]
        )
        (noted | new)._finish(failed)

    @api.model
    def _resolve_failures(self, account, outcomes):
        """An order that came well by another way makes up for its earlier failures.

        :param outcomes: ``{KeyCRM order number: ImportResult}``
        """
        well = [number for number, outcome in outcomes.items() if not outcome.is_failure]
        self.sudo().search(
            [
                ("account_id", "=", account.id),
                ("keycrm_order_id", "in", well),
                ("state", "=", "failed"),
            ]
        )._finish(outcomes)

    @api.model
    def _waiting_numbers(self, account, numbers):
        """:return: those of the orders that an event already tells of"""
        groups = self.sudo()._read_group(
            [
                ("account_id", "=", account.id),
                ("keycrm_order_id", "in", numbers),
                ("state", "in", ("pending", "failed")),
                ("next_try_at", "!=", False),
            ],
            ["keycrm_order_id"],
        )
        return {number for (number,) in groups}

    def _time_hints(self):
        """Return in which span of time the orders of these events were most likely updated.

        :return: ``{"since", "until"}``, naive UTC
        """
        received = self.mapped("received_at")
        overlap = timedelta(seconds=POLLING_OVERLAP)
        return {"since": min(received) - overlap, "until": max(received) + overlap}

    def _one_order_begun(self):
        """Choose the order that failed least, and note it as failed before it is begun: so it counts
        as a try also when the process does not survive it.

        :return: the events of that order
        """
        first = min(self, key=lambda event: (event.attempts, event.id))
        chosen = self.filtered(lambda event: event.keycrm_order_id == first.keycrm_order_id)
        for event in chosen:
            event._end_try(event._failed_vals("worker_died", {}))
        return chosen

    def _activity_summary(self):
        return self.env._("KeyCRM order %(order)s does not arrive", order=self.keycrm_order_id)

    def _finish(self, outcomes):
        """Record what became of the orders on the events that told of them.

        :param outcomes: ``{KeyCRM order number: ImportResult}``; events of other orders are left alone
        """
        now = self.env.cr.now()
        put_off = self.browse()
        for event in self.exists():
            outcome = outcomes.get(event.keycrm_order_id)
            if outcome:
                event._end_try(event._finish_vals(outcome, now))
                put_off |= event if outcome.is_put_off else put_off
        crons.trigger(put_off.account_id, crons.ORDERS, delay=ROW_LOCKED_PAUSE)

    def _finish_vals(self, outcome, now):
        if outcome.is_put_off:
            return {
                "next_try_at": now + timedelta(seconds=ROW_LOCKED_PAUSE),
                "error_code": outcome.code,
                "error_params": False,
            }
        if outcome.skipped or not outcome.code:
            return {
                **self._done_vals(
                    ignored=outcome.skipped, code=outcome.code, params=outcome.params
                ),
                "done_at": now,
                "details": False,
                "sale_order_id": outcome.order_id,
            }
        return {
            **self._failed_vals(outcome.code, outcome.params, is_outage=outcome.is_outage),
            "details": outcome.details or False,
            "sale_order_id": outcome.order_id or self.sale_order_id.id,
        }
