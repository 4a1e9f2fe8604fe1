"""Control endpoints of orders, their lines and payments."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from . import factories, fields, orders, sample
from .control_base import Endpoints, Handler, plain, ways
from .errors import Invalid
from .models import Json, Order
from .schemas import pick, sequence, whole
from .serializers import ORDER_INCLUDES
from .webhooks import EVENTS


class OrderEndpoints(Endpoints):
    """Endpoints that create and change orders without KeyCRM's restrictions."""

    def table(self) -> dict[str, Handler]:
        """Return the endpoints by method and path below ``/control``."""
        order = "/orders/{order_id:int}"
        line, payment = f"{order}/lines/{{line_id:int}}", f"{order}/payments/{{payment_id:int}}"
        return {
            "GET /orders": self.find_orders,
            "POST /orders": self.create_order,
            "POST /orders/sample": self.create_sample_order,
            "GET /orders/summary": self.summary,
            "POST /orders/move": self.move_orders,
            "POST /orders/merge": self.merge_orders,
            f"GET {order}": lambda values, order_id: self._full(self.shop.order(order_id)),
            f"PATCH {order}": self.patch_order,
            f"DELETE {order}": self.delete_order,
            f"PATCH {order}/parcel": self.set_parcel,
            f"POST {order}/copy": self.copy_order,
            f"POST {order}/webhook": self.send_webhook,
            f"POST {order}/lines": self.add_line,
            f"PATCH {line}": self.patch_line,
            f"DELETE {line}": self.remove_line,
            f"POST {order}/payments": self.add_payment,
            f"PATCH {payment}": self.patch_payment,
            f"DELETE {payment}": self.remove_payment,
        }

    def _full(self, order: Order) -> Json:
        out = plain(order)
        out["totals"] = plain(self.shop.totals(order))
        out["currency"] = self.shop.currency(order)
        out["answer"] = self.account.api.shapes.order(order, ORDER_INCLUDES)
        return out

    def create_order(self, values: Json) -> Any:
        """Create an order."""
        values, notify, _ = ways(values)
        return self._full(factories.order(self.shop, values, notify=notify))

    def create_sample_order(self, values: Json) -> Any:
        """Create an order with every kind of line."""
        _, notify, _ = ways(values)
        return self._full(sample.order(self.shop, notify=notify))

    def patch_order(self, values: Json, order_id: int) -> Any:
        """Change an order."""
        order = self.shop.order(order_id)
        values, notify, bump = ways(values)
        factories.change_order(self.shop, order, values, bump=bump, notify=notify)
        return self._full(order)

    def set_parcel(self, values: Json, order_id: int) -> Any:
        """Change an order's shipping as the delivery service does."""
        order = self.shop.order(order_id)
        orders.report_parcel(self.shop, order, values)
        return self._full(order)

    def delete_order(self, values: Json, order_id: int) -> None:
        """Delete an order."""
        orders.delete(self.shop, self.shop.order(order_id))

    def copy_order(self, values: Json, order_id: int) -> Any:
        """Copy an order."""
        _, notify, _ = ways(values)
        return self._full(orders.copy(self.shop, self.shop.order(order_id), notify=notify))

    def send_webhook(self, values: Json, order_id: int) -> None:
        """Send an order's webhook once more."""
        event = values.get("event", EVENTS[0])
        if event not in EVENTS:
            raise Invalid.of(event=f"An event is one of {', '.join(EVENTS)}.")
        self.account.webhooks.order_event(event, self.shop.order(order_id))

    def find_orders(self, values: Json) -> Any:
        """List order ids, oldest first."""
        return {"ids": [order.id for order in self._wanted(values)]}

    def summary(self, values: Json) -> Any:
        """Count orders and sum their totals."""
        wanted = self._wanted(values)
        total = sum((self.shop.totals(order).grand_total for order in wanted), Decimal(0))
        return {"count": len(wanted), "grand_total": total}

    def _wanted(self, values: Json) -> list[Order]:
        wanted = {int(part) for part in values.get("status_ids", "").split(",") if part}
        rows = sorted(self.shop.orders.values(), key=lambda order: order.id)
        return [order for order in rows if not wanted or order.status_id in wanted]

    def move_orders(self, values: Json) -> Any:
        """Move many orders to a status."""
        values, notify, _ = ways(values)
        readers = {"ids": sequence, "status_id": whole}
        given = pick(values, readers, required=("ids", "status_id"), strict=True)
        found = [self.shop.order(order_id) for order_id in given["ids"]]
        for order in found:
            orders.move(self.shop, order, given["status_id"], notify=notify)
        return {"moved": len(found)}

    def merge_orders(self, values: Json) -> Any:
        """Merge two orders."""
        readers = {"main_id": whole, "other_id": whole}
        given = pick(values, readers, required=tuple(readers), strict=True)
        main = self.shop.order(given["main_id"])
        orders.merge(self.shop, main, self.shop.order(given["other_id"]))
        return self._full(main)

    def add_line(self, values: Json, order_id: int) -> Any:
        """Add a line."""
        order = self.shop.order(order_id)
        values, notify, bump = ways(values)
        line = orders.make_line(self.shop, factories.read(values, fields.LINE), order)
        with orders.changing(self.shop, order, bump=bump, notify=notify):
            order.lines.append(line)
            orders.save_lines(self.shop, order)
        return line

    def patch_line(self, values: Json, order_id: int, line_id: int) -> Any:
        """Change a line."""
        order = self.shop.order(order_id)
        values, notify, bump = ways(values)
        line = orders.find_line(order, line_id)
        factories.change_line(self.shop, order, line, values, bump=bump, notify=notify)
        return line

    def remove_line(self, values: Json, order_id: int, line_id: int) -> None:
        """Remove a line."""
        orders.remove_line(self.shop, self.shop.order(order_id), line_id)

    def add_payment(self, values: Json, order_id: int) -> Any:
        """Add a payment."""
        order = self.shop.order(order_id)
        values, notify, bump = ways(values)
        given = factories.read(values, fields.PAYMENT)
        if given.get("amount") is None:
            raise Invalid.of(amount="The amount field is required.")
        return orders.add_payment(self.shop, order, given, bump=bump, notify=notify)

    def patch_payment(self, values: Json, order_id: int, payment_id: int) -> Any:
        """Change a payment."""
        order = self.shop.order(order_id)
        values, notify, _ = ways(values)
        payment = orders.find_payment(order, payment_id)
        factories.change_payment(self.shop, order, payment, values, notify=notify)
        return payment

    def remove_payment(self, values: Json, order_id: int, payment_id: int) -> None:
        """Remove a payment."""
        orders.remove_payment(self.shop, self.shop.order(order_id), payment_id)
