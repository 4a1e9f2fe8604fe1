"""Records of a KeyCRM account. Amounts are in the currency of the order's source."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

ZERO = Decimal(0)
GROUP_NEW, GROUP_AGREEMENT, GROUP_PRODUCTION = 1, 2, 3
GROUP_DELIVERY, GROUP_COMPLETED, GROUP_CANCELLED = 4, 5, 6

Json = dict[str, Any]


def assign(record: Any, values: Json) -> None:
    """Set fields of a record.

    :param record: the record
    :param values: new values by name
    """
    for name, value in values.items():
        setattr(record, name, value)


@dataclass(slots=True)
class Status:
    """An order status."""

    id: int
    name: str
    alias: str
    group_id: int
    is_closing_order: bool = False
    is_reserved: bool = False
    is_active: bool = True
    expiration_period: int | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


@dataclass(slots=True)
class Source:
    """A source of orders; only it has the orders' currency."""

    id: int
    name: str
    alias: str
    driver: str
    currency_code: str = "UAH"
    created_at: datetime | None = None
    updated_at: datetime | None = None


@dataclass(slots=True)
class PaymentMethod:
    """A payment method."""

    id: int
    name: str
    alias: str
    is_active: bool = True


@dataclass(slots=True)
class DeliveryService:
    """A delivery service."""

    id: int
    name: str
    source_name: str
    alias: str


@dataclass(slots=True)
class Warehouse:
    """A warehouse; no endpoint lists them."""

    id: int
    name: str
    description: str | None = None
    is_active: bool = True


@dataclass(slots=True)
class Category:
    """A category of products."""

    id: int
    name: str
    parent_id: int | None = None


@dataclass(slots=True)
class CustomField:
    """A custom field of orders (or of another ``model``)."""

    id: int
    name: str
    uuid: str
    model: str = "order"
    type: str = "text"
    required: bool = False
    position: int = 0
    is_multiple: bool = False
    options: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Product:
    """A catalog product, the parent of its offers."""

    id: int
    name: str
    description: str | None = None
    unit_type: str | None = None
    currency_code: str = "UAH"
    category_id: int | None = None
    is_archived: bool = False
    thumbnail_url: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    raw: Json = field(default_factory=dict)


@dataclass(slots=True)
class Offer:
    """A variant of a product: what orders and stock refer to."""

    id: int
    product_id: int
    sku: str | None = None
    barcode: str | None = None
    price: Decimal = ZERO
    purchased_price: Decimal = ZERO
    weight: Decimal | None = None
    length: Decimal | None = None
    width: Decimal | None = None
    height: Decimal | None = None
    properties: list[Json] = field(default_factory=list)
    is_archived: bool = False
    thumbnail_url: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    raw: Json = field(default_factory=dict)


@dataclass(slots=True)
class StockRow:
    """Stock of an offer in a warehouse; quantity includes reserve, both may be < 0."""

    quantity: Decimal = ZERO
    reserve: Decimal = ZERO


@dataclass(slots=True)
class Company:
    """A company that buyers belong to."""

    id: int
    name: str
    title: str | None = None
    address: str | None = None
    bank_account: str | None = None
    notes: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


@dataclass(slots=True)
class Buyer:
    """A buyer; one phone may belong to several of them."""

    id: int
    full_name: str | None = None
    phones: list[str] = field(default_factory=list)
    emails: list[str] = field(default_factory=list)
    company_id: int | None = None
    note: str | None = None
    manager_id: int | None = None
    birthday: str | None = None
    currency: str | None = "UAH"
    created_at: datetime | None = None
    updated_at: datetime | None = None
    raw: Json = field(default_factory=dict)


@dataclass(slots=True, frozen=True)
class Hold:
    """The stock effect of a line: ``reserved`` or ``fulfilled``, by warehouse."""

    kind: str
    offer_id: int
    warehouse_id: int
    quantity: Decimal


@dataclass(slots=True)
class Line:
    """A product in an order. Without an offer it is a one-off product."""

    id: int
    name: str | None = None
    sku: str | None = None
    offer_id: int | None = None
    price: Decimal = ZERO
    purchased_price: Decimal = ZERO
    quantity: Decimal = Decimal(1)
    discount_percent: Decimal | None = None
    discount_amount: Decimal | None = None
    loyalty_discount: Decimal | None = None
    unit_type: str | None = None
    comment: str | None = None
    properties: list[Json] = field(default_factory=list)
    picture: Any = field(default_factory=list)
    shipment_type: str = "warehouse"
    warehouse_id: int | None = None
    upsale: bool = False
    product_status_id: int | None = None
    hold: Hold | None = None
    returned: bool = False
    raw: Json = field(default_factory=dict)


@dataclass(slots=True)
class Payment:
    """A payment of an order; ``paid``, ``not_paid`` or ``canceled``."""

    id: int
    amount: Decimal
    payment_method_id: int
    status: str = "paid"
    currency: str = "UAH"
    actual_amount: Decimal | None = None
    actual_currency: str | None = None
    description: str | None = None
    transaction_uuid: str | None = None
    payment_date: datetime | None = None
    is_expense: bool = False
    created_at: datetime | None = None
    updated_at: datetime | None = None
    raw: Json = field(default_factory=dict)


@dataclass(slots=True, frozen=True)
class Totals:
    """Totals that KeyCRM computes for an order."""

    products_total: Decimal
    total_discount: Decimal
    grand_total: Decimal
    payments_total: Decimal
    payment_status: str
    margin_sum: Decimal


@dataclass(slots=True)
class Order:
    """An order; ``raw`` overrides its answer, for otherwise impossible shapes."""

    id: int
    source_id: int
    status_id: int
    client_id: int | None
    created_at: datetime
    updated_at: datetime
    ordered_at: datetime
    status_changed_at: datetime
    parent_id: int | None = None
    source_uuid: str | None = None
    closed_at: datetime | None = None
    deleted_at: datetime | None = None
    last_synced_at: datetime | None = None
    discount_percent: Decimal | None = None
    discount_amount: Decimal | None = None
    shipping_price: Decimal | None = None
    wrap_price: Decimal | None = None
    taxes: Decimal | None = None
    grand_total: Decimal | None = None
    manager_id: int | None = None
    manager_comment: str | None = None
    buyer_comment: str | None = None
    client_comment: str | None = None
    gift_message: str | None = None
    is_gift: bool = False
    gift_wrap: bool = False
    promocode: str | None = None
    warehouse_id: int | None = None
    lines: list[Line] = field(default_factory=list)
    payments: list[Payment] = field(default_factory=list)
    shipping: Json | None = None
    marketing: Json | None = None
    tags: list[Json] = field(default_factory=list)
    custom_fields: list[Json] = field(default_factory=list)
    expenses: list[Json] = field(default_factory=list)
    raw: Json = field(default_factory=dict)
    edited: bool = False
    totals: Totals | None = None


@dataclass(slots=True)
class ExternalTransaction:
    """A bank transaction; the link to an order is the payment's ``transaction_uuid``."""

    id: int
    uuid: str
    amount: Decimal
    gateway_id: int = 1
    source_uuid: str | None = None
    currency: str = "UAH"
    description: str | None = None
    transaction_date: datetime | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
