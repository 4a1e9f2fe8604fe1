"""The arithmetic of an order: what lines make up KeyCRM's total, to the cent.

How KeyCRM reckons (recorded orders agree, no vendor text): ``total_discount`` is the order's own
discount, not spread over the lines; whether shipping, wrapping and taxes are part of ``grand_total``
is not known and is read off the numbers of each order.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from itertools import combinations

from .records import Line, Order

CENT = Decimal("0.01")
ZERO = Decimal(0)

#: Kinds of extra amounts, in the order in which they are believed when several would fit.
SHIPPING, WRAP, TAXES, DISCOUNT, ROUNDING, LUMP = (
    "shipping",
    "wrap",
    "taxes",
    "discount",
    "rounding",
    "lump",
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
    total = to_cents(order.grand_total)
    if not order.lines:
        # An order with a total and without lines was seen; its total is one lump.
        lump = total - sum((extra.amount for extra in found), ZERO)
        return [*found, Extra(LUMP, lump)] if lump else found
    missing = total - goods - sum((extra.amount for extra in found), ZERO)
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
