"""Collect the records that need a user's decision, for the top of the overview."""

from collections import defaultdict
from functools import cache

from odoo.tools import SQL

from ....const import OPEN_TRANSFERS
from ...common.service import Service
from . import accounts, activities, orders, stock
from .kind import ROWS

#: All kinds, in the order of their rows.
KINDS = (
    accounts.Problem,
    accounts.SharedKey,
    accounts.LateOrders,
    stock.PausedStock,
    stock.HeldZeros,
    accounts.SendPreviews,
    orders.Orders,
    orders.FailedEvents,
    orders.FailedUpdates,
    activities.Activities,
    stock.Returns,
    stock.Unshipped,
    stock.RefusedQuantities,
    stock.MissingOffers,
)
#: Fields of the account on which the number of its decisions depends.
ACCOUNT_FIELDS = tuple(dict.fromkeys(name for kind in KINDS for name in kind.depends))


class Decisions(Service):
    """Count and describe the records that need a decision.

    ``account`` may hold several accounts here. Counts include all records; rows only those that the
    user may read.
    """

    def counts(self):
        """Count the records that need a decision, with one query.

        :return: ``{account id: {kind: count}}``; kinds without any are left out
        """
        names = defaultdict(set)
        for kind in KINDS:
            for model, of_model in kind.reads.items():
                names[model].update(of_model)
        for model, of_model in names.items():
            self.env[model].flush_model(of_model)
        parts = dict.fromkeys(kind.count_sql for kind in KINDS if kind.count_sql)
        values = {"ids": self.account.ids, "open": list(OPEN_TRANSFERS)}
        query = SQL(" UNION ALL ").join(SQL(part, **values) for part in parts)
        counts = defaultdict(lambda: defaultdict(int))
        for key, account_id, count in self.env.execute_query(query):
            counts[account_id][key] += count
        for kind in self._kinds():
            for account in kind.waiting():
                counts[account.id][kind.key] = 1
        return counts

    def total(self):
        """Count the records that need a decision, those too that the user may not read."""
        return sum(sum(by_kind.values()) for by_kind in self.counts().values())

    def rows(self):
        """Describe the records that need a decision and that the user may read.

        :return: list of rows, see :meth:`~.kind.DecisionKind.row`
        """
        rows, counts = [], cache(self.counts)
        for kind in self._kinds():
            if kind.may_read():
                shown = kind.rows()
                rows += shown
                if kind.open_list and len(shown) >= ROWS:
                    rows += kind.more(shown, counts)
        return rows

    def _kinds(self):
        return [self.service(kind) for kind in KINDS]
