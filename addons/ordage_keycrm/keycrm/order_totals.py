"""The arithmetic of an order: what lines make up KeyCRM's total, to the cent.

How KeyCRM reckons (recorded orders agree, no vendor text): ``total_discount`` is the order's own
discount, not spread over the lines; whether shipping, wrapping and taxes are part of ``grand_total``
is not known and is read off the numbers of each order.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from itertools import combinations

from .orders import Line, Order

CENT = Decimal("0.01")
ZERO = Decimal(0)

#: Kinds of extra amounts, in the order in which they are believed when several would fit.
SHIPPING, WRAP, TAXES, DISCOUNT, ROUNDING = (
    "shipping",
    "wrap",
    "taxes",
    "discount",
    "rounding",
)


def to_cents(amount: Decimal) -> Decimal:
    """Round half up to two decimals, as Odoo does for a currency with cents."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class UnitPrice:
    """How a line's price is written in Odoo: amount = price × quantity × (1 − discount / 100)."""

    price: Decimal
    discount: Decimal


def line_amount(line: Line) -> Decimal:
    """What the line costs, to the cent."""
    return to_cents(line.price_sold * line.quantity)


def goods_total(order: Order) -> Decimal:
    """Add up the goods less all discounts; below 0 where the discounts exceed the goods.

    Rounded once, as KeyCRM's own sum is: or a discount of 100 % would exceed fractions by a cent.
    """
    goods = sum((line.price_sold * line.quantity for line in order.lines), ZERO)
    return to_cents(goods) - to_cents(order.total_discount)


def amount_paid(order: Order) -> Decimal | None:
    """Return what was paid of the order, in its currency: KeyCRM's own sum, always.

    :return: without that sum what its payments or its payment status say; None where nothing says it
    """
    if order.payments_total is not None:
        return order.payments_total
    if order.payment_status in ("paid", "overpaid") and order.grand_total is not None:
        return order.grand_total
    if order.has_payments:
        return sum((one.order_amount for one in order.payments if one.status == "paid"), ZERO)
    return ZERO if order.payment_status == "not_paid" else None


def payments_add_up(order: Order) -> bool:
    """Check that the payments of the answer make KeyCRM's own sum: then none is missing in it.

    Which of a payment's two amounts is in the order's currency is not known: either may make the sum.
    """
    if order.payments_total is None:
        return order.has_payments
    paid = [one for one in order.payments if one.status == "paid"]
    sums = (
        sum((one.order_amount for one in paid), ZERO),
        sum((p.actual_amount for p in paid), ZERO),
    )
    return to_cents(order.payments_total) in map(to_cents, sums)


def unit_price(line: Line) -> UnitPrice:
    """Say price and discount so that Odoo's amount equals ``price_sold × quantity``.

    The list price with a percentage is nicer to read, but Odoo's discount has two decimals and misses
    KeyCRM's price in almost every case with an odd price: then the price sold stands without discount.
    """
    if line.price > ZERO and ZERO <= line.price_sold < line.price:
        percent = to_cents((1 - line.price_sold / line.price) * 100)
        unit = line.price * (1 - percent / 100)
        if unit == line.price_sold:
            return UnitPrice(line.price, percent)
    return UnitPrice(line.price_sold, ZERO)


@dataclass(frozen=True, slots=True)
class Extra:
    """An amount of the order that is no product: shipping, wrapping, taxes, the order's discount."""

    kind: str
    amount: Decimal


def extras(order: Order) -> list[Extra]:
    """Find the lines that together with the products make ``grand_total``.

    :return: extra amounts; when no combination of shipping, wrapping and taxes explains the total,
        those that come nearest are left out and the order's total will differ visibly
    """
    found = [Extra(DISCOUNT, -to_cents(order.total_discount))] if order.total_discount else []
    goods = sum((line_amount(line) for line in order.lines), ZERO)
    exact = sum((line.price_sold * line.quantity for line in order.lines), ZERO)
    if order.grand_total is None:
        return found
    missing = to_cents(order.grand_total) - goods - sum((extra.amount for extra in found), ZERO)
    candidates = [
        Extra(kind, to_cents(amount))
        for kind, amount in (
            (SHIPPING, order.shipping_price),
            (WRAP, order.wrap_price),
            (TAXES, order.taxes),
        )
        if amount
    ]
    # Cents that rounding each line, instead of their sum, can bring: half a cent a line.
    slack = abs(to_cents(exact) - goods) + CENT * (len(order.lines) // 2 + 1)
    chosen = _fitting(candidates, missing, slack)
    if chosen is None:
        return found
    found.extend(chosen)
    rest = missing - sum((extra.amount for extra in chosen), ZERO)
    if rest:
        found.append(Extra(ROUNDING, rest))
    return found


def _fitting(candidates: list[Extra], missing: Decimal, slack: Decimal) -> list[Extra] | None:
    """Choose the candidates whose sum is what is missing; exactly first, else within the slack."""
    choices = [
        list(choice)
        for size in range(len(candidates) + 1)
        for choice in combinations(candidates, size)
    ]
    distances = [abs(missing - sum((extra.amount for extra in choice), ZERO)) for choice in choices]
    nearest = min(range(len(choices)), key=distances.__getitem__)
    return choices[nearest] if distances[nearest] <= slack else None
