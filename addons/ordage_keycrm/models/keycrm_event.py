from datetime import timedelta

from odoo import api, fields, models

from ..const import CATCH_UP_OVERLAP, RETRY_PAUSES

#: Events that one pass of the autovacuum clears of an account.
GC_BATCH = 10000


class KeycrmEvent(models.Model):
    """The inbox: everything KeyCRM told us, and what became of it.

    Append-only and without a unique key: repeats are folded when the worker takes them. A unique key
    would drop a webhook that comes between the worker's reading and its commit.
    """

    _name = "keycrm.event"
    _description = "KeyCRM event"
    _order = "id desc"
    _log_access = False
    _rec_name = "event"

    # === FIELDS ===#

    account_id = fields.Many2one(
        "keycrm.account", string="KeyCRM account", required=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="account_id.company_id")
    event = fields.Char(required=True)
    keycrm_order_id = fields.Integer(string="KeyCRM order", index="btree_not_null")
    payload = fields.Json(string="What KeyCRM sent", groups="ordage_keycrm.group_manager")
    from_webhook = fields.Boolean(string="Sent by KeyCRM")
    received_at = fields.Datetime(string="Received", required=True, default=fields.Datetime.now)
    state = fields.Selection(
        [
            ("pending", "Pending"),
            ("done", "Done"),
            ("ignored", "Ignored"),
            ("failed", "Failed"),
        ],
        required=True,
        default="pending",
    )
    attempts = fields.Integer(string="Tries")
    next_try_at = fields.Datetime(
        string="Next try", default=fields.Datetime.now, help="Empty: not worked by itself any more."
    )
    done_at = fields.Datetime(string="Worked at")
    error_code = fields.Char(string="Kind of error")
    error_params = fields.Json(string="Details of the error")
    error = fields.Char(compute="_compute_error")
    details = fields.Text(string="Technical details", groups="ordage_keycrm.group_manager")
    sale_order_id = fields.Many2one(
        "sale.order", string="Sales order", ondelete="set null", index="btree_not_null"
    )
    sync_id = fields.Many2one(
        "keycrm.order.sync", string="Synchronisation", ondelete="set null", index="btree_not_null"
    )

    # The worker's look at the inbox, however many done events there are.
    _due_index = models.Index("(account_id, id) WHERE next_try_at IS NOT NULL")
    # "Last webhook" of an account.
    _webhook_index = models.Index("(account_id, id) WHERE from_webhook")

    # === COMPUTE METHODS ===#

    @api.depends("error_code", "error_params")
    @api.depends_context("lang")
    def _compute_error(self):
        explain = self.env["keycrm.explain"]
        for event in self:
            event.error = explain._sentence(event.error_code, event.error_params)

    # === ACTION METHODS ===#

    def action_retry(self):
        """Work failed or ignored events again, at once.

        :return: True
        """
        self.account_id._check_manager()
        events = self.sudo().filtered(lambda event: event.keycrm_order_id and event.state != "done")
        events.write({"state": "pending", "attempts": 0, "next_try_at": fields.Datetime.now()})
        events.account_id._wake_orders()
        return True

    # === BUSINESS METHODS ===#

    @api.model
    def _due(self, account, limit):
        """Take what is to be worked now, oldest first, and with it all that is unfinished of the same
        orders: an order that is written well makes up for its earlier failures.
        """
        Event = self.sudo()
        due = Event.search(
            [
                ("account_id", "=", account.id),
                ("next_try_at", "!=", False),
                ("next_try_at", "<=", fields.Datetime.now()),
            ],
            order="id",
            limit=limit,
        )
        if not due:
            return due
        return Event.search(
            [
                ("account_id", "=", account.id),
                ("keycrm_order_id", "in", due.mapped("keycrm_order_id")),
                ("state", "in", ("pending", "failed")),
            ],
            order="id",
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
    def _tell_failed(self, account, event, outcomes, sync=None):
        """Put what failed outside the inbox into it: there it is listed, tried again and retried.

        :param outcomes: ``{KeyCRM order number: Outcome}``; good ones are left out
        :param sync: the ``keycrm.order.sync`` that met the failures
        """
        failed = {
            number: outcome
            for number, outcome in outcomes.items()
            if outcome.code and not outcome.skipped
        }
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

    def _reading_hints(self):
        """Say in which span of time the orders of these events were most likely updated.

        :return: ``{"since", "until"}``, naive UTC
        """
        received = self.mapped("received_at")
        overlap = timedelta(seconds=CATCH_UP_OVERLAP)
        return {"since": min(received) - overlap, "until": max(received) + overlap}

    def _finish(self, outcomes):
        """Note what became of the orders on the events that told of them.

        :param outcomes: ``{KeyCRM order number: Outcome}``; events of other orders are left alone
        """
        now = fields.Datetime.now()
        for event in self.exists():
            outcome = outcomes.get(event.keycrm_order_id)
            if outcome:
                event.write(event._finish_vals(outcome, now))

    def _finish_vals(self, outcome, now):
        if outcome.skipped or not outcome.code:
            return {
                "state": "ignored" if outcome.skipped else "done",
                "attempts": self.attempts + 1,
                "next_try_at": False,
                "done_at": now,
                "error_code": outcome.code or False,
                "error_params": outcome.params or False,
                "details": False,
                "sale_order_id": outcome.order_id,
            }
        attempts = self.attempts + 1
        # After the last pause it waits for a person.
        pause = RETRY_PAUSES[attempts - 1] if attempts <= len(RETRY_PAUSES) else None
        return {
            "state": "failed",
            "attempts": attempts,
            "next_try_at": now + timedelta(seconds=pause) if pause else False,
            "error_code": outcome.code,
            "error_params": outcome.params,
            "details": outcome.details or False,
            "sale_order_id": outcome.order_id or self.sale_order_id.id,
        }

    @api.autovacuum
    def _gc_worked(self):
        """Clear what was worked long ago; what waits or failed stays whatever its age.

        :return: (cleared, whether there is more), for the autovacuum to come back
        """
        cleared = 0
        for account in self.env["keycrm.account"].sudo().search([("keep_days", ">", 0)]):
            old = self.sudo().search(
                [
                    ("account_id", "=", account.id),
                    ("state", "in", ("done", "ignored")),
                    ("next_try_at", "=", False),
                    ("received_at", "<", fields.Datetime.now() - timedelta(days=account.keep_days)),
                ],
                order="id",
                limit=GC_BATCH,
            )
            old.unlink()
            cleared += len(old)
        return cleared, cleared >= GC_BATCH
