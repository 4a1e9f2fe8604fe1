"""Compute the lines that make up KeyCRM's total of an order, to the cent.

KeyCRM's formula (recorded orders agree, no vendor text): ``total_discount`` is the order's own
discount, not spread over the lines; whether shipping, wrapping and taxes are part of ``grand_total`` is
unknown and derived from the numbers of each order.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from itertools import combinations

from .orders import Line, Order

CENT = Decimal("0.01")
ZERO = Decimal(0)

#: Kinds of extra amounts, in the order of preference when several combinations fit.
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
    """Hold a line's price in Odoo: amount = price × quantity × (1 − discount / 100)."""

    price: Decimal
    discount: Decimal


def line_amount(line: Line) -> Decimal:
    """Return the amount of a line, to the cent."""
    return to_cents(line.price_sold * line.quantity)


def goods_total(order: Order) -> Decimal:
    """Return the goods less all discounts; negative where the discounts exceed them.

    Rounded once, as KeyCRM's own sum is. Otherwise a discount of 100 % could exceed the sum of
    fractions by a cent.
    """
    goods = sum((line.price_sold * line.quantity for line in order.lines), ZERO)
    return to_cents(goods) - to_cents(order.total_discount)


def amount_paid(order: Order) -> Decimal | None:
    """Return the paid amount of an order in its currency.

    :param order: the order
    :return: KeyCRM's own sum; without it the amount by its payments or its payment status; None where
        all are missing
    """
    if order.payments_total is not None:
        return order.payments_total
    if order.payment_status in ("paid", "overpaid") and order.grand_total is not None:
        return order.grand_total
    if order.has_payments:
        return sum((one.order_amount for one in order.payments if one.status == "paid"), ZERO)
    return ZERO if order.payment_status == "not_paid" else None


def payments_add_up(order: Order) -> bool:
    """Return whether the payments of the answer are complete by KeyCRM's own sum.

    It is unknown which of a payment's two amounts is in the order's currency: either may add up to the
    sum.
    """
    if order.payments_total is None:
        return order.has_payments
    paid = [one for one in order.payments if one.status == "paid"]
    sums = (
        sum((one.order_amount for one in paid), ZERO),
        sum((p.actual_amount for p in paid), ZERO),
    )
    return to_cents(order.payments_total) in map(to_cents, sums)


def unit_price(line: Line, discount_digits: int = 2) -> UnitPrice:
    """Return price and discount for which Odoo's amount is ``price_sold × quantity``.

    The list price with a percentage is nicer to read, but Odoo's discount has two decimals at most and
    misses KeyCRM's price in almost every case with an odd price: then the selling price is used without
    discount.

    :param line: the line
    :param discount_digits: decimals of Odoo's discount
    """
    if line.price > ZERO and ZERO <= line.price_sold < line.price:
        percent = (1 - line.price_sold / line.price) * 100
        percent = percent.quantize(CENT.scaleb(2 - discount_digits), rounding=ROUND_HALF_UP)
        unit = line.price * (1 - percent / 100)
        if unit == line.price_sold:
            return UnitPrice(line.price, percent)
    return UnitPrice(line.price_sold, ZERO)


@dataclass(frozen=True, slots=True)
class Extra:
    """Hold an amount of an order in addition to its products.

    It is of shipping, wrapping, taxes, or the order's discount.
    """

    kind: str
    amount: Decimal


def extras(order: Order) -> list[Extra]:
    """Find the amounts that together with the products add up to ``grand_total``.

    :param order: the order
    :return: extra amounts; when no combination of shipping, wrapping and taxes explains the total, none
        of these, and the order's total visibly differs
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
    # Cents that may result from rounding each line instead of their sum: half a cent per line.
    slack = abs(to_cents(exact) - goods) + CENT * (len(order.lines) // 2 + 1)
    chosen = _fitting(candidates, missing, slack)
    if chosen is None:
        return found
    found.extend(chosen)
    remainder = missing - sum((extra.amount for extra in chosen), ZERO)
    if remainder:
        found.append(Extra(ROUNDING, remainder))
    return found


def _fitting(candidates: list[Extra], missing: Decimal, slack: Decimal) -> list[Extra] | None:
    """Choose candidates that add up to the missing amount, within the slack at worst.

    :param candidates: extra amounts of the order
    :param missing: amount to explain
    :param slack: largest difference by rounding
    :return: the chosen ones; None where no combination fits
    """
    choices = [
        list(choice)
        for size in range(len(candidates) + 1)
        for choice in combinations(candidates, size)
    ]
    distances = [abs(missing - sum((extra.amount for extra in choice), ZERO)) for choice in choices]
    nearest = min(range(len(choices)), key=distances.__getitem__)
    return choices[nearest] if distances[nearest] <= slack else None
