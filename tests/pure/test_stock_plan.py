"""Decisions about quantities: sent, confirmed, refused or on hold."""

import pytest
from keycrm.stock_plan import Level, Row, plan
from keycrm.stock_quantities import is_too_much


def planned(quantity, level=None, **row):
    """Return the name of the list in which a single row ends."""
    result = plan([Row(1, 101, quantity, **row)], {1: level} if level else {})
    (name,) = [name for name in ("rows", "confirmed", "unread", "refused") if getattr(result, name)]
    return name


@pytest.mark.parametrize(
    ("quantity", "level", "expected"),
    [
        (5, None, "rows"),
        (0, None, "unread"),
        (-2, None, "unread"),
        (5, Level(5, is_known=True), "confirmed"),
        (5, Level(5.0004, is_known=True), "confirmed"),
        (5, Level(5.001, is_known=True), "rows"),
        (6, Level(5, is_known=True), "rows"),
        (0, Level(5, is_known=True), "rows"),
        # A write is under way: what KeyCRM has is not known.
        (5, Level(5), "rows"),
        (6, Level(5, sent_quantity=6), "rows"),
        # Read too soon after the write.
        (5, Level(5, was_read=True, sent_quantity=6), "confirmed"),
        (6, Level(5, was_read=True, sent_quantity=6), "rows"),
        # KeyCRM rounded the quantity down, or replaced a negative one by zero.
        (5.5, Level(5, is_known=True, was_read=True, sent_quantity=5.5), "confirmed"),
        (-3, Level(0, is_known=True, was_read=True, sent_quantity=-3), "confirmed"),
        (5.5, Level(5, is_known=True, sent_quantity=5.5), "rows"),
        (5.5, Level(5, is_known=True, was_read=True, sent_quantity=5), "rows"),
        (5.5, Level(6, is_known=True, was_read=True, sent_quantity=5.5), "rows"),
        # The refused quantity waits, another one is sent.
        (5, Level(4, sent_quantity=5, is_refused=True), "refused"),
        (6, Level(4, sent_quantity=5, is_refused=True), "rows"),
        (5, Level(5, is_known=True, sent_quantity=5, is_refused=True), "confirmed"),
    ],
)
def test_quantity_is_sent_unless_confirmed_refused_or_unread(quantity, level, expected):
    assert planned(quantity, level) == expected


@pytest.mark.parametrize(
    ("row", "level", "is_unexplained"),
    [
        (Row(1, 101, 0), Level(5, is_known=True), True),
        (Row(1, 101, -1), Level(5, is_known=True), True),
        (Row(1, 101, 0), Level(5), True),
        (Row(1, 101, 0, zero_allowed=True), Level(5, is_known=True), False),
        (Row(1, 101, 1), Level(5, is_known=True), False),
        (Row(1, 101, -1), Level(0, is_known=True), False),
        (Row(1, 101, 0), Level(5, sent_quantity=0, is_refused=True), False),
    ],
)
def test_zero_without_a_move_is_unexplained(row, level, is_unexplained):
    assert plan([row], {1: level}).unexplained_zeros == ([1] if is_unexplained else [])


def test_held_zeros_are_not_sent_and_other_rows_are():
    rows = [Row(1, 101, 0), Row(2, 102, 0, zero_allowed=True), Row(3, 103, 7), Row(4, 104, 0)]
    levels = {n: Level(5, is_known=True) for n in (1, 2, 3, 4)}
    result = plan(rows, levels).hold_zeros()
    assert [row.offer_id for row in result.rows] == [2, 3]
    assert result.held == [1, 4]


@pytest.mark.parametrize(
    ("zeroed", "catalog", "limit", "percent", "expected"),
    [
        (21, 250, 20, 10, True),
        (21, 250, 30, 10, False),
        (21, 150, 30, 10, True),
        (21, 150, 30, 15, False),
        # A small shop sells out.
        (3, 3, 20, 10, False),
        (4, 6, 20, 10, True),
    ],
)
def test_limit_and_percentage_decide_whether_zeros_are_held(
    zeroed, catalog, limit, percent, expected
):
    assert is_too_much(zeroed, catalog, limit, percent) is expected
