"""``PUT /offers/stocks``: switches define what is written, skipped or refused."""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_FLOOR, Decimal
from typing import Any

from . import schemas, stocks
from .errors import Invalid
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
    given = schemas.pick(
        body,
        {"warehouse_id": schemas.whole, "stocks": schemas.sequence},
        required=("warehouse_id", "stocks") if uses_warehouses else ("stocks",),
    )
    first = next(iter(shop.warehouses))
    warehouse_id, rows = given["warehouse_id"] if uses_warehouses else first, given["stocks"]
    if warehouse_id not in shop.warehouses:
        raise Invalid({"warehouse_id": ["The selected warehouse_id is invalid."]})
    if len(rows) > MAX_ROWS:
        raise Invalid({"stocks": [f"The stocks may not have more than {MAX_ROWS} items."]})
    errors: dict[str, list[str]] = {}
    quantities: dict[int, Decimal] = {}
    for index, row in enumerate(rows):
        try:
            found = _row(shop, index, row)
        except Invalid as error:
            errors.update(error.errors)
        else:
            if found:
                quantities[found[0]] = found[1]
    if errors:
        raise Invalid(errors)

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


def _row(shop: Store, index: int, row: Any) -> tuple[int, Decimal] | None:
    at = f"stocks.{index}."
    if not isinstance(row, dict):
        raise Invalid({at[:-1]: [f"The {at[:-1]} must be an object."]})
    given = schemas.pick(
        row,
        {"id": schemas.whole, "sku": schemas.text, "quantity": schemas.decimal},
        required=("quantity",),
        nulls=False,
        at=at,
    )
    if "id" not in given and "sku" not in given:
        raise Invalid({f"{at}id": [f"The {at}id field is required when {at}sku is not present."]})
    quantity = _quantity(shop, at, given["quantity"])
    if "id" in given:
        offer_id = given["id"] if given["id"] in shop.offers else None
    else:
        # of several offers with one SKU the first is taken (assumed)
        offer_id = next(iter(shop.offers_with_sku(given["sku"])), None)
    if offer_id is not None:
        return offer_id, quantity
    if shop.switches.is_("stock_put_unknown", "refuse"):
        field = "id" if "id" in given else "sku"
        raise Invalid({at + field: [f"The selected {at + field} is invalid."]})
    return None


def _quantity(shop: Store, at: str, quantity: Decimal) -> Decimal:
    name = f"{at}quantity"
    if quantity != quantity.to_integral_value():
        if shop.switches.is_("fractional", "refuse"):
            raise Invalid({name: [f"The {name} must be an integer."]})
        if shop.switches.is_("fractional", "floor"):
            quantity = quantity.to_integral_value(ROUND_FLOOR)
    if quantity < 0:
        if shop.switches.is_("negative", "refuse"):
            raise Invalid({name: [f"The {name} must be at least 0."]})
        if shop.switches.is_("negative", "zero"):
            quantity = Decimal(0)
    return quantity
