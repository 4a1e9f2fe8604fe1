"""Control endpoints of buyers, goods, stock, small lists and the bank."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from . import buyers, factories, fields, stocks
from .control_base import Endpoints, Handler, plain, ways
from .list_serializers import number
from .schemas import boolean, decimal, pick, whole


class GoodsEndpoints(Endpoints):
    """Endpoints that create and change records that orders refer to."""

    def routes(self) -> list[Route]:
        """List the endpoints.

        :return: routes below ``/control``
        """
        return [
            self.route("/buyers", POST=self.create_buyer),
            self.route("/buyers/merge", POST=self.merge_buyers),
            self.route("/buyers/{buyer_id:int}", PATCH=self.patch_buyer),
            self.route("/companies", POST=self.create_company),
            self.route("/offers", GET=self.list_offers, POST=self.create_offer),
            self.route("/offers/{offer_id:int}", PATCH=self.patch_offer, DELETE=self.delete_offer),
            self.route("/products/{product_id:int}", PATCH=self.patch_product),
            self.route("/stocks", GET=self.list_stocks),
            self.route("/stocks/{offer_id:int}", GET=self.stock, PUT=self.set_stock),
            self.route("/statuses", GET=self.list_of("statuses"), PUT=self.put_in("statuses")),
            self.route("/sources", GET=self.list_of("sources"), PUT=self.put_in("sources")),
            self.route(
                "/warehouses", GET=self.list_of("warehouses"), PUT=self.put_in("warehouses")
            ),
            self.route(
                "/categories", GET=self.list_of("categories"), PUT=self.put_in("categories")
            ),
            self.route(
                "/custom-fields",
                GET=self.list_of("custom_fields"),
                PUT=self.put_in("custom_fields"),
            ),
            self.route("/delivery-services", PUT=self.put_in("delivery_services")),
            self.route("/products", GET=self.list_of("products")),
            self.route("/transactions", POST=self.create_transaction),
        ]

    # === BUYERS AND GOODS ===

    async def create_buyer(self, request: Request, values: dict[str, Any]) -> Any:
        """Create a buyer."""
        return factories.buyer(self.shop, values)

    async def create_company(self, request: Request, values: dict[str, Any]) -> Any:
        """Create a company."""
        return factories.company(self.shop, values)

    async def patch_buyer(self, request: Request, values: dict[str, Any]) -> Any:
        """Change a buyer."""
        return self.patch(request, "buyers", "buyer_id", fields.BUYER, values)

    async def merge_buyers(self, request: Request, values: dict[str, Any]) -> Any:
        """Merge two buyers."""
        readers = {"keep_id": whole, "gone_id": whole, "bump": boolean}
        given = pick(values, readers, required=("keep_id", "gone_id"), strict=True)
        keep, removed = (self.row("buyers", given[name]) for name in ("keep_id", "gone_id"))
        count = buyers.merge(self.shop, keep, removed, bump=bool(given.get("bump")))
        return {"orders": count}

    async def list_offers(self, request: Request, values: dict[str, Any]) -> Any:
        """List all offers."""
        return [
            {**plain(offer), "name": self.shop.offer_name(offer)}
            for offer in self.shop.offers.values()
        ]

    async def create_offer(self, request: Request, values: dict[str, Any]) -> Any:
        """Create an offer."""
        offer = factories.offer(self.shop, values)
        return {**plain(offer), "name": self.shop.offer_name(offer)}

    async def patch_offer(self, request: Request, values: dict[str, Any]) -> Any:
        """Change an offer."""
        return self.patch(request, "offers", "offer_id", fields.OFFER, values)

    async def patch_product(self, request: Request, values: dict[str, Any]) -> Any:
        """Change a product."""
        return self.patch(request, "products", "product_id", fields.PRODUCT, values)

    async def delete_offer(self, request: Request, values: dict[str, Any]) -> Any:
        """Delete an offer and its stock; order lines keep their name and SKU."""
        offer_id = request.path_params["offer_id"]
        self.row("offers", offer_id)
        del self.shop.offers[offer_id]
        self.shop.stocks.pop(offer_id, None)
        self.shop.touch("offers")
        return {}

    # === STOCK ===

    def _stock(self, offer_id: int) -> dict[str, Any]:
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

    async def stock(self, request: Request, values: dict[str, Any]) -> Any:
        """Read the stock of an offer."""
        return self._stock(request.path_params["offer_id"])

    async def list_stocks(self, request: Request, values: dict[str, Any]) -> Any:
        """Read the stock of all offers."""
        return [self._stock(offer_id) for offer_id in self.shop.offers]

    async def set_stock(self, request: Request, values: dict[str, Any]) -> Any:
        """Change stock by hand."""
        offer_id = request.path_params["offer_id"]
        self.row("offers", offer_id)
        values, notify, _ = ways(values)
        readers = {"warehouse_id": whole, "quantity": decimal, "reserve": decimal}
        given = pick(values, readers, required=("warehouse_id", "quantity"), strict=True)
        warehouse_id = factories.warehouse(self.shop, given["warehouse_id"])
        if given.get("reserve") is not None:
            stocks.row(self.shop, offer_id, warehouse_id).reserve = given["reserve"]
        stocks.write(self.shop, warehouse_id, {offer_id: given["quantity"]}, notify=notify)
        return self._stock(offer_id)

    # === SMALL LISTS, BANK ===

    def list_of(self, table: str) -> Handler:
        """Return the handler that lists a small table.

        :param table: such as statuses, sources or warehouses
        :return: the handler
        """

        async def handler(request: Request, values: dict[str, Any]) -> Any:
            return list(getattr(self.shop, table).values())

        return handler

    def put_in(self, table: str) -> Handler:
        """Return the handler that creates or changes a row of a small table.

        :param table: such as statuses, sources or warehouses
        :return: the handler
        """

        async def handler(request: Request, values: dict[str, Any]) -> Any:
            return factories.listed(self.shop, table, values)

        return handler

    async def create_transaction(self, request: Request, values: dict[str, Any]) -> Any:
        """Create a bank transaction."""
        return factories.transaction(self.shop, values)
