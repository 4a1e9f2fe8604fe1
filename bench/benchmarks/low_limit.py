"""Live orders and stock during a synchronization, where KeyCRM allows 20 requests a minute."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from tools.waiting import wait_for

from ..environment import Environment, Shop
from ..measure import latency, p95, seconds
from ..results import Row
from ..steps import (
    QUOTATION,
    begin_limit,
    catalog,
    match_warehouse,
    put_latency,
    settle,
    synchronize,
)

LIMIT = 20
#: Seconds in which Odoo learns the limit, and seconds between two live changes.
LEARNING, PAUSE = 130, 10
#: Orders and quantities that are measured.
COUNT = 15


def run(environment: Environment) -> Iterator[Row]:
    """Let Odoo learn the limit during a synchronization, then change orders and stock in turns."""
    shop = environment.shop(sandbox={"offers": 50})
    catalog(shop)
    match_warehouse(shop.rpc, shop.account, stock_zero_limit=100_000, stock_zero_percent=100)
    products = [product for (product,) in shop.sql("SELECT product_id FROM keycrm_offer")]
    shop.bench("count_products", products, 5)
    # After a first webhook Odoo polls every five minutes.
    _order(shop)
    shop.keycrm.seed(orders=6000, lines=3, status_ids=[QUOTATION])
    settle(shop)
    begin_limit(shop, LIMIT)
    sync = synchronize(shop, [QUOTATION])
    time.sleep(LEARNING)
    since, begun = shop.keycrm.last_request(), time.monotonic()
    orders, stock = [], []
    for number in range(environment.sized(COUNT, 2)):
        orders.append(_every(PAUSE, lambda: _order(shop)))
        product = products[number % len(products)]
        stock.append(
            _every(PAUSE, lambda product=product, number=number: _stock(shop, product, 10 + number))
        )
    taken = time.monotonic() - begun
    made = shop.keycrm.requests(since)
    refused = sum(one["status"] == 429 for one in made)
    used = len(made) * 60 / taken / LIMIT
    if shop.one("SELECT state FROM keycrm_order_sync WHERE id = %s", sync) != "running":
        raise AssertionError("the synchronization ended before all samples were taken")
    yield Row(
        key="limit.low",
        what=f"order visible, quantity sent, during a synchronization; KeyCRM allows {LIMIT} a minute, "
        "the account says 60",
        baseline=f"{LIMIT} requests a minute",
        ours=f"order {latency(orders)}; quantity {latency(stock)}; {used:.0%} of the limit, "
        f"{refused} × 429",
        ratio=used,
        goal="p95 ≤ 6 s, ≥ 95 % of the limit, no 429 after it was learned",
        reached=max(p95(orders), p95(stock)) <= 6 and used >= 0.95 and not refused,
        samples=f"{len(orders)} of each in {seconds(taken)}",
        details={
            "orders": orders,
            "quantities": stock,
            "limit": shop.one("SELECT max(current_limit) FROM keycrm_rate_limit"),
        },
    )


def _every(pause: float, work: Callable[[], float]) -> float:
    """Do something, then wait until some seconds have passed since it began."""
    begun = time.monotonic()
    result = work()
    time.sleep(max(0.0, begun + pause - time.monotonic()))
    return result


def _order(shop: Shop) -> float:
    """Create an order in KeyCRM.

    :return: seconds until it is in Odoo
    """
    begun = time.monotonic()
    number = shop.keycrm.create_order(lines=[{"offer_id": 1, "quantity": 1}])["id"]
    statement = "SELECT 1 FROM sale_order WHERE keycrm_id = %s"
    wait_for(lambda: shop.sql(statement, number), 120, "the order", 0.02)
    return time.monotonic() - begun


def _stock(shop: Shop, product: int, quantity: int) -> float:
    """Count a product in Odoo.

    :return: seconds from the commit until the request
    """
    since = shop.keycrm.last_request()
    shop.bench("count_products", [product], quantity)
    return put_latency(shop, "count", since)
