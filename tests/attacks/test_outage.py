"""KeyCRM is unavailable for minutes: how soon everything is right once it is back."""

from __future__ import annotations

import time
from collections.abc import Callable

from bench.environment import Environment
from tests.attacks.orders import LINE, connected_shop, numbers_in_odoo, wait_for_level
from tools import shop as setup
from tools.waiting import wait_for

#: Seconds without KeyCRM, long enough for the longest pause.
OUTAGE = 200
#: Seconds within which orders and stock are right afterwards.
BOUND = 90


def test_orders_and_stock_are_right_soon_after_an_outage(
    environment: Environment, figure: Callable[[str], None]
):
    """Each connection is closed while orders and goods come in."""
    shop, warehouse, product = connected_shop(environment)
    shop.keycrm.add_fault("close", times=None)
    last = shop.keycrm.last_request()
    numbers = []
    for _ in range(10):
        numbers.append(shop.keycrm.create_order(lines=[LINE])["id"])
        setup.receive(shop.rpc, warehouse, product, 1)
        time.sleep(OUTAGE / 10)
    probes = len(shop.keycrm.requests(last))
    shop.keycrm.clear_faults()
    begun = time.monotonic()
    wait_for(lambda: set(numbers) <= set(numbers_in_odoo(shop)), 300, "the orders")
    orders = time.monotonic() - begun
    wait_for_level(shop, warehouse, product)
    stock = time.monotonic() - begun
    figure(
        f"after {OUTAGE} s without KeyCRM, in which {probes} requests were tried: 10 orders {orders:.0f} s "
        f"later, the stock {stock:.0f} s later"
    )
    assert orders <= BOUND
    assert stock <= BOUND
