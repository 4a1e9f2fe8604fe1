"""Shops to attack, and orders on both sides of them."""

from __future__ import annotations

from typing import Any

from bench.environment import Environment, Shop
from bench.steps import match_warehouse, settle
from tools import shop as setup
from tools.waiting import wait_for

LINE = {"name": "Кухоль", "price": 100, "quantity": 2}


def numbers_in_odoo(shop: Shop) -> list[int]:
    """:return: KeyCRM's numbers of the account's orders in Odoo, sorted; a double one twice"""
    return sorted(
        number
        for (number,) in shop.sql(
            "SELECT keycrm_id FROM sale_order WHERE keycrm_account_id = %s AND keycrm_id > 0",
            shop.account,
        )
    )


def new_orders(shop: Shop, count: int) -> list[int]:
    """Create orders in KeyCRM without webhooks.

    :return: their numbers, sorted
    """
    return sorted(shop.keycrm.create_order(webhook=False, lines=[LINE])["id"] for _ in range(count))


def unfinished(shop: Shop) -> int:
    """:return: number of events that are not worked"""
    return shop.one("SELECT count(*) FROM keycrm_event WHERE state IN ('pending', 'failed')")


def connected_shop(environment: Environment, **options: Any) -> tuple[Shop, int, int]:
    """Start a shop with stock export and a product on hand, all of it synchronized.

    :param options: of the shop
    :return: the shop, Odoo's warehouse, the product of the first offer
    """
    shop = environment.shop(sandbox={"offers": 10}, **{"account": {"poll_minutes": 1}, **options})
    warehouse = match_warehouse(shop.rpc, shop.account)
    first = shop.keycrm.create_order(lines=[{"offer_id": 1, "quantity": 1}])["id"]
    wait_for(lambda: numbers_in_odoo(shop) == [first], 60, "the first order")
    offer = shop.rpc.rows("keycrm.offer", ("keycrm_id", "=", 1), fields=["product_id"])[0]
    product = offer["product_id"][0]
    setup.receive(shop.rpc, warehouse, product, 5)
    settle(shop)
    wait_for_level(shop, warehouse, product)
    return shop, warehouse, product


def wait_for_level(shop: Shop, warehouse: int, product: int) -> None:
    """Wait until KeyCRM shows Odoo's stock of the first offer's product."""

    def is_level() -> bool:
        shown = shop.keycrm.stock(1)["warehouses"].get("1", {"quantity": 0})["quantity"]
        return float(shown) == float(setup.on_hand(shop.rpc, product, [warehouse]))

    wait_for(is_level, 240, "the stock in KeyCRM")
