"""Queries of lists; unsupported filters, includes and sorts are a 400 (confirmed)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from .clock import parse
from .errors import BadQuery

_FILTER = re.compile(r"^filter\[([^\]]+)\](?:\[([^\]]*)\])?$")
DEFAULT_LIMIT, MAX_LIMIT = 15, 50


@dataclass(frozen=True)
class Allowed:
    """The names that a list supports.

    :param filters: filter names
    :param includes: include names
    :param sorts: fields it can be sorted by
    :param sort: the order of a list that was asked for without sort, if it is known
    """

    filters: tuple[str, ...] = ()
    includes: tuple[str, ...] = ()
    sorts: tuple[str, ...] = ()
    sort: str | None = None


@dataclass
class Query:
    """A parsed query.

    :param filters: texts by filter name; the two ends of a range are joined with a comma
    :param includes: associations to write
    :param sort: a field, with ``-`` before it for descending, or None
    :param page: from 1
    :param limit: 1 to 50
    """

    filters: dict[str, str] = field(default_factory=dict)
    includes: tuple[str, ...] = ()
    sort: str | None = None
    page: int = 1
    limit: int = DEFAULT_LIMIT


def read(items: Iterable[tuple[str, str]], allowed: Allowed) -> Query:
    """Read a query string.

    :param items: its names and values
    :param allowed: the supported names
    :return: the parsed query
    :raise BadQuery: on an unsupported filter, include or sort
    """
    query = Query()
    ranges: dict[str, dict[str, str]] = {}
    for name, value in items:
        match = _FILTER.match(name)
        if match:
            key, part = match.groups()
            if part:
                ranges.setdefault(key, {})[part] = value
            elif key in query.filters:
                query.filters[key] += f",{value}"
            else:
                query.filters[key] = value
        elif name == "include":
            query.includes = tuple(split(value))
        elif name == "sort":
            query.sort = value.strip() or None
        elif name == "page":
            query.page = max(1, _whole(value, 1))
        elif name == "limit":
            query.limit = min(MAX_LIMIT, max(1, _whole(value, DEFAULT_LIMIT)))
    for key, parts in ranges.items():
        query.filters[key] = f"{parts.get('from', '')},{parts.get('to', '')}"
    _refuse("filter", set(query.filters), allowed.filters)
    _refuse("include", set(query.includes), allowed.includes)
    _refuse("sort", {query.sort.lstrip("-")} if query.sort else set(), allowed.sorts)
    query.sort = query.sort or allowed.sort
    return query


def _refuse(kind: str, requested: set[str], allowed: tuple[str, ...]) -> None:
    unsupported = sorted(requested - set(allowed))
    if unsupported:
        wrong = ", ".join(unsupported)
        supported = ", ".join(allowed) or "none"
        raise BadQuery(
            f"Requested {kind}(s) `{wrong}` are not allowed. Allowed {kind}(s) are `{supported}`."
        )


def _whole(text: str, otherwise: int) -> int:
    try:
        return int(text)
    except ValueError:
        return otherwise


def split(text: str) -> list[str]:
    """Split a comma list; values cannot contain commas (confirmed).

    :param text: the list
    :return: its parts without spaces around them; empty ones are left out
    """
    return [part.strip() for part in text.split(",") if part.strip()]


def numbers(text: str) -> set[int]:
    """Read a comma list of ids.

    :param text: the list
    :return: the ids; what is no number matches nothing
    """
    return {int(part) for part in split(text) if part.lstrip("-").isdigit()}


def flag(text: str) -> bool:
    """Parse a boolean.

    :param text: ``true``, ``1`` or anything else
    :return: whether it means yes
    """
    return text.strip().lower() in ("1", "true")


def between(name: str, text: str) -> tuple[datetime | None, datetime | None]:
    """Parse a range of times, both ends included (confirmed).

    :param name: the filter, for the error
    :param text: ``from,to``, UTC
    :return: both ends, None where an end is open
    :raise BadQuery: if an end is no time
    """
    start, _, end = text.partition(",")
    try:
        return (
            parse(start) if start.strip() else None,
            parse(end, end_of_day=True) if end.strip() else None,
        )
    except ValueError:
        raise BadQuery(f"filter[{name}] takes two times as YYYY-MM-DD HH:MM:SS.") from None
