"""The oracle of the test that plays every order of events: what should lie where, by arithmetic alone.

One product, twenty on the shelf, one order of five in KeyCRM. Nothing here knows Odoo or the addon.
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
class Story:
    """How things stand after some steps.

    :param shelf: on the shelf
    :param others: of it, reserved for another customer
    :param status: KeyCRM's status of the order
    :param ordered: what KeyCRM's line says
    :param hold: what KeyCRM does with that
    :param state: the order in Odoo
    :param line: quantity of Odoo's line
    :param still_open: what Odoo still has to ship
    :param out: with the buyer
    :param expected: of that, expected back
    :param never: it was over when Odoo first saw it
    :param freed: what it takes out is not reserved just now
    :param canceled_here: a person canceled it in Odoo: KeyCRM does not revive it
    """

    shelf: int = 20
    others: int = 0
    status: int = NEW
    ordered: int = 5
    hold: str | None = None
    state: str = "draft"
    line: int = 5
    still_open: int = 0
    out: int = 0
    expected: int = 0
    never: bool = False
    freed: bool = False
    canceled_here: bool = False

    # === WHAT KEYCRM IS TO SHOW ===

    @property
    def free(self) -> int:
        """Nobody has ordered or reserved it."""
        return self.shelf - self.others - self.taken

    @property
    def taken(self) -> int:
        """What the order still takes out."""
        if self.state == "sale":
            return self.still_open
        return self.ordered if self.state == "draft" and self.hold and not self.never else 0

    @property
    def on_hand(self) -> int:
        """The shelf, less what KeyCRM has written off and Odoo has not shipped."""
        if self.hold != FULFILLED or self.never:
            return self.shelf
        return self.shelf - min(self.ordered, self.taken)

    @property
    def unreserved(self) -> int:
        """The shelf, less what is reserved in Odoo."""
        own = self.still_open if self.state == "sale" and not self.freed else 0
        return self.shelf - self.others - own


def first(account: Account, status: int = NEW) -> Story:
    """The order is new in KeyCRM and comes to Odoo in this status."""
    story = Story(status=status, never=status == COMPLETED)
    return _arrive(account, replace(story, hold=_hold(account, story)))


def after(account: Account, story: Story, side: str, step: str) -> Story | None:
    """Do one step.

    :return: how things stand then; nothing where the step is not possible
    """
    # Whatever is done next, it is reserved again before.
    story = replace(story, freed=False)
    if side == "Odoo":
        return _in_odoo(account, story, step)
    if step in STATUSES:
        if STATUSES[step] == story.status:
            return None
        story = replace(story, status=STATUSES[step])
        return _arrive(account, replace(story, hold=_hold(account, story)))
    if QUANTITIES[step] == story.ordered:
        return None
    return _arrive(account, replace(story, ordered=QUANTITIES[step]))


def _hold(account: Account, story: Story) -> str | None:
    if story.status == CANCELLED:
        return None
    if story.status >= DELIVERING and account.writes_off:
        return FULFILLED
    hold = RESERVED if story.status >= account.reserve_from and account.reserves else None
    return hold if account.reverts else max(hold, story.hold, key=STRENGTH.index)


def _arrive(account: Account, story: Story) -> Story:
    """The order is read from KeyCRM and written."""
    if story.never:
        return story
    cancels = story.status == CANCELLED
    if story.state == "sale":
        wanted = 0 if cancels and story.out else story.ordered
        line = max(wanted, story.out)
        if line != story.line:
            still_open = max(0, wanted - (story.out - story.expected))
            story = replace(story, line=line, still_open=still_open)
        story = replace(story, expected=max(story.expected, story.out - wanted))
    else:
        story = replace(story, line=story.ordered)
    if story.canceled_here:
        return story
    if cancels:
        return story if story.out else _ended(story, "cancel")
    if story.status == NEW or not account.confirms:
        return story if story.out else _ended(story, "draft")
    if story.state != "sale":
        return replace(story, state="sale", still_open=story.ordered)
    return story


def _ended(story: Story, state: str) -> Story:
    return replace(story, state=state, still_open=0, expected=0)


def _in_odoo(account: Account, story: Story, step: str) -> Story | None:
    if step == "sells to another":
        return None if story.others else replace(story, others=3)
    if step == "cancels first":
        if story.out or story.never or story.state == "cancel":
            return None
        return replace(_ended(story, "cancel"), canceled_here=True)
    if step == "takes one back":
        if not story.out:
            return None
        story = replace(
            story,
            shelf=story.shelf + 1,
            out=story.out - 1,
            expected=max(0, story.expected - 1),
        )
        # Goods that came back make Odoo read the order anew.
        return _arrive(account, story)
    if not story.still_open:
        return None
    if step in ("frees", "reserves for it"):
        return replace(story, freed=step == "frees")
    shipped = story.still_open if step == "ships all" else min(2, story.still_open)
    rest = 0 if step.endswith("no backorder") else story.still_open - shipped
    return replace(story, shelf=story.shelf - shipped, out=story.out + shipped, still_open=rest)


# === EVERY ORDER ===


@dataclass(frozen=True)
class Coverage:
    """Which steps an account's stories do together.

    :param everything: every step in every situation that they reach, which are thousands; else every
        step of one side after every step of the other
    :param known: instead of the latter, every step that begins or ends where this account's orders never
        are: the rest is played with this account
    """

    everything: bool = False
    known: Account | None = None

    def kind(self, story: Story, last: tuple | None, step: tuple, reached: Story):
        """:return: what a step shows; nothing for one that need not be played"""
        if self.everything:
            return story, step
        if self.known:
            new = {_hold_of(story), _hold_of(reached)} - _holds(self.known)
            return (_hold_of(story), step) if new else None
        return (last, step) if last and last[0] != step[0] else (None, step)


def stories(account: Account, length: int, coverage: Coverage, seed: int = 1) -> list:
    """Find stories that together do the steps of a coverage.

    :param account: the kind of account
    :param length: steps of a story at most
    :return: ``[(first status, steps)]``
    """
    dice = random.Random(seed)
    found = []
    told = {None}
    for status in FIRST:
        start = first(account, status)
        edges = _edges(account, start, length if coverage.everything else 4)
        left = {
            coverage.kind(story, last, step, reached)
            for story, steps in edges.items()
            for last in ([None] if coverage.everything else STEPS)
            for step, reached in steps.items()
        } - told
        while left:
            story, last, steps = start, None, []
            while len(steps) < length:
                path = _nearest(edges, story, last, left, length - len(steps), coverage, dice)
                if not path:
                    break
                for step in path:
                    reached = edges[story][step]
                    told.add(coverage.kind(story, last, step, reached))
                    story, last = reached, step
                left -= told
                steps += path
            if not steps:
                break
            found.append((status, steps))
    return found


def _hold_of(story):
    return story.status, story.hold


@cache
def _holds(account):
    """:return: status and hold of all situations of an account's orders"""
    starts = [first(account, status) for status in FIRST]
    return {_hold_of(story) for start in starts for story in _edges(account, start, 4)}


def _edges(account, start, depth):
    """:return: ``{story: {step: story after it}}`` of what is reached with fewer steps than depth"""
    edges, queue = {}, deque([(start, 0)])
    while queue:
        story, far = queue.popleft()
        if story in edges or far >= depth:
            continue
        edges[story] = {
            step: reached for step in STEPS if (reached := after(account, story, *step))
        }
        queue.extend((reached, far + 1) for reached in edges[story].values())
    return edges


def _nearest(edges, story, last, left, most, coverage, dice):
    """:return: the shortest way to do a step that is left, of so many steps at most"""
    seen, queue = set(), deque([(story, last, [])])
    while queue:
        story, last, path = queue.popleft()
        here = (story, None if coverage.everything else last)
        if here in seen or len(path) >= most or story not in edges:
            continue
        seen.add(here)
        wanted = [
            step
            for step, reached in edges[story].items()
            if coverage.kind(story, last, step, reached) in left
        ]
        if wanted:
            return [*path, dice.choice(wanted)]
        for step, reached in edges[story].items():
            queue.append((reached, step, [*path, step]))
    return None
