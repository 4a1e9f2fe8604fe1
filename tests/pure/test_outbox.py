"""Coalescing of the outbox, and the batch window."""

from datetime import datetime, timedelta

import pytest
from keycrm.outbox import (
    DEBOUNCE_SECONDS,
    HIGH_LOAD_COMMITS,
    HIGH_LOAD_SECONDS,
    OUTBOX_BATCH,
    ChangeRow,
    WaitingChanges,
)

NOW = datetime(2026, 5, 4, 12, 0)


def row(number, product=1, *, refresh_first=False, **values):
    """Return a row of a transaction of its own."""
    at = NOW + timedelta(milliseconds=number)
    return ChangeRow(number, product, refresh_first, values.pop("changed_at", at), **values)


def test_changes_of_a_product_are_coalesced_and_every_row_is_finished():
    changes = WaitingChanges.coalesce(
        [row(1, 7), row(2, 8, refresh_first=True), row(3, 7, zero_allowed=True), row(4, 7)]
    )
    assert changes.ids == [1, 2, 3, 4]
    assert changes.product_ids == [7, 8]
    assert changes.refresh_ids == {8}
    assert changes.zero_allowed_ids == {7}
    assert not changes.has_ended


def test_row_without_a_product_reports_ended_mappings():
    changes = WaitingChanges.coalesce([row(1), row(2, None), row(3, None)])
    assert changes.has_ended
    assert changes.product_ids == [1]
    assert changes.ids == [1, 2, 3]


@pytest.mark.parametrize(
    ("commits", "seconds"),
    [
        (1, 0.0),
        (2, DEBOUNCE_SECONDS),
        (HIGH_LOAD_COMMITS - 1, DEBOUNCE_SECONDS),
        (HIGH_LOAD_COMMITS, HIGH_LOAD_SECONDS),
    ],
)
def test_batch_window_grows_with_the_commits(commits, seconds):
    changes = WaitingChanges.coalesce(row(number) for number in range(commits))
    assert changes.debounce_seconds == seconds


def test_many_rows_of_one_transaction_need_no_batch_window():
    changes = WaitingChanges.coalesce(row(number, number, changed_at=NOW) for number in range(500))
    assert changes.debounce_seconds == 0.0


def test_full_batch_is_followed_by_the_next_one_at_once():
    changes = WaitingChanges.coalesce(row(number) for number in range(OUTBOX_BATCH))
    assert changes.debounce_seconds == 0.0
