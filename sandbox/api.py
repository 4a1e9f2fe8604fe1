"""The API of KeyCRM below ``/v1``."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from . import catalog_writes, custom_fields, lists, order_schemas, orders, stock_put
from .errors import Invalid, NotFound
from .list_serializers import BUYER_INCLUDES
from .lists import Lists, envelope
from .models import Order, Payment, Product
from .query import Allowed, Query, flag, read
from .schemas import load, pick, text, whole
from .serializers import ORDER_INCLUDES, Serializers
from .store import Store

ORDERS = Allowed(lists.ORDER_FILTERS, ORDER_INCLUDES, ("id", "updated_at", "created_at"))
ORDER = Allowed((), ORDER_INCLUDES)
PLAIN = Allowed(sorts=("id",))
PRODUCTS = Allowed(lists.PRODUCT_FILTERS, ("custom_fields",), ("id",))
OFFERS = Allowed(lists.OFFER_FILTERS, ("product",), ("id",))
CATEGORIES = Allowed(lists.CATEGORY_FILTERS)
CUSTOM_FIELDS = Allowed(lists.CUSTOM_FIELD_FILTERS, ("options",), ("position",))
STOCKS = Allowed(lists.STOCK_FILTERS)
BUYERS = Allowed(lists.BUYER_FILTERS, BUYER_INCLUDES)
TRANSACTIONS = Allowed(lists.TRANSACTION_FILTERS)


def answer(value: Any, status: int = 200) -> Response:
    """Return a JSON response.

    :param value: the JSON value
    :param status: HTTP status
    :return: the response
    """
    body = json.dumps(value, separators=(",", ":")).encode()
    return Response(body, status, media_type="application/json")


class Api:
    """The endpoints of one shop.

    :param shop: the shop
    """

    def __init__(self, shop: Store) -> None:
        self.shop = shop
        self.shapes = Serializers(shop)
        self.lists = Lists(shop)
        self.late_writes: set[asyncio.TimerHandle] = set()

    def routes(self) -> list[Route]:
        """List the endpoints.

        :return: routes below ``/v1``
        """
        return [
            self._route("/order", GET=self.list_orders, POST=self.create_order),
            self._simple("/order/status", "statuses", self.shapes.status),
            self._simple("/order/source", "sources", self.shapes.source),
            self._simple("/order/payment-method", "payment_methods", self.shapes.payment_method),
            self._simple(
                "/order/delivery-service", "delivery_services", self.shapes.delivery_service
            ),
            self._route("/order/{order_id:int}", GET=self.read_order, PUT=self.update_order),
            self._route("/order/{order_id:int}/payment", POST=self.create_payment),
            self._route(
                "/order/{order_id:int}/payment/{payment_id:int}",
                PUT=self.update_payment,
                DELETE=self.delete_payment,
            ),
            self._route("/products", GET=self.list_products, POST=self.create_product),
            self._route("/products/import", POST=self.import_products),
            self._route(
                "/products/categories", GET=self.list_categories, POST=self.create_category
            ),
            self._route(
                "/products/{product_id:int}", GET=self.read_product, PUT=self.update_product
            ),
            self._route("/products/{product_id:int}/offers", POST=self.create_offers),
            self._route("/custom-fields", GET=self.list_custom_fields),
            self._route("/offers", GET=self.list_offers, PUT=self.put_offers),
            self._route("/offers/stocks", GET=self.list_stocks, PUT=self.put_stocks),
            self._route("/buyer", GET=self.list_buyers),
            self._route("/buyer/{buyer_id:int}", GET=self.read_buyer),
            self._route("/payments/external-transactions", GET=self.list_transactions),
            self._route(
                "/payments/{payment_id:int}/external-transactions", POST=self.attach_transaction
            ),
        ]

    def _route(self, path: str, **handlers: Callable[[Request], Awaitable[Response]]) -> Route:
        async def endpoint(request: Request) -> Response:
            method = "GET" if request.method == "HEAD" else request.method
            return await handlers[method](request)

        return Route(path, endpoint, methods=list(handlers))

    def _simple(self, path: str, table: str, write: Callable[[Any], dict[str, Any]]) -> Route:
        async def endpoint(request: Request) -> Response:
            query = read(request.query_params.multi_items(), PLAIN)
            rows = list(getattr(self.shop, table).values())
            if table == "statuses" and self.shop.switches.is_("status_list", "active"):
                rows = [row for row in rows if row.is_active]
            return self._page(request, self.lists.sorted(rows, query.sort or "id"), query, write)

        return self._route(path, GET=endpoint)

    def _page(
        self,
        request: Request,
        rows: list[Any],
        query: Query,
        write: Callable[[Any], dict[str, Any]],
    ) -> Response:
        parameters: dict[str, str] = {}
        if self.shop.switches.is_("page_urls", "full"):
            parameters = {k: v for k, v in request.query_params.multi_items() if k != "page"}
        path = str(request.url.replace(query="", fragment="")).rstrip("?")
        fault = request.scope.get("sandbox.fault")
        return answer(envelope(rows, query, write, path, parameters, fault))

    # === ORDERS ===

    async def list_orders(self, request: Request) -> Response:
        """``GET /order``."""
        query = read(request.query_params.multi_items(), ORDERS)
        rows = self.lists.rows("orders", query, ("buyers",))
        return self._page(request, rows, query, lambda o: self.shapes.order(o, query.includes))

    async def read_order(self, request: Request) -> Response:
        """``GET /order/{id}``: the bare object (confirmed)."""
        query = read(request.query_params.multi_items(), ORDER)
        return answer(self.shapes.order(self._order(request), query.includes))

    async def create_order(self, request: Request) -> Response:
        """``POST /order``."""
        order = order_schemas.create(self.shop, load(await request.body()))
        return answer(self.shapes.order(order), 201)

    async def update_order(self, request: Request) -> Response:
        """``PUT /order/{id}``."""
        order = self._order(request)
        order_schemas.update(self.shop, order, load(await request.body()))
        return answer(self.shapes.order(order), 202)

    def _order(self, request: Request) -> Order:
        return self.shop.order(request.path_params["order_id"])

    # === PAYMENTS ===

    async def create_payment(self, request: Request) -> Response:
        """``POST /order/{id}/payment``."""
        order = self._order(request)
        values = order_schemas.payment_fields(self.shop, load(await request.body()))
        payment = orders.add_payment(self.shop, order, values)
        return answer(self.shapes.payment(payment, order.id), 201)

    async def update_payment(self, request: Request) -> Response:
        """``PUT /order/{id}/payment/{id}``."""
        order = self._order(request)
        payment = orders.find_payment(order, request.path_params["payment_id"])
        order_schemas.update_payment(self.shop, order, payment, load(await request.body()))
        return answer(self.shapes.payment(payment, order.id), 202)

    async def delete_payment(self, request: Request) -> Response:
        """``DELETE /order/{id}/payment/{id}``: a help page names it, the vendor's file does not."""
        if self.shop.switches.is_("payment_delete", "no"):
            raise HTTPException(405)
        order = self._order(request)
        orders.remove_payment(self.shop, order, request.path_params["payment_id"])
        return answer({"status": True}, 202)

    async def list_transactions(self, request: Request) -> Response:
        """``GET /payments/external-transactions``: newest first (confirmed)."""
        query = read(request.query_params.multi_items(), TRANSACTIONS)
        query.sort = "-created_at"
        rows = self.lists.rows("transactions", query, ("orders",))
        return self._page(request, rows, query, self.shapes.transaction)

    async def attach_transaction(self, request: Request) -> Response:
        """``POST /payments/{id}/external-transactions``."""
        order, payment = self._payment(request.path_params["payment_id"])
        given = pick(
            load(await request.body()),
            {"transaction_id": whole, "transaction_uuid": text},
            nulls=False,
        )
        if not given:
            raise Invalid.of(transaction_id="The transaction_id field is required.")
        for transaction in self.shop.transactions.values():
            if given in (
                {"transaction_id": transaction.id},
                {"transaction_uuid": transaction.uuid},
                {"transaction_id": transaction.id, "transaction_uuid": transaction.uuid},
            ):
                with orders.changing(self.shop, order):
                    payment.transaction_uuid = transaction.uuid
                    payment.updated_at = self.shop.now()
                return answer(self.shapes.payment(payment, order.id), 201)
        raise NotFound()

    def _payment(self, payment_id: int) -> tuple[Order, Payment]:
        for order in self.shop.orders.values():
            for payment in order.payments:
                if payment.id == payment_id:
                    return order, payment
        raise NotFound()

    # === CATALOG AND STOCK ===

    async def list_products(self, request: Request) -> Response:
        """``GET /products``."""
        query = read(request.query_params.multi_items(), PRODUCTS)
        rows = self.lists.rows("products", query)
        return self._page(request, rows, query, lambda p: self.shapes.product(p, query.includes))

    async def read_product(self, request: Request) -> Response:
        """``GET /products/{id}``."""
        query = read(request.query_params.multi_items(), Allowed((), PRODUCTS.includes))
        return answer(self.shapes.product(self._product(request), query.includes))

    def _product(self, request: Request) -> Product:
        product = self.shop.products.get(request.path_params["product_id"])
        if product is None:
            raise NotFound()
        return product

    async def create_product(self, request: Request) -> Response:
        """``POST /products``: a product with one offer, whose id the answer does not name."""
        product = catalog_writes.create_product(self.shop, load(await request.body()))
        return answer(self.shapes.product(product), 201)

    async def update_product(self, request: Request) -> Response:
        """``PUT /products/{id}``."""
        product = self._product(request)
        catalog_writes.update_product(self.shop, product, load(await request.body()))
        return answer(self.shapes.product(product), 202)

    async def import_products(self, request: Request) -> Response:
        """``POST /products/import``: the answer names no ids (documented)."""
        catalog_writes.import_products(self.shop, load(await request.body()))
        return answer({"status": True}, 201)

    async def create_offers(self, request: Request) -> Response:
        """``POST /products/{id}/offers``: the answer names no ids (documented)."""
        product = self._product(request)
        catalog_writes.create_offers(self.shop, product, load(await request.body()))
        return answer({"status": True}, 201)

    async def list_categories(self, request: Request) -> Response:
        """``GET /products/categories``."""
        query = read(request.query_params.multi_items(), CATEGORIES)
        query.sort = "id"
        rows = self.lists.rows("categories", query)
        return self._page(request, rows, query, self.shapes.category)

    async def create_category(self, request: Request) -> Response:
        """``POST /products/categories``."""
        category = catalog_writes.create_category(self.shop, load(await request.body()))
        return answer(self.shapes.category(category), 201)

    async def list_custom_fields(self, request: Request) -> Response:
        """``GET /custom-fields``: a bare array without pages (documented)."""
        query = read(request.query_params.multi_items(), CUSTOM_FIELDS)
        query.sort = query.sort or "position"
        rows = self.lists.rows("custom_fields", query)
        return answer([custom_fields.shape(row, "options" in query.includes) for row in rows])

    async def list_offers(self, request: Request) -> Response:
        """``GET /offers``."""
        query = read(request.query_params.multi_items(), OFFERS)
        rows = self.lists.rows("offers", query)
        return self._page(request, rows, query, lambda o: self.shapes.offer(o, query.includes))

    async def put_offers(self, request: Request) -> Response:
        """``PUT /offers``: the answer names no rows (documented)."""
        changes = catalog_writes.update_offers(self.shop, load(await request.body()))
        if self.shop.switches.is_("offers_put_apply", "late"):
            self._later(lambda: catalog_writes.write_offers(self.shop, changes))
        else:
            catalog_writes.write_offers(self.shop, changes)
        return answer({"status": True}, 202)

    async def list_stocks(self, request: Request) -> Response:
        """``GET /offers/stocks``: no sort, no include (confirmed); by id (assumed)."""
        query = read(request.query_params.multi_items(), STOCKS)
        query.sort = "id"
        details = flag(query.filters.get("details", ""))
        rows = self.lists.rows("offers", query)
        return self._page(request, rows, query, lambda o: self.shapes.stock(o, details))

    async def put_stocks(self, request: Request) -> Response:
        """``PUT /offers/stocks``: the answer names no rows (confirmed)."""
        stock_put.put(self.shop, load(await request.body()), self._later)
        return answer({"status": True}, 202)

    def _later(self, apply: Callable[[], None]) -> None:
        def act() -> None:
            self.late_writes.discard(handle)
            apply()

        delay = self.shop.switches.number("stock_put_delay")
        handle = asyncio.get_running_loop().call_later(delay, act)
        self.late_writes.add(handle)

    def cancel_late_writes(self) -> None:
        """Drop writes that have not taken effect yet."""
        for handle in self.late_writes:
            handle.cancel()
        self.late_writes.clear()

    # === BUYERS ===

    async def list_buyers(self, request: Request) -> Response:
        """``GET /buyer``."""
        query = read(request.query_params.multi_items(), BUYERS)
        rows = self.lists.rows("buyers", query)
        return self._page(request, rows, query, lambda b: self.shapes.buyer(b, query.includes))

    async def read_buyer(self, request: Request) -> Response:
        """``GET /buyer/{id}``."""
        query = read(request.query_params.multi_items(), Allowed((), BUYER_INCLUDES))
        buyer = self.shop.buyers.get(request.path_params["buyer_id"])
        if buyer is None:
            raise NotFound()
        return answer(self.shapes.buyer(buyer, query.includes))
