"""Two databases in one Odoo with worker processes, and the restored backup of a running shop."""

from __future__ import annotations

import time
from collections.abc import Callable

import requests

from bench.environment import NO_LIMIT, Environment, Shop
from bench.steps import match_warehouse, settle
from tests.attacks.orders import LINE, new_orders, numbers_in_odoo, unfinished
from tools import shop as setup
from tools.rpc import Rpc
from tools.waiting import wait_for


def test_two_databases_in_one_odoo_with_two_workers(
    environment: Environment, figure: Callable[[str], None]
):
    names = [environment.database(), environment.database()]
    odoo = environment.odoo(
        names[0],
        workers=2,
        db_name=",".join(names),
        dbfilter=f"^({'|'.join(names)})$",
    )
    shops = []
    for name in names:
        keycrm = environment.sandbox(offers=10)
        rpc = Rpc(odoo.url, name, "admin", "admin")
        account = setup.make_account(rpc, odoo, keycrm, request_limit=NO_LIMIT)
        link = setup.switch_on(rpc, keycrm, account)
        setup.use_currency(rpc, account)
        shops.append((name, Shop(environment, _OfDatabase(odoo, name), rpc, keycrm, account, link)))
    numbers = [new_orders(shop, 15 + 5 * place) for place, (_name, shop) in enumerate(shops)]
    begun = time.monotonic()
    for place in range(20):
        for (name, shop), own in zip(shops, numbers, strict=True):
            if place < len(own):
                body = {"event": "order.change_order_status", "context": {"id": own[place]}}
                # As a proxy names the database of a host.
                headers = {"X-Odoo-Database": name}
                answer = requests.post(shop.link, json=body, headers=headers, timeout=60)
                assert answer.status_code == 204
    for (name, shop), own in zip(shops, numbers, strict=True):
        wait_for(lambda s=shop, o=own: numbers_in_odoo(s) == o, 180, f"the orders of {name}")
    figure(
        f"{sum(map(len, numbers))} orders of two databases in {time.monotonic() - begun:.1f} s, each in "
        "its own"
    )
    # The link of one database is unknown in the other.
    (name, _first), (_other, second) = shops
    answer = requests.post(
        second.link, json={}, headers={"X-Odoo-Database": name}, timeout=60
    ).status_code
    assert answer == 404
    for _name, shop in shops:
        assert shop.one("SELECT count(*) FROM keycrm_event WHERE state = 'failed'") == 0


class _OfDatabase:
    """An Odoo server seen as that of one of its databases."""

    def __init__(self, odoo, database):
        self.url = odoo.url
        self.database = database


def test_yesterdays_backup_is_restored_into_a_running_shop(
    environment: Environment, figure: Callable[[str], None]
):
    """Nothing leaves the restored database before a user confirms it; then it catches up by itself."""
    shop = environment.shop(sandbox={"offers": 10})
    warehouse = match_warehouse(shop.rpc, shop.account)
    shop.keycrm.create_order(lines=[{"offer_id": 1, "quantity": 1}])
    old = [shop.keycrm.create_order(lines=[LINE])["id"] for _ in range(9)]
    wait_for(lambda: len(numbers_in_odoo(shop)) == 10, 120, "yesterday's orders")
    offer = shop.rpc.rows("keycrm.offer", ("keycrm_id", "=", 1), fields=["product_id"])[0]
    product = offer["product_id"][0]
    setup.receive(shop.rpc, warehouse, product, 20)
    wait_for(lambda: _shown(shop) == 20, 120, "yesterday's stock")
    settle(shop)
    databases, name = environment.runtime.databases, shop.odoo.database
    backup = databases.name("backup")
    databases.clone(name, backup)

    # Today: new orders, edits of older ones, goods.
    for number in old[:3]:
        shop.keycrm.patch_order(number, manager_comment="Сьогодні", shipping_price="75")
    new = [shop.keycrm.create_order(lines=[LINE])["id"] for _ in range(20)]
    setup.receive(shop.rpc, warehouse, product, 7)
    wait_for(lambda: set(new) <= set(numbers_in_odoo(_reconnected(shop))), 120, "today's orders")
    wait_for(lambda: _shown(shop) == 27, 120, "today's stock")

    shop.odoo.stop()
    databases.drop(name)
    databases.clone(backup, name)
    databases.drop(backup)
    last = shop.keycrm.last_request()
    # The backup is of yesterday, when it was last polled.
    query = environment.runtime.server.query
    query(name, "UPDATE keycrm_account SET polled_at = polled_at - interval '1 day'")
    shop.odoo.start()
    shop = _reconnected(shop)
    # Until a user confirms, webhooks are stored and nothing is requested.
    missed = shop.keycrm.create_order(lines=[LINE])["id"]
    wait_for(lambda: unfinished(shop), 60, "the webhook")
    setup.receive(shop.rpc, warehouse, product, 1)
    wait_for(
        lambda: shop.rpc.read("keycrm.account", shop.account, "circuit_error_code")[
            "circuit_error_code"
        ],
        120,
        "the notice",
    )
    time.sleep(20)
    assert not shop.keycrm.requests(last)
    shown = shop.rpc.read("keycrm.account", shop.account, "circuit_error_text", "overview_state")
    assert "restored backup" in shown["circuit_error_text"]
    assert shown["overview_state"] == "problem"

    begun = time.monotonic()
    shop.rpc.call("keycrm.account", "action_confirm_database", [shop.account])
    wanted = {*old, *new, missed}
    done = {}

    def is_recovered() -> bool:
        if wanted <= set(numbers_in_odoo(shop)):
            done.setdefault("orders", time.monotonic() - begun)
        if _shown(shop) == 21:
            done.setdefault("stock", time.monotonic() - begun)
        return len(done) == 2

    wait_for(is_recovered, 400, "all orders, and Odoo's stock in KeyCRM")
    edits = (
        "SELECT count(*) FROM sale_order WHERE keycrm_id = ANY(%s) AND amount_total = keycrm_total"
    )
    wait_for(lambda: shop.one(edits, old[:3]) == 3, 120, "the edits")
    figure(
        f"no request before it was confirmed; then {len(new) + 1} missing orders after "
        f"{done['orders']:.0f} s, the stock of the backup in KeyCRM after {done['stock']:.0f} s"
    )
    numbers = numbers_in_odoo(shop)
    assert len(numbers) == len(set(numbers))
    for number in (*old[:3], new[-1]):
        total = shop.keycrm.order(number)["answer"]["grand_total"]
        assert float(
            shop.one("SELECT amount_total FROM sale_order WHERE keycrm_id = %s", number)
        ) == (float(total))


def _shown(shop: Shop) -> float:
    """Return the quantity of the first offer that KeyCRM shows."""
    return float(shop.keycrm.stock(1)["warehouses"].get("1", {"quantity": 0})["quantity"])


def _reconnected(shop: Shop) -> Shop:
    """Return the shop with new connections, after its database was cloned or replaced."""
    rpc = shop.odoo.rpc()
    return Shop(shop.environment, shop.odoo, rpc, shop.sandbox, shop.account, shop.link)
