"""Bulk synchronization beside bare ``create()`` of the same records, request limit lifted."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from ..environment import Environment, Shop
from ..measure import median
from ..results import Row
from ..steps import (
    CONFIRM,
    QUOTATION,
    catalog,
    know_every_other_buyer,
    settle,
    span,
    synchronize,
    wait_synchronised,
)

#: Orders in all, and in one turn.
ORDERS, TURN = 5000, 500
CONFIRMED, CONFIRMED_TURN = 500, 50
#: Orders a ``create()`` of the floor; what is best for confirming is found in the run.
BATCH = 50
CONFIRM_BATCHES = (5, 10, 50)


def run(world: Environment) -> Iterator[Row]:
    """Synchronise a span of time, make the same records by bare ``create()``, and so on in turns."""
    yield _quotations(world)
    world.clear()
    yield _confirmed(world)


def _shop(world: Environment, orders: int, status: int) -> Shop:
    shop = world.shop(sandbox={"offers": 500, "created_filter": "created_at"})
    shop.keycrm.seed(orders=orders, lines=3, buyers=orders, status_ids=[status])
    catalog(shop)
    know_every_other_buyer(shop)
    settle(shop)
    return shop


def turn(shop: Shop, place: int, count: int, total: int, status: int) -> dict[str, Any]:
    """Synchronise some orders.

    :return: orders, seconds, queries, and the marks by which the floor finds what was made
    """
    marks = shop.floor("marks")
    queries, begun = shop.floor("query_count"), time.monotonic()
    counts = wait_synchronised(shop, synchronize(shop, [status], span(place * count, count, total)))
    taken = time.monotonic() - begun
    queries = shop.floor("query_count") - queries
    if counts["created"] < count * 0.9 or counts["failed"]:
        raise AssertionError(f"not all orders came: {counts}")
    settle(shop)
    return {"orders": counts["created"], "seconds": taken, "queries": queries, "marks": marks}


def _rate(turns: list[dict[str, Any]]) -> float:
    return sum(one["orders"] for one in turns) / sum(one["seconds"] for one in turns)


def _queries(turns: list[dict[str, Any]]) -> float:
    return sum(one["queries"] for one in turns) / sum(one["orders"] for one in turns)


def _ratio(ours: list[dict[str, Any]], floor: list[dict[str, Any]]) -> float:
    return median([_rate([a]) / _rate([b]) for a, b in zip(ours, floor, strict=True)])


def _quotations(world: Environment) -> Row:
    count = world.sized(TURN, 20)
    total = count * (1 + ORDERS // TURN)
    shop = _shop(world, total, QUOTATION)
    ours, floor = [], []
    for place in range(1 + ORDERS // TURN):
        one = turn(shop, place, count, total, QUOTATION)
        bare = shop.floor("repeat_orders", one["marks"], BATCH)
        if place:
            ours.append(one)
            floor.append(bare)
    ratio = _ratio(ours, floor)
    return Row(
        key="bulk.quotations",
        what=f"bulk sync of {total - count:,} orders of 3 lines as quotations, half the buyers new",
        floor=f"{_rate(floor):.0f} orders/s, {_queries(floor):.1f} queries an order",
        ours=f"{_rate(ours):.0f} orders/s, {_queries(ours):.1f} queries an order",
        ratio=ratio,
        goal="≥ 1.0 of the baseline's orders/s, ≤ 6 queries an order",
        reached=ratio >= 1.0 and _queries(ours) <= 6,
        samples=f"{len(ours)} pairs of {count}",
        details={"rates": [[_rate([a]), _rate([b])] for a, b in zip(ours, floor, strict=True)]},
    )


def _confirmed(world: Environment) -> Row:
    count = world.sized(CONFIRMED_TURN, 10)
    total = count * (1 + CONFIRMED // CONFIRMED_TURN)
    shop = _shop(world, total, CONFIRM)
    ours: list[dict[str, Any]] = []
    floor: list[dict[str, Any]] = []
    first = turn(shop, 0, count, total, CONFIRM)
    # Each size once to warm up, then once to be compared: three floors in each turn would take longer
    # than all the rest of it.
    for _ in range(2):
        tried = {
            size: _rate([shop.floor("repeat_orders", first["marks"], size, count, True)])
            for size in CONFIRM_BATCHES
        }
    best = max(tried, key=lambda size: tried[size])
    for place in range(1, 1 + CONFIRMED // CONFIRMED_TURN):
        one = turn(shop, place, count, total, CONFIRM)
        ours.append(one)
        floor.append(shop.floor("repeat_orders", one["marks"], best, count, True))
    ratio = _ratio(ours, floor)
    return Row(
        key="bulk.confirmed",
        what=f"{total - count} of them confirmed",
        floor=f"{_rate(floor):.1f} orders/s, {_queries(floor):.0f} queries an order ({best} at once)",
        ours=f"{_rate(ours):.1f} orders/s, {_queries(ours):.0f} queries an order",
        ratio=ratio,
        goal="≥ 0.9 of the baseline's orders/s",
        reached=ratio >= 0.9,
        samples=f"{len(ours)} pairs of {count}",
        details={"floors_tried": tried},
    )
