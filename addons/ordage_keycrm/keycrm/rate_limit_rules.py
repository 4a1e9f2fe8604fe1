"""Rules of the rate limiter, as pure functions over the times of past requests.

KeyCRM allows 60 requests per minute and key (confirmed; a few accounts report less, hence the lowered
limit). A fixed rate of one per second would make a burst of live orders slow, and a plain counter per
clock minute can pass twice the limit at the border of two minutes. So the rule is a sliding window: a
request may be sent when fewer than the limit were sent in the last :data:`WINDOW` seconds.

A burst that used the whole window at once would block all work for the rest of the minute: a backlog of
orders would delay a stock export for 50 seconds, and its own worker could only be started by the
scheduler's next poll. So live work bursts up to half of the limit; the remaining quota is spread evenly
until the burst leaves the window. Live work waits two seconds at most, and a minute holds as many
requests; under a lower limit the waits are proportionally longer.
"""

from dataclasses import dataclass, replace

#: Seconds. KeyCRM counts requests when they arrive, Odoo when they are sent: one second covers the
#: variation of the transfer time.
WINDOW = 61.0
#: Requests per minute that KeyCRM allows (confirmed by its documentation).
DEFAULT_LIMIT = 60
#: Share of the limit that live work uses without a pause.
LIVE_BURST = 0.5
#: Seconds between two requests of bulk work, under the usual limit: an unpaced burst would block live work
#: for a minute. Under another limit it is as many times longer or shorter.
BULK_PACE = 1.0
#: Requests in the window that bulk work leaves to live work.
LIVE_RESERVE = 1
#: Bulk work takes them too when the next request leaves the window within this part of its pace: live work
#: waits that long for it.
LIVE_WAIT = 0.7
#: Lower bound of a lowered limit.
MIN_LIMIT = 5
#: Seconds to pause after a 429 without ``Retry-After``.
DEFAULT_RETRY_AFTER = 15.0
#: Upper bound of a pause, also when a 429 names a longer one.
LONGEST_BLOCK = 300.0
#: Seconds after which a limit that an early 429 lowered is raised by a step; each 429 after a step
#: doubles them, up to a day. So a key with a low limit causes almost no 429.
RAISE_AFTER = 900.0
LONGEST_RAISE_AFTER = 86400.0
#: A step raises the lowered limit by this part of it, and by at least one.
RAISE_STEP = 0.25

#: Longest pause of a queue that has the window for itself, in units of the bulk pace.
MAX_WAIT = 3

LIVE = "live"
BULK = "bulk"


@dataclass(frozen=True, slots=True)
class Quota:
    """Hold the state of one API key.

    All times are seconds of one clock, that of the database server.

    :param times: when the requests of the last window were sent, oldest first
    :param limit: requests per window that are assumed to be allowed now
    :param blocked_until: no request is sent before this time, after a 429
    :param limit_until: when a lowered ``limit`` is raised by a step; 0 when it is not lowered
    :param raise_after: seconds between two such steps; 0 when the limit is not lowered
    :param full_limit: requests per window as set for the account
    :param lowered_at: since when the limit has been lowered; 0 when it is not
    """

    times: tuple[float, ...] = ()
    limit: int = DEFAULT_LIMIT
    blocked_until: float = 0.0
    limit_until: float = 0.0
    full_limit: int = DEFAULT_LIMIT
    raise_after: float = 0.0
    lowered_at: float = 0.0

    @property
    def is_lowered(self) -> bool:
        """Return whether an early 429 lowered the limit."""
        return self.limit_until > 0.0


def refreshed(quota: Quota, now: float) -> Quota:
    """Drop times outside the window, and raise a lowered limit by a step when due.

    Times further ahead than possible were recorded before the clock was set back: they count from now
    on.

    :param quota: last state
    :param now: current time
    :return: current state
    """
    quota = replace(
        quota,
        times=tuple(min(time, now) for time in quota.times if time > now - WINDOW),
        blocked_until=min(quota.blocked_until, now + LONGEST_BLOCK),
        limit_until=min(quota.limit_until, now + (quota.raise_after or RAISE_AFTER)),
    )
    limit = quota.limit
    if quota.is_lowered and now >= quota.limit_until:
        # One step only, even if no request was sent for long: the lowered limit may still be right.
        pause = quota.raise_after or RAISE_AFTER
        limit += max(1, int(limit * RAISE_STEP))
        quota = replace(quota, limit_until=now + pause, raise_after=pause)
    if quota.is_lowered and limit < quota.full_limit:
        return replace(quota, limit=limit)
    return replace(quota, limit=quota.full_limit, limit_until=0.0, raise_after=0.0, lowered_at=0.0)


def wait_for(quota: Quota, now: float, queue: str) -> float:
    """Return how long a request of this queue has to wait.

    :param quota: current state
    :param now: current time
    :param queue: :data:`LIVE` or :data:`BULK`
    :return: seconds; 0.0 when it may be sent now
    """
    quota = refreshed(quota, now)
    waits = [quota.blocked_until - now]
    used, room = len(quota.times), quota.limit
    pace = BULK_PACE * DEFAULT_LIMIT / quota.limit
    if used >= room:
        waits.append(quota.times[used - room] + WINDOW - now)
    elif queue == LIVE and used >= quota.limit * LIVE_BURST:
        spread_over = quota.times[0] + WINDOW - now
        waits.append(quota.times[-1] + spread_over / (room - used + 1) - now)
    if queue == BULK and quota.times:
        last, even = quota.times[-1], quota.times[0] + pace * used
        # At half of its pace while, with live work, the window is filled faster than evenly.
        waits.append(max(last + pace, min(even, last + 2 * pace)) - now)
        if used >= room - LIVE_RESERVE:
            waits.append(quota.times[used - room + LIVE_RESERVE] + WINDOW - pace * LIVE_WAIT - now)
    return max(0.0, *waits)


def max_wait(limit: int) -> float:
    """Return for how long a started piece of work may wait for its next request.

    :param limit: requests per window that are assumed to be allowed now
    :return: seconds
    """
    return MAX_WAIT * BULK_PACE * DEFAULT_LIMIT / limit


def booked(quota: Quota, now: float) -> Quota:
    """Book a request that is sent now.

    :param quota: current state
    :param now: current time
    :return: the state with the request
    """
    quota = refreshed(quota, now)
    return replace(quota, times=(*quota.times, now))


def refused(quota: Quota, now: float, retry_after: float | None) -> Quota:
    """Record a 429: block requests, and lower the limit when it was early.

    When it occurs before the window is full, the key has a lower limit or another program uses it too:
    the limit is lowered, and raised again stepwise.

    :param quota: current state
    :param now: current time
    :param retry_after: seconds from the header, or None
    :return: the state after the 429
    """
    quota = refreshed(quota, now)
    pause = (
        DEFAULT_RETRY_AFTER if retry_after is None else min(max(retry_after, 1.0), LONGEST_BLOCK)
    )
    quota = replace(quota, blocked_until=max(quota.blocked_until, now + pause))
    if len(quota.times) >= quota.limit:
        if not quota.is_lowered:
            return quota
        # The lowered limit is still too high: it includes requests that were refused.
        return replace(
            quota,
            limit=max(MIN_LIMIT, quota.limit - 1),
            limit_until=now + quota.raise_after,
        )
    raise_after = min(2 * quota.raise_after or RAISE_AFTER, LONGEST_RAISE_AFTER)
    return replace(
        quota,
        limit=max(MIN_LIMIT, len(quota.times) - 1),
        limit_until=now + raise_after,
        raise_after=raise_after,
        lowered_at=quota.lowered_at or now,
    )
