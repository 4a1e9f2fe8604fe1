"""KeyCRM's limit of 60 requests a minute: a long synchronisation, and a backlog of single orders."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import requests

from tools.waiting import wait_for

from ..measure import seconds
from ..results import Row
from ..steps import QUOTATION, catalogue, resident, settle, synchronise, wait_synchronised
from ..world import Shop, World

ORDERS = 10_000
PAGES = ORDERS // 50
#: Orders that wait, and for how many windows of 61 s they are watched.
BACKLOG, WINDOWS = 270, 4


def run(world: World) -> Iterator[Row]:
    """Synchronise ten thousand orders with a power failure in the middle; then work a backlog."""
    yield _sync(world)
    world.clear()
    yield _backlog(world)


def _limited(world: World) -> Shop:
    """Join an Odoo with a KeyCRM whose catalogue it knows; from now on the limit holds."""
    shop = world.shop(sandbox={"offers": 500})
    catalogue(shop)
    settle(shop, 180)
    return shop


def _limit(shop: Shop) -> int:
    """Let the limit hold on both sides, with an empty window.

    :return: the last request before it
    """
    shop.rpc.write("keycrm.account", shop.account, request_limit=60)
    time.sleep(62)
    shop.keycrm.set_switches(rate_limit=60)
    return max((one["number"] for one in shop.keycrm.requests(limit=1)), default=0)


def _sync(world: World) -> Row:
    shop = _limited(world)
    shop.keycrm.seed(orders=ORDERS, lines=3, status_ids=[QUOTATION])
    # Private buyers: a page with buyers of companies that are new costs one request more.
    for number in range(6, shop.keycrm.health()["buyers"] + 1, 12):
        shop.keycrm.patch_buyer(number, company_id=None)
    since = _limit(shop)
    begun, before = time.monotonic(), resident(shop.odoo.pid)
    peak = before
    sync = synchronise(shop, [QUOTATION])
    statement = "SELECT done_count FROM keycrm_order_sync WHERE id = %s"

    def half() -> bool:
        nonlocal peak
        peak = max(peak, resident(shop.odoo.pid))
        return shop.one(statement, sync) >= ORDERS // 2

    wait_for(half, 1200, "half of the orders", 0.2)
    killed = time.monotonic()
    shop.odoo.kill()
    shop.odoo.start()
    down = time.monotonic() - killed
    counts = wait_synchronised(shop, sync, 1200)
    taken = time.monotonic() - begun
    made = shop.keycrm.requests(since)
    pages = [one["query"] for one in made if one["path"].endswith("/v1/order")]
    listed = [query for query in pages if "status_id" in str(query)]
    repeated = len(listed) - len({str(query) for query in listed})
    grown = (peak - before) / 1024**2
    refused = sum(one["status"] == 429 for one in made)
    right = counts["done"] >= ORDERS and not counts["failed"]
    return Row(
        key="limit.sync",
        what=f"bulk sync of {ORDERS:,} orders of private buyers under the limit, Odoo killed half-way",
        floor=f"{PAGES} requests = {PAGES} s",
        ours=f"{len(made)} requests, {refused} × 429, {taken:.0f} s (of which {down:.0f} s down), "
        f"+{grown:.0f} MB, {repeated} pages repeated",
        ratio=len(made) / PAGES,
        goal="≤ 205 requests, ≤ 100 MB, at most one page repeated",
        reached=len(made) <= 205 and grown <= 100 and repeated <= 1 and not refused and right,
        samples="1",
        details={"counts": counts, "requests": _kinds(made)},
    )


def _kinds(made: list[dict[str, Any]]) -> dict[str, int]:
    kinds: dict[str, int] = {}
    for one in made:
        kinds[one["path"]] = kinds.get(one["path"], 0) + 1
    return {path: count for path, count in kinds.items() if count > 1}


def _backlog(world: World) -> Row:
    shop = _limited(world)
    shop.keycrm.seed(orders=BACKLOG, lines=2, buyers=50, status_ids=[QUOTATION])
    numbers = shop.keycrm.order_ids()
    since = _limit(shop)
    with requests.Session() as session:
        for number in numbers:
            context = {"id": number, "status_id": QUOTATION}
            body = {"event": "order.change_order_status", "context": context}
            assert session.post(shop.link, json=body, timeout=60).status_code == 204
    # Orders that were last touched long ago stand in no list of what is new: each costs a request.
    time.sleep(61 * WINDOWS + 2)
    made = shop.keycrm.requests(since)
    first = made[0]["monotonic"]
    within = [one for one in made if one["monotonic"] < first + 61 * WINDOWS]
    refused = sum(one["status"] == 429 for one in made)
    a_minute = len(within) * 60 / (61 * WINDOWS)
    return Row(
        key="limit.backlog",
        what="backlog of orders that are read one by one, limit on",
        floor="60 requests a minute",
        ours=f"{a_minute:.1f} a minute over {seconds(61 * WINDOWS)}, {refused} × 429",
        ratio=a_minute / 60,
        goal="≥ 58 used, 0 answered 429",
        reached=a_minute >= 58 and not refused,
        samples=f"{len(within)} requests",
        details={"when": [round(one["monotonic"] - first) for one in within][::10]},
    )
