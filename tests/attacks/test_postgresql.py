"""PostgreSQL refuses: statements that take too long, rows that others hold."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import contextmanager

import requests

from bench.environment import Environment
from tests.attacks.orders import new_orders, numbers_in_odoo, unfinished
from tools.waiting import wait_for


def send_webhook(shop, number):
    """Send the webhook of an order.

    :return: the answer's code
    """
    body = {"event": "order.change_order_status", "context": {"id": number}}
    return requests.post(shop.link, json=body, timeout=60).status_code


def restart_with(shop, **settings):
    """Let all connections of Odoo have settings of PostgreSQL, as its administrator sets them."""
    for name, value in settings.items():
        shop.sql(f"ALTER DATABASE \"{shop.odoo.database}\" SET {name} = '{value}'")
    shop.odoo.restart()


@contextmanager
def held(shop, statement, *values):
    """Hold what a statement locks, as a user's long transaction does."""
    connection = shop.environment.runtime.server.connect(shop.odoo.database)
    connection.autocommit = False
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement, values or None)
        yield
    finally:
        connection.close()


def test_statement_timeout_during_an_import(
    environment: Environment, figure: Callable[[str], None]
):
    """Every statement that writes lines is canceled for a while: all orders arrive afterwards, once."""
    shop = environment.shop(sandbox={"offers": 10})
    restart_with(shop, statement_timeout="700ms")
    numbers = new_orders(shop, 20)
    with held(shop, "LOCK TABLE sale_order_line IN SHARE ROW EXCLUSIVE MODE"):
        for number in numbers:
            assert send_webhook(shop, number) == 204
        time.sleep(10)
        assert numbers_in_odoo(shop) == []
    released = time.monotonic()
    wait_for(lambda: not unfinished(shop), 300, "all events worked")
    assert numbers_in_odoo(shop) == numbers
    figure(
        f"20 orders, all there {time.monotonic() - released:.1f} s after statements may end again"
    )


def test_lock_timeout_during_an_import(environment: Environment, figure: Callable[[str], None]):
    """The server's lock_timeout is far shorter than ours, and one order's row is held all the time."""
    shop = environment.shop(sandbox={"offers": 10})
    first, *others = new_orders(shop, 20)
    assert send_webhook(shop, first) == 204
    wait_for(lambda: numbers_in_odoo(shop) == [first] and not unfinished(shop), 120, "one order")
    restart_with(shop, lock_timeout="50ms")
    shop.keycrm.patch_order(first, webhook=False, manager_comment="Зателефонувати")
    with held(shop, "SELECT 1 FROM sale_order WHERE keycrm_id = %s FOR UPDATE", first):
        begun = time.monotonic()
        for number in (first, *others):
            assert send_webhook(shop, number) == 204
        wait_for(lambda: numbers_in_odoo(shop) == [first, *others], 120, "the other orders")
        figure(f"19 orders beside a held one, all there after {time.monotonic() - begun:.1f} s")
    released = time.monotonic()
    wait_for(lambda: not unfinished(shop), 120, "the order that was held")
    figure(f"the held one {time.monotonic() - released:.1f} s after it was let go")
