"""Bulk synchronization compared with bare ``create()``, without a request limit."""

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
    map_every_other_buyer,
    settle,
    span,
    synchronize,
    wait_synchronized,
)

#: Orders in total, and in one turn.
ORDERS, TURN = 5000, 500
CONFIRMED, CONFIRMED_TURN = 500, 50
#: Orders per ``create()`` of the baseline; for confirmation the fastest size is chosen in the run.
BATCH = 50
CONFIRM_BATCHES = (5, 10, 50)


def run(environment: Environment) -> Iterator[Row]:
    """Alternate between synchronizing a period and creating the same records."""
    yield _quotations(environment)
    environment.clear()
    yield _confirmed(environment)


def _shop(environment: Environment, orders: int, status: int) -> Shop:
    shop = environment.shop(sandbox={"offers": 500, "created_filter": "created_at"})
    shop.keycrm.seed(orders=orders, lines=3, buyers=orders, status_ids=[status])
    catalog(shop)
    map_every_other_buyer(shop)
    settle(shop)
    return shop


def turn(shop: Shop, place: int, count: int, total: int, status: int) -> dict[str, Any]:
    """Synchronize some orders.

    :return: orders, seconds, queries, and the ``last_ids`` by which the baseline finds new records
    """
    last_ids = shop.bench("last_ids")
    queries, begun = shop.bench("query_count"), time.monotonic()
    counts = wait_synchronized(shop, synchronize(shop, [status], span(place * count, count, total)))
    taken = time.monotonic() - begun
    queries = shop.bench("query_count") - queries
    if counts["created"] < count * 0.9 or counts["failed"]:
        raise AssertionError(f"not all orders came: {counts}")
    settle(shop)
    return {"orders": counts["created"], "seconds": taken, "queries": queries, "last_ids": last_ids}


def _rate(turns: list[dict[str, Any]]) -> float:
    return sum(one["orders"] for one in turns) / sum(one["seconds"] for one in turns)


def _queries(turns: list[dict[str, Any]]) -> float:
    return sum(one["queries"] for one in turns) / sum(one["orders"] for one in turns)


def _ratio(ours: list[dict[str, Any]], baseline: list[dict[str, Any]]) -> float:
    return median([_rate([a]) / _rate([b]) for a, b in zip(ours, baseline, strict=True)])


def _quotations(environment: Environment) -> Row:
    count = environment.sized(TURN, 20)
    total = count * (1 + ORDERS // TURN)
    shop = _shop(environment, total, QUOTATION)
    ours, baseline = [], []
    for place in range(1 + ORDERS // TURN):
        one = turn(shop, place, count, total, QUOTATION)
        bare = shop.bench("repeat_orders", one["last_ids"], BATCH)
        if place:
            ours.append(one)
            baseline.append(bare)
    ratio = _ratio(ours, baseline)
    return Row(
        key="bulk.quotations",
        what=f"bulk sync of {total - count:,} orders of 3 lines as quotations, half the buyers new",
        baseline=f"{_rate(baseline):.0f} orders/s, {_queries(baseline):.1f} queries an order",
        ours=f"{_rate(ours):.0f} orders/s, {_queries(ours):.1f} queries an order",
        ratio=ratio,
        goal="≥ 1.0 of the baseline's orders/s, ≤ 6 queries an order",
        reached=ratio >= 1.0 and _queries(ours) <= 6,
        samples=f"{len(ours)} pairs of {count}",
        details={"rates": [[_rate([a]), _rate([b])] for a, b in zip(ours, baseline, strict=True)]},
    )


def _confirmed(environment: Environment) -> Row:
    count = environment.sized(CONFIRMED_TURN, 10)
    total = count * (1 + CONFIRMED // CONFIRMED_TURN)
    shop = _shop(environment, total, CONFIRM)
    ours: list[dict[str, Any]] = []
    baseline: list[dict[str, Any]] = []
    first = turn(shop, 0, count, total, CONFIRM)
    # Each size once to warm up and once to be compared: measuring all sizes in each turn would take
    # longer than the rest of the benchmark.
    for _ in range(2):
        tried = {
            size: _rate([shop.bench("repeat_orders", first["last_ids"], size, count, True)])
            for size in CONFIRM_BATCHES
        }
    best = max(tried, key=lambda size: tried[size])
    for place in range(1, 1 + CONFIRMED // CONFIRMED_TURN):
        one = turn(shop, place, count, total, CONFIRM)
        ours.append(one)
        baseline.append(shop.bench("repeat_orders", one["last_ids"], best, count, True))
    ratio = _ratio(ours, baseline)
    return Row(
        key="bulk.confirmed",
        what=f"{total - count} of them confirmed",
        baseline=f"{_rate(baseline):.1f} orders/s, {_queries(baseline):.0f} queries an order "
        f"({best} at once)",
        ours=f"{_rate(ours):.1f} orders/s, {_queries(ours):.0f} queries an order",
        ratio=ratio,
        goal="≥ 0.9 of the baseline's orders/s",
        reached=ratio >= 0.9,
        samples=f"{len(ours)} pairs of {count}",
        details={"batch_sizes_tried": tried},
    )
