"""Eight users validate pickings of the same products, with and without the addon.

Each user waits a random think time before each picking, equal on both sides of a pair.
"""

from __future__ import annotations

import math
import random
import re
import statistics
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from xmlrpc.client import Fault

from tools.odoo_server import OdooServer
from tools.rpc import Rpc

from ..environment import Environment, Shop
from ..measure import Pairs, alternate, median, seconds
from ..results import Row
from ..steps import catalog, match_warehouse, processor, settle

USERS, PICKINGS, LINES = 8, 8, 10
SIZE = USERS * PICKINGS
IN_STOCK = 10
#: Fields of imported products that Odoo reads when goods move.
VALUES = (
    "name",
    "default_code",
    "barcode",
    "list_price",
    "standard_price",
    "weight",
    "company_id",
)
#: Processes started, and pairs per process. Rounds of one process are alike (a thread keeps its position),
#: so chance shows between processes, not between rounds.
PROCESSES, A_PROCESS = 6, 4
#: Maximum think time in seconds: long enough that users are out of step, short enough that every third
#: picking still conflicts with another one.
THINK = 2.0
#: Seconds between creating and validating receipts, in which the addon finishes its work.
IDLE_SECONDS = 0.3
#: Odoo's log line for a request retried after a serialization failure. The random pause before the retry,
#: up to two seconds and more, is most of the time of such a picking and none of the work.
_RETRY = re.compile(r"tries left, try again in ([\d.]+) sec")
_STATEMENT = re.compile(
    r"bad query: .{0,4}\s*(SELECT|UPDATE|INSERT INTO|DELETE FROM)[^\n]*?\"?(stock_\w+|ir_\w+|keycrm_\w+)"
)


def run(environment: Environment) -> Iterator[Row]:
    """Let each user validate a few receipts; measure the wait without Odoo's pauses."""
    pairs, our_side, bare_side = _measure(environment)
    by_chance = _chance(our_side, bare_side)
    few = our_side.failures - bare_side.failures <= by_chance
    yield Row(
        key="users",
        what=f"{USERS} users validating pickings of the same {LINES} products",
        baseline=bare_side.summary(pairs.baseline),
        ours=our_side.summary(pairs.ours),
        ratio=pairs.ratio,
        goal="no more serialization failures, ≤ +3 % time",
        reached=few and pairs.ratio <= 1.03,
        samples=f"{len(pairs.ours)} pairs of {SIZE} pickings, "
        f"repeats differ by {by_chance:.0f} by chance",
        details=_details(pairs, our_side, bare_side),
    )


def _measure(environment: Environment) -> tuple[Pairs, Side, Side]:
    """Alternate between the users of two Odoo processes, one with the addon.

    :return: the waits, the side with the addon, and the bare one
    """
    bare = environment.odoo(environment.database(addon=False))
    # KeyCRM's rate limit is on: it keeps the stock worker from running after each picking.
    shop = environment.shop(sandbox={"offers": LINES}, account={"request_limit": 60})
    products = _exported_products(shop)
    our_side = Side(shop.odoo, products)
    bare_side = Side(bare, _equal_products(shop, bare, products))

    def ours() -> float:
        our_side.prepare()
        settle(shop)
        time.sleep(IDLE_SECONDS)
        return our_side.validate()

    def baseline() -> float:
        # The same pause between creating and validating the receipts.
        bare_side.prepare()
        time.sleep(IDLE_SECONDS)
        return bare_side.validate()

    found = Pairs()
    for number in range(environment.sized(PROCESSES, 2)):
        for side in (our_side, bare_side):
            if number:
                side.restart()
        pairs = alternate(ours, baseline, A_PROCESS, warm_up=1)
        for side in (our_side, bare_side):
            del side.rounds[-A_PROCESS - 1]
        found.ours += pairs.ours
        found.baseline += pairs.baseline
    return found, our_side, bare_side


def _details(pairs: Pairs, ours: Side, baseline: Side) -> dict[str, Any]:
    """Return all further figures."""
    sides = {"baseline": baseline, "ours": ours}
    return {
        "pair_ratios_middle_half": pairs.spread,
        "until_the_last_is_through": {
            name: median([one.until_through for one in side.rounds]) for name, side in sides.items()
        },
        "of_our_tables": ours.of_ours,
        "clashes": {name: side.clashes for name, side in sides.items()},
        "repeated_each_time": {
            name: [one.repeated for one in side.rounds] for name, side in sides.items()
        },
        "two_standard_errors": _chance(ours, baseline),
        "processor_seconds_a_try": {name: side.processor_a_try for name, side in sides.items()},
    }


def _exported_products(shop: Shop) -> list[int]:
    """Return the products whose stock is exported."""
    catalog(shop)
    match_warehouse(shop.rpc, shop.account)
    products = [product for (product,) in shop.sql("SELECT product_id FROM keycrm_offer")]
    shop.bench("count_products", products, IN_STOCK)
    return products


def _equal_products(shop: Shop, bare: OdooServer, products: list[int]) -> list[int]:
    """Create equal products on the bare side: with a company Odoo checks more."""
    values = shop.rpc.rows("product.product", ("id", "in", products), fields=list(VALUES), load="")
    for one in values:
        del one["id"]
    return bare.rpc().call("bench.baseline", "make_products_like", values, IN_STOCK)


def _chance(ours: Side, baseline: Side) -> float:
    """Return two standard errors of the difference of repeats between processes."""
    differences = [a - b for a, b in zip(ours.by_process, baseline.by_process, strict=True)]
    return 2 * math.sqrt(len(differences)) * statistics.stdev(differences)


@dataclass(frozen=True, slots=True)
class Round:
    """One round, in which each user validates a few receipts.

    :param until_through: seconds until the last one was done
    :param processor: processor seconds of Odoo's process
    :param log: Odoo's log of the round
    """

    until_through: float
    processor: float
    log: str

    @property
    def repeated(self) -> int:
        """Return the number of requests that Odoo retried."""
        return len(_RETRY.findall(self.log))

    @property
    def paused(self) -> float:
        """Return the seconds that Odoo paused before retries."""
        return sum(map(float, _RETRY.findall(self.log)))


class Side:
    """Eight users of one Odoo process.

    :param odoo: the process
    :param products: the received products
    """

    def __init__(self, odoo: OdooServer, products: list[int]) -> None:
        self.rounds: list[Round] = []
        self._odoo = odoo
        self._users = [odoo.rpc() for _ in range(USERS)]
        self._products = products
        self._pickings: list[list[int]] = []

    def restart(self) -> None:
        """Restart Odoo on the same data."""
        self._odoo.restart()
        self._users = [self._odoo.rpc() for _ in range(USERS)]

    def prepare(self) -> None:
        """Create the receipts of all users."""
        call = self._users[0].call
        made = call("bench.baseline", "make_receipts", self._products, 1, SIZE)
        self._pickings = [made[number::USERS] for number in range(USERS)]
        call("bench.baseline", "merge_quants")

    def validate(self) -> float:
        """Let all users click "Validate".

        :return: total wait of all users in seconds, without Odoo's pauses before retries
        """
        logged, number_of_round = len(self._odoo.log_text()), len(self.rounds)

        def user(number: int) -> float:
            # Equal random numbers on both sides of a pair.
            chance, waited = random.Random(f"{number_of_round} {number}"), 0.0
            for picking in self._pickings[number]:
                time.sleep(chance.uniform(0, THINK))
                clicked = time.monotonic()
                self._click(self._users[number], picking)
                waited += time.monotonic() - clicked
            return waited

        begun, worked = time.monotonic(), processor(self._odoo.pid)
        with ThreadPoolExecutor(USERS) as pool:
            waited = sum(pool.map(user, range(USERS)))
        one = Round(
            time.monotonic() - begun,
            processor(self._odoo.pid) - worked,
            self._odoo.log_text()[logged:],
        )
        self.rounds.append(one)
        return waited - one.paused

    def summary(self, samples: list[float]) -> str:
        """Return the figures as text."""
        each = seconds(median(samples) / SIZE)
        return f"{each} a picking, {self.failures} repeated requests"

    @staticmethod
    def _click(rpc: Rpc, picking: int) -> None:
        """Click "Validate" until it succeeds: Odoo limits its retries, a user does not."""
        while True:
            try:
                rpc.call("stock.picking", "button_validate", [picking])
            except Fault as fault:
                if "could not serialize" not in fault.faultString:
                    raise
            else:
                return

    @property
    def failures(self) -> int:
        """Return the number of requests that Odoo retried."""
        return sum(one.repeated for one in self.rounds)

    @property
    def by_process(self) -> list[int]:
        """Return the requests that each process retried."""
        repeats = [one.repeated for one in self.rounds]
        return [sum(repeats[at : at + A_PROCESS]) for at in range(0, len(repeats), A_PROCESS)]

    @property
    def processor_a_try(self) -> float:
        """Return the processor seconds of one attempt, background work included."""
        tries = len(self.rounds) * SIZE + self.failures
        return sum(one.processor for one in self.rounds) / tries

    @property
    def clashes(self) -> dict[str, int]:
        """Count failed statements by operation and table."""
        return dict(Counter(" ".join(found) for found in _STATEMENT.findall(self._log)))

    @property
    def of_ours(self) -> int:
        """Count failed statements that name a table of the addon."""
        return sum("bad query" in line and "keycrm" in line for line in self._log.splitlines())

    @property
    def _log(self) -> str:
        return "".join(one.log for one in self.rounds)
