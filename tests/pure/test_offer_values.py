"""Which costs are sent: what differs, never a zero, many in one request, faulty ones alone."""

from decimal import Decimal

import pytest
from keycrm.offer_values import LEAST_ROWS, PUT_ROWS, Value, body, differs, rows_within, to_money


@pytest.mark.parametrize(
    ("amount", "money"),
    [(10, "10.00"), (0.1 + 0.2, "0.30"), (2.675, "2.68"), (1.005, "1.01"), (33.3333, "33.33")],
)
def test_money_is_rounded_half_up(amount, money):
    assert to_money(amount) == Decimal(money)


@pytest.mark.parametrize(
    ("wanted", "known", "sent"),
    [
        ("10.00", None, True),
        ("10.00", 10.0, False),
        ("10.00", 10.004, False),
        ("10.00", 10.01, True),
        ("0.00", 5.0, False),
        ("0.00", None, False),
        ("10.00", 0.0, True),
    ],
)
def test_only_what_differs_is_sent_and_never_a_zero(wanted, known, sent):
    assert differs(Decimal(wanted), known) is sent


def test_body_has_one_row_for_each_offer():
    values = [Value(n, 100 + n, "cost", Decimal("1.50")) for n in (1, 2)]
    assert body(values) == {
        "offers": [
            {"id": 101, "purchased_price": 1.5},
            {"id": 102, "purchased_price": 1.5},
        ]
    }


def test_requests_shrink_for_slow_keycrm_so_stock_waits_one_second():
    assert rows_within(10_000, 0.4, PUT_ROWS) == PUT_ROWS
    assert rows_within(10_000, 8.0, PUT_ROWS) == 1250
    assert rows_within(1250, 1.0, 1250) == 1250
    # A slow answer of few rows says little about many.
    assert rows_within(3, 5.0, PUT_ROWS) == LEAST_ROWS


def test_requests_grow_again_when_keycrm_is_fast():
    assert rows_within(1250, 0.5, 1250) == 2500
    assert rows_within(2, 0.2, 1250) == 1250
    assert rows_within(5000, 0.1, 5000) == PUT_ROWS


@pytest.mark.parametrize(
    ("wanted", "known", "sent"),
    [
        # 1 USD = 41.50 UAH: 0.30 UAH were imported as 0.01 USD, 1000 UAH as 24.10 USD.
        ("0.42", 0.30, False),
        ("0.83", 1.00, False),
        ("1000.15", 1000.0, False),
        ("0.83", 0.30, True),
        ("0.42", None, True),
        ("0.42", 0.0, True),
        # A user entered 0.0123 USD: that is no rounded 0.50 UAH.
        ("0.51", 0.50, True),
    ],
)
def test_value_that_the_import_rounded_is_not_sent_back(wanted, known, sent):
    assert differs(Decimal(wanted), known, 0.415) is sent


def test_half_a_cent_is_rounded_as_the_import_does():
    for step in (0.4, 0.4 - 1e-12, 0.4 + 1e-12):
        assert not differs(Decimal("0.40"), 0.2, step)
    # A finer currency than KeyCRM's loses nothing.
    assert differs(Decimal("1.01"), 1.0, 0.01 / 41.5)
