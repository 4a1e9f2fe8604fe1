"""Latency of nineteen accounts while requests of a twentieth time out."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator

import requests

from tools.waiting import wait_for

from ..environment import Environment, Shop
from ..measure import Pairs, latency, median, p95
from ..results import Row
from ..steps import catalog, settle

ACCOUNTS, ROUNDS, A_ROUND = 19, 4, 25


def run(environment: Environment) -> Iterator[Row]:
    """Send orders to the nineteen while the twentieth is disabled, and while it fails."""
    shop = environment.shop(
        odoo={"cron_threads": 4},
        sandbox={"offers": 30},
        account={"poll_minutes": 1000},
    )
    links = {shop.account: shop.link}
    for number in range(1, ACCOUNTS):
        account, link = shop.further_account(number, poll_minutes=1000)
        links[account] = link
    shop.keycrm.clear_webhooks()
    failing_keycrm = environment.sandbox()
    failing, failing_link = environment.account(shop.odoo, shop.rpc, failing_keycrm)
    failing_keycrm.control.add_fault("delay", seconds=35, times=None)
    catalog(shop)
    turns = itertools.cycle(links.items())
    for _ in range(ACCOUNTS):
        _latency(shop, *next(turns))
    pairs = Pairs()
    for place in range(2 * environment.sized(ROUNDS)):
        # healthy, failing, failing, healthy, …
        is_failing = place % 4 in (1, 2)
        _set_failing(shop, failing, failing_link, is_failing)
        samples = pairs.ours if is_failing else pairs.baseline
        for _ in range(environment.sized(A_ROUND, 8)):
            if is_failing:
                # Its orders are reported by webhooks too; none of them can be read.
                requests.post(failing_link, json=_body(place), timeout=60)
            samples.append(_latency(shop, *next(turns)))
    middle = median(pairs.ours) / median(pairs.baseline)
    late = p95(pairs.ours) / p95(pairs.baseline)
    yield Row(
        key="accounts",
        what=f"order visible for {ACCOUNTS} accounts while one more times out, 4 cron threads",
        baseline=latency(pairs.baseline),
        ours=latency(pairs.ours),
        ratio=middle,
        goal="≤ 1.1 ×",
        reached=middle <= 1.1 and late <= 1.1,
        samples=f"{len(pairs.ours)} each, in {2 * environment.sized(ROUNDS)} rounds",
        details={"ratio_p95": late},
    )


def _set_failing(shop: Shop, failing: int, link: str, on: bool) -> None:
    shop.rpc.write("keycrm.account", failing, enabled=on)
    if on:
        # As after its first failure: the shortest pause.
        shop.sql(
            "UPDATE keycrm_account SET circuit_error_code = NULL, circuit_failures = 0, "
            "circuit_open_until = NULL WHERE id = %s",
            failing,
        )
        requests.post(link, json=_body(1), timeout=60)
        time.sleep(3)
    else:
        settle(shop, 300)


def _body(number: int) -> dict:
    return {"event": "order.change_order_status", "context": {"id": number + 1, "status_id": 1}}


def _latency(shop: Shop, account: int, link: str) -> float:
    """Return the seconds from the webhook until the order exists in Odoo."""
    number = shop.keycrm.create_order(
        webhook=False,
        buyer={"full_name": "Buyer", "phone": "+380671112233"},
        lines=[{"offer_id": offer, "quantity": 1} for offer in (1, 2, 3)],
    )["id"]
    begun = time.monotonic()
    body = {"event": "order.change_order_status", "context": {"id": number, "status_id": 1}}
    requests.post(link, json=body, timeout=60)
    statement = "SELECT 1 FROM sale_order WHERE keycrm_account_id = %s AND keycrm_id = %s"
    wait_for(lambda: shop.sql(statement, account, number), 120, "the order", every=0.005)
    taken = time.monotonic() - begun
    time.sleep(0.3)
    return taken
