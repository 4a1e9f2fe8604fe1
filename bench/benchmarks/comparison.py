"""Stock comparison of a catalog of 50,000 offers with KeyCRM."""

from __future__ import annotations

import time
from collections.abc import Iterator

from tools.waiting import wait_for

from .. import seed_sql
from ..environment import Environment, Shop
from ..measure import seconds
from ..results import Row
from ..steps import match_warehouse, resident, settle

OFFERS, DIFFERENT = 50_000, 25


def run(environment: Environment) -> Iterator[Row]:
    """Compare once, all products mapped and counted; read the database's working time."""
    offers = environment.sized(OFFERS, 100)
    shop = environment.shop(sandbox={"offers": offers})
    match_warehouse(shop.rpc, shop.account, stock_zero_limit=offers, stock_zero_percent=100)
    products = seed_sql.products_of_offers(shop, offers)
    shown = {one["offer_id"]: one["warehouses"] for one in shop.keycrm.stocks()}
    # A few quantities differ, as after manual changes in KeyCRM.
    seed_sql.quants(
        shop,
        {
            product: float(shown[number].get("1", {"quantity": 0})["quantity"])
            + (number % (offers // DIFFERENT) == 0)
            for number, product in enumerate(products, start=1)
        },
    )
    shop.sql("ANALYZE")
    settle(shop, 300)
    before, since = resident(shop.odoo.pid), shop.keycrm.last_request()
    busy = _database_seconds(shop)
    begun = time.monotonic()
    shop.rpc.call("keycrm.account", "action_compare_stock", [shop.account])
    peak = before

    def over() -> bool:
        nonlocal peak
        peak = max(peak, resident(shop.odoo.pid))
        return not shop.one(
            """SELECT count(*) FROM keycrm_stock_comparison
                WHERE state IN ('reading', 'checking')"""
        )

    wait_for(over, 1800, "the comparison", 0.5)
    taken = time.monotonic() - begun
    differences = shop.one("SELECT max(difference_count) FROM keycrm_stock_comparison")
    busy = _database_seconds(shop) - busy
    grown = (peak - before) / 1024**2
    made = len(shop.keycrm.requests(since, path="*/offers/stocks", method="GET"))
    yield Row(
        key="comparison",
        what=f"comparison of {offers:,} offers",
        baseline=f"{offers // 50:,} requests",
        ours=f"{made:,} requests, {seconds(busy)} of database, +{grown:.0f} MB",
        ratio=made / (offers // 50),
        goal="≤ 1,001 requests, ≤ 3 s of database time, ≤ 200 MB",
        reached=made <= offers // 50 + 1 and busy <= 3 and grown <= 200,
        samples="1",
        details={"seconds": taken, "differences": differences},
    )


def _database_seconds(shop: Shop) -> float:
    """Return the working time of all sessions, as PostgreSQL adds it up."""
    time.sleep(11)  # an idle session reports what it did after ten seconds at the latest
    statement = "SELECT active_time / 1000 FROM pg_stat_database WHERE datname = current_database()"
    return float(shop.one(statement))
