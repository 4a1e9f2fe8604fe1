"""Control endpoints of buyers, goods, stock, small lists and the bank."""

from __future__ import annotations

from typing import Any

from . import buyers, factories, fields, stocks
from .control_base import Endpoints, Handler, plain, ways
from .list_serializers import number
from .models import Json, Offer
from .schemas import boolean, decimal, pick, whole


class GoodsEndpoints(Endpoints):
    """Endpoints that create and change records that orders refer to."""

    def table(self) -> dict[str, Handler]:
        """Return the endpoints by method and path below ``/control``."""
        shop = self.shop
        lists = ("statuses", "sources", "warehouses", "categories", "custom_fields")
        return {
            "POST /buyers": lambda values: factories.buyer(shop, values),
            "POST /buyers/merge": self.merge_buyers,
            "PATCH /buyers/{row_id:int}": self.patching("buyers", fields.BUYER),
            "POST /companies": lambda values: factories.company(shop, values),
            "GET /offers": lambda values: [self._offer(offer) for offer in shop.offers.values()],
            "POST /offers": lambda values: self._offer(factories.offer(shop, values)),
            "PATCH /offers/{row_id:int}": self.patching("offers", fields.OFFER),
            "DELETE /offers/{offer_id:int}": self.delete_offer,
            "GET /products": self._listing("products"),
            "PATCH /products/{row_id:int}": self.patching("products", fields.PRODUCT),
            "GET /stocks": lambda values: [self._stock(offer_id) for offer_id in shop.offers],
            "GET /stocks/{offer_id:int}": lambda values, offer_id: self._stock(offer_id),
            "PUT /stocks/{offer_id:int}": self.set_stock,
            **{f"GET /{name.replace('_', '-')}": self._listing(name) for name in lists},
            **{
                f"PUT /{name.replace('_', '-')}": self._putting(name)
                for name in (*lists, "delivery_services")
            },
            "POST /transactions": lambda values: factories.transaction(shop, values),
        }

    def _listing(self, table: str) -> Handler:
        """Return the handler that lists a table."""
        return lambda values: list(getattr(self.shop, table).values())

    def _putting(self, table: str) -> Handler:
        """Return the handler that creates or changes a row of a small table."""
        return lambda values: factories.listed(self.shop, table, values)

    def _offer(self, offer: Offer) -> Json:
        return {**plain(offer), "name": self.shop.offer_name(offer)}

    def merge_buyers(self, values: Json) -> Any:
        """Merge two buyers."""
        readers = {"keep_id": whole, "removed_id": whole, "bump": boolean}
        given = pick(values, readers, required=("keep_id", "removed_id"), strict=True)
        keep, removed = (self.row("buyers", given[name]) for name in ("keep_id", "removed_id"))
        count = buyers.merge(self.shop, keep, removed, bump=bool(given.get("bump")))
        return {"orders": count}

    def delete_offer(self, values: Json, offer_id: int) -> None:
        """Delete an offer and its stock; order lines keep their name and SKU."""
        self.row("offers", offer_id)
        del self.shop.offers[offer_id]
        self.shop.stocks.pop(offer_id, None)
        self.shop.touch("offers")

    def _stock(self, offer_id: int) -> Json:
        total = stocks.total(self.shop, offer_id)
        return {
            "offer_id": offer_id,
            "sku": self.row("offers", offer_id).sku,
            "quantity": number(total.quantity),
            "reserve": number(total.reserve),
            "warehouses": {
                warehouse_id: {"quantity": number(row.quantity), "reserve": number(row.reserve)}
                for warehouse_id, row in sorted(self.shop.stocks.get(offer_id, {}).items())
            },
        }

    def set_stock(self, values: Json, offer_id: int) -> Any:
        """Change stock by hand."""
        self.row("offers", offer_id)
        values, notify, _ = ways(values)
        readers = {"warehouse_id": whole, "quantity": decimal, "reserve": decimal}
        given = pick(values, readers, required=("warehouse_id", "quantity"), strict=True)
        warehouse_id = factories.warehouse(self.shop, given["warehouse_id"])
        if given.get("reserve") is not None:
            stocks.row(self.shop, offer_id, warehouse_id).reserve = given["reserve"]
        stocks.write(self.shop, warehouse_id, {offer_id: given["quantity"]}, notify=notify)
        return self._stock(offer_id)
