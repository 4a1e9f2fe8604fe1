"""Expected KeyCRM stock, computed from Odoo's records independently of the addon."""

from __future__ import annotations

from collections import Counter, defaultdict

from sandbox.control import Control

from .rpc import Rpc

#: States of moves that are still to be done.
OPEN = ["waiting", "confirmed", "partially_available", "assigned"]


class StockOracle:
    """Stock on both sides of an account that exports it.

    :param rpc: Odoo's administrator
    :param keycrm: the control interface of its sandbox
    :param account: the account's id
    :param rule: ``on_hand`` or ``available``
    :param goods: KeyCRM's offers by Odoo's products
    :param matched: Odoo's warehouses by KeyCRM's
    """

    def __init__(
        self,
        rpc: Rpc,
        keycrm: Control,
        account: int,
        rule: str,
        goods: dict[int, int],
        matched: dict[int, list[int]],
    ) -> None:
        self.rpc, self.keycrm, self.account, self.rule = rpc, keycrm, account, rule
        self.goods, self.matched = goods, matched
        self.numbers = {
            row["id"]: row["keycrm_id"]
            for row in rpc.rows(
                "keycrm.warehouse", ("account_id", "=", account), fields=["keycrm_id"]
            )
        }

    def differences(self) -> dict[tuple[int, int], tuple[float, float]]:
        """Compare each KeyCRM warehouse and offer with its expected quantity.

        :return: ``{(warehouse, product): (shown, expected)}`` where they differ
        """
        wanted, moved = self.expected(), self.moved()
        found = {}
        for product, offer in self.goods.items():
            stock = self.keycrm.stock(offer)["warehouses"]
            for number in self.matched:
                row = stock.get(str(number), {"quantity": 0, "reserve": 0})
                shown = float(row["quantity"])
                if self.rule == "available":
                    shown -= float(row["reserve"])
                if product in moved and abs(shown - wanted[number, product]) > 0.0005:
                    found[number, product] = (shown, wanted[number, product])
        return found

    def moved(self) -> set[int]:
        rows = self.rpc.rows(
            "stock.move",
            ("product_id", "in", list(self.goods)),
            ("state", "=", "done"),
            fields=["product_id"],
        )
        return {row["product_id"][0] for row in rows}

    def expected(self) -> dict[tuple[int, int], float]:
        """Compute quantities from Odoo's own records, independently of the addon."""
        total: dict[tuple[int, int], float] = defaultdict(float)
        locations = self._locations()
        goods = ("product_id", "in", list(self.goods))
        for row in self.rpc.rows(
            "stock.quant",
            goods,
            ("location_id", "in", list(locations)),
            fields=["product_id", "location_id", "quantity"],
        ):
            total[locations[row["location_id"][0]], row["product_id"][0]] += row["quantity"]
        lines = self._lines()
        moves = self.rpc.rows(
            "stock.move",
            goods,
            ("state", "in", OPEN),
            ("location_dest_usage", "=", "customer"),
            fields=["product_id", "location_id", "sale_line_id", "product_qty"],
        )
        if self.rule == "available":
            self._subtract_reserved(total, locations, lines, moves, goods)
        else:
            self._subtract_unshipped(total, lines, moves)
        return total

    def _locations(self) -> dict[int, int]:
        return {
            row["id"]: number
            for number, ids in self.matched.items()
            for row in self.rpc.rows(
                "stock.location",
                ("warehouse_id", "in", ids),
                ("usage", "=", "internal"),
                fields=["id"],
            )
        }

    def _lines(self) -> dict[int, dict]:
        return {
            row["id"]: row
            for row in self.rpc.rows(
                "sale.order.line",
                ("order_id.keycrm_account_id", "=", self.account),
                ("product_id", "in", list(self.goods)),
                fields=[
                    "product_id",
                    "state",
                    "keycrm_stock_status",
                    "keycrm_quantity",
                    "keycrm_warehouse_id",
                ],
            )
        }

    def _warehouse_of(self, line: dict) -> int:
        return self.numbers[line["keycrm_warehouse_id"][0]]

    def _subtract_reserved(self, total, locations, lines, moves, goods) -> None:
        for move in moves:
            if move["sale_line_id"] and move["sale_line_id"][0] in lines:
                number = locations.get(move["location_id"][0])
                total[number, move["product_id"][0]] -= move["product_qty"]
        for line in lines.values():
            if line["keycrm_stock_status"] and line["state"] in ("draft", "sent"):
                total[self._warehouse_of(line), line["product_id"][0]] -= line["keycrm_quantity"]
        for row in self.rpc.rows(
            "stock.move.line",
            goods,
            ("state", "in", OPEN),
            ("move_id.sale_line_id", "not in", list(lines)),
            fields=["product_id", "location_id", "quantity_product_uom"],
        ):
            number = locations.get(row["location_id"][0])
            total[number, row["product_id"][0]] -= row["quantity_product_uom"]

    def _subtract_unshipped(self, total, lines, moves) -> None:
        still_open: Counter[int] = Counter()
        for move in moves:
            if move["sale_line_id"]:
                still_open[move["sale_line_id"][0]] += move["product_qty"]
        for line_id, line in lines.items():
            if line["keycrm_stock_status"] != "fulfilled":
                continue
            held = 0.0
            if line["state"] == "sale":
                held = min(line["keycrm_quantity"], still_open[line_id])
            elif line["state"] in ("draft", "sent"):
                held = line["keycrm_quantity"]
            total[self._warehouse_of(line), line["product_id"][0]] -= held
