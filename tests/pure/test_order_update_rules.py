"""What an update of an order sends: nothing twice, and nothing over what a person set."""

from datetime import date
from decimal import Decimal

import pytest
from keycrm.line_matching import KnownLine
from keycrm.order_update_rules import (
    COMMENT,
    CUSTOM_FIELD,
    CostUpdate,
    Decision,
    Parcel,
    PaymentUpdate,
    StatusUpdate,
    TrackingUpdate,
    with_codes,
)

ONE, TWO = Parcel("20450001", 1), Parcel("20450002", 1)


def order(code=None, comment=None, **fields):
    shipping = {"tracking_code": code, "delivery_service_id": code and 1}
    return {"shipping": shipping, "manager_comment": comment, **fields}


@pytest.mark.parametrize(
    ("current", "decision"),
    [
        (3, Decision({"status_id": 7})),
        (7, Decision()),
        (5, Decision(ignored=True)),
        ("3", Decision({"status_id": 7})),
        (None, Decision(ignored=True)),
    ],
)
def test_status_is_sent_only_if_keycrms_is_unchanged(current, decision):
    assert StatusUpdate(3, 7).decide({"status_id": current}) == decision


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("20450001", ["20450001"]),
        (" 2045 0001 ", ["20450001"]),
        ("20450001, 20450002", ["20450001", "20450002"]),
        ("A1+B2;C3\nD4,,", ["A1", "B2", "C3", "D4"]),
        ("A1,A1", ["A1"]),
        ("RB1ua, rb1UA", ["RB1ua"]),
        ("  ", []),
        (None, []),
    ],
)
def test_field_holds_one_number_or_several(text, codes):
    assert [parcel.code for parcel in Parcel.parse_list(text)] == codes


def test_number_is_sent_with_the_matched_service():
    decision = TrackingUpdate((ONE,)).decide(order())
    assert decision.body == {
        "shipping": {"tracking_code": "20450001", "delivery_service_id": 1},
    }
    assert decision.values == {"tracking_code": "20450001", "delivery_service_id": 1}
    unmatched = TrackingUpdate((Parcel("20450001"),)).decide({"shipping": []})
    assert unmatched.body == {"shipping": {"tracking_code": "20450001"}}


def test_number_that_keycrm_has_is_not_sent_again():
    for theirs in ("20450001", "2045 0001", " 20450001 "):
        assert TrackingUpdate((ONE,)).decide(order(theirs)).body == {}
    assert TrackingUpdate((Parcel("RR1ua"),)).decide(order("rr1UA")).code == ""


def test_other_number_in_keycrm_is_a_conflict_and_nothing_is_sent():
    update = TrackingUpdate((ONE, TWO), COMMENT, label="TTN:")
    decision = update.decide(order("59000"))
    assert (decision.code, decision.body) == ("tracking_differs", {})
    assert decision.params == {"theirs": "59000", "ours": "20450001"}


def test_second_parcel_in_keycrm_is_no_conflict():
    decision = TrackingUpdate((ONE, TWO)).decide(order("20450002"))
    assert (decision.code, decision.body) == ("", {})


def test_further_parcels_go_to_the_comment_once():
    update = TrackingUpdate((ONE, TWO), COMMENT, label="Further parcels:")
    first = update.decide(order(comment="Call before"))
    assert first.body["manager_comment"] == "Call before\nFurther parcels: 20450002"
    again = update.decide(order("20450001", first.body["manager_comment"]))
    assert again.body == {}


def test_further_parcels_go_to_the_custom_field_once():
    update = TrackingUpdate((ONE, TWO), CUSTOM_FIELD, "OR_1")
    assert update.includes.endswith("custom_fields")
    first = update.decide(order("20450001", custom_fields=[]))
    assert first.body == {"custom_fields": [{"uuid": "OR_1", "value": "20450002"}]}
    held = order("20450001", custom_fields=[{"uuid": "OR_1", "value": "20450002"}])
    assert update.decide(held).body == {}


def test_service_that_was_matched_later_follows_its_number():
    held = {"tracking_code": "20450001"}
    body = {"shipping": {"delivery_service_id": 1}}
    update = TrackingUpdate((ONE,))
    assert update.decide({"shipping": held}).body == body
    assert update.decide({"shipping": {**held, "delivery_service_id": 2}}).body == {}
    assert update.decide({"shipping": {**held, "delivery_service": {"id": 2}}}).body == {}
    assert TrackingUpdate((Parcel("20450001"),)).decide({"shipping": held}).body == {}


def test_removed_number_sends_nothing():
    assert TrackingUpdate(()).decide(order("20450001")) == Decision(ignored=True)


def test_only_lines_whose_cost_differs_are_sent():
    costs = {1: Decimal("4.00"), 2: Decimal("3.00"), 3: Decimal("0.00")}
    update = CostUpdate(costs, tuple(KnownLine(key, key) for key in costs))
    lines = [
        {"id": 1, "purchased_price": "3.00"},
        {"id": 2, "purchased_price": 3},
        {"id": 3, "purchased_price": 1},
        {"id": 4, "purchased_price": 1},
    ]
    assert update.decide({"products": lines}).body == {
        "products": [{"id": 1, "purchased_price": 4.0}]
    }
    assert update.decide({"products": None}).body == {}


def test_cost_that_the_import_rounded_is_not_sent_back():
    costs = {1: Decimal("0.42"), 2: Decimal("0.83")}
    known = tuple(KnownLine(key, key) for key in costs)
    update = CostUpdate(costs, known, dict.fromkeys(costs, 0.415))
    lines = [{"id": 1, "purchased_price": "0.30"}, {"id": 2, "purchased_price": "0.30"}]
    assert update.decide({"products": lines}).body["products"] == [
        {"id": 2, "purchased_price": 0.83}
    ]


def test_costs_reach_lines_whose_ids_are_new():
    known = (KnownLine(10, 1, sku="A", name="Cup"), KnownLine(11, 2, sku="B", name="Plate"))
    update = CostUpdate({10: Decimal("4.00"), 11: Decimal("5.00")}, known)
    lines = [{"id": 8, "sku": "B", "name": "Plate"}, {"id": 9, "sku": "A", "name": "Cup"}]
    assert update.decide({"products": lines}).body["products"] == [
        {"id": 8, "purchased_price": 5.0},
        {"id": 9, "purchased_price": 4.0},
    ]
    assert update.decide({"products": lines[:1]}).body["products"][0]["id"] == 8


def test_comment_of_a_line_is_sent_back_with_its_cost():
    update = CostUpdate({1: Decimal("4.00")}, (KnownLine(1, 1),))
    assert update.decide({"products": [{"id": 1, "comment": "Gift"}]}).body["products"] == [
        {"id": 1, "purchased_price": 4.0, "comment": "Gift"}
    ]


def test_codes_are_appended_to_what_users_wrote():
    assert with_codes("", ["A", "B"]) == "A, B"
    assert with_codes("note A", ["A", "B"]) == "note A, B"
    assert with_codes("AB", ["A"], "No.:") == "AB\nNo.: A"
    for text in ("(A2)", "parcel A2.", "“a2”", "A1/A2", "A2!"):
        assert with_codes(text, ["A2"]) == text
    assert with_codes("A2-1", ["A2"]) == "A2-1, A2"


def paid(**values):
    return PaymentUpdate(Decimal("200.00"), date(2026, 12, 1), 3, "Bank", 7, "PAY/1", **values)


def test_payment_is_created_with_the_number_of_the_update():
    decision = paid().decide({"payments": [], "payments_total": 0, "grand_total": 200})
    assert (decision.path, decision.creates) == ("/payment", True)
    assert decision.body == {
        "payment_method_id": 3,
        "amount": 200.0,
        "status": "paid",
        "description": "PAY/1 [Odoo 7]",
        "payment_date": "2026-12-01 12:00:00",
    }
    again = {"payments": [{"amount": 200, "status": "paid", "description": "PAY/1 [Odoo 7]"}]}
    assert paid().decide(again) == Decision()


@pytest.mark.parametrize(
    ("order", "code"),
    [
        (
            {"payments": [{"amount": "200.00", "status": "paid", "payment_date": "2026-12-01"}]},
            "payment_exists",
        ),
        (
            {
                "payments": [
                    {"amount": 200, "status": "paid", "payment_date": "2026-12-02 01:00:00"}
                ]
            },
            "payment_exists",
        ),
        ({"payments": [], "payments_total": "50.00", "grand_total": 200}, "payment_exceeds"),
        ({"payments": [], "status_group_id": 6}, "payment_of_canceled"),
        ({"payments": [{"amount": 200, "status": "paid", "is_expense": True}]}, ""),
        ({"payments": [{"amount": 200, "status": "canceled", "payment_date": "2026-12-01"}]}, ""),
    ],
)
def test_payment_that_keycrm_may_have_waits_for_a_user(order, code):
    assert paid().decide(order).code == code
    assert paid(is_forced=True).decide(order).creates


def test_expected_payment_is_marked_as_paid():
    row = {"id": 5, "amount": 200, "status": "not_paid"}
    decision = paid().decide({"payments": [row], "payments_total": 0, "grand_total": 200})
    assert (decision.path, decision.creates) == ("/payment/5", False)
    assert decision.body == {"status": "paid", "description": "PAY/1 [Odoo 7]"}


def test_first_of_equal_expected_payments_is_marked_as_paid():
    row = {"amount": 200, "status": "not_paid", "payment_method_id": 3}
    rows = [
        {**row, "id": 5, "payment_date": "2026-12-01 09:00:00", "payment_method_id": 4},
        {**row, "id": 8, "payment_date": "2026-12-09 09:00:00"},
        {**row, "id": 7, "payment_date": "2026-12-02 09:00:00"},
        {**row, "id": 6, "payment_date": "2026-12-02 09:00:00"},
        {**row, "id": None},
    ]
    order = {"payments": rows, "grand_total": 1000}
    decision = paid().decide(order)
    assert (decision.path, decision.creates) == ("/payment/6", False)
    # The answer was lost: the same money marks no other one.
    assert paid().decide(order) == decision
    rows[3].update(decision.body)
    assert paid().decide(order) == Decision()


def test_money_in_a_row_with_two_numbers_of_odoo_is_recognized():
    row = {"id": 5, "amount": 200, "status": "not_paid", "description": "[Odoo 3]"}
    order = {"payments": [row, {**row, "id": 6, "description": ""}]}
    row.update(paid().decide(order).body)
    assert paid().decide(order) == Decision()


def test_text_of_an_expected_payment_is_kept():
    row = {"id": 5, "amount": 200, "status": "not_paid", "description": "Parcel 2045, agreed"}
    decision = paid().decide({"payments": [row]})
    assert decision.body["description"] == "Parcel 2045, agreed, PAY/1 [Odoo 7]"
    sent = {**row, "status": "paid", "description": decision.body["description"]}
    assert paid().decide({"payments": [sent]}) == Decision()


#: 200 hryvnias that were paid as five dollars, in each shape that KeyCRM may answer.
DOLLARS = [
    {"amount": 5, "source_currency": "USD", "actual_amount": 200, "actual_currency": "UAH"},
    {"amount": 5, "source_currency": "USD", "actual_amount": "200.00", "actual_currency": None},
    {"amount": "5.00", "actual_amount": 200.001},
    {"amount": 200, "source_currency": "UAH", "actual_amount": 5, "actual_currency": "USD"},
    {"amount": 5, "source_currency": "USD", "actual_amount": None},
    {"amount": 5, "source_currency": "UAH", "actual_amount": 5, "actual_currency": "USD"},
]


@pytest.mark.parametrize("row", DOLLARS)
def test_payment_in_another_currency_waits_for_a_user(row):
    order = {"payments_total": 200, "grand_total": 2000}
    order["payments"] = [{**row, "status": "paid", "payment_date": "2026-12-01 09:00:00"}]
    assert paid(currency="UAH").decide(order).code == "payment_exists"
    order["payments"][0]["payment_date"] = "2026-11-20 09:00:00"
    assert paid(currency="UAH").decide(order).creates


@pytest.mark.parametrize(
    ("row", "path"),
    [
        (DOLLARS[0], "/payment/5"),
        (DOLLARS[1], "/payment/5"),
        (DOLLARS[3], "/payment/5"),
        ({"amount": 200, "source_currency": "USD"}, "/payment"),
        ({"amount": 200, "source_currency": "UAH", "actual_currency": "USD"}, "/payment"),
        (
            {
                "amount": 200,
                "source_currency": "USD",
                "actual_amount": 8000,
                "actual_currency": "UAH",
            },
            "/payment",
        ),
    ],
)
def test_expected_payment_is_paid_only_by_amount_in_order_currency(row, path):
    expected = {"id": 5, "status": "not_paid", **row}
    assert paid(currency="UAH").decide({"payments": [expected]}).path == path


def test_equal_instalments_of_one_day_are_both_sent():
    first = {
        "amount": 200,
        "status": "paid",
        "description": "PAY/0 [Odoo 5]",
        "payment_date": "2026-12-01 12:00:00",
    }
    order = {"payments": [first], "payments_total": 200, "grand_total": 400}
    assert paid(others=frozenset({5})).decide(order).creates
    # The reconciliation of number 5 was undone: it may be the same money.
    assert paid().decide(order).code == "payment_exists"
    order["grand_total"] = 399
    assert paid(others=frozenset({5})).decide(order).code == "payment_exceeds"


def test_journal_without_a_method_is_a_conflict():
    update = PaymentUpdate(Decimal("1.00"), date(2026, 12, 1), None, "Bank", 7)
    assert update.decide({"payments": []}).params == {"journal": "Bank"}
