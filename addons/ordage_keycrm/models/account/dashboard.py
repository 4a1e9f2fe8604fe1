import json
from collections import defaultdict
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from odoo import api, fields, models
from odoo.tools import SQL, format_date

from ...services import scheduler_watchdog

#: Days of the graphs, today included.
GRAPH_DAYS = 14


class KeycrmAccount(models.Model):
    """Compute the card of an account in the overview: state, counts and latencies.

    All figures of all cards are read with a fixed number of queries, and none of them reads more than
    the last days of orders.
    """

    _inherit = "keycrm.account"

    # === FIELDS ===#

    # State of the circuit breakers: see ``services/circuit_breaker``.
    trouble_code = fields.Char(string="Problem type", readonly=True, copy=False)
    trouble_params = fields.Json(
        string="Problem details",
        readonly=True,
        copy=False,
        groups="ordage_keycrm.group_manager",
    )
    trouble_count = fields.Integer(string="Failed attempts", readonly=True, copy=False)
    trouble_until = fields.Datetime(string="Next attempt", readonly=True, copy=False)
    trouble_text = fields.Char(string="Problem description", compute="_compute_trouble_text")
    # {piece of work: {"count", "until", "code", "params"}}
    guarded_work = fields.Json(
        string="Deferred jobs", readonly=True, copy=False, groups=fields.NO_ACCESS
    )

    overview_state = fields.Selection(
        [
            ("off", "Disabled"),
            ("trouble", "Problem"),
            ("decision", "Needs a decision"),
            ("new", "Setup"),
            ("well", "Connected"),
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
    stock_refused_count = fields.Integer(
        string="Products refused", compute="_compute_overview", compute_sudo=True
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
    orders_graph = fields.Text(
        string="Orders per day", compute="_compute_overview", compute_sudo=True
    )
    delays_graph = fields.Text(
        string="Slowest sync (s)", compute="_compute_overview", compute_sudo=True
    )

    # === COMPUTE METHODS ===#

    @api.depends("trouble_code", "trouble_params", "guarded_work")
    @api.depends_context("lang")
    def _compute_trouble_text(self):
        explain = self.env["keycrm.error.message"]
        for account in self:
            stored = account.sudo()
            faults = [(stored.trouble_code, stored.trouble_params)] if stored.trouble_code else []
            faults += [
                (circuit["code"], circuit["params"])
                for circuit in (stored.guarded_work or {}).values()
            ]
            account.trouble_text = explain._sentence(*faults[0]) if faults else ""

    @api.depends("enabled", "trouble_code", "polled_at", "reference_text", "decision_count")
    def _compute_overview_state(self):
        """Compute the state: connected only where nothing waits for a user."""
        undecided = self._accounts_with_failures()
        for account in self:
            if account.trouble_code or (account.enabled and account.reference_text):
                account.overview_state = "trouble"
            elif not account.enabled:
                account.overview_state = "off" if account.polled_at else "new"
            elif account.decision_count or account.stock_held_zeros or account.id in undecided:
                account.overview_state = "decision"
            else:
                account.overview_state = "well"

    @api.depends_context("tz", "lang")
    def _compute_overview(self):
        scheduler_watchdog.revive()  # a visible overview repairs dead scheduler threads
        today, days, since, tz = self._overview_days()
        orders = self._orders_by_day(since, tz)
        delays = self.env["keycrm.latency"]._days(self, since, tz)
        events = self._event_counts()
        waiting = self._stock_waiting_counts()
        refused = self._refused_counts()
        usage = self.env["keycrm.rate.limit"]._usage(self)
        for account in self:
            account.orders_today = orders.get((account.id, today), 0)
            account.waiting_event_count = events[account.id, "pending"]
            account.failed_count = events[account.id, "failed"]
            account.stock_waiting_count = waiting.get(account.id, 0)
            account.stock_refused_count = refused.get(account, 0)
            used, allowed, is_shared = usage[account.id]
            account.requests_used = used
            account.requests_allowed = allowed
            account.key_is_shared = is_shared
            account.delay_in_text = self._delay_text(delays.get((account.id, "in", today)))
            account.delay_out_text = self._delay_text(delays.get((account.id, "out", today)))
            account.orders_graph = self._graph(
                self.env._("Orders"), [(day, orders.get((account.id, day), 0)) for day in days]
            )
            account.delays_graph = self._graph(
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

    # === ACTION METHODS ===#

    def action_open_orders_today(self):
        """Show today's orders.

        :return: an action
        """
        today, _days, _since, tz = self._overview_days()
        begin = _utc(today, tz)
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

    def action_open_delays(self):
        """Open the latencies in Odoo's graph view.

        :return: an action
        """
        return self._screen("ordage_keycrm.keycrm_latency_action", "account_id")

    # === BUSINESS METHODS ===#

    def _overview_days(self):
        """Return the days that the graphs show, in the reader's time zone.

        :return: today, list of days, start of the first in naive UTC, name of the time zone
        """
        tz = self.env.user.tz or "UTC"
        try:
            zone = ZoneInfo(tz)
        except (ZoneInfoNotFoundError, ValueError):
            tz, zone = "UTC", ZoneInfo("UTC")
        today = datetime.now(zone).date()
        days = [today - timedelta(days=back) for back in reversed(range(GRAPH_DAYS))]
        return today, days, _utc(days[0], tz), tz

    def _orders_by_day(self, since, tz):
        """Count orders by the day on which they were placed.

        :param since: naive UTC
        :param tz: name of the reader's time zone
        :return: ``{(account id, date): count}``
        """
        self.env["sale.order"].flush_model(["keycrm_account_id", "date_order"])
        self.env.cr.execute(
            SQL(
                """SELECT keycrm_account_id,
                          (date_order AT TIME ZONE 'UTC' AT TIME ZONE %s)::date AS day, count(*)
                     FROM sale_order
                    WHERE keycrm_account_id = ANY(%s) AND date_order >= %s
                    GROUP BY keycrm_account_id, day""",
                tz,
                self.ids,
                since,
            )
        )
        return {(account, day): count for account, day, count in self.env.cr.fetchall()}

    def _accounts_with_failures(self):
        """Return the ids of accounts with failed events that are not retried any more."""
        groups = (
            self.env["keycrm.event"]
            .sudo()
            ._read_group(
                [
                    ("account_id", "in", self.ids),
                    ("state", "=", "failed"),
                    ("next_try_at", "=", False),
                ],
                ["account_id"],
            )
        )
        return {account.id for (account,) in groups}

    def _event_counts(self):
        """Count the orders, not the events, that are pending or failed.

        :return: ``{(account id, state): count}``, 0 for others
        """
        groups = self.env["keycrm.event"]._read_group(
            [("account_id", "in", self.ids), ("state", "in", ("pending", "failed"))],
            ["account_id", "state"],
            ["keycrm_order_id:count_distinct"],
        )
        return defaultdict(int, {(account.id, state): count for account, state, count in groups})

    def _stock_waiting_counts(self):
        """Count the products whose stock is still to be sent.

        :return: ``{account id: count}``
        """
        groups = self.env["keycrm.stock.change"]._read_group(
            [("account_id", "in", self.ids)], ["account_id"], ["product_id:count_distinct"]
        )
        return {account.id: count for account, count in groups}

    def _refused_counts(self):
        """Count the quantities that KeyCRM refused.

        :return: ``{account: count}``
        """
        return dict(
            self.env["keycrm.stock.level"]._read_group(
                [("account_id", "in", self.ids), ("error", "!=", False)],
                ["account_id"],
                ["__count"],
            )
        )

    def _delay_text(self, figures):
        """Format the latencies of a day.

        :param figures: (median, maximum) in seconds, or None
        :return: text in the reader's language, or False
        """
        if not figures:
            return False
        median, worst = map(self._duration_text, figures)
        if median == worst:
            return median
        return self.env._("typically %(median)s, max. %(worst)s", median=median, worst=worst)

    def _duration_text(self, seconds):
        """Format a duration in the reader's language.

        :param seconds: number of seconds
        """
        if seconds < 1:
            return self.env._("under 1 s")
        if seconds < 90:
            return self.env._("%s s", round(seconds))
        if seconds < 90 * 60:
            return self.env._("%s min", round(seconds / 60))
        return self.env._("%s h", round(seconds / 3600))

    def _graph(self, name, values):
        """Return the data of the graph widget.

        :param name: label of the values
        :param values: ``[(date, number)]``
        :return: JSON
        """
        return json.dumps(
            [
                {
                    "key": name,
                    "values": [
                        {
                            "label": format_date(self.env, day, date_format="d MMM"),
                            "value": round(value, 1),
                            "type": "past",
                        }
                        for day, value in values
                    ],
                }
            ]
        )


def _utc(day, tz):
    """Return the start of a day in a time zone, in naive UTC."""
    begin = datetime.combine(day, time(), ZoneInfo(tz))
    return begin.astimezone(ZoneInfo("UTC")).replace(tzinfo=None)
