"""Decide which costs and prices are sent for KeyCRM's offers, as pure functions."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

CENT = Decimal("0.01")
#: Refusals in a row after which requests are no longer bisected: then it is no single item's fault.
MOST_REFUSALS = 40
#: The field of an offer in KeyCRM by kind of value.
OFFER_FIELDS = {"cost": "purchased_price", "price": "price"}


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


def differs(wanted: Decimal, known: Decimal | float | None) -> bool:
    """Return whether a value has to be sent.

    A zero is never sent: in Odoo it means that nobody entered a value.

    :param wanted: the value in Odoo
    :param known: the value in KeyCRM; None when it was never read
    """
    if wanted <= 0:
        return False
    return known is None or to_money(known) != wanted


def body(values: Iterable[Value]) -> dict[str, Any]:
    """Return the body of ``PUT /offers``: one row an offer.

    :param values: values, of one offer also of several kinds
    """
    rows: dict[int, dict[str, Any]] = {}
    for value in values:
        row = rows.setdefault(value.number, {"id": value.number})
        row[OFFER_FIELDS[value.kind]] = float(value.amount)
    return {"offers": list(rows.values())}


@dataclass(frozen=True, slots=True)
class Isolation:
    """Isolate the items that make requests fail: after a refusal the next request has half as many.

    The state is stored between two requests, so that urgent work is done in between.

    :param rows: items of the next request at most; 0 for as many as one may have
    :param refusals: refusals in a row
    """

    rows: int = 0
    refusals: int = 0

    def size(self, most: int) -> int:
        """Return the number of items of the next request.

        :param most: items that one request may have
        """
        return min(most, self.rows or most)

    def after_acceptance(self) -> "Isolation":
        """Return the next state; the size stays until the faulty item is found."""
        return Isolation(self.rows)

    def after_refusal(self, count: int) -> tuple["Isolation", bool]:
        """Return the next state, and whether the items of the request count as refused.

        :param count: items of the request
        """
        refusals = self.refusals + 1
        if count == 1 or refusals >= MOST_REFUSALS:
            return Isolation(0, refusals), True
        return Isolation(count // 2, refusals), False
