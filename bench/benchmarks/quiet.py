"""What accounts cost to which nothing happens: each looks by itself, once a minute in each queue."""

from __future__ import annotations

import time
from collections.abc import Iterator

import requests

from tools.waiting import wait_for

from ..environment import Environment, Shop
from ..measure import seconds
from ..results import Row
from ..steps import catalog, processor, settle

ACCOUNTS = 20
#: Seconds of watching: ours as long as the catch-up pauses, so that each account asks KeyCRM once.
OURS, FLOOR = 300, 120


def run(world: Environment) -> Iterator[Row]:
    """Watch Odoo's process while the accounts are on and nothing comes, and while they are off."""
    shop = world.shop(sandbox={"offers": 30})
    links = {shop.account: shop.link}
    for number in range(1, ACCOUNTS):
        key = f"key-of-shop-{number}"
        shop.keycrm.add_key(key)
        account, link = world.account(shop.odoo, shop.rpc, shop.sandbox, api_key=key)
        links[account] = link
    shop.keycrm.clear_webhooks()
    catalog(shop)
    _connect(shop, links)
    watched = world.sized(OURS, 60)
    ours = _each(shop, watched)
    shop.rpc.call("keycrm.account", "write", list(links), {"enabled": False})
    floor = _each(shop, world.sized(FLOOR, 60))
    yield Row(
        key="quiet",
        what=f"{ACCOUNTS} accounts to which nothing happens: one look of a scheduled action",
        floor=f"{seconds(floor)} of processor (accounts switched off)",
        ours=f"{seconds(ours)} of processor",
        ratio=ours / floor,
        goal="–",
        reached=None,
        samples=f"{2 * ACCOUNTS * watched // 60} looks",
        details={"of_a_core_for_a_hundred_accounts": ours * 200 / 60},
    )


def _connect(shop: Shop, links: dict[int, str]) -> None:
    """Let one webhook come to each: without any, KeyCRM is asked every minute."""
    number = shop.keycrm.create_order(
        webhook=False, lines=[{"offer_id": 1, "quantity": 1}], buyer={"full_name": "Buyer"}
    )["id"]
    body = {"event": "order.change_order_status", "context": {"id": number, "status_id": 1}}
    for link in links.values():
        requests.post(link, json=body, timeout=60)
    statement = "SELECT count(*) FROM sale_order WHERE keycrm_id = %s"
    wait_for(lambda: shop.one(statement, number) == len(links), 300, "the orders", 0.5)


def _each(shop: Shop, watched: int) -> float:
    """:return: seconds that the process works for one look; each action looks once a minute"""
    settle(shop, 300)
    before = processor(shop.odoo.pid)
    time.sleep(watched)
    return (processor(shop.odoo.pid) - before) / (2 * ACCOUNTS * watched / 60)
