"""Thousands of products counted in one inventory: what KeyCRM is asked, and how long it takes."""

from __future__ import annotations

from collections.abc import Iterator

from tools.waiting import wait_for

from .. import seed_sql
from ..environment import Environment, Shop
from ..measure import median, seconds
from ..results import Row
from ..steps import match_warehouse, settle

#: Products counted, seconds allowed, repetitions.
SIZES = ((1_000, 2.0, 3), (10_000, 10.0, 1))
OFFERS = 10_000


def run(world: Environment) -> Iterator[Row]:
    """Count as one transaction products that KeyCRM has been told of before."""
    shop = world.shop(sandbox={"offers": world.sized(OFFERS)})
    match_warehouse(shop.rpc, shop.account, stock_zero_limit=100_000, stock_zero_percent=100)
    products = seed_sql.products_of_offers(shop, world.sized(OFFERS))
    # They lie there, and KeyCRM was told.
    seed_sql.quants(shop, dict.fromkeys(products, 3.0))
    shop.sql("ANALYZE")
    shop.rpc.call("keycrm.account", "action_push_all_stock", [shop.account])
    _wait_sent(shop)
    for full, allowed, times in SIZES:
        size = world.sized(full)
        taken, requests = [], []
        for number in range(times):
            seconds_taken, count = _count(shop, products[:size], 100 + number + size)
            taken.append(seconds_taken)
            requests.append(count)
        yield Row(
            key=f"inventory.{full}",
            what=f"{size:,} products counted in one inventory",
            floor="–",
            ours=f"{max(requests)} request a warehouse, {seconds(median(taken))} to the last one",
            ratio=None,
            goal=f"1 request a warehouse, ≤ {allowed:g} s",
            reached=max(requests) == 1 and median(taken) <= allowed,
            samples=str(times),
            details={"seconds": taken},
        )


def _count(shop: Shop, products: list[int], quantity: int) -> tuple[float, int]:
    """:return: seconds from the commit to the last request, and how many there were"""
    since = max((one["number"] for one in shop.keycrm.requests(limit=1)), default=0)
    shop.floor("count_products", products, quantity)
    _wait_sent(shop)
    # The catch-up asks for orders meanwhile, as it does every minute where no webhook comes.
    made = shop.keycrm.requests(since, path="*/offers/stocks")
    return made[-1]["monotonic"] - shop.floor("stamp_of", "count"), len(made)


def _wait_sent(shop: Shop) -> None:
    """Wait until nothing waits to be sent any more."""
    statement = "SELECT count(*) FROM keycrm_stock_change"
    wait_for(lambda: not shop.one(statement), 600, "the outbox", 0.1)
    settle(shop, 300)
