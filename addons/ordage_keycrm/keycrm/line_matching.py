"""Match the lines of an order in Odoo with the lines of KeyCRM's answer.

It is unknown whether an order keeps the ids of its lines when it is saved again in KeyCRM. Delivered
and invoiced quantities must stay with their goods, so lines are matched by goods where their ids do not
match.
"""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from decimal import Decimal

from .naming import product_name, sku_key
from .orders import Line

#: Criteria by which goods are the same, the most certain first.
_OFFER, _SKU, _NAME = range(3)


@dataclass(frozen=True, slots=True)
class KnownLine:
    """Hold a line of goods of the order in Odoo.

    :param key: identifies the line for the caller
    :param id: KeyCRM's last id of the line; 0 where KeyCRM replaced its goods
    :param offer_ids: KeyCRM's offers of its product
    :param sku: the SKU on the line in KeyCRM
    :param name: name with properties, as :func:`line_name` formats it
    :param price: selling price of one unit
    :param quantity: KeyCRM's last quantity
    :param fixed: quantity that was delivered or invoiced
    """

    key: Hashable
    id: int
    offer_ids: frozenset[int] = frozenset()
    sku: str = ""
    name: str = ""
    price: Decimal = Decimal(0)
    quantity: Decimal = Decimal(0)
    fixed: Decimal = Decimal(0)


def line_name(line: Line) -> str:
    """Return the name of a line's goods: KeyCRM's name with its properties."""
    return product_name(line.name, line.properties)


def match_lines(known: Iterable[KnownLine], lines: Iterable[Line]) -> dict[int, Hashable]:
    """Find the line in Odoo of each line in KeyCRM.

    First by id where the goods are the same, then by the goods (offer, SKU, name), of equal goods by
    price and quantity, last by id alone: KeyCRM replaced the goods of the line.

    :param known: the order's lines in Odoo
    :param lines: the order's lines in KeyCRM
    :return: ``{id of KeyCRM's line: key}``; a line that is missing in it is new
    """
    free = {one.key: one for one in known}
    open_lines = {line.id: line for line in lines}
    found = {}
    for candidates in (_same_id_and_goods, _same_goods, _same_id):
        for one, line in candidates(list(free.values()), list(open_lines.values())):
            if one.key in free and line.id in open_lines:
                found[line.id] = one.key
                del free[one.key], open_lines[line.id]
    return found


def may_be_same_goods(one: KnownLine, line: Line) -> bool:
    """Return whether goods may be the same; a one-off product may have been renamed.

    :param one: line in Odoo
    :param line: line in KeyCRM
    """
    if _sameness(one, line) is not None:
        return True
    return not one.offer_ids and not line.offer and not _skus_differ(one, line)


def _same_id_and_goods(free, lines):
    """Return the pairs of lines with equal id and equal goods."""
    by_id = {one.id: one for one in free if one.id}
    return [
        (by_id[line.id], line)
        for line in lines
        if line.id in by_id and _sameness(by_id[line.id], line) is not None
    ]


def _same_goods(free, lines):
    """Return all pairs of lines with equal goods, the best ones first."""
    pairs = []
    for index, one in enumerate(free):
        for other_index, line in enumerate(lines):
            sameness = _sameness(one, line)
            if sameness is not None:
                rank = (
                    sameness,
                    abs(one.price - line.price_sold) >= Decimal("0.01"),
                    one.quantity != line.quantity,
                    max(Decimal(0), one.fixed - line.quantity),
                    -one.fixed,
                    abs(index - other_index),
                    index,
                )
                pairs.append((rank, one, line))
    return [(one, line) for _rank, one, line in sorted(pairs, key=lambda pair: pair[0])]


def _same_id(free, lines):
    """Return the pairs of lines with equal id."""
    by_id = {one.id: one for one in free if one.id}
    return [(by_id[line.id], line) for line in lines if line.id in by_id]


def _sameness(one: KnownLine, line: Line) -> int | None:
    """Return the criterion by which the goods are the same; None where they differ."""
    if line.offer and line.offer.id in one.offer_ids:
        return _OFFER
    if one.sku and sku_key(one.sku) == sku_key(line.sku):
        return _SKU
    are_set_apart = (one.offer_ids and line.offer) or _skus_differ(one, line)
    if not are_set_apart and one.name and one.name == line_name(line):
        return _NAME
    return None


def _skus_differ(one: KnownLine, line: Line) -> bool:
    return bool(one.sku and line.sku) and sku_key(one.sku) != sku_key(line.sku)
