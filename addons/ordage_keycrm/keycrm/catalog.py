"""Typed objects for KeyCRM's catalog and lists. Names are KeyCRM's own.

Money is ``Decimal``. Each class has a ``parse`` that takes the decoded JSON. Unknown keys are ignored,
since new ones may be added at any time; a required key that is missing raises
:class:`~.errors.MalformedAnswer`.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from .errors import MalformedAnswer
from .parsing import (
    parsed_rows,
    required_id,
    to_amount,
    to_decimal,
    to_int,
    to_object,
    to_objects,
    to_short,
    to_text,
    to_utc,
    visible,
)


@dataclass(frozen=True, slots=True)
class Property:
    """Hold a property of a variant: name "Колір", value "біла"."""

    name: str
    value: str

    @classmethod
    def parse_list(cls, data: Any) -> tuple["Property", ...]:
        found = (
            cls(to_short(row.get("name")), to_short(row.get("value"))) for row in to_objects(data)
        )
        return tuple(prop for prop in found if prop.value)


@dataclass(frozen=True, slots=True)
class Warehouse:
    id: int
    name: str

    @classmethod
    def parse(cls, data: Any) -> "Warehouse | None":
        data = to_object(data)
        identifier = to_int(data.get("id"))
        if not identifier or identifier < 0:
            return None
        return cls(identifier, to_short(data.get("name")) or str(identifier))


@dataclass(frozen=True, slots=True)
class Offer:
    """Hold a catalog variant.

    ``price`` and ``purchased_price`` are in the account's currency; ``weight`` is in the unit of
    KeyCRM's settings.
    """

    id: int
    product_id: int | None
    sku: str
    barcode: str
    price: Decimal | None
    purchased_price: Decimal | None
    weight: Decimal | None
    properties: tuple[Property, ...]
    name: str
    picture_url: str
    unit_type: str = ""
    currency_code: str = ""
    is_archived: bool = False
    updated_at: datetime | None = None

    @classmethod
    def parse(cls, data: Any) -> "Offer | None":
        """Parse an offer.

        :param data: decoded JSON
        :return: None where there is no offer (null, ``[]``, key missing: a one-off product)
        """
        data = to_object(data)
        identifier = to_int(data.get("id"))
        if not identifier:
            return None
        product = to_object(data.get("product"))
        return cls(
            id=identifier,
            product_id=to_int(data.get("product_id")),
            sku=to_short(data.get("sku")),
            barcode=visible(to_short(data.get("barcode"))),
            price=to_decimal(data.get("price")),
            purchased_price=to_decimal(data.get("purchased_price")),
            weight=to_decimal(data.get("weight")),
            properties=Property.parse_list(data.get("properties")),
            name=to_short(product.get("name")),
            picture_url=to_text(data.get("thumbnail_url"))
            or to_short(product.get("thumbnail_url")),
            unit_type=to_short(product.get("unit_type")),
            currency_code=to_short(product.get("currency_code")).upper(),
            is_archived=data.get("is_archived") is True or product.get("is_archived") is True,
            updated_at=to_utc(data.get("updated_at")),
        )


def offers_by_id(rows: list[dict]) -> dict[int, Offer]:
    """Parse rows of the catalog; rows without usable content are left out.

    :param rows: decoded rows of ``/offers``
    :return: ``{number: Offer}``
    """
    return {offer.id: offer for offer in parsed_rows(Offer.parse, rows) if offer}


@dataclass(frozen=True, slots=True)
class StockRow:
    """Hold KeyCRM's quantity of one offer in one warehouse.

    ``quantity`` includes ``reserve`` (confirmed).
    """

    offer_id: int
    sku: str
    warehouse: Warehouse
    quantity: Decimal
    reserve: Decimal

    @classmethod
    def parse_list(cls, data: dict, only: Warehouse | None = None) -> list["StockRow"]:
        """Parse one row of ``/offers/stocks`` with details: one entry per warehouse.

        :param data: the decoded row
        :param only: the warehouse that has the total of a row without warehouses (KeyCRM can be used
            without them)
        :return: list of entries
        :raise MalformedAnswer: when the row has no readable id or quantity
        """
        offer_id = required_id(data, "stock row")
        named = [(Warehouse.parse(entry), entry) for entry in to_objects(data.get("warehouse"))]
        if not named and only:
            named = [(only, data)]
        return [
            cls(
                offer_id,
                to_short(data.get("sku")),
                warehouse,
                to_amount(entry.get("quantity")),
                to_amount(entry.get("reserve")),
            )
            for warehouse, entry in named
            if warehouse
        ]


@dataclass(frozen=True, slots=True)
class StockAnswer:
    """Hold rows of ``/offers/stocks`` with details, by offer.

    :param entries: ``{offer id: [StockRow]}``, one entry per warehouse; no entries: no stock anywhere
    :param unreadable: offers that KeyCRM returned in a row without readable warehouses: they exist, and
        their quantities are unknown
    """

    entries: dict[int, list[StockRow]]
    unreadable: frozenset[int]

    @classmethod
    def parse(cls, rows: list[dict], only: Warehouse | None = None) -> "StockAnswer":
        """Parse each row separately, so that an unreadable one does not affect the others.

        :param rows: the decoded rows
        :param only: see :meth:`StockRow.parse_list`; without it a total in no warehouse is unreadable
        """
        entries, unreadable = {}, set()
        for row in rows:
            try:
                number = required_id(row, "stock row")
            except MalformedAnswer:
                continue
            try:
                found = StockRow.parse_list(row, only)
                is_list = isinstance(row.get("warehouse"), list | dict)
                if not is_list or (not found and to_decimal(row.get("quantity"))):
                    raise MalformedAnswer("no_warehouses")
                entries[number] = found
            except MalformedAnswer:
                unreadable.add(number)
        return cls(entries, frozenset(unreadable - entries.keys()))


@dataclass(frozen=True, slots=True)
class Status:
    """Hold an order status.

    ``group``: 1 new, 2 agreement, 3 production, 4 delivery, 5 completed, 6 canceled.
    """

    id: int
    name: str
    alias: str
    group: int
    is_active: bool

    @classmethod
    def parse(cls, data: dict) -> "Status":
        identifier = required_id(data, "status")
        alias = to_short(data.get("alias"))
        return cls(
            id=identifier,
            name=to_short(data.get("name")) or alias or str(identifier),
            alias=alias,
            group=to_int(data.get("group_id")) or 0,
            is_active=bool(data.get("is_active", True)),
        )


def _name(data: dict, identifier: int) -> str:
    """Return the name of a record of a list, else its alias, else its number."""
    return to_short(data.get("name")) or to_short(data.get("alias")) or str(identifier)


@dataclass(frozen=True, slots=True)
class Source:
    """Hold a source of orders: a shop, a marketplace.

    Only the source has the currency of its orders.
    """

    id: int
    name: str
    currency_code: str

    @classmethod
    def parse(cls, data: dict) -> "Source":
        identifier = required_id(data, "source")
        return cls(
            identifier,
            _name(data, identifier),
            to_short(data.get("currency_code")).upper(),
        )


@dataclass(frozen=True, slots=True)
class PaymentMethod:
    id: int
    name: str

    @classmethod
    def parse(cls, data: dict) -> "PaymentMethod":
        identifier = required_id(data, "payment method")
        return cls(
            identifier,
            _name(data, identifier),
        )


@dataclass(frozen=True, slots=True)
class DeliveryService:
    id: int
    name: str

    @classmethod
    def parse(cls, data: dict) -> "DeliveryService":
        identifier = required_id(data, "delivery service")
        return cls(
            identifier,
            _name(data, identifier),
        )


@dataclass(frozen=True, slots=True)
class Category:
    """Hold a category of products."""

    id: int
    name: str

    @classmethod
    def parse(cls, data: dict) -> "Category":
        identifier = required_id(data, "category")
        return cls(identifier, _name(data, identifier))


@dataclass(frozen=True, slots=True)
class CustomField:
    """Hold a custom field of orders.

    :param uuid: its name in requests
    :param type: such as ``text``, ``number``, ``select``, ``date``
    """

    id: int
    name: str
    uuid: str
    type: str

    @classmethod
    def parse(cls, data: dict) -> "CustomField":
        identifier = required_id(data, "custom field")
        uuid = to_short(data.get("uuid"))
        name = to_short(data.get("name")) or uuid or str(identifier)
        return cls(identifier, name, uuid, to_short(data.get("type")).lower())


@dataclass(frozen=True, slots=True)
class Company:
    """Hold the company of a buyer.

    Only the list of buyers includes it (``include=company``, confirmed).
    """

    id: int
    name: str

    @classmethod
    def parse(cls, data: Any) -> "Company | None":
        data = to_object(data)
        identifier = to_int(data.get("id"))
        if not identifier:
            return None
        name = to_short(data.get("full_name")) or to_short(data.get("title"))
        return cls(identifier, name or to_short(data.get("name")) or f"KeyCRM {identifier}")


@dataclass(frozen=True, slots=True)
class Transaction:
    """Hold a bank transaction (``/payments/external-transactions``).

    It refers to no order (confirmed).
    """

    id: int
    uuid: str
    amount: Decimal
    currency_code: str
    description: str
    date: datetime | None
    is_attached: bool

    @classmethod
    def parse(cls, data: dict) -> "Transaction":
        return cls(
            id=required_id(data, "bank transaction"),
            uuid=to_short(data.get("uuid")),
            amount=to_amount(data.get("amount")),
            currency_code=to_short(data.get("currency")).upper(),
            description=to_text(data.get("description")),
            date=to_utc(data.get("transaction_date")) or to_utc(data.get("created_at")),
            # The content of the list is unknown. If it is not empty, the transaction is attached to
            # payments.
            is_attached=bool(data.get("payments_data")),
        )
