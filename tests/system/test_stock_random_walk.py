"""Hundreds of random operations on both sides; when it is quiet, both sides show the same.

The seed fixes the operations, not how the processes interleave. They take many minutes and run with
SLOW=1 (make test-slow).
"""

from __future__ import annotations

import os
import random
from collections import Counter, defaultdict
from types import SimpleNamespace

import pytest

from tools import shop

STATUSES = [1, 2, 4, 5, 6, 8, 12]
OPEN = ["waiting", "confirmed", "partially_available", "assigned"]
STEPS = int(os.environ.get("STEPS", "200"))

needs_time = pytest.mark.skipif(os.environ.get("SLOW") != "1", reason="ten seeds: SLOW=1")


class Walk:
    """A shop with two KeyCRM warehouses over three Odoo warehouses, and a die."""

    def __init__(self, account, seed: int) -> None:
        self.account, self.rpc, self.keycrm = account, account.rpc, account.keycrm
        self.dice = random.Random(seed)
        self.rule = "available" if seed % 2 else "on_hand"
        self.done: Counter[str] = Counter()
        self._make_warehouses()
        self._make_goods()
        account.write(push_stock=True, stock_quantity=self.rule)
        self.keycrm.add_stock_webhook(account.link)

    # === THE SHOP ===

    def _make_warehouses(self) -> None:
        rpc = self.rpc
        tag = self.account.id
        more = [
            rpc.create("stock.warehouse", name=f"W{n} {tag}", code=f"{n}{tag}"[-5:])
            for n in (1, 2, 3)
        ]
        self.matched = {1: more[:2], 2: more[2:]}
        self.keycrm_warehouses = {
            number: rpc.create(
                "keycrm.warehouse",
                account_id=tag,
                keycrm_id=number,
                name=f"K{number}",
                warehouse_ids=[(6, 0, ids)],
            )
            for number, ids in self.matched.items()
        }
        self.warehouses = {
            row["id"]: SimpleNamespace(**row)
            for row in rpc.rows(
                "stock.warehouse",
                ("id", "in", more),
                fields=["lot_stock_id", "out_type_id", "in_type_id", "int_type_id"],
            )
        }
        self.account.write(
            warehouse_id=more[0],
            poll_minutes=1,
            request_limit=100000,
            stock_zero_limit=100000,
            stock_zero_percent=100,
        )
        self.customers = rpc.search("stock.location", ("usage", "=", "customer"), limit=1)[0]

    def _make_goods(self) -> None:
        self.goods = {}
        for n in range(8):
            sku = f"WALK-{self.account.id}-{n}"
            offer = self.keycrm.create_offer(sku=sku, stock={1: 0, 2: 0})["id"]
            product = self.rpc.create(
                "product.product", name=sku, default_code=sku, is_storable=True
            )
            self.goods[product] = offer

    def product(self) -> int:
        return self.dice.choice(list(self.goods))

    def warehouse(self) -> int:
        return self.dice.choice(list(self.warehouses))

    def place(self) -> int:
        return self.warehouses[self.warehouse()].lot_stock_id[0]

    # === ODOO'S SIDE ===

    def receive(self) -> None:
        shop.receive(self.rpc, self.warehouse(), self.product(), self.dice.randint(1, 30))

    def count(self) -> None:
        self.rpc.call(
            "stock.quant",
            "create",
            {
                "product_id": self.product(),
                "location_id": self.place(),
                "inventory_quantity_auto_apply": self.dice.randint(0, 40),
            },
            context={"inventory_mode": True},
        )

    def transfer(self) -> None:
        source = self.warehouse()
        self._picking(
            self.warehouses[source].int_type_id[0],
            self.warehouses[source].lot_stock_id[0],
            self.place(),
        )

    def sell_elsewhere(self) -> None:
        self._picking(
            self.warehouses[(w := self.warehouse())].out_type_id[0],
            self.warehouses[w].lot_stock_id[0],
            self.customers,
            validate=self.dice.random() < 0.5,
        )

    def _picking(self, kind: int, source: int, goal: int, validate: bool = True) -> None:
        quantity = self.dice.randint(1, 6)
        picking = self.rpc.create(
            "stock.picking",
            picking_type_id=kind,
            location_id=source,
            location_dest_id=goal,
            move_ids=[
                (
                    0,
                    0,
                    {
                        "product_id": self.product(),
                        "product_uom_qty": quantity,
                        "location_id": source,
                        "location_dest_id": goal,
                    },
                )
            ],
        )
        self.rpc.call("stock.picking", "action_confirm", [picking])
        self.rpc.call("stock.picking", "action_assign", [picking])
        if validate:
            self._validate(picking, None)

    def ship(self) -> None:
        pickings = self.rpc.search(
            "stock.picking",
            ("sale_id.keycrm_account_id", "=", self.account.id),
            ("state", "in", OPEN),
            order="id",
        )
        if pickings:
            part = self.dice.choice([None, None, 1, 2])
            self._validate(self.dice.choice(pickings), part)

    def _validate(self, picking: int, most: int | None) -> None:
        moves = self.rpc.rows(
            "stock.move",
            ("picking_id", "=", picking),
            ("state", "in", OPEN),
            fields=["product_uom_qty"],
        )
        for move in moves:
            quantity = min(most or move["product_uom_qty"], move["product_uom_qty"])
            self.rpc.write("stock.move", move["id"], quantity=quantity, picked=True)
        self.rpc.call(
            "stock.picking", "button_validate", [picking], context={"skip_backorder": True}
        )

    # === KEYCRM'S SIDE ===

    def order(self) -> None:
        lines = [
            {
                "offer_id": self.goods[product],
                "quantity": self.dice.randint(1, 5),
                "warehouse_id": self.dice.choice([1, 2]),
            }
            for product in self.dice.sample(list(self.goods), self.dice.randint(1, 3))
        ]
        self.keycrm.create_order(lines=lines, status_id=self.dice.choice(STATUSES))

    def a_line(self) -> tuple[int, int] | None:
        numbers = self.keycrm.order_ids()
        if not numbers:
            return None
        number = self.dice.choice(numbers)
        lines = self.keycrm.order(number)["answer"]["products"]
        return (number, self.dice.choice(lines)["id"]) if lines else None

    def move_on(self) -> None:
        if numbers := self.keycrm.order_ids():
            self.keycrm.set_status(self.dice.choice(numbers), self.dice.choice(STATUSES))

    def change_line(self) -> None:
        if found := self.a_line():
            self.keycrm.patch_line(*found, quantity=self.dice.randint(1, 6))

    def hand_edit(self) -> None:
        offer = self.goods[self.product()]
        self.keycrm.set_stock(offer, self.dice.choice([1, 2]), self.dice.randint(0, 50))

    # === WEATHER ===

    def weather(self) -> None:
        fault = self.dice.choice(["late", "now", "status", "close", "cut", "webhooks"])
        if fault in ("late", "now"):
            self.keycrm.set_switches(stock_put_apply=fault, stock_put_delay=1)
        elif fault == "webhooks":
            way = self.dice.choice(["once", "repeated", "out_of_order", "late"])
            self.keycrm.set_switches(webhook_delivery=way, webhook_delay=1)
        else:
            extra = {"status": {"status": 503}, "close": {"executed": True}}.get(fault, {})
            self.keycrm.add_fault(fault, times=self.dice.randint(1, 2), **extra)

    def step(self) -> None:
        """Do one random thing."""
        odoo = [self.receive, self.count, self.transfer, self.sell_elsewhere, self.ship, self.ship]
        there = [self.order, self.order, self.move_on, self.move_on, self.change_line]
        what = self.dice.choice([*odoo, *there, self.hand_edit, self.weather])
        what()
        self.done[what.__name__] += 1

    # === QUIET ===

    def clear_up(self) -> None:
        """The weather is good again; whoever rested may go on."""
        self.keycrm.clear_faults()
        self.keycrm.set_switches(stock_put_apply="now", webhook_delivery="once")
        self.keycrm.wait_quiet()

    def waits(self) -> bool:
        """Tell whether anything is still to be done."""
        mine = ("account_id", "=", self.account.id)
        return bool(
            self.rpc.search("keycrm.stock.change", mine, limit=1)
            or self.rpc.search(
                "keycrm.event", mine, ("state", "in", ["pending", "failed"]), limit=1
            )
            or self.rpc.search("keycrm.stock.level", mine, ("is_known", "=", False), limit=1)
        )

    # === BOTH SIDES ===

    def differences(self) -> dict[tuple[int, int], tuple[float, float]]:
        """Compare each KeyCRM warehouse and offer with what it should show.

        :return: ``{(warehouse, product): (shown, expected)}`` where they differ
        """
        wanted = self.expected()
        found = {}
        for product, offer in self.goods.items():
            stock = self.keycrm.stock(offer)["warehouses"]
            for number in self.matched:
                row = stock.get(str(number), {"quantity": 0, "reserve": 0})
                shown = float(row["quantity"])
                if self.rule == "available":
                    shown -= float(row["reserve"])
                if product in self.moved() and abs(shown - wanted[number, product]) > 0.0005:
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
        """Reckon from Odoo's own records, apart from the addon."""
        total: dict[tuple[int, int], float] = defaultdict(float)
        places = self._places()
        goods = ("product_id", "in", list(self.goods))
        for row in self.rpc.rows(
            "stock.quant",
            goods,
            ("location_id", "in", list(places)),
            fields=["product_id", "location_id", "quantity"],
        ):
            total[places[row["location_id"][0]], row["product_id"][0]] += row["quantity"]
        lines = self._lines()
        moves = self.rpc.rows(
            "stock.move",
            goods,
            ("state", "in", OPEN),
            ("location_dest_usage", "=", "customer"),
            fields=["product_id", "location_id", "sale_line_id", "product_qty"],
        )
        if self.rule == "available":
            self._take_available(total, places, lines, moves, goods)
        else:
            self._take_written_off(total, lines, moves)
        return total

    def _places(self) -> dict[int, int]:
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
                ("order_id.keycrm_account_id", "=", self.account.id),
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

    def _number_of(self, line: dict) -> int:
        numbers = {record: number for number, record in self.keycrm_warehouses.items()}
        return numbers[line["keycrm_warehouse_id"][0]]

    def _take_available(self, total, places, lines, moves, goods) -> None:
        for move in moves:
            if move["sale_line_id"] and move["sale_line_id"][0] in lines:
                number = places.get(move["location_id"][0])
                total[number, move["product_id"][0]] -= move["product_qty"]
        for line in lines.values():
            if line["keycrm_stock_status"] and line["state"] in ("draft", "sent"):
                total[self._number_of(line), line["product_id"][0]] -= line["keycrm_quantity"]
        for row in self.rpc.rows(
            "stock.move.line",
            goods,
            ("state", "in", OPEN),
            ("move_id.sale_line_id", "not in", list(lines)),
            fields=["product_id", "location_id", "quantity_product_uom"],
        ):
            number = places.get(row["location_id"][0])
            total[number, row["product_id"][0]] -= row["quantity_product_uom"]

    def _take_written_off(self, total, lines, moves) -> None:
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
            total[self._number_of(line), line["product_id"][0]] -= held


def walk(account, seed, wait_for):
    it = Walk(account, seed)
    for _ in range(STEPS):
        it.step()
    it.clear_up()
    # Nothing is pressed: pauses end, the catch-up asks, doubts are read again by themselves.
    wait_for(lambda: not it.waits() and not it.differences(), 400, f"seed {seed}: both sides equal")
    assert it.differences() == {}
    assert len(it.done) >= 9, it.done


@pytest.fixture
def both(new_sandbox, new_account):
    sandbox = new_sandbox(rate_limit=0, status_reserve="on", status_write_off="on")
    return new_account(sandbox)


@needs_time
@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 11))
def test_a_random_walk_ends_with_both_sides_equal(both, wait_for, seed):
    walk(both, seed, wait_for)
