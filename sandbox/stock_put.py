"""``PUT /offers/stocks``: switches define what is written, skipped or refused."""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_FLOOR, Decimal
from typing import Any

from . import stocks
from .errors import NEGATIVE, SELECTED, Invalid
from .models import Offer
from .schemas import anything, decimal, list_of, pick, read_rows, text, whole
from .store import Store

MAX_ROWS = 10_000


def put(shop: Store, body: dict[str, Any], later: Callable[[Callable[[], None]], None]) -> None:
    """Write absolute quantities (the reserve in them) of one warehouse.

    :param shop: the shop
    :param body: ``{"warehouse_id": 1, "stocks": [{"id" or "sku", "quantity"}, …]}``
    :param later: calls a function after the delay of stock_put_apply=late
    :raise Invalid: if the whole request is refused
    """
    uses_warehouses = shop.uses_warehouses()
    warehouse_id = next(iter(shop.warehouses))
    if uses_warehouses:
        required = ("warehouse_id", "stocks")
        given = pick(body, {"warehouse_id": whole, "stocks": anything}, required=required)
        warehouse_id = given["warehouse_id"]
    if warehouse_id not in shop.warehouses:
        raise Invalid.of(warehouse_id=SELECTED)
    rows = list_of(body, "stocks", MAX_ROWS)
    found = read_rows(rows, "stocks", lambda row, at: _row(shop, row, at))
    quantities: dict[int, Decimal] = dict(filter(None, found))

    def write() -> None:
        if not uses_warehouses:
            for offer_id in quantities:
                others = stocks.total(shop, offer_id).quantity
                others -= stocks.row(shop, offer_id, warehouse_id).quantity
                quantities[offer_id] -= others
        stocks.write(shop, warehouse_id, quantities)

    if shop.switches.is_("stock_put_apply", "late"):
        later(write)
    else:
        write()


def _row(shop: Store, row: Any, at: str) -> tuple[int, Decimal] | None:
    readers = {"id": whole, "sku": text, "quantity": decimal}
    given = pick(row, readers, required=("quantity",), nulls=False, at=at)
    offer = named_offer(shop, given, at, "stock_put_unknown")
    quantity = _quantity(shop, at, given["quantity"])
    return (offer.id, quantity) if offer else None


def named_offer(shop: Store, given: dict[str, Any], at: str, unknown: str) -> Offer | None:
    """Find the offer that a row of a PUT names.

    :param shop: the shop
    :param given: the row, with ``id`` or ``sku``
    :param at: the beginning of its fields' paths, for the errors
    :param unknown: the switch that says whether an unknown offer is refused
    :return: the offer, if there is one
    :raise Invalid: if the row names none, or an unknown one is refused
    """
    if "id" not in given and "sku" not in given:
        raise Invalid.of(at, id=f"The {{}} field is required when {at}sku is not present.")
    # of several offers with one SKU the first is taken (assumed)
    offer_id = given["id"] if "id" in given else next(iter(shop.offers_with_sku(given["sku"])), 0)
    offer = shop.offers.get(offer_id)
    if offer is None and shop.switches.is_(unknown, "refuse"):
        raise Invalid.of(at, **{"id" if "id" in given else "sku": SELECTED})
    return offer


def _quantity(shop: Store, at: str, quantity: Decimal) -> Decimal:
    if quantity != quantity.to_integral_value():
        if shop.switches.is_("fractional", "refuse"):
            raise Invalid.of(at, quantity="The {} must be an integer.")
        if shop.switches.is_("fractional", "floor"):
            quantity = quantity.to_integral_value(ROUND_FLOOR)
    if quantity < 0:
        if shop.switches.is_("negative", "refuse"):
            raise Invalid.of(at, quantity=NEGATIVE)
        if shop.switches.is_("negative", "zero"):
            quantity = Decimal(0)
    return quantity
