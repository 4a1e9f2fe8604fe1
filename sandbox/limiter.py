"""The rate limit per minute and API key."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

SECOND = 1_000_000_000
WINDOW = 60 * SECOND


@dataclass(frozen=True)
class Verdict:
    """The rate limiter's result for a request.

    :param allowed: whether it may pass
    :param used: requests accepted in the current window, this one included
    :param limit: requests a window allows; 0 means any number
    :param retry_after: seconds until the next one may pass; 0 when this one may
    """

    allowed: bool
    used: int
    limit: int
    retry_after: int


class Limiter:
    """Count accepted requests; refused ones do not count (assumed).

    :param clock: a monotonic clock in whole nanoseconds
    """

    def __init__(self, clock: Callable[[], int] = time.monotonic_ns) -> None:
        self._clock = clock
        self._passed: dict[str, deque[int]] = {}

    def clear(self) -> None:
        """Clear all counts."""
        self._passed.clear()

    def check(self, key: str, limit: int, fixed: bool = False) -> Verdict:
        """Check a request on arrival.

        :param key: the API key
        :param limit: requests allowed in 60 seconds, 0 for any number
        :param fixed: whether the minute begins with its first request instead of sliding
        :return: the verdict
        """
        now = self._clock()
        passed = self._passed.setdefault(key, deque())
        if fixed:
            if passed and now - passed[0] >= WINDOW:
                passed.clear()
        else:
            while passed and now - passed[0] >= WINDOW:
                passed.popleft()
        if limit and len(passed) >= limit:
            # a sliding window has room once the limit-th last request has left it
            oldest = passed[0] if fixed else passed[-limit]
            return Verdict(False, len(passed), limit, -(-(oldest + WINDOW - now) // SECOND))
        passed.append(now)
        return Verdict(True, len(passed), limit, 0)
