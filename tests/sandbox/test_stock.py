"""Stock: client writes, reservations and write-offs of orders, switches."""

from __future__ import annotations

import pytest

RESERVES, WRITES_OFF, NEITHER, CANCELLED = 4, 6, 2, 12


@pytest.fixture
def both(control):
    control.set_switches(status_reserve="on", status_write_off="on")
    return control


def levels(control, offer_id: int, warehouse_id: int = 1) -> tuple[float, float]:
    row = control.stock(offer_id)["warehouses"][str(warehouse_id)]
    return row["quantity"], row["reserve"]


def test_put_sets_absolute_quantities_by_id_and_sku(api, control, offer):
    one, two = offer(), offer(sku="A-2")
    answer = api.put_stock({"id": one, "quantity": 7}, {"sku": "A-2", "quantity": "3"})
    assert answer == {"status": True}
    api.put_stock({"id": one, "quantity": 5}, warehouse_id=2)
    row = api.get("/offers/stocks", **{"filter[offers_id]": one, "filter[details]": "true"})
    assert row["data"][0]["quantity"] == 12
    assert [(w["id"], w["quantity"]) for w in row["data"][0]["warehouse"]] == [(1, 7), (2, 5)]
    assert control.stock(two)["quantity"] == 3


def test_details_show_only_warehouses_with_a_row(api, control, offer):
    offer(stock={2: 4})
    plain = api.get("/offers/stocks")["data"][0]
    assert "warehouse" not in plain
    detailed = api.get("/offers/stocks", **{"filter[details]": "true"})["data"][0]
    assert [w["id"] for w in detailed["warehouse"]] == [2]
    control.put_warehouse(id=9, name="Далекий")
    assert len(control.warehouses()) == 3
    api.get("/warehouses", status=404)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "warehouse_id"),
        ({"warehouse_id": 1}, "stocks"),
        ({"warehouse_id": 77, "stocks": []}, "warehouse_id"),
        ({"warehouse_id": 1, "stocks": [{"id": 1}]}, "stocks.0.quantity"),
        ({"warehouse_id": 1, "stocks": [{"quantity": 1}]}, "stocks.0.id"),
        ({"warehouse_id": 1, "stocks": [{"id": 1, "quantity": "many"}]}, "stocks.0.quantity"),
        ({"warehouse_id": 1, "stocks": [5]}, "stocks.0"),
        ({"warehouse_id": 1, "stocks": [{"id": 1, "quantity": 1}] * 10001}, "stocks"),
    ],
)
def test_bad_stock_bodies_change_nothing(api, control, offer, body, field):
    number = offer()
    assert field in api.put("/offers/stocks", body, status=422)["errors"]
    assert control.stock(number)["quantity"] == 10


def test_ten_thousand_rows_in_one_request(api, control, offer):
    number = offer()
    api.put_stock(*[{"id": number, "quantity": n} for n in range(10_000)])
    assert control.stock(number)["quantity"] == 9_999


def test_unknown_row_is_skipped_or_refuses_all(api, control, offer):
    number = offer()
    rows = ({"id": number, "quantity": 1}, {"id": 99, "quantity": 1}, {"sku": "?", "quantity": 1})
    api.put_stock(*rows)
    assert control.stock(number)["quantity"] == 1
    control.set_stock(number, 1, 10)
    control.set_switches(stock_put_unknown="refuse")
    errors = api.put_stock(*rows, status=422)["errors"]
    assert set(errors) == {"stocks.1.id", "stocks.2.sku"}
    assert control.stock(number)["quantity"] == 10


def test_put_takes_effect_now_or_late(api, control, offer):
    number = offer()
    control.set_switches(stock_put_apply="late", stock_put_delay=0.3)
    api.put_stock({"id": number, "quantity": 3})
    api.put_stock({"id": number, "quantity": 4})
    assert control.stock(number)["quantity"] == 10
    control.wait_quiet()
    assert control.stock(number)["quantity"] == 4


def test_reset_drops_late_writes(api, control, offer):
    offer()
    control.set_switches(stock_put_apply="late", stock_put_delay=3600)
    api.put_stock({"id": 1, "quantity": 3})
    control.reset()
    control.wait_quiet(1)


@pytest.mark.parametrize(
    ("switch", "given", "kept"),
    [
        ({"fractional": "keep"}, "2.75", 2.75),
        ({"fractional": "floor"}, "2.75", 2),
        ({"fractional": "refuse"}, "2.75", None),
        ({"fractional": "refuse"}, "2.0", 2),
        ({"negative": "keep"}, -3, -3),
        ({"negative": "zero"}, -3, 0),
        ({"negative": "refuse"}, -3, None),
        ({"fractional": "floor", "negative": "keep"}, "-0.5", -1),
    ],
)
def test_fractional_and_negative_quantities(api, control, offer, switch, given, kept):
    one, two = offer(), offer()
    control.set_switches(**switch)
    rows = ({"id": one, "quantity": given}, {"id": two, "quantity": 5})
    answer = api.put_stock(*rows, status=422 if kept is None else 202)
    assert control.stock(one)["quantity"] == (10 if kept is None else kept)
    assert control.stock(two)["quantity"] == (10 if kept is None else 5)
    assert kept is not None or "stocks.0.quantity" in answer["errors"]


def test_without_the_switches_orders_do_not_change_stock(control, offer):
    number = offer()
    control.create_order(lines=[{"offer_id": number}], status_id=RESERVES)
    control.set_status(1, WRITES_OFF)
    assert levels(control, number) == (10, 0)
    assert control.order(1)["answer"]["products"][0]["stock_status"] is None


@pytest.mark.parametrize(
    ("reserve", "write_off", "reserved", "written"),
    [
        ("on", "on", (10, 3), (7, 0)),
        ("on", "off", (10, 3), (10, 3)),
        ("off", "on", (10, 0), (7, 0)),
        ("off", "off", (10, 0), (10, 0)),
    ],
)
def test_orders_reserve_and_write_off_stock(control, offer, reserve, write_off, reserved, written):
    number = offer()
    control.set_switches(status_reserve=reserve, status_write_off=write_off)
    control.create_order(lines=[{"offer_id": number, "quantity": 3}])
    assert levels(control, number) == (10, 0)
    control.set_status(1, RESERVES)
    assert levels(control, number) == reserved
    control.set_status(1, WRITES_OFF)
    assert levels(control, number) == written
    control.set_status(1, CANCELLED)
    assert levels(control, number) == (10, 0)


def test_stock_status_of_lines(api, both, offer):
    number = offer()
    both.create_order(lines=[{"offer_id": number}, {"name": "разовий"}], status_id=RESERVES)

    def shown():
        lines = api.get("/order/1", include="products")["products"]
        return [line["stock_status"] for line in lines]

    assert shown() == ["reserved", None]
    assert api.get("/order/1")["has_reserves"] is False
    both.set_status(1, WRITES_OFF)
    assert shown() == ["fulfilled", None]
    both.set_status(1, CANCELLED)
    assert shown() == [None, None]
    both.set_switches(returned_line_status="reverted")
    assert shown() == ["reverted", None]


NEW, READY, COMPLETED = 1, 5, 8


def test_reserve_holds_from_one_status_up_to_the_write_off(both, offer):
    number = offer()
    both.set_switches(reserve_from=NEW, write_off_from=COMPLETED)
    both.create_order(lines=[{"offer_id": number}], status_id=NEW)
    for status in (NEW, NEITHER, RESERVES, READY, WRITES_OFF):
        both.set_status(1, status)
        assert levels(both, number) == (10, 1), status
    both.set_status(1, COMPLETED)
    assert levels(both, number) == (9, 0)
    both.set_switches(status_write_off="off")
    both.create_order(lines=[{"offer_id": number}], status_id=COMPLETED)
    assert levels(both, number) == (9, 1), "without a write-off the reserve has no end"


@pytest.mark.parametrize(
    ("value", "reserving", "before"), [("keep", (8, 0), (8, 0)), ("follow", (10, 2), (10, 0))]
)
def test_status_before_the_write_off_reverts_it_or_not(both, offer, value, reserving, before):
    number = offer()
    both.set_switches(status_back=value)
    both.create_order(lines=[{"offer_id": number, "quantity": 2}], status_id=WRITES_OFF)
    both.set_status(1, RESERVES)
    assert levels(both, number) == reserving
    both.set_status(1, NEITHER)
    assert levels(both, number) == before


def test_missing_goods_are_reserved_or_not(both, offer):
    number = offer()
    both.create_order(lines=[{"offer_id": number, "quantity": 12}], status_id=RESERVES)
    assert levels(both, number) == (10, 12)
    both.set_status(1, NEW)
    both.set_switches(negative_stock="off")
    both.set_status(1, RESERVES)
    assert levels(both, number) == (10, 0)
    both.create_order(lines=[{"offer_id": number, "quantity": 7}], status_id=RESERVES)
    assert levels(both, number) == (10, 7)
    both.set_status(2, WRITES_OFF)
    assert levels(both, number) == (3, 0), "what an order holds itself is there for it"


def test_without_warehouses_no_answer_contains_one(api, both, offer):
    number = offer(stock={1: 4, 2: 6})
    both.set_switches(warehouses="off")
    both.create_order(lines=[{"offer_id": number, "quantity": 2}], status_id=RESERVES)
    order = api.get("/order/1", include="products")
    assert (order["warehouse"], order["products"][0]["warehouse"]) == (None, None)
    api.put("/offers/stocks", {"stocks": [{"id": number, "quantity": 9}]})
    api.put_stock({"id": number, "quantity": 8}, warehouse_id=77)
    row = api.get("/offers/stocks", **{"filter[details]": "true"})["data"][0]
    assert (row["quantity"], row["reserve"], row["warehouse"]) == (8, 2, [])


def test_edited_lines_move_stock(both, offer):
    number, other = offer(), offer()
    order = both.create_order(lines=[{"offer_id": number, "quantity": 2}], status_id=WRITES_OFF)
    line = order["lines"][0]["id"]
    both.patch_line(1, line, quantity=5)
    assert levels(both, number) == (5, 0)
    both.patch_line(1, line, quantity="1.5")
    assert levels(both, number) == (8.5, 0)
    both.patch_line(1, line, warehouse_id=2)
    assert levels(both, number) == (10, 0) and levels(both, number, 2) == (-1.5, 0)
    both.patch_line(1, line, offer_id=other, warehouse_id=1)
    assert levels(both, number, 2) == (0, 0) and levels(both, other) == (8.5, 0)
    added = both.add_line(1, offer_id=number, quantity=4)
    assert levels(both, number) == (6, 0)
    both.remove_line(1, added["id"])
    assert levels(both, number) == (10, 0)
    both.patch_line(1, line, shipment_type="manufacturing")
    assert levels(both, other) == (10, 0)


def test_reserve_is_right_after_deleting_and_merging(both, offer):
    number = offer()
    for _ in range(2):
        both.create_order(lines=[{"offer_id": number, "quantity": 2}], status_id=RESERVES)
    assert levels(both, number) == (10, 4)
    both.merge_orders(1, 2)
    assert levels(both, number) == (10, 4)
    both.delete_order(1)
    assert levels(both, number) == (10, 0)


def test_copied_order_reserves_nothing(both, offer):
    number = offer()
    both.create_order(lines=[{"offer_id": number, "quantity": 2}], status_id=WRITES_OFF)
    both.copy_order(1)
    assert levels(both, number) == (8, 0)


def test_client_moves_a_status_and_stock_follows(api, both, offer):
    number = offer()
    both.create_order(lines=[{"offer_id": number}])
    api.put("/order/1", {"status_id": WRITES_OFF})
    assert levels(both, number) == (9, 0)


def test_put_does_not_change_the_reserve(api, both, offer):
    number = offer()
    both.create_order(lines=[{"offer_id": number, "quantity": 3}], status_id=RESERVES)
    api.put_stock({"id": number, "quantity": 20})
    assert levels(both, number) == (20, 3)
    row = api.get("/offers/stocks")["data"][0]
    assert (row["quantity"], row["reserve"]) == (20, 3)
    assert api.get("/offers")["data"][0]["in_reserve"] == 3


def test_stock_can_be_negative_and_edited_manually(both, offer):
    number = offer()
    both.create_order(lines=[{"offer_id": number, "quantity": 30}], status_id=WRITES_OFF)
    assert levels(both, number) == (-20, 0)
    both.set_stock(number, 1, "4.5", reserve=-1)
    assert levels(both, number) == (4.5, -1)


def test_first_of_two_offers_with_one_sku_is_written(api, control, offer):
    one, two = offer(sku="SAME"), offer(sku="SAME")
    api.put_stock({"sku": "SAME", "quantity": 1})
    assert (control.stock(one)["quantity"], control.stock(two)["quantity"]) == (1, 10)


def test_deleted_offer_is_unknown(api, control, offer):
    number = offer(sku="A")
    control.create_order(lines=[{"offer_id": number}])
    control.delete_offer(number)
    assert api.get("/offers/stocks")["total"] == 0
    line = api.get("/order/1", include="products.offer")["products"][0]
    assert (line["sku"], line["offer"]) == ("A", None)
