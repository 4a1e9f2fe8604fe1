"""Eight programs validate pickings of the same products in the same millisecond.

Users do not work in this way; it is shown beside ``users``. The programs run in step, and each skips the
quants that the previous one has locked: the more exact the step, the fewer conflicts. Any delay disturbs the
step, and Odoo's random pauses after a conflict disturb it more.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..environment import Environment
from ..results import Row
from . import users

PICKINGS = 4


def run(environment: Environment) -> Iterator[Row]:
    """Measure as ``users`` does, without think time."""
    pairs, ours, baseline = users.measure(environment, PICKINGS, 0)
    yield Row(
        key="programs",
        what=f"{users.USERS} programs beginning at once, pickings of the same {users.LINES} products",
        baseline=baseline.summary(pairs.baseline),
        ours=ours.summary(pairs.ours),
        ratio=pairs.ratio,
        goal="–",
        reached=None,
        samples=users.samples(pairs, ours, users.chance(ours, baseline)),
        details=users.details(pairs, ours, baseline),
    )
