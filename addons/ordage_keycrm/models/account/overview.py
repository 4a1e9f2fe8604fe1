from datetime import timedelta

from odoo import api, fields, models

from ...const import OPEN_TRANSFERS, TO_SHIP
from ...services.account.account_figures import AccountFigures, start_of_day
from ...services.account.decisions.decisions import ACCOUNT_FIELDS, Decisions
from ...services.account.overview import Overview
from ...services.account.settings_review import SettingsReview, archived_references
from ...services.common.circuit_breaker import CircuitBreaker


class KeycrmAccount(models.Model):
    """Show the state of an account: its card in the overview, counts, problems, linked lists."""

    _inherit = "keycrm.account"

    # === FIELDS ===#

    # State of the circuit breakers: see ``services/common/circuit_breaker``.
    circuit_error_code = fields.Char(string="Problem type", readonly=True, copy=False)
    circuit_error_params = fields.Json(
        string="Problem details",
        readonly=True,
        copy=False,
        groups="ordage_keycrm.group_manager",
    )
    circuit_failures = fields.Integer(string="Failed attempts", readonly=True, copy=False)
    circuit_open_until = fields.Datetime(string="Next attempt", readonly=True, copy=False)
    circuit_error_text = fields.Char(
        string="Problem description", compute="_compute_circuit_error_text"
    )
    # {piece of work: {"count", "until", "code", "params"}}
    work_circuits = fields.Json(
        string="Deferred jobs", readonly=True, copy=False, groups=fields.NO_ACCESS
    )
    # {key of a decision: since when}, of decisions that depend on fields of the account.
    decisions_since = fields.Json(
        string="Decisions since",
        compute="_compute_decisions_since",
        store=True,
        groups=fields.NO_ACCESS,
    )
    overview_state = fields.Selection(
        [
            ("off", "Disabled"),
            ("problem", "Problem"),
            ("decision", "Needs a decision"),
            ("new", "Setup"),
            ("connected", "Connected"),
        ],
        string="State",
        compute="_compute_overview_state",
    )
    orders_today = fields.Integer(
        string="Orders today", compute="_compute_overview", compute_sudo=True
    )
    waiting_event_count = fields.Integer(
        string="Pending orders", compute="_compute_overview", compute_sudo=True
    )
    failed_count = fields.Integer(
        string="Failed orders", compute="_compute_overview", compute_sudo=True
    )
    stock_waiting_count = fields.Integer(
        string="Products waiting", compute="_compute_overview", compute_sudo=True
    )
    requests_used = fields.Integer(
        string="Requests in the last minute", compute="_compute_overview", compute_sudo=True
    )
    requests_allowed = fields.Integer(
        string="Requests allowed", compute="_compute_overview", compute_sudo=True
    )
    key_is_shared = fields.Boolean(
        string="API key is shared",
        compute="_compute_overview",
        compute_sudo=True,
        help="KeyCRM returned “too many requests” before this Odoo had used its limit.",
    )
    delay_in_text = fields.Char(
        string="KeyCRM → Odoo", compute="_compute_overview", compute_sudo=True
    )
    delay_out_text = fields.Char(
        string="Odoo → KeyCRM", compute="_compute_overview", compute_sudo=True
    )
    delays_graph = fields.Text(
        string="Slowest sync (s)", compute="_compute_overview", compute_sudo=True
    )
    order_count = fields.Integer(string="Orders", compute="_compute_order_count")
    event_count = fields.Integer(string="Events", compute="_compute_event_counts")
    failed_event_count = fields.Integer(string="With errors", compute="_compute_event_counts")
    unshipped_count = fields.Integer(
        string="Archived, not shipped",
        compute="_compute_decision_count",
        help="Archived orders whose deliveries are still open.",
    )
    decision_count = fields.Integer(
        string="Decisions",
        compute="_compute_decision_count",
        help="What waits for a user: orders, failed events, stock, parcels.",
    )
    reference_text = fields.Text(
        string="Settings to review", compute="_compute_reference_text", compute_sudo=True
    )
    reference_since = fields.Datetime(
        string="To review since", compute="_compute_reference_text", compute_sudo=True
    )

    # === COMPUTE METHODS ===#

    @api.depends("circuit_error_code", "circuit_error_params", "work_circuits")
    @api.depends_context("lang")
    def _compute_circuit_error_text(self):
        explain = self.env["keycrm.error.message"]
        for account in self:
            stored = account.sudo()
            code, params = stored.circuit_error_code, stored.circuit_error_params
            faults = [(code, params)] if code else []
            faults += [
                (circuit["code"], circuit["params"])
                for circuit in (stored.work_circuits or {}).values()
            ]
            account.circuit_error_text = explain._sentence(*faults[0]) if faults else ""

    @api.depends(
        "circuit_error_code",
        "work_circuits",
        "stock_paused",
        "stock_held_zeros",
        "kinds_to_preview",
    )
    def _compute_decisions_since(self):
        now = fields.Datetime.to_string(self.env.cr.now())
        for account in self:
            is_waiting = {
                "problem": CircuitBreaker(account).is_interrupted(),
                "paused": account.stock_paused,
                "zeros": account.stock_held_zeros,
                "previews": account.kinds_to_preview,
            }
            known = account.decisions_since or {}
            account.decisions_since = {
                key: known.get(key, now) for key, waits in is_waiting.items() if waits
            } or False

    @api.depends(
        "enabled",
        "circuit_error_code",
        "work_circuits",
        "polled_at",
        "reference_text",
        "decision_count",
    )
    def _compute_overview_state(self):
        """Compute the state: connected if no work waits for a user, has failed or is paused."""
        for account in self:
            is_interrupted = CircuitBreaker(account).is_interrupted()
            if is_interrupted or (account.enabled and account.reference_text):
                account.overview_state = "problem"
            elif not account.enabled:
                account.overview_state = "off" if account.polled_at else "new"
            else:
                account.overview_state = "decision" if account.decision_count else "connected"

    @api.depends_context("tz", "lang")
    def _compute_overview(self):
        figures = AccountFigures(self)
        today, days, since, tz = figures.days()
        orders = figures.orders_on(today, tz)
        delays = self.env["keycrm.latency"]._days(self, since, tz)
        events = figures.event_counts()
        waiting = figures.stock_waiting_counts()
        usage = self.env["keycrm.rate.limit"]._usage(self)
        for account in self:
            account.orders_today = orders.get(account, 0)
            account.waiting_event_count = events[account.id, "pending"]
            account.failed_count = events[account.id, "failed"]
            account.stock_waiting_count = waiting.get(account.id, 0)
            used, allowed, lowered_at = usage[account.id]
            account.requests_used = used
            account.requests_allowed = allowed
            account.key_is_shared = bool(lowered_at)
            account.delay_in_text = figures.delay_text(delays.get((account.id, "in", today)))
            account.delay_out_text = figures.delay_text(delays.get((account.id, "out", today)))
            account.delays_graph = figures.graph(
                self.env._("Seconds"),
                [
                    (
                        day,
                        max(
                            delays.get((account.id, way, day), (0.0, 0.0))[1]
                            for way in ("in", "out")
                        ),
                    )
                    for day in days
                ],
            )

    @api.depends(*ACCOUNT_FIELDS)
    def _compute_decision_count(self):
        counts = Decisions(self).counts()
        for account in self:
            account.decision_count = sum(counts[account.id].values())
            account.unshipped_count = counts[account.id]["unshipped"]

    def _compute_order_count(self):
        counts = dict(
            self.env["sale.order"]
            .sudo()
            ._read_group(
                [("keycrm_account_id", "in", self.ids)], ["keycrm_account_id"], ["__count"]
            )
        )
        for account in self:
            account.order_count = counts.get(account, 0)

    def _compute_event_counts(self):
        rows = self.env["keycrm.event"]._read_group(
            [("account_id", "in", self.ids)], ["account_id", "state"], ["__count"]
        )
        total, failed = dict.fromkeys(self, 0), dict.fromkeys(self, 0)
        for account, state, count in rows:
            total[account] += count
            if state == "failed":
                failed[account] += count
        for account in self:
            account.event_count = total.get(account, 0)
            account.failed_event_count = failed.get(account, 0)

    @api.depends_context("lang")
    def _compute_reference_text(self):
        archived = archived_references(self)
        for account in self:
            review = SettingsReview(account)
            rows = review.missing_actions() + review.late_actions() + archived.get(account, [])
            account.reference_text = "\n".join(text for text, _since in rows)
            account.reference_since = min((since for _text, since in rows if since), default=False)

    # === ACTION METHODS ===#

    def get_overview(self):
        """Return the first part of the overview: decisions and today's orders.

        An empty recordset stands for all accounts of the user's companies.

        :return: dict for the web client; see :class:`~.services.account.overview.Overview`
        """
        return self._overview().content()

    def get_overview_figures(self):
        """Return the second part of the overview: sales, products and money of the last days.

        :return: dict for the web client
        """
        return self._overview().figures()

    def action_open_orders_today(self):
        """Show today's orders.

        :return: an action
        """
        figures = AccountFigures(self)
        today, _days, _since, tz = figures.days()
        begin = start_of_day(today, tz)
        action = self._screen("ordage_keycrm.keycrm_order_all_action", "keycrm_account_id")
        return dict(
            action,
            name=self.env._("Orders today"),
            domain=[
                *action["domain"],
                ("date_order", ">=", fields.Datetime.to_string(begin)),
                ("date_order", "<", fields.Datetime.to_string(begin + timedelta(days=1))),
            ],
        )

    def action_open_waiting_events(self):
        """Open the pending events.

        :return: an action
        """
        action = self._screen("ordage_keycrm.keycrm_event_action", "account_id")
        return dict(action, context={"search_default_pending": 1})

    def action_open_failed_orders(self):
        """Open the failed orders, each once, with its last error.

        :return: an action
        """
        action = self._screen("ordage_keycrm.keycrm_event_action", "account_id")
        newest = self.env["keycrm.event"]._read_group(
            [*action["domain"], ("state", "=", "failed"), ("keycrm_order_id", "!=", False)],
            ["keycrm_order_id"],
            ["id:max"],
        )
        return dict(
            action,
            name=self.env._("Failed orders"),
            domain=[("id", "in", [event_id for _order, event_id in newest])],
        )

    def action_open_stock_waiting(self):
        """Open the products whose stock is still to be sent.

        :return: an action
        """
        return self._screen("ordage_keycrm.keycrm_stock_change_action", "account_id")

    def action_open_stock_refused(self):
        """Open the quantities that KeyCRM refused.

        :return: an action
        """
        action = self._screen("ordage_keycrm.keycrm_stock_refused_action", "account_id")
        return dict(action, domain=[*action["domain"], ("error", "!=", False)])

    def action_open_stock_held(self):
        """Open the quantities that would drop to zero.

        :return: an action
        """
        action = self._screen("ordage_keycrm.keycrm_stock_report_action", "account_id")
        return dict(action, domain=[*action["domain"], ("is_held", "=", True)])

    def action_open_failed_updates(self):
        """Open the failed updates of orders in KeyCRM.

        :return: an action
        """
        action = self._screen("ordage_keycrm.keycrm_order_update_action", "account_id")
        return dict(action, domain=[*action["domain"], ("state", "=", "failed")])

    def action_open_activities(self):
        """Open the activities that need a user's decision.

        :return: an action
        """
        self.check_access("read")
        action = self._screen("mail.mail_activity_action_my", "keycrm_account_id")
        return dict(action, name=self.env._("Open activities"))

    def action_open_returns(self):
        """Open the parcels that come back.

        :return: an action
        """
        self.check_access("read")
        action = self._screen("ordage_keycrm.stock_picking_returns_action", "keycrm_account_id")
        expected = [
            ("keycrm_expected_return", "=", True),
            ("state", "in", OPEN_TRANSFERS),
        ]
        return dict(action, domain=[*action["domain"], *expected])

    def action_open_missing(self):
        """Open the products whose SKU KeyCRM does not have.

        :return: an action
        """
        action = self._screen("ordage_keycrm.keycrm_missing_sku_action", "account_id")
        return dict(action, domain=[*action["domain"], ("is_accepted", "=", False)])

    def action_open_delays(self):
        """Open the latencies in Odoo's graph view.

        :return: an action
        """
        return self._screen("ordage_keycrm.keycrm_latency_action", "account_id")

    def action_open_orders(self):
        """Open the orders of this account, archived ones too.

        :return: an action
        """
        return self._screen("ordage_keycrm.keycrm_order_all_action", "keycrm_account_id")

    def action_open_decisions(self):
        """Open the orders that need a user's decision.

        :return: an action
        """
        action = self._screen("ordage_keycrm.keycrm_order_all_action", "keycrm_account_id")
        return dict(
            action, name=self.env._("Orders that need a decision"), domain=self._decision_domain()
        )

    def action_open_unshipped(self):
        """Open archived orders whose deliveries are still open.

        :return: an action
        """
        action = self._screen("ordage_keycrm.keycrm_order_all_action", "keycrm_account_id")
        return dict(action, domain=self._unshipped_domain())

    def action_open_events(self):
        """Open the events that this account received from KeyCRM.

        :return: an action
        """
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("ordage_keycrm.keycrm_event_action")
        return dict(action, domain=[("account_id", "=", self.id)])

    def action_open_failed_events(self):
        """Open the failed events.

        :return: an action
        """
        action = self._screen("ordage_keycrm.keycrm_event_action", "account_id")
        return dict(action, context={"search_default_failed": 1})

    def action_open_statuses(self):
        """Open the statuses of this account, to choose their actions in Odoo.

        :return: an action
        """
        return self._screen("ordage_keycrm.keycrm_order_status_action", "account_id")

    # === BUSINESS METHODS ===#

    def _overview(self):
        accounts = self or self.search([("company_id", "in", self.env.companies.ids)])
        accounts.check_access("read")
        return Overview(accounts)

    def _decision_domain(self):
        return [("keycrm_account_id", "in", self.ids), ("keycrm_needs_decision", "=", True)]

    def _unshipped_domain(self):
        """Return the domain of archived orders with open deliveries, without returns."""
        return [
            ("keycrm_account_id", "in", self.ids),
            ("keycrm_archived", "=", True),
            ("picking_ids", "any", list(TO_SHIP)),
        ]

    def _screen(self, action_id, field_name):
        """Return an action filtered by this account.

        :param action_id: external id of the action
        :param field_name: field with the account
        """
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(action_id)
        return dict(action, domain=[(field_name, "=", self.id)], context={})
