"""Latency of a stock export: idle, and during a synchronization of orders."""

from __future__ import annotations

import time
from collections.abc import Iterator

from tools.waiting import wait_for

from ..environment import Environment, Shop
from ..measure import Pairs, alternate, latency, median, p95, seconds
from ..results import Row
from ..steps import QUOTATION, catalog, match_warehouse, put_latency, settle, synchronize

COUNT, BUSY_COUNT = 40, 15


def run(environment: Environment) -> Iterator[Row]:
    """Count products one by one; in turns, trigger an action that sends one request."""
    shop = environment.shop(sandbox={"offers": 50})
    catalog(shop)
    match_warehouse(shop.rpc, shop.account, stock_zero_limit=100_000, stock_zero_percent=100)
    products = [
        product for (product,) in shop.sql("SELECT product_id FROM keycrm_offer ORDER BY keycrm_id")
    ]
    shop.bench("count_products", products, 5)
    settle(shop)
    yield _idle(shop, products)
    yield _during_sync(shop, products)


def _idle(shop: Shop, products: list[int]) -> Row:
    quantity = iter(range(10, 10_000))

    def ours() -> float:
        settle(shop)
        since = shop.keycrm.last_request()
        number = next(quantity)
        shop.bench("count_products", [products[number % len(products)]], number)
        return put_latency(shop, "count", since)

    def baseline() -> float:
        settle(shop)
        since = shop.keycrm.last_request()
        shop.bench("trigger_request", shop.sandbox.api_url, shop.sandbox.key, 2, 1)
        return put_latency(shop, "baseline", since)

    pairs: Pairs = alternate(ours, baseline, COUNT, warm_up=3)
    middle, late = median(pairs.ours), p95(pairs.ours)
    return Row(
        key="stock.idle",
        what="quantity changed in Odoo → request at KeyCRM, idle",
        baseline=latency(pairs.baseline),
        ours=latency(pairs.ours),
        ratio=pairs.ratio,
        goal="p50 ≤ 0.2 s, p95 ≤ 0.6 s",
        reached=middle <= 0.2 and late <= 0.6,
        samples=f"{COUNT} pairs",
        details={"pair_ratios_middle_half": pairs.spread, "worst": max(pairs.ours)},
    )


def _during_sync(shop: Shop, products: list[int]) -> Row:
    shop.keycrm.seed(orders=6000, lines=3, status_ids=[QUOTATION])
    sync = synchronize(shop, [QUOTATION])
    wait_for(
        lambda: shop.one("SELECT done_count FROM keycrm_order_sync WHERE id = %s", sync),
        60,
        "the synchronization",
    )
    taken = []
    for number in range(BUSY_COUNT):
        since = shop.keycrm.last_request()
        shop.bench("count_products", [products[number]], 20_000 + number)
        taken.append(put_latency(shop, "count", since))
        time.sleep(0.7)
    state = shop.one("SELECT state FROM keycrm_order_sync WHERE id = %s", sync)
    if state != "running":
        raise AssertionError("the synchronization ended before all samples were taken")
    worst = max(taken)
    return Row(
        key="stock.sync",
        what="quantity changed in Odoo → request at KeyCRM, during a bulk sync",
        baseline="–",
        ours=f"p50 {seconds(median(taken))}, worst {seconds(worst)}",
        ratio=None,
        goal="≤ 2 s",
        reached=worst <= 2,
        samples=str(BUSY_COUNT),
    )
