"""Decide which known product an order's line or an offer stands for.

In this order: the mapping of the offer, a user's choice, the one product with the SKU, the one with the
barcode, for one-off lines the one with the name. Without a match a product is created.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from .product_data import Goods


class Product(Protocol):
    """Hold the values of a product that the decision uses."""

    id: int
    active: bool
    keycrm_origin: str
    keycrm_sku_generated: bool


P = TypeVar("P", bound=Product)


@dataclass(slots=True)
class KnownProducts(Generic[P]):
    """Hold the products by which goods may be recognized.

    Keys of SKUs and names are normalized.

    :param mapped: ``{offer: product}`` by the mappings of offers
    :param chosen_by_sku: ``{SKU key: product}`` that users chose
    :param chosen_by_name: ``{name key: product}`` that users chose
    :param by_sku: ``{SKU key: products}``
    :param by_offer_sku: ``{SKU key: products}`` by the SKUs of their offers
    :param by_barcode: ``{barcode: products}``
    :param by_name: ``{name key: products}``, of one-off products
    :param by_generated_sku: ``{offer: product}`` that was created for an offer without a SKU, before the
        addon was uninstalled
    :param mapped_ids: ids of the products in ``by_barcode`` that have an offer of the account
    """

    mapped: Mapping[int, P] = field(default_factory=dict)
    chosen_by_sku: Mapping[str, P] = field(default_factory=dict)
    chosen_by_name: Mapping[str, P] = field(default_factory=dict)
    by_sku: Mapping[str, Iterable[P]] = field(default_factory=dict)
    by_offer_sku: Mapping[str, Iterable[P]] = field(default_factory=dict)
    by_barcode: Mapping[str, Iterable[P]] = field(default_factory=dict)
    by_name: Mapping[str, Iterable[P]] = field(default_factory=dict)
    by_generated_sku: Mapping[int, P] = field(default_factory=dict)
    mapped_ids: Collection[int] = ()


class AmbiguousProduct(Exception):
    """Several products have the SKU or barcode: a user has to decide.

    :param kind: ``sku`` or ``barcode``
    :param value: the SKU or barcode
    :param products: the products
    """

    def __init__(self, kind: str, value: str, products: Iterable):
        super().__init__(kind, value)
        self.kind = kind
        self.value = value
        self.products = list(products)


def choose(known: KnownProducts[P], goods: Goods, of_line: P | None = None) -> P | None:
    """Choose the product that stands for the goods.

    :param known: products
    :param goods: goods of a line or an offer
    :param of_line: product that the line has in Odoo already
    :return: None where there is none
    :raise AmbiguousProduct: when a SKU or barcode belongs to several products
    """
    if goods.offer_id and (mapped := known.mapped.get(goods.offer_id)):
        return _replacement(known, mapped, goods) or mapped
    chosen = known.chosen_by_sku.get(goods.sku_key)
    if not chosen and not goods.offer_id:
        chosen = known.chosen_by_name.get(goods.name_key)
    if chosen:
        return chosen
    found = _single(known.by_sku.get(goods.sku_key), "sku", goods.sku, of_line)
    if found:
        return found
    if goods.offer_id:
        return _choose_for_offer(known, goods, of_line)
    return _choose_for_one_off(known, goods, of_line)


def _replacement(known: KnownProducts[P], mapped: P, goods: Goods) -> P | None:
    """Return the only active product that has the SKU of an archived one now."""
    same = known.by_sku.get(goods.sku_key)
    if not same or mapped.active:
        return None
    active = [product for product in same if product.active]
    return active[0] if len(active) == 1 else None


def _choose_for_offer(known: KnownProducts[P], goods: Goods, of_line: P | None) -> P | None:
    found = _single(known.by_barcode.get(goods.barcode), "barcode", goods.barcode, of_line)
    if found and found.id not in known.mapped_ids:
        return found
    # KeyCRM has moved a one-off line, or goods with its name, to the catalog meanwhile.
    if of_line and of_line.keycrm_origin == "one_off":
        return of_line
    same = known.by_name.get(goods.name_key) or ()
    moved = next((product for product in same if product.keycrm_origin == "one_off"), None)
    return moved or known.by_generated_sku.get(goods.offer_id)


def _choose_for_one_off(known: KnownProducts[P], goods: Goods, of_line: P | None) -> P | None:
    if of_line:
        return of_line
    if goods.sku_key:
        found = _single(known.by_offer_sku.get(goods.sku_key), "sku", goods.sku, None)
        if found:
            return found
    for product in known.by_name.get(goods.name_key) or ():
        # Products of one name that have SKUs of their own are different products.
        if not goods.sku_key or product.keycrm_sku_generated:
            return product
    return None


def _single(products: Iterable[P] | None, kind: str, value: str, of_line: P | None) -> P | None:
    """Return the only product; of several, the one that a known line has.

    :raise AmbiguousProduct: when there are several others
    """
    products = list(products or ())
    if not products:
        return None
    if len(products) == 1:
        return products[0]
    if of_line and of_line in products:
        return of_line
    raise AmbiguousProduct(kind, value, products)


@dataclass(slots=True, eq=False)
class Plan:
    """Describe a product that is to be created.

    :param goods: goods that it stands for
    :param product: the product, once it is created
    """

    goods: Goods
    product: Product | None = None


class Plans:
    """Plan new products, one for all goods of a batch that are the same."""

    def __init__(self):
        self._by_sku: dict[str, Plan] = {}
        self._by_name: dict[str, Plan] = {}

    def plan(self, goods: Goods) -> Plan:
        """Return the plan for goods.

        :param goods: goods without a known product
        """
        if goods.sku_key:
            return self._by_sku.setdefault(goods.sku_key, Plan(goods))
        if goods.offer_id:
            return Plan(goods)
        return self._by_name.setdefault(goods.name_key, Plan(goods))
