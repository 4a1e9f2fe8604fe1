"""Orders on both sides of a shop."""

from __future__ import annotations

from bench.environment import Shop

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
    """Make orders in KeyCRM, of which no webhook tells.

    :return: their numbers, sorted
    """
    return sorted(shop.keycrm.create_order(webhook=False, lines=[LINE])["id"] for _ in range(count))


def unfinished(shop: Shop) -> int:
    """:return: number of events that are not worked"""
    return shop.one("SELECT count(*) FROM keycrm_event WHERE state IN ('pending', 'failed')")
