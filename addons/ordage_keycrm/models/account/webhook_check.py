from datetime import timedelta
from urllib.parse import urlsplit

from odoo import api, fields, models

from ...keycrm import webhook_check
from ...services.live_updates import notify_clients
from .onboarding import TICKS

#: Fields with a web address: one that is entered without its scheme is completed.
ADDRESSES = ("api_url", "public_url", "cabinet_url")
#: Without a webhook for this long, Odoo polls every minute.
SILENT_HOURS = 24


class KeycrmAccount(models.Model):
    """Check that KeyCRM's webhooks reach this Odoo, by a challenge and by receipts."""

    _inherit = "keycrm.account"

    # === FIELDS ===#

    link_checked_at = fields.Datetime(string="Link last checked", readonly=True, copy=False)
    link_code = fields.Char(string="Link error type", readonly=True, copy=False)
    link_params = fields.Json(
        string="Link error details",
        readonly=True,
        copy=False,
        groups="ordage_keycrm.group_manager",
    )
    link_text = fields.Char(string="Link problem", compute="_compute_link_text")
    link_lines = fields.Text(string="Configuration lines to add", compute="_compute_link_text")
    trigger_get_at = fields.Datetime(
        string="Received by GET",
        readonly=True,
        copy=False,
        help="When KeyCRM last called the link with the wrong method: its trigger is set to GET.",
    )
    setup_webhook = fields.Selection(
        TICKS, string="Step: webhook", compute="_compute_setup_webhook"
    )

    # === COMPUTE METHODS ===#

    @api.depends("link_code", "link_params", "trigger_get_at")
    @api.depends_context("lang")
    def _compute_link_text(self):
        explain = self.env["keycrm.error.message"]
        for account in self.sudo():
            code, params = account._link_fault()
            account.link_text = explain._sentence(code, params)
            account.link_lines = (
                account._lines_for_several_databases()
                if code == "link_several_databases"
                else False
            )

    @api.depends("enabled", "link_code", "trigger_get_at", "reviewed_steps")
    def _compute_setup_webhook(self):
        """Compute the step; a user may confirm that polling without a webhook is enough."""
        for account in self:
            if account._is_reviewed("webhook"):
                account.setup_webhook = "done"
            elif account.sudo()._link_fault()[0]:
                account.setup_webhook = "wrong"
            elif account.last_webhook_at:
                account.setup_webhook = "done"
            else:
                account.setup_webhook = "waiting" if account.enabled else "todo"

    @api.onchange(*ADDRESSES)
    def _onchange_addresses(self):
        for name in filter(self.__getitem__, ADDRESSES):
            self[name] = webhook_check.with_scheme(self[name])

    # === ACTION METHODS ===#

    def action_check_link(self):
        """Send a challenge to the webhook link, as KeyCRM would, and report the result.

        :return: a notification; an error is also stored and displayed beside the link
        """
        self.ensure_one()
        self._check_manager()
        account = self.sudo()
        vals = {"link_checked_at": fields.Datetime.now(), "link_code": False, "link_params": False}
        if not account.webhook_url:
            # There is none yet, or one that a copy of the database cannot decrypt.
            account._create_webhook_tokens()
        try:
            webhook_check.check(account.webhook_url, account._decrypted(account.webhook_token))
        except webhook_check.LinkProblem as problem:
            vals.update(link_code=problem.code, link_params=problem.params)
        account.write(vals)
        if vals["link_code"]:
            text = self.env["keycrm.error.message"]._sentence(
                vals["link_code"], vals["link_params"]
            )
            return self._notification(text, "warning")
        return self._notification(
            self.env._(
                "The link works: this Odoo responds at %(host)s.",
                host=urlsplit(self.webhook_url).netloc,
            )
        )

    # === BUSINESS METHODS ===#

    @api.model
    def _complete_addresses(self, vals):
        """Complete the web addresses in the values of an account.

        :param vals: values of ``create`` or ``write``
        :return: values with complete addresses
        """
        typed = {
            name: webhook_check.with_scheme(vals[name]) for name in ADDRESSES if vals.get(name)
        }
        return {**vals, **typed}

    def _reset_link_check(self):
        """Reset the check of the link, which does not apply to a new public address."""
        self.sudo().write({"link_code": False, "link_params": False})

    def _link_fault(self):
        """Return why webhooks do not arrive; a webhook received since clears it.

        :return: (code, parameters), empty when no fault is known
        """
        self.ensure_one()
        last = self.last_webhook_at
        if self.trigger_get_at and not (last and last >= self.trigger_get_at):
            return "link_trigger_get", {}
        if self.link_code and not (last and last >= self.link_checked_at):
            return self.link_code, {**(self.link_params or {}), "database": self.env.cr.dbname}
        return "", {}

    def _lines_for_several_databases(self):
        """Return the configuration lines that route the webhook to this database."""
        host = urlsplit(self.webhook_url or "").netloc
        return (
            "# nginx\n"
            f"server_name {host};\n"
            "location /keycrm/webhook/ {\n"
            "    proxy_pass http://127.0.0.1:8069;\n"
            "    proxy_set_header Host $host;\n"
            f"    proxy_set_header X-Odoo-Database {self.env.cr.dbname};\n"
            "}\n\n"
            "# odoo.conf\n"
            f"dbfilter = ^{self.env.cr.dbname}$"
        )

    def _record_get(self):
        """Record a webhook by GET, which contains no order: the trigger is misconfigured."""
        now = fields.Datetime.now()
        if not self.trigger_get_at or self.trigger_get_at < now - timedelta(minutes=1):
            self.trigger_get_at = now
            notify_clients(self)

    def _was_polled_recently(self, now):
        """Return whether it is too early to poll KeyCRM again.

        The interval is the account's while webhooks arrive; without any for a day, or ever, a minute,
        so that the integration works without a public address too.

        :param now: naive UTC
        """
        pause = self.polled_at and now - self.polled_at
        if not pause or pause < timedelta(minutes=1):
            # The shortest interval first: this check costs no query.
            return bool(self.polled_at)
        last = self.last_webhook_at
        silent = not last or last < now - timedelta(hours=SILENT_HOURS)
        return not silent and pause < timedelta(minutes=self.poll_minutes)
