"""Eight users validate pickings of the same products at the same time, with and without the addon."""

from __future__ import annotations

import math
import re
import statistics
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from xmlrpc.client import Fault

from tools.odoo_server import OdooServer
from tools.rpc import Rpc

from ..measure import alternate, median, seconds
from ..results import Row
from ..steps import catalogue, match_warehouse, settle
from ..world import Shop, World

USERS, PICKINGS, LINES, PAIRS = 8, 4, 10, 24
#: Seconds between making the receipts and validating them, as long as our side needs to come to rest.
REST = 0.3
#: What Odoo logs when it repeats a request after a serialization failure. The pause before is drawn by
#: lot, from nothing up to two seconds and more: most of the time of a picking that clashed, and none of
#: the work.
_AGAIN = re.compile(r"tries left, try again in ([\d.]+) sec")
_STATEMENT = re.compile(
    r"bad query: .{0,4}\s*(SELECT|UPDATE|INSERT INTO|DELETE FROM)[^\n]*?\"?(stock_\w+|ir_\w+|keycrm_\w+)"
)


def run(world: World) -> Iterator[Row]:
    """Each user validates a few receipts; the time is the users' own, without the pauses drawn by lot."""
    bare = world.odoo(world.database(addon=False))
    # KeyCRM's limit holds, as for everybody: it is what keeps the sender from running after each picking.
    shop = world.shop(sandbox={"offers": LINES}, account={"request_limit": 60})
    bare_side, our_side = _Side(bare), _Side(shop.odoo, _known_to_keycrm(shop))

    def ours() -> float:
        our_side.prepare()
        settle(shop)
        taken = our_side.validate()
        settle(shop)
        return taken

    def floor() -> float:
        bare_side.prepare()
        time.sleep(REST)
        return bare_side.validate()

    pairs = alternate(ours, floor, world.sized(PAIRS, 2), warm_up=1)
    failures, base = our_side.failures, bare_side.failures
    yield Row(
        key="users",
        what=f"{USERS} users validating pickings of the same {LINES} products",
        floor=f"{_each(pairs.floor)} a picking, {base} repeated requests",
        ours=f"{_each(pairs.ours)} a picking, {failures} repeated requests",
        ratio=pairs.ratio,
        goal="no more serialization failures, ≤ +3 % time",
        reached=failures - base <= _chance(our_side, bare_side) and pairs.ratio <= 1.03,
        samples=f"{len(pairs.ours)} pairs of {USERS * PICKINGS} pickings, "
        f"repeats differ by {_chance(our_side, bare_side):.0f} by chance",
        details={
            "pair_ratios_middle_half": pairs.spread,
            "until_the_last_is_through": {
                "floor": median(bare_side.until_through),
                "ours": median(our_side.until_through),
            },
            "of_our_tables": our_side.of_ours,
            "clashes": {"floor": bare_side.clashes, "ours": our_side.clashes},
            "repeated_each_time": {"floor": bare_side.repeated, "ours": our_side.repeated},
            "two_standard_errors": _chance(our_side, bare_side),
        },
    )


def _known_to_keycrm(shop: Shop) -> list[int]:
    """:return: products whose stock is sent"""
    catalogue(shop)
    match_warehouse(shop.rpc, shop.account)
    products = [product for (product,) in shop.sql("SELECT product_id FROM keycrm_offer")]
    shop.floor("count_products", products, 10)
    return products


def _chance(ours: _Side, floor: _Side) -> float:
    """By how many repeats the two may differ by chance: two standard errors of the difference."""
    spread = statistics.pvariance(ours.repeated) + statistics.pvariance(floor.repeated)
    return 2 * math.sqrt(spread * len(ours.repeated))


def _each(samples: list[float]) -> str:
    return seconds(median(samples) / (USERS * PICKINGS))


class _Side:
    """Eight users of one Odoo."""

    def __init__(self, odoo: OdooServer, products: list[int] | None = None) -> None:
        self._odoo = odoo
        self._users = [odoo.rpc() for _ in range(USERS)]
        self._products = products or self._users[0].call(
            "bench.floor", "make_products", LINES, "BENCH", 10
        )
        self._pickings: list[list[int]] = []
        self._from = len(odoo.log_text())
        self.until_through: list[float] = []
        self.repeated: list[int] = []

    def prepare(self) -> None:
        """Make the receipts, one after another."""
        rpc = self._users[0]
        self._pickings = [
            [rpc.call("bench.floor", "make_receipt", self._products) for _ in range(PICKINGS)]
            for _ in range(USERS)
        ]
        rpc.call("bench.floor", "merge_quants")

    def validate(self) -> float:
        """Let all users press "Validate".

        :return: seconds that all users waited together, without Odoo's pauses before it repeats
        """
        waited = [0.0] * USERS
        paused = self._pauses()

        def user(number: int) -> None:
            begun = time.monotonic()
            for picking in self._pickings[number]:
                self._press(self._users[number], picking)
            waited[number] = time.monotonic() - begun

        before = self.failures
        with ThreadPoolExecutor(USERS) as pool:
            list(pool.map(user, range(USERS)))
        self.until_through.append(max(waited))
        self.repeated.append(self.failures - before)
        return sum(waited) - (self._pauses() - paused)

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

    def _pauses(self) -> float:
        return sum(map(float, _AGAIN.findall(self._log())))

    def _log(self) -> str:
        return self._odoo.log_text()[self._from :]

    @property
    def failures(self) -> int:
        """Requests that Odoo repeated so far."""
        return len(_AGAIN.findall(self._log()))

    @property
    def clashes(self) -> dict[str, int]:
        """Failed statements by what they did to which table."""
        return dict(Counter(" ".join(found) for found in _STATEMENT.findall(self._log())))

    @property
    def of_ours(self) -> int:
        """Failed statements that name a table of the addon."""
        return sum("bad query" in line and "keycrm" in line for line in self._log().splitlines())
