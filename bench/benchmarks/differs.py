"""The filter "Differs" of stock side by side, compared with Odoo's own filter by quantity."""

from __future__ import annotations

from collections.abc import Iterator

from .. import seed_sql
from ..environment import Environment
from ..measure import alternate
from ..results import Row
from ..screens import Screens, row

HELD_PRODUCTS = 100_000
OPENED = 9
#: Products whose quantity in KeyCRM differs.
DIFFERENT = 30


def run(environment: Environment) -> Iterator[Row]:
    """Filter the same products by a quantity in both lists, in turns."""
    shop = environment.shop(sandbox={"offers": 0})
    held = environment.sized(HELD_PRODUCTS, 100)
    products = seed_sql.products_of_offers(shop, held, first=1_000_001)
    seed_sql.quants(
        shop, {product: 7.0 if n < DIFFERENT else 5.0 for n, product in enumerate(products)}
    )
    seed_sql.levels(shop, shop.rpc.search("stock.warehouse"))
    shop.sql("VACUUM ANALYZE")
    browser = Screens(shop.odoo)

    def read(model: str, domain: list[tuple[str, str, object]], count: int) -> float:
        answer, taken = browser.search(model, domain)
        if len(answer["records"]) != min(count, 80):
            raise AssertionError(f"{model}: {answer['length']} rows instead of {count}")
        return taken

    pairs = alternate(
        lambda: read("keycrm.stock.report", [("is_different", "=", True)], DIFFERENT),
        lambda: read("product.product", [("qty_available", ">", 5)], DIFFERENT),
        OPENED,
        warm_up=2,
    )
    what = f"the filter “Differs” of stock side by side, {held:,} products"
    yield row("differs.filter", what, pairs, "Odoo's products with a quantity above 5")
