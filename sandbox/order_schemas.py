"""Documented bodies of ``POST /order``, ``PUT /order/{id}`` and payments."""

from __future__ import annotations

from typing import Any

from . import buyers, custom_fields, fields, orders
from .errors import SELECTED, Invalid
from .fields import only
from .models import Buyer, Order, Payment, assign
from .schemas import Readers, mapping, pick, sequence, text, whole
from .store import Store

PAYMENT_STATUSES = ("paid", "not_paid", "canceled")

ORDER: Readers = {
    **only(
        fields.ORDER,
        "source_id source_uuid buyer_comment manager_id manager_comment promocode discount_percent "
        "discount_amount shipping_price wrap_price gift_message is_gift taxes ordered_at shipping "
        "marketing",
    ),
    "buyer": mapping,
    "products": sequence,
    "payments": sequence,
}
BUYER: Readers = {"full_name": text, "email": text, "phone": text}
_LINE_VALUES = "sku name comment price purchased_price discount_percent discount_amount quantity"
LINE: Readers = {**only(fields.LINE, f"{_LINE_VALUES} unit_type properties"), "picture": text}
PAYMENT: Readers = {
    **only(fields.PAYMENT, "payment_method_id amount description payment_date status"),
    "payment_method": text,
}
SHIPPING: Readers = {
    "delivery_service_id": whole,
    **dict.fromkeys(
        (
            "tracking_code",
            "shipping_service",
            "shipping_address_city",
            "shipping_address_country",
            "shipping_address_region",
            "shipping_address_zip",
            "shipping_secondary_line",
            "shipping_receive_point",
            "recipient_full_name",
            "recipient_phone",
            "warehouse_ref",
            "shipping_date",
        ),
        text,
    ),
}
CHANGES: Readers = {
    **only(
        fields.ORDER,
        "buyer_comment manager_comment status_id discount_percent discount_amount shipping",
    ),
    "products": sequence,
    "custom_fields": sequence,
}
LINE_CHANGES = only(fields.LINE, f"id {_LINE_VALUES} product_status_id")


def create(shop: Store, body: dict[str, Any]) -> Order:
    """Create an order from a client's body.

    :param shop: the shop
    :param body: the body of ``POST /order``
    :return: the order, in the first status of the group "new"
    :raise Invalid: if the body is wrong
    """
    given = pick(body, ORDER, required=("source_id", "buyer"))
    if given["source_id"] not in shop.sources:
        raise Invalid.of(source_id=SELECTED)
    buyer_values = pick(given.pop("buyer"), BUYER, at="buyer.")
    line_values = [
        _line_values(row, f"products.{i}.")
        for i, row in enumerate(given.pop("products", None) or [])
    ]
    payment_values = [
        payment_fields(shop, row, f"payments.{i}.")
        for i, row in enumerate(given.pop("payments", None) or [])
    ]
    shipping = given.pop("shipping", None)
    if shipping is not None:
        shipping = _shipping(shop, pick(shipping, SHIPPING, at="shipping."))
    phone, email = buyer_values.get("phone"), buyer_values.get("email")
    buyer = buyers.find(shop, phone, email) or shop.insert(
        "buyers",
        Buyer,
        {
            "full_name": buyer_values.get("full_name"),
            "phones": [phone] if phone else [],
            "emails": [email] if email else [],
        },
    )
    now = shop.now()
    order = Order(
        id=shop.new_id("orders"),
        status_id=next(s.id for s in shop.statuses.values() if s.group_id == 1),
        client_id=buyer.id,
        created_at=now,
        updated_at=now,
        ordered_at=given.pop("ordered_at", None) or now,
        status_changed_at=now,
        warehouse_id=next(iter(shop.warehouses), None),
        shipping=shipping,
        is_gift=bool(given.pop("is_gift", False)),
        **given,
    )
    order.lines = [orders.make_line(shop, values, order) for values in line_values]
    order.payments = [orders.make_payment(shop, order, values) for values in payment_values]
    orders.insert(shop, order)
    return order


def update(shop: Store, order: Order, body: dict[str, Any]) -> None:
    """Change an order as ``PUT /order/{id}`` does: no line is ever added (confirmed).

    :param shop: the shop
    :param order: the order
    :param body: the body of the request
    :raise Invalid: if the body is wrong; then nothing is changed
    """
    given = pick(body, CHANGES)
    status_id = given.pop("status_id", None)
    if status_id is not None and status_id not in shop.statuses:
        raise Invalid.of(status_id=SELECTED)
    rows = [
        pick(row, LINE_CHANGES, at=f"products.{i}.")
        for i, row in enumerate(given.pop("products", None) or [])
    ]
    shipping = given.pop("shipping", None)
    if shipping is not None:
        shipping = _shipping(shop, pick(shipping, SHIPPING, at="shipping."))
        _check_tracking(shop, order.shipping or {}, shipping)
    values = custom_fields.value_rows(shop, given.pop("custom_fields", None) or [])
    if given or rows or values or shipping is not None:
        with orders.changing(shop, order):
            assign(order, given)
            for row in rows:
                _change_line(shop, order, row)
            orders.save_lines(shop, order)
            if shipping is not None:
                order.shipping = {**(order.shipping or {}), **shipping}
            custom_fields.write(order, values)
    if status_id is not None:
        orders.move(shop, order, status_id)


def _check_tracking(shop: Store, old: dict[str, Any], new: dict[str, Any]) -> None:
    """Refuse a second tracking code (documented), also one without a carrier if the switch says so."""
    if not new.get("tracking_code"):
        return
    if old.get("tracking_code"):
        raise Invalid.of("shipping.", tracking_code="The order has a tracking code already.")
    service = new.get("delivery_service_id", old.get("delivery_service_id"))
    if not service and shop.switches.is_("tracking_needs_service", "yes"):
        raise Invalid.of(
            "shipping.", delivery_service_id="The {} field is required with a tracking code."
        )


def _change_line(shop: Store, order: Order, row: dict[str, Any]) -> None:
    if shop.switches.is_("line_comment", "erased"):
        row.setdefault("comment", None)
    line_id, sku = row.pop("id", None), row.pop("sku", None)
    for line in order.lines:
        if line.id == line_id if line_id is not None else line.sku == sku:
            if line.offer_id is not None:
                row.pop("name", None)
            assign(line, row)
            return


def payment_fields(shop: Store, row: Any, at: str = "") -> dict[str, Any]:
    """Read a payment.

    :param shop: the shop
    :param row: the payment as the client gives it
    :param at: path of the object, for the errors
    :return: fields of a payment
    :raise Invalid: if it is wrong
    """
    given = pick(row, PAYMENT, required=("amount",), nulls=False, at=at)
    name = given.pop("payment_method", None)
    if "payment_method_id" not in given:
        named = [m.id for m in shop.payment_methods.values() if name in (m.name, m.alias)]
        if not named:
            sentence = "The {} field is required without payment_method."
            raise Invalid.of(at, payment_method_id=sentence)
        given["payment_method_id"] = named[0]
    elif given["payment_method_id"] not in shop.payment_methods:
        raise Invalid.of(at, payment_method_id=SELECTED)
    _check_status(given.setdefault("status", "paid"), at)
    return given


def update_payment(shop: Store, order: Order, payment: Payment, body: dict[str, Any]) -> None:
    """Change a payment's status or description.

    :param shop: the shop
    :param order: the order it belongs to
    :param payment: the payment
    :param body: the body of the request
    :raise Invalid: if the body is wrong or a paid payment of a completed order is to be canceled
    """
    given = pick(body, {"status": text, "description": text}, nulls=False)
    status = given.get("status", payment.status)
    _check_status(status, "")
    completed = shop.statuses[order.status_id].group_id == 5
    if status == "canceled" and payment.status == "paid" and completed:
        raise Invalid.of(status="A paid payment of a completed order cannot be canceled.")
    with orders.changing(shop, order):
        payment.status = status
        payment.description = given.get("description", payment.description)
        payment.updated_at = shop.now()


def _check_status(status: str, at: str) -> None:
    if status not in PAYMENT_STATUSES:
        raise Invalid.of(at, status=SELECTED)


def _line_values(row: Any, at: str) -> dict[str, Any]:
    values = pick(row, LINE, at=at)
    values = {name: value for name, value in values.items() if value is not None}
    properties = values.get("properties", [])
    # an attribute without name and value is ignored (vendor's documentation)
    kept = [p for p in properties if isinstance(p, dict) and "name" in p and "value" in p]
    if kept:
        values["properties"] = [{"name": p["name"], "value": p["value"]} for p in kept]
    else:
        values.pop("properties", None)
    return values


def _shipping(shop: Store, given: dict[str, Any]) -> dict[str, Any]:
    service = given.pop("shipping_service", None)
    given.pop("warehouse_ref", None)
    if service and not given.get("delivery_service_id"):
        for carrier in shop.delivery_services.values():
            if service in (carrier.name, carrier.source_name, carrier.alias):
                given["delivery_service_id"] = carrier.id
    if given.get("delivery_service_id") and (
        given["delivery_service_id"] not in shop.delivery_services
    ):
        raise Invalid.of("shipping.", delivery_service_id=SELECTED)
    if "shipping_date" in given and shop.switches.is_("shipping_date_key", "shipping_date_actual"):
        given["shipping_date_actual"] = given.pop("shipping_date")
    return given
