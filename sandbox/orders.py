"""The life cycle of orders: create, change, move, merge, copy, delete."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from . import stocks
from .errors import Invalid, NotFound
from .models import GROUP_CANCELLED, Json, Line, Order, Payment
from .store import Store

STATUS_EVENT = "order.change_order_status"
PAYMENT_EVENT = "order.change_payment_status"


@contextmanager
def changing(
    shop: Store, order: Order, *, bump: bool = True, notify: bool = True
) -> Iterator[Order]:
    """Change an order and update stock, totals, times and events.

    :param shop: the shop
    :param order: the order that the block changes
    :param bump: whether updated_at moves; on a mere status change the switch decides
    :param notify: whether webhooks fire
    :return: the order
    """
    status_id, paid = order.status_id, shop.totals(order).payment_status
    yield order
    moved = order.status_id != status_id
    if moved:
        _moved(shop, order)
    order.totals = None
    stocks.settle(shop, order, notify=notify)
    if bump:
        order.updated_at = shop.now()
        order.edited = True
    shop.touch("orders")
    if notify and shop.listener:
        if moved:
            shop.listener.order_event(STATUS_EVENT, order)
        if shop.totals(order).payment_status != paid:
            shop.listener.order_event(PAYMENT_EVENT, order)


def _moved(shop: Store, order: Order) -> None:
    status = shop.statuses[order.status_id]
    order.status_changed_at = shop.now()
    if status.group_id == GROUP_CANCELLED:
        for payment in order.payments:
            if payment.status != "canceled":
                payment.status = "canceled"
                payment.updated_at = shop.now()
    if status.is_closing_order:
        order.closed_at = order.closed_at or shop.now()
    else:
        order.closed_at = None


def move(shop: Store, order: Order, status_id: int, *, notify: bool = True) -> None:
    """Move an order to another status.

    :param shop: the shop
    :param order: the order
    :param status_id: the new status
    :param notify: whether webhooks fire
    :raise Invalid: if there is no such status
    """
    if status_id not in shop.statuses:
        raise Invalid.of(status_id=f"There is no status {status_id}.")
    bump = shop.switches.is_("updated_at_on_status", "bumped")
    with changing(shop, order, bump=bump and status_id != order.status_id, notify=notify):
        order.status_id = status_id


def report_parcel(shop: Store, order: Order, shipping: Json) -> None:
    """Change an order's shipping as the delivery service does: without an event (confirmed).

    :param shop: the shop
    :param order: the order
    :param shipping: new values of the shipping
    """
    bump = shop.switches.is_("updated_at_on_parcel", "bumped")
    with changing(shop, order, bump=bump, notify=False):
        order.shipping = {**(order.shipping or {}), **shipping}


def insert(shop: Store, order: Order, *, notify: bool = True) -> None:
    """Insert a new order.

    :param shop: the shop
    :param order: the order, complete
    :param notify: whether webhooks fire (if the switch create_fires_webhook agrees)
    """
    shop.orders[order.id] = order
    if shop.statuses[order.status_id].is_closing_order and not order.closed_at:
        order.closed_at = order.status_changed_at
    shop.touch("orders")
    stocks.settle(shop, order, notify=notify)
    if notify and shop.listener and shop.switches.is_("create_fires_webhook", "yes"):
        shop.listener.order_event(STATUS_EVENT, order)


def save_lines(shop: Store, order: Order) -> None:
    """Renumber the lines of a saved order, if the switch requires it.

    :param shop: the shop
    :param order: the order
    """
    if shop.switches.is_("line_ids", "new"):
        for line in order.lines:
            line.id = shop.new_id("lines")


def make_line(shop: Store, values: dict[str, Any], order: Order | None = None) -> Line:
    """Create an order line; an offer (by id or SKU) fills missing fields.

    :param shop: the shop
    :param values: fields of :class:`Line` by name
    :param order: the order it is for, whose warehouse is the default
    :return: the line, not yet in an order
    """
    values = dict(values)
    offer_id = values.get("offer_id")
    if offer_id is None and "offer_id" not in values and values.get("sku"):
        found = shop.offers_with_sku(values["sku"])
        offer_id = found[0] if found else None
    if offer_id is not None:
        offer = shop.offers.get(offer_id)
        if offer is None:
            raise Invalid.of(offer_id=f"There is no offer {offer_id}.")
        values["offer_id"] = offer_id
        values.setdefault("name", shop.offer_name(offer))
        values.setdefault("sku", offer.sku)
        values.setdefault("price", offer.price)
        values.setdefault("purchased_price", offer.purchased_price)
        values.setdefault("properties", [dict(p) for p in offer.properties])
        if offer.thumbnail_url:
            values.setdefault("picture", {"thumbnail": offer.thumbnail_url})
        product = shop.products.get(offer.product_id)
        values.setdefault("unit_type", product.unit_type if product else None)
        if "warehouse_id" not in values:
            own = order.warehouse_id if order else None
            values["warehouse_id"] = own or next(iter(shop.warehouses), None)
    line_id = shop.new_id("lines", values.pop("id", None))
    return Line(id=line_id, **values)


def find_line(order: Order, line_id: int) -> Line:
    """Find a line.

    :param order: an order
    :param line_id: the id of the line
    :return: the line
    :raise NotFound: if the order has no such line
    """
    for line in order.lines:
        if line.id == line_id:
            return line
    raise NotFound(f"Order {order.id} has no line {line_id}.")


def remove_line(shop: Store, order: Order, line_id: int, *, notify: bool = True) -> None:
    """Remove a line; its written-off quantity returns to stock (confirmed).

    :param shop: the shop
    :param order: the order
    :param line_id: the id of the line
    :param notify: whether webhooks fire
    """
    line = find_line(order, line_id)
    with changing(shop, order, notify=notify):
        order.lines.remove(line)
        stocks.give_back(shop, [line], notify=notify)
        save_lines(shop, order)


def merge(shop: Store, main: Order, other: Order) -> None:
    """Merge two orders: one gets all goods, the other is canceled (confirmed).

    :param shop: the shop
    :param main: the order that stays
    :param other: the order that is emptied and canceled
    :raise Invalid: if both are the same order
    """
    if main is other:
        raise Invalid.of(other_id="An order cannot be merged with itself.")
    lines, payments = other.lines, other.payments
    with changing(shop, other):
        other.lines, other.payments = [], []
        with changing(shop, main):
            main.lines.extend(lines)
            main.payments.extend(payments)
        other.status_id = canceled_status(shop)


def canceled_status(shop: Store) -> int:
    """Return the status of an order that KeyCRM cancels.

    :param shop: the shop
    :return: the system status of the canceled group, else its first
    """
    group = [s for s in shop.statuses.values() if s.group_id == GROUP_CANCELLED]
    return next((s.id for s in group if s.is_reserved), group[0].id)


def copy(shop: Store, order: Order, *, notify: bool = True) -> Order:
    """Copy an order: new, unpaid, linked by parent_id (confirmed).

    :param shop: the shop
    :param order: the original
    :param notify: whether webhooks fire
    :return: the copy
    """
    now = shop.now()
    twin = replace(
        order,
        id=shop.new_id("orders"),
        parent_id=order.id,
        status_id=next(s.id for s in shop.statuses.values() if s.group_id == 1),
        source_uuid=None,
        created_at=now,
        updated_at=now,
        ordered_at=now,
        status_changed_at=now,
        closed_at=None,
        payments=[],
        lines=[
            replace(line, id=shop.new_id("lines"), hold=None, returned=False)
            for line in order.lines
        ],
        shipping={**order.shipping, "tracking_code": None} if order.shipping else None,
        edited=False,
        totals=None,
    )
    insert(shop, twin, notify=notify)
    return twin


def delete(shop: Store, order: Order) -> None:
    """Delete an order, without an event (confirmed).

    That its goods return to stock is assumed.

    :param shop: the shop
    :param order: the order
    """
    stocks.give_back(shop, order.lines)
    del shop.orders[order.id]
    shop.touch("orders")


def add_payment(
    shop: Store, order: Order, values: dict[str, Any], *, bump: bool = True, notify: bool = True
) -> Payment:
    """Add a payment to an order.

    :param shop: the shop
    :param order: the order
    :param values: fields of :class:`Payment` by name, at least the amount
    :param bump: whether updated_at moves
    :param notify: whether webhooks fire
    :return: the payment
    """
    with changing(shop, order, bump=bump, notify=notify):
        payment = make_payment(shop, order, values)
        order.payments.append(payment)
    return payment


def make_payment(shop: Store, order: Order, values: dict[str, Any]) -> Payment:
    """Create a payment without an order.

    :param shop: the shop
    :param order: the order whose currency it takes
    :param values: fields of :class:`Payment` by name, at least the amount
    :return: the payment
    """
    now = shop.now()
    values = {
        "payment_method_id": 2,
        "currency": shop.currency(order),
        "payment_date": now,
        "created_at": now,
        "updated_at": now,
        **values,
    }
    return Payment(id=shop.new_id("payments", values.pop("id", None)), **values)


def remove_payment(shop: Store, order: Order, payment_id: int, *, notify: bool = True) -> None:
    """Remove a payment of an order (unknown whether KeyCRM supports it).

    :param shop: the shop
    :param order: the order
    :param payment_id: the id of the payment
    :param notify: whether webhooks fire
    """
    payment = find_payment(order, payment_id)
    with changing(shop, order, notify=notify):
        order.payments.remove(payment)


def find_payment(order: Order, payment_id: int) -> Payment:
    """Find a payment.

    :param order: an order
    :param payment_id: the id of the payment
    :return: the payment
    :raise NotFound: if the order has no such payment
    """
    for payment in order.payments:
        if payment.id == payment_id:
            return payment
    raise NotFound(f"Order {order.id} has no payment {payment_id}.")
