"""The rules of the request budget, as pure functions over the times of past requests.

KeyCRM allows 60 requests a minute and key (confirmed; a few accounts report less, hence the learnt
limit). A fixed rate of one a second would make a burst of live orders slow, and a plain counter per
clock minute can let twice the limit through at the border of two minutes. So the rule is a sliding
window: a request may leave when fewer than the limit left in the last :data:`WINDOW` seconds.

A burst that takes the whole window at once would shut everybody out for the rest of the minute: a
backlog of orders would hold up a stock push for 50 seconds, and its own worker could only be woken by
the scheduler's next look. So live work bursts up to half of the limit; what is left is spread evenly
until the burst leaves the window. Live work waits two seconds at the most for its turn, and a minute holds as
many requests; under a lower limit the waits are as many times longer.
"""

from dataclasses import dataclass, replace

#: Seconds. KeyCRM counts when requests arrive, we when they leave: one second covers what the way varies.
WINDOW = 61.0
#: Requests a minute that KeyCRM allows (confirmed by its documentation).
DEFAULT_LIMIT = 60
#: Share of the limit that live work takes without a pause.
LIVE_BURST = 0.5
#: Seconds between two requests of bulk work, under the usual limit: an unpaced burst would block live work
#: for a minute. Under another limit it is as many times longer or shorter.
BULK_PACE = 1.0
#: Places in the window that bulk work leaves to live work.
LIVE_RESERVE = 1
#: A learnt limit is never lower than this.
LOWEST_LIMIT = 5
#: Seconds to stay away after a 429 that names no time.
DEFAULT_RETRY_AFTER = 15.0
#: Nobody stays away longer, whatever a 429 names.
LONGEST_BLOCK = 300.0
#: Seconds after which a limit learnt from an early 429 is raised by a step; each step that a 429 refutes
#: doubles them, up to a day. So a key with a low limit meets hardly any 429.
RAISE_AFTER = 900.0
LONGEST_RAISE_AFTER = 86400.0
#: A step raises the learnt limit by this part of it, and by one at least.
RAISE_STEP = 0.25

#: So many paces a lane stands still at the most while it has the window for itself.
LONGEST_WAIT = 3

LIVE = "live"
BULK = "bulk"


@dataclass(frozen=True, slots=True)
class Budget:
    """State of one API key. All times are seconds of one clock, that of the database server.

    :param times: when the requests of the last window left, oldest first
    :param limit: requests a window that are believed to be allowed now
    :param blocked_until: no request leaves before this time (a 429 said so)
    :param limit_until: when a lowered ``limit`` is raised by a step; 0 when it is not lowered
    :param raise_after: seconds between two such steps; 0 when the limit is not lowered
    :param full_limit: requests a window as set for the account
    """

    times: tuple[float, ...] = ()
    limit: int = DEFAULT_LIMIT
    blocked_until: float = 0.0
    limit_until: float = 0.0
    full_limit: int = DEFAULT_LIMIT
    raise_after: float = 0.0

    @property
    def is_lowered(self) -> bool:
        """Whether the limit was learnt from an early 429."""
        return self.limit_until > 0.0


def refreshed(budget: Budget, now: float) -> Budget:
    """Forget what lies outside the window, and raise a learnt limit by one step when it is time.

    What lies further ahead than it can was noted before the clock was set back: it counts from now on.
    """
    budget = replace(
        budget,
        times=tuple(min(time, now) for time in budget.times if time > now - WINDOW),
        blocked_until=min(budget.blocked_until, now + LONGEST_BLOCK),
        limit_until=min(budget.limit_until, now + (budget.raise_after or RAISE_AFTER)),
    )
    limit = budget.limit
    if budget.is_lowered and now >= budget.limit_until:
        # One step however long nothing was requested: what was learnt is not forgotten meanwhile.
        pause = budget.raise_after or RAISE_AFTER
        limit += max(1, int(limit * RAISE_STEP))
        budget = replace(budget, limit_until=now + pause, raise_after=pause)
    if budget.is_lowered and limit < budget.full_limit:
        return replace(budget, limit=limit)
    return replace(budget, limit=budget.full_limit, limit_until=0.0, raise_after=0.0)


def wait_for(budget: Budget, now: float, lane: str) -> float:
    """Say how long a request of this lane has to wait.

    :param lane: :data:`LIVE` or :data:`BULK`
    :return: seconds; 0.0 when it may leave now
    """
    budget = refreshed(budget, now)
    room = budget.limit - (LIVE_RESERVE if lane == BULK else 0)
    waits = [budget.blocked_until - now]
    used = len(budget.times)
    if used >= room:
        waits.append(budget.times[used - room] + WINDOW - now)
    elif lane == LIVE and used >= budget.limit * LIVE_BURST:
        spread_over = budget.times[0] + WINDOW - now
        waits.append(budget.times[-1] + spread_over / (room - used + 1) - now)
    if lane == BULK and budget.times:
        waits.append(budget.times[-1] + BULK_PACE * DEFAULT_LIMIT / budget.limit - now)
    return max(0.0, *waits)


def longest_wait(limit: int) -> float:
    """Say for how long a piece of work that has begun may wait for its next request.

    :param limit: requests a window that are believed to be allowed now
    :return: seconds
    """
    return LONGEST_WAIT * BULK_PACE * DEFAULT_LIMIT / limit


def spent(budget: Budget, now: float) -> Budget:
    """Book a request that leaves now."""
    budget = refreshed(budget, now)
    return replace(budget, times=(*budget.times, now))


def refused(budget: Budget, now: float, retry_after: float | None) -> Budget:
    """Learn from a 429.

    When it comes although the window has room, the key has a lower limit or another program uses it
    too: the limit is lowered, and raised again stepwise.

    :param retry_after: seconds, as KeyCRM said, or None
    """
    budget = refreshed(budget, now)
    pause = (
        DEFAULT_RETRY_AFTER if retry_after is None else min(max(retry_after, 1.0), LONGEST_BLOCK)
    )
    budget = replace(budget, blocked_until=max(budget.blocked_until, now + pause))
    if len(budget.times) >= budget.limit:
        if not budget.is_lowered:
            return budget
        # What was learnt is still too high: refused requests were counted too.
        return replace(
            budget,
            limit=max(LOWEST_LIMIT, budget.limit - 1),
            limit_until=now + budget.raise_after,
        )
    raise_after = min(2 * budget.raise_after or RAISE_AFTER, LONGEST_RAISE_AFTER)
    return replace(
        budget,
        limit=max(LOWEST_LIMIT, len(budget.times) - 1),
        limit_until=now + raise_after,
        raise_after=raise_after,
    )
