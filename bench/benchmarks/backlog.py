"""A backlog under KeyCRM's rate limit: the limit is used and never exceeded."""

from __future__ import annotations

import time
from collections.abc import Iterator

import requests

from ..environment import Environment
from ..measure import seconds
from ..results import Row
from ..steps import QUOTATION, begin_limit, limited_shop

#: Orders in the backlog, and the number of 61 s windows that are measured.
BACKLOG, WINDOWS = 270, 4


def run(environment: Environment) -> Iterator[Row]:
    """Send webhooks of orders last updated long ago: each costs its own request."""
    windows = environment.sized(WINDOWS, 2)
    shop = limited_shop(environment)
    shop.keycrm.seed(orders=BACKLOG, lines=2, buyers=50, status_ids=[QUOTATION])
    numbers = shop.keycrm.order_ids()
    since = begin_limit(shop)
    with requests.Session() as session:
        for number in numbers:
            context = {"id": number, "status_id": QUOTATION}
            body = {"event": "order.change_order_status", "context": context}
            assert session.post(shop.link, json=body, timeout=60).status_code == 204
    # Such orders are on no page of recently updated ones.
    time.sleep(61 * windows + 2)
    made = shop.keycrm.requests(since)
    first = made[0]["monotonic"]
    within = [one for one in made if one["monotonic"] < first + 61 * windows]
    refused = sum(one["status"] == 429 for one in made)
    a_minute = len(within) * 60 / (61 * windows)
    yield Row(
        key="backlog",
        what="backlog of orders that are read one by one, limit on",
        baseline="60 requests a minute",
        ours=f"{a_minute:.1f} a minute over {seconds(61 * windows)}, {refused} × 429",
        ratio=a_minute / 60,
        goal="≥ 58 used, 0 answered 429",
        reached=a_minute >= 58 and not refused,
        samples=f"{len(within)} requests",
        details={"when": [round(one["monotonic"] - first) for one in within][::10]},
    )
