"""KeyCRM's answers, in every observed shape, become the same typed objects."""

import json
from datetime import datetime
from decimal import Decimal

import pytest
from keycrm.catalog import Offer, Status, StockRow
from keycrm.errors import MalformedAnswer
from keycrm.orders import Buyer, Order, Payment, Shipping
from keycrm.parsing import clean_json, to_decimal, to_int, to_utc


def test_numbers_as_strings_are_the_same_numbers():
    assert to_decimal("0.00") == 0
    assert to_decimal("-1.000") == -1
    assert to_decimal(12.5) == Decimal("12.5")
    assert to_decimal(None) is None
    assert to_int("31") == 31


@pytest.mark.parametrize("value", ["abc", "NaN", "Infinity", {"a": 1}])
def test_text_that_is_no_number_is_malformed(value):
    with pytest.raises(MalformedAnswer):
        to_decimal(value)


def test_both_forms_of_time_are_utc():
    moment = datetime(2026, 8, 1, 11, 39, 24)
    assert to_utc("2026-08-01T11:39:24.000000Z") == moment
    assert to_utc("2026-08-01 11:39:24") == moment
    assert to_utc("2026-08-01T14:39:24+03:00") == moment
    assert to_utc("yesterday") is None


def test_a_one_off_line_has_no_offer_whether_null_missing_or_empty():
    for line in ({"id": 1, "offer": None}, {"id": 1}, {"id": 1, "offer": []}):
        assert Order.parse({"id": 7, "products": [line]}).lines[0].offer is None


#: An order of which nothing but its number is known.
EMPTY = {"id": 1, "products": [], "products_total": 0}


def test_empty_objects_as_lists_are_accepted():
    order = Order.parse(
        {
            "id": "7",
            "buyer": [],
            "shipping": [],
            "products": [],
            "products_total": "0.00",
            "payments": None,
            "tags": [],
            "manager": [],
            "unknown": {"more": 1},
        }
    )
    assert (order.buyer, order.shipping, order.lines) == (None, None, ())


LINE = {"id": 5, "name": "Кухоль", "price": 10, "quantity": 1}


@pytest.mark.parametrize("total", [10, "10.00", None, "missing"])
@pytest.mark.parametrize("products", [None, "missing", [], "", 0, False, [None], [LINE, None]])
def test_missing_lines_with_a_total_of_goods_are_malformed(products, total):
    answer = {"id": 7, "products": products, "products_total": total}
    answer = {name: value for name, value in answer.items() if value != "missing"}
    with pytest.raises(MalformedAnswer) as caught:
        Order.parse(answer)
    assert caught.value.code == "lines_missing"
    assert caught.value.params["order"] == 7


@pytest.mark.parametrize("total", [0, 10])
def test_lines_as_a_map_are_malformed_whatever_they_cost(total):
    with pytest.raises(MalformedAnswer):
        Order.parse({"id": 7, "products": {"0": LINE}, "products_total": total})


@pytest.mark.parametrize("total", [0, "0.00", 0.0])
def test_an_order_whose_goods_cost_nothing_may_have_no_lines(total):
    for products in ([], None):
        assert Order.parse({"id": 7, "products": products, "products_total": total}).lines == ()
    gift = {**LINE, "price": 0}
    assert len(Order.parse({"id": 7, "products": [gift], "products_total": total}).lines) == 1


def test_an_order_without_a_number_is_malformed():
    with pytest.raises(MalformedAnswer):
        Order.parse({"status_id": 1})
    with pytest.raises(MalformedAnswer):
        Order.parse([])


def test_a_buyers_phone_may_be_a_text_or_a_list():
    assert Buyer.parse({"id": 1, "phone": "+380671"}).phone == "+380671"
    for several in ("a@x.ua, b@x.ua", "a@x.ua;b@x.ua\na@x.ua", ["a@x.ua", "b@x.ua"]):
        buyer = Buyer.parse({"id": 1, "email": several, "note": "VIP"})
        assert (buyer.email, buyer.note) == ("a@x.ua", "VIP\nb@x.ua")
    assert Buyer.parse({"id": 1, "email": "Іван <a@x.ua>"}).email == "Іван <a@x.ua>"
    assert Buyer.parse({"id": 1, "email": "немає"}).email == "немає"
    assert Buyer.parse({"id": 1, "phone": [None, "+380672"], "email": []}).phone == "+380672"


def test_a_status_without_a_name_is_called_by_its_alias():
    status = Status.parse({"id": 3, "alias": "new", "name": None, "group_id": 1})
    assert (status.name, status.group) == ("new", 1)


def test_control_characters_are_removed_from_texts():
    assert Order.parse({**EMPTY, "buyer_comment": "a\x00b\x07c"}).buyer_comment == "abc"


def test_half_an_emoji_can_be_stored():
    comment = Order.parse({**EMPTY, "buyer_comment": "Дякую \ud83d"}).buyer_comment
    assert comment.encode("utf-8").decode().startswith("Дякую")


def test_the_parcel_office_is_read_from_either_place():
    shipping = Shipping.parse({"address_payload": {"city_desc": "Київ", "warehouse_desc": "№5"}})
    assert (shipping.city, shipping.receive_point) == ("Київ", "№5")


def test_payment_is_in_the_currency_that_was_paid():
    payment = Payment.parse(
        {
            "id": 1,
            "amount": 10,
            "source_currency": "USD",
            "actual_amount": 410,
            "actual_currency": "UAH",
        }
    )
    assert (payment.amount, payment.currency_code) == (410, "UAH")


def test_stock_rows_are_unique_by_offer_and_warehouse():
    rows = StockRow.parse_list(
        {
            "id": 5,
            "sku": "A",
            "warehouse": [
                {"id": 1, "name": "Київ", "quantity": "3.000", "reserve": 1},
                {"id": 2, "quantity": -1, "reserve": "0"},
            ],
        }
    )
    assert [(row.warehouse.id, row.quantity, row.reserve) for row in rows] == [
        (1, 3, 1),
        (2, -1, 0),
    ]
    assert StockRow.parse_list({"id": 5, "warehouse": []}) == []


def test_offer_without_a_number_is_ignored():
    assert Offer.parse({"sku": "A"}) is None


def test_json_from_outside_can_be_stored():
    cleaned = clean_json(b'{"a": "x\\u0000y", "b": "\\ud800z"}')
    json.dumps(cleaned, ensure_ascii=False).encode("utf-8")
    assert cleaned["a"] == "xy"
    for body in (b"NaN", b'{"a": Infinity}', b"1e999", b"\xff", b"{", b""):
        with pytest.raises(ValueError):
            clean_json(body)


def test_order_contains_its_own_status():
    def status(**fields):
        return Order.parse({**EMPTY, **fields}).status

    row = {"id": 5, "name": "Відмова", "alias": "refused", "group_id": "6", "is_active": False}
    assert status(status_id=5, status=row) == Status(5, "Відмова", "refused", 6, False)
    assert status(status=row).id == 5
    assert status(status_id=5, status_group_id=6) == Status(5, "", "", 6, False)
    # The row of another status does not describe this one.
    assert status(status_id=7, status=row, status_group_id=4) == Status(7, "", "", 4, False)
    for nothing in (None, [], "x", {"id": 5}):
        assert status(status_id=5, status=nothing) is None
    assert status(status_group_id=3) is None


def test_repeated_line_is_one_line():
    line = {"id": 5, "name": "Чашка", "price": 10, "quantity": 2}
    more = {**line, "quantity": 3}
    other = {"id": 6, "name": "Ложка", "price": 1, "quantity": 1}

    def quantities(rows, total):
        order = Order.parse({"id": 7, "products": rows, "products_total": total})
        return [(one.id, one.quantity) for one in order.lines]

    assert quantities([line, other, line], 21) == [(5, 2), (6, 1)]
    # KeyCRM's own sum decides, whichever is first.
    for rows in ([line, other, more], [more, line, other]):
        assert quantities(rows, "21.00") == [(5, 2), (6, 1)]
        assert quantities(rows, 31) == [(5, 3), (6, 1)]
    # It fits none of them: the last one.
    assert quantities([line, more], 50) == [(5, 3)]
    assert quantities([more, line], None) == [(5, 2)]


def test_repeated_line_with_its_offer_is_kept():
    rows = [
        {"id": 5, "price": 1, "quantity": 1, "offer": {"id": 9}},
        {"id": 5, "price": 1, "quantity": 1},
    ]
    for given in (rows, rows[::-1]):
        order = Order.parse({"id": 7, "products": given, "products_total": 1})
        assert [line.offer.id for line in order.lines] == [9]


def test_text_of_an_order_names_buyer_sum_and_first_lines():
    lines = [{"id": n, "name": f"Чашка {n}", "quantity": "2.000"} for n in range(1, 5)]
    order = Order.parse(
        {
            "id": 7,
            "grand_total": "1240.5",
            "buyer": {"id": 1, "full_name": "Олена Коваль"},
            "products": lines,
        }
    )
    assert order.text == "Олена Коваль · 1240.50 · Чашка 1 × 2, Чашка 2 × 2, Чашка 3 × 2, …"
