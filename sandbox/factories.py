"""Create and change records without KeyCRM's restrictions, for control and page."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from . import fields, orders, stocks
from .errors import Invalid, NotFound
from .models import (
    Buyer,
    Category,
    Company,
    CustomField,
    DeliveryService,
    ExternalTransaction,
    Line,
    Offer,
    Order,
    Payment,
    Product,
    Source,
    Status,
    Warehouse,
    assign,
)
from .schemas import Readers, pick
from .store import Store

# fields that may be null; for all others null means "as if it were not given"
_NOT_NULL = frozenset(
    {
        "source_id",
        "status_id",
        "created_at",
        "updated_at",
        "ordered_at",
        "status_changed_at",
        "raw",
        "tags",
        "custom_fields",
        "expenses",
        "price",
        "purchased_price",
        "quantity",
        "shipment_type",
        "properties",
        "amount",
        "payment_method_id",
        "status",
        "currency_code",
        "phones",
        "emails",
        "group_id",
        "is_gift",
        "gift_wrap",
    }
)


def read(values: dict[str, Any], readers: Readers, at: str = "") -> dict[str, Any]:
    """Read fields of the control interface; unknown ones are an error.

    :param values: fields by name
    :param readers: a reader by field name
    :param at: path of the object, for the errors
    :return: the fields, read
    :raise Invalid: with one sentence a wrong field
    """
    given = pick(values, readers, strict=True, at=at)
    return {k: v for k, v in given.items() if v is not None or k not in _NOT_NULL}


def order(shop: Store, values: dict[str, Any], *, notify: bool = True) -> Order:
    """Create an order; missing fields get defaults.

    :param shop: the shop
    :param values: fields of an order; ``buyer`` makes a new buyer, ``lines`` and ``payments``
        are objects
    :param notify: whether webhooks fire
    :return: the order
    :raise Invalid: if a field is wrong
    """
    given = read(values, fields.NEW_ORDER)
    line_values = [
        read(row, fields.LINE, f"lines.{i}.")
        for i, row in enumerate(given.pop("lines", None) or [])
    ]
    payment_values = [
        read(row, fields.PAYMENT, f"payments.{i}.")
        for i, row in enumerate(given.pop("payments", None) or [])
    ]
    buyer_values = given.pop("buyer", None)
    if given.get("id") in shop.orders:
        raise Invalid.of(id=f"There is an order {given['id']} already.")
    now = shop.now()
    first = given.get("ordered_at") or given.get("created_at") or now
    given.setdefault("created_at", first)
    given.setdefault("ordered_at", given["created_at"])
    given.setdefault("updated_at", now if given["created_at"] <= now else given["created_at"])
    given.setdefault("status_changed_at", given["updated_at"])
    given.setdefault("source_id", next(iter(shop.sources)))
    given.setdefault("status_id", next(s.id for s in shop.statuses.values() if s.group_id == 1))
    given.setdefault("warehouse_id", next(iter(shop.warehouses), None))
    _known(given, "status_id", shop.statuses)
    _known(given, "source_id", shop.sources)
    if buyer_values is not None:
        given["client_id"] = buyer(shop, buyer_values).id
    given.setdefault("client_id", None)
    made = Order(id=shop.new_id("orders", given.pop("id", None)), **given)
    made.lines = [orders.make_line(shop, row, made) for row in line_values]
    made.payments = [orders.make_payment(shop, made, row) for row in payment_values]
    orders.insert(shop, made, notify=notify)
    return made


def change_order(
    shop: Store, found: Order, values: dict[str, Any], *, bump: bool, notify: bool
) -> None:
    """Change an order's own fields; a change of the status alone is a move.

    :param shop: the shop
    :param found: the order
    :param values: new fields by name
    :param bump: whether updated_at moves (by more than a mere status change)
    :param notify: whether webhooks fire
    :raise Invalid: if a field is wrong
    """
    given = read(values, {k: v for k, v in fields.ORDER.items() if k != "id"})
    _known(given, "status_id", shop.statuses)
    _known(given, "source_id", shop.sources)
    if given.get("client_id") is not None:
        _known(given, "client_id", shop.buyers)
    if set(given) == {"status_id"} and bump:
        orders.move(shop, found, given["status_id"], notify=notify)
        return
    own_time = given.pop("updated_at", None)
    with orders.changing(shop, found, bump=bump and own_time is None, notify=notify):
        assign(found, given)
        orders.save_lines(shop, found)
        if own_time is not None:
            found.updated_at = own_time


def change_line(
    shop: Store, found: Order, line: Line, values: dict[str, Any], *, bump: bool, notify: bool
) -> None:
    """Change a line.

    :param shop: the shop
    :param found: the order
    :param line: its line
    :param values: new fields by name
    :param bump: whether updated_at moves
    :param notify: whether webhooks fire
    :raise Invalid: if a field is wrong
    """
    given = read(values, {k: v for k, v in fields.LINE.items() if k != "id"})
    if given.get("offer_id") is not None:
        _known(given, "offer_id", shop.offers)
    with orders.changing(shop, found, bump=bump, notify=notify):
        assign(line, given)
        orders.save_lines(shop, found)


def change_payment(
    shop: Store, found: Order, payment: Payment, values: dict[str, Any], *, notify: bool
) -> None:
    """Change a payment.

    :param shop: the shop
    :param found: the order
    :param payment: its payment
    :param values: new fields by name
    :param notify: whether webhooks fire
    :raise Invalid: if a field is wrong
    """
    given = read(values, {k: v for k, v in fields.PAYMENT.items() if k != "id"})
    with orders.changing(shop, found, notify=notify):
        assign(payment, given)
        payment.updated_at = given.get("updated_at", shop.now())


def buyer(shop: Store, values: dict[str, Any]) -> Buyer:
    """Create a buyer.

    :param shop: the shop
    :param values: fields of a buyer; ``phone``, ``email`` and ``company`` (a name) are understood
    :return: the buyer
    :raise Invalid: if a field is wrong
    """
    values = dict(values)
    phone, email, company_name = (values.pop(k, None) for k in ("phone", "email", "company"))
    given = read(values, fields.BUYER)
    if phone:
        given["phones"] = [str(phone), *given.get("phones", [])]
    if email:
        given["emails"] = [str(email), *given.get("emails", [])]
    if company_name:
        given["company_id"] = company(shop, {"name": company_name}).id
    return shop.insert("buyers", Buyer, given)


def company(shop: Store, values: dict[str, Any]) -> Company:
    """Create a company.

    :param shop: the shop
    :param values: fields of a company
    :return: the company
    """
    given = pick(values, fields.COMPANY, required=("name",), strict=True)
    return shop.insert("companies", Company, given)


def offer(shop: Store, values: dict[str, Any]) -> Offer:
    """Create an offer, with a product if none is given.

    :param shop: the shop
    :param values: fields of an offer; ``name`` (of a new product), ``unit_type`` and ``stock``
        (quantity by warehouse id) are understood
    :return: the offer
    :raise Invalid: if a field is wrong
    """
    values = dict(values)
    stock = values.pop("stock", None) or {}
    product_values = {k: values.pop(k) for k in ("name", "unit_type", "category_id") if k in values}
    given = read(values, fields.OFFER)
    if given.get("product_id") is None:
        given["product_id"] = product(shop, {"name": "Товар", **product_values}).id
    _known(given, "product_id", shop.products)
    made: Offer = shop.insert("offers", Offer, given)
    for warehouse_id, quantity in stock.items():
        row = stocks.row(shop, made.id, warehouse(shop, int(warehouse_id)))
        row.quantity = Decimal(str(quantity))
    return made


def product(shop: Store, values: dict[str, Any]) -> Product:
    """Create a catalog product without offers.

    :param shop: the shop
    :param values: fields of a product
    :return: the product
    """
    given = pick(values, fields.PRODUCT, required=("name",), strict=True)
    return shop.insert("products", Product, given)


def transaction(shop: Store, values: dict[str, Any]) -> ExternalTransaction:
    """Create a bank transaction.

    :param shop: the shop
    :param values: fields of a transaction, at least the amount
    :return: the transaction
    """
    given = pick(values, fields.TRANSACTION, required=("amount",), nulls=False, strict=True)
    given["id"] = shop.new_id("transactions", given.get("id"))
    given.setdefault("uuid", f"{700000 + given['id']}")
    given.setdefault("transaction_date", shop.now())
    given.setdefault("created_at", shop.now())
    given["updated_at"] = given["created_at"]
    return shop.insert("transactions", ExternalTransaction, given)


def listed(shop: Store, table: str, values: dict[str, Any]) -> Any:
    """Create a row of a small list, or change that of a given id.

    :param shop: the shop
    :param table: such as statuses, sources or warehouses
    :param values: its fields
    :return: the record
    :raise Invalid: if a field is wrong
    """
    kind, readers, defaults = _LISTED[table]
    given = pick(values, readers, strict=True)
    rows = getattr(shop, table)
    found = rows.get(given.get("id"))
    if found is None:
        number = shop.new_id(table, given.get("id"), rows)
        named = {"name": f"{table} {number}"}
        if "alias" in readers:
            named["alias"] = f"custom_{number}"
        found = shop.insert(table, kind, {**named, **defaults, **given, "id": number})
    else:
        given.pop("id")
        assign(found, given)
        if hasattr(kind, "updated_at"):
            found.updated_at = shop.now()
    shop.touch("lists")
    shop.touch("orders")
    return found


_LISTED: dict[str, tuple[Any, Readers, dict[str, Any]]] = {
    "statuses": (Status, fields.STATUS, {"group_id": 1}),
    "sources": (Source, fields.SOURCE, {"driver": "custom"}),
    "warehouses": (Warehouse, fields.WAREHOUSE, {}),
    "categories": (Category, fields.CATEGORY, {}),
    "custom_fields": (CustomField, fields.CUSTOM_FIELD, {"uuid": "OR_2000"}),
    "delivery_services": (DeliveryService, fields.DELIVERY_SERVICE, {"source_name": "custom"}),
}


def warehouse(shop: Store, warehouse_id: int) -> int:
    """Create a warehouse if missing.

    :param shop: the shop
    :param warehouse_id: its id
    :return: the same id
    :raise NotFound: if there is none
    """
    if warehouse_id not in shop.warehouses:
        raise NotFound(f"There is no warehouse {warehouse_id}.")
    return warehouse_id


def _known(given: dict[str, Any], name: str, table: dict[int, Any]) -> None:
    if name in given and given[name] not in table:
        raise Invalid({name: [f"There is no {name.removesuffix('_id')} {given[name]}."]})
