"""Stock by offer and warehouse, and the effects of orders on it."""

from __future__ import annotations

from decimal import Decimal

from .models import GROUP_CANCELLED, ZERO, Hold, Line, Order, Status, StockRow
from .store import Store

RESERVED, FULFILLED = "reserved", "fulfilled"
#: From the weakest hold to the strongest one.
STRENGTH = (None, RESERVED, FULFILLED)
Changed = dict[int, set[int]]


def row(shop: Store, offer_id: int, warehouse_id: int) -> StockRow:
    """Return the stock of an offer in a warehouse, an empty row if missing.

    :param shop: the shop
    :param offer_id: the offer
    :param warehouse_id: the warehouse
    :return: the row itself
    """
    return shop.stocks.setdefault(offer_id, {}).setdefault(warehouse_id, StockRow())


def total(shop: Store, offer_id: int) -> StockRow:
    """Sum an offer's stock.

    :param shop: the shop
    :param offer_id: the offer
    :return: quantity (with the reserve in it) and reserve over all warehouses
    """
    rows = shop.stocks.get(offer_id, {}).values()
    return StockRow(sum((r.quantity for r in rows), ZERO), sum((r.reserve for r in rows), ZERO))


def write(
    shop: Store, warehouse_id: int, quantities: dict[int, Decimal], *, notify: bool = True
) -> None:
    """Set absolute quantities, as a stock PUT or a manual edit; equal rows echo too.

    :param shop: the shop
    :param warehouse_id: the warehouse
    :param quantities: new quantity (the reserve in it) by offer id
    :param notify: whether the stock webhook fires
    """
    for offer_id, quantity in quantities.items():
        row(shop, offer_id, warehouse_id).quantity = quantity
    if notify and quantities and shop.listener:
        shop.listener.stock_event({offer_id: {warehouse_id} for offer_id in quantities})


def settle(shop: Store, order: Order, *, notify: bool = True, history: bool = False) -> None:
    """Update the holds of an order's lines by its status, lines and quantities.

    :param shop: the shop
    :param order: the order
    :param notify: whether the stock webhook fires
    :param history: whether goods written off have left before the present quantities were counted
    """
    changed: Changed = {}
    for line in order.lines:
        wanted = _wanted(shop, order, line)
        if wanted == line.hold:
            continue
        if line.hold:
            _book(shop, line.hold, -1, changed)
            line.returned = wanted is None
        if wanted:
            line.returned = False
            if not (history and wanted.kind == FULFILLED):
                _book(shop, wanted, 1, changed)
        line.hold = wanted
    _tell(shop, changed, notify)


def give_back(shop: Store, lines: list[Line], *, notify: bool = True) -> None:
    """Release the holds of removed lines.

    :param shop: the shop
    :param lines: lines that leave their order
    :param notify: whether the stock webhook fires
    """
    changed: Changed = {}
    for line in lines:
        if line.hold:
            _book(shop, line.hold, -1, changed)
            line.hold = None
    _tell(shop, changed, notify)


def _wanted(shop: Store, order: Order, line: Line) -> Hold | None:
    """Return the hold that a line should have.

    One status reserves and one writes off, each with all statuses after it; the canceled group gives
    everything back (confirmed).
    """
    status = shop.statuses[order.status_id]
    if (
        line.offer_id is None
        or line.warehouse_id is None
        or line.shipment_type != "warehouse"
        or status.group_id == GROUP_CANCELLED
    ):
        return None
    kind = _kind(shop, status)
    if line.hold and shop.switches.is_("status_back", "keep"):
        kind = max(kind, line.hold.kind, key=STRENGTH.index)
    if kind is None:
        return None
    wanted = Hold(kind, line.offer_id, line.warehouse_id, line.quantity)
    return wanted if _is_possible(shop, wanted, line.hold) else None


def _kind(shop: Store, status: Status) -> str | None:
    """Return what a status does to goods: its place is compared with that of two others."""
    for name, from_name, kind in (
        ("status_write_off", "write_off_from", FULFILLED),
        ("status_reserve", "reserve_from", RESERVED),
    ):
        first = shop.statuses.get(int(shop.switches.number(from_name)))
        if first and shop.switches.is_(name, "on") and _place(status) >= _place(first):
            return kind
    return None


def _place(status: Status) -> tuple[int, int]:
    """Return the place of a status in the cabinet's list (assumed: by group, then by id)."""
    return status.group_id, status.id


def _is_possible(shop: Store, wanted: Hold, held: Hold | None) -> bool:
    """Return whether there are goods enough for a hold, where that counts."""
    if shop.switches.is_("negative_stock", "on"):
        return True
    stock = row(shop, wanted.offer_id, wanted.warehouse_id)
    own = ZERO
    if held and (held.offer_id, held.warehouse_id) == (wanted.offer_id, wanted.warehouse_id):
        own = held.quantity
    return stock.quantity - stock.reserve + own >= wanted.quantity


def _book(shop: Store, hold: Hold, sign: int, changed: Changed) -> None:
    stock = row(shop, hold.offer_id, hold.warehouse_id)
    if hold.kind == RESERVED:
        stock.reserve += sign * hold.quantity
    else:
        stock.quantity -= sign * hold.quantity
    changed.setdefault(hold.offer_id, set()).add(hold.warehouse_id)


def _tell(shop: Store, changed: Changed, notify: bool) -> None:
    if notify and changed and shop.listener:
        shop.listener.stock_event(changed)
