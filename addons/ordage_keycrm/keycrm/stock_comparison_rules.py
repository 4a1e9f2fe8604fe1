"""Compare the quantities of Odoo and KeyCRM, as pure functions.

A preview shows the outcome of each product, and a user chooses whose quantities are used.
"""

from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

from .stock_quantities import is_kept_as, is_same

Place = TypeVar("Place", bound=Hashable)

#: Outcomes of a line, the gravest one first.
OUTCOMES = (
    "zero",
    "lower",
    "higher",
    "unread",
    "not_in_keycrm",
    "not_in_odoo",
    "uncounted",
    "same",
)


def outcome(
    odoo: float, keycrm: float | None, *, is_counted: bool = True, is_listed: bool = False
) -> str:
    """Return how a quantity in KeyCRM would change.

    :param odoo: quantity in Odoo
    :param keycrm: quantity in KeyCRM; None where KeyCRM does not list the offer
    :param is_counted: whether the product was counted or moved in Odoo; others are not sent
    :param is_listed: whether KeyCRM may have the offer although its list lacks it
    :return: one of :data:`OUTCOMES`
    """
    if keycrm is None:
        return "unread" if is_listed else "not_in_keycrm"
    if not is_counted:
        return "uncounted"
    if is_same(odoo, keycrm):
        return "same"
    if odoo <= 0 < keycrm:
        return "zero"
    return "lower" if odoo < keycrm else "higher"


def is_equal(odoo: float, keycrm: float, sent: float | None = None) -> bool:
    """Return whether KeyCRM has Odoo's quantity, or stored it in its own way when it was sent.

    :param odoo: quantity in Odoo
    :param keycrm: quantity in KeyCRM
    :param sent: the quantity that was last sent; None for none
    """
    return is_same(odoo, keycrm) or (
        sent is not None and is_same(sent, odoo) and is_kept_as(odoo, keycrm)
    )


def opening_kind(
    outcome: str,
    keycrm: float,
    *,
    tracking: str,
    is_storable: bool,
    has_one_lot: Callable[[], bool],
) -> str:
    """Return the effect of taking KeyCRM's quantity as the opening quantity in Odoo.

    :param outcome: one of :data:`OUTCOMES` of a product that both sides have
    :param keycrm: quantity in KeyCRM
    :param tracking: ``none``, ``lot`` or ``serial``
    :param is_storable: whether Odoo tracks the product's stock
    :param has_one_lot: returns whether all goods are of one lot
    :return: ``taken``, ``same``, or why people have to count: ``unread``, ``not_stored``, ``serials``,
        ``lots``
    """
    if outcome == "unread":
        return "unread"
    if not is_storable:
        return "not_stored"
    if outcome == "same" or (outcome == "uncounted" and is_same(keycrm, 0)):
        return "same"
    if tracking == "serial":
        return "serials"
    if tracking == "lot" and not has_one_lot():
        return "lots"
    return "taken"


def opening_counts(
    stock: Sequence[tuple[Place, float]], change: float, default: Place
) -> dict[Place, float]:
    """Return the counts that change the stock of a product by a quantity.

    A surplus is taken from the places in the given order; a shortage, and the part of a surplus that no
    place has, changes the default place.

    :param stock: ``(place, quantity)``, the fullest place first
    :param change: quantity to add; negative to take away
    :param default: place of goods that are added
    :return: ``{place: counted quantity}``
    """
    counted: dict[Place, float] = {}
    if change < 0:
        for place, quantity in stock:
            if quantity <= 0:
                continue
            part = min(quantity, -change)
            counted[place] = counted.get(place, quantity) - part
            change += part
            if is_same(change, 0):
                break
    if not is_same(change, 0):
        there = sum(quantity for place, quantity in stock if place == default)
        counted[default] = counted.get(default, there) + change
    return counted
