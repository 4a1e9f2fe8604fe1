"""Split the prices of variants into a product price and extras of one attribute.

KeyCRM has one price for each variant. Odoo has one for the product and an extra for each attribute
value. Prices are copied where one attribute decides them, such as the size.
"""

from collections.abc import Hashable, Iterable, Mapping
from decimal import Decimal

#: Key of the product's own price, among the values.
BASE = None


def split(
    variants: Iterable[tuple[Mapping[Hashable, Hashable], Decimal]],
    fixed: Mapping[Hashable, Decimal] | None = None,
) -> dict[Hashable, Decimal] | None:
    """Find the product's price and the extra of each value.

    :param variants: value by attribute, and price, of each variant
    :param fixed: amounts that must not change: extra by value, the product's price as :data:`BASE`
    :return: extra by value, with the product's price as :data:`BASE`; None where no single attribute
        decides the prices
    """
    variants, fixed = list(variants), dict(fixed or {})
    prices = [price for _values, price in variants]
    base = fixed.get(BASE, min(prices, default=Decimal(0)))
    all_values = {value: Decimal(0) for values, _price in variants for value in values.values()}
    # All variants have the same attributes.
    for attribute in next((values for values, _price in variants), {}):
        extras = {**all_values, **fixed, BASE: base}
        known = set(fixed)
        for values, price in variants:
            value = values[attribute]
            others = sum(extras[other] for key, other in values.items() if key != attribute)
            if value not in known:
                known.add(value)
                extras[value] = price - base - others
            if base + others + extras[value] != price:
                break
        else:
            return extras
    return None
