"""Which costs are sent: what differs, never a zero, many in one request, faulty ones alone."""

from decimal import Decimal

import pytest
from keycrm.offer_values import Value, body, differs, to_money


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
