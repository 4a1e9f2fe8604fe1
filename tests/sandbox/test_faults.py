"""Faults on request, from a client's view."""

from __future__ import annotations

import time

import pytest
import requests

from sandbox.control import ControlError


def test_status_with_headers_is_returned_a_number_of_times(api, control):
    control.create_order()
    control.add_fault("status", status=503, times=2, headers={"Retry-After": "7"}, message="Down")
    answers = [api.call("GET", "/order/1") for _ in range(3)]
    assert [a.status_code for a in answers] == [503, 503, 200]
    assert answers[0].headers["Retry-After"] == "7"
    assert answers[0].json() == {"message": "Down"}
    assert control.faults() == []
    assert [entry["fault"] for entry in control.requests()] == ["status", "status", None]


def test_redirect_is_returned(api, control):
    control.add_fault("status", status=302, headers={"Location": "http://127.0.0.1:1/"})
    answer = api.call("PUT", "/offers/stocks", json={}, allow_redirects=False)
    assert answer.status_code == 302 and answer.headers["Location"] == "http://127.0.0.1:1/"


def test_rules_fit_method_path_and_page_in_their_order(api, control):
    control.reset(orders=30)
    control.add_fault("status", method="PUT", status=500)
    control.add_fault("status", path="/order/*", status=501, times=None)
    control.add_fault("status", path="/v1/order", page=2, status=502)
    assert api.call("GET", "/offers").status_code == 200
    assert api.call("GET", "/order", params={"page": 1}).status_code == 200
    assert api.call("GET", "/order", params={"page": 2}).status_code == 502
    assert [api.call("GET", "/order/1").status_code for _ in range(3)] == [501] * 3
    assert api.call("PUT", "/offers/stocks").status_code == 500
    rules = control.faults()
    assert [rule["acted"] for rule in rules] == [3]
    control.remove_fault(rules[0]["id"])
    assert api.call("GET", "/order/1").status_code == 200


def test_rule_for_a_row_acts_on_every_answer_that_would_hold_it(api, control):
    control.reset(orders=30)
    control.add_fault("status", path="/order*", row=12, times=None)

    def status(**params):
        return api.call("GET", "/order", params=params).status_code

    assert status(limit=50) == 500
    pages = [status(limit=10, sort="id", page=number) for number in (1, 2, 3, 4)]
    assert pages == [200, 500, 200, 200]
    assert [status(limit=1, sort="id", page=number) for number in (11, 12, 13)] == [200, 500, 200]
    assert api.call("GET", "/order/12").status_code == 500
    assert api.call("GET", "/order/13").status_code == 200
    assert api.call("GET", "/order/999").status_code == 404


@pytest.mark.parametrize("kind", ["status", "close"])
@pytest.mark.parametrize("executed", [True, False])
def test_a_write_may_have_its_effect_although_the_answer_is_bad(
    api, control, offer, kind, executed
):
    number = offer()
    control.add_fault(kind, executed=executed)
    try:
        api.put_stock({"id": number, "quantity": 1}, status=500)
        assert kind == "status"
    except requests.ConnectionError:
        assert kind == "close"
    assert control.stock(number)["quantity"] == (1 if executed else 10)


def test_connection_is_closed_or_cut(api, control):
    control.reset(orders=20)
    control.add_fault("close")
    with pytest.raises(requests.ConnectionError):
        api.call("GET", "/order")
    control.add_fault("cut")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        api.call("GET", "/order")
    assert api.get("/order")["total"] == 20
    assert [entry["status"] for entry in control.requests()] == [None, 200, 200]


def test_malformed_json_or_html_is_returned(api, control):
    control.reset(orders=20)
    control.add_fault("malformed")
    answer = api.call("GET", "/order")
    assert answer.status_code == 200 and answer.text.startswith('{"total":20')
    with pytest.raises(ValueError):
        answer.json()
    control.add_fault("html")
    answer = api.call("GET", "/order")
    assert answer.status_code == 200 and answer.headers["Content-Type"] == "text/html"
    control.add_fault("html", status=502)
    assert api.call("GET", "/order").status_code == 502


@pytest.mark.parametrize("executed", [True, False])
def test_answer_is_delayed(api, control, offer, executed):
    number = offer()
    control.add_fault("delay", seconds=0.4, executed=executed)
    start = time.monotonic()
    api.put_stock({"id": number, "quantity": 1})
    assert time.monotonic() - start >= 0.4
    assert control.stock(number)["quantity"] == 1


def test_slow_answer_delays_no_other(running, api, control):
    control.add_fault("delay", seconds=30, path="/buyer")
    with pytest.raises(requests.Timeout):
        api.session.get(api.url + "/buyer", timeout=0.3)
    api.get("/order")


def test_list_is_empty_although_rows_exist(api, control):
    control.reset(orders=40)
    control.add_fault("empty_list")
    page = api.get("/order")
    assert (page["total"], page["data"], page["next_page_url"]) == (0, [], None)
    assert api.get("/order")["total"] == 40


def test_rows_are_repeated_or_skipped(api, control):
    control.reset(orders=40)

    def second():
        return [row["id"] for row in api.get("/order", limit=10, page=2, sort="id")["data"]]

    control.add_fault("repeat_rows", rows=4)
    assert second() == list(range(7, 17))
    control.add_fault("skip_rows", rows=4)
    assert second() == list(range(15, 25))
    assert second() == list(range(11, 21))


@pytest.mark.parametrize("repeat", [False, True])
def test_next_page_url_is_endless(api, control, repeat):
    control.reset(orders=20)
    control.add_fault("endless_next", times=None, repeat=repeat)
    page = api.get("/order", page=50, sort="id")
    assert "page=51" in page["next_page_url"]
    assert [row["id"] for row in page["data"]] == (list(range(1, 16)) if repeat else [])


def test_huge_answer_is_returned(api, control):
    control.reset(orders=2)
    control.add_fault("huge", size=3_000_000, times=2)
    answer = api.call("GET", "/order")
    assert len(answer.content) > 3_000_000 and answer.json()["total"] == 2
    assert len(api.call("GET", "/order/1").content) > 3_000_000


def test_429_of_the_limit_consumes_no_fault(api, control):
    control.set_switches(rate_limit=1)
    api.get("/order")
    control.add_fault("status", status=500)
    api.get("/order", status=429)
    assert len(control.faults()) == 1


@pytest.mark.parametrize(
    "fields", [{"kind": "explode"}, {"kind": "status", "times": 0}, {"kind": "cut", "color": 1}]
)
def test_invalid_fault_is_refused(control, fields):
    with pytest.raises(ControlError, match="422"):
        control.add_fault(**fields)
    assert control.faults() == []
