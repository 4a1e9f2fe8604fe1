"""Control endpoints of orders, their lines and payments."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from . import factories, fields, orders, sample
from .control_base import Endpoints, plain, ways
from .errors import Invalid
from .models import Order
from .schemas import pick, sequence, whole
from .serializers import ORDER_INCLUDES
from .webhooks import EVENTS


class OrderEndpoints(Endpoints):
    """Endpoints that create and change orders without KeyCRM's restrictions."""

    def routes(self) -> list[Route]:
        """List the endpoints.

        :return: routes below ``/control``
        """
        order, line = "/orders/{order_id:int}", "/orders/{order_id:int}/lines/{line_id:int}"
        payment = "/orders/{order_id:int}/payments/{payment_id:int}"
        return [
            self.route("/orders", GET=self.find_orders, POST=self.create_order),
            self.route("/orders/sample", POST=self.create_sample_order),
            self.route("/orders/summary", GET=self.summary),
            self.route("/orders/move", POST=self.move_orders),
            self.route("/orders/merge", POST=self.merge_orders),
            self.route(order, GET=self.order, PATCH=self.patch_order, DELETE=self.delete_order),
            self.route(order + "/copy", POST=self.copy_order),
            self.route(order + "/webhook", POST=self.send_webhook),
            self.route(order + "/lines", POST=self.add_line),
            self.route(line, PATCH=self.patch_line, DELETE=self.remove_line),
            self.route(order + "/payments", POST=self.add_payment),
            self.route(payment, PATCH=self.patch_payment, DELETE=self.remove_payment),
        ]

    def _order(self, request: Request) -> Order:
        return self.shop.order(request.path_params["order_id"])

    def _full(self, order: Order) -> dict[str, Any]:
        out = plain(order)
        out["totals"] = plain(self.shop.totals(order))
        out["currency"] = self.shop.currency(order)
        out["answer"] = self.account.api.shapes.order(order, ORDER_INCLUDES)
        return out

    async def create_order(self, request: Request, values: dict[str, Any]) -> Any:
        """Create an order."""
        values, notify, _ = ways(values)
        return self._full(factories.order(self.shop, values, notify=notify))

    async def create_sample_order(self, request: Request, values: dict[str, Any]) -> Any:
        """Create an order with every kind of line."""
        _, notify, _ = ways(values)
        return self._full(sample.order(self.shop, notify=notify))

    async def order(self, request: Request, values: dict[str, Any]) -> Any:
        """Read an order with all internal fields."""
        return self._full(self._order(request))

    async def patch_order(self, request: Request, values: dict[str, Any]) -> Any:
        """Change an order."""
        order = self._order(request)
        values, notify, bump = ways(values)
        factories.change_order(self.shop, order, values, bump=bump, notify=notify)
        return self._full(order)

    async def delete_order(self, request: Request, values: dict[str, Any]) -> Any:
        """Delete an order."""
        orders.delete(self.shop, self._order(request))
        return {}

    async def copy_order(self, request: Request, values: dict[str, Any]) -> Any:
        """Copy an order."""
        _, notify, _ = ways(values)
        return self._full(orders.copy(self.shop, self._order(request), notify=notify))

    async def send_webhook(self, request: Request, values: dict[str, Any]) -> Any:
        """Send an order's webhook once more."""
        event = values.get("event", EVENTS[0])
        if event not in EVENTS:
            raise Invalid.of(event=f"An event is one of {', '.join(EVENTS)}.")
        self.account.webhooks.order_event(event, self._order(request))
        return {}

    async def find_orders(self, request: Request, values: dict[str, Any]) -> Any:
        """List order ids, oldest first."""
        return {"ids": [order.id for order in self._wanted(values)]}

    async def summary(self, request: Request, values: dict[str, Any]) -> Any:
        """Count orders and sum their totals."""
        wanted = self._wanted(values)
        total = sum((self.shop.totals(order).grand_total for order in wanted), Decimal(0))
        return {"count": len(wanted), "grand_total": total}

    def _wanted(self, values: dict[str, Any]) -> list[Order]:
        wanted = {int(part) for part in values.get("status_ids", "").split(",") if part}
        rows = sorted(self.shop.orders.values(), key=lambda order: order.id)
        return [order for order in rows if not wanted or order.status_id in wanted]

    async def move_orders(self, request: Request, values: dict[str, Any]) -> Any:
        """Move many orders to a status."""
        values, notify, _ = ways(values)
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
        values, notify, bump = ways(values)
        line = orders.make_line(self.shop, factories.read(values, fields.LINE), order)
        with orders.changing(self.shop, order, bump=bump, notify=notify):
            order.lines.append(line)
            orders.save_lines(self.shop, order)
        return line

    async def patch_line(self, request: Request, values: dict[str, Any]) -> Any:
        """Change a line."""
        order = self._order(request)
        values, notify, bump = ways(values)
        line = orders.find_line(order, request.path_params["line_id"])
        factories.change_line(self.shop, order, line, values, bump=bump, notify=notify)
        return line

    async def remove_line(self, request: Request, values: dict[str, Any]) -> Any:
        """Remove a line."""
        orders.remove_line(self.shop, self._order(request), request.path_params["line_id"])
        return {}

    async def add_payment(self, request: Request, values: dict[str, Any]) -> Any:
        """Add a payment."""
        order = self._order(request)
        values, notify, bump = ways(values)
        given = factories.read(values, fields.PAYMENT)
        if given.get("amount") is None:
            raise Invalid.of(amount="The amount field is required.")
        return orders.add_payment(self.shop, order, given, bump=bump, notify=notify)

    async def patch_payment(self, request: Request, values: dict[str, Any]) -> Any:
        """Change a payment."""
        order = self._order(request)
        values, notify, _ = ways(values)
        payment = orders.find_payment(order, request.path_params["payment_id"])
        factories.change_payment(self.shop, order, payment, values, notify=notify)
        return payment

    async def remove_payment(self, request: Request, values: dict[str, Any]) -> Any:
        """Remove a payment."""
        payment_id = request.path_params["payment_id"]
        orders.remove_payment(self.shop, self._order(request), payment_id)
        return {}
