"""Prices of variants as a product price plus an extra per value."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from keycrm.variant_prices import BASE, solve


def check(variants, found):
    for values, price in variants:
        assert found[BASE] + sum(found[value] for value in values) == price


def test_a_larger_size_that_costs_more_is_an_extra_of_the_size():
    variants = [
        (("white", "M"), 500),
        (("blue", "M"), 500),
        (("white", "L"), 550),
        (("blue", "L"), 550),
    ]
    found = solve(variants)
    assert found == {BASE: 500, "white": 0, "blue": 0, "M": 0, "L": 50}


def test_prices_of_single_combinations_cannot_be_said():
    variants = [
        (("white", "M"), 500),
        (("blue", "M"), 500),
        (("white", "L"), 550),
        (("blue", "L"), 700),
    ]
    assert solve(variants) is None


def test_what_is_to_stay_stays():
    fixed = {BASE: Decimal(450), "white": Decimal(0), "M": Decimal(0)}
    found = solve([(("white", "M"), Decimal(450)), (("white", "L"), Decimal(550))], fixed)
    assert found == {**fixed, "L": 100}
    assert solve([(("white", "M"), Decimal(500))], fixed) is None


def test_no_variants_have_no_price_to_contradict():
    assert solve([]) == {BASE: 0}


@given(
    st.integers(0, 10**7),
    st.lists(st.integers(-(10**5), 10**5), min_size=1, max_size=4),
    st.lists(st.integers(-(10**5), 10**5), min_size=1, max_size=4),
    st.data(),
)
def test_whatever_is_a_sum_is_found_again(base, colours, sizes, data):
    pairs = [(c, s) for c in range(len(colours)) for s in range(len(sizes))]
    chosen = data.draw(st.lists(st.sampled_from(pairs), min_size=1, unique=True))
    variants = [(((0, c), (1, s)), Decimal(base + colours[c] + sizes[s]) / 100) for c, s in chosen]
    check(variants, solve(variants))
