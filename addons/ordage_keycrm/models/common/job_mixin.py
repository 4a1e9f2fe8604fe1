from odoo import api, fields, models
from odoo.tools import format_datetime

from ...services.common import crons
from ...services.common.circuit_breaker import CircuitBreaker, end_backoff
from ...services.common.live_updates import notify_clients

#: Final states of a run, and the type of the notification about them.
_NOTIFICATION_TYPES = {"done": "success", "ready": "warning", "failed": "danger"}
#: Unreadable rows that a job names.
MAX_UNREAD = 20


class KeycrmJobMixin(models.AbstractModel):
    """Track a background job of an account: progress, remaining time, result.

    The workers process it page by page and commit the counts with each page, so closing the screen or
    restarting Odoo loses nothing. The user who started it is notified when it ends. Forms of jobs hold
    ``<widget name="keycrm_live"/>`` and reload while the work continues.
    """

    _name = "keycrm.job.mixin"
    _description = "KeyCRM background job"
    _inherit = ["keycrm.account.mixin", "keycrm.error.mixin"]
    _order = "id desc"

    #: States in which a worker processes the job.
    _busy_states = ("running",)
    #: Pieces of an account's work whose open circuit breaker holds up the job.
    _pieces = ("orders",)

    # === FIELDS ===#

    # Indexed for the account's list of its runs.
    account_id = fields.Many2one(default=lambda self: self._default_account(), index=True)
    user_id = fields.Many2one(
        "res.users", string="Started by", readonly=True, copy=False, help="Empty: started by Odoo."
    )
    state = fields.Selection("_states", required=True, default="draft", readonly=True, copy=False)
    total_count = fields.Integer(string="Total to process", readonly=True, copy=False)
    done_count = fields.Integer(string="Processed", readonly=True, copy=False)
    progress = fields.Float(compute="_compute_progress")
    remaining_text = fields.Char(
        string="Time left",
        compute="_compute_remaining_text",
        help="Estimated from the current speed.",
    )
    waiting_text = fields.Char(string="Reason for waiting", compute="_compute_waiting_text")
    started_at = fields.Datetime(string="Started", readonly=True, copy=False)
    finished_at = fields.Datetime(string="Finished", readonly=True, copy=False)
    error = fields.Char(string="Error message")
    # Error codes and parameters of rows that KeyCRM could not return, the first ones of each job.
    unread = fields.Json(string="Rows not read", readonly=True, copy=False)
    unread_text = fields.Text(string="Not read from KeyCRM", compute="_compute_unread_text")

    # === COMPUTE METHODS ===#

    @api.depends("started_at")
    @api.depends_context("lang", "tz")
    def _compute_display_name(self):
        for run in self:
            begun = run.started_at or run.create_date
            title = run._title()
            if begun:
                at = format_datetime(run.env, begun, dt_format="short")
                title = run.env._("%(title)s, %(date)s", title=title, date=at)
            run.display_name = title

    @api.depends("total_count", "done_count", "state")
    def _compute_progress(self):
        for run in self:
            if run.state in _NOTIFICATION_TYPES and run.state != "failed":
                run.progress = 100
            else:
                done, total = run._amounts()
                run.progress = min(100, 100 * done / total) if total else 0

    @api.depends(
        "state",
        "account_id.enabled",
        "account_id.circuit_error_code",
        "account_id.circuit_error_params",
        "account_id.work_circuits",
    )
    @api.depends_context("lang")
    def _compute_waiting_text(self):
        for run in self:
            run.waiting_text = run.state in self._busy_states and run._waiting_reason()

    @api.depends("unread")
    @api.depends_context("lang")
    def _compute_unread_text(self):
        explain = self.env["keycrm.error.message"]
        for run in self:
            sentences = [explain._sentence(*error) for error in run.unread or ()]
            run.unread_text = "\n".join(sentences)

    @api.depends("state", "started_at", "done_count", "total_count", "waiting_text")
    @api.depends_context("lang")
    def _compute_remaining_text(self):
        now = fields.Datetime.now()
        for run in self:
            run.remaining_text = False
            done, total = run._amounts()
            if run.state in self._busy_states and done and run.started_at and not run.waiting_text:
                seconds = (now - run.started_at).total_seconds() * max(0, total - done) / done
                run.remaining_text = self._remaining(seconds)

    @api.model
    def _states(self):
        """Return the selection of states, which a job with other states overrides."""
        draft = self.env._("Not started")
        running = self.env._("Running")
        done = self.env._("Finished")
        failed = self.env._("Failed")
        canceled = self.env._("Stopped")
        return [
            ("draft", draft),
            ("running", running),
            ("done", done),
            ("failed", failed),
            ("canceled", canceled),
        ]

    # === ACTION METHODS ===#

    def action_start(self):
        """Start or restart the run.

        :return: True
        :raise UserError: when the account is disabled or a required choice is missing
        """
        self.account_id._check_manager()
        for run in self:
            if run.state in self._busy_states:
                continue
            run.account_id._check_can_work()
            run._check_can_start()
            run.sudo().write(run._start_vals())
            run.sudo()._begin()
            end_backoff(run.account_id)
        notify_clients(self.account_id)
        return True

    def action_cancel(self):
        """Stop the run; work that is committed remains.

        :return: True
        """
        self.account_id._check_manager()
        busy = self.filtered(lambda run: run.state in ("draft", *self._busy_states))
        busy.sudo()._end("canceled")
        return True

    # === BUSINESS METHODS ===#

    def _check_can_start(self):
        """Check that every required choice is made.

        :raise UserError: when one is missing
        """

    def _start_vals(self):
        """Return the initial values of a run, with all counts at zero."""
        return {
            "state": "running",
            "user_id": self.env.user.id,
            "total_count": 0,
            "done_count": 0,
            "started_at": self.env.cr.now(),
            "finished_at": False,
            "error_code": False,
            "error_params": False,
            "unread": False,
        }

    def _begin(self):
        """Trigger the worker."""
        crons.trigger(self.account_id, crons.ORDERS)

    def _amounts(self):
        """Return the progress.

        :return: ``(processed, total)``
        """
        return self.done_count, self.total_count

    def _waiting_reason(self):
        """Return why the run is on hold.

        :return: a sentence; empty when nothing holds it up
        """
        account = self.account_id
        if not account.enabled and not account._is_before_start():
            return self.env._(
                "The integration is disabled. The job continues once the integration is enabled."
            )
        return CircuitBreaker(account).reason(self._pieces)

    def _is_still_running(self):
        """Return whether the job still runs: a user may have stopped it meanwhile."""
        return self.state in self._busy_states

    def _record_unread(self, unread):
        """Record rows of a list that KeyCRM could not return, for the user.

        :param unread: of a :class:`~.keycrm.client.Page`
        """
        known = self.unread or []
        if unread and len(known) < MAX_UNREAD:
            self.unread = [*known, *(rows.as_error() for rows in unread)][:MAX_UNREAD]

    def _fail(self, error):
        """End the run with an error; a run that a user stopped meanwhile stays stopped.

        :param error: the :class:`~.keycrm.errors.KeyCrmError`
        """
        if self._is_still_running():
            self._end("failed", error_code=error.code, error_params=error.params)

    def _end(self, state, **vals):
        """Record the end of the run and notify the user who started it.

        :param state: final state
        :param vals: further values to write
        """
        self.write({"state": state, "finished_at": fields.Datetime.now(), **vals})
        for run in self:
            run._notify_user()
        notify_clients(self.account_id)

    def _notify_user(self):
        """Notify the user who started the run, in that user's language."""
        kind = "danger" if self.error_code else _NOTIFICATION_TYPES.get(self.state)
        if not kind or not self.user_id:
            return
        run = self.with_context(lang=self.user_id.lang)
        message = run.error if self.error_code else run._summary()
        first_unread = (run.unread_text or "").partition("\n")[0]
        self.user_id._bus_send(
            "simple_notification",
            {
                "title": run._title(),
                "message": " ".join(filter(None, (message, first_unread))),
                "type": kind,
                # Only the message about a failure stays on the screen.
                "sticky": kind == "danger",
            },
        )

    def _title(self):
        """Return the kind of work, in the language of the environment."""
        raise NotImplementedError

    def _summary(self):
        """Return the result in one sentence."""
        raise NotImplementedError

    def _remaining(self, seconds):
        """Format a remaining time.

        :param seconds: estimated seconds
        :return: text in the language of the environment
        """
        if seconds < 60:
            return self.env._("less than a minute")
        minutes = -(-int(seconds) // 60)
        if minutes < 90:
            return self.env._("%s min", minutes)
        return self.env._("%(hours)s h %(minutes)s min", hours=minutes // 60, minutes=minutes % 60)
