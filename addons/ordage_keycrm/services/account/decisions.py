"""Collect the records that need a user's decision, for the top of the overview."""

from collections import Counter, defaultdict
from functools import cache

from odoo.tools import SQL

from ..common.circuit_breaker import CircuitBreaker
from ..common.service import Service

#: Rows of a kind that are shown; the others are a link to their list.
ROWS = 8
#: States of transfers that are still to be done.
OPEN_PICKINGS = ("draft", "waiting", "confirmed", "assigned")
#: Parts of the query that counts, with a row for each account and kind. None of them reads finished
#: records.
COUNTS = """
    SELECT 'orders' AS kind, keycrm_account_id AS account, count(*)
      FROM sale_order
     WHERE keycrm_account_id = ANY(%(ids)s) AND keycrm_needs_decision IS TRUE
     GROUP BY keycrm_account_id
    UNION ALL
    SELECT 'events', account_id, count(DISTINCT coalesce(keycrm_order_id, -id))
      FROM keycrm_event
     WHERE account_id = ANY(%(ids)s) AND state = 'failed'
     GROUP BY account_id
    UNION ALL
    SELECT 'updates', account_id, count(*)
      FROM keycrm_order_update
     WHERE account_id = ANY(%(ids)s) AND state = 'failed'
     GROUP BY account_id
    UNION ALL
    SELECT CASE WHEN p.keycrm_expected_return THEN 'returns' ELSE 'unshipped' END,
           o.keycrm_account_id,
           CASE WHEN p.keycrm_expected_return THEN count(*) ELSE count(DISTINCT o.id) END
      FROM stock_picking p
      JOIN stock_picking_type t ON t.id = p.picking_type_id
      JOIN sale_order o ON o.id = p.sale_id
     WHERE o.keycrm_account_id = ANY(%(ids)s) AND p.state = ANY(%(open)s)
       AND (p.keycrm_expected_return OR (o.keycrm_archived AND t.code <> 'incoming'))
     GROUP BY p.keycrm_expected_return, o.keycrm_account_id
    UNION ALL
    SELECT 'refused', account_id, count(*)
      FROM keycrm_stock_level
     WHERE account_id = ANY(%(ids)s) AND error IS NOT NULL
     GROUP BY account_id
    UNION ALL
    SELECT 'missing', account_id, count(*)
      FROM keycrm_missing_sku
     WHERE account_id = ANY(%(ids)s) AND is_accepted IS NOT TRUE
     GROUP BY account_id
"""


class Decisions(Service):
    """Count and describe the records that need a decision.

    ``account`` may hold several accounts here. Counts include all records; rows only those that the
    user may read.
    """

    def counts(self):
        """Count the records that need a decision, with one query.

        :return: ``{account id: {kind: count}}``; kinds without any are left out
        """
        for model, names in {
            "sale.order": ["keycrm_account_id", "keycrm_needs_decision", "keycrm_archived"],
            "keycrm.event": ["account_id", "state"],
            "keycrm.order.update": ["account_id", "state"],
            "stock.picking": ["state", "sale_id", "keycrm_expected_return"],
            "keycrm.stock.level": ["account_id", "error"],
            "keycrm.missing.sku": ["account_id", "is_accepted"],
        }.items():
            self.env[model].flush_model(names)
        self.env.cr.execute(SQL(COUNTS, ids=self.account.ids, open=list(OPEN_PICKINGS)))
        found = defaultdict(lambda: defaultdict(int))
        for kind, account, count in self.env.cr.fetchall():
            found[account][kind] += count
        for account, waiting in self._of_accounts().items():
            for kind, is_waiting in waiting.items():
                if is_waiting:
                    found[account.id][kind] = 1
        return found

    def total(self):
        """Count the records that need a decision, whoever may read them."""
        return sum(sum(found.values()) for found in self.counts().values())

    def rows(self):
        """Describe the records that need a decision and that the user may read.

        :return: list of dicts: title, buyer, amount, reason, time, buttons, and the number of records
            that the row stands for
        """
        rows, counts = [], cache(self.counts)
        for read, kind, open_list in (
            (self._account_rows, None, None),
            (self._order_rows, "orders", "action_open_decisions"),
            (self._event_rows, "events", "action_open_failed_orders"),
            (self._update_rows, "updates", "action_open_failed_updates"),
            (self._return_rows, "returns", "action_open_returns"),
            (self._unshipped_rows, "unshipped", "action_open_unshipped"),
            (self._stock_rows, None, None),
            (self._missing_rows, None, None),
        ):
            found = read()
            rows += found
            if kind and len(found) >= ROWS:
                rows += self._more(found, kind, open_list, counts)
        return rows

    def _more(self, rows, kind, open_list, counts):
        """Return a row for each account, with a link to the list of the records that are not shown.

        :param rows: those that are shown
        :param kind: of :meth:`counts`
        :param open_list: method of the account
        :param counts: :meth:`counts`, which is called once for all kinds
        """
        shown = Counter(row["account"] for row in rows)
        if kind == "orders":
            # A seller may read some orders only.
            groups = self.env["sale.order"]._read_group(
                self.account._decision_domain(), ["keycrm_account_id"], ["__count"]
            )
            totals = {account.id: total for account, total in groups}
        else:
            totals = {account: found[kind] for account, found in counts().items()}
        more = {one: totals.get(one.id, 0) - shown[one.id] for one in self.account}
        return [
            self._row(
                account,
                account,
                self.env._("%s more", count),
                code=f"more_{kind}",
                kind=self.env._("Orders") if kind == "orders" else rows[-1]["kind"],
                count=count,
                buttons=[self._button(self.env._("Open list"), open_list)],
            )
            for account, count in more.items()
            if count > 0
        ]

    def _of_accounts(self):
        """Return what the accounts themselves wait for.

        :return: ``{account: {kind: boolean}}``
        """
        usage = self.env["keycrm.rate.limit"]._usage(self.account)
        is_shared = {account: is_lowered for account, (_used, _limit, is_lowered) in usage.items()}
        return {
            account: {
                "shared_key": account.enabled and is_shared[account.id],
                "late": account.enabled and bool(account.sudo().missed_status_ids),
                "paused": account.enabled and account.push_stock and account.stock_paused,
                "zeros": bool(account.stock_held_zeros),
                "previews": bool(account.sudo().kinds_to_preview),
            }
            for account in self.account
        }

    # === ROWS ===#

    def _account_rows(self):
        describe = {
            "shared_key": self._shared_key_row,
            "late": self._late_row,
            "paused": self._paused_row,
            "zeros": self._zeros_row,
            "previews": self._previews_row,
        }
        rows = []
        for account, waiting in self._of_accounts().items():
            rows += [
                self._setup_row(account, "problem", self.env._("Problem"), reason)
                for reason in self._troubles(account)
            ]
            rows += [describe[kind](account) for kind, is_waiting in waiting.items() if is_waiting]
        return rows

    def _setup_row(self, account, code, kind, reason):
        """Return a row of what is solved in the setup.

        :param account: ``keycrm.account``, one
        :param code: see :meth:`_row`
        :param kind: a word for it
        :param reason: a sentence
        """
        button = self._button(self.env._("Open setup"), "action_open_setup")
        return self._row(
            account,
            account,
            account.display_name,
            code=code,
            kind=kind,
            reason=reason,
            buttons=[button],
        )

    def _shared_key_row(self, account):
        return self._setup_row(
            account,
            "shared_key",
            self.env._("API key"),
            self.env._(
                "Another program uses the same API key: KeyCRM refused requests although this Odoo had "
                "sent few."
            ),
        )

    def _late_row(self, account):
        names = ", ".join(account.sudo().missed_status_ids.mapped("display_name"))
        return self._setup_row(
            account,
            "late",
            self.env._("Webhook"),
            self.env._(
                "Orders in these statuses arrive late: %s. Add the statuses to KeyCRM's trigger.",
                names,
            ),
        )

    def _paused_row(self, account):
        resume = self._button(self.env._("Resume stock sync"), "action_resume_stock")
        return self._row(
            account,
            account,
            self.env._("Stock sync is paused"),
            code="paused",
            kind=self.env._("Stock"),
            reason=self.env._(
                "Changes are collected and sent together when stock sync is resumed."
            ),
            buttons=[resume] if self.is_manager else [],
        )

    def _zeros_row(self, account):
        buttons = [self._button(self.env._("Open"), "action_open_stock_held")]
        if self.is_manager:
            question = self.env._("KeyCRM will show these products as out of stock.")
            buttons.append(self._button(self.env._("Send anyway"), "action_allow_zeros", question))
        return self._row(
            account,
            account,
            self.env._("Products on hold: %s", account.stock_held_zeros),
            code="zeros",
            kind=self.env._("Stock"),
            reason=self.env._("They would drop to zero in KeyCRM without a stock move."),
            buttons=buttons,
        )

    def _previews_row(self, account):
        return self._row(
            account,
            account,
            self.env._("A preview waits for your choice"),
            code="previews",
            kind=self.env._("Sending to KeyCRM"),
            reason=self.env._("Nothing of it is sent to KeyCRM before."),
            buttons=[self._button(self.env._("Open"), "action_open_send_previews")],
        )

    @staticmethod
    def _troubles(account):
        """Return why an account does not synchronize, or not completely.

        :param account: ``keycrm.account``, one
        :return: list of sentences
        """
        if CircuitBreaker(account).is_interrupted():
            return [account.circuit_error_text or ""]
        return [account.reference_text] if account.enabled and account.reference_text else []

    def _order_rows(self):
        Order = self.env["sale.order"]
        if not Order.has_access("read"):
            return []
        orders = Order.search(
            self.account._decision_domain(), order="keycrm_decision_since desc, id desc", limit=ROWS
        )
        names = dict(Order._fields["keycrm_decision"]._description_selection(self.env))
        return [
            self._row(
                order.keycrm_account_id,
                order,
                order=order,
                kind=names[order.keycrm_decision],
                reason=self._order_reason(order),
                since=order.keycrm_decision_since,
                buttons=self._order_buttons(order),
            )
            for order in orders
        ]

    def _order_reason(self, order):
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
                "The payments do not add up to the %(paid)s that KeyCRM names as paid.",
                paid=money(order.keycrm_amount_paid),
            )
        return order.keycrm_problem or ""

    def _order_buttons(self, order):
        look = self._button(self.env._("Open order"), None)
        if not order.has_access("write"):
            return [look]
        if order.keycrm_decision == "conflict":
            return [
                self._button(self.env._("Restore order"), "action_keycrm_restore"),
                self._button(self.env._("Keep canceled"), "action_keycrm_keep_canceled"),
            ]
        if order.keycrm_decision in ("unreadable", "problem"):
            return [look, self._button(self.env._("Refresh"), "action_keycrm_refresh")]
        if order._keycrm_decision_facts().may_accept(order.keycrm_decision):
            return [look, self._button(self.env._("Keep as it is"), "action_keycrm_accept")]
        return [look]

    def _event_rows(self):
        Event = self.env["keycrm.event"]
        if not Event.has_access("read"):
            return []
        failed = [("account_id", "in", self.account.ids), ("state", "=", "failed")]
        groups = Event._read_group(
            [*failed, ("keycrm_order_id", "!=", False)],
            ["account_id", "keycrm_order_id"],
            ["id:max", "received_at:min"],
            order="id:max desc",
            limit=ROWS,
        )
        since = {newest: first for _account, _order, newest, first in groups}
        other = Event.search([*failed, ("keycrm_order_id", "=", False)], limit=ROWS)
        since.update((event.id, event.received_at) for event in other)
        may_read = self.env["sale.order"].has_access("read")
        rows = []
        for event in Event.browse(since):
            facts = event.order_facts or {} if may_read else {}
            buttons = [self._button(self.env._("Open"), None)]
            if self.is_manager and event.keycrm_order_id:
                if event.error_code == "sku_ambiguous":
                    buttons = [self._button(self.env._("Choose product"), None)]
                buttons.append(self._button(self.env._("Retry"), "action_retry"))
            rows.append(
                self._row(
                    event.account_id,
                    event,
                    self.env._("Order %s", event.keycrm_order_id)
                    if event.keycrm_order_id
                    else event.event_name,
                    kind=self.env._("Failed"),
                    buyer=facts.get("buyer", ""),
                    amount=event.order_total if facts else "",
                    reason=event.error or "",
                    since=since[event.id],
                    buttons=buttons,
                )
            )
        return rows

    def _update_rows(self):
        Update = self.env["keycrm.order.update"]
        if not Update.has_access("read") or not self.env["sale.order"].has_access("read"):
            return []
        updates = Update.search(
            [("account_id", "in", self.account.ids), ("state", "=", "failed")], limit=ROWS
        )
        kinds = dict(Update._fields["kind"]._description_selection(self.env))
        again = [self._button(self.env._("Retry"), "action_retry")] if self.is_manager else []
        return [
            self._row(
                update.account_id,
                update,
                order=update.sale_order_id,
                kind=self.env._("Not sent: %s", kinds[update.kind]),
                reason=update.error or "",
                since=update.create_date,
                buttons=[self._button(self.env._("Open"), None), *again],
            )
            for update in updates
        ]

    def _return_rows(self):
        returns = self._open_pickings([("keycrm_expected_return", "=", True)], "id")
        refused = [one for one in returns if one.sale_id.keycrm_shipping_status == "refused"]
        return [
            self._picking_row(
                picking,
                self.env._("Parcel refused")
                if picking in refused
                else self.env._("Parcel comes back"),
                self.env._("Receive the goods in Odoo when they are here."),
                self.env._("Receive goods"),
            )
            for picking in returns
        ]

    def _unshipped_rows(self):
        unshipped = self._open_pickings(
            [
                ("keycrm_expected_return", "=", False),
                ("sale_id.keycrm_archived", "=", True),
                ("picking_type_id.code", "!=", "incoming"),
            ],
            "sale_id",
        )
        return [
            self._picking_row(
                picking,
                self.env._("Archived, not shipped"),
                self.env._("Completed in KeyCRM; the goods are still in stock in Odoo."),
                self.env._("Open delivery"),
            )
            for picking in unshipped
        ]

    def _open_pickings(self, domain, each):
        """Return the newest open transfers of these accounts' orders.

        :param domain: of ``stock.picking``
        :param each: field of which each value has one transfer, the newest
        """
        Picking = self.env["stock.picking"]
        if not Picking.has_access("read") or not self.env["sale.order"].has_access("read"):
            return Picking
        mine = [
            ("state", "in", OPEN_PICKINGS),
            ("sale_id.keycrm_account_id", "in", self.account.ids),
        ]
        groups = Picking._read_group(
            [*mine, *domain], [each], ["id:max"], order="id:max desc", limit=ROWS
        )
        return Picking.browse(newest for _value, newest in groups)

    def _picking_row(self, picking, kind, reason, button):
        return self._row(
            picking.sale_id.keycrm_account_id,
            picking,
            order=picking.sale_id,
            kind=kind,
            reason=reason,
            since=picking.create_date,
            buttons=[self._button(button, None)],
        )

    def _stock_rows(self):
        Level = self.env["keycrm.stock.level"]
        if not Level.has_access("read"):
            return []
        groups = Level._read_group(
            [("account_id", "in", self.account.ids), ("error", "!=", False)],
            ["account_id"],
            ["__count", "sent_at:min", "id:min"],
        )
        return [
            self._row(
                account,
                account,
                self.env._("Quantities refused: %s", count),
                code="refused",
                kind=self.env._("Stock"),
                count=count,
                reason=Level.browse(first).error,
                since=since,
                buttons=[self._button(self.env._("Open list"), "action_open_stock_refused")],
            )
            for account, count, since, first in groups
        ]

    def _missing_rows(self):
        Missing = self.env["keycrm.missing.sku"]
        if not Missing.has_access("read"):
            return []
        groups = Missing._read_group(
            [("account_id", "in", self.account.ids), ("is_accepted", "=", False)],
            ["account_id"],
            ["__count", "asked_at:min"],
        )
        return [
            self._row(
                account,
                account,
                self.env._("Products without an offer in KeyCRM: %s", count),
                code="missing",
                kind=self.env._("Catalog"),
                count=count,
                reason=self.env._(
                    "KeyCRM does not have their SKU, or more than once: their stock is not sent."
                ),
                since=since,
                buttons=[self._button(self.env._("Open list"), "action_open_missing")],
            )
            for account, count, since in groups
        ]

    # === PARTS OF A ROW ===#

    @property
    def is_manager(self):
        """Whether the user may decide what changes data in KeyCRM."""
        return self.env.user.has_group("ordage_keycrm.group_manager")

    @staticmethod
    def numbers(order):
        """Return the numbers of an order, as the client shows them.

        :param order: ``sale.order``, one
        :return: ``{"number": KeyCRM's, "source_number": that at the source, empty where it is the same}``
        """
        number = str(order.keycrm_id)
        return {
            "number": number,
            "source_number": order.keycrm_number if order.keycrm_number != number else "",
        }

    def _row(self, account, record, title="", *, code="", order=None, since=None, **values):
        """Return a row.

        :param account: ``keycrm.account``, one
        :param record: what its title and its buttons open or call
        :param title: what it is; by default the order
        :param code: tells the rows of one record apart
        :param order: ``sale.order`` that names buyer, sum and numbers
        :param since: naive UTC
        :param values: ``kind``, ``buyer``, ``amount``, ``reason``, ``buttons``, ``count``
        """
        if order:
            numbers = self.numbers(order)
            title = title or self.env._("Order %s", numbers["number"])
            values["source_number"] = numbers["source_number"]
            values["buyer"] = order.partner_id.display_name
            values["amount"] = order.currency_id.format(order.keycrm_total)
        name = account.display_name if len(self.account) > 1 else ""
        return {
            "key": f"{record._name}-{record.id}-{code}",
            "account": account.id,
            "account_name": name if name != title else "",
            "model": record._name,
            "id": record.id,
            "title": title,
            "since": since.isoformat() if since else False,
            **{
                "kind": "",
                "source_number": "",
                "buyer": "",
                "amount": "",
                "reason": "",
                "count": 1,
            },
            **values,
        }

    @staticmethod
    def _button(label, method, question=""):
        """Return a button of a row.

        :param label: what it says
        :param method: of the row's record; None to open its form
        :param question: confirmed before
        """
        return {"label": label, "method": method, "confirm": question}
