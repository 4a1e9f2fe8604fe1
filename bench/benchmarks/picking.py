"""A picking of 100 lines is validated: with the addon and its accounts, and without the addon."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from ..environment import Environment, Shop
from ..measure import alternate, median, seconds
from ..results import Row
from ..steps import match_warehouse, settle

LINES, PAIRS = 100, 20


def run(world: Environment) -> Iterator[Row]:
    """Validate receipts of the same 100 products in turns on two databases, each with its Odoo."""
    bare = world.odoo(world.database(addon=False))
    bare_rpc = bare.rpc()
    plain = partial(bare_rpc.call, "bench.floor")
    plain_products = plain("make_products", LINES, "BENCH", 10)
    shop = world.shop(sandbox={"offers": 1})
    products = shop.floor("make_products", LINES, "BENCH", 10)
    for accounts in (1, 5):
        _accounts(shop, accounts)
        queries: list[int] = []
        base: list[int] = []

        def ours(told: list[int] = queries) -> float:
            (picking,) = shop.floor("make_receipts", products)
            settle(shop)
            found = shop.floor("validate_timed", picking)
            assert found["done"]
            told.append(found["queries"])
            settle(shop)
            return found["seconds"]

        def floor(told: list[int] = base) -> float:
            found = plain("validate_timed", *plain("make_receipts", plain_products))
            assert found["done"]
            told.append(found["queries"])
            return found["seconds"]

        pairs = alternate(ours, floor, world.sized(PAIRS, 3), warm_up=3)
        more = median(queries[3:]) - median(base[3:])
        yield Row(
            key=f"picking.{accounts}",
            what=f"validating a picking of {LINES} lines, {accounts} account"
            + ("s" if accounts > 1 else ""),
            floor=f"{seconds(median(pairs.floor))}, {median(base[3:]):.0f} queries",
            ours=f"{seconds(median(pairs.ours))}, {more:+.0f} queries",
            ratio=pairs.ratio,
            goal="≤ +3 queries, median ≤ +3 % time",
            reached=more <= 3 and pairs.ratio <= 1.03,
            samples=f"{len(pairs.ours)} pairs",
            details={"pair_ratios_middle_half": pairs.spread},
        )


def _accounts(shop: Shop, wanted: int) -> None:
    """Let so many accounts send the stock of Odoo's first warehouse."""
    while len(ids := shop.rpc.search("keycrm.account", ("push_stock", "=", True))) < wanted:
        account = shop.account
        if ids:
            account, _link = shop.world.account(shop.odoo, shop.rpc, shop.sandbox)
        match_warehouse(shop.rpc, account)
