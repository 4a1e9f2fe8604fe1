"""The life cycle of orders: create, edit, move, merge, copy, delete, pay."""

from __future__ import annotations

import pytest

from sandbox.control import ControlError


def test_client_creates_an_order(api, control, offer):
    number = offer(sku="A-1", properties=[{"name": "Колір", "value": "біла"}])
    order = api.post(
        "/order",
        {
            "source_id": 4,
            "source_uuid": "115",
            "buyer": {"full_name": "Олена", "phone": "+380671112233"},
            "discount_percent": 10,
            "ordered_at": "2026-05-01 10:00:00",
            "shipping": {"shipping_service": "Нова Пошта", "shipping_address_city": "Київ"},
            "products": [
                {"sku": "A-1", "price": 200, "quantity": 2},
                {"name": "Разовий", "price": "0.1", "quantity": 3, "properties": [{"name": "x"}]},
            ],
            "payments": [{"payment_method": "Картка", "amount": 60.27}],
        },
    )
    assert order["grand_total"] == 360.27 and order["payment_status"] == "part_paid"
    assert order["ordered_at"] == "2026-05-01T10:00:00.000000Z"
    full = control.order(order["id"])
    assert [line["offer_id"] for line in full["lines"]] == [number, None]
    assert full["lines"][0]["properties"] == [{"name": "Колір", "value": "біла"}]
    assert full["lines"][1]["properties"] == []
    assert full["shipping"]["delivery_service_id"] == 1
    assert full["payments"][0]["currency"] == full["currency"] == "USD"
    again = api.post("/order", {"source_id": 1, "buyer": {"phone": "380671112233"}})
    assert again["client_id"] == order["client_id"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "source_id"),
        ({"source_id": 1}, "buyer"),
        ({"source_id": 99, "buyer": {}}, "source_id"),
        ({"source_id": "x", "buyer": {}}, "source_id"),
        ({"source_id": 1, "buyer": {}, "products": [{"price": "dear"}]}, "products.0.price"),
        ({"source_id": 1, "buyer": {}, "products": ["x"]}, "products.0"),
        (
            {"source_id": 1, "buyer": {}, "payments": [{"amount": 1}]},
            "payments.0.payment_method_id",
        ),
        ({"source_id": 1, "buyer": {}, "ordered_at": "soon"}, "ordered_at"),
        ({"source_id": 1, "buyer": {}, "is_gift": "yes"}, "is_gift"),
    ],
)
def test_bad_order_bodies_name_the_field(api, body, field):
    answer = api.post("/order", body, status=422)
    assert field in answer["errors"] and answer["message"]
    assert api.get("/order")["total"] == 0
    assert api.get("/buyer")["total"] == 0


def test_bodies_that_are_no_json_object(api):
    for body in ("{", "[1]", "null", "\ud83d".encode("utf-8", "surrogatepass")):
        assert api.call("POST", "/order", data=body).status_code == 422


def test_client_updates_an_order_but_adds_no_line(api, control, offer):
    offer(sku="A-1")
    order = control.create_order(
        lines=[{"sku": "A-1", "name": "Своя назва"}, {"name": "Разовий", "sku": "ONE"}]
    )
    first, second = (line["id"] for line in order["lines"])
    body = {
        "status_id": 4,
        "manager_comment": "до вихідних",
        "discount_amount": 5,
        "products": [
            {"id": first, "quantity": 3, "name": "не зміниться"},
            {"sku": "ONE", "price": 7, "name": "Новий разовий"},
            {"sku": "UNKNOWN", "price": 1},
        ],
        "shipping": {"tracking_code": "20450000"},
    }
    answer = api.put("/order/1", body)
    assert answer["status_id"] == 4 and answer["grand_total"] == 302
    lines = control.order(1)["lines"]
    assert [(line["id"], line["name"]) for line in lines] == [
        (first, "Своя назва"),
        (second, "Новий разовий"),
    ]
    again = api.put("/order/1", {"shipping": {"tracking_code": "1"}}, status=422)
    assert "shipping.tracking_code" in again["errors"]
    assert "status_id" in api.put("/order/1", {"status_id": 999}, status=422)["errors"]
    api.put("/order/9", {}, status=404)


@pytest.mark.parametrize("shape", ["object", "list", "missing"])
def test_errors_have_their_recorded_shape(api, control, shape):
    control.set_switches(errors_shape=shape)
    answer = api.post("/order", {}, status=422)
    assert answer["message"] == "The source_id field is required. (and 1 more error)"
    kind = {"object": dict, "list": list, "missing": type(None)}[shape]
    assert isinstance(answer.get("errors"), kind)
    control.set_switches(errors_message="general")
    answer = api.post("/order", {}, status=422)
    assert answer["message"] == "The given data was invalid."
    assert isinstance(answer.get("errors"), kind)


def test_status_change_may_update_updated_at(api, control):
    old = "2026-05-01T10:00:00.000000Z"
    for value, number in (("bumped", 1), ("not", 2)):
        control.set_switches(updated_at_on_status=value)
        control.create_order(created_at="2026-05-01 10:00:00", updated_at="2026-05-01 10:00:00")
        control.set_status(number, 4)
        order = api.get(f"/order/{number}")
        assert (order["updated_at"] == old) == (value == "not")
        assert order["status_changed_at"] != old
        control.patch_order(number, manager_comment="x")
        assert api.get(f"/order/{number}")["updated_at"] != old


def test_status_changes_of_page_and_api_follow_the_same_rule(api, control):
    control.set_switches(updated_at_on_status="not")
    control.create_order(created_at="2026-05-01", updated_at="2026-05-01 10:00:00")
    api.put("/order/1", {"status_id": 4})
    assert api.get("/order/1")["updated_at"] == "2026-05-01T10:00:00.000000Z"


def test_cancelling_cancels_all_payments(api, control):
    control.create_order(lines=[{"name": "x", "price": 10}], payments=[{"amount": 4}])
    control.add_payment(1, amount=6, status="not_paid", payment_method_id=3)
    assert api.get("/order/1")["payment_status"] == "part_paid"
    control.set_status(1, 12)
    order = api.get("/order/1", include="payments")
    assert [p["status"] for p in order["payments"]] == ["canceled", "canceled"]
    assert order["payment_status"] == "not_paid"


def test_payments_are_added_and_changed_by_the_client(api, control):
    control.create_order(lines=[{"name": "x", "price": 10}])
    payment = api.post("/order/1/payment", {"payment_method_id": 2, "amount": 10})
    assert payment["status"] == "paid"
    assert api.get("/order/1")["payment_status"] == "paid"
    path = f"/order/1/payment/{payment['id']}"
    assert api.put(path, {"status": "canceled"})["status"] == "canceled"
    assert api.get("/order/1")["payment_status"] == "not_paid"
    assert "status" in api.put(path, {"status": "stolen"}, status=422)["errors"]
    api.put("/order/1/payment/99", {"status": "paid"}, status=404)
    assert "amount" in api.post("/order/1/payment", {"payment_method_id": 1}, status=422)["errors"]


def test_paid_payment_of_a_completed_order_stays(api, control):
    order = control.create_order(status_id=8, payments=[{"amount": 10}])
    path = f"/order/1/payment/{order['payments'][0]['id']}"
    assert "status" in api.put(path, {"status": "canceled"}, status=422)["errors"]


def test_bank_transaction_is_attached_to_a_payment(api, control):
    payment = control.create_order(payments=[{"amount": 10}])["payments"][0]
    bank = control.create_transaction(amount=10, uuid="abc")
    path = f"/payments/{payment['id']}/external-transactions"
    assert api.post(path, {"transaction_id": bank["id"]})["transaction_uuid"] == "abc"
    assert api.filtered("/payments/external-transactions", is_attached="true") == [bank["id"]]
    api.post(path, {"transaction_uuid": "other"}, status=404)
    api.post(path, {}, status=422)
    api.post("/payments/99/external-transactions", {"transaction_id": 1}, status=404)


def test_merge_moves_goods_and_payments_and_cancels_the_other(api, control):
    for price in (10, 20):
        control.create_order(
            status_id=4, lines=[{"name": "x", "price": price}], payments=[{"amount": price}]
        )
    control.merge_orders(1, 2)
    main = api.get("/order/1", include="products,payments")
    other = api.get("/order/2", include="products,payments,status")
    assert main["grand_total"] == main["payments_total"] == 30
    assert [p["status"] for p in main["payments"]] == ["paid", "paid"]
    assert other["products"] == other["payments"] == []
    assert other["status"]["group_id"] == 6
    with pytest.raises(ControlError, match="itself"):
        control.merge_orders(1, 1)


def test_copy_is_new_unpaid_and_linked(api, control):
    order = control.create_order(
        status_id=8,
        lines=[{"name": "x", "price": 10}],
        payments=[{"amount": 10}],
        shipping={"tracking_code": "2045", "shipping_address_city": "Львів"},
    )
    copy = control.copy_order(1)
    found = api.get(f"/order/{copy['id']}", include="products,payments,shipping")
    assert found["parent_id"] == 1 and found["status_id"] == 1 and found["payments"] == []
    assert found["products"][0]["id"] != order["lines"][0]["id"]
    assert found["shipping"]["tracking_code"] is None
    assert found["shipping"]["shipping_address_city"] == "Львів"
    control.patch_line(copy["id"], found["products"][0]["id"], price=99)
    assert api.get("/order/1")["grand_total"] == 10


def test_deleted_order_is_not_found(api, control):
    control.create_order()
    control.delete_order(1)
    api.get("/order/1", status=404)
    assert api.get("/order")["total"] == 0
    with pytest.raises(ControlError, match="404"):
        control.order(1)


@pytest.mark.parametrize("bump", [False, True])
def test_merged_buyers_change_client_id(api, control, bump):
    for number, phone in ((1, "067"), (2, "050")):
        control.create_buyer(full_name=f"Покупець {number}", phone=phone)
        control.create_order(client_id=number, updated_at="2026-05-01")
    assert control.merge_buyers(1, 2, bump=bump) == 1
    order = api.get("/order/2", include="buyer")
    assert order["client_id"] == 1 and order["buyer"]["full_name"] == "Покупець 1"
    assert order["updated_at"].startswith("2026-05-01") is not bump
    assert api.get("/buyer/1")["phone"] == ["067", "050"]
    api.get("/buyer/2", status=404)


def test_lines_are_edited(api, control, offer):
    number = offer(sku="A-1", price="50")
    control.create_order(lines=[{"name": "x", "price": 10, "quantity": 2}])
    line = control.add_line(1, offer_id=number)
    assert api.get("/order/1")["grand_total"] == 70
    control.patch_line(1, line["id"], quantity="0.5", discount_amount="10")
    assert api.get("/order/1")["grand_total"] == 40
    control.remove_line(1, line["id"])
    assert api.get("/order/1")["grand_total"] == 20
    with pytest.raises(ControlError, match="404"):
        control.remove_line(1, line["id"])


def test_every_field_of_an_order_can_be_set(api, control):
    control.create_order(id=777, created_at="2020-01-01 00:00:00", grand_total="2300", is_gift=True)
    order = api.get("/order/777")
    assert order["grand_total"] == 2300 and order["created_at"].startswith("2020-01-01T")
    assert control.create_order()["id"] == 778
    with pytest.raises(ControlError, match="already"):
        control.create_order(id=777)
    with pytest.raises(ControlError, match="no field color"):
        control.create_order(color="red")
    with pytest.raises(ControlError, match=r"no field lines\.0\.cost"):
        control.create_order(lines=[{"cost": 1}])
    with pytest.raises(ControlError, match="no status 99"):
        control.patch_order(777, status_id=99)


def test_many_orders_move_at_once(api, control):
    control.reset(orders=20)
    assert control.set_statuses(range(1, 21), 8) == 20
    assert api.filtered("/order", status_id="8") == list(range(1, 21))
    assert control.order_ids([8]) == list(range(1, 21))
    assert control.order_ids([4]) == []


def test_summary_is_what_the_api_shows(api, control):
    control.reset(seed=5, orders=60, offers=30)
    rows = []
    for page in (1, 2):
        rows += api.get("/order", limit=50, page=page, **{"filter[status_id]": "1,4,8"})["data"]
    found = control.summary([1, 4, 8])
    assert found["count"] == len(rows) > 0
    assert float(found["grand_total"]) == pytest.approx(sum(r["grand_total"] for r in rows))
    assert control.summary()["count"] == 60


def test_clock_can_be_wrong(api, control):
    control.set_clock(3600)
    control.create_order()
    ahead = api.get("/order/1")["created_at"]
    control.set_clock(-3600)
    control.create_order()
    assert api.get("/order/2")["created_at"] < ahead


def test_saved_order_keeps_its_line_ids_or_gets_new_ones(api, control):
    number = control.create_order(lines=[{"name": "А", "price": 1}, {"name": "Б", "price": 2}])[
        "id"
    ]

    def ids():
        return [row["id"] for row in api.get(f"/order/{number}", include="products")["products"]]

    first = ids()
    control.patch_order(number, manager_comment="Терміново")
    assert ids() == first
    control.set_switches(line_ids="new")
    control.set_status(number, 4)
    assert ids() == first, "a mere status change saves no lines"
    for save in (
        lambda: control.patch_order(number, manager_comment="Подзвонити"),
        lambda: control.patch_line(number, ids()[0], quantity=2),
        lambda: control.add_line(number, name="В", price=3),
        lambda: control.remove_line(number, ids()[-1]),
        lambda: api.put(f"/order/{number}", {"products": [{"id": ids()[0], "quantity": 3}]}),
    ):
        before = ids()
        save()
        assert not set(before) & set(ids())


def test_an_inactive_status_is_listed_or_not_and_always_on_its_orders(api, control):
    status = control.put_status(name="Старий", group_id=3, is_active=False)["id"]
    number = control.create_order(status_id=status)["id"]
    for switch, listed in (("active", False), ("all", True)):
        control.set_switches(status_list=switch)
        rows = api.get("/order/status", limit=50)["data"]
        assert (status in [row["id"] for row in rows]) is listed
        order = api.get(f"/order/{number}", include="status")
        assert (order["status_group_id"], order["status"]["name"]) == (3, "Старий")


@pytest.mark.parametrize(("switch", "is_bumped"), [("bumped", True), ("not", False)])
def test_delivery_service_reports_a_parcel_without_a_webhook(api, control, switch, is_bumped):
    control.set_switches(updated_at_on_parcel=switch)
    control.add_webhook("http://127.0.0.1:9/")
    old = "2026-01-01T10:00:00.000000Z"
    number = control.create_order(shipping={"tracking_code": "1"}, webhook=False, updated_at=old)[
        "id"
    ]
    control.set_parcel(number, shipping_status="refused")
    order = api.get(f"/order/{number}", include="shipping")
    assert order["shipping"]["shipping_status"] == "refused"
    assert order["shipping"]["tracking_code"] == "1"
    assert (order["updated_at"] != old) is is_bumped
    control.wait_quiet()
    assert control.deliveries() == []


def test_list_of_orders_contains_shipping_or_does_not(api, control):
    control.create_order(shipping={"tracking_code": "1"})
    for switch, is_listed in (("included", True), ("missing", False)):
        control.set_switches(list_shipping=switch)
        (row,) = api.get("/order", include="shipping")["data"]
        assert ("shipping" in row) is is_listed
        assert "shipping" in api.get("/order", include="shipping,payments")["data"][0]
        assert "shipping" in api.get("/order/1", include="shipping")


def test_client_removes_a_payment_where_keycrm_lets_it(api, control):
    payment = control.create_order(lines=[{"name": "А", "price": 100}], payments=[{"amount": 100}])[
        "payments"
    ][0]
    path = f"/order/1/payment/{payment['id']}"
    assert api.call("DELETE", path).status_code == 405
    control.set_switches(payment_delete="yes")
    assert api.call("DELETE", path).status_code == 202
    order = api.get("/order/1", include="payments")
    assert (order["payments"], order["payment_status"]) == ([], "not_paid")
    assert api.call("DELETE", path).status_code == 404


def test_new_order_matches_its_update_at_once_or_after_an_edit(api, control):
    control.set_switches(new_in_updated="edit")
    control.create_order()
    everything = "2020-01-01,2100-01-01"
    assert api.filtered("/order", updated_between=everything) == []
    assert api.filtered("/order", created_between=everything) == [1]
    control.patch_order(1, manager_comment="Терміново")
    assert api.filtered("/order", updated_between=everything) == [1]
    control.create_order()
    control.set_switches(new_in_updated="yes")
    assert api.filtered("/order", updated_between=everything) == [1, 2]


def test_removed_payment_is_in_no_answer(api, control):
    number = control.create_order(
        lines=[{"name": "А", "price": 100}], payments=[{"amount": 100, "status": "paid"}]
    )["id"]
    payment = api.get(f"/order/{number}", include="payments")["payments"][0]["id"]
    control.remove_payment(number, payment)
    order = api.get(f"/order/{number}", include="payments")
    assert (order["payments"], order["payments_total"]) == ([], 0)
    assert order["payment_status"] == "not_paid"
