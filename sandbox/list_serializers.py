"""The JSON shapes of everything that orders refer to, and how numbers are written."""

from __future__ import annotations

from decimal import Decimal

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

BUYER_INCLUDES = ("manager", "shipping", "company", "loyalty", "custom_fields")


def number(value: Decimal) -> int | float:
    """Write a Decimal as a JSON number.

    :param value: any amount or quantity
    :return: an int where it is whole, else a float
    """
    return int(value) if value == value.to_integral_value() else float(value)


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

    # === LISTS ===

    def status(self, status: Status) -> Json:
        """Write an order status; what it does to stock is not to be seen (confirmed).

        :param status: the status
        :return: the JSON object
        """
        return {
            "id": status.id,
            "name": status.name,
            "alias": status.alias,
            "is_active": status.is_active,
            "group_id": status.group_id,
            "is_closing_order": status.is_closing_order,
            "is_reserved": status.is_reserved,
            "expiration_period": status.expiration_period,
            "created_at": iso(status.created_at),
            "updated_at": iso(status.updated_at),
            "deleted_at": None,
        }

    def source(self, source: Source) -> Json:
        """Write a source.

        :param source: the source
        :return: the JSON object
        """
        return {
            "id": source.id,
            "name": source.name,
            "alias": source.alias,
            "driver": source.driver,
            "source_name": None,
            "source_uuid": None,
            "currency_code": source.currency_code,
            "created_at": iso(source.created_at),
            "updated_at": iso(source.updated_at),
        }

    def payment_method(self, method: PaymentMethod) -> Json:
        """Write a way to pay.

        :param method: the payment method
        :return: the JSON object
        """
        return {
            "id": method.id,
            "name": method.name,
            "alias": method.alias,
            "is_active": method.is_active,
        }

    def delivery_service(self, service: DeliveryService) -> Json:
        """Write a carrier.

        :param service: the delivery service
        :return: the JSON object
        """
        return {
            "id": service.id,
            "name": service.name,
            "source_name": service.source_name,
            "alias": service.alias,
        }

    def warehouse(self, warehouse: Warehouse | None) -> Json | None:
        """Write the warehouse of an order or a line.

        :param warehouse: the warehouse or None
        :return: the JSON object or None
        """
        if warehouse is None or not self.shop.uses_warehouses():
            return None
        return {
            "id": warehouse.id,
            "name": warehouse.name,
            "description": warehouse.description,
            "is_active": warehouse.is_active,
        }

    def order_buyer(self, buyer: Buyer) -> Json:
        """Write a buyer inside an order, where phone and email are strings.

        :param buyer: the buyer
        :return: the JSON object
        """
        return {
            "id": buyer.id,
            "company_id": buyer.company_id,
            "full_name": buyer.full_name,
            "phone": buyer.phones[0] if buyer.phones else None,
            "email": buyer.emails[0] if buyer.emails else None,
            "note": buyer.note,
            "currency": buyer.currency,
            "birthday": buyer.birthday,
            "manager_id": buyer.manager_id,
            "created_at": iso(buyer.created_at),
            "updated_at": iso(buyer.updated_at),
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
                "id": company.id,
                "name": company.name,
                "full_name": company.title,
                "address": company.address,
                "banking_detailse": company.bank_account,  # spelt so by KeyCRM
                "note": company.notes,
                "created_at": iso(company.created_at),
                "updated_at": iso(company.updated_at),
            },
        }
        return {**out, **{name: found[name] for name in includes}, **buyer.raw}

    def weight(self, kilograms: Decimal | None) -> float | int | str | None:
        """Write a weight in the unit of the shop's settings."""
        if kilograms is not None and self.shop.switches.is_("weight_unit", "g"):
            kilograms *= 1000
        return self.quantity(kilograms)

    def offer(self, offer: Offer, includes: tuple[str, ...] = ()) -> Json:
        """Write an offer.

        :param offer: the offer
        :param includes: ``product`` or nothing
        :return: the JSON object; the reserve is called in_reserve here
        """
        stock = stocks.total(self.shop, offer.id)
        out: Json = {
            "id": offer.id,
            "product_id": offer.product_id,
            "sku": offer.sku,
            "barcode": offer.barcode,
            "thumbnail_url": offer.thumbnail_url,
            "price": self.amount(offer.price),
            "purchased_price": self.amount(offer.purchased_price),
            "quantity": self.quantity(stock.quantity),
            "in_reserve": self.quantity(stock.reserve),
            "weight": self.weight(offer.weight),
            "length": self.quantity(offer.length),
            "width": self.quantity(offer.width),
            "height": self.quantity(offer.height),
            "properties": offer.properties,
            "is_archived": offer.is_archived,
            "created_at": iso(offer.created_at),
            "updated_at": iso(offer.updated_at),
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
            "id": product.id,
            "name": product.name,
            "description": product.description,
            "thumbnail_url": product.thumbnail_url,
            "attachments_data": [],
            "quantity": self.quantity(quantity),
            "unit_type": product.unit_type,
            "currency_code": product.currency_code,
            "sku": first.sku if first and not several else None,
            "barcode": first.barcode if first and not several else None,
            "price": self.amount(first.price) if first else None,
            "purchased_price": self.amount(first.purchased_price) if first else None,
            "min_price": self.amount(min(prices)) if prices else None,
            "max_price": self.amount(max(prices)) if prices else None,
            "weight": self.weight(first.weight) if first else None,
            "length": self.quantity(first.length) if first else None,
            "width": self.quantity(first.width) if first else None,
            "height": self.quantity(first.height) if first else None,
            "has_offers": several,
            "properties_agg": properties or [],
            "is_archived": product.is_archived,
            "category_id": product.category_id,
            "created_at": iso(product.created_at),
            "updated_at": iso(product.updated_at),
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
        return {"id": category.id, "name": category.name, "parent_id": category.parent_id}

    def stock(self, offer: Offer, details: bool) -> Json:
        """Write the stock of an offer.

        :param offer: the offer
        :param details: whether each warehouse that has a row is written too
        :return: the JSON object; id is the offer's, quantity includes the reserve
        """
        total = stocks.total(self.shop, offer.id)
        out: Json = {
            "id": offer.id,
            "sku": offer.sku,
            "price": self.amount(offer.price),
            "purchased_price": self.amount(offer.purchased_price),
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
        return {
            "id": transaction.id,
            "uuid": uuid,
            "source_uuid": transaction.source_uuid,
            "gateway_id": transaction.gateway_id,
            "payments_data": [],
            "amount": self.amount(transaction.amount),
            "currency": transaction.currency,
            "description": transaction.description,
            "transaction_date": iso(transaction.transaction_date),
            "created_at": iso(transaction.created_at),
            "updated_at": iso(transaction.updated_at),
        }
