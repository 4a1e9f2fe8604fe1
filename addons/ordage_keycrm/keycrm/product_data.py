"""Describe the goods of an order's line or of a catalog's offer in one form.

Goods with an offer are described by the offer: a line's title may be a marketplace's, and its price
that of one sale.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from .catalog import Offer, Property
from .naming import one_off_key, product_name, sku_key
from .orders import Line
from .parsing import visible

#: Mapping of KeyCRM's units of measure, as shops write them, to the names of Odoo's units.
UNITS = {
    "кг": "kgm",
    "kg": "kgm",
    "г": "gram",
    "гр": "gram",
    "g": "gram",
    "т": "ton",
    "л": "litre",
    "l": "litre",
    "мл": "milliliter",
    "м": "meter",
    "m": "meter",
    "см": "cm",
    "мм": "millimeter",
    "м2": "square_meter",
    "м²": "square_meter",
    "кв.м": "square_meter",
    "м3": "cubic_meter",
    "м³": "cubic_meter",
    "пог.м": "meter",
    "пог. м": "meter",
    "п.м": "meter",
    "м.п": "meter",
    "год": "hour",
    "дюжина": "dozen",
    "шт": "unit",
    "pcs": "unit",
    "": "unit",
}


@dataclass(frozen=True, slots=True)
class Goods:
    """Hold goods for which Odoo needs a product.

    :param key: ``("offer", number)`` of catalog goods, ``("line", number)`` of one-off ones
    :param line_id: the order's line; None when it was read from the catalog alone
    :param catalog_id: KeyCRM's product, of which the offer is a variant
    :param price: the catalog's, of one unit, in ``currency_code`` (empty: the shop's currency)
    :param line_price: list price on the order's line, for goods without a price in the catalog
    :param line_currency: the order's currency (empty: the shop's)
    :param cost: purchase price of one unit, in ``currency_code``
    :param weight: in the unit that the shop set in KeyCRM
    :param name_is_from_catalog: whether the name is the catalog's, not a line's title
    :param offer_cost: purchase price of the offer itself, never of a line
    """

    key: tuple[str, int]
    line_id: int | None
    offer_id: int | None
    catalog_id: int | None
    sku: str
    barcode: str
    name: str
    properties: tuple[Property, ...]
    price: Decimal | None
    line_price: Decimal
    line_currency: str
    cost: Decimal | None
    weight: Decimal | None
    unit: str
    picture_url: str
    currency_code: str
    updated_at: datetime | None
    name_is_from_catalog: bool
    offer_cost: Decimal | None = None

    @property
    def full_name(self) -> str:
        """Return name and properties: "Сорочка, біла, M"."""
        return product_name(self.name, self.properties)

    @property
    def sku_key(self) -> str:
        """Return the key by which the SKU is compared; empty without one."""
        return sku_key(self.sku)

    @property
    def generated_sku(self) -> str:
        """Return the SKU of a product that is created for goods without one."""
        return f"KC-{self.offer_id}" if self.offer_id else f"KC-L{self.line_id}"

    @property
    def name_key(self) -> str:
        """Return the key by which one-off goods are the same."""
        return one_off_key(self.name, self.properties)

    @classmethod
    def of_line(cls, line: Line, currency: str = "") -> "Goods":
        """Describe the goods of an order's line.

        :param line: the line
        :param currency: code of the order's currency
        """
        offer = line.offer
        if offer:
            return cls._describe(offer, line, currency)
        return cls(
            key=("line", line.id),
            line_id=line.id,
            offer_id=None,
            catalog_id=None,
            sku=line.sku,
            barcode="",
            name=line.name,
            properties=line.properties,
            price=None,
            line_price=line.price,
            line_currency=currency,
            cost=line.purchased_price,
            weight=None,
            unit=line.unit_type,
            picture_url="",
            currency_code="",
            updated_at=None,
            name_is_from_catalog=False,
        )

    @classmethod
    def of_offer(cls, offer: Offer) -> "Goods":
        """Describe an offer that was read from the catalog.

        :param offer: the offer
        """
        return cls._describe(offer, None)

    @classmethod
    def _describe(cls, offer: Offer, line: Line | None, currency: str = "") -> "Goods":
        return cls(
            key=("offer", offer.id),
            line_id=line.id if line else None,
            offer_id=offer.id,
            catalog_id=offer.product_id,
            sku=offer.sku or (line.sku if line else ""),
            barcode=offer.barcode,
            name=offer.name or (line.name if line else ""),
            properties=offer.properties or (line.properties if line else ()),
            price=offer.price,
            line_price=line.price if line else Decimal(0),
            line_currency=currency,
            cost=offer.purchased_price or (line.purchased_price if line else None),
            weight=offer.weight,
            unit=offer.unit_type or (line.unit_type if line else ""),
            picture_url=offer.picture_url,
            currency_code=offer.currency_code,
            updated_at=offer.updated_at,
            name_is_from_catalog=bool(offer.name),
            offer_cost=offer.purchased_price,
        )


def unit_reference(unit: str) -> str:
    """Return Odoo's unit of measure for KeyCRM's.

    :param unit: KeyCRM's text
    :return: the external id; empty where the unit is unknown
    """
    name = UNITS.get(visible(unit).lower().rstrip("."))
    return f"uom.product_uom_{name}" if name else ""


def unit_references() -> set[str]:
    """Return the external ids of all units of measure that are known in both programs."""
    return {unit_reference(unit) for unit in UNITS}
