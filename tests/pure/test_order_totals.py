"""Order lines add up to KeyCRM's total, to the cent."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from keycrm import order_totals
from keycrm.orders import Order

CENT = Decimal("0.01")


def order(products=(), **fields):
    return Order.parse(
        {
            "id": 1,
            "products": [{"id": n + 1, **line} for n, line in enumerate(products)],
            "products_total": 0,
            **fields,
        }
    )


def total(parsed):
    """What Odoo would show: the lines, each to the cent, and the extra amounts."""
    lines = Decimal(0)
    for line in parsed.lines:
        price = order_totals.unit_price(line)
        lines += order_totals.to_cents(price.price * line.quantity * (1 - price.discount / 100))
    return lines + sum((extra.amount for extra in order_totals.extras(parsed)), Decimal(0))


def kinds(parsed):
    return [extra.kind for extra in order_totals.extras(parsed)]


def test_recorded_unit_discount_is_a_price():
    parsed = order([{"price": 1035, "price_sold": "879.40", "quantity": 1}], grand_total=879.4)
    price = order_totals.unit_price(parsed.lines[0])
    assert (price.price, price.discount) == (Decimal("879.40"), 0)
    assert total(parsed) == Decimal("879.40")


def test_exact_percentage_is_kept():
    parsed = order([{"price": 200, "price_sold": 150, "quantity": 3}], grand_total=450)
    price = order_totals.unit_price(parsed.lines[0])
    assert (price.price, price.discount) == (200, 25)


def test_percentage_is_exact_in_the_digits_of_the_discount():
    parsed = order([{"price": 1000, "price_sold": 875, "quantity": 1}], grand_total=875)
    for digits, expected in ((2, (1000, 12.5)), (1, (1000, 12.5)), (0, (875, 0))):
        price = order_totals.unit_price(parsed.lines[0], digits)
        assert (price.price, price.discount) == expected


def test_recorded_order_discount_is_a_separate_line():
    parsed = order(
        [{"price": 3569, "price_sold": 3569, "quantity": 1}],
        grand_total=2855,
        total_discount=714,
    )
    assert kinds(parsed) == [order_totals.DISCOUNT]
    assert total(parsed) == 2855


def test_shipping_is_added_only_if_the_total_includes_it():
    line = {"price": 100, "price_sold": 100, "quantity": 1}
    inside = order([line], grand_total=160, shipping_price="60.00", taxes="5.00")
    outside = order([line], grand_total=100, shipping_price="60.00", taxes="5.00")
    assert kinds(inside) == [order_totals.SHIPPING]
    assert kinds(outside) == []
    assert total(inside) == 160
    assert total(outside) == 100


def test_discounts_that_exceed_the_goods_make_their_total_negative():
    lines = [{"price": 100, "price_sold": 70, "quantity": 2}]
    for discount, expected in ((0, 140), (140, 0), ("140.01", Decimal("-0.01"))):
        parsed = order(lines, total_discount=discount, shipping_price="500.00")
        assert order_totals.goods_total(parsed) == expected
    fractions = [{"price": "10.01", "price_sold": "10.01", "quantity": "0.333"}] * 3
    assert order_totals.goods_total(order(fractions, total_discount="10.00")) == 0
    sold_below_zero = [{"price": 10, "price_sold": -40, "quantity": 1}]
    assert order_totals.goods_total(order(sold_below_zero)) == -40


def test_unexplained_total_stays_different():
    parsed = order([{"price": 100, "price_sold": 100, "quantity": 1}], grand_total=777)
    assert total(parsed) == 100


def test_rounding_of_fractional_quantities_is_a_separate_line():
    lines = [{"price": "10.01", "price_sold": "10.01", "quantity": "0.333"}] * 3
    parsed = order(lines, grand_total="10.00")
    assert kinds(parsed) == [order_totals.ROUNDING]
    assert total(parsed) == Decimal("10.00")


cents = st.integers(min_value=0, max_value=5_000_000).map(lambda n: Decimal(n) / 100)


@st.composite
def orders(draw):
    """Orders as KeyCRM reckons them, with or without each extra inside the total."""
    products, goods = [], Decimal(0)
    for _ in range(draw(st.integers(min_value=1, max_value=8))):
        price = draw(cents)
        percent = draw(st.integers(min_value=0, max_value=100))
        off = draw(st.integers(min_value=0, max_value=99)) * CENT
        sold = max(Decimal(0), order_totals.to_cents(price - price * percent / 100 - off))
        quantity = draw(
            st.one_of(
                st.integers(min_value=1, max_value=40).map(Decimal),
                st.integers(min_value=1, max_value=9999).map(lambda n: Decimal(n) / 1000),
            )
        )
        as_text = draw(st.booleans())
        products.append(
            {
                "price": str(price) if as_text else float(price),
                "price_sold": str(sold),
                "quantity": str(quantity),
            }
        )
        goods += sold * quantity
    goods = order_totals.to_cents(goods)
    discount = order_totals.to_cents(goods * draw(st.integers(min_value=0, max_value=100)) / 100)
    extra = {name: draw(cents) for name in ("shipping_price", "wrap_price", "taxes")}
    inside = draw(st.sets(st.sampled_from(sorted(extra))))
    grand = goods - discount + sum((extra[name] for name in inside), Decimal(0))
    return order(
        products,
        grand_total=str(grand),
        total_discount=str(discount),
        **{name: str(amount) for name, amount in extra.items()},
    )


@given(orders())
def test_any_mix_of_discounts_and_extras_gives_keycrms_total(parsed):
    assert total(parsed) == parsed.grand_total


def paid(total=None, *payments, **fields):
    rows = [{"id": n + 1, "status": "paid", **row} for n, row in enumerate(payments)]
    return order(payments=rows, payments_total=total, **fields)


def test_keycrms_sum_is_the_amount_paid():
    assert order_totals.amount_paid(paid(984, {"amount": 24, "actual_currency": "USD"})) == 984
    assert order_totals.amount_paid(paid("0.00", {"amount": 24}, payment_status="paid")) == 0
    assert (
        order_totals.amount_paid(paid(None, {"amount": 24}, {"amount": 1, "status": "canceled"}))
        == 24
    )
    assert order_totals.amount_paid(order(payments=None, payment_status="not_paid")) == 0
    assert order_totals.amount_paid(order(payments=None, payment_status="part_paid")) is None
    assert (
        order_totals.amount_paid(order(payments=None, payment_status="paid", grand_total=70)) == 70
    )


def test_payments_add_up_by_either_of_their_amounts():
    dollars = {"amount": 24, "actual_amount": 984, "source_currency": "USD"}
    assert order_totals.payments_add_up(paid(24, dollars))
    assert order_totals.payments_add_up(paid(984, dollars))
    assert not order_totals.payments_add_up(paid(100, dollars))
    assert order_totals.payments_add_up(paid(0, {"amount": 5, "status": "not_paid"}))
    assert order_totals.payments_add_up(paid(0))
    assert not order_totals.payments_add_up(paid(5))
    assert order_totals.payments_add_up(paid(None))
    assert not order_totals.payments_add_up(order(payments=None))
    assert not order_totals.payments_add_up(order(payments={"0": {"id": 1}}, payments_total=5))
    assert order_totals.payments_add_up(order(payments=None, payments_total=0))
