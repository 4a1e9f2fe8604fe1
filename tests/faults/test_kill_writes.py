"""Crash at every commit while data other than stock is sent: each value arrives, and once."""

from __future__ import annotations

import pytest

from tests.faults.crash_points import CrashPoints, Scenario, names, send_webhook
from tests.faults.crash_server import TIMEOUT, CrashServer
from tests.system import received_money
from tools.odoo_server import OdooServer


@pytest.fixture(scope="module")
def odoo(crash_server: CrashServer) -> OdooServer:
    """Return the server, with Odoo's delivery methods installed."""
    rpc = crash_server.odoo.rpc()
    module = rpc.search("ir.module.module", ("name", "=", "stock_delivery"))
    rpc.call("ir.module.module", "button_immediate_install", module)
    return crash_server.odoo


@pytest.fixture
def crash_points(crash_server, eventually):
    return CrashPoints(crash_server, eventually)


@pytest.fixture
def unlimited(new_account, sandbox):
    """Create accounts whose requests are not limited."""
    sandbox.control.set_switches(rate_limit=0)
    return lambda **values: new_account(sandbox, request_limit=100000, **values)


class Cost(Scenario):
    """Change the cost of a product."""

    MIN_POINTS = 4

    field, in_keycrm = "standard_price", "purchased_price"

    def begin(self):
        mark = f"C{self.name}-{next(names)}"
        offer = self.keycrm.create_offer(sku=mark, **{self.in_keycrm: 1})["id"]
        product = self.rpc.create("product.product", name=mark, default_code=mark, list_price=1)
        self.rpc.create(
            "keycrm.offer", account_id=self.account.id, keycrm_id=offer, product_id=product
        )
        self.keycrm.clear_log()
        self.rpc.write("product.product", product, **{self.field: 12.5})
        return offer

    def is_done(self, offer):
        shown = next(row for row in self.keycrm.offers() if row["id"] == offer)
        waiting = self.count("keycrm.offer.change", ("account_id", "=", self.account.id))
        return float(shown[self.in_keycrm]) == 12.5 and not waiting

    def check(self, offer):
        sent = [
            row
            for request in self.keycrm.requests(method="PUT")
            for row in request["body"]["offers"]
        ]
        # A single repeated PUT is harmless: the value is absolute.
        assert {(row["id"], row[self.in_keycrm]) for row in sent} == {(offer, 12.5)}
        assert len(sent) <= 2, sent


def run_once(crash_points, scenario):
    """Run a scenario without a crash: what is done once a day is done then."""
    token = scenario.begin()
    crash_points.eventually(lambda: scenario.is_done(token), TIMEOUT, "the first run")
    return scenario


def test_crash_anywhere_while_a_cost_is_sent_ends_with_the_right_cost(crash_points, unlimited):
    scenario = run_once(crash_points, Cost(unlimited(send_cost=True)))
    crash_points.crash_at_each(scenario, only=("offer_export", "PUT /offers", "scheduler"))


class Price(Cost):
    """Change the price of a product."""

    MIN_POINTS = 3

    field, in_keycrm = "list_price", "price"


def test_crash_while_a_price_is_sent_ends_with_the_right_price(crash_points, unlimited):
    account = unlimited(keep_product_info=True)
    price_list = account.rpc.create("product.pricelist", name="KeyCRM")
    account.write(price_list_id=price_list, send_price=True)
    scenario = run_once(crash_points, Price(account))
    crash_points.crash_at_each(scenario, only=("offer_export._send", "PUT /offers"))


class OrderWork(Scenario):
    """Work with an order of KeyCRM."""

    def __init__(self, account, eventually):
        super().__init__(account)
        self.eventually = eventually

    def imported(self, **fields):
        line = {"name": "Шапка", "price": 10, "quantity": 1}
        made = self.keycrm.create_order(
            webhook=False, **{"status_id": 4, "lines": [line], **fields}
        )
        number = made["id"]
        send_webhook(self.account, number)
        self.eventually(
            lambda: self.account.order(number, "picking_ids"), TIMEOUT, "the imported order"
        )
        return number, self.account.order(number, "picking_ids")

    def open_updates(self):
        return self.count(
            "keycrm.order.update",
            ("account_id", "=", self.account.id),
            ("state", "in", ["pending", "failed"]),
        )


class TrackingNumber(OrderWork):
    """Write a tracking number on a delivery with two parcels."""

    MIN_POINTS = 3

    def begin(self):
        number, order = self.imported()
        code = f"2045{next(names):08}"
        self.keycrm.clear_log()
        self.rpc.write(
            "stock.picking", order["picking_ids"][0], carrier_tracking_ref=f"{code},{code}-2"
        )
        return number, code

    def is_done(self, token):
        number, code = token
        shipping = self.keycrm.order(number)["answer"]["shipping"] or {}
        return shipping.get("tracking_code") == code and not self.open_updates()

    def check(self, token):
        number, code = token
        sent = [
            row["body"]
            for row in self.keycrm.requests(method="PUT")
            if row["path"].endswith(f"/{number}")
        ]
        assert [body["shipping"]["tracking_code"] for body in sent] == [code]
        comment = self.keycrm.order(number)["answer"]["manager_comment"]
        assert comment.count(f"{code}-2") == 1
        assert self.account.order(number, "keycrm_tracking_code")["keycrm_tracking_code"] == code


def test_crash_anywhere_while_a_tracking_number_is_sent_sends_it_once(
    crash_points, unlimited, eventually
):
    account = unlimited(send_tracking=True, tracking_others="comment")
    crash_points.crash_at_each(
        TrackingNumber(account, eventually), only=("order_update_sender", "PUT /order")
    )


class LineCost(OrderWork):
    """Change the cost of a product that a line of an open order holds."""

    MIN_POINTS = 2

    def begin(self):
        mark = f"L{self.name}-{next(names)}"
        offer = self.keycrm.create_offer(sku=mark, purchased_price=1)["id"]
        product = self.rpc.create("product.product", name=mark, default_code=mark)
        self.rpc.create(
            "keycrm.offer", account_id=self.account.id, keycrm_id=offer, product_id=product
        )
        line = {"offer_id": offer, "price": 10, "quantity": 1, "comment": "Gift"}
        number, _order = self.imported(lines=[line])
        self.keycrm.clear_log()
        self.rpc.write("product.product", product, standard_price=12.5)
        return number

    def line(self, number):
        (line,) = self.keycrm.order(number)["answer"]["products"]
        return float(line["purchased_price"]), line["comment"]

    def is_done(self, number):
        waiting = self.count("keycrm.offer.change", ("account_id", "=", self.account.id))
        return self.line(number)[0] == 12.5 and not waiting and not self.open_updates()

    def check(self, number):
        assert self.line(number) == (12.5, "Gift")
        puts = [row for row in self.keycrm.requests(method="PUT") if "/order/" in row["path"]]
        assert len(puts) == 1, puts


def test_crash_anywhere_while_the_cost_of_a_line_is_sent_sends_it_once(
    crash_points, unlimited, eventually
):
    account = unlimited(send_cost=True)
    received_money.use_hryvnias(account)
    scenario = LineCost(account, eventually)
    scenario.keycrm.set_switches(line_comment="erased")
    run_once(crash_points, scenario)
    crash_points.crash_at_each(scenario, only=("order_update_sender", "PUT /order"))


class Payment(OrderWork):
    """Receive money for the invoice of an order."""

    MIN_POINTS = 3

    method, expected = "POST", []

    def __init__(self, account, eventually):
        super().__init__(account, eventually)
        self.journal = received_money.prepare(account)

    def begin(self):
        number, order = self.imported(payments=self.expected)
        made = received_money.invoice(self.rpc, order["id"])
        self.keycrm.clear_log()
        received_money.pay(self.rpc, made, self.journal, 10)
        return number

    def is_done(self, number):
        payments = self.keycrm.order(number)["answer"]["payments"]
        return [row["status"] for row in payments] == ["paid"] and not self.open_updates()

    def check(self, number):
        payments = self.keycrm.order(number)["answer"]["payments"]
        assert [(float(row["amount"]), row["status"]) for row in payments] == [(10, "paid")]
        sent = [row["method"] for row in self.keycrm.requests() if row["method"] != "GET"]
        assert sent == [self.method]


def test_crash_anywhere_while_received_money_is_sent_sends_it_once(
    crash_points, unlimited, eventually
):
    crash_points.crash_at_each(
        Payment(unlimited(), eventually), only=("order_update_sender", "POST /order")
    )


class ExpectedPayment(Payment):
    """Receive the money of a payment that KeyCRM expects."""

    MIN_POINTS = 2

    method, expected = "PUT", [{"amount": 10, "status": "not_paid"}]


def test_crash_anywhere_while_an_expected_payment_is_paid_marks_it_once(
    crash_points, unlimited, eventually
):
    crash_points.crash_at_each(
        ExpectedPayment(unlimited(), eventually), only=("order_update_sender", "PUT /order")
    )


class NewProducts(Scenario):
    """Create two products and the variants of a third one in KeyCRM."""

    MIN_POINTS = 9

    def __init__(self, account):
        super().__init__(account)
        self.attribute = self.rpc.create(
            "product.attribute",
            name="Колір",
            value_ids=[(0, 0, {"name": name}) for name in ("біла", "чорна")],
        )
        self.values = self.rpc.search(
            "product.attribute.value", ("attribute_id", "=", self.attribute)
        )

    def begin(self):
        mark = f"N{self.name}-{next(names)}"
        products = [
            self.rpc.create("product.product", name=f"{mark}-{n}", default_code=f"{mark}-{n}")
            for n in range(2)
        ]
        line = {"attribute_id": self.attribute, "value_ids": [(6, 0, self.values)]}
        template = self.rpc.create(
            "product.template", name=f"{mark}-V", attribute_line_ids=[(0, 0, line)]
        )
        variants = self.rpc.search("product.product", ("product_tmpl_id", "=", template))
        for place, variant in enumerate(variants):
            self.rpc.write("product.product", variant, default_code=f"{mark}-V{place}")
        self.keycrm.clear_log()
        action = self.rpc.call("product.product", "action_keycrm_create", products + variants)
        self.rpc.call("keycrm.product.export", "action_start", [action["res_id"]])
        return mark, action["res_id"]

    def is_done(self, token):
        export = token[1]
        return self.rpc.read("keycrm.product.export", export, "state")["state"] == "done"

    def check(self, token):
        mark, export = token
        assert not self.count(
            "keycrm.product.export.line", ("export_id", "=", export), ("state", "=", "problem")
        )
        skus = [f"{mark}-{name}" for name in ("0", "1", "V0", "V1")]
        made = [row for row in self.keycrm.offers() if (row["sku"] or "").startswith(mark)]
        assert sorted(row["sku"] for row in made) == sorted(skus)
        assert len({row["product_id"] for row in made}) == 3
        names_ = [row["name"] for row in self.keycrm.products()]
        assert names_.count(f"{mark}-V") == 1
        mapped = self.rpc.rows(
            "keycrm.offer",
            ("account_id", "=", self.account.id),
            ("sku", "in", skus),
            fields=["keycrm_id"],
        )
        assert sorted(row["keycrm_id"] for row in mapped) == sorted(row["id"] for row in made)


def test_crash_anywhere_while_products_are_created_creates_each_once(crash_points, unlimited):
    crash_points.crash_at_each(
        NewProducts(unlimited()), only=("product_creation", "POST /products")
    )
