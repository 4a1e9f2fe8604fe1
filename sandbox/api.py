"""The API of KeyCRM below ``/v1``."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from functools import partial
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
PLAIN = Allowed(sorts=("id",), sort="id")
PRODUCTS = Allowed(lists.PRODUCT_FILTERS, ("custom_fields",), ("id",))
OFFERS = Allowed(lists.OFFER_FILTERS, ("product",), ("id",))
CATEGORIES = Allowed(lists.CATEGORY_FILTERS, sort="id")
CUSTOM_FIELDS = Allowed(lists.CUSTOM_FIELD_FILTERS, ("options",), ("position",), "position")
STOCKS = Allowed(lists.STOCK_FILTERS, sort="id")
BUYERS = Allowed(lists.BUYER_FILTERS, BUYER_INCLUDES)
TRANSACTIONS = Allowed(lists.TRANSACTION_FILTERS, sort="-created_at")
Handler = Callable[[Request], Awaitable[Response]]


def answer(value: Any, status: int = 200) -> Response:
    """Return a JSON response.

    :param value: the JSON value
    :param status: HTTP status
    :return: the response
    """
    body = json.dumps(value, separators=(",", ":")).encode()
    return Response(body, status, media_type="application/json")


def endpoints(table: dict[str, Handler]) -> list[Route]:
    """Return the routes of a table.

    :param table: endpoints by method and path, such as ``GET /order``
    :return: the routes
    """
    named = ((*name.split(" "), endpoint) for name, endpoint in table.items())
    return [Route(path, endpoint, methods=[method]) for method, path, endpoint in named]


def _writer(write: Callable[..., dict[str, Any]], query: Query) -> Callable[[Any], dict[str, Any]]:
    """Return the function that writes a row with what the query includes, where it may."""
    return partial(write, includes=query.includes) if query.includes else write


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
        shapes, lists, one = self.shapes, self._list, self._one
        order, product = "/order/{order_id:int}", "/products/{product_id:int}"
        payment, bank = "/payment/{payment_id:int}", "external-transactions"
        return endpoints(
            {
                "GET /order": lists("orders", ORDERS, shapes.listed_order, depends=("buyers",)),
                "POST /order": self.create_order,
                "GET /order/status": lists("statuses", PLAIN, shapes.status),
                "GET /order/source": lists("sources", PLAIN, shapes.source),
                "GET /order/payment-method": lists("payment_methods", PLAIN, shapes.payment_method),
                "GET /order/delivery-service": lists(
                    "delivery_services", PLAIN, shapes.delivery_service
                ),
                # The answer is the bare object (confirmed).
                f"GET {order}": one("orders", ORDERS, shapes.order),
                f"PUT {order}": self.update_order,
                f"POST {order}/payment": self.create_payment,
                f"PUT {order}{payment}": self.update_payment,
                f"DELETE {order}{payment}": self.delete_payment,
                "GET /products": lists("products", PRODUCTS, shapes.product),
                "POST /products": self.create_product,
                "POST /products/import": self.import_products,
                "GET /products/categories": lists("categories", CATEGORIES, shapes.category),
                "POST /products/categories": self.create_category,
                f"GET {product}": one("products", PRODUCTS, shapes.product),
                f"PUT {product}": self.update_product,
                f"POST {product}/offers": self.create_offers,
                "GET /custom-fields": self.list_custom_fields,
                "GET /offers": lists("offers", OFFERS, shapes.offer),
                "PUT /offers": self.put_offers,
                "GET /offers/stocks": self.list_stocks,
                "PUT /offers/stocks": self.put_stocks,
                "GET /buyer": lists("buyers", BUYERS, shapes.buyer),
                "GET /buyer/{buyer_id:int}": one("buyers", BUYERS, shapes.buyer),
                # Transactions come newest first (confirmed).
                f"GET /payments/{bank}": lists(
                    "transactions", TRANSACTIONS, shapes.transaction, depends=("orders",)
                ),
                f"POST /payments/{{payment_id:int}}/{bank}": self.attach_transaction,
            }
        )

    def _list(
        self,
        table: str,
        allowed: Allowed,
        write: Callable[..., dict[str, Any]],
        depends: tuple[str, ...] = (),
    ) -> Handler:
        """Return the endpoint of a list; ``depends`` are other tables that its filters use."""

        async def endpoint(request: Request) -> Response:
            query = read(request.query_params.multi_items(), allowed)
            rows = self.lists.rows(table, query, depends)
            return self._page(request, rows, query, _writer(write, query))

        return endpoint

    def _one(self, table: str, allowed: Allowed, write: Callable[..., dict[str, Any]]) -> Handler:
        """Return the endpoint of a single record, whose id is the path's only parameter."""

        async def endpoint(request: Request) -> Response:
            (row_id,) = request.path_params.values()
            query = read(request.query_params.multi_items(), Allowed(includes=allowed.includes))
            return answer(_writer(write, query)(self.shop.find(table, row_id)))

        return endpoint

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

    def _product(self, request: Request) -> Product:
        product: Product = self.shop.find("products", request.path_params["product_id"])
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

    async def create_category(self, request: Request) -> Response:
        """``POST /products/categories``."""
        category = catalog_writes.create_category(self.shop, load(await request.body()))
        return answer(self.shapes.category(category), 201)

    async def list_custom_fields(self, request: Request) -> Response:
        """``GET /custom-fields``: a bare array without pages (documented)."""
        query = read(request.query_params.multi_items(), CUSTOM_FIELDS)
        rows = self.lists.rows("custom_fields", query)
        return answer([custom_fields.shape(row, "options" in query.includes) for row in rows])

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
