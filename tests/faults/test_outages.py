"""The database, KeyCRM, or one of several processes goes away in the middle, and comes back."""

from __future__ import annotations

import time
import xmlrpc.client
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.faults.crash_points import tell
from tests.faults.crash_server import LONG, wake_scheduler
from tests.faults.wire import Wire
from tools import shop

LINE = {"name": "Кухоль", "price": 100, "quantity": 2}


def tell_maybe(account, number):
    """Send the webhook of an order to an Odoo that may be down.

    :return: the answer's code, or None when nobody answered
    """
    try:
        return tell(account, number).status_code
    except requests.RequestException:
        return None


def numbers_in_odoo(account):
    rows = account.rpc.rows(
        "sale.order", ("keycrm_account_id", "=", account.id), fields=["keycrm_id"]
    )
    return Counter(row["keycrm_id"] for row in rows)


def unworked(account):
    return account.rpc.search(
        "keycrm.event",
        ("account_id", "=", account.id),
        ("state", "in", ["pending", "failed"]),
    )


def all_there(account, numbers):
    return numbers_in_odoo(account) == Counter(numbers) and not unworked(account)


def new_orders(account, count):
    return [account.keycrm.create_order(webhook=False, lines=[LINE])["id"] for _ in range(count)]


# === POSTGRESQL ===


def test_work_goes_on_after_postgresql_was_restarted_in_the_middle(
    account, odoo, runtime, eventually
):
    if runtime.postgres is None:
        pytest.skip("an existing server is not ours to restart")
    account.write(request_limit=100000)
    account.keycrm.set_switches(rate_limit=0)
    numbers = new_orders(account, 30)
    account.keycrm.add_fault("delay", path="/order*", seconds=0.3, times=None)
    for number in numbers:
        assert tell(account, number).status_code == 204
    eventually(lambda: numbers_in_odoo(account), LONG, "the first orders")
    runtime.postgres.stop()
    # A webhook that comes now is not taken: KeyCRM is not told that it was.
    lost = new_orders(account, 1)[0]
    assert tell_maybe(account, lost) not in (200, 204)
    runtime.postgres.start()
    eventually(lambda: tell_maybe(account, numbers[0]) == 204, LONG, "a webhook taken again")
    account.write(polled_at="2020-01-01 00:00:00")
    wake_scheduler(odoo)
    eventually(lambda: all_there(account, [*numbers, lost]), 2 * LONG, "all orders")


def order_in_odoo(account, number):
    """Look for an order in an Odoo that may still find its connections broken."""
    try:
        return account.order(number, "id")
    except xmlrpc.client.Error:
        return None


def restart_postgresql(runtime):
    """Stop PostgreSQL for long enough that Odoo's scheduler threads find none, and start it again."""
    if runtime.postgres is None:
        pytest.skip("an existing server is not ours to restart")
    runtime.postgres.stop()
    time.sleep(5)
    runtime.postgres.start()


def test_a_shop_that_only_asks_goes_on_after_postgresql_was_restarted(account, runtime, eventually):
    account.write(request_limit=100000, poll_minutes=1)
    account.keycrm.set_switches(rate_limit=0)
    first = new_orders(account, 1)[0]
    eventually(lambda: order_in_odoo(account, first), 2 * LONG, "an order that nobody told of")
    restart_postgresql(runtime)
    second = new_orders(account, 1)[0]
    eventually(lambda: order_in_odoo(account, second), 2 * LONG, "one more")


def test_orders_arrive_after_a_restart_of_postgresql(account, odoo, runtime, eventually):
    account.write(request_limit=100000)
    account.keycrm.set_switches(rate_limit=0)
    odoo.restart()
    # Odoo starts its scheduler threads after it answers: they have to be there first.
    time.sleep(15)
    restart_postgresql(runtime)
    number = new_orders(account, 1)[0]
    eventually(lambda: tell_maybe(account, number) == 204, LONG, "a webhook taken again")
    eventually(lambda: order_in_odoo(account, number), LONG, "its order")


# === KEYCRM ===


def test_a_well_account_goes_on_while_another_is_ill(new_account, new_sandbox, eventually):
    ill, well = (
        new_account(new_sandbox(offers=1), name=name, request_limit=100000)
        for name in ("ill", "well")
    )
    # It takes connections and answers nothing: the worst that KeyCRM can do to a worker.
    ill.keycrm.add_fault("delay", seconds=600, times=None)
    lost = new_orders(ill, 1)
    tell(ill, lost[0])
    eventually(lambda: ill.read("trouble_text")["trouble_text"], LONG, "the trouble told")
    ill.keycrm.clear_log()
    for _ in range(5):
        number = new_orders(well, 1)[0]
        tell(ill, lost[0])
        tell(well, number)
        eventually(lambda n=number: well.order(n, "id"), LONG, "an order of the well account")
    eventually(lambda: ill.read("trouble_count")["trouble_count"] >= 3, 300, "three failures")
    asked = ill.keycrm.requests()
    assert {row["path"] for row in asked} == {"/v1/order/status"}
    assert len(asked) <= 4, "one short question a pause"
    ill.keycrm.clear_faults()
    ill.call("action_test_connection")
    eventually(lambda: all_there(ill, lost), LONG, "what the ill account missed")
    assert not ill.read("trouble_text")["trouble_text"]


WEATHER = {
    "refused connections": None,
    "500s in a row": {"kind": "status", "status": 500},
    "429 without a time": {"kind": "status", "status": 429},
    "HTML": {"kind": "html"},
    "cut bodies": {"kind": "cut"},
    "empty lists": {"kind": "empty_list"},
}


@pytest.mark.parametrize("name", list(WEATHER))
def test_a_spell_of_bad_weather_loses_nothing_and_is_made_up_for_by_itself(
    name, odoo, rpc, new_account, new_sandbox, eventually
):
    sandbox = new_sandbox(offers=2)
    wire = Wire(sandbox.url).join()
    account = new_account(sandbox, request_limit=100000, poll_minutes=1, api_url=f"{wire.url}/v1")
    numbers = new_orders(account, 8)
    for number in numbers[:4]:
        tell(account, number)
    eventually(lambda: len(numbers_in_odoo(account)) == 4, LONG, "the first orders")
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

    eventually(lambda: shown() == "5", LONG, "the first number")
    before = len(odoo.log_text())
    if WEATHER[name]:
        account.keycrm.add_fault(times=None, **WEATHER[name])
    else:
        wire.cut()
    for number in numbers[4:]:
        tell(account, number)
    shop.receive(rpc, warehouse, product, 2)
    if name != "empty lists":
        eventually(
            lambda: account.read("trouble_text")["trouble_text"] or name.startswith("429"),
            LONG,
            "the trouble told",
        )
    if WEATHER[name]:
        account.keycrm.clear_faults()
    else:
        wire.join()
    # Nobody presses anything: the pauses end by themselves.
    eventually(lambda: all_there(account, numbers), 400, "all orders")
    eventually(lambda: shown() == "7", 400, "the last number")
    eventually(lambda: not account.read("trouble_text")["trouble_text"], 200, "all well")
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
    eventually(lambda: len(numbers_in_odoo(account)) > 20, LONG, "the first orders")
    others[0].kill()
    eventually(lambda: all_there(account, numbers), 400, "all orders, each once")
    eventually(
        lambda: account.rpc.read("keycrm.order.sync", sync, "state")["state"] == "done",
        LONG,
        "the synchronization",
    )
    asked = account.keycrm.requests()
    assert not [row for row in asked if row["status"] == 429]
    assert max(row["used"] for row in asked) <= 60


# === CLOCKS ===


def test_processes_whose_clocks_are_minutes_apart_keep_nobody_waiting(
    new_mortal, new_sandbox, eventually
):
    ahead = new_mortal(clock=420).odoo
    behind = new_mortal(clock=-420, database=ahead.database, cron_threads=0).odoo
    rpc = behind.rpc()
    sandbox = new_sandbox(offers=1)
    account_id = shop.make_account(rpc, ahead, sandbox, request_limit=100000)
    link = shop.switch_on(rpc, sandbox, account_id)
    for server in (ahead, behind):
        target = link.replace(f":{ahead.port}/", f":{server.port}/")
        number = sandbox.control.create_order(webhook=False, lines=[LINE])["id"]
        body = {"event": "order.change_order_status", "context": {"id": number}}
        assert requests.post(target, json=body, timeout=60).status_code == 204
        # Minutes apart, and still at once: far less than the seven minutes.
        eventually(
            lambda n=number: rpc.search("sale.order", ("keycrm_id", "=", n)), LONG, "the order"
        )
    rpc.write("keycrm.account", account_id, enabled=False)
