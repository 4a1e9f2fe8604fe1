"""Import of orders with real processes: webhooks, polling and outages."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
import requests

LINE = {"name": "Кухоль", "price": 100, "quantity": 2}
EVENTS = ("order.change_order_status", "order.change_payment_status")


def orders_in_odoo(account, *fields):
    return account.rpc.rows(
        "sale.order", ("keycrm_account_id", "=", account.id), fields=["keycrm_id", *fields]
    )


def events(account, *domain):
    return account.rpc.rows(
        "keycrm.event",
        ("account_id", "=", account.id),
        *domain,
        fields=["keycrm_order_id", "state", "error", "next_try_at"],
    )


def all_processed(account):
    """Return whether no event is pending or failed."""
    return not events(account, ("state", "in", ["pending", "failed"]))


def assert_equal_on_both_sides(account):
    """Assert that each order of KeyCRM is once in Odoo, with total and status."""
    found = orders_in_odoo(account, "amount_total", "keycrm_status_id")
    statuses = {
        row["id"]: row["keycrm_id"]
        for row in account.rpc.rows(
            "keycrm.order.status", ("account_id", "=", account.id), fields=["keycrm_id"]
        )
    }
    assert Counter(row["keycrm_id"] for row in found) == Counter(account.keycrm.order_ids())
    for row in found:
        expected = account.keycrm.order(row["keycrm_id"])["answer"]
        assert f"{row['amount_total']:.2f}" == f"{Decimal(str(expected['grand_total'])):.2f}"
        assert statuses[row["keycrm_status_id"][0]] == expected["status_id"]


def post(link, number, event="order.change_order_status"):
    body = {"event": event, "context": {"id": number, "status_id": 1}}
    return requests.post(link, json=body, timeout=60).status_code


def synchronize(account, wait_for, seconds=120):
    statuses = account.rpc.search("keycrm.order.status", ("account_id", "=", account.id))
    sync = account.rpc.create(
        "keycrm.order.sync", account_id=account.id, status_ids=[(6, 0, statuses)]
    )
    assert account.rpc.call("keycrm.order.sync", "action_start", [sync])

    def ended():
        row = account.rpc.read(
            "keycrm.order.sync",
            sync,
            *("state", "total_count", "done_count", "created_count", "failed_count"),
        )
        return row["state"] != "running" and row

    return sync, lambda: wait_for(ended, seconds, "the end of the synchronization")


@pytest.mark.parametrize("delivery", ["once", "repeated", "out_of_order", "late"])
def test_orders_end_equal_however_webhooks_are_delivered(account, wait_for, delivery):
    account.keycrm.set_switches(webhook_delivery=delivery)
    numbers = [account.keycrm.create_order(lines=[LINE])["id"] for _ in range(6)]
    for status in (4, 6, 8):
        for number in numbers:
            account.keycrm.set_status(number, status)
    account.keycrm.wait_quiet(60)
    wait_for(
        lambda: len(orders_in_odoo(account)) == 6 and all_processed(account), 60, "all six orders"
    )
    assert_equal_on_both_sides(account)


def test_with_all_webhooks_lost_orders_arrive_by_polling(account, wait_for):
    account.write(poll_minutes=1)
    account.keycrm.set_switches(create_fires_webhook="no", webhook_delivery="lost")
    account.keycrm.create_order(lines=[LINE])
    wait_for(lambda: orders_in_odoo(account), 150, "the order, found by polling")
    assert_equal_on_both_sides(account)


def test_repeated_synchronization_imports_each_order_once(account, wait_for):
    account.keycrm.seed(3, orders=120)
    for expected in (120, 0):
        _sync, ended = synchronize(account, wait_for)
        row = ended()
        assert (row["state"], row["done_count"]) == ("done", 120), row
        assert (row["created_count"], row["failed_count"]) == (expected, 0)
    assert_equal_on_both_sides(account)


def test_kill_in_the_middle_of_a_synchronization_loses_no_order(account, odoo, wait_for):
    account.keycrm.set_switches(rate_limit=0)
    account.write(request_limit=6000)
    account.keycrm.seed(4, orders=150)
    _sync, ended = synchronize(account, wait_for, 200)
    wait_for(lambda: len(orders_in_odoo(account)) > 20, 60, "the first orders")
    odoo.kill()
    odoo.start()
    row = ended()
    assert (row["state"], row["failed_count"]) == ("done", 0)
    assert_equal_on_both_sides(account)


def test_eight_at_once_create_one_buyer_and_one_product(account, wait_for):
    buyer = account.keycrm.create_buyer(full_name="Олена Коваль", phones=["+380671112233"])
    offer = account.keycrm.create_offer(sku="SPILNYI", name="Спільний", price=10)["id"]
    numbers = [
        account.keycrm.create_order(
            webhook=False,
            client_id=buyer["id"],
            lines=[
                {"offer_id": offer, "price": 10, "quantity": 1},
                {"name": "Пакунок", "price": 1, "quantity": 1},
            ],
        )["id"]
        for _ in range(8)
    ]
    # Each order's two events, repeated and shuffled; those of the first one more often.
    calls = [(number, event) for _ in range(3) for number in numbers for event in EVENTS]
    calls += [(numbers[0], EVENTS[0])] * 32
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda call: post(account.link, *call), calls))
    assert set(answers) == {204}
    wait_for(
        lambda: len(orders_in_odoo(account)) == 8 and all_processed(account), 60, "eight orders"
    )
    assert_equal_on_both_sides(account)
    found = orders_in_odoo(account, "partner_id")
    assert len({row["partner_id"][0] for row in found}) == 1
    for name in ("Спільний", "Пакунок"):
        assert len(account.rpc.search("product.product", ("name", "=", name))) == 1


FAULTS = {
    "server errors": {"kind": "status", "status": 502, "times": 2},
    "429 with a time": {
        "kind": "status",
        "status": 429,
        "times": 1,
        "headers": {"Retry-After": "2"},
    },
    "cut answers": {"kind": "cut", "times": 2},
    "pages of HTML": {"kind": "html", "times": 2},
    "closed connections": {"kind": "close", "times": 2},
    # More than one request's attempts: the account pauses and recovers.
    "a longer fault": {"kind": "status", "status": 500, "times": 4},
}


@pytest.mark.parametrize("name", list(FAULTS))
def test_faults_delay_orders_and_lose_none(account, wait_for, name):
    fault = dict(FAULTS[name])
    account.keycrm.add_fault(fault.pop("kind"), path="/order/*", method="GET", **fault)
    number = account.keycrm.create_order(lines=[LINE])["id"]
    wait_for(
        lambda: account.order(number, "id") and all_processed(account),
        240,
        f"the order after {name}",
    )
    assert_equal_on_both_sides(account)
    wait_for(
        lambda: not account.read("circuit_error_text")["circuit_error_text"],
        90,
        "the account to recover",
    )


def test_unavailable_keycrm_is_shown_on_the_account(account, sandbox, wait_for):
    sandbox.stop()
    assert post(account.link, 1) == 204
    problem = wait_for(
        lambda: account.read("circuit_error_text")["circuit_error_text"], 90, "the problem"
    )
    assert "cannot be reached" in problem


def test_burst_of_webhooks_is_read_in_pages(account, wait_for):
    account.keycrm.set_switches(webhook_delivery="lost")
    account.keycrm.seed(5, orders=150)
    newest = account.keycrm.order_ids()[-120:]
    for number in newest:
        account.keycrm.patch_order(number, manager_comment="Терміново", webhook=False)
    account.keycrm.clear_log()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: post(account.link, number), newest + newest[:80]))
    assert set(answers) == {204}
    wait_for(
        lambda: len(orders_in_odoo(account)) == 120 and all_processed(account), 120, "the burst"
    )
    reads = [row for row in account.keycrm.requests() if row["path"].startswith("/v1/order")]
    lines = [
        f"{row['time'][17:23]} {row['path'][9:]} page {row['query'].get('page')} {row['query'].get('sort')}"
        for row in reads
    ]
    assert len(lines) <= 12, "\n".join(lines)
    assert not [row for row in account.keycrm.requests() if row["status"] == 429]


def test_two_odoo_processes_share_the_work_and_the_limit(
    new_odoo, new_sandbox, account, odoo, wait_for
):
    new_odoo(database=odoo.database)
    account.keycrm.seed(6, orders=60)
    for number in account.keycrm.order_ids():
        account.keycrm.send_webhook(number)
    _sync, ended = synchronize(account, wait_for, 200)
    assert ended()["state"] == "done"
    wait_for(lambda: all_processed(account), 120, "all events")
    assert_equal_on_both_sides(account)
    assert not [row for row in account.keycrm.requests() if row["status"] == 429]
