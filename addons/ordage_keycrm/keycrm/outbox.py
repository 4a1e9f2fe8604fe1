"""Coalesce the rows of the outbox and choose the batch window, as pure functions."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

#: Rows of the outbox that one pass takes; repeats of a product are deduplicated. Twice as many as fit
#: into one PUT: so an inventory of ten thousand products is one pass, even if orders reserve some of
#: them meanwhile.
OUTBOX_BATCH = 20000
#: Batch window when changes arrive faster than they are sent one by one; the trigger adds up to one
#: second. KeyCRM accepts one request a second in the long run, and a worker that ran after each move of
#: many users would slow them down by a fifth.
DEBOUNCE_SECONDS = 1.0
#: Batch window under high load: a request a second would use up KeyCRM's limit, which orders need too,
#: and eight users of the same process would wait a tenth longer.
HIGH_LOAD_SECONDS = 4.0
#: Transactions in one pass that count as high load: five users commit as many in one to two seconds, or
#: two users in four to five. A synchronization of confirmed orders commits only once or twice a second,
#: so a user's own change does not wait for it.
HIGH_LOAD_COMMITS = 8


class ChangeRow(NamedTuple):
    """Hold a row of the outbox.

    :param id: id of the row
    :param product_id: id of the product whose stock may have changed; None where only mappings ended
    :param refresh_first: whether its quantity in KeyCRM is read before anything is sent
    :param changed_at: time of the transaction
    :param zero_allowed: whether a zero is sent however many there are
    """

    id: int
    product_id: int | None
    refresh_first: bool
    changed_at: datetime
    zero_allowed: bool = False


@dataclass(frozen=True, slots=True)
class WaitingChanges:
    """Hold what one pass takes from the outbox.

    :param ids: ids of the rows
    :param product_ids: each once
    :param refresh_ids: of these, products whose stock in KeyCRM is read first
    :param zero_allowed_ids: of these, products whose zeros are sent however many there are
    :param commits: how many transactions changed something
    :param has_ended: whether the mappings of offers ended
    """

    ids: list[int]
    product_ids: list[int]
    refresh_ids: set[int]
    zero_allowed_ids: set[int]
    commits: int
    has_ended: bool

    @classmethod
    def coalesce(cls, rows: Iterable[ChangeRow]) -> "WaitingChanges":
        """Deduplicate the rows of the outbox.

        :param rows: oldest first
        """
        rows = list(rows)
        of_products = [row for row in rows if row.product_id]
        return cls(
            ids=[row.id for row in rows],
            product_ids=list(dict.fromkeys(row.product_id for row in of_products)),
            refresh_ids={row.product_id for row in of_products if row.refresh_first},
            zero_allowed_ids={row.product_id for row in of_products if row.zero_allowed},
            commits=len({row.changed_at for row in rows}),
            has_ended=any(row.product_id is None for row in rows),
        )

    @property
    def debounce_seconds(self) -> float:
        """Return the batch window before the next pass.

        :return: seconds; 0.0 where changes come one by one, or more rows wait already
        """
        if self.commits < 2 or len(self.ids) >= OUTBOX_BATCH:
            return 0.0
        return HIGH_LOAD_SECONDS if self.commits >= HIGH_LOAD_COMMITS else DEBOUNCE_SECONDS
