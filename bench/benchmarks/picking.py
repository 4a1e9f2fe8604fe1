"""Validation of a picking of 100 lines, with and without the addon."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from ..environment import Environment, Shop
from ..measure import alternate, median, seconds
from ..results import Row
from ..steps import match_warehouse, settle

LINES, PAIRS = 100, 20


def run(environment: Environment) -> Iterator[Row]:
    """Validate receipts of the same products alternately on two databases."""
    bare = environment.odoo(environment.database(addon=False))
    bare_rpc = bare.rpc()
    plain = partial(bare_rpc.call, "bench.baseline")
    plain_products = plain("make_products", LINES, "BENCH", 10)
    shop = environment.shop(sandbox={"offers": 1})
    products = shop.bench("make_products", LINES, "BENCH", 10)
    for accounts in (1, 5):
        _accounts(shop, accounts)
        queries: list[int] = []
        base: list[int] = []

        def ours(counts: list[int] = queries) -> float:
            (picking,) = shop.bench("make_receipts", products)
            settle(shop)
            found = shop.bench("validate_timed", picking)
            assert found["done"]
            counts.append(found["queries"])
            settle(shop)
            return found["seconds"]

        def baseline(counts: list[int] = base) -> float:
            found = plain("validate_timed", *plain("make_receipts", plain_products))
            assert found["done"]
            counts.append(found["queries"])
            return found["seconds"]

        pairs = alternate(ours, baseline, environment.sized(PAIRS, 3), warm_up=3)
        more = median(queries[3:]) - median(base[3:])
        yield Row(
            key=f"picking.{accounts}",
            what=f"validating a picking of {LINES} lines, {accounts} account"
            + ("s" if accounts > 1 else ""),
            baseline=f"{seconds(median(pairs.baseline))}, {median(base[3:]):.0f} queries",
            ours=f"{seconds(median(pairs.ours))}, {more:+.0f} queries",
            ratio=pairs.ratio,
            goal="≤ +3 queries, median ≤ +3 % time",
            reached=more <= 3 and pairs.ratio <= 1.03,
            samples=f"{len(pairs.ours)} pairs",
            details={"pair_ratios_middle_half": pairs.spread},
        )


def _accounts(shop: Shop, wanted: int) -> None:
    """Enable stock export of Odoo's first warehouse for a number of accounts."""
    while len(ids := shop.rpc.search("keycrm.account", ("push_stock", "=", True))) < wanted:
        account = shop.account
        if ids:
            account, _link = shop.further_account(len(ids))
        match_warehouse(shop.rpc, account)
