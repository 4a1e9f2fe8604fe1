"""Client methods for orders."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .control_client import Client, Json, comma, ways


class OrdersControl(Client):
    """Create and change orders, their lines and payments."""

    # === ORDERS ===

    def create_order(self, *, webhook: bool = True, **fields: Any) -> Json:
        """Create an order; lines with ``offer_id`` or an existing ``sku`` have products.

        :param webhook: False to fire none
        :param fields: of the order, further ``buyer`` (object), ``lines``, ``payments`` (lists)
        :return: everything about the order; ``answer`` holds what the API shows with all includes
        """
        return self._call("POST", "/orders", {**fields, "webhook": webhook})

    def create_sample_order(self, *, webhook: bool = True) -> Json:
        """Create a realistic order, like the button on the page.

        Its lines: a catalog product, one with properties ("Сорочка, біла, M"), a one-off product and one
        without SKU.

        :param webhook: False to fire none
        :return: everything about the order
        """
        return self._call("POST", "/orders/sample", {"webhook": webhook})

    def order(self, order_id: int) -> Json:
        """Read an order with all internal fields.

        :param order_id: its id
        :return: internal state, totals, currency; ``answer`` holds what the API shows
        """
        return self._call("GET", f"/orders/{order_id}")

    def order_ids(self, status_ids: Iterable[int] | None = None) -> list[int]:
        """List orders.

        :param status_ids: only orders in these statuses
        :return: ids, lowest first
        """
        return self._call("GET", "/orders", query={"status_ids": comma(status_ids)})["ids"]

    def summary(self, status_ids: Iterable[int] | None = None) -> Json:
        """Count orders and sum their totals.

        :param status_ids: only orders in these statuses
        :return: ``count`` and ``grand_total`` (a string; all currencies in one sum)
        """
        return self._call("GET", "/orders/summary", query={"status_ids": comma(status_ids)})

    def patch_order(
        self, order_id: int, *, webhook: bool = True, bump: bool = True, **fields: Any
    ) -> Json:
        """Change an order's own fields, shipping and tracking code among them.

        :param order_id: its id
        :param webhook: False to fire none
        :param bump: False to leave updated_at
        :param fields: new values; ``raw`` is laid over the API's answer
        :return: everything about the order
        """
        return self._call("PATCH", f"/orders/{order_id}", ways(fields, webhook, bump))

    def set_parcel(self, order_id: int, **shipping: Any) -> Json:
        """Report a parcel as the delivery service does, without a webhook.

        :param order_id: its id
        :param shipping: new values of the shipping, such as ``shipping_status``
        :return: everything about the order
        """
        return self._call("PATCH", f"/orders/{order_id}/parcel", shipping)

    def set_status(self, order_id: int, status_id: int, *, webhook: bool = True) -> Json:
        """Move an order to a status; switches define the effects.

        :param order_id: its id
        :param status_id: the status
        :param webhook: False to fire none
        :return: everything about the order
        """
        return self.patch_order(order_id, status_id=status_id, webhook=webhook)

    def set_statuses(
        self, order_ids: Iterable[int], status_id: int, *, webhook: bool = True
    ) -> int:
        """Move many orders at once.

        :param order_ids: their ids
        :param status_id: the status
        :param webhook: False to fire none
        :return: how many
        """
        body = {"ids": list(order_ids), "status_id": status_id, "webhook": webhook}
        return self._call("POST", "/orders/move", body)["moved"]

    def delete_order(self, order_id: int) -> None:
        """Delete an order, without an event.

        :param order_id: its id
        """
        self._call("DELETE", f"/orders/{order_id}")

    def merge_orders(self, main_id: int, other_id: int) -> Json:
        """Merge two orders: one gets goods and payments, the other is canceled.

        :param main_id: the order that stays
        :param other_id: the order that is canceled
        :return: everything about the order that stays
        """
        return self._call("POST", "/orders/merge", {"main_id": main_id, "other_id": other_id})

    def copy_order(self, order_id: int, *, webhook: bool = True) -> Json:
        """Copy an order.

        :param order_id: its id
        :param webhook: False to fire none
        :return: everything about the copy, whose ``parent_id`` is the original
        """
        return self._call("POST", f"/orders/{order_id}/copy", {"webhook": webhook})

    def send_webhook(self, order_id: int, event: str = "order.change_order_status") -> None:
        """Send an order's webhook once more.

        :param order_id: its id
        :param event: or ``order.change_payment_status``
        """
        self._call("POST", f"/orders/{order_id}/webhook", {"event": event})

    def add_line(
        self, order_id: int, *, webhook: bool = True, bump: bool = True, **fields: Any
    ) -> Json:
        """Add a line.

        :param order_id: the order
        :param webhook: False to fire none
        :param bump: False to leave updated_at
        :param fields: of the line
        :return: the line
        """
        return self._call("POST", f"/orders/{order_id}/lines", ways(fields, webhook, bump))

    def patch_line(
        self, order_id: int, line_id: int, *, webhook: bool = True, bump: bool = True, **fields: Any
    ) -> Json:
        """Change a line: quantity, price, discount, warehouse or anything else.

        :param order_id: the order
        :param line_id: the line
        :param webhook: False to fire none
        :param bump: False to leave updated_at
        :param fields: new values
        :return: the line
        """
        path = f"/orders/{order_id}/lines/{line_id}"
        return self._call("PATCH", path, ways(fields, webhook, bump))

    def remove_line(self, order_id: int, line_id: int) -> None:
        """Remove a line; its written-off quantity returns to stock.

        :param order_id: the order
        :param line_id: the line
        """
        self._call("DELETE", f"/orders/{order_id}/lines/{line_id}")

    def add_payment(self, order_id: int, *, webhook: bool = True, **fields: Any) -> Json:
        """Add a payment.

        :param order_id: the order
        :param webhook: False to fire none
        :param fields: of the payment, at least ``amount``
        :return: the payment
        """
        return self._call("POST", f"/orders/{order_id}/payments", {**fields, "webhook": webhook})

    def patch_payment(
        self, order_id: int, payment_id: int, *, webhook: bool = True, **fields: Any
    ) -> Json:
        """Change a payment, such as its ``status`` or its bank ``transaction_uuid``.

        :param order_id: the order
        :param payment_id: the payment
        :param webhook: False to fire none
        :param fields: new values
        :return: the payment
        """
        path = f"/orders/{order_id}/payments/{payment_id}"
        return self._call("PATCH", path, {**fields, "webhook": webhook})

    def remove_payment(self, order_id: int, payment_id: int) -> None:
        """Remove a payment of an order without a trace.

        :param order_id: the order
        :param payment_id: the payment
        """
        self._call("DELETE", f"/orders/{order_id}/payments/{payment_id}")
