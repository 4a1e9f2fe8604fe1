"""Exact arithmetic of orders (from one source; all recorded orders agree)."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from .models import ZERO, Line, Order, Totals
from .switches import Switches

CENT = Decimal("0.01")
HUNDRED = Decimal(100)


def cents(value: Decimal) -> Decimal:
    """Round to cents, half away from zero.

    :param value: an amount
    :return: the amount in whole cents
    """
    return value.quantize(CENT, ROUND_HALF_UP)


def unit_discount(line: Line) -> Decimal:
    """Compute the discount on the price of one unit.

    :param line: an order line
    :return: price × (discount_percent + loyalty_discount) / 100 + discount_amount, unrounded
    """
    percent = (line.discount_percent or ZERO) + (line.loyalty_discount or ZERO)
    return line.price * percent / HUNDRED + (line.discount_amount or ZERO)


def price_sold(line: Line) -> Decimal:
    """Compute the price at which one unit is sold.

    :param line: an order line
    :return: the price less the unit discount, in whole cents
    """
    return cents(line.price - unit_discount(line))


def products_total(lines: list[Line]) -> Decimal:
    """Sum the lines.

    :param lines: order lines
    :return: Σ price_sold × quantity, in whole cents
    """
    return cents(sum((price_sold(line) * line.quantity for line in lines), ZERO))


def order_discount(order: Order, products: Decimal) -> Decimal:
    """Compute the order's own discount, without those of its lines.

    :param order: an order
    :param products: its products_total
    :return: products_total × discount_percent / 100 + discount_amount, in whole cents
    """
    percent = (order.discount_percent or ZERO) / HUNDRED
    return cents(products * percent + (order.discount_amount or ZERO))


def payment_status(grand_total: Decimal, paid: Decimal) -> str:
    """Return the payment status of an order.

    :param grand_total: what is due
    :param paid: what was paid
    :return: not_paid, part_paid, paid or overpaid
    """
    if paid > grand_total:
        return "overpaid"
    if paid <= 0:
        return "not_paid"
    return "paid" if paid == grand_total else "part_paid"


def totals(order: Order, switches: Switches) -> Totals:
    """Compute all totals of an order.

    Whether shipping, wrapping and taxes are part of grand_total is unknown: three switches define it.

    :param order: an order; a grand_total set on it by hand wins over the computed one
    :param switches: the switches in force
    :return: its totals
    """
    products = products_total(order.lines)
    discount = order_discount(order, products)
    grand = order.grand_total
    if grand is None:
        grand = products - discount
        for name, amount in (
            ("shipping_in_total", order.shipping_price),
            ("wrap_in_total", order.wrap_price),
            ("taxes_in_total", order.taxes),
        ):
            if amount is not None and switches.is_(name, "yes"):
                grand += amount
    grand = cents(grand)
    paid = sum((p.amount for p in order.payments if p.status == "paid" and not p.is_expense), ZERO)
    cost = sum((line.purchased_price * line.quantity for line in order.lines), ZERO)
    return Totals(
        products_total=products,
        total_discount=discount,
        grand_total=grand,
        payments_total=cents(paid),
        payment_status=payment_status(grand, paid),
        margin_sum=cents(grand - cost),
    )
