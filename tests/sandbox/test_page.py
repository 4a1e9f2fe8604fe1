"""The page for people, and that other websites cannot use it."""

from __future__ import annotations

import pytest
import requests

from sandbox.threaded import ThreadedSandbox


@pytest.fixture
def page(running, control):
    control.reset(seed=1, orders=3, offers=8)
    session = requests.Session()
    session.headers["Origin"] = running.url
    return session


def text(page, running, lang="uk"):
    answer = page.get(f"{running.url}/?lang={lang}", timeout=10)
    assert answer.status_code == 200
    return answer.text


def test_shows_orders_stock_and_requests_in_two_languages(running, api, page):
    api.get("/order", limit=7)
    shown = text(page, running)
    assert "Залишки на складах" in shown and "Основний склад" in shown
    assert "Сорочка, біла, M" in shown and "GET /v1/order" in shown and "limit=7" in shown
    assert "Stock in warehouses" in text(page, running, "en")
    assert "Залишки на складах" in text(page, running, "xx")


def test_shows_what_kinds_of_lines_there_are_and_what_they_hold(running, control, page):
    control.set_switches(status_reserve="on")
    control.set_status(control.create_sample_order()["id"], 4)
    shown = text(page, running)
    for words in ("разовий", "без артикулу", "у резерві", "Виробництво"):
        assert words in shown
    assert "written off" not in text(page, running, "en")
    control.set_switches(status_write_off="on")
    control.set_status(4, 6)
    assert "written off" in text(page, running, "en")


def test_parts_are_what_the_page_shows(running, page):
    parts = page.get(f"{running.url}/page/parts?lang=uk", timeout=10).json()
    shown = text(page, running)
    assert set(parts) == {"orders", "stock", "requests"}
    assert parts["orders"].strip() in shown and parts["stock"].strip() in shown


def test_button_creates_an_order_of_every_kind_of_line(running, api, control, page):
    answer = page.post(f"{running.url}/page/create?lang=en", timeout=10)
    assert answer.status_code == 200 and "Stock in warehouses" in answer.text
    lines = api.get("/order/4", include="products.offer")["products"]
    named = [", ".join([x["name"], *(p["value"] for p in x["properties"])]) for x in lines]
    assert named[1] == "Сорочка, біла, M"
    assert [x["offer"] is None for x in lines] == [False, False, True, False]
    assert [x["sku"] is None for x in lines] == [False, False, True, True]
    page.post(f"{running.url}/page/create", timeout=10)
    assert control.health()["offers"] == 9, "goods that are there already are used again"


def test_button_moves_an_order(running, control, page, receiver):
    control.add_webhook(receiver.url)
    page.post(f"{running.url}/page/move", data={"order_id": 1, "status_id": 8}, timeout=10)
    assert control.order(1)["status_id"] == 8
    control.wait_quiet()
    assert len(receiver.got) == 1


def test_button_changes_stock(running, control, page):
    given = {"offer_id": 1, "warehouse_id": 2, "quantity": "7,5"}
    page.post(f"{running.url}/page/stock", data=given, timeout=10)
    assert control.stock(1)["warehouses"]["2"]["quantity"] == 7.5
    for wrong, status in (
        ({**given, "quantity": "x"}, 422),
        ({**given, "offer_id": 999}, 404),
        ({**given, "warehouse_id": 99}, 404),
        ({"quantity": 1}, 422),
    ):
        answer = page.post(f"{running.url}/page/stock", data=wrong, timeout=10)
        assert answer.status_code == status and answer.json()["message"]


@pytest.mark.parametrize("path", ["create", "move", "stock", "enter"])
@pytest.mark.parametrize("origin", [None, "http://evil.example", "null"])
def test_another_website_cannot_post(running, control, page, path, origin):
    page.headers["Origin"] = origin
    before = control.health()
    answer = page.post(f"{running.url}/page/{path}", data={"order_id": 1}, timeout=10)
    assert answer.status_code == 403
    assert control.health() == before


def test_a_name_that_leads_here_is_not_enough(running, page):
    headers = {"Host": "evil.example", "Origin": "http://evil.example"}
    for method, path in (("GET", "/"), ("GET", "/page/parts"), ("POST", "/page/create")):
        answer = page.request(method, running.url + path, headers=headers, timeout=10)
        assert answer.status_code == 403


def test_text_from_orders_is_escaped(running, control, page):
    bad = "<script>alert(1)</script>"
    control.create_order(buyer={"full_name": bad}, lines=[{"name": bad}], source_uuid=bad)
    assert bad not in text(page, running)
    assert "&lt;script&gt;" in text(page, running)


def test_scripts_and_styles_come_from_here_alone(running, page):
    answer = page.get(running.url, timeout=10)
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "http://" not in answer.text.replace(running.url, "")
    for name in ("page.js", "page.css"):
        assert page.get(f"{running.url}/page/{name}", timeout=10).status_code == 200
    assert page.get(f"{running.url}/page/page.py", timeout=10).status_code == 404


def test_the_secret_of_a_webhook_is_not_shown(running, control, page, receiver):
    control.add_webhook(receiver.url)
    control.create_order()
    control.wait_quiet()
    assert "secret-1" not in text(page, running)


def test_elsewhere_the_page_asks_for_the_token():
    with ThreadedSandbox(loopback=False) as sandbox, requests.Session() as visitor:
        visitor.headers.update({"Host": "shop.example", "Origin": "http://shop.example"})

        def call(method: str, path: str, **data: str) -> requests.Response:
            return visitor.request(
                method, sandbox.url + path, data=data, timeout=10, allow_redirects=False
            )

        assert 'type="password"' in call("GET", "/").text
        assert call("GET", "/page/parts").status_code == 403
        assert call("POST", "/page/create").status_code == 403
        assert call("POST", "/page/enter", token="wrong").status_code == 403
        entered = call("POST", "/page/enter", token="token")
        assert entered.status_code == 303
        visitor.headers["Cookie"] = entered.headers["Set-Cookie"].split(";")[0]
        assert call("GET", "/page/parts").status_code == 200
        assert call("POST", "/page/create").status_code == 303
        assert sandbox.control.health()["orders"] == 1
        visitor.headers["Origin"] = "http://evil.example"
        assert call("POST", "/page/create").status_code == 403
