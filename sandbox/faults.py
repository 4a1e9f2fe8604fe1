"""Faults on request: rules that alter answers a given number of times."""

from __future__ import annotations

import itertools
from collections.abc import Collection
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from .errors import Invalid

KINDS: dict[str, str] = {
    "status": "answers with `status` and `headers`",
    "delay": "answers as usual after `seconds`",
    "cut": "closes the connection in the middle of the answer",
    "malformed": "answers with JSON that breaks off",
    "html": "answers with an HTML page",
    "empty_list": "answers with an empty list",
    "repeat_rows": "a list page begins `rows` rows too early, so rows repeat",
    "skip_rows": "a list page begins `rows` rows too late, so rows are missed",
    "endless_next": "next_page_url never ends; pages past the end are empty, or with `repeat` the "
    "first page again",
    "close": "closes the connection without an answer",
    "huge": "an answer with `size` bytes more than usual",
}


@dataclass
class Fault:
    """One rule.

    :param id: its number
    :param kind: one of :data:`KINDS`
    :param method: an HTTP method or ``*``
    :param path: a glob over the path below ``/v1``, such as ``/order*``
    :param page: only this page of a list
    :param contains: only requests whose decoded query or body contains this text
    :param row: only GET requests whose answer would contain the row with this id
    :param times: how often it acts; None means until it is taken away
    :param status: HTTP status, for ``status`` and ``html``
    :param headers: extra headers, for ``status``
    :param message: message of the body, for ``status``
    :param seconds: for ``delay``; for ``close`` with ``executed``, how much later the effect is
    :param rows: for ``repeat_rows`` and ``skip_rows``
    :param repeat: for ``endless_next``
    :param size: bytes, for ``huge``
    :param executed: whether a request that is answered with ``status`` or ``close`` has its effect
    """

    id: int
    kind: str
    method: str = "*"
    path: str = "*"
    page: int | None = None
    contains: str = ""
    row: int | None = None
    times: int | None = 1
    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    message: str = "Server Error"
    seconds: float = 0.0
    rows: int = 3
    repeat: bool = False
    size: int = 10_000_000
    executed: bool = False
    acted: int = 0

    def fits(
        self, method: str, path: str, page: int, content: str, rows: Collection[int] = ()
    ) -> bool:
        """Return whether the rule applies to a request.

        :param method: its HTTP method
        :param path: its path below ``/v1``
        :param page: the requested page
        :param content: its decoded query and body
        :param rows: ids of the rows of its usual answer
        :return: whether the rule acts on it
        """
        return (
            self.method in ("*", method)
            and fnmatchcase(path, self.path)
            and self.page in (None, page)
            and self.contains in content
            and (self.row is None or self.row in rows)
        )


class Faults:
    """The active rules, applied in the order of their creation."""

    def __init__(self) -> None:
        self._ids = itertools.count(1)
        self._rules: list[Fault] = []

    def clear(self) -> None:
        """Remove all rules."""
        self._rules.clear()

    def add(self, values: dict[str, Any]) -> Fault:
        """Add a rule.

        :param values: fields of :class:`Fault` by name, at least the kind
        :return: the rule
        :raise Invalid: if it makes no sense
        """
        if values.get("kind") not in KINDS:
            raise Invalid.of(kind=f"A fault is one of {', '.join(KINDS)}.")
        path = values.get("path", "*")
        fault = Fault(id=next(self._ids), **{**values, "path": path.removeprefix("/v1")})
        if fault.times is not None and fault.times < 1:
            raise Invalid.of(times="A fault acts at least once.")
        self._rules.append(fault)
        return fault

    def remove(self, fault_id: int) -> None:
        """Remove a rule; a used-up one is no error.

        :param fault_id: its number
        """
        self._rules = [rule for rule in self._rules if rule.id != fault_id]

    @property
    def need_rows(self) -> bool:
        """Return whether a rule depends on the rows of an answer."""
        return any(rule.row is not None for rule in self._rules)

    def take(
        self, method: str, path: str, page: int, content: str, rows: Collection[int] = ()
    ) -> Fault | None:
        """Return the first rule for a request and decrement its count.

        :param method: its HTTP method
        :param path: its path below ``/v1``
        :param page: the requested page
        :param content: its decoded query and body
        :param rows: ids of the rows of its usual answer
        :return: the rule that acts on it, if any
        """
        for rule in self._rules:
            if rule.fits(method, path, page, content, rows):
                rule.acted += 1
                if rule.times is not None and rule.acted >= rule.times:
                    self._rules.remove(rule)
                return rule
        return None

    def all(self) -> list[dict[str, Any]]:
        """List the active rules.

        :return: their fields, in the order they are tried
        """
        return [asdict(rule) for rule in self._rules]
