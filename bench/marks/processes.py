"""Eight accounts with a backlog: one Odoo process, and two on the same database."""

from __future__ import annotations

import time
from collections.abc import Iterator

import psutil

from tools.waiting import wait_for

from ..measure import median
from ..results import Row
from ..steps import QUOTATION, settle, span, synchronise
from ..world import Shop, World

ACCOUNTS, TURN, PAIRS = 8, 100, 3


def run(world: World) -> Iterator[Row]:
    """Synchronise the same number of orders for all accounts, with one process and with two.

    Each account belongs to a company of its own, as those of an agency's clients do; accounts of one
    company make contacts and products one at a time.
    """
    count = world.sized(TURN, 10)
    total = count * (2 * PAIRS + 1)
    shop = world.shop(sandbox={"offers": 200, "created_filter": "created_at"})
    shop.keycrm.clear_webhooks()
    shop.keycrm.seed(orders=total, lines=3, buyers=total, status_ids=[QUOTATION])
    accounts = _accounts(world, shop)
    second = world.odoo(shop.odoo.database)
    second.stop()
    rates: dict[int, list[float]] = {1: [], 2: []}
    busy: dict[int, list[float]] = {1: [], 2: []}
    place = 0
    # One account after another: tags and campaigns, which all companies share, are new in this turn.
    for account in accounts:
        _turn(shop, [account], place, count, total)
    for pair in range(PAIRS):
        for processes in (1, 2) if pair % 2 == 0 else (2, 1):
            place += 1
            if processes == 2:
                second.start()
            psutil.cpu_percent()
            rates[processes].append(_turn(shop, accounts, place, count, total))
            busy[processes].append(psutil.cpu_percent())
            if processes == 2:
                second.stop()
    # Two processes can give no more than what one left of the machine's cores.
    one, two = (median(busy[processes]) for processes in (1, 2))
    ratio = median([b / a for a, b in zip(rates[1], rates[2], strict=True)])
    yield Row(
        key="processes",
        what=f"{ACCOUNTS} accounts with a backlog, two Odoo processes",
        floor=f"{median(rates[1]):.0f} orders/s by one process, all cores {one:.0f} % busy",
        ours=f"{median(rates[2]):.0f} orders/s, all cores {two:.0f} % busy",
        ratio=ratio,
        goal="≥ 1.7 × orders/s",
        reached=ratio >= 1.7,
        samples=f"{PAIRS} pairs of {ACCOUNTS * count}",
        details={"one": rates[1], "two": rates[2]},
    )


def _accounts(world: World, shop: Shop) -> list[int]:
    currency = shop.rpc.read("res.company", 1, "currency_id")["currency_id"][0]
    made = [shop.account]
    for number in range(1, ACCOUNTS):
        company = shop.rpc.create("res.company", name=f"Company {number}", currency_id=currency)
        # Odoo makes a warehouse for the first company alone.
        shop.rpc.create(
            "stock.warehouse", name=f"Company {number}", code=f"C{number}", company_id=company
        )
        key = f"key-of-shop-{number}"
        shop.keycrm.add_key(key)
        account, _link = world.account(
            shop.odoo, shop.rpc, shop.sandbox, api_key=key, company_id=company
        )
        made.append(account)
    shop.keycrm.clear_webhooks()
    return made


def _turn(shop: Shop, accounts: list[int], place: int, count: int, total: int) -> float:
    """:return: orders a second of all accounts together"""
    settle(shop, 300)
    before = shop.one("SELECT count(*) FROM sale_order")
    begun = time.monotonic()
    for account in accounts:
        side = Shop(shop.world, shop.odoo, shop.rpc, shop.sandbox, account, "")
        synchronise(side, [QUOTATION], span(place * count, count, total))
    wait_for(
        lambda: not shop.one("SELECT count(*) FROM keycrm_order_sync WHERE state = 'running'"),
        1800,
        "all synchronisations",
        0.1,
    )
    taken = time.monotonic() - begun
    failed = shop.one("SELECT sum(failed_count) FROM keycrm_order_sync")
    if failed > len(accounts) * count / 100:
        raise AssertionError(f"{failed} orders could not be written")
    return (shop.one("SELECT count(*) FROM sale_order") - before) / taken
