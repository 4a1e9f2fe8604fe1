"""KeyCRM's values are parsed into texts and numbers that Odoo can store."""

import pytest
from keycrm.catalog import StockAnswer, Warehouse
from keycrm.errors import MalformedAnswer
from keycrm.parsing import SHORT_LIMIT, clean_json, to_amount, to_int, to_short, to_text


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        '=cmd|" /C calc"!A1',
        "+380 (44) 123-45-67",
        "@SUM(A1)",
        "'; DROP TABLE sale_order; --",
        "%(password)s %s {0}",
        "👩‍👩‍👧 родина",
        "перший\nдругий\tтретій",
        "שלום עולם",
    ],
)
def test_text_is_not_changed(text):
    assert to_text(text) == text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a\0b", "ab"),
        ("a\x1b[31mred\x07", "a[31mred"),
        ("\ud800half", "half"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("\u2066a\u2069", "a"),
        ("a\x85\x9fb\x7f", "ab"),
        ("\r\nline\r\n", "line"),
    ],
)
def test_invalid_characters_are_removed(text, left):
    assert to_text(text) == left
    assert to_text(text).encode()


def test_a_comment_of_a_megabyte_is_kept_whole_and_a_name_is_cut():
    long = "довгий " * 150_000
    assert to_text(long) == long.strip()
    line = to_short(long)
    assert len(line) <= SHORT_LIMIT
    assert line.endswith("…")
    assert to_short("050 111 22 33\n067 111 22 33") == "050 111 22 33\n067 111 22 33"


@pytest.mark.parametrize(
    "value", ["1e999999999", "-1e99", "1e-400", "NaN", "inf", "٣,,", "12abc\0"]
)
def test_invalid_number_is_an_error(value):
    for read in (to_int, to_amount):
        with pytest.raises(MalformedAnswer) as caught:
            read(value)
        assert "\0" not in str(caught.value.params)


def test_json_from_outside_can_be_stored():
    assert clean_json(rb'{"a\u0000": "b\u0000\ud800c"}') == {"a": "b?c"}
    for body in (b"NaN", b"[Infinity]", b"\xff", b"{", b""):
        with pytest.raises(ValueError):
            clean_json(body)


def test_total_without_warehouses_is_that_of_the_only_one_or_unreadable():
    rows = [
        {"id": 1, "sku": "A", "quantity": "7.000", "reserve": 2, "warehouse": []},
        {"id": 2, "sku": "B", "quantity": 0, "reserve": 0, "warehouse": []},
        {"id": 3, "sku": "C", "quantity": 4, "warehouse": [{"id": 9, "quantity": 4}]},
    ]
    answer = StockAnswer.parse(rows, Warehouse(5, "Main"))
    quantities = {
        number: {row.warehouse.id: float(row.quantity) for row in found}
        for number, found in answer.entries.items()
    }
    assert quantities == {1: {5: 7}, 2: {5: 0}, 3: {9: 4}}
    assert not answer.unreadable
    unmatched = StockAnswer.parse(rows)
    assert unmatched.unreadable == {1}
    assert unmatched.entries.keys() == {2, 3}
