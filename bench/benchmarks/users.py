"""Eight users validate pickings of the same products at the same time, with and without the addon.

Each thinks for a moment before each picking, drawn by lot, but the same on both sides of a pair. Those who
all press in the same millisecond measure something else, see ``programs``.
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
IN_STOCK = 10
#: What a product that came from KeyCRM has been given, and Odoo looks at when goods move.
VALUES = (
    "name",
    "default_code",
    "barcode",
    "list_price",
    "standard_price",
    "weight",
    "company_id",
)
#: Odoo is started anew so many times, for so many pairs each time. Rounds of one process are alike (a
#: thread keeps its place in line), so processes and not rounds tell what chance does.
PROCESSES, A_PROCESS = 6, 4
#: Users think for up to so many seconds before they press: enough to be out of step, and so little that
#: every third picking still clashes with another one.
THINK = 2.0
#: Seconds between making the receipts and validating them, as long as our side needs to come to rest.
REST = 0.3
#: What Odoo logs when it repeats a request after a serialization failure. The pause before is drawn by
#: lot, from nothing up to two seconds and more: most of the time of a picking that clashed, and none of
#: the work.
_AGAIN = re.compile(r"tries left, try again in ([\d.]+) sec")
_STATEMENT = re.compile(
    r"bad query: .{0,4}\s*(SELECT|UPDATE|INSERT INTO|DELETE FROM)[^\n]*?\"?(stock_\w+|ir_\w+|keycrm_\w+)"
)


def run(world: Environment) -> Iterator[Row]:
    """Each user validates a few receipts; the time is that of waiting, without the pauses drawn by lot."""
    pairs, our_side, bare_side = measure(world, PICKINGS, THINK)
    by_chance = chance(our_side, bare_side)
    few = our_side.failures - bare_side.failures <= by_chance
    yield Row(
        key="users",
        what=f"{USERS} users validating pickings of the same {LINES} products",
        floor=bare_side.told(pairs.floor),
        ours=our_side.told(pairs.ours),
        ratio=pairs.ratio,
        goal="no more serialization failures, ≤ +3 % time",
        reached=few and pairs.ratio <= 1.03,
        samples=samples(pairs, our_side, by_chance),
        details=details(pairs, our_side, bare_side),
    )


def samples(pairs: Pairs, side: Side, by_chance: float) -> str:
    """:return: how many there were, in words"""
    return (
        f"{len(pairs.ours)} pairs of {side.size} pickings, "
        f"repeats differ by {by_chance:.0f} by chance"
    )


def measure(world: Environment, pickings: int, think: float) -> tuple[Pairs, Side, Side]:
    """Let the users of two Odoos, one of them with the addon, work in turns.

    :param pickings: of each user in each round
    :param think: seconds at most before each picking
    :return: what they waited; ours and the bare one
    """
    bare = world.odoo(world.database(addon=False))
    # KeyCRM's limit holds, as for everybody: it is what keeps the sender from running after each picking.
    shop = world.shop(sandbox={"offers": LINES}, account={"request_limit": 60})
    products = _known_to_keycrm(shop)
    our_side = Side(shop.odoo, products, pickings, think)
    bare_side = Side(bare, _made_alike(shop, bare, products), pickings, think)

    def ours() -> float:
        our_side.prepare()
        settle(shop)
        time.sleep(REST)
        return our_side.validate()

    def floor() -> float:
        # With the same pause between making the receipts and validating them.
        bare_side.prepare()
        time.sleep(REST)
        return bare_side.validate()

    found = Pairs()
    for number in range(world.sized(PROCESSES, 2)):
        for side in (our_side, bare_side):
            if number:
                side.restart()
        pairs = alternate(ours, floor, A_PROCESS, warm_up=1)
        for side in (our_side, bare_side):
            del side.rounds[-A_PROCESS - 1]
        found.ours += pairs.ours
        found.floor += pairs.floor
    return found, our_side, bare_side


def details(pairs: Pairs, ours: Side, floor: Side) -> dict[str, Any]:
    """:return: all further figures"""
    sides = {"floor": floor, "ours": ours}
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
        "two_standard_errors": chance(ours, floor),
        "processor_seconds_a_try": {name: side.processor_a_try for name, side in sides.items()},
    }


def _known_to_keycrm(shop: Shop) -> list[int]:
    """:return: products whose stock is sent"""
    catalog(shop)
    match_warehouse(shop.rpc, shop.account)
    products = [product for (product,) in shop.sql("SELECT product_id FROM keycrm_offer")]
    shop.floor("count_products", products, IN_STOCK)
    return products


def _made_alike(shop: Shop, bare: OdooServer, products: list[int]) -> list[int]:
    """Make products with the same values on the other side: of one with a company Odoo checks more."""
    values = shop.rpc.rows("product.product", ("id", "in", products), fields=list(VALUES), load="")
    for one in values:
        del one["id"]
    return bare.rpc().call("bench.floor", "make_products_like", values, IN_STOCK)


def chance(ours: Side, floor: Side) -> float:
    """By how many repeats the two may differ by chance: two standard errors, from process to process."""
    differences = [a - b for a, b in zip(ours.by_process, floor.by_process, strict=True)]
    return 2 * math.sqrt(len(differences)) * statistics.stdev(differences)


@dataclass(frozen=True, slots=True)
class Round:
    """Each user has validated a few receipts.

    :param until_through: seconds until the last one was through
    :param processor: seconds that Odoo's process worked
    :param log: what Odoo logged meanwhile
    """

    until_through: float
    processor: float
    log: str

    @property
    def repeated(self) -> int:
        """Requests that Odoo repeated."""
        return len(_AGAIN.findall(self.log))

    @property
    def paused(self) -> float:
        """Seconds that Odoo paused before it repeated requests."""
        return sum(map(float, _AGAIN.findall(self.log)))


class Side:
    """Eight users of one Odoo.

    :param odoo: the process
    :param products: what is received
    :param pickings: of each user in each round
    :param think: seconds at most before each picking
    """

    def __init__(self, odoo: OdooServer, products: list[int], pickings: int, think: float) -> None:
        self.size = USERS * pickings
        self.rounds: list[Round] = []
        self._odoo = odoo
        self._think = think
        self._users = [odoo.rpc() for _ in range(USERS)]
        self._products = products
        self._pickings: list[list[int]] = []

    def restart(self) -> None:
        """Start Odoo anew on the same data."""
        self._odoo.restart()
        self._users = [self._odoo.rpc() for _ in range(USERS)]

    def prepare(self) -> None:
        """Make the receipts of all users."""
        call = self._users[0].call
        made = call("bench.floor", "make_receipts", self._products, 1, self.size)
        self._pickings = [made[number::USERS] for number in range(USERS)]
        call("bench.floor", "merge_quants")

    def validate(self) -> float:
        """Let all users press "Validate".

        :return: seconds that all users waited together, without Odoo's pauses before it repeats
        """
        logged, number_of_round = len(self._odoo.log_text()), len(self.rounds)

        def user(number: int) -> float:
            # Both sides of a pair draw the same.
            lot, waited = random.Random(f"{number_of_round} {number}"), 0.0
            for picking in self._pickings[number]:
                time.sleep(lot.uniform(0, self._think))
                pressed = time.monotonic()
                self._press(self._users[number], picking)
                waited += time.monotonic() - pressed
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

    def told(self, samples: list[float]) -> str:
        """:return: what it came to, in words"""
        each = seconds(median(samples) / self.size)
        return f"{each} a picking, {self.failures} repeated requests"

    @staticmethod
    def _press(rpc: Rpc, picking: int) -> None:
        """Press "Validate" until it is: Odoo gives up after a few tries, and the user does not."""
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
        """Requests that Odoo repeated."""
        return sum(one.repeated for one in self.rounds)

    @property
    def by_process(self) -> list[int]:
        """Requests that each process repeated."""
        told = [one.repeated for one in self.rounds]
        return [sum(told[at : at + A_PROCESS]) for at in range(0, len(told), A_PROCESS)]

    @property
    def processor_a_try(self) -> float:
        """Seconds that the process worked for one try of a picking, with all that goes on beside."""
        tries = len(self.rounds) * self.size + self.failures
        return sum(one.processor for one in self.rounds) / tries

    @property
    def clashes(self) -> dict[str, int]:
        """Failed statements by what they did to which table."""
        return dict(Counter(" ".join(found) for found in _STATEMENT.findall(self._log)))

    @property
    def of_ours(self) -> int:
        """Failed statements that name a table of the addon."""
        return sum("bad query" in line and "keycrm" in line for line in self._log.splitlines())

    @property
    def _log(self) -> str:
        return "".join(one.log for one in self.rounds)
