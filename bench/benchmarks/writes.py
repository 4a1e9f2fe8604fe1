"""What is sent to KeyCRM: requests, latency, and what live work waits meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from tools.waiting import wait_for

from .. import seed_sql
from ..environment import Environment, Shop
from ..measure import median, seconds
from ..results import Row
from ..steps import begin_limit, limited_shop, match_warehouse, settle

COSTS = 10_000
PARCELS = 10
PRODUCTS = 500
#: Live orders or stock exports that are measured, alone and meanwhile.
LIVE = 8
#: Seconds between two live orders beside bulk work: an order needs two requests, and orders that come
#: faster use up KeyCRM's limit alone.
ORDER_PAUSE = 3.0
#: Seconds from the user's commit to the request.
ALLOWED_COSTS, ALLOWED_TRACKING = 15.0, 3.0
#: Seconds by which nothing may delay live work longer.
ALLOWED_DELAY = 2.0


def run(environment: Environment) -> Iterator[Row]:
    """Change costs, write tracking numbers, create products; measure live work meanwhile."""
    count = environment.sized(COSTS)
    shop = environment.shop(sandbox={"offers": count, "orders": 0})
    module = shop.rpc.search("ir.module.module", ("name", "=", "stock_delivery"))
    shop.rpc.call("ir.module.module", "button_immediate_install", module)
    products = seed_sql.products_of_offers(shop, count)
    shop.sql("ANALYZE")
    shop.rpc.write("keycrm.account", shop.account, send_cost=True, send_tracking=True)
    settle(shop, 300)
    taken, requests = _costs(shop, products)
    yield Row(
        key="writes.costs",
        what=f"{count:,} costs changed in one transaction",
        baseline="–",
        ours=f"{requests} request, {seconds(taken)} to its end",
        ratio=None,
        goal=f"1 request, ≤ {ALLOWED_COSTS:g} s",
        reached=requests == 1 and taken <= ALLOWED_COSTS,
        samples="1",
        details={"seconds": taken},
    )
    _use_other_currency(shop)
    yield _stock_beside_costs(shop, products)
    delays = [_tracking(shop, number) for number in range(PARCELS)]
    yield Row(
        key="writes.tracking",
        what="tracking number written on a delivery → request at KeyCRM",
        baseline="–",
        ours=f"p50 {seconds(median(delays))}, worst {seconds(max(delays))}",
        ratio=None,
        goal=f"≤ {ALLOWED_TRACKING:g} s",
        reached=median(delays) <= ALLOWED_TRACKING,
        samples=str(PARCELS),
        details={"seconds": delays},
    )
    shop.odoo.kill()
    yield _orders_beside_creation(environment)


def _costs(shop: Shop, products: list[int], cost: float = 12.5) -> tuple[float, int]:
    """Return the seconds from the commit to the end of the last request, and the requests."""
    shop.keycrm.clear_log()
    shop.rpc.call("product.product", "write", products, {"standard_price": cost})
    committed = time.monotonic()
    waiting = "SELECT count(*) FROM keycrm_offer_change"
    wait_for(lambda: not shop.one(waiting), 600, "the outbox", 0.1)
    made = shop.keycrm.requests(path="*/offers", method="PUT")
    return made[-1]["monotonic"] + made[-1]["seconds"] - committed, len(made)


def _use_other_currency(shop: Shop) -> None:
    """Let KeyCRM's currency be another than the company's, at an entered rate."""
    (euro,) = shop.rpc.search("res.currency", ("name", "=", "EUR"), ("active", "in", (True, False)))
    shop.rpc.write("res.currency", euro, active=True)
    shop.rpc.create("res.currency.rate", currency_id=euro, company_rate=0.5)
    shop.rpc.write("keycrm.account", shop.account, keycrm_currency_id=euro)


def _stock_beside_costs(shop: Shop, products: list[int]) -> Row:
    """Count products while all costs wait to be sent, and without that."""
    match_warehouse(shop.rpc, shop.account, stock_zero_limit=100_000, stock_zero_percent=100)
    numbers = iter(range(10, 10_000))

    def count() -> float:
        number = next(numbers)
        since = shop.keycrm.last_request()
        shop.bench("count_products", [products[number]], number)
        wait_for(
            lambda: shop.keycrm.requests(since, method="PUT", path="*/offers/stocks"),
            60,
            "the stock",
            0.02,
        )
        made = shop.keycrm.requests(since, method="PUT", path="*/offers/stocks")
        return float(made[0]["monotonic"] - shop.bench("stamp_of", "count"))

    # What KeyCRM has already would not be sent.
    shop.bench("count_products", products[:100], 5)
    settle(shop, 300)
    alone = [_pause(count) for _ in range(LIVE)]
    beside = []
    for turn in range(LIVE):
        settle(shop, 300)
        shop.rpc.call("product.product", "write", products, {"standard_price": 20.0 + turn})
        # Within the second for which costs are collected, and while they are compared and sent.
        time.sleep(turn % 4 * 0.4)
        beside.append(count())
    return _beside("stock", f"while {len(products):,} costs are converted and sent", alone, beside)


def _orders_beside_creation(environment: Environment) -> Row:
    """Receive orders while products are created under the limit of KeyCRM, and without that."""
    shop = limited_shop(environment)
    wanted = environment.sized(PRODUCTS, 50)
    products = shop.bench("make_products", wanted, "NEW")

    def order() -> float:
        begun = time.monotonic()
        number = shop.keycrm.create_order(lines=[{"offer_id": 1, "quantity": 1}])["id"]
        statement = "SELECT count(*) FROM sale_order WHERE keycrm_id = %s"
        wait_for(lambda: shop.one(statement, number), 60, "the order", 0.02)
        return time.monotonic() - begun

    order()
    since = begin_limit(shop)
    alone = [_pause(order) for _ in range(LIVE)]
    action = shop.rpc.call("product.product", "action_keycrm_create", products)
    shop.rpc.call("keycrm.product.export", "action_start", [action["res_id"]])
    begun = time.monotonic()
    statement = "SELECT state FROM keycrm_product_export WHERE id = %s"
    beside = []
    while shop.one(statement, action["res_id"]) == "running":
        beside.append(_pause(order, ORDER_PAUSE))
    taken = time.monotonic() - begun
    made = [one for one in shop.keycrm.requests(since) if "/offers" in one["path"]]
    created = sum(row["sku"].startswith("NEW") for row in shop.keycrm.offers() if row["sku"])
    what = f"while {wanted} products are created in {taken:.0f} s at 60 requests a minute"
    row = _beside("order", what, alone, beside)
    row.reached = row.reached and created == wanted
    row.details.update(created=created, requests=len(made))
    return row


def _pause(work: Callable[[], float], pause: float = 1.0) -> float:
    time.sleep(pause)
    return work()


def _beside(name: str, what: str, alone: list[float], beside: list[float]) -> Row:
    """Compare live work beside the sending of data with the same work alone."""
    delay = max(beside) - median(alone)
    return Row(
        key=f"writes.{name}_beside",
        what=f"{'quantity changed → request at KeyCRM' if name == 'stock' else 'order'}, {what}",
        baseline=f"p50 {seconds(median(alone))} alone",
        ours=f"p50 {seconds(median(beside))}, worst {seconds(max(beside))}",
        ratio=None,
        goal=f"worst ≤ {ALLOWED_DELAY:g} s more",
        reached=delay <= ALLOWED_DELAY,
        samples=f"{len(alone)}, {len(beside)}",
        details={"alone": alone, "beside": beside},
    )


def _tracking(shop: Shop, number: int) -> float:
    """Return the seconds from the commit to the request."""
    order = shop.keycrm.create_order(
        status_id=4, lines=[{"name": "Шапка", "price": 10, "quantity": 1}]
    )["id"]
    statement = """SELECT p.id FROM stock_picking p JOIN sale_order o ON o.id = p.sale_id
                    WHERE o.keycrm_id = %s"""
    (picking,) = wait_for(lambda: shop.sql(statement, order), 60, "the delivery", 0.1)[0]
    settle(shop, 60)
    shop.keycrm.clear_log()
    shop.rpc.write("stock.picking", picking, carrier_tracking_ref=f"2045{number:04}")
    committed = time.monotonic()
    wait_for(lambda: shop.keycrm.requests(method="PUT"), 60, "the request", 0.05)
    return float(shop.keycrm.requests(method="PUT")[0]["monotonic"] - committed)
