"""Expected quantities for the test of every sequence of events, by arithmetic alone.

One product, twenty on the shelf, one order of five in KeyCRM. Nothing here uses Odoo or the addon.
"""

import random
from collections import deque
from dataclasses import dataclass, replace
from functools import cache

NEW, PRODUCTION, DELIVERING, COMPLETED, CANCELLED = 1, 4, 6, 8, 12
#: Statuses in which an order comes to Odoo first.
FIRST = (NEW, PRODUCTION, DELIVERING, COMPLETED)
RESERVED, FULFILLED = "reserved", "fulfilled"
STRENGTH = (None, RESERVED, FULFILLED)

#: What happens in KeyCRM, and the status that the order gets by it.
STATUSES = {
    "new again": NEW,
    "reserves": PRODUCTION,
    "writes off": DELIVERING,
    "cancels": CANCELLED,
}
#: What happens in KeyCRM to the quantity.
QUANTITIES = {"shortens": 3, "lengthens": 5}
KEYCRM_STEPS = (*STATUSES, *QUANTITIES)
ODOO_STEPS = (
    "frees",
    "reserves for it",
    "ships part",
    "ships part, no backorder",
    "ships all",
    "takes one back",
    "sells to another",
    "cancels first",
)
STEPS = tuple(("KeyCRM", step) for step in KEYCRM_STEPS) + tuple(
    ("Odoo", step) for step in ODOO_STEPS
)


@dataclass(frozen=True)
class Account:
    """A kind of KeyCRM account, and what orders become in Odoo.

    :param reserves: orders from the status ``reserve_from`` on reserve goods
    :param writes_off: orders that are delivered write goods off
    :param confirms: orders become confirmed in Odoo; else they stay quotations
    :param reverts: a status before that one reverts it
    """

    reserves: bool
    writes_off: bool
    confirms: bool = True
    reserve_from: int = PRODUCTION
    reverts: bool = True


@dataclass(frozen=True)
class OrderState:
    """The order and its goods after some steps.

    :param shelf: on the shelf
    :param others: of it, reserved for another customer
    :param status: KeyCRM's status of the order
    :param ordered: what KeyCRM's line says
    :param hold: what KeyCRM does with that
    :param state: the order in Odoo
    :param line: quantity of Odoo's line
    :param still_open: what Odoo still has to ship
    :param shipped: shipped and not returned
    :param expected: of that, expected as a return
    :param skip_delivery: it was completed when Odoo first received it, so it moves no stock
    :param freed: its goods are not reserved at the moment
    :param canceled_here: a user canceled it in Odoo: KeyCRM does not restore it
    """

    shelf: int = 20
    others: int = 0
    status: int = NEW
    ordered: int = 5
    hold: str | None = None
    state: str = "draft"
    line: int = 5
    still_open: int = 0
    shipped: int = 0
    expected: int = 0
    skip_delivery: bool = False
    freed: bool = False
    canceled_here: bool = False

    # === WHAT KEYCRM IS TO SHOW ===

    @property
    def free(self) -> int:
        """In stock and neither ordered nor reserved."""
        return self.shelf - self.others - self.outgoing

    @property
    def outgoing(self) -> int:
        """What the order still takes out."""
        if self.state == "sale":
            return self.still_open
        return self.ordered if self.state == "draft" and self.hold and not self.skip_delivery else 0

    @property
    def on_hand(self) -> int:
        """The shelf, less what KeyCRM has written off and Odoo has not shipped."""
        if self.hold != FULFILLED or self.skip_delivery:
            return self.shelf
        return self.shelf - min(self.ordered, self.outgoing)

    @property
    def unreserved(self) -> int:
        """The shelf, less what is reserved in Odoo."""
        own = self.still_open if self.state == "sale" and not self.freed else 0
        return self.shelf - self.others - own


def first(account: Account, status: int = NEW) -> OrderState:
    """The order is new in KeyCRM and comes to Odoo in this status."""
    order = OrderState(status=status, skip_delivery=status == COMPLETED)
    return _arrive(account, replace(order, hold=_hold(account, order)))


def after(account: Account, order: OrderState, side: str, step: str) -> OrderState | None:
    """Do one step.

    :return: the state after it; None if the step is not possible
    """
    # Whatever is done next, it is reserved again before.
    order = replace(order, freed=False)
    if side == "Odoo":
        return _in_odoo(account, order, step)
    if step in STATUSES:
        if STATUSES[step] == order.status:
            return None
        order = replace(order, status=STATUSES[step])
        return _arrive(account, replace(order, hold=_hold(account, order)))
    if QUANTITIES[step] == order.ordered:
        return None
    return _arrive(account, replace(order, ordered=QUANTITIES[step]))


def _hold(account: Account, order: OrderState) -> str | None:
    if order.status == CANCELLED:
        return None
    if order.status >= DELIVERING and account.writes_off:
        return FULFILLED
    hold = RESERVED if order.status >= account.reserve_from and account.reserves else None
    return hold if account.reverts else max(hold, order.hold, key=STRENGTH.index)


def _arrive(account: Account, order: OrderState) -> OrderState:
    """The order is read from KeyCRM and written."""
    if order.skip_delivery:
        return order
    cancels = order.status == CANCELLED
    if order.state == "sale":
        wanted = 0 if cancels and order.shipped else order.ordered
        line = max(wanted, order.shipped)
        # What is wanted again is not expected back; it is shipped already.
        returned = max(0, order.shipped - wanted)
        if line != order.line:
            still_open = max(0, wanted - (order.shipped - min(order.expected, returned)))
            order = replace(order, line=line, still_open=still_open)
        order = replace(order, expected=returned)
    else:
        order = replace(order, line=order.ordered)
    if order.canceled_here:
        return order
    if cancels:
        return order if order.shipped else _ended(order, "cancel")
    if order.status == NEW or not account.confirms:
        return order if order.shipped else _ended(order, "draft")
    if order.state != "sale":
        return replace(order, state="sale", still_open=order.ordered)
    return order


def _ended(order: OrderState, state: str) -> OrderState:
    return replace(order, state=state, still_open=0, expected=0)


def _in_odoo(account: Account, order: OrderState, step: str) -> OrderState | None:
    if step == "sells to another":
        return None if order.others else replace(order, others=3)
    if step == "cancels first":
        if order.shipped or order.skip_delivery or order.state == "cancel":
            return None
        return replace(_ended(order, "cancel"), canceled_here=True)
    if step == "takes one back":
        if not order.shipped:
            return None
        order = replace(
            order,
            shelf=order.shelf + 1,
            shipped=order.shipped - 1,
            expected=max(0, order.expected - 1),
        )
        # Returned goods make Odoo read the order again.
        return _arrive(account, order)
    if not order.still_open:
        return None
    if step in ("frees", "reserves for it"):
        return replace(order, freed=step == "frees")
    shipped = order.still_open if step == "ships all" else min(2, order.still_open)
    rest = 0 if step.endswith("no backorder") else order.still_open - shipped
    return replace(
        order, shelf=order.shelf - shipped, shipped=order.shipped + shipped, still_open=rest
    )


# === EVERY ORDER ===


@dataclass(frozen=True)
class Coverage:
    """Which steps the sequences of an account do together.

    :param everything: every step in every state that they reach, thousands; else every
        step of one side after every step of the other
    :param known: instead of the latter, every step that begins or ends where orders of this account
        never are: the others are tested with this account
    """

    everything: bool = False
    known: Account | None = None

    def kind(self, order: OrderState, last: tuple | None, step: tuple, reached: OrderState):
        """:return: what a step covers; None for one that need not be tested"""
        if self.everything:
            return order, step
        if self.known:
            new = {_hold_of(order), _hold_of(reached)} - _holds(self.known)
            return (_hold_of(order), step) if new else None
        return (last, step) if last and last[0] != step[0] else (None, step)


def step_sequences(account: Account, length: int, coverage: Coverage, seed: int = 1) -> list:
    """Find sequences of steps that together do the steps of a coverage.

    :param account: the kind of account
    :param length: steps of a sequence at most
    :return: ``[(first status, steps)]``
    """
    rng = random.Random(seed)
    found = []
    covered = {None}
    for status in FIRST:
        start = first(account, status)
        edges = _edges(account, start, length if coverage.everything else 4)
        uncovered = {
            coverage.kind(order, last, step, reached)
            for order, steps in edges.items()
            for last in ([None] if coverage.everything else STEPS)
            for step, reached in steps.items()
        } - covered
        while uncovered:
            order, last, steps = start, None, []
            while len(steps) < length:
                path = _nearest(edges, order, last, uncovered, length - len(steps), coverage, rng)
                if not path:
                    break
                for step in path:
                    reached = edges[order][step]
                    covered.add(coverage.kind(order, last, step, reached))
                    order, last = reached, step
                uncovered -= covered
                steps += path
            if not steps:
                break
            found.append((status, steps))
    return found


def _hold_of(order):
    return order.status, order.hold


@cache
def _holds(account):
    """:return: status and hold of all states of an account's orders"""
    starts = [first(account, status) for status in FIRST]
    return {_hold_of(order) for start in starts for order in _edges(account, start, 4)}


def _edges(account, start, depth):
    """:return: ``{state: {step: state after it}}`` of what is reached with fewer steps than depth"""
    edges, queue = {}, deque([(start, 0)])
    while queue:
        order, far = queue.popleft()
        if order in edges or far >= depth:
            continue
        edges[order] = {
            step: reached for step in STEPS if (reached := after(account, order, *step))
        }
        queue.extend((reached, far + 1) for reached in edges[order].values())
    return edges


def _nearest(edges, order, last, uncovered, most, coverage, rng):
    """:return: the shortest path to a step that is not covered, of so many steps at most"""
    seen, queue = set(), deque([(order, last, [])])
    while queue:
        order, last, path = queue.popleft()
        here = (order, None if coverage.everything else last)
        if here in seen or len(path) >= most or order not in edges:
            continue
        seen.add(here)
        wanted = [
            step
            for step, reached in edges[order].items()
            if coverage.kind(order, last, step, reached) in uncovered
        ]
        if wanted:
            return [*path, rng.choice(wanted)]
        for step, reached in edges[order].items():
            queue.append((reached, step, [*path, step]))
    return None
