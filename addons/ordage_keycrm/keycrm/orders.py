"""Typed objects for KeyCRM's orders. Names are KeyCRM's own.

Money is ``Decimal``, times are naive UTC. Each class has a ``parse`` that takes the decoded JSON.
Unknown keys are ignored, since new ones may be added at any time; a required key that is missing raises
:class:`~.errors.MalformedAnswer`. The records that an order refers to are in :mod:`~.catalog`.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from itertools import islice, product
from typing import Any

from .catalog import Offer, Property, Status, Warehouse
from .errors import KeyCrmError, MalformedAnswer
from .naming import email_addresses
from .parsing import (
    required_id,
    to_amount,
    to_bool,
    to_date,
    to_decimal,
    to_id,
    to_int,
    to_object,
    to_objects,
    to_short,
    to_text,
    to_utc,
)

#: Lines that the text of an order names.
TEXT_LINES = 3
#: Lines that are kept of an order that could not be imported, for users who read the error.
FACT_LINES = 30
#: Choices that are tried where lines with the same id differ.
MAX_CHOICES = 1000
CENT = Decimal("0.01")
#: Value of ``include`` in requests of orders: everything that the importer reads.
ORDER_INCLUDES = (
    "buyer,products.offer,status,payments,shipping,shipping.deliveryService,manager,tags,marketing"
)
ORDER_INCLUDES_WITHOUT_PAYMENTS = (
    "buyer,products.offer,status,shipping,shipping.deliveryService,manager,tags,marketing"
)


@dataclass(frozen=True, slots=True)
class Line:
    """Hold a line of an order.

    ``price`` is the list price of one unit, ``price_sold`` its selling price.
    """

    id: int
    sku: str
    name: str
    price: Decimal
    price_sold: Decimal
    quantity: Decimal
    purchased_price: Decimal | None
    unit_type: str
    comment: str
    properties: tuple[Property, ...]
    stock_status: str
    shipment_type: str
    warehouse: Warehouse | None
    offer: Offer | None

    @classmethod
    def parse(cls, data: dict) -> "Line":
        price = to_decimal(data.get("price"))
        sold = to_decimal(data.get("price_sold"))
        price = sold if price is None else price
        return cls(
            id=required_id(data, "line"),
            sku=to_short(data.get("sku")),
            name=to_short(data.get("name")),
            price=price or Decimal(0),
            price_sold=(price if sold is None else sold) or Decimal(0),
            quantity=to_amount(data.get("quantity")),
            purchased_price=to_decimal(data.get("purchased_price")),
            unit_type=to_short(data.get("unit_type")),
            comment=to_text(data.get("comment")),
            properties=Property.parse_list(data.get("properties")),
            stock_status=to_short(data.get("stock_status")),
            shipment_type=to_short(data.get("shipment_type")),
            warehouse=Warehouse.parse(data.get("warehouse")),
            offer=Offer.parse(data.get("offer")),
        )


@dataclass(frozen=True, slots=True)
class Buyer:
    """Hold a buyer.

    ``phone`` and ``email`` may be a text or a list (the list of buyers), and a text may hold several
    addresses; the first one counts.

    :param note: the manager's note, and further email addresses
    :param phones: all texts with phone numbers
    """

    id: int
    name: str
    phone: str
    email: str
    company_id: int | None
    note: str
    updated_at: datetime | None = None
    phones: tuple[str, ...] = ()

    @classmethod
    def parse(cls, data: Any) -> "Buyer | None":
        data = to_object(data)
        identifier = to_int(data.get("id"))
        if not identifier:
            return None
        emails = [one for text in _texts(data.get("email")) for one in email_addresses(text)]
        others = ", ".join(dict.fromkeys(one for one in emails if one != emails[0]))
        phones = _texts(data.get("phone"))
        return cls(
            id=identifier,
            name=to_short(data.get("full_name")),
            phone=next(iter(phones), ""),
            email=next(iter(emails), ""),
            company_id=to_int(data.get("company_id")),
            note="\n".join(filter(None, (to_text(data.get("note")), others))),
            updated_at=to_utc(data.get("updated_at")),
            phones=phones,
        )


def _texts(value: Any) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    return tuple(text for item in values if (text := to_short(item)))


@dataclass(frozen=True, slots=True)
class Payment:
    """Hold a payment of an order.

    :param amount: the paid money, in ``currency_code``
    :param order_amount: KeyCRM's ``amount``
    :param actual_amount: KeyCRM's ``actual_amount``, else its ``amount``
    """

    id: int
    amount: Decimal
    currency_code: str
    order_amount: Decimal
    actual_amount: Decimal
    status: str
    payment_method_id: int | None
    description: str
    transaction_uuid: str
    date: datetime | None

    @classmethod
    def parse(cls, data: dict) -> "Payment":
        amount = to_amount(data.get("amount"))
        actual = to_decimal(data.get("actual_amount"))
        source_currency = to_short(data.get("source_currency")).upper()
        actual_currency = to_short(data.get("actual_currency")).upper()
        paid, currency = amount, source_currency
        if actual_currency:
            # According to the vendor's file this is the currency of the payment, even without a second
            # amount.
            paid, currency = amount if actual is None else actual, actual_currency
        elif actual is not None and not source_currency:
            paid = actual
        return cls(
            id=required_id(data, "payment"),
            amount=paid,
            currency_code=currency,
            order_amount=amount,
            actual_amount=amount if actual is None else actual,
            status=to_short(data.get("status")),
            payment_method_id=to_int(data.get("payment_method_id")),
            description=to_text(data.get("description")),
            transaction_uuid=to_short(data.get("transaction_uuid")),
            date=to_utc(data.get("payment_date")) or to_utc(data.get("created_at")),
        )


@dataclass(frozen=True, slots=True)
class Shipping:
    """Hold the delivery address. ``receive_point`` is the text of the parcel office.

    :param country: the country as KeyCRM writes it, often without a code
    :param full_address: the address in one line, where it may be the only one
    :param status: status of the parcel at the delivery service
    :param date: planned date of the shipment
    """

    tracking_code: str
    recipient_name: str
    recipient_phone: str
    city: str
    region: str
    zip: str
    country_code: str
    address: str
    secondary_line: str
    receive_point: str
    delivery_service: str
    country: str
    full_address: str
    status: str
    date: date | None

    @classmethod
    def parse(cls, data: Any) -> "Shipping | None":
        data = to_object(data)
        if not data:
            return None
        payload = to_object(data.get("address_payload"))
        service = to_object(data.get("delivery_service") or data.get("deliveryService"))
        return cls(
            tracking_code=to_short(data.get("tracking_code")),
            recipient_name=to_short(data.get("recipient_full_name")),
            recipient_phone=to_short(data.get("recipient_phone")),
            city=to_short(data.get("shipping_address_city")) or to_short(payload.get("city_desc")),
            region=to_short(data.get("shipping_address_region"))
            or to_short(payload.get("area_desc")),
            zip=to_short(data.get("shipping_address_zip")),
            country_code=to_short(data.get("shipping_address_country_code")).upper(),
            address=to_short(data.get("shipping_address")),
            secondary_line=to_short(data.get("shipping_secondary_line")),
            receive_point=to_short(data.get("shipping_receive_point"))
            or to_short(payload.get("warehouse_desc")),
            delivery_service=to_short(service.get("name")),
            country=to_short(data.get("shipping_address_country")),
            full_address=to_short(data.get("full_address")),
            status=to_short(data.get("shipping_status")).lower(),
            date=to_date(data.get("shipping_date")) or to_date(data.get("shipping_date_actual")),
        )


@dataclass(frozen=True, slots=True)
class CustomValue:
    """Hold the value of a custom field of an order.

    :param uuid: the field's name in requests
    :param value: the text; of a list several ones; of a switch True or False
    """

    uuid: str
    value: str | bool

    @classmethod
    def parse_list(cls, data: Any) -> tuple["CustomValue", ...]:
        """Parse the filled fields of an order (empty ones are not returned, documented)."""
        found = []
        for row in to_objects(data):
            value = row.get("value")
            if to_short(row.get("type")).lower() == "switcher":
                value = to_bool(value)
            elif isinstance(value, list):
                value = ", ".join(filter(None, map(to_text, value)))
            else:
                value = to_text(value)
            if (uuid := to_short(row.get("uuid"))) and value != "":
                found.append(cls(uuid, value))
        return tuple(found)


@dataclass(frozen=True, slots=True)
class OrderRow:
    """Hold an order as a list returns it, for comparison; parsing never fails.

    An unreadable value counts as missing; :meth:`Order.parse` raises the error.

    :param tracking_code: empty where the row contains no shipping, like ``shipping_status``
    """

    id: int | None
    status_id: int | None
    client_id: int | None
    created_at: datetime | None
    updated_at: datetime | None
    status_changed_at: datetime | None
    is_deleted: bool
    payment_status: str
    grand_total: Decimal | None
    payments_total: Decimal | None
    tracking_code: str
    shipping_status: str

    @classmethod
    def parse(cls, data: dict) -> "OrderRow":
        shipping = to_object(data.get("shipping"))
        return cls(
            id=to_id(data.get("id")),
            status_id=to_id(data.get("status_id")),
            client_id=to_id(data.get("client_id")),
            created_at=to_utc(data.get("created_at")),
            updated_at=to_utc(data.get("updated_at")),
            status_changed_at=to_utc(data.get("status_changed_at")),
            is_deleted=to_utc(data.get("deleted_at")) is not None,
            payment_status=to_short(data.get("payment_status")),
            grand_total=_readable_amount(data.get("grand_total")),
            payments_total=_readable_amount(data.get("payments_total")),
            tracking_code=to_short(shipping.get("tracking_code")),
            shipping_status=to_short(shipping.get("shipping_status")).lower(),
        )


def _readable_amount(value: Any) -> Decimal | None:
    try:
        return to_decimal(value)
    except MalformedAnswer:
        return None


def _status(data: dict) -> Status | None:
    """Parse the status in an order: KeyCRM's list has active ones only (confirmed).

    :param data: the decoded order
    :return: without a name where the order has the status's id and group alone; None without these
    """
    row = to_object(data.get("status"))
    number = to_id(data.get("status_id")) or to_id(row.get("id"))
    if not number:
        return None
    if to_id(row.get("id")) == number and to_id(row.get("group_id")):
        return Status(
            id=number,
            name=to_short(row.get("name")) or to_short(row.get("alias")) or str(number),
            alias=to_short(row.get("alias")),
            group=to_id(row.get("group_id")) or 0,
            is_active=row.get("is_active") not in (False, 0, "0", "false"),
        )
    group = to_id(data.get("status_group_id"))
    return Status(number, "", "", group, is_active=False) if group else None


def _lines(data: dict) -> tuple[Line, ...]:
    """Parse the lines of an order.

    An answer without lines is accepted only where KeyCRM's own sum of the goods is 0: no order without
    lines was ever recorded, and a missing list would empty an order that Odoo has.

    :param data: the decoded order
    :raise MalformedAnswer: when the list is missing, empty, no list or contains anything else than
        lines
    """
    rows, total = data.get("products"), data.get("products_total")
    is_list = isinstance(rows, list) and all(isinstance(row, dict) for row in rows)
    if rows and is_list:
        return _without_repeats([Line.parse(row) for row in rows], total)
    if rows or to_decimal(total) != 0:
        raise MalformedAnswer(
            "lines_missing", order=required_id(data, "order"), total=to_short(total) or "?"
        )
    return ()


def _without_repeats(lines: list[Line], total: Any) -> tuple[Line, ...]:
    """Keep one of several lines with the same id.

    Of lines that differ, those with which the goods add up to KeyCRM's own sum are kept; where several or
    none do, those with an offer, and the last ones.

    :param lines: the lines as KeyCRM sent them
    :param total: KeyCRM's sum of the goods, as it was sent
    """
    by_id: dict[int, list[Line]] = {}
    for line in reversed(lines):
        same = by_id.setdefault(line.id, [])
        if line not in same:
            same.append(line)
    if len(by_id) == len(lines):
        return tuple(lines)
    expected = to_decimal(total)
    # In KeyCRM's order.
    several = [
        sorted(by_id[number], key=lambda line: line.offer is None)
        for number in dict.fromkeys(line.id for line in lines)
    ]
    for choice in islice(product(*several), MAX_CHOICES):
        goods = sum(line.price_sold * line.quantity for line in choice)
        if expected is not None and abs(goods - expected) < CENT:
            return choice
    return tuple(same[0] for same in several)


@dataclass(frozen=True, slots=True)
class Order:
    """Hold an order with its includes. Money has no currency: see :class:`~.catalog.Source`.

    :param payments_total: KeyCRM's own sum of the payments, in the order's currency
    :param has_payments: whether the answer contained a list of payments
    :param unread: why rows that the order refers to could not be read; see :func:`~.errors.of_row`
    """

    id: int
    parent_id: int | None
    source_id: int | None
    number: str
    client_id: int | None
    status_id: int | None
    status: Status | None
    grand_total: Decimal | None
    total_discount: Decimal
    shipping_price: Decimal
    wrap_price: Decimal
    taxes: Decimal
    payments_total: Decimal | None
    payment_status: str
    manager_comment: str
    buyer_comment: str
    is_gift: bool
    gift_message: str
    gift_wrap: bool
    promocode: str
    utm_source: str
    utm_medium: str
    utm_campaign: str
    manager_name: str
    ordered_at: datetime | None
    created_at: datetime | None
    updated_at: datetime | None
    status_changed_at: datetime | None
    is_deleted: bool
    buyer: Buyer | None
    shipping: Shipping | None
    lines: tuple[Line, ...] = field(default=())
    payments: tuple[Payment, ...] = field(default=())
    has_payments: bool = False
    tags: tuple[str, ...] = field(default=())
    custom_fields: tuple[CustomValue, ...] = field(default=())
    unread: tuple[KeyCrmError, ...] = field(default=())

    @property
    def payment_currency(self) -> str:
        """Code of the currency of all payments; empty where there is none, or several."""
        codes = {payment.currency_code for payment in self.payments if payment.currency_code}
        return codes.pop() if len(codes) == 1 else ""

    @property
    def facts(self) -> dict[str, Any]:
        """Buyer, sum and lines as plain data, for a person who decides about the order."""
        buyer = self.buyer.name if self.buyer else ""
        recipient = self.shipping.recipient_name if self.shipping else ""
        return {
            "buyer": buyer or recipient,
            "total": "" if self.grand_total is None else f"{self.grand_total:.2f}",
            "source_id": self.source_id,
            "payment_currency": self.payment_currency,
            "lines": [
                {
                    "name": line.name,
                    "sku": line.sku,
                    "quantity": f"{line.quantity.normalize():f}",
                }
                for line in self.lines[:FACT_LINES]
            ],
        }

    @property
    def source_document(self) -> str:
        """Return the text by which Odoo's order is recognized after the addon was uninstalled."""
        return f"KeyCRM #{self.id}"

    @property
    def text(self) -> str:
        """Buyer, sum and first lines, for a person who decides about the order."""
        buyer = self.buyer.name if self.buyer else ""
        recipient = self.shipping.recipient_name if self.shipping else ""
        lines = [f"{line.name} × {line.quantity.normalize():f}" for line in self.lines[:TEXT_LINES]]
        if len(self.lines) > TEXT_LINES:
            lines.append("…")
        total = "" if self.grand_total is None else f"{self.grand_total:.2f}"
        return " · ".join(filter(None, (buyer or recipient, total, ", ".join(lines))))

    @classmethod
    def parse(cls, data: Any) -> "Order":
        if not isinstance(data, dict):
            raise MalformedAnswer("not_an_order")
        manager = to_object(data.get("manager"))
        status = to_object(data.get("status"))
        marketing = to_object(data.get("marketing"))
        buyer = Buyer.parse(data.get("buyer"))
        return cls(
            id=required_id(data, "order"),
            parent_id=to_int(data.get("parent_id")),
            source_id=to_int(data.get("source_id")),
            number=to_short(data.get("source_uuid")),
            client_id=to_int(data.get("client_id")) or (buyer.id if buyer else None),
            status_id=to_int(data.get("status_id")) or to_int(status.get("id")),
            status=_status(data),
            grand_total=to_decimal(data.get("grand_total")),
            total_discount=to_amount(data.get("total_discount")),
            shipping_price=to_amount(data.get("shipping_price")),
            wrap_price=to_amount(data.get("wrap_price")),
            taxes=to_amount(data.get("taxes")),
            payments_total=to_decimal(data.get("payments_total")),
            payment_status=to_short(data.get("payment_status")),
            manager_comment=to_text(data.get("manager_comment")),
            # Both are comments of the buyer; their difference is unknown.
            buyer_comment="\n".join(
                dict.fromkeys(
                    comment
                    for name in ("buyer_comment", "client_comment")
                    if (comment := to_text(data.get(name)))
                )
            ),
            is_gift=to_bool(data.get("is_gift")),
            gift_message=to_text(data.get("gift_message")),
            gift_wrap=to_bool(data.get("gift_wrap")),
            promocode=to_short(data.get("promocode")),
            utm_source=to_short(marketing.get("utm_source")),
            utm_medium=to_short(marketing.get("utm_medium")),
            utm_campaign=to_short(marketing.get("utm_campaign")),
            manager_name=to_short(manager.get("full_name")) or to_short(manager.get("first_name")),
            ordered_at=to_utc(data.get("ordered_at")),
            created_at=to_utc(data.get("created_at")),
            updated_at=to_utc(data.get("updated_at")),
            status_changed_at=to_utc(data.get("status_changed_at")),
            # Whether a deleted order is still returned is unknown; the field is (confirmed).
            is_deleted=to_utc(data.get("deleted_at")) is not None,
            buyer=buyer,
            shipping=Shipping.parse(data.get("shipping")),
            lines=_lines(data),
            # An expense of the shop for the order is no payment of the buyer.
            payments=tuple(
                Payment.parse(row)
                for row in to_objects(data.get("payments"))
                if row.get("is_expense") in (None, False, 0, "0", "false")
            ),
            has_payments=isinstance(data.get("payments"), list),
            tags=tuple(
                name for row in to_objects(data.get("tags")) if (name := to_short(row.get("name")))
            ),
            custom_fields=CustomValue.parse_list(data.get("custom_fields")),
        )
