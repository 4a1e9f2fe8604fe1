"""Thousands of products counted in one inventory: requests and duration."""

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


def run(environment: Environment) -> Iterator[Row]:
    """Count products in one transaction, after their quantities were sent once."""
    shop = environment.shop(sandbox={"offers": environment.sized(OFFERS)})
    match_warehouse(shop.rpc, shop.account, stock_zero_limit=100_000, stock_zero_percent=100)
    products = seed_sql.products_of_offers(shop, environment.sized(OFFERS))
    # Odoo has stock of all, and KeyCRM has received the quantities.
    seed_sql.quants(shop, dict.fromkeys(products, 3.0))
    shop.sql("ANALYZE")
    shop.rpc.call("keycrm.account", "action_push_all_stock", [shop.account])
    _wait_sent(shop)
    for full, allowed, times in SIZES:
        size = environment.sized(full)
        taken, requests = [], []
        for number in range(times):
            seconds_taken, count = _count(shop, products[:size], 100 + number + size)
            taken.append(seconds_taken)
            requests.append(count)
        yield Row(
            key=f"inventory.{full}",
            what=f"{size:,} products counted in one inventory",
            baseline="–",
            ours=f"{max(requests)} request a warehouse, {seconds(median(taken))} to the last one",
            ratio=None,
            goal=f"1 request a warehouse, ≤ {allowed:g} s",
            reached=max(requests) == 1 and median(taken) <= allowed,
            samples=str(times),
            details={"seconds": taken},
        )


def _count(shop: Shop, products: list[int], quantity: int) -> tuple[float, int]:
    """Return the seconds from the commit to the last request, and the requests."""
    since = shop.keycrm.last_request()
    shop.bench("count_products", products, quantity)
    _wait_sent(shop)
    # Polling reads orders meanwhile, every minute in an account without webhooks.
    made = shop.keycrm.requests(since, path="*/offers/stocks")
    return made[-1]["monotonic"] - shop.bench("stamp_of", "count"), len(made)


def _wait_sent(shop: Shop) -> None:
    """Wait until the stock outbox is empty."""
    statement = "SELECT count(*) FROM keycrm_stock_change"
    wait_for(lambda: not shop.one(statement), 600, "the outbox", 0.1)
    settle(shop, 300)
