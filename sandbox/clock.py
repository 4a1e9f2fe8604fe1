"""Times in KeyCRM's formats, all in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

PLAIN = "%Y-%m-%d %H:%M:%S"


class Clock:
    """The shop's clock: UTC with an offset that tests may set."""

    def __init__(self) -> None:
        self.offset = timedelta()

    def now(self) -> datetime:
        """Return the current time.

        :return: the present UTC time in whole seconds, the precision KeyCRM stores
        """
        return (datetime.now(UTC) + self.offset).replace(microsecond=0)


def iso(value: datetime | None) -> str | None:
    """Format a time as most fields of the live API (confirmed).

    :param value: a UTC time
    :return: such as ``2026-08-01T11:39:24.000000Z``
    """
    return f"{value.isoformat()[:19]}.000000Z" if value else None


def plain(value: datetime | None) -> str | None:
    """Format a time as ``closed_at`` and ``last_synced_at`` (confirmed).

    :param value: a UTC time
    :return: such as ``2026-08-01 11:39:24``
    """
    return value.strftime(PLAIN) if value else None


def parse(text: str, end_of_day: bool = False) -> datetime:
    """Parse a client's time.

    :param text: ``YYYY-MM-DD``, ``YYYY-MM-DD HH:MM:SS`` or ISO 8601; without a zone it is UTC
    :param end_of_day: whether a bare date means its last second
    :return: the UTC time
    :raise ValueError: if the text is no time
    """
    text = text.strip()
    value = datetime.fromisoformat(text)
    value = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    if end_of_day and len(text) == 10:
        value += timedelta(hours=23, minutes=59, seconds=59)
    return value
