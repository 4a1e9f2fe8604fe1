"""A full disk: of the database's tables, of all of PostgreSQL, of Odoo's files."""

from __future__ import annotations

import time
import xmlrpc.client
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import requests

from bench.environment import Environment, Shop
from tests.attacks.orders import connected_shop, numbers_in_odoo, unfinished, wait_for_level
from tests.attacks.small_disk import give_to_postgresql, small_disk
from tools import shop as setup
from tools.waiting import wait_for

#: Orders of which KeyCRM notifies Odoo while the disk is full.
ORDERS = 120
#: Each body of a webhook is as long as that of a shop which uses all fields.
PADDING = "коментар " * 200
#: Seconds for which the disk stays full.
FULL_SECONDS = 40


def sample_orders(shop: Shop, count: int) -> list[int]:
    """Create orders in KeyCRM, each with a new buyer and a new product, without notifying Odoo.

    :return: their numbers
    """
    return [
        shop.keycrm.create_order(
            webhook=False,
            buyer={"full_name": f"Покупець {place}", "phone": f"+38067{place:07}"},
            lines=[
                {"name": f"Кухоль {place}", "sku": f"DISK-{place}", "price": 100, "quantity": 2},
                {"offer_id": 1, "quantity": 1},
            ],
        )["id"]
        for place in range(count)
    ]


def notify(shop: Shop, number: int) -> int:
    """Send the webhook of an order.

    :return: the status of the answer, 0 without one
    """
    context = {"id": number, "manager_comment": PADDING}
    body = {"event": "order.change_order_status", "context": context}
    try:
        return requests.post(shop.link, json=body, timeout=60).status_code
    except requests.RequestException:
        return 0


def receipts(shop: Shop, warehouse: int, product: int, count: int) -> int:
    """Receive a unit several times.

    :return: how many receipts Odoo refused
    """
    refused = 0
    for _ in range(count):
        try:
            setup.receive(shop.rpc, warehouse, product, 1)
        except (xmlrpc.client.Error, OSError):
            refused += 1
    return refused


def half_orders(shop: Shop) -> list[tuple]:
    """Return the orders that lack a line or KeyCRM's total."""
    return shop.sql(
        """SELECT keycrm_id, amount_total, keycrm_total FROM sale_order sale
            WHERE keycrm_id > 0 AND (round(amount_total, 2) <> round(keycrm_total::numeric, 2)
               OR 1 > (SELECT count(*) FROM sale_order_line line WHERE line.order_id = sale.id))"""
    )


def doubles(shop: Shop) -> list[tuple]:
    """Return what exists twice: products by SKU, mappings of buyers."""
    return shop.sql(
        """SELECT default_code FROM product_product WHERE default_code LIKE 'DISK-%%'
         GROUP BY 1 HAVING count(*) > 1
            UNION ALL
           SELECT keycrm_id::text FROM keycrm_buyer GROUP BY 1 HAVING count(*) > 1"""
    )


def assert_no_secret(shop: Shop, *logs: Path) -> None:
    """Check that no log holds the key or the token."""
    for log in (shop.odoo.log, *logs):
        text = log.read_text(errors="replace")
        assert shop.sandbox.key not in text
        assert shop.link.rsplit("/", 1)[1] not in text


def assert_recovers(
    shop: Shop,
    accepted: list[int],
    numbers: list[int],
    goods: tuple[int, int],
    figure: Callable[[str], None],
) -> None:
    """Check that all orders and the right stock arrive by themselves, now that there is room."""
    released = time.monotonic()
    wait_for(lambda: set(accepted) <= set(numbers_in_odoo(shop)), 300, "each accepted order")
    taken = time.monotonic() - released
    wait_for(
        lambda: set(numbers) <= set(numbers_in_odoo(shop)) and not unfinished(shop),
        300,
        "the orders that polling finds",
    )
    everything = time.monotonic() - released
    wait_for_level(shop, *goods)
    figure(
        f"with space again: the {len(accepted)} accepted orders after {taken:.0f} s, all "
        f"{len(numbers)} after {everything:.0f} s"
    )
    in_odoo = numbers_in_odoo(shop)
    assert len(in_odoo) == len(set(in_odoo))
    assert half_orders(shop) == []
    assert doubles(shop) == []
    wait_for(lambda: not state(shop)["circuit_error_text"], 120, "the account without a problem")
    assert state(shop)["overview_state"] == "connected"


def state(shop: Shop) -> dict:
    """Return what the account and its overview say."""
    return shop.rpc.read("keycrm.account", shop.account, "circuit_error_text", "overview_state")


def test_disk_of_the_tables_is_full(environment: Environment, figure: Callable[[str], None]):
    """Tables cannot grow, while orders and goods come in."""
    query = environment.runtime.server.query
    with small_disk(environment.runtime.folder / "small", 400) as disk:
        give_to_postgresql(disk.path)
        database = environment.database()
        query("postgres", f"CREATE TABLESPACE small LOCATION '{disk.path}'")
        query("postgres", f'ALTER DATABASE "{database}" SET TABLESPACE small')
        try:
            shop, *goods = connected_shop(environment, database=database)
            numbers = sample_orders(shop, ORDERS)
            disk.fill()
            accepted = [number for number in numbers if notify(shop, number) == 204]
            refused = receipts(shop, *goods, 5)
            time.sleep(FULL_SECONDS)
            shown, there = state(shop), numbers_in_odoo(shop)
            figure(
                f"full for {FULL_SECONDS} s: {len(accepted)} of {ORDERS} webhooks accepted, "
                f"{len(there) - 1} orders written, {refused} of 5 receipts refused"
            )
            assert len(accepted) < ORDERS
            assert half_orders(shop) == []
            assert "disk is full" in shown["circuit_error_text"]
            assert shown["overview_state"] == "problem"
            disk.make_room()
            assert_recovers(shop, accepted, numbers, (goods[0], goods[1]), figure)
            assert_no_secret(shop, environment.runtime.folder / "pg" / "postgres.log")
        finally:
            environment.clear()
            query("postgres", "DROP TABLESPACE small")


def test_disk_of_postgresql_is_full(environment: Environment, figure: Callable[[str], None]):
    """PostgreSQL itself ends for want of space for its log, and is started again once there is some."""
    runtime = environment.runtime
    if runtime.postgres is None:
        pytest.skip("an existing server is not ours to stop")
    database = environment.database()
    # As in a real database: what Odoo answered is in the log, also when PostgreSQL ends.
    runtime.server.query("postgres", "ALTER SYSTEM SET synchronous_commit = on")
    runtime.postgres.stop()
    try:
        with small_disk(runtime.postgres.data / "pg_wal", 200) as disk:
            give_to_postgresql(disk.path)
            runtime.postgres.start()
            try:
                shop, *goods = connected_shop(environment, database=database)
                numbers = sample_orders(shop, ORDERS)
                disk.fill()
                accepted = [number for number in numbers if notify(shop, number) == 204]
                ended = _write_until_the_end(environment, database)
                refused = receipts(shop, *goods, 3)
                lost = [number for number in numbers if notify(shop, number) == 204]
                figure(
                    f"PostgreSQL ended: {ended}, {refused} of 3 receipts refused, {len(lost)} × 204"
                )
                assert not lost
                time.sleep(FULL_SECONDS)
                disk.make_room()
                runtime.postgres.kill()
                runtime.postgres.start()
                shop.odoo.restart()  # its scheduler threads may have ended with their connections
                shop = Shop(environment, shop.odoo, shop.rpc, shop.sandbox, shop.account, shop.link)
                assert_recovers(shop, accepted, numbers, (goods[0], goods[1]), figure)
                assert_no_secret(shop, runtime.postgres.folder / "postgres.log")
            finally:
                disk.make_room()
                runtime.postgres.kill()
                runtime.postgres.start()
                environment.clear()
                runtime.server.query("postgres", "ALTER SYSTEM RESET synchronous_commit")
                runtime.postgres.stop()
    finally:
        runtime.postgres.start()


def test_disk_of_odoos_files_is_full(environment: Environment, figure: Callable[[str], None]):
    """Odoo cannot store a file, while orders with pictures come in."""
    database = environment.database()
    with small_disk(environment.runtime.databases.files(database), 100) as disk:
        shop, *goods = connected_shop(environment, database=database)
        shop.rpc.write("keycrm.account", shop.account, picture_hosts="cdn.example.com")
        disk.fill()
        offer = shop.keycrm.create_offer(
            name="Річ", sku="PICTURE", thumbnail_url="https://cdn.example.com/a.png"
        )["id"]
        number = shop.keycrm.create_order(lines=[{"offer_id": offer, "quantity": 1}])["id"]
        numbers = sample_orders(shop, 20)
        accepted = [number for number in numbers if notify(shop, number) == 204]
        assert accepted == numbers
        begun = time.monotonic()
        wait_for(
            lambda: {number, *numbers} <= set(numbers_in_odoo(shop)), 120, "orders on a full disk"
        )
        refused = receipts(shop, *goods, 5)
        wait_for_level(shop, *goods)
        figure(
            f"{len(numbers) + 1} orders in {time.monotonic() - begun:.1f} s, {refused} of 5 receipts "
            "refused, the picture waits"
        )
        wait_for(lambda: "Odoo's files" in state(shop)["circuit_error_text"], 60, "the notice")
        assert shop.one("SELECT picture_state FROM keycrm_offer WHERE keycrm_id = %s", offer) == (
            "wanted"
        )
        assert half_orders(shop) == []
        assert_no_secret(shop)
        environment.clear()


def _write_until_the_end(environment: Environment, database: str) -> str:
    """Write to the database until PostgreSQL cannot.

    :return: the kind of error
    """
    try:
        with (
            closing(environment.runtime.server.connect(database)) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute("CREATE TABLE attack_filler AS SELECT repeat('x', 2000) FROM ir_model")
            for _ in range(30):
                cursor.execute("INSERT INTO attack_filler SELECT * FROM attack_filler LIMIT 50000")
    except Exception as error:
        return f"{type(error).__name__} {str(error).splitlines()[0]}"
    return "not at all"
