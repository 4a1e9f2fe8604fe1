"""Any request or answer is parsed into typed values, or fails as one record."""

import json
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keycrm import catalog, order_update_rules, orders, webhook
from keycrm.client import Page
from keycrm.errors import MalformedAnswer
from keycrm.line_matching import KnownLine
from keycrm.parsing import MAX_INTEGER, clean_json, decoded_answer, parsed_rows, to_utc


def nested(depth):
    return json.loads("[" * depth + "]" * depth)


MAD = [
    None,
    True,
    [],
    {},
    [1, [2]],
    {"id": {"id": 1}},
    "",
    "x" * 100_000,
    "\0\ud800",
    "1e999999999",
    "9" * 5000,
    "NaN",
    "-Infinity",
    float("inf"),
    float("nan"),
    1e308,
    10**18,
    10**4000,
    -1,
    0,
    0.5,
    2**31,
    -(2**63),
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "2026-02-31 10:00:00",
    "٣",
    nested(400),
]
ORDER = {
    "id": 1,
    "parent_id": 2,
    "source_id": 1,
    "source_uuid": "A-1",
    "client_id": 3,
    "status_id": 1,
    "grand_total": 10,
    "products_total": 10,
    "total_discount": 0,
    "shipping_price": "0.00",
    "wrap_price": 0,
    "taxes": None,
    "manager_comment": "",
    "ordered_at": "2026-01-01T10:00:00.000000Z",
    "updated_at": "2026-01-01T10:00:00.000000Z",
    "status_changed_at": "2026-01-01T10:00:00.000000Z",
    "deleted_at": None,
    "buyer": {"id": 3, "full_name": "A", "phone": "1", "email": "a@b", "company_id": 4},
    "manager": {"full_name": "B"},
    "status": {"id": 1},
    "marketing": {"utm_source": "x"},
    "tags": [{"id": 1, "name": "t"}],
    "products": [
        {
            "id": 5,
            "sku": "S",
            "name": "N",
            "price": 10,
            "price_sold": 10,
            "quantity": 1,
            "properties": [{"name": "Колір", "value": "біла"}],
            "warehouse": {"id": 1, "name": "W"},
            "offer": {"id": 6, "product_id": 7, "sku": "S", "price": 1, "weight": 1},
        }
    ],
    "payments": [
        {"id": 8, "amount": 10, "actual_amount": 10, "payment_method_id": 1, "payment_date": None}
    ],
    "shipping": {"tracking_code": "1", "address_payload": {"city_desc": "Київ"}},
    "custom_fields": [{"id": 9, "uuid": "OR_1", "name": "f", "type": "text", "value": "v"}],
}
ROWS = {
    orders.Order.parse: ORDER,
    orders.OrderRow.parse: ORDER,
    orders.Line.parse: ORDER["products"][0],
    orders.Buyer.parse: ORDER["buyer"],
    orders.Payment.parse: ORDER["payments"][0],
    orders.Shipping.parse: ORDER["shipping"],
    catalog.Offer.parse: ORDER["products"][0]["offer"],
    catalog.Status.parse: {"id": 1, "name": "n", "alias": "a", "group_id": 1, "is_active": True},
    catalog.Source.parse: {"id": 1, "name": "n", "alias": "a", "currency_code": "UAH"},
    catalog.PaymentMethod.parse: {"id": 1, "name": "n", "alias": "a"},
    catalog.DeliveryService.parse: {"id": 1, "name": "n", "alias": "a"},
    catalog.Category.parse: {"id": 1, "name": "n", "parent_id": None},
    catalog.CustomField.parse: {"id": 1, "name": "n", "uuid": "OR_1", "type": "text"},
    catalog.Company.parse: {"id": 1, "name": "n", "title": "t"},
    catalog.StockRow.parse_list: {
        "id": 1,
        "sku": "S",
        "warehouse": [{"id": 1, "name": "W", "quantity": 1, "reserve": 0}],
    },
    catalog.Transaction.parse: {
        "id": 1,
        "uuid": "u",
        "amount": 1,
        "currency": "UAH",
        "description": "d",
        "transaction_date": "2026-01-01 10:00:00",
        "payments_data": [],
    },
    webhook.OrderHint.parse: {"event": "order.change_order_status", "context": {"id": 1}},
    webhook.stock_totals: {"offer_id": 1, "sku": "S", "in_stock": 1},
}


def variants(value):
    """Yield a row with each value, at every level, replaced by each malformed one."""
    if isinstance(value, dict):
        for key, inner in value.items():
            for changed in variants(inner):
                yield {**value, key: changed}
    elif isinstance(value, list) and value:
        for changed in variants(value[0]):
            yield [changed, *value[1:]]
    yield from MAD


def check_storable(value):
    """Assert that PostgreSQL can store the value."""
    if is_dataclass(value):
        for field in fields(value):
            check_storable(getattr(value, field.name))
    elif isinstance(value, tuple | list):
        for item in value:
            check_storable(item)
    elif isinstance(value, bool) or value is None:
        pass
    elif isinstance(value, int):
        assert abs(value) <= MAX_INTEGER
    elif isinstance(value, Decimal):
        assert value.is_finite()
    elif isinstance(value, str):
        assert "\0" not in value
        value.encode()
    elif isinstance(value, datetime):
        assert 1970 <= value.year <= 2200


@pytest.mark.parametrize("parse", ROWS, ids=lambda parse: parse.__qualname__)
def test_each_value_of_each_field_is_typed_or_fails_as_one_record(parse):
    for row in variants(ROWS[parse]):
        if not isinstance(row, dict):
            continue
        try:
            parsed = parse(row)
        except MalformedAnswer:
            continue
        check_storable(parsed)


#: What Odoo may have to send of an order.
UPDATES = (
    order_update_rules.StatusUpdate(1, 2),
    order_update_rules.TrackingUpdate(
        (order_update_rules.Parcel("1", 2), order_update_rules.Parcel("3")),
        order_update_rules.COMMENT,
        label="x",
    ),
    order_update_rules.TrackingUpdate(
        (order_update_rules.Parcel("1"), order_update_rules.Parcel("3")),
        order_update_rules.CUSTOM_FIELD,
        "OR_1",
    ),
    order_update_rules.CostUpdate({1: Decimal(5)}, (KnownLine(1, 5),)),
    order_update_rules.PaymentUpdate(Decimal(10), date(2026, 1, 1), 1, "Bank", 7, "INV/1"),
    order_update_rules.PaymentUpdate(Decimal(10), date(2026, 1, 1), 1, "Bank", 7, is_forced=True),
)


@pytest.mark.parametrize("update", UPDATES, ids=lambda update: type(update).__name__)
def test_order_update_is_decided_for_any_answer_of_keycrm(update):
    order = {
        **ORDER,
        "payments_total": 5,
        "status_group_id": 1,
        "payments": [
            {
                **ORDER["payments"][0],
                "status": "not_paid",
                "description": "[Odoo 1]",
                "source_currency": "UAH",
                "actual_currency": "USD",
                "is_expense": False,
                "created_at": "2026-01-01 10:00:00",
            }
        ],
    }
    texts = ({**order, "payments": [{"description": f"[Odoo {'9' * 5000}]"}]},)
    for row in (*variants(order), *texts):
        if not isinstance(row, dict):
            continue
        try:
            decision = update.decide(row)
        except MalformedAnswer:
            continue
        json.dumps([decision.body, decision.values, decision.params], allow_nan=False)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(MAD),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from([*ORDER, "offer_id"]), inner),
    max_leaves=20,
)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(list(ROWS)), JSON)
def test_a_row_of_any_json_is_typed_or_fails_as_one_record(parse, row):
    parsed = parsed_rows(parse, [row] if isinstance(row, dict) else [])
    check_storable(parsed)


@settings(max_examples=200, deadline=None)
@given(JSON)
def test_a_webhook_of_any_json_is_parsed(payload):
    check_storable(webhook.OrderHint.parse(payload))
    assert all(0 < number <= MAX_INTEGER for number in webhook.stock_totals(payload))
    webhook.is_stock(payload)


@settings(max_examples=200, deadline=None)
@given(JSON)
def test_list_envelope_is_parsed_or_malformed(answer):
    try:
        page = Page.from_answer(answer, 1)
    except MalformedAnswer:
        return
    assert all(isinstance(row, dict) for row in page.rows)
    assert page.numbered is not None


def test_row_that_is_no_object_does_not_affect_its_page():
    page = Page.from_answer({"data": [{"id": 1}, None, "x", {"id": 2}], "total": 4}, 1)
    assert list(page.numbered) == [1, 2]
    assert page.is_last


def test_a_webhook_may_be_nested_fifty_deep():
    assert clean_json(b"[" * 50 + b"]" * 50) == nested(50)
    for depth in (51, 880, 964, 100_000):
        with pytest.raises(ValueError, match="nested"):
            clean_json(b"[" * depth + b"]" * depth)
    brackets = json.dumps({"a": "[" * 100}).encode()
    assert clean_json(brackets) == {"a": "[" * 100}


def test_text_that_spells_nul_is_kept():
    body = rb'{"a": "C:\\u0000", "b": "x\u0000y"}'
    assert clean_json(body) == {"a": r"C:\u0000", "b": "xy"}


@pytest.mark.parametrize("depth", [51, 880, 964, 1200, 50_000])
def test_deeply_nested_row_affects_no_other_row(depth):
    deep = "[" * depth + "]" * depth
    answer = decoded_answer(f'{{"data": [{{"id": 1, "x": {deep}}}, {{"id": 2}}]}}'.encode())
    assert [row["id"] for row in answer["data"]] == [1, 2]


def test_huge_numbers_and_invalid_bytes_affect_only_their_own_record():
    body = b'{"data": [{"id": 1, "x": ' + b"9" * 9000 + b', "n": "\xff\xfe"}, {"id": 2}]}'
    answer = decoded_answer(body)
    assert [row["id"] for row in answer["data"]] == [1, 2]
    assert answer["data"][0]["x"] is None


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 100_000, b"<html>"])
def test_invalid_json_is_refused(body):
    with pytest.raises(ValueError, match=r"."):
        decoded_answer(body)


def test_a_time_that_no_screen_can_show_counts_as_missing():
    assert to_utc("0001-01-01T00:00:00+14:00") is None
    assert to_utc("9999-12-31T23:59:59-14:00") is None
    assert to_utc("2026-01-01 00:30:00+02:00") == datetime(2025, 12, 31, 22, 30)
