"""Eight accounts with a backlog: one Odoo process, and two on the same database."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack

import psutil

from tools.waiting import wait_for

from ..measure import held, median
from ..results import Row
from ..steps import QUOTATION, settle, span, synchronise
from ..world import Shop, World

ACCOUNTS, TURN, PAIRS = 8, 100, 3
#: Of the time, in which processes run that are held: so that two of them, the database and the other side
#: leave a machine of two cores something over.
SHARE = 0.5


def run(world: World) -> Iterator[Row]:
    """Synchronise the same number of orders for all accounts, with one process and with two.

    Each account belongs to a company of its own, as those of an agency's clients do; accounts of one
    company make contacts and products one at a time.

    Two processes can give no more than what one leaves of the machine's cores. So it is done once more
    with processes that are held, as on a machine of slower cores, of which there are enough then.
    """
    backlogs = _Backlogs(world)
    yield _row(backlogs, "processes", 1.0)
    yield _row(backlogs, "processes.held", SHARE)


def _row(backlogs: _Backlogs, key: str, share: float) -> Row:
    rates: dict[int, list[float]] = {1: [], 2: []}
    busy: dict[int, list[float]] = {1: [], 2: []}
    for pair in range(PAIRS):
        for processes in (1, 2) if pair % 2 == 0 else (2, 1):
            rate, load = backlogs.turn(processes, share)
            rates[processes].append(rate)
            busy[processes].append(load)
    one, two = (median(busy[processes]) for processes in (1, 2))
    ratio = median([b / a for a, b in zip(rates[1], rates[2], strict=True)])
    return Row(
        key=key,
        what=f"{ACCOUNTS} accounts with a backlog, two Odoo processes"
        + (f" that each run {share:.0%} of the time" if share < 1 else ""),
        floor=f"{median(rates[1]):.0f} orders/s by one process, all cores {one:.0f} % busy",
        ours=f"{median(rates[2]):.0f} orders/s, all cores {two:.0f} % busy",
        ratio=ratio,
        goal="≥ 1.7 × orders/s",
        reached=ratio >= 1.7,
        samples=f"{PAIRS} pairs of {ACCOUNTS * backlogs.count}",
        details={"one": rates[1], "two": rates[2]},
    )


class _Backlogs:
    """Orders that wait in KeyCRM for each account; each turn takes the same number of new ones."""

    def __init__(self, world: World) -> None:
        self.count = world.sized(TURN, 10)
        self._total = self.count * (4 * PAIRS + 1)
        self._shop = world.shop(sandbox={"offers": 200, "created_filter": "created_at"})
        self._shop.keycrm.clear_webhooks()
        self._shop.keycrm.seed(
            orders=self._total, lines=3, buyers=self._total, status_ids=[QUOTATION]
        )
        self._accounts = _accounts(world, self._shop)
        self._second = world.odoo(self._shop.odoo.database)
        self._second.stop()
        self._place = 0
        # One account after another: tags and campaigns, which all companies share, are new in this turn.
        for account in self._accounts:
            self._synchronise([account])

    def turn(self, processes: int, share: float) -> tuple[float, float]:
        """Let all accounts take their next orders.

        :param processes: one or two
        :param share: of the time, in which each of them runs
        :return: orders a second of all accounts together; how busy all cores were, in percent
        """
        self._place += 1
        with ExitStack() as stack:
            servers = [self._shop.odoo]
            if processes == 2:
                servers.append(self._second.start())
                stack.callback(self._second.stop)
            if share < 1:
                for server in servers:
                    stack.enter_context(held(server, share))
            return self._synchronise(self._accounts)

    def _synchronise(self, accounts: list[int]) -> tuple[float, float]:
        shop = self._shop
        settle(shop, 300)
        before = shop.one("SELECT count(*) FROM sale_order")
        psutil.cpu_percent()
        begun = time.monotonic()
        for account in accounts:
            side = Shop(shop.world, shop.odoo, shop.rpc, shop.sandbox, account, "")
            first = self._place * self.count
            synchronise(side, [QUOTATION], span(first, self.count, self._total))
        wait_for(
            lambda: not shop.one("SELECT count(*) FROM keycrm_order_sync WHERE state = 'running'"),
            1800,
            "all synchronisations",
            0.1,
        )
        taken, busy = time.monotonic() - begun, psutil.cpu_percent()
        failed = shop.one("SELECT sum(failed_count) FROM keycrm_order_sync")
        if failed > len(accounts) * self.count / 100:
            raise AssertionError(f"{failed} orders could not be written")
        return (shop.one("SELECT count(*) FROM sale_order") - before) / taken, busy


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
