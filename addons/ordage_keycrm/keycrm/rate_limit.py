"""The rules of the request quota, as pure functions over the times of past requests.

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

#: So many paces a queue stands still at the most while it has the window for itself.
LONGEST_WAIT = 3

LIVE = "live"
BULK = "bulk"


@dataclass(frozen=True, slots=True)
class Quota:
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


def refreshed(quota: Quota, now: float) -> Quota:
    """Forget what lies outside the window, and raise a learnt limit by one step when it is time.

    What lies further ahead than it can was noted before the clock was set back: it counts from now on.
    """
    quota = replace(
        quota,
        times=tuple(min(time, now) for time in quota.times if time > now - WINDOW),
        blocked_until=min(quota.blocked_until, now + LONGEST_BLOCK),
        limit_until=min(quota.limit_until, now + (quota.raise_after or RAISE_AFTER)),
    )
    limit = quota.limit
    if quota.is_lowered and now >= quota.limit_until:
        # One step however long nothing was requested: what was learnt is not forgotten meanwhile.
        pause = quota.raise_after or RAISE_AFTER
        limit += max(1, int(limit * RAISE_STEP))
        quota = replace(quota, limit_until=now + pause, raise_after=pause)
    if quota.is_lowered and limit < quota.full_limit:
        return replace(quota, limit=limit)
    return replace(quota, limit=quota.full_limit, limit_until=0.0, raise_after=0.0)


def wait_for(quota: Quota, now: float, queue: str) -> float:
    """Return how long a request of this queue has to wait.

    :param queue: :data:`LIVE` or :data:`BULK`
    :return: seconds; 0.0 when it may leave now
    """
    quota = refreshed(quota, now)
    room = quota.limit - (LIVE_RESERVE if queue == BULK else 0)
    waits = [quota.blocked_until - now]
    used = len(quota.times)
    if used >= room:
        waits.append(quota.times[used - room] + WINDOW - now)
    elif queue == LIVE and used >= quota.limit * LIVE_BURST:
        spread_over = quota.times[0] + WINDOW - now
        waits.append(quota.times[-1] + spread_over / (room - used + 1) - now)
    if queue == BULK and quota.times:
        waits.append(quota.times[-1] + BULK_PACE * DEFAULT_LIMIT / quota.limit - now)
    return max(0.0, *waits)


def longest_wait(limit: int) -> float:
    """Return for how long a piece of work that has begun may wait for its next request.

    :param limit: requests a window that are believed to be allowed now
    :return: seconds
    """
    return LONGEST_WAIT * BULK_PACE * DEFAULT_LIMIT / limit


def spent(quota: Quota, now: float) -> Quota:
    """Book a request that leaves now."""
    quota = refreshed(quota, now)
    return replace(quota, times=(*quota.times, now))


def refused(quota: Quota, now: float, retry_after: float | None) -> Quota:
    """Learn from a 429.

    When it comes although the window has room, the key has a lower limit or another program uses it
    too: the limit is lowered, and raised again stepwise.

    :param retry_after: seconds, as KeyCRM said, or None
    """
    quota = refreshed(quota, now)
    pause = (
        DEFAULT_RETRY_AFTER if retry_after is None else min(max(retry_after, 1.0), LONGEST_BLOCK)
    )
    quota = replace(quota, blocked_until=max(quota.blocked_until, now + pause))
    if len(quota.times) >= quota.limit:
        if not quota.is_lowered:
            return quota
        # What was learnt is still too high: refused requests were counted too.
        return replace(
            quota,
            limit=max(LOWEST_LIMIT, quota.limit - 1),
            limit_until=now + quota.raise_after,
        )
    raise_after = min(2 * quota.raise_after or RAISE_AFTER, LONGEST_RAISE_AFTER)
    return replace(
        quota,
        limit=max(LOWEST_LIMIT, len(quota.times) - 1),
        limit_until=now + raise_after,
        raise_after=raise_after,
    )
