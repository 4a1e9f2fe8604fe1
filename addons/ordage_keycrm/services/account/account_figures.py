"""Read the figures on the accounts' cards of the overview, for all accounts at once."""

import json
from collections import defaultdict
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from odoo.tools import format_date

from ..common.service import Service

#: Days of the graphs, today included.
GRAPH_DAYS = 14


class AccountFigures(Service):
    """Read and format the figures of accounts.

    All figures are read with a fixed number of queries; of orders only the last days are read.
    ``account`` may hold several accounts here.
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

    def orders_on(self, day, tz):
        """Count the orders of a day.

        :param day: date
        :param tz: name of the reader's time zone
        :return: ``{account: count}``
        """
        groups = self.env["sale.order"]._read_group(
            self.day_domain(day, tz), ["keycrm_account_id"], ["__count"]
        )
        return dict(groups)

    def day_domain(self, day, tz):
        """Return the domain of a day's orders.

        :param day: date
        :param tz: name of the reader's time zone
        """
        return [
            ("keycrm_account_id", "in", self.account.ids),
            ("date_order", ">=", start_of_day(day, tz)),
            ("date_order", "<", start_of_day(day + timedelta(days=1), tz)),
        ]

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
