"""Read the figures of the overview for all accounts at once."""

import json
from collections import defaultdict
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from odoo.tools import SQL, format_date

from ..common.service import Service

#: Days of the graphs, today included.
GRAPH_DAYS = 14


class Overview(Service):
    """Read and format the figures of accounts.

    All figures are read with a fixed number of queries, and none of them reads more than the last days
    of orders. The account may be several here.
    """

    def days(self):
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
        return today, days, start_of_day(days[0], tz), tz

    def orders_by_day(self, since, tz):
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
                self.account.ids,
                since,
            )
        )
        return {(account, day): count for account, day, count in self.env.cr.fetchall()}

    def accounts_with_failures(self):
        """Return the ids of accounts with failed events or updates that are not retried any more."""
        for model in ("keycrm.event", "keycrm.order.update"):
            self.env[model].flush_model(["account_id", "state", "next_try_at"])
        self.env.cr.execute(
            SQL(
                """SELECT account_id FROM keycrm_event
                    WHERE account_id = ANY(%(ids)s) AND state = 'failed' AND next_try_at IS NULL
                    UNION
                   SELECT account_id FROM keycrm_order_update
                    WHERE account_id = ANY(%(ids)s) AND state = 'failed' AND next_try_at IS NULL""",
                ids=self.account.ids,
            )
        )
        return {account_id for (account_id,) in self.env.cr.fetchall()}

    def event_counts(self):
        """Count the orders, not the events, that are pending or failed.

        :return: ``{(account id, state): count}``, 0 for others
        """
        groups = self.env["keycrm.event"]._read_group(
            [("account_id", "in", self.account.ids), ("state", "in", ("pending", "failed"))],
            ["account_id", "state"],
            ["keycrm_order_id:count_distinct"],
        )
        return defaultdict(int, {(account.id, state): count for account, state, count in groups})

    def stock_waiting_counts(self):
        """Count the products whose stock is still to be sent.

        :return: ``{account id: count}``
        """
        groups = self.env["keycrm.stock.change"]._read_group(
            [("account_id", "in", self.account.ids)], ["account_id"], ["product_id:count_distinct"]
        )
        return {account.id: count for account, count in groups}

    def refused_counts(self):
        """Count the quantities that KeyCRM refused.

        :return: ``{account: count}``
        """
        return dict(
            self.env["keycrm.stock.level"]._read_group(
                [("account_id", "in", self.account.ids), ("error", "!=", False)],
                ["account_id"],
                ["__count"],
            )
        )

    def delay_text(self, figures):
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

    def graph(self, name, values):
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


def start_of_day(day, tz):
    """Return the start of a day in a time zone, in naive UTC."""
    begin = datetime.combine(day, time(), ZoneInfo(tz))
    return begin.astimezone(ZoneInfo("UTC")).replace(tzinfo=None)
