"""Build the requests that create products in KeyCRM, as pure functions."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from .naming import sku_key
from .product_data import UNITS
from .stock_lookup import is_requestable

#: Characters of a unit of measure (confirmed).
UNIT_LENGTH = 10
#: Products of one import and variants of one request (documented).
MAX_ROWS = 50


@dataclass(frozen=True, slots=True)
class NewOffer:
    """Hold a variant to create.

    :param key: id of the line in Odoo
    :param weight: in KeyCRM's unit; None where that is not chosen
    :param properties: names and values of a real variant
    :param picture: address of the picture of a real variant
    """

    key: int
    sku: str
    barcode: str = ""
    price: Decimal | None = None
    cost: Decimal | None = None
    weight: float | None = None
    properties: tuple[tuple[str, str], ...] = ()
    picture: str = ""

    def body(self) -> dict[str, Any]:
        """Return the fields of the variant; empty ones are left out."""
        body: dict[str, Any] = {"sku": self.sku}
        if self.barcode:
            body["barcode"] = self.barcode
        for name, value in (("price", self.price), ("purchased_price", self.cost)):
            if value:
                body[name] = float(value)
        if self.weight:
            body["weight"] = self.weight
        if self.properties:
            body["properties"] = [{"name": n, "value": v} for n, v in self.properties]
        if self.picture:
            body["image_url"] = self.picture
        return body


@dataclass(frozen=True, slots=True)
class NewProduct:
    """Hold what all variants of a product share."""

    name: str
    unit: str = ""
    currency_code: str = ""
    category_id: int | None = None
    picture: str = ""

    def body(self, offer: dict[str, Any]) -> dict[str, Any]:
        """Return the body of ``POST /products``.

        :param offer: fields of the product's only variant
        """
        body = {"name": self.name, **offer}
        if self.unit:
            body["unit_type"] = self.unit
        if self.currency_code:
            body["currency_code"] = self.currency_code
        if self.category_id:
            body["category_id"] = self.category_id
        if self.picture:
            body["pictures"] = [self.picture]
        return body


def marker_sku(template_id: int) -> str:
    """Return the SKU by which a product without variants yet is found after a lost answer.

    :param template_id: id of ``product.template``
    """
    return f"ODOO-{template_id}"


def unit_text(reference: str, name: str) -> str:
    """Return KeyCRM's text of a unit of measure; empty where it has none or is too long.

    :param reference: external id of the unit in Odoo, such as ``uom.product_uom_kgm``
    :param name: its name
    """
    for text, known in UNITS.items():
        if text and reference == f"uom.product_uom_{known}":
            return text
    return name if len(name) <= UNIT_LENGTH else ""


def sku_problems(skus: Iterable[str], owners: dict[str, int]) -> list[str]:
    """Return why products cannot be created, by their SKUs; empty where they can.

    :param skus: SKU of each product
    :param owners: number of products in Odoo by the key of their SKU
    """
    skus = list(skus)
    keys = [sku_key(sku) for sku in skus]
    counts = Counter(keys)
    problems = []
    for sku, key in zip(skus, keys, strict=True):
        if not key:
            problems.append("create_no_sku")
        elif not is_requestable(sku):
            problems.append("create_sku_unusable")
        elif counts[key] > 1 or owners.get(key, 0) > 1:
            problems.append("create_sku_repeated")
        else:
            problems.append("")
    return problems
