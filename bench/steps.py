"""Shared steps of benchmarks: synchronize a period, map a catalog, read memory."""

from __future__ import annotations

import os
import time
from datetime import datetime, timedelta
from typing import Any

import requests

from tools import shop as setup
from tools.rpc import Rpc
from tools.waiting import wait_for

from .environment import Environment, Shop

#: Creation time of the newest seeded order, and the interval between two: see sandbox/seed.py.
NEWEST = datetime(2026, 8, 1, 12, 0)
STEP = timedelta(minutes=7)
#: Statuses of the sandbox whose orders become quotations or confirmed orders.
QUOTATION, CONFIRM = 1, 4


def span(first: int, count: int, total: int) -> tuple[str, str]:
    """Return the period in which some of the seeded orders were created.

    :param first: index of the first one, oldest first
    :param count: number of orders
    :param total: number of seeded orders
    :return: from and until, in Odoo's format
    """
    begin = NEWEST - STEP * (total - 1 - first) - timedelta(minutes=3)
    return str(begin), str(begin + STEP * count)


def catalog(shop: Shop) -> None:
    """Import the whole catalog before anything is measured."""
    load = shop.rpc.create("keycrm.product.import", account_id=shop.account)
    shop.rpc.call("keycrm.product.import", "action_start", [load])
    wait_for(
        lambda: shop.one("SELECT state FROM keycrm_product_import WHERE id = %s", load) == "done",
        600,
        "the catalog",
    )


def map_every_other_buyer(shop: Shop) -> None:
    """Map half of the buyers to contacts with KeyCRM's values, as earlier orders do."""
    page, more = 1, True
    while more:
        answer = requests.get(
            f"{shop.sandbox.api_url}/buyer",
            {"limit": 50, "page": page},
            headers={"Authorization": f"Bearer {shop.sandbox.key}"},
            timeout=60,
        ).json()
        buyers = [
            (
                buyer["id"],
                {
                    "name": buyer["full_name"],
                    "phone": (buyer["phone"] or [False])[0],
                    "email": (buyer["email"] or [False])[0],
                },
            )
            for buyer in answer["data"]
            if buyer["id"] % 2
        ]
        shop.bench("map_buyers", shop.account, buyers)
        page, more = page + 1, bool(answer["next_page_url"])


def synchronize(shop: Shop, statuses: list[int], dates: tuple[str, str] | None = None) -> int:
    """Start "Synchronize orders".

    :param statuses: KeyCRM's numbers
    :param dates: from and until
    :return: the synchronization's id
    """
    values: dict[str, Any] = {"shipped_if_written_off": False, "shipped_status_ids": [(6, 0, [])]}
    if dates:
        values.update(date_from=dates[0][:19], date_to=dates[1][:19])
    ids = setup.status_ids(shop.rpc, shop.account, *statuses)
    sync = shop.rpc.create(
        "keycrm.order.sync", account_id=shop.account, status_ids=[(6, 0, ids)], **values
    )
    shop.rpc.call("keycrm.order.sync", "write", [sync], values)
    shop.rpc.call("keycrm.order.sync", "action_start", [sync])
    return sync


def wait_synchronized(shop: Shop, sync: int, timeout: float = 1800) -> dict[str, int]:
    """Wait until a synchronization is done.

    :return: its counts
    """
    statement = """SELECT state, done_count, created_count, updated_count, failed_count
                     FROM keycrm_order_sync WHERE id = %s"""
    wait_for(lambda: shop.sql(statement, sync)[0][0] == "done", timeout, "the synchronization", 0.1)
    names = ("done", "created", "updated", "failed")
    return dict(zip(names, shop.sql(statement, sync)[0][1:], strict=True))


def settle(shop: Shop, seconds: float = 120) -> None:
    """Wait until no scheduled action is due."""
    # A trigger is deleted when its action is done, except that of an inactive action. One that is due
    # a moment later belongs to changes that are being debounced.
    statement = """SELECT count(*) FROM ir_cron_trigger due JOIN ir_cron cron ON cron.id = due.cron_id
                    WHERE cron.active AND due.call_at <= now() + interval '5 seconds'"""
    wait_for(
        lambda: not shop.one(statement),
        seconds,
        "the scheduled actions to finish",
        0.1,
    )
    time.sleep(0.2)


def match_warehouse(rpc: Rpc, account: int, **values: Any) -> int:
    """Map KeyCRM's first warehouse to Odoo's first one and enable stock export.

    :param values: further fields of the account
    :return: the Odoo warehouse
    """
    warehouse = rpc.search("stock.warehouse", limit=1)[0]
    found = rpc.search("keycrm.warehouse", ("account_id", "=", account), ("keycrm_id", "=", 1))
    if found:
        rpc.write("keycrm.warehouse", found[0], warehouse_ids=[(6, 0, [warehouse])])
    else:
        rpc.create(
            "keycrm.warehouse",
            account_id=account,
            keycrm_id=1,
            name="Main",
            warehouse_ids=[(6, 0, [warehouse])],
        )
    rpc.write("keycrm.account", account, push_stock=True, **values)
    return warehouse


def put_latency(shop: Shop, stamp: str, since: int) -> float:
    """Wait until KeyCRM accepts a stock PUT.

    :param stamp: name of Odoo's commit, see ``stamp_of`` of the benchmark addon
    :param since: the last request before it
    :return: seconds from the commit to the request
    """

    def accepted() -> list[dict[str, Any]]:
        found = shop.keycrm.requests(since, method="PUT", path="*/offers/stocks")
        # A request that is still being answered has no status.
        return [one for one in found if one["status"] and one["status"] < 300]

    return wait_for(accepted, 60, "the PUT", every=0.02)[0]["monotonic"] - shop.bench(
        "stamp_of", stamp
    )


def resident(pid: int) -> int:
    """Return the resident memory of a process, without its children.

    :param pid: process id
    :return: bytes
    """
    with open(f"/proc/{pid}/statm") as file:
        return int(file.read().split()[1]) * 4096


def processor(pid: int) -> float:
    """Return the processor time of a process so far, without its children.

    :param pid: process id
    :return: seconds
    """
    with open(f"/proc/{pid}/stat") as file:
        # The process's name, in parentheses, may contain spaces.
        user, system = file.read().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def limited_shop(environment: Environment) -> Shop:
    """Connect an Odoo process to a sandbox whose catalog it has imported."""
    shop = environment.shop(sandbox={"offers": 500})
    catalog(shop)
    settle(shop, 180)
    return shop


def begin_limit(shop: Shop, limit: int = 60) -> int:
    """Enable the rate limit with an empty window; the account's is KeyCRM's usual one.

    :param limit: requests a minute that KeyCRM allows
    :return: the last request before it
    """
    shop.rpc.write("keycrm.account", shop.account, request_limit=60)
    time.sleep(62)
    shop.keycrm.set_switches(rate_limit=limit)
    return shop.keycrm.last_request()
