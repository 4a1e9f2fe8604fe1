"""kill -9 at every commit of the workers: nothing is lost, nothing is there twice.

The points are found by a run in which nothing dies: each commit, and each write to KeyCRM between its
answer and the next commit. Then each of them kills Odoo once, with work of its own.
"""

from __future__ import annotations

import contextlib
from collections import Counter

import pytest
import requests

from tests.faults.crash_points import CrashPoints, Work, names, tell
from tests.faults.crash_server import LONG, CrashServer
from tools import shop
from tools.odoo_server import OdooServer


@pytest.fixture(scope="module")
def odoo(deaths: CrashServer) -> OdooServer:
    return deaths.odoo


@pytest.fixture
def kills(deaths, eventually):
    return CrashPoints(deaths, eventually)


class NewOrder(Work):
    """An order with everything new: status, buyer, products, payment; told by one webhook."""

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
        # It may die before it can answer.
        with contextlib.suppress(requests.ConnectionError):
            tell(self.account, made["id"])
        return mark, made["id"]

    def after_death(self, token):
        """No webhook comes again, as far as is known: what was lost is found by asking."""
        self.account.write(polled_at="2020-01-01 00:00:00")
        return True

    def is_done(self, token):
        return self.account.order(token[1], "id") and not self.unworked()

    def check(self, token):
        mark, number = token
        ours = ("account_id", "=", self.account.id)
        once = {
            "order": self.count(
                "sale.order",
                ("keycrm_account_id", "=", self.account.id),
                ("keycrm_id", "=", number),
            ),
            "product": self.count("product.product", ("default_code", "=", f"SKU-{mark}")),
            "one-off product": self.count("product.product", ("name", "=", f"Разовий {mark}")),
            "offer": self.count("keycrm.offer", ours, ("sku", "=", f"SKU-{mark}")),
            "buyer": self.count(
                "res.partner", ("name", "=", f"Покупець {mark}"), ("type", "=", "contact")
            ),
            "company": self.count("res.partner", ("name", "=", f"Фірма {mark}")),
            "status": self.count("keycrm.order.status", ours, ("name", "=", f"Статус {mark}")),
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


def test_a_kill_anywhere_on_the_way_of_an_order_gives_one_of_everything(
    kills, new_account, sandbox
):
    account = new_account(sandbox, request_limit=100000, import_payments=True)
    sandbox.control.set_switches(rate_limit=0)
    shop.use_currency(account.rpc, account.id)
    journal = account.rpc.search("account.journal", ("type", "=", "bank"), limit=1)
    account.write(payment_journal_id=journal[0])
    kills.at_all(NewOrder(account))


class Goods(Work):
    """Goods are received, and KeyCRM is told how many there are."""

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
        # Repeated at most once, and then the same absolute number: harmless.
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


def test_a_kill_anywhere_on_the_way_of_stock_ends_with_equal_numbers(kills, new_account, sandbox):
    account, warehouse = sending_account(new_account, sandbox)
    kills.at_all(Goods(account, warehouse))


class Delivery(Work):
    """An order is shipped, and KeyCRM is told its new status."""

    def __init__(self, account, warehouse):
        super().__init__(account)
        self.warehouse = warehouse

    def begin(self):
        made = self.keycrm.create_order(
            webhook=False, status_id=4, lines=[{"name": "Шапка", "price": 10, "quantity": 1}]
        )
        number = made["id"]
        tell(self.account, number)
        return number

    def ship(self, number, eventually):
        eventually(lambda: self.account.order(number, "picking_ids"), LONG, "the order")
        order = self.account.order(number, "picking_ids")
        for move in self.rpc.search("stock.move", ("picking_id", "in", order["picking_ids"])):
            self.rpc.write("stock.move", move, quantity=1, picked=True)
        self.keycrm.clear_log()
        self.rpc.call("stock.picking", "button_validate", order["picking_ids"])


def test_a_kill_after_telling_a_status_does_not_tell_it_twice(
    kills, deaths, new_account, sandbox, eventually
):
    account, warehouse = sending_account(new_account, sandbox)
    account.write(delivered_status_id=shop.status_ids(account.rpc, account.id, 7)[0])
    work = Delivery(account, warehouse)
    for point in (
        "answered PUT /order/*",
        "before status_update._work < order_queue._work_others",
    ):
        number = work.begin()
        eventually(lambda n=number: account.order(n, "id"), LONG, "the order")
        deaths.plan(point)
        work.ship(number, eventually)
        eventually(deaths.died, LONG, f"the end at {point}")
        deaths.start_again()
        # A manager moves the order on before Odoo is back at work.
        eventually(
            lambda n=number: (
                deaths.wake()
                or account.rpc.rows(
                    "keycrm.status.update",
                    ("account_id", "=", account.id),
                    ("sale_order_id.keycrm_id", "=", n),
                    ("state", "=", "done"),
                    fields=["state"],
                )
            ),
            LONG,
            "the status noted as told",
        )
        told = [
            row
            for row in sandbox.control.requests(method="PUT", path="/order/*")
            if row["path"].endswith(f"/{number}")
        ]
        assert [row["body"]["status_id"] for row in told] == [7]
        assert sandbox.control.order(number)["answer"]["status_id"] == 7


class Synchronization(Work):
    """Two pages of orders are brought by "Synchronize orders"."""

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
        return state == "done" and not self.unworked()

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


def test_a_kill_anywhere_in_a_synchronisation_brings_each_order_once(kills, new_account, sandbox):
    account = new_account(sandbox, request_limit=100000)
    sandbox.control.set_switches(rate_limit=0)
    kills.at_all(Synchronization(account), only=("_write_page", "order_sync"))


class Catalog(Work):
    """The catalog is loaded: two pages of offers."""

    OFFERS = 60

    def begin(self):
        for offer in self.keycrm.offers():
            self.keycrm.delete_offer(offer["id"])
        self.skus = [f"C{self.name}-{next(names)}" for _ in range(self.OFFERS)]
        for sku in self.skus:
            self.keycrm.create_offer(sku=sku, name=f"Товар {sku}", price=5)
        load = self.rpc.create("keycrm.product.import", account_id=self.account.id)
        self.rpc.call("keycrm.product.import", "action_start", [load])
        return load

    def is_done(self, load):
        return self.rpc.read("keycrm.product.import", load, "state")["state"] == "done"

    def check(self, load):
        row = self.rpc.read("keycrm.product.import", load, "done_count", "created_count")
        assert (row["done_count"], row["created_count"]) == (self.OFFERS, self.OFFERS)
        found = self.rpc.rows(
            "product.product", ("default_code", "in", self.skus), fields=["default_code"]
        )
        assert Counter(product["default_code"] for product in found) == Counter(self.skus)


def test_a_kill_anywhere_in_loading_the_catalogue_makes_each_product_once(
    kills, new_account, sandbox
):
    account = new_account(sandbox, request_limit=100000)
    sandbox.control.set_switches(rate_limit=0)
    kills.at_all(Catalog(account), only=("product_load",))


def test_order_that_kills_the_process_each_time_is_isolated(
    deaths, new_account, sandbox, eventually
):
    account = new_account(sandbox, request_limit=100000)
    deadly, good = (
        account.keycrm.create_order(
            webhook=False, lines=[{"name": "Шапка", "price": 10, "quantity": 1}]
        )["id"]
        for _ in range(2)
    )
    ours = ("account_id", "=", account.id)
    deaths.let_kill(f"/order/{deadly}")
    for number in (deadly, good):
        assert tell(account, number).status_code == 204
    eventually(
        lambda: deaths.wake() or account.order(good, "id"),
        2 * LONG,
        "the order behind the deadly one",
    )
    (event,) = account.rpc.rows(
        "keycrm.event",
        ours,
        ("keycrm_order_id", "=", deadly),
        fields=["state", "attempts", "error"],
    )
    assert (event["state"], event["attempts"]) == ("failed", 1)
    assert "ended" in event["error"]
    deaths.let_kill("")
    account.rpc.call(
        "keycrm.event",
        "action_retry",
        account.rpc.search("keycrm.event", ours, ("keycrm_order_id", "=", deadly)),
    )
    eventually(lambda: deaths.wake() or account.order(deadly, "id"), 2 * LONG, "the deadly order")
