"""Webhooks: bodies, targets and failed deliveries."""

from __future__ import annotations

import socket

import pytest

STATUS, PAYMENT = "order.change_order_status", "order.change_payment_status"


def test_status_webhook_carries_the_flat_order(api, control, receiver):
    control.add_webhook(receiver.url)
    control.create_order(lines=[{"name": "x", "price": 5}])
    # Two concurrent webhooks may arrive in any order.
    control.wait_quiet()
    control.set_status(1, 4)
    control.wait_quiet()
    last = receiver.bodies()[-1]
    assert last["event"] == STATUS
    assert last["context"] == api.get("/order/1")
    assert "products" not in last["context"]
    assert receiver.got[-1][:2] == ("POST", "/hook/secret-1")


@pytest.mark.parametrize(("value", "count"), [("yes", 1), ("no", 0)])
def test_creation_sends_a_webhook_or_not(api, control, receiver, value, count):
    control.set_switches(create_fires_webhook=value)
    control.add_webhook(receiver.url)
    control.create_order()
    api.post("/order", {"source_id": 1, "buyer": {"full_name": "А"}})
    control.wait_quiet()
    assert len(receiver.got) == 2 * count


def test_webhook_is_sent_for_chosen_statuses_and_events_only(control, receiver):
    control.add_webhook(receiver.url, statuses=[4, 8])
    control.add_webhook(receiver.url + "/pay", events=[PAYMENT])
    control.create_order(lines=[{"name": "x", "price": 5}])
    control.set_status(1, 2)
    control.set_status(1, 4)
    control.set_status(1, 4)
    control.add_payment(1, amount=1)
    control.add_payment(1, amount=1)
    control.add_payment(1, amount=3)
    control.wait_quiet()
    found = [(path, body["event"]) for _, path, body in receiver.got]
    assert found.count(("/hook/secret-1", STATUS)) == 1
    assert found.count(("/hook/secret-1/pay", PAYMENT)) == 2
    assert len(found) == 3
    states = {b["context"]["payment_status"] for b in receiver.bodies() if b["event"] == PAYMENT}
    assert states == {"part_paid", "paid"}


def test_edits_merges_and_deletions_send_no_event(control, receiver):
    for _ in range(3):
        control.create_order(status_id=4, lines=[{"name": "x", "price": 5}])
    control.add_webhook(receiver.url, events=[STATUS, PAYMENT])
    control.patch_order(1, shipping={"tracking_code": "2045"}, manager_comment="x")
    control.add_line(1, name="y", price=1)
    control.delete_order(2)
    control.merge_orders(1, 3)
    control.wait_quiet()
    # the merge itself sends no event; the other order's cancellation is a change of status
    assert [b["context"]["id"] for b in receiver.bodies()] == [3]


def test_webhook_of_a_change_can_be_suppressed(control, receiver):
    control.add_webhook(receiver.url, events=[STATUS, PAYMENT])
    control.create_order(webhook=False, lines=[{"name": "x", "price": 5}])
    control.set_status(1, 4, webhook=False)
    control.add_payment(1, amount=5, webhook=False)
    control.wait_quiet()
    assert receiver.got == []
    control.send_webhook(1)
    control.wait_quiet()
    assert len(receiver.got) == 1


def test_get_trigger_puts_the_context_into_the_address(control, receiver):
    control.add_webhook(receiver.url + "?own=1", method="GET")
    control.create_order(is_gift=True)
    control.wait_quiet()
    method, path, body = receiver.got[0]
    assert (method, body) == ("GET", None)
    assert "own=1" in path and f"event={STATUS}" in path and "context%5Bid%5D=1" in path


def test_webhook_is_delivered_once(control, receiver):
    control.add_webhook(receiver.url)
    control.create_order()
    control.wait_quiet()
    assert len(receiver.got) == 1


def test_webhook_is_delivered_repeatedly(control, receiver):
    control.set_switches(webhook_delivery="repeated", webhook_copies=4)
    control.add_webhook(receiver.url)
    control.create_order()
    control.wait_quiet()
    assert len(receiver.got) == 4
    assert receiver.bodies()[0] == receiver.bodies()[3]


def test_webhooks_are_delivered_out_of_order(control, receiver):
    control.set_switches(webhook_delivery="out_of_order", webhook_delay=0.3)
    control.add_webhook(receiver.url)
    control.create_order()
    for status in (2, 4, 8):
        control.set_status(1, status)
    assert receiver.got == []
    control.wait_quiet()
    assert [b["context"]["status_id"] for b in receiver.bodies()] == [8, 4, 2, 1]


def test_webhook_is_delivered_late(control, receiver):
    control.set_switches(webhook_delivery="late", webhook_delay=0.5)
    control.add_webhook(receiver.url)
    control.create_order()
    assert receiver.got == []
    control.wait_quiet()
    assert len(receiver.got) == 1
    delivery = control.deliveries()[0]
    assert delivery["sent_monotonic"] - delivery["made_monotonic"] >= 0.5


def test_webhook_is_lost(control, receiver):
    control.set_switches(webhook_delivery="lost")
    control.add_webhook(receiver.url)
    control.create_order()
    control.wait_quiet()
    assert receiver.got == []
    assert [d["lost"] for d in control.deliveries()] == [True]


def test_deliveries_are_logged(control, receiver):
    receiver.status = 204
    control.add_webhook(receiver.url)
    control.create_order()
    control.wait_quiet()
    delivery = control.deliveries()[0]
    assert delivery["url"] == receiver.url and delivery["status"] == 204
    assert delivery["order_id"] == 1 and delivery["event"] == STATUS
    assert delivery["seconds"] >= 0 and delivery["error"] is None
    assert control.deliveries(since=delivery["number"]) == []


def test_redirects_are_not_followed(control, receiver):
    receiver.status, receiver.headers = 302, {"Location": receiver.url + "/elsewhere"}
    control.add_webhook(receiver.url)
    control.create_order()
    control.wait_quiet()
    assert [path for _, path, _ in receiver.got] == ["/hook/secret-1"]
    assert control.deliveries()[0]["status"] == 302


def test_receiver_that_does_not_answer_in_time_is_logged(control, receiver):
    receiver.gate.clear()
    control.set_switches(webhook_timeout=0.3)
    control.add_webhook(receiver.url)
    control.create_order()
    control.wait_quiet()
    assert control.deliveries()[0]["error"] == "no answer in time"
    assert len(receiver.got) == 1


def test_unreachable_receiver_is_logged(control):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    control.add_webhook(f"http://127.0.0.1:{port}/")
    control.create_order()
    control.wait_quiet()
    assert "ConnectError" in control.deliveries()[0]["error"]


def test_a_hanging_receiver_does_not_hold_the_api(api, control, receiver):
    receiver.gate.clear()
    control.set_switches(webhook_workers=1, webhook_timeout=30)
    control.add_webhook(receiver.url)
    for _ in range(5):
        control.create_order()
    assert api.get("/order")["total"] == 5
    receiver.gate.set()
    control.wait_quiet()
    assert len(receiver.got) == 5


def test_stock_webhook_is_an_array_or_single_objects(api, control, receiver, offer):
    one, two = offer(sku="A"), offer()
    control.add_stock_webhook(receiver.url)
    api.put_stock({"id": one, "quantity": 16}, {"id": two, "quantity": 2})
    control.wait_quiet()
    rows = [
        {"offer_id": one, "sku": "A", "in_stock": 16, "in_reserve": 0},
        {"offer_id": two, "sku": None, "in_stock": 2, "in_reserve": 0},
    ]
    assert receiver.bodies() == [rows]
    control.set_switches(stock_webhook_body="object", webhook_workers=1)
    api.put_stock({"id": one, "quantity": 16}, {"id": two, "quantity": 2})
    control.wait_quiet()
    assert receiver.bodies()[1:] == rows


def test_every_stock_movement_sends_the_stock_webhook(control, receiver, offer):
    number = offer()
    control.set_switches(status_reserve="on", status_write_off="on")
    control.add_stock_webhook(receiver.url)
    control.set_stock(number, 1, 20)
    control.wait_quiet()
    control.create_order(lines=[{"offer_id": number, "quantity": 3}], status_id=4)
    control.wait_quiet()
    control.set_status(1, 6)
    control.wait_quiet()
    control.set_status(1, 12)
    control.wait_quiet()
    found = [(rows[0]["in_stock"], rows[0]["in_reserve"]) for rows in receiver.bodies()]
    assert found == [(20, 0), (20, 3), (17, 0), (20, 0)]


def test_stock_webhook_sums_its_own_warehouses(api, control, receiver, offer):
    number = offer(stock={1: 10, 2: 5})
    control.add_stock_webhook(receiver.url, warehouse_ids=[2])
    api.put_stock({"id": number, "quantity": 1}, warehouse_id=1)
    api.put_stock({"id": number, "quantity": 6}, warehouse_id=2)
    control.wait_quiet()
    assert [rows[0]["in_stock"] for rows in receiver.bodies()] == [6]


def test_late_stock_write_echoes_when_it_takes_effect(api, control, receiver, offer):
    number = offer()
    control.set_switches(stock_put_apply="late", stock_put_delay=0.2)
    control.add_stock_webhook(receiver.url)
    api.put_stock({"id": number, "quantity": 1})
    assert receiver.got == []
    control.wait_quiet()
    assert receiver.bodies()[0][0]["in_stock"] == 1


def test_webhooks_are_listed_and_removed(control, receiver):
    kept, removed = control.add_webhook(receiver.url), control.add_stock_webhook(receiver.url)
    control.remove_webhook(removed["id"])
    assert [t["id"] for t in control.webhooks()] == [kept["id"]]
    control.clear_webhooks()
    assert control.webhooks() == []
