"""Crash at every commit of the workers: nothing is lost or duplicated.

The points are found by a run without a crash: each commit, and each write to KeyCRM between its
answer and the next commit. Then Odoo is killed once at each of them, in a scenario with new records.
"""

from __future__ import annotations

import contextlib
from collections import Counter

import pytest
import requests

from tests.faults.crash_points import CrashPoints, Scenario, names, send_webhook
from tests.faults.crash_server import TIMEOUT, CrashServer, make_polling_due
from tools import shop
from tools.odoo_server import OdooServer


@pytest.fixture(scope="module")
def odoo(crash_server: CrashServer) -> OdooServer:
    return crash_server.odoo


@pytest.fixture
def crash_points(crash_server, eventually):
    return CrashPoints(crash_server, eventually)


class NewOrder(Scenario):
    """Import an order with a new status, buyer, products and payment by one webhook."""

    MIN_POINTS = 20

    def __init__(self, account, odoo):
        super().__init__(account)
        self.odoo = odoo

    def begin(self):
        mark = f"{self.name}-{next(names)}"
        status = 1000 + next(names)
        self.keycrm.put_status(id=status, name=f"Статус {mark}", group_id=3)
        offer = self.keycrm.create_offer(sku=f"SKU-{mark}", name=f"Товар {mark}", price=100)["id"]
        made = self.keycrm.create_order(
            webhook=False,
            status_id=status,
            buyer={
                "full_name": f"Покупець {mark}",
                "phone": f"+38067{next(names):07}",
                "company": f"Фірма {mark}",
            },
            lines=[
                {"offer_id": offer, "quantity": 2},
                {"name": f"Разовий {mark}", "price": 30, "quantity": 1},
            ],
            payments=[{"amount": 230, "status": "paid", "payment_method_id": 1}],
        )
        # The process may crash before it answers.
        with contextlib.suppress(requests.ConnectionError):
            send_webhook(self.account, made["id"])
        return mark, made["id"]

    def after_crash(self, token):
        make_polling_due(self.odoo)
        return True

    def is_done(self, token):
        return self.account.order(token[1], "id") and not self.unfinished_events()

    def check(self, token):
        mark, number = token
        of_account = ("account_id", "=", self.account.id)
        once = {
            "order": self.count(
                "sale.order",
                ("keycrm_account_id", "=", self.account.id),
                ("keycrm_id", "=", number),
            ),
            "product": self.count("product.product", ("default_code", "=", f"SKU-{mark}")),
            "one-off product": self.count("product.product", ("name", "=", f"Разовий {mark}")),
            "offer": self.count("keycrm.offer", of_account, ("sku", "=", f"SKU-{mark}")),
            "buyer": self.count(
                "res.partner", ("name", "=", f"Покупець {mark}"), ("type", "=", "contact")
            ),
            "company": self.count("res.partner", ("name", "=", f"Фірма {mark}")),
            "status": self.count(
                "keycrm.order.status", of_account, ("name", "=", f"Статус {mark}")
            ),
        }
        assert set(once.values()) == {1}, once
        order = self.account.order(number, "amount_total", "state", "name")
        assert (shop.money(order["amount_total"]), order["state"]) == ("230.00", "sale")
        payments = self.rpc.rows(
            "keycrm.payment",
            ("sale_order_id", "=", order["id"]),
            fields=["payment_id", "problem", "amount"],
        )
        assert [(shop.money(row["amount"]), row["problem"]) for row in payments] == [
            ("230.00", False)
        ]
        assert payments[0]["payment_id"]
        assert self.count("account.payment", ("memo", "like", order["name"])) == 1
        assert [row for row in self.keycrm.requests() if row["method"] != "GET"] == []


def test_crash_anywhere_in_an_order_import_creates_each_record_once(
    crash_points, new_account, sandbox
):
    account = new_account(sandbox, request_limit=100000, import_payments=True)
    sandbox.control.set_switches(rate_limit=0)
    shop.use_currency(account.rpc, account.id)
    journal = account.rpc.search("account.journal", ("type", "=", "bank"), limit=1)
    account.write(payment_journal_id=journal[0])
    crash_points.crash_at_each(NewOrder(account, crash_points.server.odoo))


class Goods(Scenario):
    """Receive goods and send the quantity to KeyCRM."""

    MIN_POINTS = 28

    def __init__(self, account, warehouse):
        super().__init__(account)
        self.warehouse = warehouse

    def begin(self):
        mark = f"G{self.name}-{next(names)}"
        offer = self.keycrm.create_offer(sku=mark, stock={1: 0})["id"]
        product = self.rpc.create("product.product", name=mark, default_code=mark, is_storable=True)
        self.keycrm.clear_log()
        shop.receive(self.rpc, self.warehouse, product, 7)
        return product, offer

    def is_done(self, token):
        product, offer = token
        odoo = shop.on_hand(self.rpc, product, [self.warehouse])
        shown = self.keycrm.stock(offer)["warehouses"]["1"]["quantity"]
        waiting = self.count("keycrm.stock.change", ("account_id", "=", self.account.id))
        return shop.number(shown) == shop.number(odoo) == "7" and not waiting

    def check(self, token):
        offer = token[1]
        sent = [
            (row["body"]["warehouse_id"], stock["quantity"])
            for row in self.keycrm.requests(method="PUT")
            for stock in row["body"]["stocks"]
            if stock["id"] == offer
        ]
        # A single repeated PUT is harmless: the number is absolute.
        assert set(sent) == {(1, 7)} and len(sent) <= 2, sent
        others = {
            (stock["id"], stock["quantity"])
            for row in self.keycrm.requests(method="PUT")
            for stock in row["body"]["stocks"]
            if stock["id"] != offer
        }
        assert not others, f"sent again although KeyCRM has it: {others}"


def sending_account(new_account, sandbox, **values):
    account = new_account(sandbox, request_limit=100000, **values)
    sandbox.control.set_switches(rate_limit=0)
    warehouse = account.rpc.create("stock.warehouse", name=f"W{account.id}", code=f"W{account.id}")
    account.rpc.create(
        "keycrm.warehouse",
        account_id=account.id,
        keycrm_id=1,
        name="Main",
        warehouse_ids=[(6, 0, [warehouse])],
    )
    account.write(push_stock=True, warehouse_id=warehouse)
    return account, warehouse


def test_crash_anywhere_in_a_stock_export_ends_with_equal_quantities(
    crash_points, new_account, sandbox
):
    account, warehouse = sending_account(new_account, sandbox)
    crash_points.crash_at_each(Goods(account, warehouse))


class Delivery(Scenario):
    """Ship an order and send its new status to KeyCRM."""

    def __init__(self, account, warehouse):
        super().__init__(account)
        self.warehouse = warehouse

    def begin(self):
        made = self.keycrm.create_order(
            webhook=False, status_id=4, lines=[{"name": "Шапка", "price": 10, "quantity": 1}]
        )
        number = made["id"]
        send_webhook(self.account, number)
        return number

    def ship(self, number, eventually):
        eventually(lambda: self.account.order(number, "picking_ids"), TIMEOUT, "the order")
        order = self.account.order(number, "picking_ids")
        for move in self.rpc.search("stock.move", ("picking_id", "in", order["picking_ids"])):
            self.rpc.write("stock.move", move, quantity=1, picked=True)
        self.keycrm.clear_log()
        self.rpc.call("stock.picking", "button_validate", order["picking_ids"])


def test_crash_after_sending_a_status_does_not_send_it_twice(
    crash_points, crash_server, new_account, sandbox, eventually
):
    account, warehouse = sending_account(new_account, sandbox)
    account.write(delivered_status_id=shop.status_ids(account.rpc, account.id, 7)[0])
    scenario = Delivery(account, warehouse)
    for point in (
        "answered PUT /order/*",
        "before order_update_sender._change < order_update_sender._process",
    ):
        number = scenario.begin()
        eventually(lambda n=number: account.order(n, "id"), TIMEOUT, "the order")
        crash_server.plan_crash(point)
        scenario.ship(number, eventually)
        eventually(crash_server.has_crashed, TIMEOUT, f"the crash at {point}")
        crash_server.restart()
        # KeyCRM already has the status: the restarted worker reads it before it sends.
        eventually(
            lambda n=number: (
                crash_server.notify_scheduler()
                or account.rpc.rows(
                    "keycrm.order.update",
                    ("account_id", "=", account.id),
                    ("sale_order_id.keycrm_id", "=", n),
                    ("state", "=", "done"),
                    fields=["state"],
                )
            ),
            TIMEOUT,
            "the status recorded as sent",
        )
        sent = [
            row
            for row in sandbox.control.requests(method="PUT", path="/order/*")
            if row["path"].endswith(f"/{number}")
        ]
        assert [row["body"]["status_id"] for row in sent] == [7]
        assert sandbox.control.order(number)["answer"]["status_id"] == 7


class Synchronization(Scenario):
    """Import two pages of orders with "Synchronize orders"."""

    MIN_POINTS = 14

    ORDERS = 60

    def begin(self):
        for number in self.keycrm.order_ids():
            self.keycrm.delete_order(number)
        self.numbers = [
            self.keycrm.create_order(
                webhook=False, lines=[{"name": "Свічка", "price": 10, "quantity": 1}]
            )["id"]
            for _ in range(self.ORDERS)
        ]
        statuses = shop.status_ids(self.rpc, self.account.id, 1)
        sync = self.rpc.create(
            "keycrm.order.sync", account_id=self.account.id, status_ids=[(6, 0, statuses)]
        )
        self.rpc.call("keycrm.order.sync", "action_start", [sync])
        return sync

    def is_done(self, sync):
        state = self.rpc.read("keycrm.order.sync", sync, "state")["state"]
        return state == "done" and not self.unfinished_events()

    def check(self, sync):
        row = self.rpc.read("keycrm.order.sync", sync, "done_count", "failed_count")
        assert (row["done_count"], row["failed_count"]) == (self.ORDERS, 0)
        found = self.rpc.rows(
            "sale.order",
            ("keycrm_account_id", "=", self.account.id),
            ("keycrm_id", "in", self.numbers),
            fields=["keycrm_id"],
        )
        assert Counter(order["keycrm_id"] for order in found) == Counter(self.numbers)
        assert self.count("product.product", ("name", "=", "Свічка")) == 1


def test_crash_anywhere_in_a_synchronization_imports_each_order_once(
    crash_points, new_account, sandbox
):
    account = new_account(sandbox, request_limit=100000)
    sandbox.control.set_switches(rate_limit=0)
    crash_points.crash_at_each(
        Synchronization(account),
        only=("order_writer.write_orders", "_run_bisecting", "order_synchronization"),
    )


class Catalog(Scenario):
    """Import the catalog: two pages of offers."""

    MIN_POINTS = 12

    OFFERS = 60

    def begin(self):
        for offer in self.keycrm.offers():
            self.keycrm.delete_offer(offer["id"])
        self.skus = [f"C{self.name}-{next(names)}" for _ in range(self.OFFERS)]
        for sku in self.skus:
            self.keycrm.create_offer(sku=sku, name=f"Товар {sku}", price=5)
        job = self.rpc.create("keycrm.product.import", account_id=self.account.id)
        self.rpc.call("keycrm.product.import", "action_start", [job])
        return job

    def is_done(self, job):
        return self.rpc.read("keycrm.product.import", job, "state")["state"] == "done"

    def check(self, job):
        row = self.rpc.read("keycrm.product.import", job, "done_count", "created_count")
        assert (row["done_count"], row["created_count"]) == (self.OFFERS, self.OFFERS)
        found = self.rpc.rows(
            "product.product", ("default_code", "in", self.skus), fields=["default_code"]
        )
        assert Counter(product["default_code"] for product in found) == Counter(self.skus)


def test_crash_anywhere_in_a_catalog_import_creates_each_product_once(
    crash_points, new_account, sandbox
):
    account = new_account(sandbox, request_limit=100000)
    sandbox.control.set_switches(rate_limit=0)
    crash_points.crash_at_each(Catalog(account), only=("product_import",))


def test_order_that_crashes_the_process_each_time_is_isolated(
    crash_server, new_account, sandbox, eventually
):
    account = new_account(sandbox, request_limit=100000)
    crashing, good = (
        account.keycrm.create_order(
            webhook=False, lines=[{"name": "Шапка", "price": 10, "quantity": 1}]
        )["id"]
        for _ in range(2)
    )
    of_account = ("account_id", "=", account.id)
    crash_server.crash_on_answer(f"/order/{crashing}")
    for number in (crashing, good):
        assert send_webhook(account, number).status_code == 204
    eventually(
        lambda: crash_server.notify_scheduler() or account.order(good, "id"),
        2 * TIMEOUT,
        "the order behind the crashing one",
    )
    (event,) = account.rpc.rows(
        "keycrm.event",
        of_account,
        ("keycrm_order_id", "=", crashing),
        fields=["state", "attempts", "error", "error_code"],
    )
    assert (event["state"], event["attempts"]) == ("failed", 1)
    assert event["error_code"] == "worker_died"
    assert "process stopped" in event["error"]
    crash_server.crash_on_answer("")
    account.rpc.call(
        "keycrm.event",
        "action_retry",
        account.rpc.search("keycrm.event", of_account, ("keycrm_order_id", "=", crashing)),
    )
    eventually(
        lambda: crash_server.notify_scheduler() or account.order(crashing, "id"),
        2 * TIMEOUT,
        "the crashing order",
    )
