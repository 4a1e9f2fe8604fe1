"""Requests that create products in KeyCRM."""

from decimal import Decimal

import pytest
from keycrm.product_export_rules import NewOffer, NewProduct, code_problems, marker_sku, unit_text


def test_empty_values_are_left_out():
    assert NewOffer(1, "A").body() == {"sku": "A"}
    full = NewOffer(1, "A", "482", Decimal("4.50"), Decimal("2.00"), 300, (("Колір", "біла"),))
    assert full.body() == {
        "sku": "A",
        "barcode": "482",
        "price": 4.5,
        "purchased_price": 2.0,
        "weight": 300,
        "properties": [{"name": "Колір", "value": "біла"}],
    }
    assert NewProduct("Сорочка").body({"sku": "A"}) == {"name": "Сорочка", "sku": "A"}
    assert NewProduct("Сорочка", "шт", "UAH", 2).body({}) == {
        "name": "Сорочка",
        "unit_type": "шт",
        "currency_code": "UAH",
        "category_id": 2,
    }


@pytest.mark.parametrize(
    ("reference", "name", "text"),
    [
        ("uom.product_uom_kgm", "kg", "кг"),
        ("uom.product_uom_unit", "Units", "шт"),
        ("uom.product_uom_gram", "g", "г"),
        ("", "рулон", "рулон"),
        ("", "дуже довга одиниця", ""),
    ],
)
def test_unit_is_keycrms_or_short_enough(reference, name, text):
    assert unit_text(reference, name) == text


def test_sku_is_needed_unique_and_requestable():
    skus = ["A", "", "B", "b ", "C", "D,E"]
    assert code_problems([(sku, "") for sku in skus], {"c": 2}, ()) == [
        "",
        "create_no_sku",
        "create_sku_repeated",
        "create_sku_repeated",
        "create_sku_repeated",
        "create_sku_unusable",
    ]


def test_barcode_belongs_to_one_product():
    codes = [("A", "111"), ("B", "222"), ("C", "2\u200b22"), ("D", "333"), ("E", ""), ("F", "")]
    problems = code_problems(codes, {}, {"333 "})
    assert [bool(problem) for problem in problems] == [False, True, True, True, False, False]
    assert problems[1] == "create_barcode_repeated"


def test_marker_differs_between_products():
    assert marker_sku(5) != marker_sku(6)
