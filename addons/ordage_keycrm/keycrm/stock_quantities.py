"""Which number KeyCRM is to show, as arithmetic without a database.

All quantities are in the product's own unit, of one offer in one KeyCRM warehouse.
"""

import math
from dataclasses import dataclass

FREE = "free"
AVAILABLE = "available"

#: Quantities are compared and sent with so many digits, as KeyCRM shows them (confirmed: "-1.000").
DIGITS = 3
#: A pass that zeroes no more products than this is everyday selling out, however small the catalog.
FEW = 3


@dataclass(slots=True)
class Terms:
    """What the number is made of.

    :param on_hand: on the shelves of the matched Odoo warehouses
    :param reserved: of it, reserved in Odoo for anything
    :param own_reserved: of that, reserved for orders of this account
    :param open_orders: what orders of this account still take out
    :param keycrm_reserved: what KeyCRM itself holds in reserve for known order lines
    :param written_off: what KeyCRM has written off already and Odoo still has to ship
    :param is_ended: the product is not sold any more, and nothing of it is to be offered
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
    """Count the digits after the point that a quantity needs, at most those that goods are counted in.

    :param quantity: a number, exact or not
    """
    return len(f"{quantity:.{DIGITS}f}".rstrip("0").partition(".")[2])


def target(rule: str, terms: Terms) -> float:
    """Return what KeyCRM is to show.

    ``available`` gives KeyCRM's own reserve back, because KeyCRM subtracts it again (confirmed: its
    quantity includes the reserve): it then sells what is really free.

    :param rule: ``on_hand``, ``free`` or ``available``
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
    # -0.0 + 0.0 is 0.0: nobody should see "-0".
    return round(number, DIGITS) + 0.0


def is_same(one: float, other: float) -> bool:
    """Return whether two quantities are the same to KeyCRM."""
    return round(one - other, DIGITS) == 0


def fitted(quantity: float, *, whole: bool, positive: bool) -> float:
    """Make a quantity one that this KeyCRM account accepts; never more than there is.

    :param whole: it refuses fractions
    :param positive: it refuses negative numbers
    """
    if whole:
        quantity = float(math.floor(round(quantity, DIGITS)))
    return max(0.0, quantity) if positive else quantity


def is_kept_as(sent: float, read: float) -> bool:
    """Return whether KeyCRM made ``read`` of ``sent``: rounded down, negative made zero (assumed)."""
    return any(
        is_same(read, fitted(sent, whole=whole, positive=positive))
        for whole in (False, True)
        for positive in (False, True)
    )


def as_number(quantity: float) -> int | float:
    """Write whole quantities as integers, others with the digits that goods are counted in."""
    quantity = round(quantity, DIGITS)
    return int(quantity) if quantity == int(quantity) else quantity


def is_too_much(zeroed: int, catalog: int, limit: int, percent: float) -> bool:
    """Return whether a pass would zero so many products that a person has to say so.

    :param zeroed: products that KeyCRM shows with stock and would show with none
    :param catalog: products of the account
    :param limit: more than this are too many
    :param percent: more than this part of the catalog is too much, unless they are :data:`FEW`
    """
    if zeroed > limit:
        return True
    return zeroed > FEW and catalog > 0 and zeroed * 100 > catalog * percent
