"""Decide which quantities are sent to KeyCRM, and which are not, as pure functions.

The quantities are those of offers in one KeyCRM warehouse.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from .stock_quantities import is_kept_as, is_same


@dataclass(frozen=True, slots=True)
class Level:
    """Hold the last quantity of an offer in KeyCRM.

    :param quantity: quantity in KeyCRM
    :param is_known: it was confirmed or read, and no write is under way
    :param was_read: it was read after the last write
    :param sent_quantity: quantity of the last write
    :param is_refused: KeyCRM refused that write, and its retry is not due
    """

    quantity: float = 0.0
    is_known: bool = False
    was_read: bool = False
    sent_quantity: float = 0.0
    is_refused: bool = False

    def is_confirmed(self, quantity: float) -> bool:
        """Return whether KeyCRM has a quantity, or stored it in its own way.

        A quantity that was read too soon after the write counts as confirmed for now if it is equal: it
        is read again later.

        :param quantity: quantity that KeyCRM should show
        """
        if not (self.is_known or self.was_read):
            return False
        if is_same(self.quantity, quantity):
            return True
        return (
            self.was_read
            and is_same(self.sent_quantity, quantity)
            and is_kept_as(quantity, self.quantity)
        )


class Row(NamedTuple):
    """Hold a quantity to be sent.

    :param offer_id: id of the offer in Odoo
    :param number: KeyCRM's number of the offer
    :param quantity: quantity that KeyCRM should show
    :param zero_allowed: whether a zero is sent however many there are
    """

    offer_id: int
    number: int
    quantity: float
    zero_allowed: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """Hold what happens to the quantities of a KeyCRM warehouse.

    :param rows: rows to be sent
    :param confirmed: offers whose quantity KeyCRM has
    :param unread: offers of which KeyCRM returned no quantity: a zero could overwrite one that was
        never read
    :param refused: offers whose quantity KeyCRM refused: it is sent again only after something changed
    :param unexplained_zeros: offers of ``rows`` whose zero needs a user's confirmation where there are many
    :param held: offers whose zero is on hold until a user decides
    """

    rows: list[Row] = field(default_factory=list)
    confirmed: list[int] = field(default_factory=list)
    unread: list[int] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    unexplained_zeros: list[int] = field(default_factory=list)
    held: list[int] = field(default_factory=list)

    def hold_zeros(self) -> "Plan":
        """Return the plan that holds the zeros which no movement of goods explains.

        A zero after a move, a count or an order is usual trade. Many zeros without one may result from a
        mistake: a mapping, an archived range, a location moved to another warehouse.
        """
        held = set(self.unexplained_zeros)
        return replace(
            self,
            rows=[row for row in self.rows if row.offer_id not in held],
            held=self.unexplained_zeros,
        )


def plan(rows: Iterable[Row], levels: Mapping[int, Level]) -> Plan:
    """Compare the quantities that a KeyCRM warehouse should show with its last known ones.

    :param rows: quantities as this KeyCRM account accepts them
    :param levels: ``{offer id: Level}``
    """
    result = Plan()
    for row in rows:
        level = levels.get(row.offer_id)
        if not level and row.quantity <= 0:
            result.unread.append(row.offer_id)
        elif level and level.is_confirmed(row.quantity):
            result.confirmed.append(row.offer_id)
        elif level and level.is_refused and is_same(level.sent_quantity, row.quantity):
            result.refused.append(row.offer_id)
        else:
            result.rows.append(row)
            if level and level.quantity > 0 >= row.quantity and not row.zero_allowed:
                result.unexplained_zeros.append(row.offer_id)
    return result
