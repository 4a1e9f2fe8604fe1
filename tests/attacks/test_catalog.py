"""A catalog of 200,000 offers, and 1,000 warehouses on both sides."""

from __future__ import annotations

import time
from collections.abc import Callable

from bench import seed_sql
from bench.environment import Environment, Shop
from bench.steps import processor, resident, settle
from tools import shop as setup
from tools.rpc import Rpc
from tools.waiting import wait_for

OFFERS = 200_000
#: One of so many offers has another quantity in KeyCRM.
DIFFERENT = 20
#: Bytes by which a worker may grow for each offer of a preview or a comparison.
GROWTH_AN_OFFER = 2_500
WAREHOUSES = 1_000
#: Seconds that a busy machine may take for one step.
PATIENCE = 3000


class Watch:
    """Measure the time, the processor time and the memory of a piece of work.

    :param shop: its Odoo process is measured
    """

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._begun, self._used = time.monotonic(), processor(shop.odoo.pid)
        self._before = self._most = resident(shop.odoo.pid)

    def until(self, condition: Callable[[], object], what: str, timeout: float = 5000) -> str:
        """Wait for the end of the work.

        :return: the figures
        """

        def measure() -> object:
            self._most = max(self._most, resident(self._shop.odoo.pid))
            return condition()

        wait_for(measure, timeout, what, 0.5)
        used = processor(self._shop.odoo.pid) - self._used
        taken = time.monotonic() - self._begun
        return f"{taken:.0f} s ({used:.0f} s of Odoo's processor), +{self.growth / 1e6:.0f} MB"

    @property
    def growth(self) -> int:
        """Return the bytes by which the process grew at most."""
        return self._most - self._before


def run_state(shop: Shop, kind: str) -> str:
    """Return the state of the last comparison or preview."""
    rows = shop.sql(
        "SELECT state FROM keycrm_stock_comparison WHERE kind = %s ORDER BY id DESC LIMIT 1", kind
    )
    return rows[0][0] if rows else ""


def test_catalog_of_200000_offers(environment: Environment, figure: Callable[[str], None]):
    """Preview, first export, comparison with thousands of differences, one change, the catalog import."""
    count = environment.sized(OFFERS)
    shop = environment.shop(
        sandbox={"offers": count},
        odoo={
            "limit_time_real": 6000,
            "limit_time_cpu": 6000,
            "limit_memory_soft": 0,
            "limit_memory_hard": 0,
        },
    )
    shop.rpc = Rpc(shop.odoo.url, shop.odoo.database, "admin", "admin", timeout=3000)
    warehouse = shop.rpc.search("stock.warehouse", limit=1)[0]
    shop.rpc.create(
        "keycrm.warehouse",
        account_id=shop.account,
        keycrm_id=1,
        name="Main",
        warehouse_ids=[(6, 0, [warehouse])],
    )
    limits = {"stock_zero_limit": count, "stock_zero_percent": 100}
    shop.rpc.write("keycrm.account", shop.account, **limits)
    products = seed_sql.products_of_offers(shop, count)
    seed_sql.quants(shop, dict.fromkeys(products, 3.0))
    shop.sql("ANALYZE")
    settle(shop, PATIENCE)
    watch = Watch(shop)
    shop.rpc.call("keycrm.account", "action_preview_stock", [shop.account])
    taken = watch.until(lambda: run_state(shop, "preview") == "ready", "the preview")
    figure(f"preview of {count:,} offers: {taken}")
    assert watch.growth < GROWTH_AN_OFFER * count + 50_000_000

    watch = Watch(shop)
    run = shop.one("SELECT max(id) FROM keycrm_stock_comparison")
    shop.rpc.call("keycrm.stock.comparison", "action_send", [run])
    known = "SELECT count(*) FROM keycrm_stock_level WHERE is_known AND quantity = 3"
    taken = watch.until(lambda: shop.one(known) == count, "the first export")
    puts = shop.keycrm.request_counts()["PUT /v1/offers/stocks"]
    figure(f"first export of {count:,} quantities: {taken}, {puts} PUT")
    settle(shop, PATIENCE)

    # What was sent a moment ago is no difference: KeyCRM may still write it.
    shop.sql("UPDATE keycrm_stock_level SET sent_at = sent_at - interval '2 minutes'")
    different = count // DIFFERENT
    shop.sql("UPDATE stock_quant SET quantity = 4 WHERE product_id = ANY(%s)", products[:different])
    watch = Watch(shop)
    shop.rpc.call("keycrm.account", "action_compare_stock", [shop.account])
    taken = watch.until(lambda: run_state(shop, "comparison") == "done", "the comparison")
    found = shop.one("SELECT max(difference_count) FROM keycrm_stock_comparison")
    figure(f"comparison of {count:,} offers, {found:,} of them different: {taken}")
    assert found == different
    assert watch.growth < GROWTH_AN_OFFER * count + 50_000_000
    wait_for(lambda: shop.one(f"{known[:-1]}4") == different, PATIENCE, "the corrections")
    settle(shop, PATIENCE)

    last = shop.keycrm.last_request()
    begun = time.monotonic()
    setup.receive(shop.rpc, warehouse, products[-1], 1)
    received = time.monotonic()
    wait_for(lambda: shop.keycrm.requests(last, method="PUT"), PATIENCE, "the PUT", 0.02)
    figure(
        f"receipt of one product {received - begun:.1f} s, sent {time.monotonic() - received:.1f} s later"
    )


def test_1000_warehouses(environment: Environment, figure: Callable[[str], None]):
    """Each side has 1,000 warehouses, matched one to one: one stock change, one order, the screens."""
    count = environment.sized(WAREHOUSES)
    shop = environment.shop(
        sandbox={"offers": 3}, odoo={"limit_time_real": 3000, "limit_time_cpu": 3000}
    )
    shop.rpc = Rpc(shop.odoo.url, shop.odoo.database, "admin", "admin", timeout=3000)
    for number in range(1, count + 1):
        shop.keycrm.put_warehouse(id=number, name=f"Склад {number}")
        shop.keycrm.set_stock(1, number, 2, webhook=False)
    begun = time.monotonic()
    shop.rpc.call("keycrm.account", "action_refresh_warehouses", [shop.account])
    found = "SELECT count(*) FROM keycrm_warehouse"
    wait_for(lambda: shop.one(found) == count, 600, "the warehouses of KeyCRM")
    figure(f"{count:,} warehouses of KeyCRM read in {time.monotonic() - begun:.1f} s")

    ours = shop.rpc.search("stock.warehouse", limit=1)
    for first in range(1, count, 50):
        values = [
            {"name": f"Warehouse {number}", "code": f"W{number:04}"}
            for number in range(first, min(first + 50, count))
        ]
        ours += shop.rpc.call("stock.warehouse", "create", values)
    theirs = shop.rpc.search("keycrm.warehouse", order="keycrm_id")
    begun = time.monotonic()
    for one, other in zip(theirs, ours, strict=True):
        shop.rpc.write("keycrm.warehouse", one, warehouse_ids=[(6, 0, [other])])
    figure(f"all matched by hand in {time.monotonic() - begun:.0f} s")
    product = seed_sql.products_of_offers(shop, 3)[0]
    shop.sql(
        """INSERT INTO stock_quant (product_id, location_id, company_id, quantity, reserved_quantity,
                                    in_date, create_date, write_date, create_uid, write_uid)
           SELECT %s, lot_stock_id, company_id, 5, 0, now(), now(), now(), 1, 1
             FROM stock_warehouse""",
        product,
    )
    watch = Watch(shop)
    shop.rpc.write("keycrm.account", shop.account, push_stock=True)
    shop.rpc.call("keycrm.account", "action_push_all_stock", [shop.account])
    known = "SELECT count(*) FROM keycrm_stock_level WHERE is_known AND quantity = 5"
    figure(
        f"first export to {count:,} warehouses: "
        + watch.until(lambda: shop.one(known) == count, "the first export")
    )
    settle(shop, 600)

    last = shop.keycrm.last_request()
    setup.receive(shop.rpc, ours[-1], product, 1)
    begun = time.monotonic()
    wait_for(lambda: shop.keycrm.requests(last, method="PUT"), 120, "the PUT", 0.02)
    figure(f"one receipt: sent {time.monotonic() - begun:.1f} s later")
    settle(shop, 120)
    assert len(shop.keycrm.requests(last, method="PUT")) == 1

    begun = time.monotonic()
    number = shop.keycrm.create_order(lines=[{"offer_id": 1, "quantity": 1}])["id"]
    there = "SELECT count(*) FROM sale_order WHERE keycrm_id = %s"
    wait_for(lambda: shop.one(there, number), 60, "the order", 0.05)
    taken = time.monotonic() - begun
    begun = time.monotonic()
    shop.rpc.call("keycrm.account", "web_read", [shop.account], _fields(shop))
    figure(f"an order after {taken:.1f} s, the account's form {time.monotonic() - begun:.1f} s")


def _fields(shop: Shop) -> dict:
    """Return what the account's form reads of its warehouses."""
    return {
        "overview_state": {},
        "circuit_error_text": {},
        "warehouse_ids": {
            "fields": {"name": {}, "warehouse_ids": {"fields": {"display_name": {}}}},
            "limit": 40,
        },
    }
