"""Eight programs validate pickings of the same products, all beginning in the same millisecond.

People do not work so; it is shown beside ``users``. They run in step, and each skips the quants that the one
before has locked, so the more exactly they keep step the less they clash. Whatever takes a moment, ours or
not, disturbs it, and Odoo's pauses after a clash, drawn by lot, disturb it more.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..environment import Environment
from ..results import Row
from . import users

PICKINGS = 4


def run(world: Environment) -> Iterator[Row]:
    """The same as ``users``, without a moment to think."""
    pairs, ours, floor = users.measure(world, PICKINGS, 0)
    yield Row(
        key="programs",
        what=f"{users.USERS} programs beginning at once, pickings of the same {users.LINES} products",
        floor=floor.told(pairs.floor),
        ours=ours.told(pairs.ours),
        ratio=pairs.ratio,
        goal="–",
        reached=None,
        samples=users.samples(pairs, ours, users.chance(ours, floor)),
        details=users.details(pairs, ours, floor),
    )
