"""Choose the rows of the next request after one failed, as pure functions."""

from dataclasses import dataclass, replace

#: Rows that failed alone in a row, with no request accepted in between, after which rows are tried from
#: either end in turn: the variants of one product lie side by side, and all of them may be faulty.
MAX_FAULTS = 6


@dataclass(frozen=True, slots=True)
class Isolation:
    """Hold how far the search for faulty rows has come.

    A failed request is bisected until the faulty row is alone. The next row is tried alone, too, since
    faulty rows are often adjacent; once a request is accepted, the next one has all remaining rows.

    Unlike :class:`~.suspects.Suspects` it remembers a position and no rows: it is stored with thousands of
    rows, and a row that failed alone is deferred by its own record.

    :param rows: rows of the next request; 0 for as many as one may have
    :param is_alone: whether the last request was of one row, and failed
    :param faults: rows that failed alone since a request was accepted
    """

    rows: int = 0
    is_alone: bool = False
    faults: int = 0

    @property
    def is_all_failing(self) -> bool:
        """Return whether no single row is at fault: the other end failed, too."""
        return self.faults > MAX_FAULTS

    def bounds(self, first: int, last: int, most: int) -> tuple[int, int]:
        """Return which of the remaining rows the next request has.

        :param first: index of the first remaining row
        :param last: index after the last one
        :param most: rows that one request may have
        :return: ``(start, end)``
        """
        if self.faults >= MAX_FAULTS and (self.faults - MAX_FAULTS) % 2 == 0:
            return last - 1, last
        size = 1 if self.is_alone else min(most, self.rows or most)
        return first, min(last, first + size)

    def after_failure(self, count: int, *, is_known: bool = False) -> "Isolation":
        """Return the state after a failed request.

        :param count: its rows
        :param is_known: whether its one row had failed before: then it proves nothing about others
        """
        if count > 1:
            return replace(self, rows=count // 2, is_alone=False)
        return Isolation(is_alone=True, faults=self.faults + (not is_known))

    def after_success(self) -> "Isolation":
        """Return the state after an accepted request.

        While a request is bisected, its other half stays as small: it has the faulty row.
        """
        return Isolation() if self.is_alone else replace(self, faults=0)
