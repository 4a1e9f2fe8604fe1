"""Bodies of ``PUT /offers``, ``POST /products`` and what belongs to them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from .errors import Invalid
from .models import ZERO, Category, Offer, Product
from .schemas import Readers, anything, decimal, pick, sequence, text, whole
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
    rows = _rows(body, "offers", MAX_OFFERS)
    changes: list[tuple[Offer, dict[str, Any]]] = []
    errors: dict[str, list[str]] = {}
    for index, row in enumerate(rows):
        try:
            found = _offer_change(shop, row, f"offers.{index}.")
        except Invalid as error:
            errors.update(error.errors)
        else:
            if found:
                changes.append(found)
    if errors:
        raise Invalid(errors)
    return changes


def _offer_change(shop: Store, row: Any, at: str) -> tuple[Offer, dict[str, Any]] | None:
    given = pick(_object(row, at), OFFER, nulls=False, at=at)
    _not_negative(given, at)
    offer_id, sku = given.pop("id", None), given.pop("sku", None)
    if offer_id is None and sku is None:
        raise Invalid({f"{at}id": [f"The {at}id field is required when {at}sku is not present."]})
    if offer_id is None:
        # of several offers with one SKU the first is taken (assumed)
        offer_id = next(iter(shop.offers_with_sku(sku)), None)
    offer = shop.offers.get(offer_id or 0)
    if offer is None:
        if shop.switches.is_("offers_put_unknown", "refuse"):
            raise Invalid({f"{at}id": [f"The selected {at}id is invalid."]})
        return None
    return offer, _in_kilograms(shop, _with_picture(given))


def write_offers(shop: Store, changes: list[tuple[Offer, dict[str, Any]]]) -> None:
    """Write the changes of ``PUT /offers``.

    :param shop: the shop
    :param changes: of :func:`update_offers`
    """
    for offer, values in changes:
        for name, value in values.items():
            setattr(offer, name, value)
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
    errors: dict[str, list[str]] = {}
    products = []
    skus: set[str] = set()
    for index, row in enumerate(_rows(body, "products", MAX_NEW)):
        at = f"products.{index}."
        try:
            products.append(_product(shop, _object(row, at), at, skus))
        except Invalid as error:
            errors.update(error.errors)
    if errors:
        raise Invalid(errors)
    for given in products:
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
    for name, value in given.items():
        setattr(product, name, value)
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
    errors: dict[str, list[str]] = {}
    made = []
    own = shop.offers_of(product.id)
    replaced = [offer for offer in own if not offer.properties]
    replaces = shop.switches.is_("first_offer", "replaced")
    skus: set[str] = set()
    for index, row in enumerate(_rows(body, "offers", MAX_NEW)):
        at = f"offers.{index}."
        try:
            given = pick(_object(row, at), NEW_OFFER, nulls=False, at=at)
            _not_negative(given, at)
            _check_sku(shop, given, at, skus, replaced if replaces else [])
        except Invalid as error:
            errors.update(error.errors)
            continue
        # a property without name and value is ignored (documented)
        given["properties"] = [
            {"name": text(item["name"]), "value": text(item["value"])}
            for item in given.get("properties", [])
            if isinstance(item, dict) and item.get("name") and item.get("value")
        ]
        made.append(_in_kilograms(shop, _with_picture(given)))
    if errors:
        raise Invalid(errors)
    if replaces:
        for offer in replaced:
            del shop.offers[offer.id]
            shop.stocks.pop(offer.id, None)
    for values in made:
        _add_offer(shop, product, values)
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
        raise Invalid({"parent_id": ["The selected parent_id is invalid."]})
    made = Category(id=shop.new_id("categories", taken=shop.categories), **given)
    shop.categories[made.id] = made
    shop.touch("lists")
    return made


# === PARTS OF A BODY ===


def _product(
    shop: Store,
    body: dict[str, Any],
    at: str = "",
    skus: set[str] | None = None,
    own: list[Offer] | None = None,
) -> dict[str, Any]:
    given = pick(body, PRODUCT, required=("name",), nulls=False, at=at)
    _not_negative(given, at)
    errors: dict[str, list[str]] = {}
    if len(given.get("pictures", ())) > MAX_PICTURES:
        field = f"{at}pictures"
        errors[field] = [f"The {field} may not have more than {MAX_PICTURES} items."]
    if len(given.get("unit_type", "")) > UNIT_LENGTH:
        field = f"{at}unit_type"
        errors[field] = [f"The {field} may not be greater than {UNIT_LENGTH} characters."]
    if given.get("category_id") and given["category_id"] not in shop.categories:
        errors[f"{at}category_id"] = [f"The selected {at}category_id is invalid."]
    if errors:
        raise Invalid(errors)
    _check_sku(shop, given, at, set() if skus is None else skus, own or [])
    pictures = given.pop("pictures", None)
    if pictures:
        given["thumbnail_url"] = text(pictures[0])
    given.pop("custom_fields", None)
    return _in_kilograms(shop, given)


def _create(shop: Store, given: dict[str, Any]) -> Product:
    now = shop.now()
    offer_values = _take_offer_values(given)
    made = Product(id=shop.new_id("products"), created_at=now, updated_at=now, **given)
    shop.products[made.id] = made
    _add_offer(shop, made, offer_values)
    shop.touch("products")
    return made


def _add_offer(shop: Store, product: Product, values: dict[str, Any]) -> None:
    now = shop.now()
    offer_id = shop.new_id("offers")
    shop.offers[offer_id] = Offer(
        id=offer_id, product_id=product.id, created_at=now, updated_at=now, **values
    )
    shop.touch("offers")


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
        raise Invalid({f"{at}sku": [f"The {at}sku has already been taken."]})
    skus.add(sku)


def _not_negative(given: dict[str, Any], at: str) -> None:
    errors = {
        at + name: [f"The {at + name} must be at least 0."]
        for name in (*_PRICES, *_SIZES)
        if given.get(name, ZERO) < 0
    }
    if errors:
        raise Invalid(errors)


def _in_kilograms(shop: Store, given: dict[str, Any]) -> dict[str, Any]:
    if "weight" in given and shop.switches.is_("weight_unit", "g"):
        given["weight"] = Decimal(given["weight"]) / 1000
    return given


def _with_picture(given: dict[str, Any]) -> dict[str, Any]:
    if "image_url" in given:
        given["thumbnail_url"] = given.pop("image_url")
    return given


def _rows(body: dict[str, Any], name: str, most: int) -> list[Any]:
    rows: list[Any] = pick(body, {name: sequence}, required=(name,))[name]
    if len(rows) > most:
        raise Invalid({name: [f"The {name} may not have more than {most} items."]})
    return rows


def _object(value: Any, at: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Invalid({at[:-1]: [f"The {at[:-1]} must be an object."]})
    return value
