"""Prices of variants as a product price plus extras of one attribute."""

from decimal import Decimal

from keycrm.variant_prices import BASE, split

SHIRTS = [{"color": color, "size": size} for color in ("white", "blue") for size in ("M", "L")]


def test_larger_size_that_costs_more_has_an_extra():
    variants = list(zip(SHIRTS, (500, 550, 500, 550), strict=True))
    assert split(variants) == {BASE: 500, "white": 0, "blue": 0, "M": 0, "L": 50}


def test_prices_that_two_attributes_decide_are_not_split():
    assert split(list(zip(SHIRTS, (500, 550, 520, 570), strict=True))) is None


def test_fixed_amounts_stay():
    fixed = {BASE: Decimal(450), "white": Decimal(20), "M": Decimal(0)}
    medium, large = SHIRTS[:2]
    found = split([(medium, Decimal(470)), (large, Decimal(550))], fixed)
    assert found == {**fixed, "L": 80}
    assert split([(medium, Decimal(500))], fixed) is None


def test_no_extra_without_variants():
    assert split([]) is None
