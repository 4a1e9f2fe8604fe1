"""A database with 100,000 orders: import into it and open screens on it."""

from __future__ import annotations

from collections.abc import Iterator

from .. import seed_sql
from ..environment import Environment, Shop
from ..measure import alternate, median, seconds
from ..results import Row
from ..screens import Screens, row
from ..steps import QUOTATION, catalog, map_every_other_buyer, settle
from .bulk import turn

HELD_ORDERS, HELD_BUYERS, HELD_PRODUCTS = 100_000, 50_000, 50_000
TURN, TURNS = 250, 6
OPENED = 15
#: Screens of the addon by title; the first existing action is opened.
SCREENS = {
    "order list": ["ordage_keycrm.keycrm_order_action"],
    "stock list": [
        "ordage_keycrm.keycrm_stock_report_action",
        "ordage_keycrm.keycrm_stock_level_action",
    ],
}
SALES_LIST = "sale.action_quotations_with_onboarding"


def run(environment: Environment) -> Iterator[Row]:
    """Import the same orders into a full and an empty database; then open screens."""
    count = environment.sized(TURN, 20)
    total = count * (TURNS + 1)
    shops = []
    for _ in range(2):
        shop = environment.shop(sandbox={"offers": 500, "created_filter": "created_at"})
        shop.keycrm.seed(orders=total, lines=3, buyers=total, status_ids=[QUOTATION])
        catalog(shop)
        map_every_other_buyer(shop)
        settle(shop)
        shops.append(shop)
    full, empty = shops
    sizes = [environment.sized(held, 100) for held in (HELD_ORDERS, HELD_BUYERS, HELD_PRODUCTS)]
    fill(full, *sizes)
    ours, baseline = iter(range(TURNS + 1)), iter(range(TURNS + 1))

    def one(shop: Shop, places: Iterator[int]) -> float:
        found = turn(shop, next(places), count, total, QUOTATION)
        return found["seconds"] / found["orders"]

    pairs = alternate(lambda: one(full, ours), lambda: one(empty, baseline), TURNS, warm_up=1)
    yield Row(
        key="large.import",
        what="import into a database of {:,} orders, {:,} buyers, {:,} products".format(*sizes),
        baseline=f"{seconds(median(pairs.baseline))} an order into an empty one",
        ours=f"{seconds(median(pairs.ours))} an order",
        ratio=pairs.ratio,
        goal="≤ 1.2 ×",
        reached=pairs.ratio <= 1.2,
        samples=f"{TURNS} pairs of {count}",
        details={"pair_ratios_middle_half": pairs.spread},
    )
    yield from _screens(full)


def fill(shop: Shop, orders: int, buyers: int, products: int) -> None:
    """Add a hundred thousand orders, and stock of their products."""
    model = seed_sql.model_order(shop)
    goods = seed_sql.products_of_offers(shop, products, first=1_000_001)
    seed_sql.quants(shop, dict.fromkeys(goods, 5.0))
    seed_sql.levels(shop)
    seed_sql.orders(shop, model, orders, buyers, goods)
    shop.sql("VACUUM ANALYZE")


def _screens(shop: Shop) -> Iterator[Row]:
    browser = Screens(shop.odoo)
    existing = {
        f"{module}.{name}"
        for module, name in shop.sql(
            "SELECT module, name FROM ir_model_data WHERE model = 'ir.actions.act_window'"
        )
    }
    for what, actions in SCREENS.items():
        action = next(name for name in actions if name in existing)
        pairs = alternate(
            lambda action=action: browser.open(action),
            lambda: browser.open(SALES_LIST),
            OPENED,
            warm_up=3,
        )
        key = f"large.{what.replace(' ', '_').lower()}"
        opened = f"opening {what} with that much data"
        yield row(key, opened, pairs, "Odoo's own sales list", action=action)
