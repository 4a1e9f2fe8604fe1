from datetime import timedelta

from odoo import fields, models
from odoo.tools import SQL

from ...const import CIRCUIT_PAUSES, RETRY_PAUSES

#: A time further ahead than this was recorded by a clock that was ahead.
TOLERANCE = timedelta(minutes=1)
#: Period that is polled again: changes made while the clock was ahead may have been missed.
REPOLL_PERIOD = timedelta(days=1)
#: Fields with a past time or the time of the next attempt, by which the workers decide what is due.
TIME_FIELDS = (
    *("polled_at", "polled_until", "polling_end", "reconciliation_at"),
    *("transactions_at", "transactions_begun_at", "trouble_until"),
)
#: ``(model, field)`` of records that wait for their next attempt.
ATTEMPTS = (
    ("keycrm.event", "next_try_at"),
    ("keycrm.status.update", "next_try_at"),
    ("keycrm.stock.level", "retry_at"),
)


class KeycrmAccount(models.Model):
    """Recover from a clock that was ahead: later times would be due only after days."""

    _inherit = "keycrm.account"

    def _was_clock_set_back(self):
        """Return whether a past time, or the end of a backoff, is too far ahead."""
        now = self.env.cr.now() + TOLERANCE
        pause = timedelta(seconds=CIRCUIT_PAUSES[-1])
        return bool(
            (self.polled_at and self.polled_at > now)
            or (self.trouble_until and self.trouble_until > now + pause)
        )

    def _reset_future_times(self):
        """Make everything due now whose time is too far ahead."""
        account, now = self.sudo(), self.env.cr.now()
        late = [name for name in TIME_FIELDS if account[name] and account[name] > now]
        account.write({**dict.fromkeys(late, now - REPOLL_PERIOD), "guarded_work": False})
        account.env["keycrm.stock.comparison"].search(
            [("account_id", "=", account.id), ("started_at", ">", now)]
        ).started_at = now
        for model, name in ATTEMPTS:
            self.env[model].flush_model([name])
            self.env.cr.execute(
                SQL(
                    "UPDATE %(table)s SET %(field)s = %(now)s "
                    "WHERE account_id = %(account)s AND %(field)s > %(latest)s",
                    table=SQL.identifier(self.env[model]._table),
                    field=SQL.identifier(name),
                    now=fields.Datetime.to_string(now),
                    account=account.id,
                    latest=now + timedelta(seconds=RETRY_PAUSES[-1]) + TOLERANCE,
                )
            )
            self.env[model].invalidate_model([name])
