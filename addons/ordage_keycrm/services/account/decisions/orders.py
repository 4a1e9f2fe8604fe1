"""Decisions about orders: those with a difference or a problem, failed events and updates."""

from .kind import ROWS, DecisionKind


class Orders(DecisionKind):
    """Orders with a reason of ``keycrm/order_decisions.py``."""

    key = "orders"
    reads = {"sale.order": ("keycrm_account_id", "keycrm_needs_decision")}
    count_sql = """
        SELECT 'orders', keycrm_account_id, count(*)
          FROM sale_order
         WHERE keycrm_account_id = ANY(%(ids)s) AND keycrm_needs_decision IS TRUE
         GROUP BY keycrm_account_id"""
    open_list = "action_open_decisions"

    def label(self):
        return self.env._("Orders")

    def totals(self, counts):
        """Return the number of the orders that the user may read: a seller reads some only."""
        groups = self.env["sale.order"]._read_group(
            self.account._decision_domain(), ["keycrm_account_id"], ["__count"]
        )
        return {account.id: total for account, total in groups}

    def rows(self):
        Order = self.env["sale.order"]
        orders = Order.search(
            self.account._decision_domain(), order="keycrm_decision_since desc, id desc", limit=ROWS
        )
        names = dict(Order._fields["keycrm_decision"]._description_selection(self.env))
        return [
            self.row(
                order.keycrm_account_id,
                order,
                order=order,
                kind=names[order.keycrm_decision],
                reason=self._reason(order),
                since=order.keycrm_decision_since,
                buttons=self._buttons(order),
            )
            for order in orders
        ]

    def _reason(self, order):
        money = order.currency_id.format
        if order.keycrm_decision == "conflict":
            return self.env._(
                "Canceled in Odoo, but “%(status)s” in KeyCRM.",
                status=order.keycrm_status_id.display_name,
            )
        if order.keycrm_decision == "deleted":
            return self.env._("Cancel it in Odoo too, or keep it if the goods were really sold.")
        if order.keycrm_decision == "total_differs":
            return self.env._(
                "%(odoo)s in Odoo, %(keycrm)s in KeyCRM.",
                odoo=money(order.amount_total),
                keycrm=money(order.keycrm_total),
            )
        if order.keycrm_decision == "payments_differ":
            return self.env._(
                "The payments do not add up to the %(paid)s that KeyCRM shows as paid.",
                paid=money(order.keycrm_amount_paid),
            )
        return order.keycrm_problem or ""

    def _buttons(self, order):
        open_order = self.button(self.env._("Open order"))
        if not order.has_access("write"):
            return [open_order]
        if order.keycrm_decision == "conflict":
            return [
                self.button(self.env._("Restore order"), "action_keycrm_restore"),
                self.button(self.env._("Keep canceled"), "action_keycrm_keep_canceled"),
            ]
        if order.keycrm_decision in ("unreadable", "problem"):
            return [open_order, self.button(self.env._("Refresh"), "action_keycrm_refresh")]
        if order._keycrm_decision_facts().may_accept(order.keycrm_decision):
            return [open_order, self.button(self.env._("Keep as it is"), "action_keycrm_accept")]
        return [open_order]


class FailedEvents(DecisionKind):
    """Orders that could not be imported, each with its last event, and other failed events."""

    key = "events"
    reads = {"keycrm.event": ("account_id", "state", "keycrm_order_id")}
    count_sql = """
        SELECT 'events', account_id, count(DISTINCT coalesce(keycrm_order_id, -id))
          FROM keycrm_event
         WHERE account_id = ANY(%(ids)s) AND state = 'failed'
         GROUP BY account_id"""
    open_list = "action_open_failed_orders"

    def label(self):
        return self.env._("Failed")

    def rows(self):
        Event = self.env["keycrm.event"]
        failed = [("account_id", "in", self.account.ids), ("state", "=", "failed")]
        groups = Event._read_group(
            [*failed, ("keycrm_order_id", "!=", False)],
            ["account_id", "keycrm_order_id"],
            ["id:max", "received_at:min"],
            order="id:max desc",
            limit=ROWS,
        )
        since = {newest: first for _account, _order, newest, first in groups}
        without_order = Event.search([*failed, ("keycrm_order_id", "=", False)], limit=ROWS)
        since.update((event.id, event.received_at) for event in without_order)
        may_read_orders = self.env["sale.order"].has_access("read")
        rows = []
        for event in Event.browse(since):
            facts = (event.order_facts or {}) if may_read_orders else {}
            rows.append(
                self.row(
                    event.account_id,
                    event,
                    self.env._("Order %s", event.keycrm_order_id)
                    if event.keycrm_order_id
                    else event.event_name,
                    kind=self.label(),
                    buyer=facts.get("buyer", ""),
                    amount=event.order_total if facts else "",
                    reason=event.error or "",
                    since=since[event.id],
                    buttons=self._buttons(event),
                )
            )
        return rows

    def _buttons(self, event):
        if not self.is_manager or not event.keycrm_order_id:
            return [self.button(self.env._("Open"))]
        is_ambiguous = event.error_code == "sku_ambiguous"
        label = self.env._("Choose product") if is_ambiguous else self.env._("Open")
        return [self.button(label), self.button(self.env._("Retry"), "action_retry")]


class FailedUpdates(DecisionKind):
    """Updates of orders that KeyCRM refused, or that are in conflict with a manager's change there."""

    key = "updates"
    reads = {"keycrm.order.update": ("account_id", "state"), "sale.order": ()}
    count_sql = """
        SELECT 'updates', account_id, count(*)
          FROM keycrm_order_update
         WHERE account_id = ANY(%(ids)s) AND state = 'failed'
         GROUP BY account_id"""
    open_list = "action_open_failed_updates"

    def label(self):
        return self.env._("Failed updates")

    def rows(self):
        Update = self.env["keycrm.order.update"]
        updates = Update.search(
            [("account_id", "in", self.account.ids), ("state", "=", "failed")], limit=ROWS
        )
        kinds = dict(Update._fields["kind"]._description_selection(self.env))
        buttons = [self.button(self.env._("Open"))]
        if self.is_manager:
            buttons.append(self.button(self.env._("Retry"), "action_retry"))
        return [
            self.row(
                update.account_id,
                update,
                order=update.sale_order_id,
                kind=self.env._("Not sent: %s", kinds[update.kind]),
                reason=update.error or "",
                since=update.create_date,
                buttons=buttons,
            )
            for update in updates
        ]
