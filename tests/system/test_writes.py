"""What Odoo knows goes to KeyCRM: two processes, an outage, random changes on both sides."""

from __future__ import annotations

import os
import random
import time
from collections import Counter

import pytest

from tests.system import received_money
from tools import shop


@pytest.fixture(scope="module")
def rpc(odoo):
    """Return Odoo's administrator, with Odoo's delivery methods installed."""
    rpc = odoo.rpc()
    module = rpc.search("ir.module.module", ("name", "=", "stock_delivery"))
    rpc.call("ir.module.module", "button_immediate_install", module)
    return odoo.rpc()


@pytest.fixture
def account(new_account, sandbox):
    sandbox.control.set_switches(rate_limit=0)
    return new_account(
        sandbox,
        request_limit=100000,
        send_cost=True,
        send_tracking=True,
        tracking_others="comment",
    )


def priced(account, rpc, sku):
    """Make a product with its offer."""
    offer = account.keycrm.create_offer(sku=sku, price=100, purchased_price=1)["id"]
    product = rpc.create("product.product", name=sku, default_code=sku, is_storable=True)
    rpc.create("keycrm.offer", account_id=account.id, keycrm_id=offer, product_id=product)
    return product, offer


def costs(account):
    return {row["id"]: float(row["purchased_price"]) for row in account.keycrm.offers()}


def shipped(account, rpc, wait_for, offer):
    """Make an order in KeyCRM; return its number and its delivery in Odoo."""
    line = {"offer_id": offer, "price": 100, "quantity": 1}
    number = account.keycrm.create_order(status_id=4, lines=[line])["id"]
    order = wait_for(lambda: account.order(number, "picking_ids"), 60, "the order")
    return number, order["picking_ids"][0]


def code_of(account, number):
    return (account.keycrm.order(number)["answer"]["shipping"] or {}).get("tracking_code")


def open_work(account, rpc):
    """Return what still waits to be sent."""
    mine = ("account_id", "=", account.id)
    return rpc.search("keycrm.offer.change", mine) or rpc.search(
        "keycrm.order.update", mine, ("state", "in", ["pending", "failed"])
    )


def test_two_processes_send_each_value_once(account, odoo, rpc, new_odoo, wait_for):
    other = new_odoo(odoo.database)
    products = [priced(account, rpc, f"TWO-{n}") for n in range(5)]
    number, picking = shipped(account, rpc, wait_for, products[0][1])
    account.keycrm.clear_log()
    for index, (product, _offer) in enumerate(products):
        mine = (odoo, other)[index % 2].rpc()
        mine.write("product.product", product, standard_price=10 + index)
    other.rpc().write("stock.picking", picking, carrier_tracking_ref="2045-TWO")
    wait_for(lambda: code_of(account, number) == "2045-TWO", 60, "the tracking number")
    wanted = {offer: 10.0 + index for index, (_product, offer) in enumerate(products)}
    wait_for(lambda: wanted.items() <= costs(account).items(), 60, "the costs")
    wait_for(lambda: not open_work(account, rpc), 60, "empty queues")
    puts = account.keycrm.requests(method="PUT")
    sent = [
        row["id"]
        for put in puts
        if put["path"].endswith("/offers")
        for row in put["body"]["offers"]
    ]
    assert sorted(sent) == sorted(wanted)
    assert len([put for put in puts if "/order/" in put["path"]]) == 1
    other.kill()


def test_unavailable_keycrm_delays_values_and_loses_none(account, rpc, wait_for):
    product, offer = priced(account, rpc, "DOWN")
    number, picking = shipped(account, rpc, wait_for, offer)
    account.keycrm.add_fault("status", status=503, times=None)
    begun = time.monotonic()
    rpc.write("product.product", product, standard_price=42)
    rpc.write("stock.picking", picking, carrier_tracking_ref="2045-DOWN")
    # A user waits for nothing.
    assert time.monotonic() - begun < 10
    wait_for(
        lambda: account.read("circuit_error_code")["circuit_error_code"],
        120,
        "the recorded problem",
    )
    account.keycrm.clear_faults()
    account.call("action_test_connection")
    wait_for(lambda: costs(account)[offer] == 42, 120, "the cost")
    wait_for(lambda: code_of(account, number) == "2045-DOWN", 120, "the tracking number")
    wait_for(lambda: not open_work(account, rpc), 60, "empty queues")


def test_kind_switched_off_during_its_request_stops_no_other_work(account, rpc, wait_for):
    _product, offer = priced(account, rpc, "OFF")
    number, picking = shipped(account, rpc, wait_for, offer)
    account.keycrm.clear_log()
    account.keycrm.add_fault("delay", method="PUT", path="/order/*", seconds=5)
    rpc.write("stock.picking", picking, carrier_tracking_ref="2045-OFF")
    wait_for(lambda: account.keycrm.requests(method="PUT"), 60, "the request")
    account.write(send_tracking=False)
    assert not rpc.search("keycrm.order.update", ("account_id", "=", account.id))
    wait_for(lambda: code_of(account, number) == "2045-OFF", 60, "its effect")
    # After an unexpected error the queue would pause for 30 seconds.
    made = account.keycrm.create_order(status_id=4)["id"]
    wait_for(lambda: account.order(made, "name"), 20, "an order right after it")


class Walk:
    """Random operations of a shop on both sides, with all data sent to KeyCRM."""

    def __init__(self, account, rpc, wait_for, seed):
        self.account, self.rpc, self.keycrm, self.wait_for = account, rpc, account.keycrm, wait_for
        self.rng = random.Random(seed)
        self.done = Counter()
        self.journal = received_money.prepare(account)
        price_list = rpc.create("product.pricelist", name=f"KeyCRM {account.id}")
        account.write(
            keep_product_info=True, send_price=True, price_list_id=price_list, poll_minutes=1
        )
        warehouse = rpc.search("stock.warehouse", limit=1)
        self.warehouse = warehouse[0]
        rpc.create(
            "keycrm.warehouse",
            account_id=account.id,
            keycrm_id=1,
            name="K1",
            warehouse_ids=[(6, 0, warehouse)],
        )
        account.write(push_stock=True, stock_quantity="on_hand")
        tag = f"WALK-{account.id}"
        self.products = [priced(account, rpc, f"{tag}-{n}") for n in range(5)]
        self.orders = [
            shipped(account, rpc, wait_for, offer) for _product, offer in self.products[:4]
        ]
        self.numbers, self.invoices, self.created = {}, {}, []

    # === ODOO'S SIDE ===

    def cost(self):
        product, _offer = self.rng.choice(self.products)
        self.rpc.write("product.product", product, standard_price=self.rng.randrange(1, 9999) / 100)

    def price(self):
        product, _offer = self.rng.choice(self.products)
        self.rpc.write("product.product", product, list_price=self.rng.randrange(1, 9999) / 100)

    def receive(self):
        product, _offer = self.rng.choice(self.products)
        shop.receive(self.rpc, self.warehouse, product, self.rng.randint(1, 9))

    def tracking(self):
        number, picking = self.rng.choice(self.orders)
        # The first number stays: KeyCRM refuses a second one.
        first = self.numbers.setdefault(number, f"2045{self.account.id:03}{number:06}")
        more = [f"{first}-{n}" for n in range(self.rng.randrange(3))]
        self.rpc.write("stock.picking", picking, carrier_tracking_ref=",".join([first, *more]))

    def money(self):
        number, _picking = self.rng.choice(self.orders)
        if number not in self.invoices:
            order = self.account.order(number, "id")["id"]
            self.invoices[number] = received_money.invoice(self.rpc, order), []
        made, paid = self.invoices[number]
        amount = self.rng.randrange(1, 20) + 0.1
        if sum(paid) + amount <= 95:
            received_money.pay(self.rpc, made, self.journal, amount)
            paid.append(amount)

    def create(self):
        sku = f"NEW-{self.account.id}-{len(self.created)}"
        product = self.rpc.create("product.product", name=sku, default_code=sku, list_price=7)
        action = self.rpc.call("product.product", "action_keycrm_create", [product])
        self.rpc.call("keycrm.product.export", "action_start", [action["res_id"]])
        self.created.append(sku)

    # === KEYCRM'S SIDE ===

    def comment(self):
        number, _picking = self.rng.choice(self.orders)
        self.keycrm.patch_order(number, buyer_comment=f"C{self.rng.random()}")

    def status(self):
        number, _picking = self.rng.choice(self.orders)
        self.keycrm.set_status(number, self.rng.choice((4, 5)))

    def unavailable(self):
        self.keycrm.add_fault("status", status=503, times=2)

    def lost(self):
        self.keycrm.add_fault("close", method="PUT", executed=True)

    def step(self):
        """Run one random operation."""
        odoo = [self.cost, self.price, self.receive, self.tracking, self.money, self.create]
        there = [self.comment, self.status, self.unavailable, self.lost]
        what = self.rng.choice([*odoo, *there])
        what()
        self.done[what.__name__] += 1

    # === END ===

    def waiting(self):
        """Return whether something still waits to be sent or received."""
        mine = ("account_id", "=", self.account.id)
        return (
            open_work(self.account, self.rpc)
            or self.rpc.search("keycrm.stock.change", mine)
            or self.rpc.search("keycrm.event", mine, ("state", "in", ["pending", "failed"]))
            or self.rpc.search("keycrm.product.export", mine, ("state", "=", "running"))
        )

    def check(self):
        """Compare both sides."""
        offers = {row["id"]: row for row in self.keycrm.offers()}
        for product, offer in self.products:
            own = self.rpc.read("product.product", product, "standard_price", "lst_price")
            cost, theirs = own["standard_price"], offers[offer]
            assert not cost or float(theirs["purchased_price"]) == pytest.approx(cost)
            assert float(theirs["price"]) == pytest.approx(own["lst_price"])
            quantity = self.keycrm.stock(offer)["warehouses"].get("1", {}).get("quantity", 0)
            assert float(quantity) == float(shop.on_hand(self.rpc, product, [self.warehouse]))
        for number, picking in self.orders:
            order = self.keycrm.order(number)["answer"]
            typed = self.rpc.read("stock.picking", picking, "carrier_tracking_ref")
            codes = (typed["carrier_tracking_ref"] or "").split(",")
            assert (code_of(self.account, number) or "") == codes[0]
            comment = order["manager_comment"] or ""
            assert all(comment.count(code) == 1 for code in codes[1:])
            _invoice, paid = self.invoices.get(number, (0, []))
            theirs = sorted(float(row["amount"]) for row in order["payments"])
            assert theirs == pytest.approx(sorted(paid))
        skus = Counter(row["sku"] for row in offers.values())
        assert all(skus[sku] == 1 for sku in self.created), skus


def walk(account, rpc, wait_for, seed, steps):
    it = Walk(account, rpc, wait_for, seed)
    for _ in range(steps):
        it.step()
    account.keycrm.clear_faults()
    account.call("action_test_connection")
    wait_for(lambda: not it.waiting(), 300, "empty queues")
    it.check()
    account.keycrm.clear_log()
    time.sleep(5)
    assert not [row for row in account.keycrm.requests() if row["method"] != "GET"], it.done


def test_random_changes_on_both_sides_end_without_a_difference(account, rpc, wait_for):
    walk(account, rpc, wait_for, seed=7, steps=25)


@pytest.mark.skipif(os.environ.get("SLOW") != "1", reason="ten seeds: SLOW=1")
@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 11))
def test_a_random_walk_with_all_switches_ends_without_a_difference(account, rpc, wait_for, seed):
    walk(account, rpc, wait_for, seed, steps=int(os.environ.get("STEPS", "100")))
