"""Decide which costs and prices are sent for KeyCRM's offers, as pure functions."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

CENT = Decimal("0.01")
#: Offers of one request: as many as KeyCRM accepts (documented).
PUT_ROWS = 10000
#: A request has at least so many, however long KeyCRM needs for them.
LEAST_ROWS = 100
#: Seconds that a request may take: a stock export of the same worker waits for it.
REQUEST_SECONDS = 1.0
#: The field of an offer in KeyCRM by kind of value.
OFFER_FIELDS = {"cost": "purchased_price", "price": "price"}
#: What floating point numbers may differ by.
_NOISE = 1e-6


@dataclass(frozen=True, slots=True)
class Value:
    """Hold a value of an offer.

    :param offer_id: the record in Odoo
    :param number: KeyCRM's number of the offer
    :param kind: key of :data:`OFFER_FIELDS`
    :param amount: in KeyCRM's currency
    """

    offer_id: int
    number: int
    kind: str
    amount: Decimal


def to_money(amount: float | Decimal) -> Decimal:
    """Round to cents, half up, as KeyCRM shows money."""
    return Decimal(str(amount)).quantize(CENT, ROUND_HALF_UP)


def differs(wanted: Decimal, known: Decimal | float | None, step: float = 0.0) -> bool:
    """Return whether a value has to be sent.

    A zero is never sent: in Odoo it means that nobody entered a value. Nor is KeyCRM's own value, which
    the import rounded to the company's currency.

    :param wanted: the value in Odoo
    :param known: the value in KeyCRM; None when it was never read
    :param step: the smallest amount of the company's currency, in that of the values; zero where both are
        the same
    """
    if wanted <= 0 or (known is not None and to_money(known) == wanted):
        return False
    if known is None or not step:
        return True
    imported = math.floor(float(known) / step + 0.5 + _NOISE) * step
    return abs(imported - float(wanted)) > 0.005 + _NOISE


def rows_within(rows: int, seconds: float, most: int) -> int:
    """Return how many rows the next request may have.

    :param rows: rows of the last request
    :param seconds: that KeyCRM needed for them
    :param most: rows that it was allowed to have
    """
    fitting = int(rows * REQUEST_SECONDS / max(seconds, 0.001))
    if seconds > REQUEST_SECONDS:
        return min(most, max(LEAST_ROWS, fitting))
    return min(PUT_ROWS, max(most, fitting))


def body(values: Iterable[Value]) -> dict[str, Any]:
    """Return the body of ``PUT /offers``: one row an offer.

    :param values: values, of one offer also of several kinds
    """
    rows: dict[int, dict[str, Any]] = {}
    for value in values:
        row = rows.setdefault(value.number, {"id": value.number})
        row[OFFER_FIELDS[value.kind]] = float(value.amount)
    return {"offers": list(rows.values())}
