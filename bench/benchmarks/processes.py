"""Eight accounts with a backlog: one Odoo process, and two on the same database."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import psutil

from tools.waiting import wait_for

from ..environment import Environment, Shop
from ..measure import median, seconds
from ..results import Row
from ..steps import QUOTATION, processor, settle, span, synchronize

ACCOUNTS, TURN, PAIRS = 8, 200, 3
#: Threads for scheduled actions of two processes. Measured only while each has a backlog: the time of
#: the last accounts alone depends on chance.
THREADS = 4
#: Assumed seconds of a list of fifty orders over the internet. The sandbox answers immediately from the
#: same machine.
LATENCY = 0.5


def run(environment: Environment) -> Iterator[Row]:
    """Synchronize equal backlogs of all accounts with one process and with two.

    Each account has its own company, like the clients of an agency; accounts of one company create
    contacts and products one at a time.

    Two processes cannot use more than the cores that one left idle. The processor time per order shows
    whether they slow each other down.
    """
    backlogs = _Backlogs(environment)
    yield _row(backlogs, "processes", "")
    backlogs.delay_keycrm(LATENCY)
    yield _row(backlogs, "processes.far", f", KeyCRM {LATENCY:g} s away")


def _row(backlogs: _Backlogs, key: str, where: str) -> Row:
    turns: dict[int, list[_Turn]] = {1: [], 2: []}
    for pair in range(PAIRS):
        for processes in (1, 2) if pair % 2 == 0 else (2, 1):
            turns[processes].append(backlogs.turn(processes))
    ratio = median([two.rate / one.rate for one, two in zip(turns[1], turns[2], strict=True)])
    return Row(
        key=key,
        what=f"{ACCOUNTS} accounts with a backlog, two Odoo processes{where}",
        baseline=f"{_summary(turns[1])}, by one process",
        ours=_summary(turns[2]),
        ratio=ratio,
        goal="≥ 1.7 × orders/s",
        reached=ratio >= 1.7,
        samples=f"{PAIRS} pairs of {ACCOUNTS * backlogs.count}",
        details={
            name: [turn.rate for turn in turns[processes]]
            for name, processes in (("one", 1), ("two", 2))
        },
    )


@dataclass(frozen=True, slots=True)
class _Turn:
    """Figures of one turn in which all accounts had a backlog.

    :param rate: orders a second of all of them together
    :param cost: processor seconds of Odoo's processes per order
    :param busy: use of all cores in percent
    """

    rate: float
    cost: float
    busy: float


def _summary(turns: list[_Turn]) -> str:
    """Return the medians as text."""
    rate, cost, busy = (
        median([getattr(turn, name) for turn in turns]) for name in ("rate", "cost", "busy")
    )
    return f"{rate:.0f} orders/s, {seconds(cost)} of Odoo's processor each, all cores {busy:.0f} % busy"


class _Backlogs:
    """Orders in KeyCRM for each account; each turn imports the same number."""

    def __init__(self, environment: Environment) -> None:
        self.count = environment.sized(TURN, 10)
        self._total = self.count * (4 * PAIRS + 1)
        self._shop = environment.shop(sandbox={"offers": 200, "created_filter": "created_at"})
        self._shop.keycrm.clear_webhooks()
        self._shop.keycrm.seed(
            orders=self._total, lines=3, buyers=self._total, status_ids=[QUOTATION]
        )
        self._accounts = _accounts(self._shop)
        self._second = environment.odoo(self._shop.odoo.database)
        self._second.stop()
        self._place = 0
        # One after another: all companies share tags and campaigns, which are new in this turn.
        for account in self._accounts:
            settle(self._shop, 300)
            self._begin([account])
            self._wait_until_fewer_run_than(1)

    def delay_keycrm(self, seconds: float) -> None:
        """Delay each answer of KeyCRM."""
        self._shop.keycrm.add_fault("delay", seconds=seconds, times=None)

    def turn(self, processes: int) -> _Turn:
        """Import the next orders of all accounts.

        :param processes: one or two
        :return: its figures
        """
        self._place += 1
        if processes == 2:
            self._second.start()
        settle(self._shop, 300)
        before, worked = self._orders(), self._processor(processes)
        psutil.cpu_percent()
        begun = time.monotonic()
        self._begin(self._accounts)
        self._wait_until_fewer_run_than(THREADS)
        taken, busy = time.monotonic() - begun, psutil.cpu_percent()
        made, worked = self._orders() - before, self._processor(processes) - worked
        self._wait_until_fewer_run_than(1)
        if processes == 2:
            self._second.stop()
        failed = self._shop.one("SELECT sum(failed_count) FROM keycrm_order_sync")
        if failed > ACCOUNTS * self.count / 100:
            raise AssertionError(f"{failed} orders could not be written")
        return _Turn(made / taken, worked / made, busy)

    def _begin(self, accounts: list[int]) -> None:
        shop = self._shop
        for account in accounts:
            side = Shop(shop.environment, shop.odoo, shop.rpc, shop.sandbox, account, "")
            first = self._place * self.count
            synchronize(side, [QUOTATION], span(first, self.count, self._total))

    def _orders(self) -> int:
        return self._shop.one("SELECT count(*) FROM sale_order")

    def _processor(self, processes: int) -> float:
        servers = (self._shop.odoo, self._second)[:processes]
        return sum(processor(server.pid) for server in servers)

    def _wait_until_fewer_run_than(self, number: int) -> None:
        running = "SELECT count(*) FROM keycrm_order_sync WHERE state = 'running'"
        wait_for(
            lambda: self._shop.one(running) < number, 1800, f"fewer than {number} backlogs", 0.1
        )


def _accounts(shop: Shop) -> list[int]:
    currency = shop.rpc.read("res.company", 1, "currency_id")["currency_id"][0]
    made = [shop.account]
    for number in range(1, ACCOUNTS):
        company = shop.rpc.create("res.company", name=f"Company {number}", currency_id=currency)
        # Odoo creates a warehouse for the first company only.
        shop.rpc.create(
            "stock.warehouse", name=f"Company {number}", code=f"C{number}", company_id=company
        )
        account, _link = shop.further_account(number, company_id=company)
        made.append(account)
    shop.keycrm.clear_webhooks()
    return made
