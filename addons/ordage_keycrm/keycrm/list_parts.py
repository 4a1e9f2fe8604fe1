"""Read a page of a list in smaller parts, where KeyCRM cannot return it as a whole."""

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from .client import PAGE_SIZE, Page
from .errors import KeyCrmError, QuotaExceeded, RateLimited
from .parsing import to_id

#: Rows of a part, and of the parts of an unreadable one; each divides the one before.
PART_SIZES = (10, 1)
#: Failed requests in a row after which the list as a whole is unreadable: the parts of ten rows, and two.
MAX_FAILURES = PART_SIZES[0] + 2


class UnreadRows(NamedTuple):
    """Hold rows that KeyCRM could not return; nothing may be concluded from their absence.

    :param position: position of the first one in the list, from 1
    :param count: their number
    :param after: number of the row before them; None where it is not known
    :param before: number of the row after them; None where it is not known
    :param error: the :class:`~.errors.KeyCrmError` of their request
    """

    position: int
    count: int
    after: int | None
    before: int | None
    error: KeyCrmError

    def as_error(self) -> tuple[str, dict[str, str | int]]:
        """Return the code and parameters of the sentence about these rows."""
        params = {
            "position": self.position,
            "count": self.count,
            "after": self.after or 0,
            "code": self.error.code,
            "details": self.error.params,
        }
        return ("rows_unread" if self.count > 1 else "row_unread"), params

    def numbers(self, most: int) -> range:
        """Return the numbers that the rows may have in a list that is sorted by them.

        :param most: numbers that are returned at most; none where there are more
        """
        if self.after is None or self.before is None:
            return range(0)
        found = range(self.after + 1, self.before)
        return found if len(found) <= most else range(0)


def read_in_parts(
    read: Callable[[int, int], Page],
    number: int,
    is_at_fault: Callable[[KeyCrmError], bool],
    is_time_up: Callable[[], bool] = lambda: False,
    most: int = MAX_FAILURES,
) -> Page:
    """Read a page as smaller pages; a row that cannot be read alone is left out.

    :param read: called with rows of a part and its number; returns it as a :class:`~.client.Page`
    :param number: of the page
    :param is_at_fault: returns whether KeyCRM is available, and only the request failed
    :param is_time_up: returns whether the rows of an unreadable part are left out together
    :param most: failed requests in a row after which the list as a whole is unreadable
    :return: the page, with its ``unread`` rows
    :raise KeyCrmError: when KeyCRM is unavailable, or cannot return the list as a whole
    """
    begin = (number - 1) * PAGE_SIZE
    ranges = deque((begin + first, PART_SIZES[0]) for first in range(0, PAGE_SIZE, PART_SIZES[0]))
    rows: list[dict] = []
    left_out: list[tuple[int, int, int, KeyCrmError]] = []
    answer, failures = None, 0
    while ranges:
        first, size = ranges.popleft()
        try:
            part = read(size, first // size + 1)
        except (QuotaExceeded, RateLimited):
            raise
        except KeyCrmError as error:
            failures += 1
            if failures > most or not is_at_fault(error):
                raise
            smaller = next((one for one in PART_SIZES if one < size), 0)
            if smaller and not is_time_up():
                parts = range(first, first + size, smaller)
                ranges.extendleft((start, smaller) for start in reversed(parts))
            else:
                left_out.append((first + 1, size, len(rows), error))
            failure = error
            continue
        answer, failures = part, 0
        rows += part.rows
        # Not the part's own end of the list: it counts in pages of its size.
        if not part.rows or 0 < part.total <= first + size:
            break
    if not answer:
        raise failure
    numbers = [None, *(to_id(row.get("id")) for row in rows), None]
    unread = tuple(
        UnreadRows(position, count, *numbers[place : place + 2], error)
        for position, count, place, error in left_out
    )
    last = -(-answer.total // PAGE_SIZE)
    return Page(rows, number, answer.total, last, bool(answer.rows) and answer.has_next, unread)
