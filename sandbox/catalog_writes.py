"""Bodies of ``PUT /offers``, ``POST /products`` and what belongs to them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from .errors import NEGATIVE, SELECTED, TOO_MANY, Invalid
from .models import ZERO, Category, Offer, Product, assign
from .schemas import Readers, anything, decimal, list_of, pick, read_rows, sequence, text, whole
from .stock_put import named_offer
from .store import Store

MAX_OFFERS = 10_000
#: Products of one import and variants of one request (documented).
MAX_NEW = 100
MAX_PICTURES = 6
#: Characters of a unit of measure (confirmed).
UNIT_LENGTH = 10

_SIZES: Readers = dict.fromkeys(("weight", "length", "width", "height"), decimal)
_PRICES: Readers = {"price": decimal, "purchased_price": decimal}
OFFER: Readers = {"id": whole, "sku": text, **_PRICES, **_SIZES, "image_url": text}
NEW_OFFER: Readers = {
    "sku": text,
    "barcode": text,
    **_PRICES,
    **_SIZES,
    "image_url": text,
    "properties": sequence,
}
PRODUCT: Readers = {
    "name": text,
    "description": text,
    "pictures": sequence,
    "currency_code": text,
    "sku": text,
    "barcode": text,
    **_PRICES,
    "unit_type": text,
    **_SIZES,
    "category_id": whole,
    "custom_fields": anything,
}
_OFFER_FIELDS = ("sku", "barcode", *_PRICES, *_SIZES)


def update_offers(shop: Store, body: dict[str, Any]) -> list[tuple[Offer, dict[str, Any]]]:
    """Check ``PUT /offers``.

    :param shop: the shop
    :param body: ``{"offers": [{"id" or "sku", fields}, …]}``
    :return: offers and their new values, for :func:`write_offers`
    :raise Invalid: if the whole request is refused
    """
    rows = list_of(body, "offers", MAX_OFFERS)
    found = read_rows(rows, "offers", lambda row, at: _offer_change(shop, row, at))
    return list(filter(None, found))


def _offer_change(shop: Store, row: Any, at: str) -> tuple[Offer, dict[str, Any]] | None:
    given = pick(row, OFFER, nulls=False, at=at)
    _not_negative(given, at)
    offer = named_offer(shop, given, at, "offers_put_unknown")
    values = {name: value for name, value in given.items() if name not in ("id", "sku")}
    return (offer, _in_kilograms(shop, _with_picture(values))) if offer else None


def write_offers(shop: Store, changes: list[tuple[Offer, dict[str, Any]]]) -> None:
    """Write the changes of ``PUT /offers``.

    :param shop: the shop
    :param changes: of :func:`update_offers`
    """
    for offer, values in changes:
        assign(offer, values)
        offer.updated_at = shop.now()
    shop.touch("offers")
    shop.touch("products")


def create_product(shop: Store, body: dict[str, Any]) -> Product:
    """Create a product with its one offer, as ``POST /products`` does.

    :param shop: the shop
    :param body: the body of the request
    :return: the product
    :raise Invalid: if the body is wrong
    """
    return _create(shop, _product(shop, body))


def import_products(shop: Store, body: dict[str, Any]) -> None:
    """Create products, as ``POST /products/import`` does: all of them or, on a bad one, none (assumed).

    :param shop: the shop
    :param body: ``{"products": […]}``
    :raise Invalid: if the body is wrong
    """
    skus: set[str] = set()
    rows = list_of(body, "products", MAX_NEW)
    for given in read_rows(rows, "products", lambda row, at: _product(shop, row, at, skus)):
        _create(shop, given)


def update_product(shop: Store, product: Product, body: dict[str, Any]) -> None:
    """Change a product, as ``PUT /products/{id}`` does.

    :param shop: the shop
    :param product: the product
    :param body: the body of the request
    :raise Invalid: if the body is wrong
    """
    own = shop.offers_of(product.id)
    given = _product(shop, {"name": product.name, **body}, own=own)
    now = shop.now()
    offer_values = _take_offer_values(given)
    assign(product, given)
    product.updated_at = now
    if len(own) == 1:
        write_offers(shop, [(own[0], offer_values)])
    shop.touch("products")


def create_offers(shop: Store, product: Product, body: dict[str, Any]) -> None:
    """Add variants to a product, as ``POST /products/{id}/offers`` does.

    :param shop: the shop
    :param product: the product
    :param body: ``{"offers": […]}``
    :raise Invalid: if the body is wrong; then none is added
    """
    replaced: list[Offer] = []
    if shop.switches.is_("first_offer", "replaced"):
        replaced = [offer for offer in shop.offers_of(product.id) if not offer.properties]
    skus: set[str] = set()

    def read(row: Any, at: str) -> dict[str, Any]:
        given = pick(row, NEW_OFFER, nulls=False, at=at)
        _not_negative(given, at)
        _check_sku(shop, given, at, skus, replaced)
        # a property without name and value is ignored (documented)
        given["properties"] = [
            {"name": text(item["name"]), "value": text(item["value"])}
            for item in given.get("properties", [])
            if isinstance(item, dict) and item.get("name") and item.get("value")
        ]
        return _in_kilograms(shop, _with_picture(given))

    made = read_rows(list_of(body, "offers", MAX_NEW), "offers", read)
    for offer in replaced:
        del shop.offers[offer.id]
        shop.stocks.pop(offer.id, None)
    for values in made:
        shop.insert("offers", Offer, {"product_id": product.id, **values})
    shop.touch("products")


def create_category(shop: Store, body: dict[str, Any]) -> Category:
    """Create a category of products.

    :param shop: the shop
    :param body: ``name`` and ``parent_id``
    :return: the category
    :raise Invalid: if the body is wrong
    """
    given = pick(body, {"name": text, "parent_id": whole}, required=("name",))
    if given.get("parent_id") and given["parent_id"] not in shop.categories:
        raise Invalid.of(parent_id=SELECTED)
    return shop.insert("categories", Category, given)


# === PARTS OF A BODY ===


def _product(
    shop: Store,
    body: Any,
    at: str = "",
    skus: set[str] | None = None,
    own: list[Offer] | None = None,
) -> dict[str, Any]:
    given = pick(body, PRODUCT, required=("name",), nulls=False, at=at)
    _not_negative(given, at)
    wrong = {}
    if len(given.get("pictures", ())) > MAX_PICTURES:
        wrong["pictures"] = TOO_MANY % MAX_PICTURES
    if len(given.get("unit_type", "")) > UNIT_LENGTH:
        wrong["unit_type"] = f"The {{}} may not be greater than {UNIT_LENGTH} characters."
    if given.get("category_id") and given["category_id"] not in shop.categories:
        wrong["category_id"] = SELECTED
    if wrong:
        raise Invalid.of(at, **wrong)
    _check_sku(shop, given, at, set() if skus is None else skus, own or [])
    pictures = given.pop("pictures", None)
    if pictures:
        given["thumbnail_url"] = text(pictures[0])
    given.pop("custom_fields", None)
    return _in_kilograms(shop, given)


def _create(shop: Store, given: dict[str, Any]) -> Product:
    offer_values = _take_offer_values(given)
    made: Product = shop.insert("products", Product, given)
    shop.insert("offers", Offer, {"product_id": made.id, **offer_values})
    return made


def _take_offer_values(given: dict[str, Any]) -> dict[str, Any]:
    return {name: given.pop(name) for name in _OFFER_FIELDS if name in given}


def _check_sku(
    shop: Store, given: dict[str, Any], at: str, skus: set[str], own: list[Offer]
) -> None:
    """Refuse a SKU that is taken, if the switch requires it."""
    sku = given.get("sku")
    if not sku or not shop.switches.is_("duplicate_sku", "refuse"):
        return
    if sku in skus or set(shop.offers_with_sku(sku)) - {offer.id for offer in own}:
        raise Invalid.of(at, sku="The {} has already been taken.")
    skus.add(sku)


def _not_negative(given: dict[str, Any], at: str) -> None:
    negative = [name for name in (*_PRICES, *_SIZES) if given.get(name, ZERO) < 0]
    if negative:
        raise Invalid.of(at, **dict.fromkeys(negative, NEGATIVE))


def _in_kilograms(shop: Store, given: dict[str, Any]) -> dict[str, Any]:
    if "weight" in given and shop.switches.is_("weight_unit", "g"):
        given["weight"] = Decimal(given["weight"]) / 1000
    return given


def _with_picture(given: dict[str, Any]) -> dict[str, Any]:
    if "image_url" in given:
        given["thumbnail_url"] = given.pop("image_url")
    return given
