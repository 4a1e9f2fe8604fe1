"""The JSON shapes of everything that orders refer to, and how numbers are written."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any

from . import stocks
from .clock import iso
from .models import (
    Buyer,
    Category,
    DeliveryService,
    ExternalTransaction,
    Json,
    Offer,
    PaymentMethod,
    Product,
    Source,
    Status,
    Warehouse,
)
from .store import Store

_TIMES = "created_at updated_at"
_GOODS = f"is_archived {_TIMES}"
_PRICES = "price purchased_price"
BUYER_INCLUDES = ("manager", "shipping", "company", "loyalty", "custom_fields")


def number(value: Decimal) -> int | float:
    """Write a Decimal as a JSON number.

    :param value: any amount or quantity
    :return: an int where it is whole, else a float
    """
    return int(value) if value == value.to_integral_value() else float(value)


_split = cache(str.split)


class ListShapes:
    """Writes the shop's records as answers, under the switches in force.

    :param shop: the shop
    """

    def __init__(self, shop: Store) -> None:
        self.shop = shop

    # === NUMBERS ===

    def amount(self, value: Decimal | None, digits: int = 2) -> int | float | str | None:
        """Write an amount.

        :param value: an amount or None
        :param digits: decimals in the form of a string
        :return: a number or, with numbers=strings, a string
        """
        if value is None:
            return None
        if self.shop.switches.is_("numbers", "strings"):
            return f"{value:.{digits}f}"
        return number(value)

    def quantity(self, value: Decimal | None) -> int | float | str | None:
        """Write a quantity.

        :param value: a quantity or None
        :return: a number or, with numbers=strings, a string with three decimals
        """
        return self.amount(value, 3)

    def values(self, record: Any, names: str) -> Json:
        """Write fields of a record under their own names.

        :param record: the record
        :param names: names of its fields with spaces between
        :return: their values, with numbers and times as the API writes them
        """
        out = {}
        for name in _split(names):
            value = getattr(record, name)
            if isinstance(value, Decimal):
                value = self.amount(value)
            elif isinstance(value, datetime):
                value = iso(value)
            out[name] = value
        return out

    # === LISTS ===

    def status(self, status: Status) -> Json:
        """Write an order status; what it does to stock is not to be seen (confirmed).

        :param status: the status
        :return: the JSON object
        """
        names = "id name alias is_active group_id is_closing_order is_reserved expiration_period"
        return {**self.values(status, f"{names} {_TIMES}"), "deleted_at": None}

    def source(self, source: Source) -> Json:
        """Write a source.

        :param source: the source
        :return: the JSON object
        """
        named = self.values(source, f"id name alias driver currency_code {_TIMES}")
        return {**named, "source_name": None, "source_uuid": None}

    def payment_method(self, method: PaymentMethod) -> Json:
        """Write a way to pay.

        :param method: the payment method
        :return: the JSON object
        """
        return self.values(method, "id name alias is_active")

    def delivery_service(self, service: DeliveryService) -> Json:
        """Write a carrier.

        :param service: the delivery service
        :return: the JSON object
        """
        return self.values(service, "id name source_name alias")

    def warehouse(self, warehouse: Warehouse | None) -> Json | None:
        """Write the warehouse of an order or a line.

        :param warehouse: the warehouse or None
        :return: the JSON object or None
        """
        if warehouse is None or not self.shop.uses_warehouses():
            return None
        return self.values(warehouse, "id name description is_active")

    def order_buyer(self, buyer: Buyer) -> Json:
        """Write a buyer inside an order, where phone and email are strings.

        :param buyer: the buyer
        :return: the JSON object
        """
        names = f"id company_id full_name note currency birthday manager_id {_TIMES}"
        return {
            **self.values(buyer, names),
            "phone": buyer.phones[0] if buyer.phones else None,
            "email": buyer.emails[0] if buyer.emails else None,
            **buyer.raw,
        }

    def buyer(self, buyer: Buyer, includes: tuple[str, ...] = ()) -> Json:
        """Write a buyer as the buyers' own list does, where phone and email are arrays.

        :param buyer: the buyer
        :param includes: associations to write with it
        :return: the JSON object
        """
        out: Json = {**self.order_buyer(buyer), "phone": buyer.phones, "email": buyer.emails}
        company = self.shop.companies.get(buyer.company_id or 0)
        found: Json = {
            "manager": self.shop.managers.get(buyer.manager_id or 0),
            "shipping": [],
            "loyalty": [],
            "custom_fields": [],
            "company": company
            and {
                **self.values(company, f"id name address {_TIMES}"),
                "full_name": company.title,
                "banking_detailse": company.bank_account,  # spelt so by KeyCRM
                "note": company.notes,
            },
        }
        return {**out, **{name: found[name] for name in includes}, **buyer.raw}

    def sizes(self, offer: Offer | None) -> Json:
        """Write weight and measures.

        :param offer: the offer, if there is one
        :return: the weight in the unit of the shop's settings, and three measures
        """
        names = ("weight", "length", "width", "height")
        sizes = {name: offer and getattr(offer, name) for name in names}
        if sizes["weight"] is not None and self.shop.switches.is_("weight_unit", "g"):
            sizes["weight"] *= 1000
        return {name: self.quantity(size) for name, size in sizes.items()}

    def offer(self, offer: Offer, includes: tuple[str, ...] = ()) -> Json:
        """Write an offer.

        :param offer: the offer
        :param includes: ``product`` or nothing
        :return: the JSON object; the reserve is called in_reserve here
        """
        stock = stocks.total(self.shop, offer.id)
        out: Json = {
            **self.values(offer, f"id product_id barcode thumbnail_url properties {_GOODS}"),
            **self.values(offer, f"sku {_PRICES}"),
            "quantity": self.quantity(stock.quantity),
            "in_reserve": self.quantity(stock.reserve),
            **self.sizes(offer),
        }
        if "product" in includes:
            product = self.shop.products.get(offer.product_id)
            out["product"] = self.product(product) if product else None
        out.update(offer.raw)
        return out

    def product(self, product: Product, includes: tuple[str, ...] = ()) -> Json:
        """Write a catalog product.

        :param product: the product
        :param includes: ``custom_fields`` or nothing
        :return: the JSON object; prices and stock are those of its offers
        """
        own = self.shop.offers_of(product.id)
        first = own[0] if own else None
        prices = [offer.price for offer in own]
        several = len(own) > 1
        properties: dict[str, list[str]] = {}
        for offer in own:
            for item in offer.properties:
                values = properties.setdefault(item["name"], [])
                if item["value"] not in values:
                    values.append(item["value"])
        quantity = sum((stocks.total(self.shop, o.id).quantity for o in own), Decimal(0))
        out: Json = {
            **self.values(product, f"id name description thumbnail_url unit_type {_GOODS}"),
            **self.values(product, "currency_code category_id"),
            "attachments_data": [],
            "quantity": self.quantity(quantity),
            "sku": first.sku if first and not several else None,
            "barcode": first.barcode if first and not several else None,
            "price": self.amount(first and first.price),
            "purchased_price": self.amount(first and first.purchased_price),
            "min_price": self.amount(min(prices, default=None)),
            "max_price": self.amount(max(prices, default=None)),
            **self.sizes(first),
            "has_offers": several,
            "properties_agg": properties or [],
        }
        if "custom_fields" in includes:
            out["custom_fields"] = []
        out.update(product.raw)
        return out

    def category(self, category: Category) -> Json:
        """Write a category of products.

        :param category: the category
        :return: the JSON object
        """
        return self.values(category, "id name parent_id")

    def stock(self, offer: Offer, details: bool) -> Json:
        """Write the stock of an offer.

        :param offer: the offer
        :param details: whether each warehouse that has a row is written too
        :return: the JSON object; id is the offer's, quantity includes the reserve
        """
        total = stocks.total(self.shop, offer.id)
        out: Json = {
            **self.values(offer, f"id sku {_PRICES}"),
            "quantity": self.quantity(total.quantity),
            "reserve": self.quantity(total.reserve),
        }
        if details:
            rows = self.shop.stocks.get(offer.id, {}) if self.shop.uses_warehouses() else {}
            out["warehouse"] = [
                {
                    "id": warehouse_id,
                    "name": self.shop.warehouses[warehouse_id].name,
                    "quantity": self.quantity(row.quantity),
                    "reserve": self.quantity(row.reserve),
                }
                for warehouse_id, row in sorted(rows.items())
            ]
        return out

    def transaction(self, transaction: ExternalTransaction) -> Json:
        """Write a bank transaction; it names no order (confirmed).

        :param transaction: the transaction
        :return: the JSON object
        """
        uuid: str | int = transaction.uuid
        if self.shop.switches.is_("transaction_uuid", "integer") and transaction.uuid.isdigit():
            uuid = int(transaction.uuid)
        names = "id source_uuid gateway_id amount currency description transaction_date"
        return {
            **self.values(transaction, f"{names} {_TIMES}"),
            "uuid": uuid,
            "payments_data": [],
        }
