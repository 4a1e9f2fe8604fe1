"""The quantity for KeyCRM, and how KeyCRM stores it."""

import pytest
from keycrm.stock_quantities import Terms, as_number, fitted, is_kept_as, is_too_much, target


def test_each_rule_subtracts_its_own_terms():
    terms = Terms(
        on_hand=20, reserved=9, own_reserved=4, open_orders=6, keycrm_reserved=2, written_off=3
    )
    assert target("on_hand", terms) == 17
    assert target("free", terms) == 11
    assert target("available", terms) == 20 - 5 - 6 + 2


def test_reservations_of_others_are_never_negative():
    assert target("available", Terms(on_hand=5, reserved=1, own_reserved=2)) == 5


def test_minus_zero_is_zero():
    assert str(target("on_hand", Terms(on_hand=-0.0001))) == "0.0"


@pytest.mark.parametrize(
    ("whole", "positive", "expected"),
    [(False, False, -2.5), (True, False, -3), (False, True, 0), (True, True, 0)],
)
def test_quantity_is_rounded_and_limited_as_chosen(whole, positive, expected):
    assert fitted(-2.5, whole=whole, positive=positive) == expected


def test_rounding_never_exceeds_the_quantity():
    assert fitted(2.9, whole=True, positive=True) == 2
    assert fitted(2.9999999, whole=True, positive=True) == 3


@pytest.mark.parametrize("read", [-2.5, -3, 0])
def test_rounding_by_keycrm_is_recognized(read):
    assert is_kept_as(-2.5, read)


def test_manual_edit_is_not_taken_for_rounding():
    assert not is_kept_as(5, 4)
    assert not is_kept_as(2.5, 3)


def test_whole_numbers_are_written_as_such():
    assert [as_number(n) for n in (3.0, 2.5, -1.0, 0.1 + 0.2)] == [3, 2.5, -1, 0.3]


@pytest.mark.parametrize(
    ("zeroed", "catalog", "stops"),
    [
        (3, 5, False),
        (4, 5, True),
        (4, 40, False),
        (5, 40, True),
        (20, 1000, False),
        (21, 1000, True),
    ],
)
def test_too_many_zeros_are_detected(zeroed, catalog, stops):
    assert is_too_much(zeroed, catalog, 20, 10) is stops
