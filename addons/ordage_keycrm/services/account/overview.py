"""Read today's orders, sales and money of the overview."""

from collections import defaultdict
from datetime import datetime, timedelta

from odoo import fields
from odoo.tools import SQL, format_date

from ...keycrm.parcels import place_of_money, statuses_of_place
from ..common.service import Service
from ..orders.open_orders import open_orders_domain
from .account_figures import AccountFigures, start_of_day
from .decisions.decisions import Decisions
from .decisions.kind import ORDER_FIELDS, order_numbers

#: Fields of a card.
CARD_FIELDS = (
    *ORDER_FIELDS,
    *("keycrm_status_id", "keycrm_tracking_code", "keycrm_amount_due"),
    *("keycrm_payment_status", "state"),
)
#: Cards of a column; the others are a link to the list.
CARDS = 6
#: Sources with a color of their own.
SERIES = 6
#: Products that are shown.
PRODUCTS = 5
#: Orders of the last days whose amounts to collect are summed; this limits the rows that are read.
MONEY_DAYS = 30


class Overview(Service):
    """Read the start page of a shop, with a fixed number of queries.

    ``account`` may hold several accounts here. Only orders that the user may read are included.
    """

    def content(self):
        """Return the first part of the overview: decisions, and today's orders.

        :return: dict for the web client
        """
        enabled = self.account.filtered("enabled")
        decisions = Decisions(enabled)
        rows = decisions.rows()
        answer = {
            "is_enabled": bool(enabled),
            "decisions": rows,
            "decision_count": sum(row["count"] for row in rows),
            # What only other users may read.
            "others_decide": 0 if rows else decisions.total(),
            "has_orders": self.env["sale.order"].has_access("read"),
        }
        if answer["has_orders"]:
            figures = AccountFigures(self.account)
            today, _days, _since, tz = figures.days()
            domain = figures.day_domain(today, tz)
            answer.update(
                today_domain=plain(domain),
                list_view=self.env.ref("ordage_keycrm.keycrm_order_view_list").id,
                columns=self.columns(domain),
            )
        return answer

    def figures(self):
        """Return the figures of the last days, which the client reads after the first part.

        :return: dict for the web client; empty for a user who may not read orders
        """
        if not self.env["sale.order"].has_access("read"):
            return {}
        today, days, since, tz = AccountFigures(self.account).days()
        return {
            "sales": self.sales(days, since, tz),
            "products": self.products(since),
            "money": self.money(today, tz),
        }

    # === TODAY ===#

    def columns(self, domain):
        """Return a day's orders by their status in KeyCRM.

        :param domain: of the orders
        :return: list of columns with counts, sums and the newest orders
        """
        Order = self.env["sale.order"]
        sums = defaultdict(list)
        counts = defaultdict(int)
        for status, currency, count, total, due in Order._read_group(
            domain,
            ["keycrm_status_id", "currency_id"],
            ["__count", "keycrm_total:sum", "keycrm_amount_due:sum"],
        ):
            counts[status] += count
            sums[status].append(
                {"total": currency.format(total), "due": due and currency.format(due)}
            )
        newest = self._newest(domain)
        cards = defaultdict(list)
        payments = dict(Order._fields["keycrm_payment_status"]._description_selection(self.env))
        for order in newest:
            cards[order.keycrm_status_id].append(self._card(order, payments))
        # Statuses of accounts with the same name stay apart: each has its own actions.
        is_one = len(self.account) == 1
        return [
            {
                "id": status.id,
                "name": status.display_name or self.env._("No status"),
                "group": status.group or "",
                "account_name": "" if is_one else status.account_id.display_name or "",
                "count": counts[status],
                "sums": sums[status],
                "cards": cards[status],
            }
            for status in sorted(
                counts, key=lambda status: (status.group or "", status.sequence, status.id or 0)
            )
        ]

    def _newest(self, domain):
        """Return the newest orders of each status.

        :param domain: of a day's orders
        """
        Order = self.env["sale.order"]
        query = Order._search(domain)
        self.env.cr.execute(
            SQL(
                """SELECT id FROM (
                       SELECT id, row_number() OVER (
                                  PARTITION BY keycrm_status_id ORDER BY date_order DESC, id DESC
                              ) AS place
                         FROM sale_order WHERE id IN %s
                   ) AS placed WHERE place <= %s ORDER BY place""",
                query.subselect(),
                CARDS,
            )
        )
        orders = Order.browse([order_id for (order_id,) in self.env.cr.fetchall()])
        orders.fetch(CARD_FIELDS)
        return orders

    def _card(self, order, payments):
        """Return the content of a card of the board.

        :param order: ``sale.order``, one
        :param payments: labels of the payment statuses
        """
        money = order.currency_id.format
        return {
            "id": order.id,
            **order_numbers(order),
            "buyer": order.partner_id.display_name,
            "tracking": order.keycrm_tracking_code or "",
            "total": money(order.keycrm_total),
            "due": money(order.keycrm_amount_due) if order.keycrm_amount_due else "",
            "payment": order.keycrm_payment_status or "",
            "payment_label": payments.get(order.keycrm_payment_status, ""),
            "canceled": order.state == "cancel",
        }

    # === SALES ===#

    def sales(self, days, since, tz):
        """Return orders and revenue of each day by source.

        :return: ``{"days": labels, "measures": [{"name", "series", "totals"}]}``
        """
        rows = self._sales_rows(since, tz)
        sources = self.env["keycrm.source"].browse(
            {source for _day, source, *_rest in rows if source}
        )
        names = {source.id: source.name for source in sources.exists()}
        currencies = self.env["res.currency"].browse(
            sorted({currency for _day, _source, currency, *_rest in rows})
        )
        measures = [self._measure(self.env._("Orders"), rows, days, names, None)]
        for currency in currencies:
            label = self.env._("Revenue, %s", currency.name)
            measures.append(self._measure(label, rows, days, names, currency))
        labels = [format_date(self.env, day, date_format="d MMM") for day in days]
        return {"days": labels, "measures": measures}

    def _sales_rows(self, since, tz):
        """Return ``[(date, source id, currency id, orders, revenue)]``, by an index over the dates."""
        Order = self.env["sale.order"]
        Order.flush_model(
            ["keycrm_source_id", "keycrm_total", "currency_id", "date_order", "state"]
        )
        query = Order._search(
            [("keycrm_account_id", "in", self.account.ids), ("date_order", ">=", since)]
        )
        self.env.cr.execute(
            SQL(
                """SELECT (date_order AT TIME ZONE 'UTC' AT TIME ZONE %s)::date AS day,
                          keycrm_source_id, currency_id, count(*),
                          coalesce(sum(keycrm_total) FILTER (WHERE state <> 'cancel'), 0)
                     FROM sale_order WHERE id IN %s
                    GROUP BY day, keycrm_source_id, currency_id""",
                tz,
                query.subselect(),
            )
        )
        return self.env.cr.fetchall()

    def _measure(self, name, sales, days, sources, currency):
        """Return the bars of a measure, a series for each source.

        :param currency: ``res.currency`` of revenue; None to count orders
        """
        place = {day: number for number, day in enumerate(days)}
        series = defaultdict(lambda: [0.0] * len(days))
        for day, source, currency_id, count, revenue in sales:
            if day in place and (not currency or currency_id == currency.id):
                # Sources of the same name in several accounts are one series.
                label = sources.get(source) or self.env._("Without source")
                series[label][place[day]] += float(revenue) if currency else count
        totals = [sum(values) for values in zip(*series.values(), strict=True)] or [0.0] * len(days)
        text = currency.format if currency else lambda value: f"{value:.0f}"
        named = sorted(series.items(), key=lambda one: -sum(one[1]))
        if len(named) > SERIES:
            rest = [
                sum(values) for values in zip(*(v for _n, v in named[SERIES - 1 :]), strict=True)
            ]
            named = [*named[: SERIES - 1], (self.env._("Other sources"), rest)]
        rows = [
            {"name": name, "values": values, "total": text(sum(values))} for name, values in named
        ]
        scale = nice_scale(max(totals))
        return {
            "name": name,
            "series": rows,
            "totals": [text(value) for value in totals],
            "sum": text(sum(totals)),
            "scale": [{"value": value, "text": text(value)} for value in scale],
        }

    # === PRODUCTS AND MONEY ===#

    def products(self, since):
        """Return the products with the highest revenue of the last days.

        :return: ``[{"id", "name", "quantity", "amount"}]``
        """
        Order, Line = self.env["sale.order"], self.env["sale.order.line"]
        if not (Line.has_access("read") and self.env["product.product"].has_access("read")):
            return []
        Line.flush_model(["order_id", "product_id", "product_uom_qty", "price_total"])
        query = Order._search(
            [
                ("keycrm_account_id", "in", self.account.ids),
                ("date_order", ">=", since),
                ("state", "!=", "cancel"),
            ]
        )
        self.env.cr.execute(
            SQL(
                """SELECT l.product_id, l.currency_id, sum(l.product_uom_qty), sum(l.price_total)
                     FROM sale_order_line l
                     JOIN product_product p ON p.id = l.product_id
                     JOIN product_template t ON t.id = p.product_tmpl_id AND t.type <> 'service'
                    WHERE l.order_id IN %s
                    GROUP BY l.product_id, l.currency_id
                    ORDER BY sum(l.price_total) DESC, l.product_id LIMIT %s""",
                query.subselect(),
                PRODUCTS,
            )
        )
        rows = self.env.cr.fetchall()
        products = self.env["product.product"].browse(row[0] for row in rows)
        names = {product.id: product.display_name for product in products._filtered_access("read")}
        currency_ids = {row[1] for row in rows}
        currencies = {
            currency.id: currency for currency in self.env["res.currency"].browse(currency_ids)
        }
        return [
            {
                "id": product_id,
                "name": names[product_id],
                "quantity": f"{quantity:g}",
                "amount": currencies[currency].format(float(amount)),
            }
            for product_id, currency, quantity, amount in rows
            if product_id in names
        ]

    def money(self, today, tz):
        """Return the amounts to collect, by where the parcel is.

        :return: ``[{"place", "name", "count", "amounts"}]``
        """
        since = start_of_day(today - timedelta(days=MONEY_DAYS), tz)
        domain = self.money_domain(since)
        statuses = self.env["sale.order"]._fields["keycrm_shipping_status"].get_values(self.env)
        groups = self.env["sale.order"]._read_group(
            domain,
            ["keycrm_shipping_status", "currency_id"],
            ["__count", "keycrm_amount_due:sum"],
        )
        counts, sums = defaultdict(int), defaultdict(lambda: defaultdict(float))
        for status, currency, count, due in groups:
            place = place_of_money(status)
            counts[place] += count
            sums[place][currency] += due
        names = {
            "to_ship": self.env._("Not shipped"),
            "on_the_way": self.env._("On the way"),
            "arrived": self.env._("Delivered, money on its way"),
        }
        return [
            {
                "place": place,
                "name": name,
                "count": counts[place],
                "amounts": [currency.format(due) for currency, due in sums[place].items()],
                "domain": plain(
                    [*domain, ("keycrm_shipping_status", "in", statuses_of_place(place, statuses))]
                ),
            }
            for place, name in names.items()
            if counts[place]
        ]

    def money_domain(self, since):
        """Return the domain of orders with an amount to collect.

        :param since: naive UTC
        """
        return [
            *open_orders_domain(self.account, groups=None),
            ("date_order", ">=", since),
            ("keycrm_amount_due", ">", 0),
            ("state", "!=", "cancel"),
        ]


def plain(domain):
    """Return a domain for the web client, with its dates as Odoo sends them."""
    return [
        (name, operator, fields.Datetime.to_string(value) if isinstance(value, datetime) else value)
        for name, operator, value in domain
    ]


def nice_scale(largest):
    """Return the lines of a scale: 0, the half and the end, a round number.

    :param largest: the highest value
    """
    if largest <= 0:
        return [0, 1]
    step = 10.0 ** (len(str(int(largest))) - 1)
    top = next(step * factor for factor in (1, 2, 4, 6, 8, 10) if step * factor >= largest)
    return [0, top / 2, top] if top >= 2 else [0, top]
