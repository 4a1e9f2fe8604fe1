"""The control interface: its token, the log, switches, seed data."""

from __future__ import annotations

import time
from http.client import HTTPConnection

import pytest
import requests
from freezegun import freeze_time

from sandbox.control import Control, ControlError
from sandbox.switches import SWITCHES, BadSwitch, Switches, listing
from sandbox.threaded import ThreadedSandbox


def test_every_endpoint_needs_the_token(running, control):
    for route in running.sandbox.control.routes():
        path = route.path
        for name in route.param_convertors:
            path = path.replace(f"{{{name}:int}}", "1")
        for method in route.methods:
            for headers in ({}, {"X-Control-Token": "wrong"}, {"Authorization": "Bearer key"}):
                url = f"{running.url}/control{path}"
                answer = requests.request(method, url, headers=headers, timeout=10)
                assert answer.status_code == 401, (method, path)


def test_control_reports_errors_in_a_sentence(running):
    with pytest.raises(ControlError, match="X-Control-Token is missing or wrong") as caught:
        Control(running.url, "wrong").health()
    assert caught.value.status == 401
    with pytest.raises(ControlError, match="no answer") as caught:
        Control("http://127.0.0.1:1", "token").health()
    assert caught.value.status == 0


# === SWITCHES ===


def test_each_switch_takes_each_of_its_values_and_no_other(control):
    for name, switch in SWITCHES.items():
        for value in switch.values:
            assert control.set_switches(**{name: value})[name] == value
        with pytest.raises(ControlError, match=name) as caught:
            control.set_switches(**{name: "nonsense"})
        assert caught.value.status == 400
    control.reset()
    assert control.switches()["retry_after"] == "yes"


def test_a_bad_switch_changes_nothing(control):
    with pytest.raises(ControlError, match="there is no switch 'color'"):
        control.set_switches(retry_after="no", color="red")
    assert control.switches()["retry_after"] == "yes"
    for value in (-1, True, "1e9", "nan"):
        with pytest.raises(ControlError, match="a number from"):
            control.set_switches(rate_limit=value)


def test_reset_goes_back_to_the_switches_of_the_start(control):
    control.set_switches(retry_after="no")
    control.reset(keep_switches=True)
    assert control.switches()["retry_after"] == "no"
    control.reset()
    assert control.switches()["retry_after"] == "yes"
    assert control.switches()["rate_limit"] == "0"


def test_switches_are_described(control):
    rows = control.describe_switches()
    assert {row["name"] for row in rows} == set(SWITCHES)
    assert all(row["meaning"] and (row["values"] or row["range"]) for row in rows)
    for name, switch in SWITCHES.items():
        assert name in listing() and switch.check(switch.default) == switch.default


def test_comparing_a_switch_with_a_wrong_value_fails():
    with pytest.raises(AssertionError):
        Switches().is_("retry_after", "maybe")
    with pytest.raises(BadSwitch):
        Switches({"rate_limit": "x"})


# === LOG ===


def test_requests_are_logged(api, control, offer):
    number = offer()
    start = control.requests()[-1]["number"] if control.requests() else 0
    api.get("/order", limit=5, **{"filter[status_id]": "1"})
    api.get("/order/77", status=404)
    api.put_stock({"id": number, "quantity": 3})
    api.call("PUT", "/offers/stocks", data="{broken")
    log = control.requests(since=start)
    assert [(e["method"], e["path"], e["status"]) for e in log] == [
        ("GET", "/v1/order", 200),
        ("GET", "/v1/order/77", 404),
        ("PUT", "/v1/offers/stocks", 202),
        ("PUT", "/v1/offers/stocks", 422),
    ]
    assert log[0]["query"] == {"limit": "5", "filter[status_id]": "1"}
    assert log[2]["body"] == {"warehouse_id": 1, "stocks": [{"id": number, "quantity": 3}]}
    assert log[3]["body"] == "{broken"
    times = [entry["monotonic"] for entry in log]
    assert times == sorted(times)
    assert [entry["time"] for entry in log] == sorted(entry["time"] for entry in log)
    assert all(entry["seconds"] > 0 for entry in log)
    assert len(control.requests(method="PUT", path="/offers/*")) == 2
    assert len(control.requests(path="/v1/order/*")) == 1
    assert len(control.requests(limit=1)) == 1
    assert control.request_counts() == {
        "GET /v1/order": 1,
        "GET /v1/order/{id}": 1,
        "PUT /v1/offers/stocks": 2,
    }
    control.clear_log()
    assert control.requests() == [] and control.request_counts() == {}
    api.get("/order")
    assert control.requests()[0]["number"] > log[-1]["number"]


def test_the_key_is_not_in_the_log(api, control):
    control.add_key("a-long-secret-key-0001")
    api.session.headers["Authorization"] = "Bearer a-long-secret-key-0001"
    api.get("/order")
    assert "a-long-secret" not in str(control.requests())
    assert control.requests()[0]["key"] == "0001"


def test_waiting_for_quiet_ends_with_a_timeout(control, receiver):
    control.set_switches(webhook_delivery="late", webhook_delay=3600)
    control.add_webhook(receiver.url)
    control.create_order()
    with pytest.raises(ControlError, match="not quiet"):
        control.wait_quiet(0.1)
    control.clear_webhooks()
    control.wait_quiet(5)


# === SEED ===


def everything(control):
    state = [control.order(number)["answer"] for number in control.order_ids()]
    return state, control.offers(), control.stocks()


def test_the_same_seed_gives_the_same_shop(control):
    control.reset(seed=7, orders=60, offers=40)
    first = everything(control)
    control.reset(seed=7, orders=60, offers=40)
    assert everything(control) == first
    control.reset(seed=8, orders=60, offers=40)
    assert everything(control) != first


def test_seeded_shop_has_all_that_real_ones_have(api, control):
    assert control.reset(seed=1, orders=300, offers=100) == {
        "orders": 300,
        "offers": 100,
        "products": 49,
        "buyers": 200,
        "transactions": 0,
        "warehouses": 2,
    }
    orders = [control.order(number) for number in control.order_ids()]
    lines = [line for order in orders for line in order["lines"]]
    offers = {offer["id"]: offer for offer in control.offers()}
    assert any(line["offer_id"] is None and line["sku"] is None for line in lines)
    assert any(line["offer_id"] is None and line["sku"] for line in lines)
    assert any(line["offer_id"] and line["properties"] for line in lines)
    assert any(line["offer_id"] and not line["sku"] for line in lines)
    assert any(line["discount_percent"] for line in lines)
    assert any(line["quantity"].endswith(".5") for line in lines)
    assert any(order["discount_percent"] for order in orders)
    assert any(order["discount_amount"] for order in orders)
    assert any(order["shipping"] is None for order in orders)
    assert any(order["shipping"] and order["shipping"]["tracking_code"] for order in orders)
    assert {order["answer"]["status_group_id"] for order in orders} == {1, 2, 3, 4, 5, 6}
    states = {order["totals"]["payment_status"] for order in orders}
    assert states >= {"not_paid", "part_paid", "paid"}
    assert any(offer["sku"] is None for offer in offers.values())
    shirts = [o for o in offers.values() if o["name"] == "Сорочка"]
    assert [p["value"] for p in shirts[0]["properties"]] == ["біла", "M"]
    phones = [
        row["phone"][0] for n in (1, 2, 3, 4) for row in api.get("/buyer", limit=50, page=n)["data"]
    ]
    assert len(set(phones)) < len(phones) == 200
    assert any(row["company_id"] for row in api.get("/buyer", limit=50)["data"])


def test_seeding_counts_reserves_and_keeps_quantities(control):
    control.reset(seed=2, offers=30)
    lying = {row["offer_id"]: row["quantity"] for row in control.stocks()}
    control.reset(seed=2)
    control.set_switches(status_reserve="on", status_write_off="on")
    control.seed(2, orders=100, offers=30)
    assert {row["offer_id"]: row["quantity"] for row in control.stocks()} == lying
    reserved: dict[int, float] = {}
    for number in control.order_ids():
        for line in control.order(number)["lines"]:
            if line["hold"] and line["hold"]["kind"] == "reserved":
                offer_id = line["offer_id"]
                reserved[offer_id] = reserved.get(offer_id, 0) + float(line["quantity"])
    assert reserved
    assert {r["offer_id"]: r["reserve"] for r in control.stocks() if r["reserve"]} == reserved


def test_seed_takes_its_size_and_shape(api, control):
    control.reset(
        seed=1, orders=50, offers=10, buyers=3, lines=2, status_ids=[4, 8], newest="2026-10-01"
    )
    orders = [control.order(number) for number in control.order_ids()]
    assert {len(order["lines"]) for order in orders} == {2}
    assert {order["status_id"] for order in orders} == {4, 8}
    assert control.health()["buyers"] == 3
    assert orders[-1]["created_at"].startswith("2026-10-01T00:00:00")
    with pytest.raises(ControlError, match="no field colours"):
        control._call("POST", "/seed", {"colours": 3})


def test_seed_adds_to_what_is_there(control):
    control.create_order()
    control.seed(1, orders=5)
    control.seed(1, orders=5)
    assert control.order_ids() == list(range(1, 12))


def test_large_seed_and_its_pages(api, control):
    control.reset(seed=1, orders=20_000, offers=10_000)
    page = api.get("/order", limit=50, page=400, sort="id", include="products.offer,buyer")
    assert page["total"] == 20_000 and page["data"][-1]["id"] == 20_000
    stocks = api.get("/offers/stocks", limit=50, page=200, **{"filter[details]": "true"})
    assert stocks["data"][-1]["id"] == 10_000


def test_buyers_and_products_are_patched(api, control, offer):
    number = offer(sku="A")
    control.create_order(client_id=control.create_buyer(full_name="А")["id"])
    control.patch_buyer(1, full_name="Б", phones=["067"], emails=["b@x"])
    buyer = api.get("/order/1", include="buyer")["buyer"]
    assert (buyer["full_name"], buyer["phone"], buyer["email"]) == ("Б", "067", "b@x")
    control.patch_offer(number, sku="B", price="7.77")
    assert api.filtered("/offers", sku="B") == [number]
    assert api.filtered("/offers", sku="A") == []
    control.patch_product(1, name="Нова назва")
    assert api.get("/products/1")["name"] == "Нова назва"
    company = control.create_company(name="ТОВ")
    control.patch_buyer(1, company_id=company["id"])
    assert api.get("/buyer/1", include="company")["company"]["name"] == "ТОВ"
    for call in (control.patch_buyer, control.patch_offer, control.patch_product):
        with pytest.raises(ControlError, match="404"):
            call(99, raw={})


def test_small_lists_are_put(api, control):
    made = control.put_status(name="Свій", group_id=3)
    assert made["id"] == 28 and made["alias"] == "custom_28"
    assert control.put_status(id=28, name="Інший")["group_id"] == 3
    source = control.put_source(name="Rozetka", currency_code="EUR")
    control.create_order(source_id=source["id"])
    assert control.order(1)["currency"] == "EUR"
    assert len(control.sources()) == 5 and len(control.statuses()) == 20
    assert control.put_warehouse(name="Третій")["id"] == 3


def test_server_answers_while_a_test_freezes_the_time():
    with ThreadedSandbox() as sandbox:
        connection = HTTPConnection(sandbox.url.removeprefix("http://"))
        connection.request("GET", "/")
        assert connection.getresponse().read()
        with freeze_time("2030-01-01"):
            # Another request lets the server read its clock.
            assert requests.get(sandbox.url, timeout=10).ok
            time.sleep(0.5)
            connection.request("GET", "/")
            assert connection.getresponse().read()
        connection.close()
        begun = time.monotonic()
    assert time.monotonic() - begun < 10
