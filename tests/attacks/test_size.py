"""Sizes beyond those of a usual shop: goods in one transaction, orders in one synchronization, uninstall."""

from __future__ import annotations

import time
from collections.abc import Callable

from bench import seed_sql
from bench.environment import Environment
from bench.steps import catalog, match_warehouse, resident, settle, synchronize
from tools.rpc import Rpc
from tools.templates import ADDON
from tools.waiting import wait_for

#: Products whose stock changes in one transaction.
PRODUCTS = 20_000
#: Orders of one synchronization, of which all are there when the addon is uninstalled.
ORDERS = 5_000
#: Bytes by which a worker may grow while it reads further orders.
GROWTH = 150_000_000


def test_one_transaction_changes_the_stock_of_20000_products(
    environment: Environment, figure: Callable[[str], None]
):
    count = environment.sized(PRODUCTS)
    shop = environment.shop(
        sandbox={"offers": count}, odoo={"limit_time_real": 3000, "limit_time_cpu": 3000}
    )
    match_warehouse(shop.rpc, shop.account, stock_zero_limit=100_000, stock_zero_percent=100)
    products = seed_sql.products_of_offers(shop, count)
    seed_sql.quants(shop, dict.fromkeys(products, 3.0))
    shop.sql("ANALYZE")
    # Odoo itself takes minutes for the count.
    shop.rpc = Rpc(shop.odoo.url, shop.odoo.database, "admin", "admin", timeout=3000)
    begun = time.monotonic()
    shop.bench("count_products", products, 7)
    committed = time.monotonic()
    rows = shop.one("SELECT count(*) FROM keycrm_stock_change")
    wait_for(
        lambda: not shop.one("SELECT count(*) FROM keycrm_stock_change"), 900, "the outbox", 0.1
    )
    wait_for(
        lambda: (
            shop.one("SELECT count(*) FROM keycrm_stock_level WHERE is_known AND quantity = 7")
            == count
        ),
        300,
        "KeyCRM has every number",
        0.2,
    )
    sent = time.monotonic()
    puts = shop.keycrm.requests(method="PUT", path="*/offers/stocks")
    figure(
        f"{count:,} products counted in {committed - begun:.0f} s by Odoo, {rows:,} rows in the "
        f"outbox at the commit, all in KeyCRM after {sent - committed:.1f} s, with "
        f"{len(puts)} PUT"
    )


def test_memory_and_uninstalling_with_thousands_of_orders(
    environment: Environment, figure: Callable[[str], None]
):
    count = environment.sized(ORDERS)
    shop = environment.shop(
        sandbox={"offers": 300, "created_filter": "created_at"},
        odoo={"limit_memory_soft": 0, "limit_memory_hard": 0},
    )
    shop.keycrm.seed(orders=count, lines=3, buyers=count, status_ids=[1])
    catalog(shop)
    settle(shop)
    begun, memory = time.monotonic(), []

    def is_done(sync):
        state, done = shop.sql(
            "SELECT state, done_count FROM keycrm_order_sync WHERE id = %s", sync
        )[0]
        memory.append((done, resident(shop.odoo.pid), time.monotonic() - begun))
        return state == "done"

    sync = synchronize(shop, [1])
    wait_for(lambda: is_done(sync), max(3000, count), "the synchronization", 0.5)
    taken = time.monotonic() - begun
    orders = shop.one("SELECT count(*) FROM sale_order WHERE keycrm_id > 0")
    assert orders == count
    # Odoo's own caches fill with the first orders.
    warm = max(size for done, size, _when in memory if done <= count / 4)
    most = max(size for _done, size, _when in memory)
    first = min(when for done, _size, when in memory if done >= count / 4)
    last = taken - min(when for done, _size, when in memory if done >= count * 3 / 4)
    figure(
        f"{orders:,} orders in {taken:.0f} s (the first quarter in {first:.0f} s, the last one in "
        f"{last:.0f} s), memory {warm / 1e6:.0f} MB after a quarter of them, {most / 1e6:.0f} MB at most"
    )
    assert most - warm < GROWTH

    settle(shop)
    module = shop.rpc.search("ir.module.module", ("name", "=", ADDON))
    begun = time.monotonic()
    shop.rpc.call("ir.module.module", "button_immediate_uninstall", module)
    figure(f"uninstalled with {orders:,} orders in {time.monotonic() - begun:.0f} s")
    assert shop.one("SELECT count(*) FROM sale_order") >= orders
    tables = shop.sql(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE 'keycrm%%'"
    )
    assert tables == []
    order = shop.odoo.rpc().search("sale.order", ("state", "=", "draft"), limit=1)
    shop.odoo.rpc().call("sale.order", "action_confirm", order)
