"""Outages of the database, of KeyCRM, and of one of several processes."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.faults.crash_points import send_webhook
from tests.faults.crash_server import TIMEOUT, make_polling_due, notify_scheduler
from tests.faults.proxy import Proxy
from tools import shop

LINE = {"name": "Кухоль", "price": 100, "quantity": 2}


def try_webhook(account, number):
    """Send the webhook of an order to an Odoo that may be down.

    :return: the answer's code, or None without an answer
    """
    try:
        return send_webhook(account, number).status_code
    except requests.RequestException:
        return None


def numbers_in_odoo(account):
    rows = account.rpc.rows(
        "sale.order", ("keycrm_account_id", "=", account.id), fields=["keycrm_id"]
    )
    return Counter(row["keycrm_id"] for row in rows)


def unfinished_events(account):
    return account.rpc.search(
        "keycrm.event",
        ("account_id", "=", account.id),
        ("state", "in", ["pending", "failed"]),
    )


def all_imported(account, numbers):
    return numbers_in_odoo(account) == Counter(numbers) and not unfinished_events(account)


def new_orders(account, count):
    return [account.keycrm.create_order(webhook=False, lines=[LINE])["id"] for _ in range(count)]


# === POSTGRESQL ===


def test_restart_of_postgresql_during_an_import_loses_no_order(account, odoo, runtime, eventually):
    """Restart Odoo too, as the administrator's guide says: its scheduler threads may have ended."""
    if runtime.postgres is None:
        pytest.skip("an existing server is not ours to restart")
    account.write(request_limit=100000)
    account.keycrm.set_switches(rate_limit=0)
    numbers = new_orders(account, 30)
    account.keycrm.add_fault("delay", path="/order*", seconds=0.3, times=None)
    for number in numbers:
        assert send_webhook(account, number).status_code == 204
    eventually(lambda: numbers_in_odoo(account), TIMEOUT, "the first orders")
    runtime.postgres.stop()
    # A webhook that cannot be stored must not be acknowledged.
    lost = new_orders(account, 1)[0]
    assert try_webhook(account, lost) not in (200, 204)
    runtime.postgres.start()
    eventually(lambda: try_webhook(account, numbers[0]) == 204, TIMEOUT, "a webhook accepted again")
    odoo.restart()
    make_polling_due(odoo)
    notify_scheduler(odoo)
    eventually(lambda: all_imported(account, [*numbers, lost]), 2 * TIMEOUT, "all orders")


# === KEYCRM ===


def test_healthy_account_is_not_delayed_while_another_fails(new_account, new_sandbox, eventually):
    failing, healthy = (
        new_account(new_sandbox(offers=1), name=name, request_limit=100000)
        for name in ("failing", "healthy")
    )
    # Connections are accepted and never answered: that blocks a worker longest.
    failing.keycrm.add_fault("delay", seconds=600, times=None)
    lost = new_orders(failing, 1)
    send_webhook(failing, lost[0])
    eventually(
        lambda: failing.read("circuit_error_text")["circuit_error_text"],
        TIMEOUT,
        "the outage to be shown",
    )
    failing.keycrm.clear_log()
    for _ in range(5):
        number = new_orders(healthy, 1)[0]
        send_webhook(failing, lost[0])
        send_webhook(healthy, number)
        eventually(
            lambda n=number: healthy.order(n, "id"), TIMEOUT, "an order of the healthy account"
        )
    eventually(
        lambda: failing.read("circuit_failures")["circuit_failures"] >= 3, 300, "three failures"
    )
    requested = failing.keycrm.requests()
    assert {row["path"] for row in requested} == {"/v1/order/status"}
    assert len(requested) <= 4, "one probe per pause"
    failing.keycrm.clear_faults()
    failing.call("action_test_connection")
    eventually(
        lambda: all_imported(failing, lost), TIMEOUT, "the orders that the failing account missed"
    )
    assert not failing.read("circuit_error_text")["circuit_error_text"]


OUTAGES = {
    "refused connections": None,
    "500s in a row": {"kind": "status", "status": 500},
    "429 without a time": {"kind": "status", "status": 429},
    "HTML": {"kind": "html"},
    "cut bodies": {"kind": "cut"},
    "empty lists": {"kind": "empty_list"},
}


@pytest.mark.parametrize("name", list(OUTAGES))
def test_outage_loses_nothing_and_is_recovered_without_intervention(
    name, odoo, rpc, new_account, new_sandbox, eventually
):
    sandbox = new_sandbox(offers=2)
    proxy = Proxy(sandbox.url).connect()
    account = new_account(sandbox, request_limit=100000, poll_minutes=1, api_url=f"{proxy.url}/v1")
    numbers = new_orders(account, 8)
    for number in numbers[:4]:
        send_webhook(account, number)
    eventually(lambda: len(numbers_in_odoo(account)) == 4, TIMEOUT, "the first orders")
    warehouse = rpc.create("stock.warehouse", name=f"B{account.id}", code=f"B{account.id}")
    offer = account.keycrm.create_offer(sku=f"BAD-{account.id}", stock={1: 0})["id"]
    product = rpc.create(
        "product.product",
        name=f"Bad {account.id}",
        default_code=f"BAD-{account.id}",
        is_storable=True,
    )
    rpc.create(
        "keycrm.warehouse",
        account_id=account.id,
        keycrm_id=1,
        name="Main",
        warehouse_ids=[(6, 0, [warehouse])],
    )
    account.write(push_stock=True)
    shop.receive(rpc, warehouse, product, 5)

    def shown():
        return shop.number(account.keycrm.stock(offer)["warehouses"]["1"]["quantity"])

    eventually(lambda: shown() == "5", TIMEOUT, "the first number")
    before = len(odoo.log_text())
    if OUTAGES[name]:
        account.keycrm.add_fault(times=None, **OUTAGES[name])
    else:
        proxy.cut()
    for number in numbers[4:]:
        send_webhook(account, number)
    shop.receive(rpc, warehouse, product, 2)
    if name != "empty lists":
        eventually(
            lambda: (
                account.read("circuit_error_text")["circuit_error_text"] or name.startswith("429")
            ),
            TIMEOUT,
            "the outage to be shown",
        )
    if OUTAGES[name]:
        account.keycrm.clear_faults()
    else:
        proxy.connect()
    # No user action follows: the pauses end without intervention.
    eventually(lambda: all_imported(account, numbers), 400, "all orders")
    eventually(lambda: shown() == "7", 400, "the last number")
    eventually(
        lambda: not account.read("circuit_error_text")["circuit_error_text"],
        200,
        "the account to recover",
    )
    sent = [
        row["quantity"]
        for request in account.keycrm.requests(method="PUT", path="/offers/stocks")
        for row in request["body"]["stocks"]
        if row["id"] == offer
    ]
    assert 0 not in sent
    assert "Traceback" not in odoo.log_text()[before:]


# === TWO PROCESSES ===


def test_two_processes_share_the_limit_and_survive_the_loss_of_one(
    new_odoo, new_account, new_sandbox, odoo, eventually
):
    others = [new_odoo(database=odoo.database, workers=2) for _ in range(2)]
    sandbox = new_sandbox(offers=1)
    account = new_account(sandbox)
    numbers = new_orders(account, 150)
    links = [
        account.link.replace(f":{odoo.port}/", f":{server.port}/") for server in (odoo, *others)
    ]
    body = {"event": "order.change_order_status"}

    def post(pair):
        link, number = pair
        return requests.post(link, json={**body, "context": {"id": number}}, timeout=60).status_code

    calls = [(links[n % 3], number) for n, number in enumerate(numbers * 2)]
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(post, calls)) == {204}
    statuses = account.rpc.search("keycrm.order.status", ("account_id", "=", account.id))
    sync = account.rpc.create(
        "keycrm.order.sync", account_id=account.id, status_ids=[(6, 0, statuses)]
    )
    account.rpc.call("keycrm.order.sync", "action_start", [sync])
    eventually(lambda: len(numbers_in_odoo(account)) > 20, TIMEOUT, "the first orders")
    others[0].kill()
    eventually(lambda: all_imported(account, numbers), 400, "all orders, each once")
    eventually(
        lambda: account.rpc.read("keycrm.order.sync", sync, "state")["state"] == "done",
        TIMEOUT,
        "the synchronization",
    )
    requested = account.keycrm.requests()
    assert not [row for row in requested if row["status"] == 429]
    assert max(row["used"] for row in requested) <= 60


# === CLOCKS ===


def test_processes_whose_clocks_are_minutes_apart_delay_no_order(
    new_crash_server, new_sandbox, eventually
):
    ahead = new_crash_server(clock=420).odoo
    behind = new_crash_server(clock=-420, database=ahead.database, cron_threads=0).odoo
    rpc = behind.rpc()
    sandbox = new_sandbox(offers=1)
    account_id = shop.make_account(rpc, ahead, sandbox, request_limit=100000)
    link = shop.switch_on(rpc, sandbox, account_id)
    for server in (ahead, behind):
        target = link.replace(f":{ahead.port}/", f":{server.port}/")
        number = sandbox.control.create_order(webhook=False, lines=[LINE])["id"]
        body = {"event": "order.change_order_status", "context": {"id": number}}
        assert requests.post(target, json=body, timeout=60).status_code == 204
        # The timeout is far less than the seven minutes between the clocks.
        eventually(
            lambda n=number: rpc.search("sale.order", ("keycrm_id", "=", n)), TIMEOUT, "the order"
        )
    rpc.write("keycrm.account", account_id, enabled=False)
