import logging
from datetime import timedelta

from odoo import api, fields, models

from ...const import OUTAGE_PAUSE, OUTAGE_TRIES, RETRY_PAUSES
from ...services.common import activities
from ...services.common.circuit_breaker import end_backoff
from ...services.common.concurrency import ERRORS_OF_NO_RECORD
from ...services.common.language import company_language

_logger = logging.getLogger(__name__)


class KeycrmRetryMixin(models.AbstractModel):
    """Retry work automatically with backoff; after the last retry it waits for a user.

    Times are of the database server's clock, because the clocks of hosts may differ.
    """

    _name = "keycrm.retry.mixin"
    _inherit = ["keycrm.account.mixin", "keycrm.error.mixin"]
    _description = "KeyCRM jobs with automatic retry"

    # === FIELDS ===#

    sale_order_id = fields.Many2one("sale.order", string="Sales order")
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
    attempts = fields.Integer()
    next_try_at = fields.Datetime(
        string="Next attempt",
        default=lambda self: self.env.cr.now(),
        help="Empty: no more automatic retries.",
    )

    # === ACTION METHODS ===#

    def action_retry(self):
        """Retry failed or ignored records at once.

        :return: a notification
        """
        self.account_id._check_manager()
        again = self.sudo()._retryable()
        for record in again.filtered(lambda one: one.state == "failed" and not one.next_try_at):
            record._unlink_activity()
        again.write({"state": "pending", "attempts": 0, "next_try_at": self.env.cr.now()})
        end_backoff(again.account_id)
        return again.account_id[:1]._notification(
            self.env._(
                "Retrying: %(count)s. The result appears here in a moment.", count=len(again)
            )
        )

    # === BUSINESS METHODS ===#

    def _end_try(self, vals):
        """Record the result of an attempt; one that needs a user schedules an activity.

        :param vals: of :meth:`_done_vals` or :meth:`_failed_vals`, and more
        """
        self.ensure_one()
        waited = self.state == "failed" and not self.next_try_at
        self.write(vals)
        if waited or (self.state == "failed" and not self.next_try_at):
            try:
                with self.env.cr.savepoint():
                    self._update_activity()
            except ERRORS_OF_NO_RECORD:
                raise
            except Exception:  # the result is stored even without an activity
                _logger.exception("KeyCRM: no activity for %s", self)

    def _update_activity(self):
        """Schedule an activity with the error, or remove it after success."""
        if self.state != "failed":
            self._unlink_activity()
            return
        translated = self.with_context(lang=company_language(self.account_id.company_id))
        order, account = translated.sale_order_id, translated.account_id
        activities.schedule(
            account,
            order or account,
            translated._activity_code(),
            translated._activity_summary(),
            [translated.error],
            salesperson=order.user_id,
            is_decision=False,
        )

    def _unlink_activity(self):
        for record in filter(None, (self.sale_order_id, self.account_id)):
            activities.unlink(record, self._activity_code())

    def _activity_code(self):
        """Return the code of the activity about a failure."""
        return f"{self._name}:{self.id}"

    def _activity_summary(self):
        """Return the summary of the activity about a failure."""
        raise NotImplementedError

    def _retryable(self):
        """Return the records that a user may retry."""
        return self.filtered(lambda record: record.state != "done")

    @api.model
    def _due_domain(self, account):
        """Return the domain of records that are due now.

        :param account: ``keycrm.account``
        """
        return [
            ("account_id", "=", account.id),
            ("next_try_at", "!=", False),
            ("next_try_at", "<=", self.env.cr.now()),
        ]

    def _done_vals(self, *, ignored=False, code=False, params=False):
        """Return the values of a successful attempt.

        :param ignored: whether there was nothing to do
        :param code: why it is ignored
        :param params: parameters of the code
        :return: values to be written
        """
        return {
            "state": "ignored" if ignored else "done",
            "attempts": self.attempts + 1,
            "next_try_at": False,
            "error_code": code or False,
            "error_params": params or False,
        }

    def _failed_vals(self, code, params, *, is_outage=False, is_final=False):
        """Return the values of a failed attempt: backoff, and after the last one a user.

        :param code: error code
        :param params: its parameters
        :param is_outage: whether KeyCRM was unavailable, so that a retry may succeed at any time
        :param is_final: whether a retry is useless until a user has decided
        :return: values to be written
        """
        attempts = self.attempts + 1
        pauses = (OUTAGE_PAUSE,) * OUTAGE_TRIES + RETRY_PAUSES if is_outage else RETRY_PAUSES
        pause = pauses[attempts - 1] if attempts <= len(pauses) and not is_final else None
        return {
            "state": "failed",
            "attempts": attempts,
            "next_try_at": self.env.cr.now() + timedelta(seconds=pause) if pause else False,
            "error_code": code,
            "error_params": params,
        }
