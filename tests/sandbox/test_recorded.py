"""Answers have the keys and types of recorded live answers and of the vendor's OpenAPI file."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from sandbox.sample_names import PARCELS

Check = Callable[[Any], bool]
MONEY = re.compile(r"^-?\d+\.\d\d$")
LIVE_TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000000Z$")
PLAIN_TIME = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$")
PARCEL_STATUSES = {
    "invoice", "transit", "pickup", "delivered", "cash_on_delivery", "cash_received", "return",
    "returned", "disposal", "refused",
}  # fmt: skip


def whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def number(value: Any) -> bool:
    return whole(value) or isinstance(value, float)


def text(value: Any) -> bool:
    return isinstance(value, str)


def money_text(value: Any) -> bool:
    return text(value) and bool(MONEY.match(value))


def flag(value: Any) -> bool:
    return isinstance(value, bool)


def live_time(value: Any) -> bool:
    return text(value) and bool(LIVE_TIME.match(value))


def plain_time(value: Any) -> bool:
    return text(value) and bool(PLAIN_TIME.match(value))


def some_time(value: Any) -> bool:
    return live_time(value) or plain_time(value)


def null(value: Any) -> bool:
    return value is None


def empty_list(value: Any) -> bool:
    return value == []


def either(*checks: Check) -> Check:
    return lambda value: any(check(value) for check in checks)


def one_of(*values: Any) -> Check:
    return lambda value: value in values


def rows_of(check: Check) -> Check:
    return lambda value: isinstance(value, list) and all(check(row) for row in value)


def record(**keys: Check) -> Check:
    """Check an object: exactly these keys, each with its type."""

    def check(value: Any) -> bool:
        if not isinstance(value, dict) or value.keys() != keys.keys():
            found = value.keys() if isinstance(value, dict) else {str(type(value))}
            pytest.fail(f"differing keys: {sorted(found ^ keys.keys())}")
        wrong = {name: value[name] for name, fits in keys.items() if not fits(value[name])}
        return not wrong or pytest.fail(f"wrong types: {wrong}")

    return check


def maybe(check: Check) -> Check:
    return lambda value: value is None or check(value)


property_rows = either(empty_list, rows_of(record(name=text, value=text)))
TIMES = {"created_at": live_time, "updated_at": live_time}
WAREHOUSE = {"id": whole, "name": text, "description": maybe(text), "is_active": flag}
OFFER = {
    "id": whole, "product_id": whole, "sku": maybe(text), "barcode": maybe(text),
    "thumbnail_url": maybe(text), "price": number, "purchased_price": number, "quantity": number,
    "in_reserve": number, "weight": maybe(number), "length": maybe(number), "width": maybe(number),
    "height": maybe(number), "properties": property_rows, "is_archived": flag, **TIMES,
}  # fmt: skip
LINE = {
    "id": whole, "sku": maybe(text), "name": maybe(text), "price": number, "price_sold": number,
    "purchased_price": number, "discount_percent": maybe(number), "discount_amount": maybe(number),
    "individual_discount": one_of(0), "loyalty_discount": maybe(number), "total_discount": number,
    "quantity": number, "unit_type": maybe(text), "upsale": flag, "comment": maybe(text),
    "product_status_id": maybe(whole), "properties": property_rows,
    "picture": either(text, empty_list, record(thumbnail=text)),
    "stock_status": one_of("reserved", "fulfilled", None),
    "shipment_type": one_of("warehouse", "manufacturing"), "warehouse": maybe(record(**WAREHOUSE)),
    "offer": maybe(record(**OFFER)),
}  # fmt: skip
BUYER = {
    "id": whole, "company_id": maybe(whole), "full_name": maybe(text), "note": maybe(text),
    "currency": maybe(text), "birthday": maybe(text), "manager_id": maybe(whole), **TIMES,
}  # fmt: skip
STATUS = {
    "id": whole, "name": text, "alias": text, "is_active": flag,
    "group_id": one_of(1, 2, 3, 4, 5, 6), "is_closing_order": flag, "is_reserved": flag,
    "expiration_period": maybe(whole), "deleted_at": null, **TIMES,
}  # fmt: skip
METHOD = {"id": whole, "name": text, "alias": text, "is_active": flag}
SERVICE = {"id": whole, "name": text, "source_name": text, "alias": text}
PAYMENT = {
    "id": whole, "destination_id": whole, "amount": number, "actual_amount": number,
    "source_currency": text, "actual_currency": text, "payment_method_id": whole,
    "payment_method": record(**METHOD), "status": one_of("paid", "not_paid", "canceled"),
    "description": maybe(text), "transaction_uuid": maybe(text), "fiscal_result": empty_list,
    "payment_date": live_time, "is_expense": flag, **TIMES,
}  # fmt: skip
SHIPPING = {
    "delivery_service_id": maybe(whole), "tracking_code": maybe(text),
    "shipping_status": one_of(None, *PARCEL_STATUSES), "shipping_address": maybe(text),
    "shipping_address_city": maybe(text), "shipping_address_country": maybe(text),
    "shipping_address_country_code": maybe(text), "shipping_address_region": maybe(text),
    "shipping_address_zip": maybe(text), "shipping_secondary_line": maybe(text),
    "shipping_receive_point": maybe(text), "recipient_full_name": maybe(text),
    "recipient_phone": maybe(text), "full_address": maybe(text),
    "address_payload": either(
        empty_list, record(city_desc=text, area_desc=text, warehouse_desc=maybe(text))
    ),
    "shipping_date": null, "shipping_date_actual": null, "was_shipped": flag,
    "last_history": null, "delivery_service": maybe(record(**SERVICE)),
}  # fmt: skip
MANAGER = {
    "id": whole, "first_name": text, "last_name": text, "full_name": text, "username": text,
    "email": text, "phone": maybe(text), "role_id": whole, "status": text,
    "last_logged_at": plain_time, **TIMES,
}  # fmt: skip
MARKETING = {
    **{f"utm_{name}": maybe(text) for name in ("source", "medium", "campaign", "term", "content")},
    **TIMES,
}
ORDER = {
    "id": whole, "parent_id": maybe(whole), "source_id": whole, "source_uuid": maybe(text),
    "client_id": maybe(whole), "manager_id": maybe(whole), "status_id": whole,
    "status_group_id": one_of(1, 2, 3, 4, 5, 6), "status_changed_at": live_time,
    "grand_total": number, "products_total": number, "total_discount": number,
    "payments_total": number, "margin_sum": number, "expenses_sum": number,
    "discount_amount": maybe(number), "discount_percent": maybe(number),
    "shipping_price": maybe(money_text), "wrap_price": maybe(number), "taxes": maybe(money_text),
    "payment_status": one_of("not_paid", "part_paid", "paid", "overpaid"),
    "manager_comment": maybe(text), "buyer_comment": maybe(text), "client_comment": maybe(text),
    "is_gift": flag, "gift_message": maybe(text), "gift_wrap": flag, "has_reserves": one_of(False),
    "promocode": maybe(text), "tracking_count": whole, "last_synced_at": maybe(plain_time),
    "ordered_at": live_time, "closed_at": maybe(plain_time), "deleted_at": null, **TIMES,
}  # fmt: skip
INCLUDED = {
    "buyer": record(**BUYER, phone=maybe(text), email=maybe(text)),
    "products": rows_of(record(**LINE)),
    "status": record(**STATUS),
    "payments": rows_of(record(**PAYMENT)),
    "shipping": maybe(record(**SHIPPING)),
    "manager": record(**MANAGER),
    "assigned": rows_of(record(**MANAGER, role=record(id=whole, name=text, alias=text))),
    "tags": rows_of(record(id=whole, name=text, alias=text, color=text, **TIMES)),
    "marketing": maybe(record(**MARKETING)),
    "expenses": empty_list,
    "custom_fields": empty_list,
    "warehouse": record(**WAREHOUSE),
}
STOCK = {
    "id": whole, "sku": maybe(text), "price": number, "purchased_price": number,
    "quantity": number, "reserve": number,
    "warehouse": rows_of(record(id=whole, name=text, quantity=number, reserve=number)),
}  # fmt: skip
PRODUCT = {
    "id": whole, "name": text, "description": maybe(text), "thumbnail_url": maybe(text),
    "attachments_data": empty_list, "quantity": number, "unit_type": maybe(text),
    "currency_code": text, "sku": maybe(text), "barcode": maybe(text), "price": maybe(number),
    "purchased_price": maybe(number), "min_price": maybe(number), "max_price": maybe(number),
    "weight": maybe(number), "length": maybe(number), "width": maybe(number),
    "height": maybe(number), "has_offers": flag,
    "properties_agg": lambda v: v == [] or all(rows_of(text)(values) for values in v.values()),
    "is_archived": flag, "category_id": maybe(whole), **TIMES,
}  # fmt: skip
COMPANY = {
    "id": whole, "name": text, "full_name": maybe(text), "address": maybe(text),
    "banking_detailse": maybe(text), "note": maybe(text), **TIMES,
}  # fmt: skip
SOURCE = {
    "id": whole, "name": text, "alias": text, "driver": text, "source_name": maybe(text),
    "source_uuid": maybe(text), "currency_code": text, **TIMES,
}  # fmt: skip
TRANSACTION = {
    "id": whole, "uuid": either(text, whole), "source_uuid": maybe(text), "gateway_id": whole,
    "payments_data": empty_list, "amount": number, "currency": text, "description": maybe(text),
    "transaction_date": live_time, **TIMES,
}  # fmt: skip
ENVELOPE = {
    "total": whole, "current_page": whole, "per_page": whole, "data": rows_of(lambda row: True),
    "first_page_url": text, "last_page_url": text, "next_page_url": maybe(text),
    "last_page": whole, "from": maybe(whole), "to": maybe(whole), "path": text,
    "prev_page_url": maybe(text),
    "links": rows_of(record(url=maybe(text), label=text, active=flag)),
}  # fmt: skip
LISTS = {
    "/order/status": ({}, STATUS),
    "/order/source": ({}, SOURCE),
    "/order/payment-method": ({}, METHOD),
    "/order/delivery-service": ({}, SERVICE),
    "/products": ({}, PRODUCT),
    "/offers": ({"include": "product"}, {**OFFER, "product": record(**PRODUCT)}),
    "/offers/stocks": ({"filter[details]": "true"}, STOCK),
    "/buyer": (
        {"include": "company"},
        {
            **BUYER,
            "phone": rows_of(text),
            "email": rows_of(text),
            "company": maybe(record(**COMPANY)),
        },
    ),
    "/payments/external-transactions": ({}, TRANSACTION),
}


@pytest.fixture
def shop(control):
    """A shop with orders in each status, and switches that let orders hold stock."""
    control.set_switches(status_reserve="on", status_write_off="on")
    control.reset(seed=22, orders=50, offers=40, keep_switches=True)
    control.create_transaction(amount="12.30")
    control.create_transaction(amount=7, uuid="900")
    return control


def test_order_has_the_recorded_keys_and_types(api, shop):
    include = "buyer,products.offer,manager,tags,status,marketing,payments,shipping,"
    include += "shipping.lastHistory,shipping.deliveryService,expenses,custom_fields,assigned"
    answer = api.get("/order", include=include, limit=50)
    assert record(**ENVELOPE)(answer)
    assert len(answer["data"]) == 50
    assert all(record(**ORDER, **INCLUDED)(order) for order in answer["data"])
    assert all(record(**ORDER)(order) for order in api.get("/order", limit=50)["data"])
    # What a shop of this size has seen of it.
    lines = [line for order in answer["data"] for line in order["products"]]
    assert {line["stock_status"] for line in lines} == {"reserved", "fulfilled", None}
    assert any(line["offer"] is None for line in lines)
    shippings = [order["shipping"] for order in answer["data"] if order["shipping"]]
    assert any(row["shipping_address_country_code"] is None for row in shippings)
    assert {status for two in PARCELS.values() for status in two} <= {
        row["shipping_status"] for row in shippings
    }


@pytest.mark.parametrize("path", LISTS)
def test_lists_have_the_recorded_keys_and_types(api, shop, path):
    query, shape = LISTS[path]
    answer = api.get(path, limit=50, **query)
    assert record(**ENVELOPE)(answer)
    assert answer["data"] and all(record(**shape)(row) for row in answer["data"])


def test_numbers_may_be_texts(api, shop):
    shop.set_switches(numbers="strings")
    order = api.get("/order", include="products.offer,payments", limit=1)["data"][0]
    stock = api.get("/offers/stocks", **{"filter[details]": "true"})["data"][0]
    assert all(text(order[name]) for name, fits in ORDER.items() if fits is number)
    line = {name: check for name, check in LINE.items() if check is number}
    assert all(text(row[name]) for row in order["products"] for name in line)
    assert all(text(stock[name]) for name in ("price", "purchased_price", "quantity", "reserve"))
    assert whole(order["id"]) and whole(stock["id"])


def test_weight_is_in_the_unit_of_the_settings(api, control, offer):
    offer(weight="0.25")
    for unit, shown in (("g", 250), ("kg", 0.25)):
        control.set_switches(weight_unit=unit)
        assert api.get("/offers")["data"][0]["weight"] == shown
        assert api.get("/products")["data"][0]["weight"] == shown
