"""Long row locks of users delay only dependent work, and no scheduler thread."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from tests.system.test_stock_users import goods, matched, shown
from tools import shop

LINES = [{"name": "Кухоль", "price": 100, "quantity": 1}]


@pytest.fixture
def holding(odoo):
    """Hold the locks of a statement in a transaction of another connection."""

    @contextmanager
    def hold(statement, *values):
        connection = odoo.runtime.server.connect(odoo.database)
        connection.autocommit = False
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement, values)
            yield
        finally:
            connection.rollback()
            connection.close()

    return hold


def new_order(account, **fields):
    return account.keycrm.create_order(lines=LINES, **fields)["id"]


def test_locked_order_stops_no_other_order_account_or_stock(
    account, new_account, new_sandbox, rpc, holding, wait_for
):
    other = new_account(new_sandbox(offers=1), name="of the same company")
    (warehouse,) = matched(account, rpc)
    product, offer = goods(account, rpc, "LOCKED")
    locked = new_order(account)
    order = wait_for(lambda: account.order(locked, "keycrm_total"), 60, "the first order")
    row = "SELECT id FROM sale_order WHERE id = %s FOR UPDATE"
    with holding(row, order["id"]):
        (line,) = account.keycrm.order(locked)["answer"]["products"]
        account.keycrm.patch_line(locked, line["id"], price=70)
        account.keycrm.send_webhook(locked)
        numbers = [new_order(account) for _ in range(3)]
        of_other = new_order(other)
        shop.receive(rpc, warehouse, product, 5)
        for number in numbers:
            wait_for(lambda number=number: account.order(number, "name"), 60, "a new order")
        wait_for(lambda: other.order(of_other, "name"), 60, "the other account's order")
        wait_for(lambda: float(shown(account, offer)) == 5, 60, "the stock in KeyCRM")
        # While the lock is held, the event is postponed, and no attempt is counted.
        (event,) = wait_for(
            lambda: rpc.rows(
                "keycrm.event",
                ("keycrm_order_id", "=", locked),
                ("state", "=", "pending"),
                ("error_code", "=", "row_locked"),
                fields=["attempts"],
            )[:1],
            60,
            "the locked order to be deferred",
        )
        assert event["attempts"] == 0
        assert account.order(locked, "keycrm_total")["keycrm_total"] == 100
    wait_for(lambda: account.order(locked, "keycrm_total")["keycrm_total"] == 70, 90, "the change")
    assert not account.read("circuit_error_text")["circuit_error_text"]


def test_company_that_is_busy_for_long_holds_no_thread(account, odoo, rpc, holding, wait_for):
    (warehouse,) = matched(account, rpc)
    product, offer = goods(account, rpc, "BUSY")
    # The offer is mapped before the company is busy.
    shop.receive(rpc, warehouse, product, 1)
    wait_for(lambda: float(shown(account, offer)) == 1, 60, "the stock in KeyCRM")
    company = rpc.read("keycrm.account", account.id, "company_id")["company_id"][0]
    with holding("SELECT pg_advisory_lock(%s, %s)", 0x4B43524D, company):
        number = new_order(account)
        shop.receive(rpc, warehouse, product, 1)
        wait_for(lambda: float(shown(account, offer)) == 2, 60, "the stock in KeyCRM")
        # The lock is requested for a second every few seconds; no thread waits in between.
        waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        wait_for(
            lambda: odoo.runtime.server.query(odoo.database, waiting) == [(0,)],
            30,
            "a moment in which no worker waits for the company",
        )
        assert not account.order(number, "name")
        # Nothing is read that could not be written.
        assert not account.keycrm.requests(path=f"/order/{number}")
    wait_for(lambda: account.order(number, "name"), 60, "the order")


def test_locked_account_stops_nothing_for_good(account, rpc, holding, wait_for):
    # During a user's write of the account webhooks can be stored.
    row = "SELECT id FROM keycrm_account WHERE id = %s FOR NO KEY UPDATE"
    with holding(row, account.id):
        number = new_order(account)
        wait_for(
            lambda: rpc.search("keycrm.event", ("keycrm_order_id", "=", number)), 60, "the event"
        )
    later = new_order(account)
    for order in (number, later):
        wait_for(lambda order=order: account.order(order, "name"), 90, "the order")
    assert not account.read("circuit_error_text")["circuit_error_text"]
