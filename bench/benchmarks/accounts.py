"""Twenty accounts on one Odoo, one of which times out: what the nineteen others feel of it."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator

import requests

from tools.waiting import wait_for

from ..environment import Environment, Shop
from ..measure import Pairs, median, p95, seconds
from ..results import Row
from ..steps import catalog, settle

ACCOUNTS, ROUNDS, A_ROUND = 19, 4, 25


def run(world: Environment) -> Iterator[Row]:
    """Let orders come to the nineteen in turns while the twentieth is switched off, and is ill."""
    shop = world.shop(
        odoo={"cron_threads": 4},
        sandbox={"offers": 30},
        account={"poll_minutes": 1000},
    )
    links = {shop.account: shop.link}
    for number in range(1, ACCOUNTS):
        key = f"key-of-shop-{number}"
        shop.keycrm.add_key(key)
        account, link = world.account(
            shop.odoo, shop.rpc, shop.sandbox, api_key=key, poll_minutes=1000
        )
        links[account] = link
    shop.keycrm.clear_webhooks()
    ill_keycrm = world.sandbox()
    ill, ill_link = world.account(shop.odoo, shop.rpc, ill_keycrm)
    ill_keycrm.control.add_fault("delay", seconds=35, times=None)
    catalog(shop)
    turns = itertools.cycle(links.items())
    for _ in range(ACCOUNTS):
        _latency(shop, *next(turns))
    pairs = Pairs()
    for place in range(2 * world.sized(ROUNDS)):
        # well, ill, ill, well, …
        is_ill = place % 4 in (1, 2)
        _set_ill(shop, ill, ill_link, is_ill)
        samples = pairs.ours if is_ill else pairs.floor
        for _ in range(world.sized(A_ROUND, 8)):
            if is_ill:
                # Every order of its KeyCRM is told too; nothing of it can be read.
                requests.post(ill_link, json=_body(place), timeout=60)
            samples.append(_latency(shop, *next(turns)))
    middle = median(pairs.ours) / median(pairs.floor)
    late = p95(pairs.ours) / p95(pairs.floor)
    yield Row(
        key="accounts",
        what=f"order visible for {ACCOUNTS} accounts while one more times out, 4 cron threads",
        floor=f"p50 {seconds(median(pairs.floor))}, p95 {seconds(p95(pairs.floor))}",
        ours=f"p50 {seconds(median(pairs.ours))}, p95 {seconds(p95(pairs.ours))}",
        ratio=middle,
        goal="≤ 1.1 ×",
        reached=middle <= 1.1 and late <= 1.1,
        samples=f"{len(pairs.ours)} each, in {2 * world.sized(ROUNDS)} rounds",
        details={"ratio_p95": late},
    )


def _set_ill(shop: Shop, ill: int, link: str, on: bool) -> None:
    shop.rpc.write("keycrm.account", ill, enabled=on)
    if on:
        # As if it had fallen ill a moment ago: the first, shortest pause.
        shop.sql(
            "UPDATE keycrm_account SET trouble_code = NULL, trouble_count = 0, "
            "trouble_until = NULL WHERE id = %s",
            ill,
        )
        requests.post(link, json=_body(1), timeout=60)
        time.sleep(3)
    else:
        settle(shop, 300)


def _body(number: int) -> dict:
    return {"event": "order.change_order_status", "context": {"id": number + 1, "status_id": 1}}


def _latency(shop: Shop, account: int, link: str) -> float:
    """:return: seconds from the webhook until the order stands in Odoo"""
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
