"""Processor time of idle accounts: each queue of each account polls once a minute."""

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
#: Seconds of measurement: with the addon one polling interval, so that each account requests once.
OURS, BASELINE = 300, 120


def run(environment: Environment) -> Iterator[Row]:
    """Measure Odoo's process while idle accounts are enabled, and while disabled."""
    shop = environment.shop(sandbox={"offers": 30})
    links = {shop.account: shop.link}
    for number in range(1, ACCOUNTS):
        account, link = shop.further_account(number)
        links[account] = link
    shop.keycrm.clear_webhooks()
    catalog(shop)
    _connect(shop, links)
    duration = environment.sized(OURS, 60)
    ours = _each(shop, duration)
    shop.rpc.call("keycrm.account", "write", list(links), {"enabled": False})
    baseline = _each(shop, environment.sized(BASELINE, 60))
    yield Row(
        key="quiet",
        what=f"{ACCOUNTS} accounts to which nothing happens: one empty run of a scheduled action",
        baseline=f"{seconds(baseline)} of processor (accounts switched off)",
        ours=f"{seconds(ours)} of processor",
        ratio=ours / baseline,
        goal="–",
        reached=None,
        samples=f"{2 * ACCOUNTS * duration // 60} runs",
        details={"of_a_core_for_a_hundred_accounts": ours * 200 / 60},
    )


def _connect(shop: Shop, links: dict[int, str]) -> None:
    """Send one webhook to each: an account that never received one polls every minute."""
    number = shop.keycrm.create_order(
        webhook=False, lines=[{"offer_id": 1, "quantity": 1}], buyer={"full_name": "Buyer"}
    )["id"]
    body = {"event": "order.change_order_status", "context": {"id": number, "status_id": 1}}
    for link in links.values():
        requests.post(link, json=body, timeout=60)
    statement = "SELECT count(*) FROM sale_order WHERE keycrm_id = %s"
    wait_for(lambda: shop.one(statement, number) == len(links), 300, "the orders", 0.5)


def _each(shop: Shop, duration: int) -> float:
    """Return the processor seconds of one poll; each action polls once a minute."""
    settle(shop, 300)
    before = processor(shop.odoo.pid)
    time.sleep(duration)
    return (processor(shop.odoo.pid) - before) / (2 * ACCOUNTS * duration / 60)
