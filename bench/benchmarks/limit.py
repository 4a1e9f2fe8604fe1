"""Synchronize ten thousand orders under KeyCRM's limit of 60 requests a minute."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from tools.waiting import wait_for

from ..environment import Environment, Shop
from ..results import Row
from ..steps import (
    CONFIRM,
    QUOTATION,
    begin_limit,
    limited_shop,
    resident,
    synchronize,
    wait_synchronized,
)

ORDERS = 10_000


def run(environment: Environment) -> Iterator[Row]:
    """Synchronize ten thousand orders, with a crash of Odoo in the middle."""
    orders = environment.sized(ORDERS, 500)
    pages = -(-orders // 50)
    shop = limited_shop(environment)
    _connect(shop)
    shop.keycrm.seed(orders=orders, lines=3, status_ids=[QUOTATION])
    # Private buyers only: a page with new companies costs one more request.
    for number in range(6, shop.keycrm.health()["buyers"] + 1, 12):
        shop.keycrm.patch_buyer(number, company_id=None)
    since = begin_limit(shop)
    begun, before = time.monotonic(), resident(shop.odoo.pid)
    sync = synchronize(shop, [QUOTATION])
    grown = [_growth_until(shop, sync, orders // 2, before)]
    killed = time.monotonic()
    shop.odoo.kill()
    shop.odoo.start()
    down = time.monotonic() - killed
    grown.append(_growth_until(shop, sync, orders))
    counts = wait_synchronized(shop, sync)
    taken = time.monotonic() - begun
    made = shop.keycrm.requests(since)
    listed = [
        one["query"]
        for one in made
        if one["path"].endswith("/v1/order") and "status_id" in str(one["query"])
    ]
    repeated = len(listed) - len({str(query) for query in listed})
    refused = sum(one["status"] == 429 for one in made)
    right = counts["done"] >= orders and not counts["failed"]
    yield Row(
        key="limit",
        what=f"bulk sync of {orders:,} orders of private buyers under the limit, Odoo killed half-way",
        baseline=f"{pages} requests = {pages} s",
        ours=f"{len(made)} requests, {refused} × 429, {taken:.0f} s (of which {down:.0f} s down), "
        f"+{max(grown):.0f} MB, {repeated} pages repeated",
        ratio=len(made) / pages,
        goal=f"≤ {pages + 5} requests, ≤ 100 MB, at most one page repeated",
        reached=len(made) <= pages + 5
        and max(grown) <= 100
        and repeated <= 1
        and not refused
        and right,
        samples="1",
        details={"counts": counts, "requests": _kinds(made), "megabytes_before_and_after": grown},
    )


def _growth_until(shop: Shop, sync: int, orders: int, before: int = 0) -> float:
    """Wait for a number of orders, or for the end of the synchronization.

    :param before: memory of Odoo's process at the start in bytes; by default that after a hundred
        orders, since a restarted process loads its code with the first ones
    :return: peak growth in megabytes
    """
    statement = "SELECT done_count, state = 'running' FROM keycrm_order_sync WHERE id = %s"
    begun, peak = shop.sql(statement, sync)[0][0], before

    def done() -> bool:
        nonlocal before, peak
        (count, runs), now = shop.sql(statement, sync)[0], resident(shop.odoo.pid)
        if not before and count >= begun + 100:
            before = now
        peak = max(peak, now) if before else 0
        return count >= orders or not runs

    wait_for(done, 3600, f"{orders} orders", 0.2)
    return (peak - before) / 1024**2


def _connect(shop: Shop) -> None:
    """Send one webhook: an account that never received one polls every minute."""
    number = shop.keycrm.create_order(lines=[{"offer_id": 1, "quantity": 1}], status_id=CONFIRM)[
        "id"
    ]
    statement = "SELECT count(*) FROM sale_order WHERE keycrm_id = %s"
    wait_for(lambda: shop.one(statement, number), 60, "the first order")
    assert shop.one("SELECT count(*) FROM keycrm_event WHERE from_webhook")


def _kinds(made: list[dict[str, Any]]) -> dict[str, int]:
    kinds: dict[str, int] = {}
    for one in made:
        kinds[one["path"]] = kinds.get(one["path"], 0) + 1
    return {path: count for path, count in kinds.items() if count > 1}
