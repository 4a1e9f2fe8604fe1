"""KeyCRM's behavior is not documented in some points: a shop's day ends the same in each case.

Each point is a switch of the sandbox. The other tests use the first value; here the others are used for
one day: orders, edits, statuses, payments, stock.
"""

import os
from datetime import timedelta
from itertools import count
from pathlib import Path

from odoo import fields

from ..services.common.api_gateway import open_client
from ..services.orders import webhook_inbox
from ..services.orders.bank_transactions import BankTransactions
from ..services.orders.order_inbox import OrderInbox
from ..services.workers.order_queue import OrderQueue
from .stock_common import StockCase

#: Switches that need a real second process or a clock, and the tests of all their answers.
ELSEWHERE = {
    "retry_after": "addons/ordage_keycrm/tests/test_entry_points.py",
    "webhook_delivery": "tests/system/test_orders.py",
    "create_fires_webhook": "tests/system/test_orders.py",
    "new_in_updated": "addons/ordage_keycrm/tests/test_open_orders.py",
    "payment_delete": "addons/ordage_keycrm/tests/test_amounts_paid.py",
    "stock_webhook_body": "addons/ordage_keycrm/tests/test_switches.py",
}
#: Numbers: how long and how many, of another switch.
NUMBERS = {
    "rate_limit",
    "reserve_from",
    "stock_put_delay",
    "webhook_copies",
    "webhook_delay",
    "webhook_timeout",
    "webhook_workers",
    "write_off_from",
}
#: Switches that are seen only together with others.
TOGETHER = {
    "errors_message": {"stock_put_unknown": "refuse"},
    "errors_shape": {"stock_put_unknown": "refuse"},
    "negative_stock": {"status_reserve": "on", "status_write_off": "on"},
    "status_back": {"status_reserve": "on", "status_write_off": "on"},
    "returned_line_status": {"status_reserve": "on", "status_write_off": "on"},
    "stock_put_apply": {"stock_put_delay": 0},
}
#: Formats of answers, which no other switch changes: their other values are tested together, in one day.
#: With ``SLOW=1`` each has a day of its own.
FORMS = {
    "created_filter",
    "default_sort",
    "duplicate_sku",
    "first_offer",
    "numbers",
    "offers_put_apply",
    "offers_put_unknown",
    "one_off_offer",
    "page_urls",
    "rate_headers",
    "rate_window",
    "shipping_date_key",
    "status_list",
    "tracking_needs_service",
    "transaction_uuid",
    "updated_at_on_status",
    "weight_unit",
}
ALONE = os.environ.get("SLOW") == "1"
NEW, PRODUCTION, DELIVERING, CANCELLED = 1, 4, 6, 12
#: A bank transaction of its own for each day; a number, since KeyCRM may send it as one.
TRANSACTIONS = count(900000001)


class TestSwitches(StockCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.account.import_payments = True
        cls.account.stock_quantity = "available"
        cls.defaults = cls.keycrm.switches()
        cls.described = {
            row["name"]: list(row["values"] or ()) for row in cls.keycrm.describe_switches()
        }

    def tearDown(self):
        self.keycrm.set_switches(**self.defaults)
        super().tearDown()

    def process_webhook(self, number):
        self.receive_webhook(number)
        with self.committing(), open_client(self.account) as client:
            while OrderInbox(self.account, client).process():
                pass
        return self.env["sale.order"].search(
            [("keycrm_account_id", "=", self.account.id), ("keycrm_id", "=", number)]
        )

    def assertSame(self, order):
        """The order is KeyCRM's, to the cent and line by line."""
        answer = self.keycrm.order(order.keycrm_id)["answer"]
        self.assertFalse(order.keycrm_total_differs)
        self.assertEqual(f"{order.amount_total:.2f}", f"{float(answer['grand_total']):.2f}")
        self.assertEqual(order.keycrm_status_id.keycrm_id, answer["status_id"])
        lines = order.order_line.filtered("keycrm_id").sorted("keycrm_id")
        self.assertEqual(
            [(line.keycrm_id, line.product_uom_qty) for line in lines if line.product_uom_qty],
            [(row["id"], float(row["quantity"])) for row in answer["products"]],
        )

    def sells(self, product):
        stock = self.keycrm.stock(self.number(product))["warehouses"]["1"]
        return float(stock["quantity"]) - float(stock["reserve"])

    def run_a_day(self, name):
        """From a new order to a canceled one, with stock after each step."""
        begun = fields.Datetime.now()
        cap = self.goods(f"CAP-{name}")
        deleted = self.goods(f"DELETED-{name}")
        self.keycrm.delete_offer(self.number(deleted))
        self.count(deleted, 3)
        self.count(cap, 20)
        self.work()
        uuid = str(next(TRANSACTIONS))
        number = self.new_order(
            [
                {"offer_id": self.number(cap), "price": 100, "quantity": 5, "discount_percent": 7},
                {"name": f"Гравіювання {name}", "price": "30.30", "quantity": 1},
            ],
            shipping_price=60,
            wrap_price="5.50",
            taxes="4.00",
            discount_percent=3,
            payments=[{"amount": 100, "status": "paid", "transaction_uuid": uuid}],
        )
        self.keycrm.create_transaction(uuid=uuid, amount=100, description=f"Оплата {name}")
        order = self.process_webhook(number)
        self.assertSame(order)
        self.assertEqual(order.keycrm_amount_paid, 100)
        self.cursor("transactions").read_until = False
        with self.committing(), open_client(self.account) as client:
            BankTransactions(self.account, client).process()
        self.assertEqual(order.keycrm_payment_ids.bank_description, f"Оплата {name}")
        one_off = order.order_line.filtered(lambda line: line.product_id.keycrm_origin == "one_off")
        self.assertEqual(len(one_off), 1)
        for status, free in ((PRODUCTION, 15), (DELIVERING, 15), (PRODUCTION, 15)):
            self.keycrm.set_status(number, status, webhook=False)
            self.assertSame(self.process_webhook(number))
            self.work()
            self.assertEqual(self.sells(cap), free)
        line = self.keycrm.order(number)["answer"]["products"][0]["id"]
        self.keycrm.patch_line(number, line, quantity=4, webhook=False)
        self.assertSame(self.process_webhook(number))
        self.work()
        self.assertEqual(self.sells(cap), 16)
        self.keycrm.set_status(number, CANCELLED, webhook=False)
        self.process_webhook(number)
        self.assertEqual(order.state, "cancel")
        self.work()
        self.assertEqual(self.sells(cap), 20)
        self.synchronize(number, begun)

    def synchronize(self, number, begun):
        """Every order of the day once, however lists are sorted and paged.

        :param number: an order of the day
        :param begun: when the day began; orders of earlier days would be read once more each day
        """
        more = [
            self.new_order([{"name": "Кухоль", "price": 1, "quantity": 1}], status_id=NEW)
            for _ in range(2)
        ]
        now = fields.Datetime.now()
        sync = self.env["keycrm.order.sync"].create(
            {
                "account_id": self.account.id,
                "status_ids": self.account.status_ids.ids,
                "date_from": begun - timedelta(seconds=1),
                "date_to": now + timedelta(days=1),
            }
        )
        sync.action_start()
        with self.committing(), open_client(self.account) as client:
            while sync.state == "running":
                OrderQueue(self.account, client).process()
        self.assertEqual((sync.state, sync.failed_count), ("done", 0))
        found = self.env["sale.order"].search([("keycrm_id", "in", [number, *more])])
        self.assertEqual(sorted(found.mapped("keycrm_id")), sorted([number, *more]))

    def days(self):
        """:return: ``{name of a day: its switches}``"""
        days = {}
        for name, values in self.described.items():
            if name in ELSEWHERE or name in NUMBERS:
                continue
            for value in values[1:]:
                day = f"{name}-{value}" if ALONE or name not in FORMS else "forms"
                switches = days.setdefault(day, dict(self.defaults))
                switches.update({**TOGETHER.get(name, {}), name: value})
        return days

    def test_day_of_work_is_the_same_under_each_switch(self):
        for day, switches in self.days().items():
            with self.subTest(day=day):
                self.keycrm.set_switches(**switches)
                self.run_a_day(day)

    def test_total_of_a_shop_without_warehouses_is_that_of_the_only_warehouse(self):
        """The numbers agree, so nothing is sent; what people change there is put right."""
        self.keycrm.set_switches(warehouses="off")
        cap = self.goods("CAP-TOTAL", keycrm={1: 7})
        self.count(cap, 7)
        self.work()
        names = self.account.warehouse_ids.mapped("name")
        self.settle()
        self.keycrm.clear_log()
        self.account.action_compare_stock()
        self.assertEqual(self.sent(), [])
        self.keycrm.set_stock(self.number(cap), 1, 3, webhook=False)
        self.settle()
        self.account.action_compare_stock()
        self.assert_sent((cap, 7))
        self.assertEqual(self.account.warehouse_ids.mapped("name"), names)
        # With two of them it is unknown whose total it is: nothing is concluded from it.
        self.kw2.warehouse_ids = self.second
        self.settle()
        self.keycrm.set_stock(self.number(cap), 1, 3, webhook=False)
        self.account.action_compare_stock()
        self.assertEqual(self.sent(), [])

    def test_goods_received_after_the_order_are_counted_once(self):
        """Without negative stock KeyCRM holds nothing for an order of goods that it lacks."""
        self.keycrm.set_switches(negative_stock="off", status_reserve="on", status_write_off="on")
        cap = self.goods("CAP-LATER")
        number = self.new_order(
            [{"offer_id": self.number(cap), "price": 100, "quantity": 5}], status_id=PRODUCTION
        )
        self.process_webhook(number)
        for counted, status, free in ((20, PRODUCTION, 15), (20, DELIVERING, 15)):
            self.count(cap, counted)
            self.keycrm.set_status(number, status, webhook=False)
            self.process_webhook(number)
            self.work()
            self.assertEqual(self.sells(cap), free)

    def test_stock_webhook_may_be_a_list_or_an_object(self):
        cap = self.goods("CAP-WEBHOOK")
        self.count(cap, 20)
        self.work()
        row = {"offer_id": self.number(cap), "sku": "CAP-WEBHOOK", "in_stock": 3, "in_reserve": 0}
        for body in ([row], row):
            with self.subTest(body=body):
                self.keycrm.set_stock(self.number(cap), 1, 3)
                self.settle()
                webhook_inbox.receive(self.account, body)
                self.work()
                self.assertEqual(self.shown(cap), 20)

    def test_every_switch_is_tested(self):
        played = set(self.described) - set(ELSEWHERE) - NUMBERS
        self.assertEqual(NUMBERS, {name for name in NUMBERS if not self.described.get(name)})
        self.assertTrue(all(len(self.described[name]) > 1 for name in played))
        self.assertEqual({len(self.described[name]) for name in FORMS}, {2})
        root = Path(__file__).parents[3]
        for name, path in ELSEWHERE.items():
            self.assertIn(name, (root / path).read_text(), f"{path} tests {name}")
