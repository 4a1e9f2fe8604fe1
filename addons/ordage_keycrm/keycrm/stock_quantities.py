"""Compute the quantity that KeyCRM should show, as pure functions.

All quantities are in the product's own unit, of one offer in one KeyCRM warehouse.
"""

import math
from dataclasses import dataclass

FREE = "free"
AVAILABLE = "available"

#: Quantities are compared and sent with this many digits, as KeyCRM shows them (confirmed: "-1.000").
DIGITS = 3
#: An export that zeroes no more products than this is usual selling out, however small the catalog.
FEW = 3


@dataclass(slots=True)
class Terms:
    """Hold the terms of the quantity.

    :param on_hand: on hand in the matched Odoo warehouses
    :param reserved: part of it that is reserved in Odoo for any demand
    :param own_reserved: part of that which is reserved for orders of this account
    :param open_orders: outgoing quantity of open orders of this account
    :param keycrm_reserved: KeyCRM's own reserve for known order lines
    :param written_off: quantity that KeyCRM has already written off and Odoo still has to ship
    :param is_ended: the product is no longer sold, and KeyCRM shows zero
    """

    on_hand: float = 0.0
    reserved: float = 0.0
    own_reserved: float = 0.0
    open_orders: float = 0.0
    keycrm_reserved: float = 0.0
    written_off: float = 0.0
    is_ended: bool = False

    @property
    def reserved_for_others(self) -> float:
        return max(0.0, self.reserved - self.own_reserved)


def digits_of(quantity) -> int:
    """Return the number of decimals that a quantity needs, at most :data:`DIGITS`.

    :param quantity: a number, exact or not
    """
    return len(f"{quantity:.{DIGITS}f}".rstrip("0").partition(".")[2])


def target(rule: str, terms: Terms) -> float:
    """Return the quantity that KeyCRM should show.

    ``available`` adds KeyCRM's own reserve, because KeyCRM subtracts it again (confirmed: its quantity
    includes the reserve) and so sells the quantity that is free.

    :param rule: ``on_hand``, ``free`` or ``available``
    :param terms: terms of the quantity
    """
    if terms.is_ended:
        return 0.0
    if rule == AVAILABLE:
        number = (
            terms.on_hand - terms.reserved_for_others - terms.open_orders + terms.keycrm_reserved
        )
    elif rule == FREE:
        number = terms.on_hand - terms.reserved
    else:
        number = terms.on_hand - terms.written_off
    # -0.0 + 0.0 is 0.0: no user should see "-0".
    return round(number, DIGITS) + 0.0


def is_same(one: float, other: float) -> bool:
    """Return whether two quantities are equal in KeyCRM's digits."""
    return round(one - other, DIGITS) == 0


def fitted(quantity: float, *, whole: bool, positive: bool) -> float:
    """Convert a quantity to one that this KeyCRM account accepts, never a larger one.

    :param quantity: the computed quantity
    :param whole: whether it refuses fractions
    :param positive: whether it refuses negative numbers
    """
    if whole:
        quantity = float(math.floor(round(quantity, DIGITS)))
    return max(0.0, quantity) if positive else quantity


def is_kept_as(sent: float, read: float) -> bool:
    """Return whether KeyCRM stored ``sent`` as ``read``.

    It rounds down, and replaces negative numbers by zero (assumed).

    :param sent: quantity that was sent
    :param read: quantity that was read
    """
    return any(
        is_same(read, fitted(sent, whole=whole, positive=positive))
        for whole in (False, True)
        for positive in (False, True)
    )


def as_number(quantity: float) -> int | float:
    """Return whole quantities as integers, others rounded to :data:`DIGITS`."""
    quantity = round(quantity, DIGITS)
    return int(quantity) if quantity == int(quantity) else quantity


def is_too_much(zeroed: int, catalog: int, limit: int, percent: float) -> bool:
    """Return whether an export zeroes so many products that a user must confirm it.

    :param zeroed: products that KeyCRM shows with stock and would show with none
    :param catalog: products of the account
    :param limit: more than this are too many
    :param percent: more than this part of the catalog is too much, unless they are :data:`FEW`
    """
    if zeroed > limit:
        return True
    return zeroed > FEW and catalog > 0 and zeroed * 100 > catalog * percent
