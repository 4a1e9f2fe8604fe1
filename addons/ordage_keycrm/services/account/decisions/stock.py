"""Decisions about goods: stock that is not sent, parcels to receive or to ship."""

from ....const import OPEN_TRANSFERS
from .accounts import AccountKind
from .kind import ROWS, DecisionKind

#: Condition of the transfers (p, of the type t and the order o) that have a row.
HAS_ROW = """p.state = ANY(%(open)s)
           AND (p.keycrm_expected_return OR (o.keycrm_archived AND t.code <> 'incoming'))"""


class PausedStock(AccountKind):
    """Stock sync that a user paused."""

    key = "paused"
    depends = ("enabled", "push_stock", "stock_paused")

    def waiting(self):
        return [
            account
            for account in self.account
            if account.enabled and account.push_stock and account.stock_paused
        ]

    def account_row(self, account):
        resume = self.button(self.env._("Resume stock sync"), "action_resume_stock")
        return self.row(
            account,
            account,
            self.env._("Stock sync is paused"),
            kind=self.env._("Stock"),
            since=self.since(account),
            reason=self.env._(
                "Changes are collected and sent together when stock sync is resumed."
            ),
            buttons=[resume] if self.is_manager else [],
        )


class HeldZeros(AccountKind):
    """Quantities that would drop to zero without a stock move."""

    key = "zeros"
    depends = ("stock_held_zeros",)

    def waiting(self):
        return [account for account in self.account if account.stock_held_zeros]

    def account_row(self, account):
        buttons = [self.button(self.env._("Open"), "action_open_stock_held")]
        if self.is_manager:
            question = self.env._("KeyCRM will show these products as out of stock.")
            buttons.append(self.button(self.env._("Send anyway"), "action_allow_zeros", question))
        return self.row(
            account,
            account,
            self.env._("Products on hold: %s", account.stock_held_zeros),
            kind=self.env._("Stock"),
            since=self.since(account),
            reason=self.env._("They would drop to zero in KeyCRM without a stock move."),
            buttons=buttons,
        )


class Parcels(DecisionKind):
    """Open transfers of orders; both kinds are counted by one part of the query."""

    reads = {
        "sale.order": ("keycrm_account_id", "keycrm_archived"),
        "stock.picking": ("state", "sale_id", "keycrm_expected_return"),
    }
    count_sql = f"""
        SELECT CASE WHEN p.keycrm_expected_return THEN 'returns' ELSE 'unshipped' END,
               o.keycrm_account_id,
               CASE WHEN p.keycrm_expected_return THEN count(*) ELSE count(DISTINCT o.id) END
          FROM stock_picking p
          JOIN stock_picking_type t ON t.id = p.picking_type_id
          JOIN sale_order o ON o.id = p.sale_id
         WHERE o.keycrm_account_id = ANY(%(ids)s) AND {HAS_ROW}
         GROUP BY p.keycrm_expected_return, o.keycrm_account_id"""

    def transfers(self, domain, group):
        """Return the newest open transfers of these accounts' orders.

        :param domain: of ``stock.picking``
        :param group: field of which each value has one transfer, the newest
        """
        Picking = self.env["stock.picking"]
        is_open = [
            ("state", "in", OPEN_TRANSFERS),
            ("sale_id.keycrm_account_id", "in", self.account.ids),
        ]
        groups = Picking._read_group(
            [*is_open, *domain], [group], ["id:max"], order="id:max desc", limit=ROWS
        )
        return Picking.browse(newest for _value, newest in groups)

    def transfer_row(self, picking, kind, reason, button):
        """Describe a transfer.

        :param picking: ``stock.picking``, one
        :param kind: a word for it
        :param reason: a sentence
        :param button: label of the button that opens it
        """
        return self.row(
            picking.sale_id.keycrm_account_id,
            picking,
            order=picking.sale_id,
            kind=kind,
            reason=reason,
            since=picking.create_date,
            buttons=[self.button(button)],
        )


class Returns(Parcels):
    """Parcels that come back."""

    key = "returns"
    open_list = "action_open_returns"

    def label(self):
        return self.env._("Parcel comes back")

    def rows(self):
        return [
            self.transfer_row(
                picking,
                self.env._("Parcel refused")
                if picking.sale_id.keycrm_shipping_status == "refused"
                else self.label(),
                self.env._("Receive the goods in Odoo when they are here."),
                self.env._("Receive goods"),
            )
            for picking in self.transfers([("keycrm_expected_return", "=", True)], "id")
        ]


class Unshipped(Parcels):
    """Archived orders whose deliveries are open, each with the newest one."""

    key = "unshipped"
    open_list = "action_open_unshipped"

    def label(self):
        return self.env._("Archived, not shipped")

    def rows(self):
        to_ship = [
            ("keycrm_expected_return", "=", False),
            ("sale_id.keycrm_archived", "=", True),
            ("picking_type_id.code", "!=", "incoming"),
        ]
        return [
            self.transfer_row(
                picking,
                self.label(),
                self.env._("Completed in KeyCRM; the goods are still in stock in Odoo."),
                self.env._("Open delivery"),
            )
            for picking in self.transfers(to_ship, "sale_id")
        ]


class RefusedQuantities(DecisionKind):
    """Quantities that KeyCRM refused, with one row for each account."""

    key = "refused"
    reads = {"keycrm.stock.level": ("account_id", "error")}
    count_sql = """
        SELECT 'refused', account_id, count(*)
          FROM keycrm_stock_level
         WHERE account_id = ANY(%(ids)s) AND error IS NOT NULL
         GROUP BY account_id"""

    def rows(self):
        Level = self.env["keycrm.stock.level"]
        groups = Level._read_group(
            [("account_id", "in", self.account.ids), ("error", "!=", False)],
            ["account_id"],
            ["__count", "refused_at:min", "id:min"],
        )
        return [
            self.list_row(
                account,
                count,
                self.env._("Quantities refused: %s", count),
                "action_open_stock_refused",
                self.env._("Stock"),
                reason=Level.browse(first).error,
                since=since,
            )
            for account, count, since, first in groups
        ]


class MissingOffers(DecisionKind):
    """Products without an offer in KeyCRM, with one row for each account."""

    key = "missing"
    reads = {"keycrm.missing.sku": ("account_id", "is_accepted")}
    count_sql = """
        SELECT 'missing', account_id, count(*)
          FROM keycrm_missing_sku
         WHERE account_id = ANY(%(ids)s) AND is_accepted IS NOT TRUE
         GROUP BY account_id"""

    def rows(self):
        groups = self.env["keycrm.missing.sku"]._read_group(
            [("account_id", "in", self.account.ids), ("is_accepted", "=", False)],
            ["account_id"],
            ["__count", "asked_at:min"],
        )
        return [
            self.list_row(
                account,
                count,
                self.env._("Products without an offer in KeyCRM: %s", count),
                "action_open_missing",
                self.env._("Catalog"),
                reason=self.env._(
                    "KeyCRM has no offer with their SKU, or several: their stock is not sent."
                ),
                since=since,
            )
            for account, count, since in groups
        ]
