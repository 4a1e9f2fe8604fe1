"""The control side below ``/control``: for tests, the demo and benchmarks; needs the token."""

from __future__ import annotations

import asyncio
import dataclasses
import hmac
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from . import buyers, fields, make, orders, stocks
from .api import answer
from .bodies import anything, boolean, decimal, load, pick, sequence, text, whole
from .clock import iso
from .errors import Invalid, NotFound, Refused
from .models import Order
from .seed import Seed
from .shapes import ORDER_INCLUDES, number
from .switches import BadSwitch, describe
from .webhooks import EVENTS

if TYPE_CHECKING:
    from .app import Sandbox

Handler = Callable[[Request, dict[str, Any]], Awaitable[Any]]


def plain(value: Any) -> Any:
    """Write a record as JSON values: amounts as strings, exact; times as the API writes them.

    :param value: a record, a list or a plain value
    :return: JSON values
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, Decimal):
        return str(value)
    return iso(value) if isinstance(value, datetime) else value


class ControlApi:
    """The endpoints of the control side.

    :param sandbox: everything it steers
    :param token: what X-Control-Token must hold
    """

    def __init__(self, sandbox: Sandbox, token: str) -> None:
        self.sandbox = sandbox
        self.shop = sandbox.shop
        self.token = token

    def routes(self) -> list[Route]:
        """List the endpoints.

        :return: routes below ``/control``
        """
        order, line = "/orders/{order_id:int}", "/orders/{order_id:int}/lines/{line_id:int}"
        payment = "/orders/{order_id:int}/payments/{payment_id:int}"
        return [
            self._route("/health", GET=self.health),
            self._route("/reset", POST=self.reset),
            self._route("/seed", POST=self.seed),
            self._route("/switches", GET=self.read_switches, PUT=self.set_switches),
            self._route("/switches/list", GET=self.list_switches),
            self._route("/clock", PUT=self.set_clock),
            self._route("/keys", POST=self.add_key, DELETE=self.remove_key),
            self._route("/orders", GET=self.find_orders, POST=self.create_order),
            self._route("/orders/summary", GET=self.summary),
            self._route("/orders/move", POST=self.move_orders),
            self._route("/orders/merge", POST=self.merge_orders),
            self._route(order, GET=self.order, PATCH=self.patch_order, DELETE=self.delete_order),
            self._route(order + "/copy", POST=self.copy_order),
            self._route(order + "/webhook", POST=self.send_webhook),
            self._route(order + "/lines", POST=self.add_line),
            self._route(line, PATCH=self.patch_line, DELETE=self.remove_line),
            self._route(order + "/payments", POST=self.add_payment),
            self._route(payment, PATCH=self.patch_payment),
            self._route("/buyers", POST=self.create_buyer),
            self._route("/buyers/merge", POST=self.merge_buyers),
            self._route("/buyers/{buyer_id:int}", PATCH=self.patch_buyer),
            self._route("/companies", POST=self.create_company),
            self._route("/offers", GET=self.list_offers, POST=self.create_offer),
            self._route("/offers/{offer_id:int}", PATCH=self.patch_offer, DELETE=self.delete_offer),
            self._route("/products/{product_id:int}", PATCH=self.patch_product),
            self._route("/stocks", GET=self.list_stocks),
            self._route("/stocks/{offer_id:int}", GET=self.stock, PUT=self.set_stock),
            self._route("/statuses", GET=self.list_of("statuses"), PUT=self.put_in("statuses")),
            self._route("/sources", GET=self.list_of("sources"), PUT=self.put_in("sources")),
            self._route(
                "/warehouses", GET=self.list_of("warehouses"), PUT=self.put_in("warehouses")
            ),
            self._route("/transactions", POST=self.create_transaction),
            self._route(
                "/webhooks", GET=self.webhooks, POST=self.add_webhook, DELETE=self.clear_webhooks
            ),
            self._route("/webhooks/{webhook_id:int}", DELETE=self.remove_webhook),
            self._route("/deliveries", GET=self.deliveries),
            self._route("/faults", GET=self.faults, POST=self.add_fault, DELETE=self.clear_faults),
            self._route("/faults/{fault_id:int}", DELETE=self.remove_fault),
            self._route("/requests", GET=self.requests, DELETE=self.clear_log),
            self._route("/requests/counts", GET=self.request_counts),
            self._route("/quiet", GET=self.quiet),
        ]

    def _route(self, path: str, **handlers: Handler) -> Route:
        async def endpoint(request: Request) -> Response:
            given = request.headers.get("x-control-token", "")
            if not hmac.compare_digest(given.encode(), self.token.encode()):
                raise Refused(401, "X-Control-Token is missing or wrong.")
            method = "GET" if request.method == "HEAD" else request.method
            values: dict[str, Any] = dict(request.query_params)
            if method != "GET":
                values.update(load(await request.body()))
            return answer(plain(await handlers[method](request, values)))

        return Route(path, endpoint, methods=list(handlers))

    # === THE WHOLE ===

    async def health(self, request: Request, values: dict[str, Any]) -> Any:
        """Count what there is."""
        shop = self.shop
        tables = ("orders", "offers", "products", "buyers", "transactions", "warehouses")
        return {name: len(getattr(shop, name)) for name in tables}

    async def reset(self, request: Request, values: dict[str, Any]) -> Any:
        """Empty everything, then seed if asked."""
        values = dict(values)
        keep = pick({"keep": values.pop("keep_switches", False)}, {"keep": boolean})["keep"]
        given = pick(values, fields.SEED, strict=True, nulls=False)
        self.sandbox.clear(keep_switches=keep)
        if given:
            self._fill(given)
        return await self.health(request, values)

    async def seed(self, request: Request, values: dict[str, Any]) -> Any:
        """Add seed data."""
        self._fill(pick(values, fields.SEED, strict=True, nulls=False))
        return await self.health(request, values)

    def _fill(self, given: dict[str, Any]) -> None:
        number_ = given.pop("seed", 1)
        newest = given.pop("newest", None)
        maker = Seed(self.shop, number_, newest) if newest else Seed(self.shop, number_)
        maker.fill(**given)

    async def read_switches(self, request: Request, values: dict[str, Any]) -> Any:
        """Read the switches in force."""
        return self.shop.switches.all()

    async def list_switches(self, request: Request, values: dict[str, Any]) -> Any:
        """Describe the switches."""
        return describe()

    async def set_switches(self, request: Request, values: dict[str, Any]) -> Any:
        """Set switches."""
        try:
            self.shop.switches.set(values)
        except BadSwitch as error:
            raise Refused(400, str(error)) from None
        return self.shop.switches.all()

    async def set_clock(self, request: Request, values: dict[str, Any]) -> Any:
        """Move the shop's clock."""
        given = pick(values, {"offset_seconds": decimal}, required=("offset_seconds",))
        self.shop.clock.offset = timedelta(seconds=float(given["offset_seconds"]))
        return {"now": self.shop.now()}

    async def add_key(self, request: Request, values: dict[str, Any]) -> Any:
        """Let a further API key in."""
        self.sandbox.gate.keys.add(pick(values, {"key": text}, required=("key",))["key"])
        return {"keys": len(self.sandbox.gate.keys)}

    async def remove_key(self, request: Request, values: dict[str, Any]) -> Any:
        """Let an API key in no more."""
        self.sandbox.gate.keys.discard(pick(values, {"key": text}, required=("key",))["key"])
        return {"keys": len(self.sandbox.gate.keys)}

    # === ORDERS ===

    def _order(self, request: Request) -> Order:
        return self.shop.order(request.path_params["order_id"])

    def _full(self, order: Order) -> dict[str, Any]:
        out = plain(order)
        out["totals"] = plain(self.shop.totals(order))
        out["currency"] = self.shop.currency(order)
        out["answer"] = self.sandbox.api.shapes.order(order, ORDER_INCLUDES)
        return out

    async def create_order(self, request: Request, values: dict[str, Any]) -> Any:
        """Make an order."""
        values, notify, _ = _ways(values)
        return self._full(make.order(self.shop, values, notify=notify))

    async def order(self, request: Request, values: dict[str, Any]) -> Any:
        """Read everything about an order."""
        return self._full(self._order(request))

    async def patch_order(self, request: Request, values: dict[str, Any]) -> Any:
        """Change an order."""
        order = self._order(request)
        values, notify, bump = _ways(values)
        make.change_order(self.shop, order, values, bump=bump, notify=notify)
        return self._full(order)

    async def delete_order(self, request: Request, values: dict[str, Any]) -> Any:
        """Delete an order."""
        orders.delete(self.shop, self._order(request))
        return {}

    async def copy_order(self, request: Request, values: dict[str, Any]) -> Any:
        """Copy an order."""
        _, notify, _ = _ways(values)
        return self._full(orders.copy(self.shop, self._order(request), notify=notify))

    async def send_webhook(self, request: Request, values: dict[str, Any]) -> Any:
        """Send an order's webhook once more."""
        event = values.get("event", EVENTS[0])
        if event not in EVENTS:
            raise Invalid({"event": [f"An event is one of {', '.join(EVENTS)}."]})
        self.sandbox.webhooks.order_event(event, self._order(request))
        return {}

    async def find_orders(self, request: Request, values: dict[str, Any]) -> Any:
        """List order ids, oldest first."""
        return {"ids": [order.id for order in self._wanted(values)]}

    async def summary(self, request: Request, values: dict[str, Any]) -> Any:
        """Count orders and add their totals up."""
        wanted = self._wanted(values)
        total = sum((self.shop.totals(order).grand_total for order in wanted), Decimal(0))
        return {"count": len(wanted), "grand_total": total}

    def _wanted(self, values: dict[str, Any]) -> list[Order]:
        wanted = {int(part) for part in values.get("status_ids", "").split(",") if part}
        rows = sorted(self.shop.orders.values(), key=lambda order: order.id)
        return [order for order in rows if not wanted or order.status_id in wanted]

    async def move_orders(self, request: Request, values: dict[str, Any]) -> Any:
        """Move many orders to a status."""
        values, notify, _ = _ways(values)
        readers = {"ids": sequence, "status_id": whole}
        given = pick(values, readers, required=("ids", "status_id"), strict=True)
        found = [self.shop.order(order_id) for order_id in given["ids"]]
        for order in found:
            orders.move(self.shop, order, given["status_id"], notify=notify)
        return {"moved": len(found)}

    async def merge_orders(self, request: Request, values: dict[str, Any]) -> Any:
        """Merge two orders."""
        readers = {"main_id": whole, "other_id": whole}
        given = pick(values, readers, required=tuple(readers), strict=True)
        main = self.shop.order(given["main_id"])
        orders.merge(self.shop, main, self.shop.order(given["other_id"]))
        return self._full(main)

    async def add_line(self, request: Request, values: dict[str, Any]) -> Any:
        """Add a line."""
        order = self._order(request)
        values, notify, bump = _ways(values)
        line = orders.make_line(self.shop, make.read(values, fields.LINE), order)
        with orders.changing(self.shop, order, bump=bump, notify=notify):
            order.lines.append(line)
        return line

    async def patch_line(self, request: Request, values: dict[str, Any]) -> Any:
        """Change a line."""
        order = self._order(request)
        values, notify, bump = _ways(values)
        line = orders.find_line(order, request.path_params["line_id"])
        make.change_line(self.shop, order, line, values, bump=bump, notify=notify)
        return line

    async def remove_line(self, request: Request, values: dict[str, Any]) -> Any:
        """Take a line out."""
        orders.remove_line(self.shop, self._order(request), request.path_params["line_id"])
        return {}

    async def add_payment(self, request: Request, values: dict[str, Any]) -> Any:
        """Add a payment."""
        order = self._order(request)
        values, notify, bump = _ways(values)
        given = make.read(values, fields.PAYMENT)
        if given.get("amount") is None:
            raise Invalid({"amount": ["The amount field is required."]})
        return orders.add_payment(self.shop, order, given, bump=bump, notify=notify)

    async def patch_payment(self, request: Request, values: dict[str, Any]) -> Any:
        """Change a payment."""
        order = self._order(request)
        values, notify, _ = _ways(values)
        payment = orders.find_payment(order, request.path_params["payment_id"])
        make.change_payment(self.shop, order, payment, values, notify=notify)
        return payment

    # === BUYERS AND GOODS ===

    async def create_buyer(self, request: Request, values: dict[str, Any]) -> Any:
        """Make a buyer."""
        return make.buyer(self.shop, values)

    async def create_company(self, request: Request, values: dict[str, Any]) -> Any:
        """Make a company."""
        return make.company(self.shop, values)

    async def patch_buyer(self, request: Request, values: dict[str, Any]) -> Any:
        """Change a buyer."""
        return self._patch(request, "buyers", "buyer_id", fields.BUYER, values)

    async def merge_buyers(self, request: Request, values: dict[str, Any]) -> Any:
        """Merge two buyers."""
        readers = {"keep_id": whole, "gone_id": whole, "bump": boolean}
        given = pick(values, readers, required=("keep_id", "gone_id"), strict=True)
        keep, gone = (self._row("buyers", given[name]) for name in ("keep_id", "gone_id"))
        count = buyers.merge(self.shop, keep, gone, bump=bool(given.get("bump")))
        return {"orders": count}

    async def list_offers(self, request: Request, values: dict[str, Any]) -> Any:
        """List all offers."""
        return [
            {**plain(offer), "name": self.shop.offer_name(offer)}
            for offer in self.shop.offers.values()
        ]

    async def create_offer(self, request: Request, values: dict[str, Any]) -> Any:
        """Make an offer."""
        offer = make.offer(self.shop, values)
        return {**plain(offer), "name": self.shop.offer_name(offer)}

    async def patch_offer(self, request: Request, values: dict[str, Any]) -> Any:
        """Change an offer."""
        return self._patch(request, "offers", "offer_id", fields.OFFER, values)

    async def patch_product(self, request: Request, values: dict[str, Any]) -> Any:
        """Change a product."""
        return self._patch(request, "products", "product_id", fields.PRODUCT, values)

    async def delete_offer(self, request: Request, values: dict[str, Any]) -> Any:
        """Delete an offer and its stock; order lines keep their name and SKU."""
        offer_id = request.path_params["offer_id"]
        self._row("offers", offer_id)
        del self.shop.offers[offer_id]
        self.shop.stocks.pop(offer_id, None)
        self.shop.touch("offers")
        return {}

    def _row(self, table: str, row_id: int) -> Any:
        row = getattr(self.shop, table).get(row_id)
        if row is None:
            raise NotFound(f"There is no {table[:-1]} {row_id}.")
        return row

    def _patch(
        self, request: Request, table: str, name: str, readers: Any, values: dict[str, Any]
    ) -> Any:
        row = self._row(table, request.path_params[name])
        given = make.read(values, {k: v for k, v in readers.items() if k != "id"})
        for field, value in given.items():
            setattr(row, field, value)
        if "updated_at" not in given:
            row.updated_at = self.shop.now()
        self.shop.touch(table)
        return row

    # === STOCK ===

    def _stock(self, offer_id: int) -> dict[str, Any]:
        total = stocks.total(self.shop, offer_id)
        return {
            "offer_id": offer_id,
            "sku": self._row("offers", offer_id).sku,
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
        self._row("offers", offer_id)
        values, notify, _ = _ways(values)
        readers = {"warehouse_id": whole, "quantity": decimal, "reserve": decimal}
        given = pick(values, readers, required=("warehouse_id", "quantity"), strict=True)
        warehouse_id = make.warehouse(self.shop, given["warehouse_id"])
        if given.get("reserve") is not None:
            stocks.row(self.shop, offer_id, warehouse_id).reserve = given["reserve"]
        stocks.write(self.shop, warehouse_id, {offer_id: given["quantity"]}, notify=notify)
        return self._stock(offer_id)

    # === LISTS, BANK, WEBHOOKS ===

    def list_of(self, table: str) -> Handler:
        """Make the handler that lists a small table.

        :param table: statuses, sources or warehouses
        :return: the handler
        """

        async def handler(request: Request, values: dict[str, Any]) -> Any:
            return list(getattr(self.shop, table).values())

        return handler

    def put_in(self, table: str) -> Handler:
        """Make the handler that makes or changes a row of a small table.

        :param table: statuses, sources or warehouses
        :return: the handler
        """

        async def handler(request: Request, values: dict[str, Any]) -> Any:
            return make.listed(self.shop, table, values)

        return handler

    async def create_transaction(self, request: Request, values: dict[str, Any]) -> Any:
        """Make a bank transaction."""
        return make.transaction(self.shop, values)

    async def webhooks(self, request: Request, values: dict[str, Any]) -> Any:
        """List the addresses that webhooks go to."""
        return list(self.sandbox.webhooks.targets.values())

    async def add_webhook(self, request: Request, values: dict[str, Any]) -> Any:
        """Add an address."""
        given = pick(values, fields.WEBHOOK, required=("kind", "url"), strict=True, nulls=False)
        if given["kind"] not in ("order", "stock"):
            raise Invalid({"kind": ["A webhook is of kind order or stock."]})
        if given.get("method", "POST") not in ("POST", "GET"):
            raise Invalid({"method": ["A webhook is sent by POST or GET."]})
        if not set(given.get("events", ())) <= set(EVENTS):
            raise Invalid({"events": [f"An event is one of {', '.join(EVENTS)}."]})
        return self.sandbox.webhooks.add(given.pop("kind"), given.pop("url"), **given)

    async def remove_webhook(self, request: Request, values: dict[str, Any]) -> Any:
        """Take an address away."""
        self.sandbox.webhooks.targets.pop(request.path_params["webhook_id"], None)
        return {}

    async def clear_webhooks(self, request: Request, values: dict[str, Any]) -> Any:
        """Take all addresses away and forget deliveries."""
        self.sandbox.webhooks.clear()
        return {}

    async def deliveries(self, request: Request, values: dict[str, Any]) -> Any:
        """Read what webhooks were sent."""
        return self.sandbox.webhooks.deliveries(int(values.get("since", 0)))

    # === MISBEHAVIOUR, LOG, QUIET ===

    async def faults(self, request: Request, values: dict[str, Any]) -> Any:
        """List the rules that can still act."""
        return self.sandbox.faults.all()

    async def add_fault(self, request: Request, values: dict[str, Any]) -> Any:
        """Add a rule."""
        read = pick(values, _FAULT, strict=True)
        return self.sandbox.faults.add(
            {k: float(v) if k == "seconds" else v for k, v in read.items()}
        )

    async def remove_fault(self, request: Request, values: dict[str, Any]) -> Any:
        """Take a rule away."""
        self.sandbox.faults.remove(request.path_params["fault_id"])
        return {}

    async def clear_faults(self, request: Request, values: dict[str, Any]) -> Any:
        """Take all rules away."""
        self.sandbox.faults.clear()
        return {}

    async def requests(self, request: Request, values: dict[str, Any]) -> Any:
        """Read the log of API requests."""
        since, limit = int(values.pop("since", 0)), int(values.pop("limit", 200_000))
        return self.sandbox.journal.find(since, limit=limit, **values)

    async def request_counts(self, request: Request, values: dict[str, Any]) -> Any:
        """Count API requests."""
        return self.sandbox.journal.counts()

    async def clear_log(self, request: Request, values: dict[str, Any]) -> Any:
        """Forget logged requests and the minute of the limit stays as it is."""
        self.sandbox.journal.clear()
        return {}

    async def quiet(self, request: Request, values: dict[str, Any]) -> Any:
        """Wait until all webhooks are delivered and all late stock writes have taken effect."""
        end = time.monotonic() + float(values.get("seconds", 30))
        while True:
            late, pending = len(self.sandbox.api.late_writes), self.sandbox.webhooks.pending
            quiet = not late and not pending
            if quiet or time.monotonic() > end:
                return {"quiet": quiet, "webhooks": pending, "late_writes": late}
            await asyncio.sleep(0.02)


def _ways(values: dict[str, Any]) -> tuple[dict[str, Any], bool, bool]:
    """Take the options ``webhook`` and ``bump`` out of a body."""
    given = pick(values, {"webhook": boolean, "bump": boolean}, nulls=False)
    rest = {k: v for k, v in values.items() if k not in ("webhook", "bump")}
    return rest, given.get("webhook", True), given.get("bump", True)


_FAULT = {
    "kind": text,
    "method": text,
    "path": text,
    "page": whole,
    "times": whole,
    "status": whole,
    "headers": anything,
    "message": text,
    "seconds": decimal,
    "rows": whole,
    "repeat": boolean,
    "size": whole,
    "executed": boolean,
}
