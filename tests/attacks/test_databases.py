"""Two databases in one Odoo with worker processes: each has its own orders, stock and limit."""

from __future__ import annotations

import time
from collections.abc import Callable

import requests

from bench.environment import NO_LIMIT, Environment, Shop
from tests.attacks.orders import new_orders, numbers_in_odoo
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
