"""High load: 500 webhooks of the 300 newest orders in ten seconds, rate limit on."""

from __future__ import annotations

import http.client
import json
import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from tools.waiting import ConditionTimeout, wait_for

from ..environment import Environment, Shop
from ..measure import seconds
from ..results import Row
from ..steps import QUOTATION, catalog, settle

WEBHOOKS, ORDERS, WITHIN = 500, 300, 10.0
STATUS = 2


def run(environment: Environment) -> Iterator[Row]:
    """Change 300 orders in KeyCRM while 500 webhooks arrive evenly over ten seconds."""
    shop = environment.shop(sandbox={"offers": 100}, account={"request_limit": 60})
    catalog(shop)
    shop.keycrm.seed(orders=600, lines=3, status_ids=[QUOTATION])
    settle(shop, 180)
    # The catalog's requests must have left the window of the limit.
    shop.keycrm.set_switches(rate_limit=60)
    time.sleep(62)
    numbers = shop.keycrm.order_ids()[-ORDERS:]
    since = max((one["number"] for one in shop.keycrm.requests()), default=0)
    begun = time.monotonic()
    _send(shop, numbers)
    sent = time.monotonic() - begun
    try:
        wait_for(lambda: not _wrong(shop, numbers), 180, "all orders right", 0.2)
        taken = time.monotonic() - begun - sent
    except ConditionTimeout:
        taken = float("inf")
    made = [one for one in shop.keycrm.requests(since) if one["method"] == "GET"]
    # Requests of polling and of the hourly reconciliation count too: they share the limit.
    refused = sum(one["status"] == 429 for one in made)
    kinds: dict[str, int] = {}
    for one in made:
        kinds[one["path"]] = kinds.get(one["path"], 0) + 1
    yield Row(
        key="burst",
        what=f"{WEBHOOKS} webhooks of the {ORDERS} newest orders in 10 s",
        baseline="–",
        ours=f"{len(made)} requests, {refused} × 429, all right after {seconds(taken)}",
        ratio=None,
        goal="≤ 12 requests, no 429, all right within 60 s",
        reached=len(made) <= 12 and not refused and taken <= 60,
        samples=f"{WEBHOOKS} webhooks in {sent:.1f} s",
        details={"requests": kinds},
    )


def _send(shop: Shop, numbers: list[int]) -> None:
    chance = random.Random(7)
    order = [*numbers, *chance.sample(numbers, WEBHOOKS - ORDERS)]
    chance.shuffle(order)
    address = urlsplit(shop.link).path
    begun = time.monotonic()

    def post(place: int) -> None:
        number = order[place]
        time.sleep(max(0.0, begun + WITHIN * place / WEBHOOKS - time.monotonic()))
        shop.keycrm.patch_order(number, status_id=STATUS, webhook=False)
        body = {
            "event": "order.change_order_status",
            "context": {"id": number, "status_id": STATUS, "grand_total": 0},
        }
        connection = http.client.HTTPConnection("127.0.0.1", shop.odoo.port, timeout=60)
        connection.request("POST", address, json.dumps(body), {"Content-Type": "application/json"})
        assert connection.getresponse().status == 204
        connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(post, range(len(order))))


def _wrong(shop: Shop, numbers: list[int]) -> int:
    right = shop.one(
        """SELECT count(*) FROM sale_order sale
             JOIN keycrm_order_status status ON status.id = sale.keycrm_status_id
            WHERE sale.keycrm_id = ANY(%s) AND status.keycrm_id = %s""",
        numbers,
        STATUS,
    )
    return len(numbers) - right
