"""Isolate rows that KeyCRM cannot return, over several reads, as pure functions."""

#: Failed requests of one read, and since a request was last answered. With more, the whole list is
#: unavailable: a read then costs one failed request.
MAX_FAILURES = 8
#: Rows that are remembered; with more, the search starts again.
MAX_SUSPECTS = 10_000


class Suspects:
    """Remember the rows of failed requests, and how many rows the smallest of these requests had.

    Unlike :class:`~.fault_isolation_rules.Isolation`, of rows that are sent one part after the other, it
    remembers each row: an order reads only its own few, in any order, and again with the next order.

    A failed request is bisected. Where that does not end in one read, as after a time-out, the next read
    of these rows continues. A row that failed alone is requested alone until it can be read, so that it
    makes no other request fail.
    """

    def __init__(self) -> None:
        self._sizes: dict[int, int] = {}
        self._failures = 0

    @property
    def max_failures(self) -> int:
        """Return after how many failed requests a read ends."""
        return MAX_FAILURES if self._failures < MAX_FAILURES else 1

    def parts(self, numbers: list[int], most: int) -> list[list[int]]:
        """Split rows into requests; those without suspects first, those that failed alone last.

        Of these the ones that failed least recently come first, so that each has its turn.

        :param numbers: numbers of the rows
        :param most: rows that one request may have
        """
        wanted = set(numbers)
        new = [number for number in numbers if number not in self._sizes]
        by_size: dict[int, list[int]] = {}
        for number, size in self._sizes.items():
            if number in wanted:
                by_size.setdefault(max(1, size // 2), []).append(number)
        return [
            rows[start : start + size]
            for size, rows in [(most, new), *sorted(by_size.items(), reverse=True)]
            for start in range(0, len(rows), size)
        ]

    def has(self, part: list[int]) -> bool:
        """Return whether the rows of a request failed before."""
        return part[0] in self._sizes

    def failed(self, part: list[int]) -> list[list[int]]:
        """Record a failed request.

        :param part: numbers of its rows
        :return: the requests that replace it; none where the row was alone
        """
        if len(self._sizes) > MAX_SUSPECTS:
            self._sizes.clear()
        self._failures += 1
        for number in part:
            self._sizes.pop(number, None)
            self._sizes[number] = len(part)
        middle = len(part) // 2
        return [part[:middle], part[middle:]] if middle else []

    def answered(self, part: list[int]) -> None:
        """Record that KeyCRM returned the rows of a request.

        :param part: numbers of its rows
        """
        self._failures = 0
        for number in part:
            self._sizes.pop(number, None)
