"""Split the prices of variants into a product price and an extra for each value.

KeyCRM has one price for each variant. Odoo has one for the product and an extra for each attribute
value, so only prices that are sums of these can be represented.
"""

from collections.abc import Hashable, Iterable, Mapping
from decimal import Decimal
from fractions import Fraction

#: Key of the product's own price, among the values.
BASE = None


def solve(
    variants: Iterable[tuple[Iterable[Hashable], Decimal]],
    fixed: Mapping[Hashable, Decimal] | None = None,
) -> dict[Hashable, Decimal] | None:
    """Find the product's price and the extra of each value.

    The values of the cheapest variant have no extra, where possible.

    :param variants: values and price of each variant
    :param fixed: amounts that must not change: extra by value, the product's price as :data:`BASE`
    :return: extra by value, with the product's price as :data:`BASE`; None where the prices are no sums
    """
    rows = sorted(((tuple(values), price) for values, price in variants), key=lambda row: row[1])
    known = {value: Fraction(amount) for value, amount in (fixed or {}).items()}
    unknown = [BASE] if BASE not in known else []
    # Free unknowns are last and become 0: those of the cheapest variant.
    for values, _price in reversed(rows):
        unknown += [value for value in values if value not in known and value not in unknown]
    cheapest = [value for value in rows[0][0] if value in unknown] if rows else []
    unknown = [value for value in unknown if value not in cheapest] + cheapest
    equations = [
        (
            {value: Fraction(1) for value in (BASE, *values) if value not in known},
            Fraction(price) - sum(known.get(value, 0) for value in (BASE, *values)),
        )
        for values, price in rows
    ]
    found = _eliminate(unknown, equations)
    if found is None:
        return None
    return {
        value: Decimal(amount.numerator) / amount.denominator
        for value, amount in {**known, **found}.items()
    }


def _eliminate(unknown, equations):
    """Solve linear equations exactly; unknowns that stay free are 0.

    :param unknown: names of the unknowns
    :param equations: ``[({unknown: factor}, amount)]``
    :return: amount by unknown; None where the equations contradict each other
    """
    solved = []
    for pivot in unknown:
        at = next((row for row in equations if row[0].get(pivot)), None)
        if at is None:
            continue
        equations = [row for row in equations if row is not at]
        solved.append((pivot, *_scaled(at, pivot)))
        equations = [_without(row, pivot, solved[-1]) for row in equations]
    if any(amount for _terms, amount in equations):
        return None
    found = dict.fromkeys(unknown, Fraction(0))
    for pivot, terms, amount in reversed(solved):
        found[pivot] = amount - sum(
            factor * found[other] for other, factor in terms.items() if other != pivot
        )
    return found


def _scaled(row, pivot):
    """Divide an equation so that the factor of the pivot is 1."""
    terms, amount = row
    return {name: factor / terms[pivot] for name, factor in terms.items()}, amount / terms[pivot]


def _without(row, pivot, solved):
    """Eliminate the pivot from an equation."""
    terms, amount = row
    factor = terms.get(pivot)
    if not factor:
        return row
    _pivot, other_terms, other_amount = solved
    names = terms.keys() | other_terms.keys()
    left = {name: terms.get(name, 0) - factor * other_terms.get(name, 0) for name in names}
    return {name: value for name, value in left.items() if value}, amount - factor * other_amount
