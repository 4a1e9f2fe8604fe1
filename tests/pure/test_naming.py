"""Names as people read them, and numbers by which things are found again."""

import pytest
from keycrm.catalog import Property
from keycrm.naming import (
    are_same_words,
    normalized_phone,
    one_off_key,
    phone_numbers,
    phone_part,
    product_name,
    sku_key,
)


def props(*pairs):
    return [Property(name, value) for name, value in pairs]


def test_name_contains_the_properties():
    assert product_name("Сорочка", props(("Колір", "біла"), ("Розмір", "M"))) == "Сорочка, біла, M"


def test_values_are_in_keycrms_order():
    assert product_name("Сорочка", props(("Розмір", "M"), ("Колір", "біла"))) == "Сорочка, M, біла"


def test_comma_inside_a_value_stays_readable():
    assert product_name("Стіл", props(("Колір", "білий, матовий"))) == "Стіл, «білий, матовий»"


def test_properties_are_not_repeated_in_a_name():
    assert product_name("Сорочка, біла, M", props(("К", "біла"), ("Р", "M"))) == "Сорочка, біла, M"


def test_very_long_name_is_cut_and_keeps_its_properties():
    name = product_name("Я" * 900, props(("Розмір", "XL")))
    assert len(name) <= 250
    assert name.endswith("…, XL")


def test_empty_name_becomes_the_properties():
    assert product_name("", props(("Розмір", "XL"))) == "XL"


@pytest.mark.parametrize(
    "sku",
    [
        "аб-1",
        " АБ-1",
        "Аб-1\t",
        "\ufeffаб-1",
        "а\u200bб-1",
        "аб\u00ad-1\u2060",
        "\u200eаб\u200d-1",
        "аб－１",
        "аб-1\u00a0\u202f",
    ],
)
def test_sku_ignores_case_spaces_and_invisible_characters(sku):
    assert sku_key(sku) == "аб-1"


def test_spaces_within_a_sku_are_equal_but_count():
    assert sku_key("A\u00a01") == sku_key("A 1") != sku_key("A1")


@pytest.mark.parametrize(
    ("typed", "numbers"),
    [
        ("", []),
        ("067 111 22 33", ["067 111 22 33"]),
        ("067 111 22 33, 050 444 55 66", ["067 111 22 33", "050 444 55 66"]),
        ("0671112233/0504445566;", ["0671112233", "0504445566"]),
        ("0671112233 0504445566", ["0671112233", "0504445566"]),
        ("+380671112233 +48 501 234 567", ["+380671112233", "+48 501 234 567"]),
        ("(067) 111-22-33 або (050) 444-55-66", ["(067) 111-22-33", "(050) 444-55-66"]),
    ],
)
def test_several_phones_in_one_field_are_separated(typed, numbers):
    assert phone_numbers(typed) == numbers


def test_one_off_products_are_the_same_by_name_and_properties():
    assert one_off_key("Гравіювання  імені", []) == one_off_key("гравіювання імені", [])
    assert one_off_key("Кулон", props(("М", "a"))) != one_off_key("Кулон", props(("М", "b")))


@pytest.mark.parametrize(
    ("raw", "phone"),
    [
        ("067 123-45-67", "+380671234567"),
        ("+38 (067) 123 45 67", "+380671234567"),
        ("380671234567", "+380671234567"),
        ("80671234567", "+380671234567"),
        ("671234567", "+380671234567"),
        ("+48 501 502 503", "+48501502503"),
        ("0048501502503", "+48501502503"),
        ("067 123 45 67, 050 765 43 21", "+380671234567"),
        ("123", ""),
        ("12345678901234567890", ""),
        ("", ""),
    ],
)
def test_phones_are_normalized(raw, phone):
    assert normalized_phone(raw) == phone


@pytest.mark.parametrize(
    ("typed", "digits"),
    [
        ("067 123-45-67", "380671234567"),
        ("0049 30 123456", "4930123456"),
        ("123-45", "12345"),
        ("80 67 12", "806712"),
        ("Кухоль 5", ""),
        ("", ""),
    ],
)
def test_part_of_a_phone_is_searched_by_its_digits(typed, digits):
    assert phone_part(typed) == digits


def test_names_that_differ_in_punctuation_only_are_the_same_words():
    assert are_same_words("Сорочка, біла, M", "сорочка (біла,  M)")
    assert not are_same_words("Сорочка, біла, M", "Сорочка, біла, L")
    assert not are_same_words("Сорочка", "Сорочка, біла")
