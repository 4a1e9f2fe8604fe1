"""The limit of requests a minute, per API key."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

SECOND = 1_000_000_000
WINDOW = 60 * SECOND


@dataclass(frozen=True)
class Verdict:
    """What the limit says of a request.

    :param allowed: whether it may pass
    :param used: requests let through in the present window, this one included
    :param limit: requests a window allows; 0 means any number
    :param retry_after: seconds until the next one may pass; 0 when this one may
    """

    allowed: bool
    used: int
    limit: int
    retry_after: int


class Limiter:
    """Counts requests that were let through; refused ones do not count (assumed).

    :param clock: a clock in whole nanoseconds that never goes back
    """

    def __init__(self, clock: Callable[[], int] = time.monotonic_ns) -> None:
        self._clock = clock
        self._passed: dict[str, deque[int]] = {}

    def clear(self) -> None:
        """Forget all requests."""
        self._passed.clear()

    def ask(self, key: str, limit: int, fixed: bool = False) -> Verdict:
        """Judge a request at its arrival.

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
            # in a sliding window a place is free once the limit-th last request has left it
            leaving = passed[0] if fixed else passed[-limit]
            return Verdict(False, len(passed), limit, -(-(leaving + WINDOW - now) // SECOND))
        passed.append(now)
        return Verdict(True, len(passed), limit, 0)
