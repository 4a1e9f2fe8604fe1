"""Decisions that activities of the addon request: on orders, contacts and accounts."""

from collections import Counter
from functools import cached_property

from odoo.tools import SQL, html2plaintext

from ....const import OPEN_TRANSFERS
from .kind import ORDER_FIELDS, ROWS, DecisionKind
from .stock import HAS_ROW

#: Activities whose access is checked; of more, a user with access to all of these counts all.
MOST = 1000
#: Open activities of accounts. An order with a row of another kind has no second one.
_OPEN = f"""
          FROM mail_activity a
          LEFT JOIN sale_order o ON a.res_model = 'sale.order' AND o.id = a.res_id
         WHERE a.keycrm_account_id = ANY(%(ids)s) AND a.active IS TRUE
           AND o.keycrm_needs_decision IS NOT TRUE
           AND NOT EXISTS (
               SELECT FROM stock_picking p
                 JOIN stock_picking_type t ON t.id = p.picking_type_id
                WHERE p.sale_id = o.id AND {HAS_ROW})
           AND NOT EXISTS (
               SELECT FROM keycrm_order_update u
                WHERE u.sale_order_id = o.id AND u.state = 'failed')
           AND NOT EXISTS (
               SELECT FROM keycrm_event e
                WHERE e.account_id = o.keycrm_account_id AND e.state = 'failed'
                  AND e.keycrm_order_id = o.keycrm_id)"""


class Activities(DecisionKind):
    """Records with open activities of the addon, each with its oldest one."""

    key = "activities"
    reads = {"mail.activity": ("active", "keycrm_account_id", "res_model", "res_id")}
    count_sql = f"""
        SELECT 'activities', a.keycrm_account_id, count(DISTINCT (a.res_model, a.res_id)) {_OPEN}
         GROUP BY a.keycrm_account_id"""
    list_sql = f"""
        SELECT min(a.id), a.keycrm_account_id {_OPEN}
         GROUP BY a.keycrm_account_id, a.res_model, a.res_id
         ORDER BY min(a.id) DESC LIMIT %(most)s"""
    open_list = "action_open_activities"

    def label(self):
        return self.env._("Open activity")

    def totals(self, counts):
        """Return the number of the records whose activities the user may read."""
        if len(self._readable) == MOST:
            return super().totals(counts)
        return Counter(self._readable.values())

    def rows(self):
        Order, readable = self.env["sale.order"], self._readable
        shown = self.env["mail.activity"].browse(list(readable)[:ROWS])
        of_orders = shown.filtered(lambda activity: activity.res_model == Order._name)
        orders = Order.browse(of_orders.mapped("res_id"))._filtered_access("read")
        orders.fetch(ORDER_FIELDS)
        orders = {order.id: order for order in orders}
        return [
            self._row(
                self.account.browse(readable[activity.id]),
                activity,
                orders.get(activity.res_id) if activity in of_orders else None,
            )
            for activity in shown
        ]

    @cached_property
    def _readable(self):
        """Return the activities that the user may read, the newest first.

        :return: ``{activity id: account id}``
        """
        self.env.flush_all()
        values = {"ids": self.account.ids, "open": list(OPEN_TRANSFERS), "most": MOST}
        found = dict(self.env.execute_query(SQL(self.list_sql, **values)))
        readable = self.env["mail.activity"].browse(found)._filtered_access("read")
        return {activity_id: found[activity_id] for activity_id in readable.ids}

    def _row(self, account, activity, order):
        text = html2plaintext(activity.note or "", include_references=False)
        buttons = [self.button(self.env._("Open"), "action_open_document")]
        if activity.can_write:
            buttons.append(self.button(self.env._("Mark as done"), "action_done"))
        return self.row(
            account,
            activity,
            "" if order else activity.res_name,
            order=order,
            kind=self.label(),
            reason=" — ".join(filter(None, (activity.summary, text))),
            since=activity.create_date,
            buttons=buttons,
        )
