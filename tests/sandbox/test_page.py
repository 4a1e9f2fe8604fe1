"""The web page, and its protection from other websites."""

from __future__ import annotations

import re
from html import unescape

import pytest
import requests
from markupsafe import escape as escaped

from sandbox.switches import BY_LANGUAGE
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
    for words in ("разовий", "без артикулу", ">у резерві<", "Виробництво"):
        assert words in shown
    assert ">written off<" not in text(page, running, "en")
    control.set_switches(status_write_off="on")
    control.set_status(4, 6)
    assert ">written off<" in text(page, running, "en")


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


def message_of(answer):
    """Return the page's message on the last action, and whether it is a refusal."""
    kind, text = re.search(
        r'id="message" role="status" class="(\w*)".*?>(.*?)</p>', answer.text
    ).groups()
    return kind, unescape(text)


def test_refused_action_shows_its_reason_on_the_page(running, control, page, receiver):
    control.add_webhook(receiver.url)
    trigger = {"event": "order.change_order_status", "method": "POST", "status": [1]}
    before = control.health()
    for path, wrong, uk, en in (
        ("stock", {"offer_id": 1, "warehouse_id": 2, "quantity": "x"},
         "Кількість має бути числом.", "The quantity must be a number."),
        ("stock", {"offer_id": 999, "warehouse_id": 2, "quantity": 1},
         "вже немає", "no longer exists"),
        ("stock", {"offer_id": 1, "warehouse_id": 99, "quantity": 1}, "вже немає", "no longer exists"),
        ("stock", {"quantity": 1}, "offer_id", "The offer_id field"),
        ("move", {"order_id": 999, "status_id": 1}, "вже немає", "no longer exists"),
        ("move", {"order_id": 1, "status_id": 999}, "вже немає", "no longer exists"),
        ("trigger", {**trigger, "url": ""}, "Вставте посилання", "Paste the whole link"),
        ("trigger", {**trigger, "url": "127.0.0.1/hook"}, "Вставте посилання", "Paste the whole link"),
        ("trigger", {**trigger, "url": "http://[::1/hook"}, "Вставте посилання", "Paste the whole link"),
        ("trigger", {**trigger, "url": "http://a:99999/"}, "Вставте посилання", "Paste the whole link"),
        ("trigger", {**trigger, "url": receiver.url}, "уже є", "already a trigger"),
        ("trigger", {**trigger, "url": "http://a/", "status": []}, "хоча б один", "at least one"),
        ("trigger", {**trigger, "url": "http://a/", "event": "x"}, "Оберіть подію", "Choose an event"),
        ("switches", {"rate_limit": "-1"}, "Перемикач rate_limit", "The switch rate_limit"),
        ("switches", {"numbers": "json", "no_such": "1"}, "no_such", "The switch no_such"),
    ):  # fmt: skip
        for lang, sentence in (("uk", uk), ("en", en)):
            answer = page.post(f"{running.url}/page/{path}?lang={lang}", data=wrong, timeout=10)
            kind, text = message_of(answer)
            assert kind == "bad" and sentence in text, (path, wrong, text)
    assert control.health() == before
    assert len(control.webhooks()) == 1


def test_pasted_link_becomes_a_trigger(running, control, page, receiver):
    def post(path, **given):
        return page.post(f"{running.url}/page/{path}?lang=en", data=given, timeout=10)

    statuses = [status["id"] for status in control.statuses()]
    event = "order.change_order_status"
    post("trigger", event=event, method="POST", url=f" {receiver.url} ", status=statuses)
    post("trigger", event=event, method="POST", url=f"{receiver.url}2", status=[4, 8])
    first, second = control.webhooks()
    assert (first["url"], first["method"], first["statuses"]) == (receiver.url, "POST", None)
    assert second["statuses"] == [4, 8] and second["events"] == [event]
    assert message_of(post("remove", id=second["id"])) == ("good", "Done.")
    control.set_status(1, 5)
    control.wait_quiet()
    assert len(receiver.got) == 1
    shown = text(page, running, "en")
    assert "secret-1" not in shown and "/hook/…" in shown


def test_a_webhook_is_shown_with_what_was_sent_and_answered(running, control, page, receiver):
    receiver.body, receiver.status = b"<b>not today</b>", 503
    control.add_webhook(receiver.url)
    control.set_status(1, 5)
    control.wait_quiet()
    shown = text(page, running)
    assert ">503<" in shown and "&lt;b&gt;not today&lt;/b&gt;" in shown and " мс<" in shown
    assert "&#34;event&#34;: &#34;order.change_order_status&#34;" in shown


def test_every_switch_can_be_set_with_words_in_both_languages(running, control, page):
    for lang, switches in BY_LANGUAGE.items():
        shown = text(page, running, lang)
        for switch in switches.values():
            assert f'name="{switch.name}"' in shown
            assert switch.meaning and str(escaped(switch.meaning)) in shown
            for value, words in switch.values.items():
                assert re.search(
                    rf'value="{value}"( selected)?>{re.escape(str(escaped(words)))}<', shown
                )
    given = {**control.switches(), "rate_limit": "20,5", "numbers": "strings"}
    page.post(f"{running.url}/page/switches", data=given, timeout=10)
    assert control.switches() == {**given, "rate_limit": "20.5"}
    page.post(f"{running.url}/page/reset", timeout=10)
    assert control.switches()["numbers"] == "json"


def test_key_and_address_are_shown(running, page):
    shown = text(page, running)
    assert f'value="{running.key}"' in shown and f'value="{running.api_url}"' in shown


@pytest.mark.parametrize(
    "path", ["create", "move", "stock", "enter", "trigger", "remove", "switches", "reset"]
)
@pytest.mark.parametrize("origin", [None, "http://evil.example", "null"])
def test_another_website_cannot_post(running, control, page, path, origin):
    page.headers["Origin"] = origin
    before = control.health()
    answer = page.post(f"{running.url}/page/{path}", data={"order_id": 1}, timeout=10)
    assert answer.status_code == 403
    assert control.health() == before


def test_request_with_another_host_name_is_refused(running, page):
    headers = {"Host": "evil.example", "Origin": "http://evil.example"}
    for method, path in (("GET", "/"), ("POST", "/page/reset"), ("POST", "/page/create")):
        answer = page.request(method, running.url + path, headers=headers, timeout=10)
        assert answer.status_code == 403


def test_text_from_orders_is_escaped(running, control, page):
    bad = "<script>alert(1)</script>"
    control.create_order(buyer={"full_name": bad}, lines=[{"name": bad}], source_uuid=bad)
    assert bad not in text(page, running)
    assert "&lt;script&gt;" in text(page, running)


def test_scripts_and_styles_are_served_by_the_sandbox_only(running, page):
    answer = page.get(running.url, timeout=10)
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    addresses = re.findall(r'(?:src|href|action)="([^"]*)"', answer.text)
    assert addresses and all(re.match(r"/(?!/)|data:,$", address) for address in addresses)
    for name in ("page.js", "page.css"):
        assert page.get(f"{running.url}/page/{name}", timeout=10).status_code == 200
    assert page.get(f"{running.url}/page/page.py", timeout=10).status_code == 404


def test_the_secret_of_a_webhook_is_not_shown(running, control, page, receiver):
    control.add_webhook(receiver.url)
    control.create_order()
    control.wait_quiet()
    assert "secret-1" not in text(page, running)


def test_page_requires_the_token_from_other_machines():
    with ThreadedSandbox(loopback=False) as sandbox, requests.Session() as visitor:
        visitor.headers.update({"Host": "shop.example", "Origin": "http://shop.example"})

        def call(method: str, path: str, **data: str) -> requests.Response:
            return visitor.request(
                method, sandbox.url + path, data=data, timeout=10, allow_redirects=False
            )

        assert 'type="password"' in call("GET", "/").text
        assert sandbox.key not in call("GET", "/").text
        assert call("POST", "/page/create").status_code == 403
        assert call("POST", "/page/enter", token="wrong").status_code == 403
        entered = call("POST", "/page/enter", token="token")
        assert entered.status_code == 303
        visitor.headers["Cookie"] = entered.headers["Set-Cookie"].split(";")[0]
        assert sandbox.key in call("GET", "/").text
        assert call("POST", "/page/create").status_code == 303
        assert sandbox.control.health()["orders"] == 1
        visitor.headers["Origin"] = "http://evil.example"
        assert call("POST", "/page/create").status_code == 403
