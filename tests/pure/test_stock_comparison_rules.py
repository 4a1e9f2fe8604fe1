"""Comparison of the quantities of Odoo and KeyCRM."""

import pytest
from keycrm.stock_comparison_rules import is_equal, opening_counts, opening_kind, outcome


@pytest.mark.parametrize(
    ("odoo", "keycrm", "is_counted", "expected"),
    [
        (5, 5, True, "same"),
        (5, 5.0004, True, "same"),
        (0, 5, True, "zero"),
        (-1, 5, True, "zero"),
        (-1, 0, True, "lower"),
        (3, 5, True, "lower"),
        (7, 5, True, "higher"),
        (0, -2, True, "higher"),
        (7, 5, False, "uncounted"),
        (5, 5, False, "uncounted"),
        (5, None, True, "not_in_keycrm"),
        (5, None, False, "not_in_keycrm"),
    ],
)
def test_outcome_of_a_preview_line(odoo, keycrm, is_counted, expected):
    assert outcome(odoo, keycrm, is_counted=is_counted) == expected


@pytest.mark.parametrize(
    ("odoo", "keycrm", "sent", "expected"),
    [
        (5, 5, None, True),
        (5, 4, None, False),
        (5.5, 5, None, False),
        # KeyCRM stored the sent quantity in its own way.
        (5.5, 5, 5.5, True),
        (-2, 0, -2, True),
        (5.5, 5, 7, False),
        (5.5, 6, 5.5, False),
    ],
)
def test_quantities_are_equal_also_when_keycrm_rounded_what_was_sent(odoo, keycrm, sent, expected):
    assert is_equal(odoo, keycrm, sent) is expected


@pytest.mark.parametrize(
    ("name", "keycrm", "product", "expected"),
    [
        ("lower", 5, {}, "taken"),
        ("uncounted", 5, {}, "taken"),
        ("same", 5, {}, "same"),
        ("uncounted", 0, {}, "same"),
        ("lower", 5, {"is_storable": False}, "not_stored"),
        ("same", 5, {"is_storable": False}, "not_stored"),
        ("lower", 5, {"tracking": "serial"}, "serials"),
        ("lower", 5, {"tracking": "lot"}, "lots"),
        ("lower", 5, {"tracking": "lot", "has_one_lot": True}, "taken"),
        ("same", 5, {"tracking": "serial"}, "same"),
    ],
)
def test_opening_quantity_is_taken_unless_people_must_count(name, keycrm, product, expected):
    facts = {"tracking": "none", "is_storable": True, "has_one_lot": False, **product}
    has_one_lot = facts.pop("has_one_lot")
    assert opening_kind(name, keycrm, has_one_lot=lambda: has_one_lot, **facts) == expected


@pytest.mark.parametrize(
    ("stock", "change", "expected"),
    [
        ([], 4, {"stock": 4}),
        ([("stock", 3)], 4, {"stock": 7}),
        ([("shelf", 3)], 4, {"stock": 4}),
        # A surplus is taken from the fullest place.
        ([("shelf", 9), ("stock", 3)], -4, {"shelf": 5}),
        ([("shelf", 3), ("stock", 2)], -4, {"shelf": 0, "stock": 1}),
        # More than there is makes the default place negative.
        ([("shelf", 3)], -4, {"shelf": 0, "stock": -1}),
        ([("shelf", 3), ("stock", -2)], -4, {"shelf": 0, "stock": -3}),
        ([("stock", 2), ("stock", 1)], 1, {"stock": 4}),
        ([("stock", 2)], 0, {}),
    ],
)
def test_opening_counts_change_the_stock_by_the_difference(stock, change, expected):
    counted = opening_counts(stock, change, "stock")
    assert counted == expected
