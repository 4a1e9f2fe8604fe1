"""The totals of orders, to the cent."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox import money
from sandbox.models import ZERO, Line, Order, Payment
from sandbox.switches import Switches

CENT = Decimal("0.01")
amounts = st.decimals("0", "9999.99", places=2)
percents = st.decimals("0", "100", places=2)
lines = st.builds(
    Line,
    id=st.just(1),
    price=amounts,
    quantity=st.decimals("0", "50", places=3),
    discount_percent=st.none() | percents,
    discount_amount=st.none() | amounts,
    loyalty_discount=st.none() | percents,
)


def order(**values: object) -> Order:
    from datetime import UTC, datetime

    now = datetime(2026, 8, 1, tzinfo=UTC)
    return Order(1, 1, 1, None, now, now, now, now, **values)


def grand(found: Order, **switches: str) -> Decimal:
    return money.totals(found, Switches(switches)).grand_total


def test_recorded_line_has_all_its_discounts():
    line = Line(
        1,
        price=Decimal(1035),
        discount_percent=Decimal(12),
        loyalty_discount=Decimal(3),
        discount_amount=Decimal("0.35"),
    )
    assert money.price_sold(line) == Decimal("879.40")


def test_recorded_order_discount_is_not_spread_over_lines():
    found = order(
        lines=[Line(1, price=Decimal(3569))],
        discount_percent=Decimal(20),
        discount_amount=Decimal("0.2"),
    )
    totals = money.totals(found, Switches())
    assert totals.total_discount == Decimal("714.00")
    assert totals.grand_total == Decimal("2855.00")
    assert totals.products_total == Decimal("3569.00")


def test_recorded_order_without_lines_has_a_total():
    assert grand(order(grand_total=Decimal(2300))) == 2300


@pytest.mark.parametrize("name", ["shipping", "wrap", "taxes"])
def test_each_extra_is_inside_or_outside_by_its_own_switch(name: str):
    field = "taxes" if name == "taxes" else f"{name}_price"
    found = order(lines=[Line(1, price=Decimal(100))], **{field: Decimal("4.50")})
    assert grand(found, **{f"{name}_in_total": "yes"}) == Decimal("104.50")
    assert grand(found, **{f"{name}_in_total": "no"}) == Decimal("100.00")
    others = dict.fromkeys(("shipping_in_total", "wrap_in_total", "taxes_in_total"), "no")
    others[f"{name}_in_total"] = "yes"
    assert grand(found, **others) == Decimal("104.50")


@pytest.mark.parametrize(
    ("paid", "status"),
    [("0", "not_paid"), ("99.99", "part_paid"), ("100", "paid"), ("100.01", "overpaid")],
)
def test_payment_status_follows_the_payments(paid: str, status: str):
    payment = Payment(1, Decimal(paid), 1)
    found = order(lines=[Line(1, price=Decimal(100))], payments=[payment])
    assert money.totals(found, Switches()).payment_status == status


def test_only_paid_payments_count():
    payments = [
        Payment(1, Decimal(60), 1, status="canceled"),
        Payment(2, Decimal(50), 1, status="not_paid"),
        Payment(3, Decimal(40), 1),
        Payment(4, Decimal(30), 1, is_expense=True),
    ]
    found = order(lines=[Line(1, price=Decimal(100))], payments=payments)
    assert money.totals(found, Switches()).payments_total == 40


@given(st.lists(lines, max_size=6), st.none() | percents, st.none() | amounts)
def test_totals_follow_the_formulas(found: list[Line], percent, amount):
    made = order(lines=found, discount_percent=percent, discount_amount=amount)
    totals = money.totals(made, Switches())
    expected = ZERO
    for line in found:
        share = (line.discount_percent or 0) + (line.loyalty_discount or 0)
        sold = line.price - (line.price * share / 100 + (line.discount_amount or 0))
        rounded = sold.quantize(CENT, ROUND_HALF_UP)
        assert money.price_sold(line) == rounded
        expected += rounded * line.quantity
    expected = expected.quantize(CENT, ROUND_HALF_UP)
    assert totals.products_total == expected
    discount = (expected * (percent or 0) / 100 + (amount or 0)).quantize(CENT, ROUND_HALF_UP)
    assert totals.total_discount == discount
    assert totals.grand_total == expected - discount


@given(st.lists(lines, max_size=4), *[st.none() | amounts] * 3)
def test_extras_add_exactly_what_their_switches_say(found, shipping, wrap, taxes):
    made = order(lines=found, shipping_price=shipping, wrap_price=wrap, taxes=taxes)
    off = dict.fromkeys(("shipping_in_total", "wrap_in_total", "taxes_in_total"), "no")
    extras = sum((x for x in (shipping, wrap, taxes) if x is not None), ZERO)
    assert grand(made) - grand(made, **off) == extras
