"""Build the requests that create products in KeyCRM, as pure functions."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from .naming import sku_key
from .parsing import visible
from .product_data import UNITS
from .stock_lookup_rules import is_requestable

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


def code_problems(
    codes: Iterable[tuple[str, str]], owners: dict[str, int], barcodes: Collection[str]
) -> list[str]:
    """Return why products cannot be created, by their SKUs and barcodes; empty where they can.

    :param codes: SKU and barcode of each product
    :param owners: number of products in Odoo by the key of their SKU
    :param barcodes: those of products that KeyCRM has
    """
    rows = [(sku, sku_key(sku), visible(barcode)) for sku, barcode in codes]
    counts = Counter(key for _sku, key, _barcode in rows)
    scans = Counter(barcode for _sku, _key, barcode in rows)
    taken = {visible(barcode) for barcode in barcodes}
    problems = []
    for sku, key, barcode in rows:
        if not key:
            problems.append("create_no_sku")
        elif not is_requestable(sku):
            problems.append("create_sku_unusable")
        elif counts[key] > 1 or owners.get(key, 0) > 1:
            problems.append("create_sku_repeated")
        elif barcode and (scans[barcode] > 1 or barcode in taken):
            problems.append("create_barcode_repeated")
        else:
            problems.append("")
    return problems
