"""Decide how a line in Odoo follows an edit in KeyCRM.

What was delivered or invoiced is never undone silently: a quantity does not fall below it, and an
invoiced price stays. Such a difference is a conflict, which is reported to a user.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

#: Quantities that differ by less are equal.
QUANTITY_PRECISION = 0.0005
#: Fields that are always written together with a quantity: a quantity alone would restore the list
#: price.
PRICE_FIELDS = ("price_unit", "discount", "tax_ids")


class Conflict(Enum):
    """Parts of an edit in KeyCRM that are not applied in Odoo."""

    #: The quantity in KeyCRM is below what was delivered or invoiced.
    QUANTITY = auto()
    #: The line was invoiced at another price.
    PRICE = auto()


@dataclass(frozen=True, slots=True)
class OdooLine:
    """Describe a line in Odoo.

    :param is_confirmed: whether its order is confirmed
    :param quantity: ordered quantity
    :param delivered: delivered quantity
    :param invoiced: invoiced quantity
    :param price: values of :data:`PRICE_FIELDS`
    """

    is_confirmed: bool
    quantity: float
    delivered: float
    invoiced: float
    price: dict[str, Any]

    @property
    def fixed(self) -> float:
        """Return the quantity below which the line does not fall."""
        return max(self.delivered, self.invoiced)

    @property
    def is_unrestricted(self) -> bool:
        """Return whether the line follows KeyCRM without conditions, and may be deleted."""
        return not self.is_confirmed and not self.fixed


@dataclass(frozen=True, slots=True)
class Edit:
    """Hold how a line is changed.

    :param vals: values of the line
    :param conflicts: parts of KeyCRM's edit that are not applied
    :param is_removal: whether the line is deleted; ``vals`` is empty then
    """

    vals: dict[str, Any]
    conflicts: tuple[Conflict, ...] = ()
    is_removal: bool = False


def remove(line: OdooLine, released: dict[str, Any]) -> Edit:
    """Decide how a line changes that KeyCRM has removed.

    Only an unrestricted line is deleted. The quantity of others becomes what was delivered or invoiced.

    :param line: the line
    :param released: values of a line for which KeyCRM holds no stock
    """
    if line.is_unrestricted:
        return Edit({}, is_removal=True)
    vals = {"product_uom_qty": line.fixed, "keycrm_excess": line.fixed, **line.price, **released}
    return Edit(vals, (Conflict.QUANTITY,) if line.fixed else ())


def change(line: OdooLine, wanted: dict[str, Any], is_same_price: bool) -> Edit:
    """Decide how a line changes that KeyCRM still has.

    :param line: the line
    :param wanted: values of the line as KeyCRM has it
    :param is_same_price: whether price and discount are equal
    """
    vals, conflicts = {**wanted, "keycrm_excess": 0.0}, []
    if line.is_unrestricted:
        return Edit(vals)
    quantity = wanted["product_uom_qty"]
    # A user may have shipped more than was ordered: without a change in KeyCRM, nothing is reported.
    is_changed = not _is_equal(quantity, line.quantity)
    if is_changed and quantity < line.fixed and not _is_equal(quantity, line.fixed):
        conflicts.append(Conflict.QUANTITY)
        vals.update(product_uom_qty=line.fixed, keycrm_excess=line.fixed - quantity)
    if line.invoiced and not is_same_price:
        # An invoice exists at the former price; a changed price would hide the difference.
        conflicts.append(Conflict.PRICE)
        vals.update(line.price)
    return Edit(vals, tuple(conflicts))


def with_dependent(changed: set[str], wanted: dict[str, Any]) -> set[str]:
    """Return the names of the values that have to be written together.

    :param changed: names of the values that differ
    :param wanted: values of the line
    """
    names = set(changed)
    if names & {"product_id", "product_uom_id", "product_uom_qty", *PRICE_FIELDS}:
        names.update(name for name in PRICE_FIELDS if name in wanted)
    if "product_id" in names:
        names.add("name")
    return names


def _is_equal(quantity: float, other: float) -> bool:
    return abs(quantity - other) < QUANTITY_PRECISION
