"""The log of API requests, with counts of each kind."""

from __future__ import annotations

import re
import time
from collections import Counter, deque
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any

KEPT = 200_000
_NUMBER = re.compile(r"(?<=/)\d+(?=/|$)")


@dataclass(slots=True)
class Entry:
    """One request.

    :param number: counted from 1
    :param time: arrival, UTC, ISO 8601 with microseconds
    :param monotonic: arrival on the machine's monotonic clock, seconds; comparable with other
        programs on the same machine
    :param method: HTTP method
    :param path: path, ``/v1`` included
    :param query: names and values; of a repeated name the last value
    :param body: the JSON body of a write, else None
    :param status: HTTP status answered; None while it is being answered or was never answered
    :param seconds: how long answering took
    :param used: requests let through within the limit's window, this one included
    :param fault: the kind of fault that applied, if any
    :param key: the last four characters of the API key
    """

    number: int
    time: str
    monotonic: float
    method: str
    path: str
    query: dict[str, str]
    body: Any = None
    status: int | None = None
    seconds: float | None = None
    used: int = 0
    fault: str | None = None
    key: str = ""


class RequestLog:
    """Store the last requests and count all."""

    def __init__(self) -> None:
        self._count = 0
        self._entries: deque[Entry] = deque(maxlen=KEPT)
        self._counts: Counter[str] = Counter()

    def clear(self) -> None:
        """Clear the log; request numbers continue."""
        self._entries.clear()
        self._counts.clear()

    def open(self, method: str, path: str, query: dict[str, str]) -> Entry:
        """Record the arrival of a request.

        :param method: HTTP method
        :param path: path, ``/v1`` included
        :param query: names and values
        :return: the entry, to be completed
        """
        self._count += 1
        moment = datetime.now(UTC).isoformat(timespec="microseconds")
        entry = Entry(self._count, moment, time.monotonic(), method, path, query)
        self._entries.append(entry)
        self._counts[f"{method} {_NUMBER.sub('{id}', path)}"] += 1
        return entry

    def last(self, count: int) -> list[Entry]:
        """Read the newest entries.

        :param count: how many at most
        :return: entries, newest first
        """
        found = []
        for entry in reversed(self._entries):
            if len(found) == count:
                break
            found.append(entry)
        return found

    def find(
        self, since: int = 0, method: str = "*", path: str = "*", limit: int = KEPT
    ) -> list[dict[str, Any]]:
        """Read entries.

        :param since: only those with a greater number
        :param method: an HTTP method or ``*``
        :param path: a glob over the path, ``/v1`` included or not
        :param limit: how many at most, the newest
        :return: entries, oldest first
        """
        found = [
            entry
            for entry in self._entries
            if entry.number > since
            and method in ("*", entry.method)
            and (fnmatchcase(entry.path, path) or fnmatchcase(entry.path.removeprefix("/v1"), path))
        ]
        return [asdict(entry) for entry in found[-limit:]]

    def counts(self) -> dict[str, int]:
        """Count requests since the log was cleared.

        :return: numbers by method and path, ids in paths written as ``{id}``
        """
        return dict(self._counts)
