from odoo import api, fields, models
from odoo.tools import SQL

from ...services.common.maintenance import kept_since


class KeycrmLatency(models.Model):
    """Store the latency of synchronization, one row for each piece of work.

    Written by the workers alone, in the transaction that did the work. Full exports and
    synchronizations are excluded: they are long by nature and would hide the latency of single changes.
    """

    _name = "keycrm.latency"
    _description = "KeyCRM sync time"
    _inherit = ["keycrm.account.mixin"]
    _order = "id desc"
    _log_access = False
    _rec_name = "done_at"

    # === FIELDS ===#

    direction = fields.Selection([("in", "KeyCRM → Odoo"), ("out", "Odoo → KeyCRM")], required=True)
    done_at = fields.Datetime(string="Completed on", required=True)
    seconds = fields.Float(
        digits=(16, 1),
        aggregator="avg",
        help="For the item that waited longest: from the webhook to the saved order, or from the "
        "quantity change to KeyCRM's answer.",
    )
    count = fields.Integer(
        string="Items", help="Number of orders or changes that arrived together."
    )

    # The overview computes the latencies of the last days each time that it is opened.
    _today_index = models.Index("(account_id, done_at)")

    # === BUSINESS METHODS ===#

    @api.model
    def _record_orders(self, account, events):
        """Record the latency of orders that webhooks reported.

        :param account: ``keycrm.account``
        :param events: ``keycrm.event`` records of the piece of work
        """
        received = events.exists().filtered(
            lambda event: event.from_webhook and event.state == "done" and event.attempts == 1
        )
        if received:
            waited = fields.Datetime.now() - min(received.mapped("received_at"))
            self._record(account, "in", waited.total_seconds(), len(received))

    @api.model
    def _record(self, account, direction, seconds, count):
        """Create one row.

        :param account: ``keycrm.account``
        :param direction: ``in`` or ``out``
        :param seconds: of the record that waited longest
        :param count: how many arrived together
        """
        self.sudo().create(
            {
                "account_id": account.id,
                "direction": direction,
                "done_at": fields.Datetime.now(),
                "seconds": max(0.0, seconds),
                "count": count,
            }
        )

    @api.model
    def _days(self, accounts, since, tz):
        """Return median and maximum of each day, for many accounts with one query.

        :param accounts: ``keycrm.account``
        :param since: naive UTC
        :param tz: name of the reader's time zone, which defines the days
        :return: ``{(account id, direction, date): (median seconds, maximum seconds)}``
        """
        self.env.cr.execute(
            SQL(
                """SELECT account_id, direction,
                          (done_at AT TIME ZONE 'UTC' AT TIME ZONE %(tz)s)::date AS day,
                          percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds), max(seconds)
                     FROM keycrm_latency
                    WHERE account_id = ANY(%(accounts)s) AND done_at >= %(since)s
                    GROUP BY account_id, direction, day""",
                tz=tz,
                accounts=accounts.ids,
                since=since,
            )
        )
        return {row[:3]: row[3:] for row in self.env.cr.fetchall()}

    @api.autovacuum
    def _gc_old(self):
        """Delete rows that are older than the events that an account keeps."""
        for account in self.env["keycrm.account"].sudo().search([("keep_days", ">", 0)]):
            self.env.cr.execute(
                SQL(
                    "DELETE FROM keycrm_latency WHERE account_id = %s AND done_at < %s",
                    account.id,
                    kept_since(account),
                )
            )
