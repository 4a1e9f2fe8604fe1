import time
from datetime import timedelta
from itertools import islice
from types import SimpleNamespace
from unittest.mock import patch

from odoo import fields
from odoo.fields import Command
from odoo.tests import tagged

from ..services.common.api_gateway import open_client
from ..services.orders import order_inbox
from ..services.orders.order_inbox import OrderInbox
from ..services.orders.order_writer import OrderWriter
from ..services.workers.bulk_jobs import BulkJobs
from ..services.workers.order_queue import OrderQueue
from .common import KeycrmCase
from .stock_common import StockCase


class TestOrderCounts(KeycrmCase):
    """What orders cost: queries of the database and requests to KeyCRM, counted exactly."""

    forget = True

    def setUp(self):
        super().setUp()
        self.offers = [
            self.keycrm.create_offer(sku=f"COUNT-{n}", price=100 + n)["id"] for n in range(6)
        ]

    def made(self, count, **fields):
        """Make orders of three catalog lines in KeyCRM, each of a buyer of its own.

        :return: their numbers
        """
        return [
            self.new_order(
                [{"offer_id": offer, "quantity": 1} for offer in self.offers[n % 3 : n % 3 + 3]],
                buyer={"full_name": f"Buyer {n}", "phone": f"+38067{n:07d}"},
                **fields,
            )
            for n in range(count)
        ]

    def requests(self):
        """:return: paths of the requests since the last call"""
        found = [row["path"] for row in self.keycrm.requests()]
        self.keycrm.clear_log()
        return found

    def test_a_new_order_of_three_lines_costs_three_queries_at_most(self):
        numbers = self.made(101)
        self.arrive(numbers[0])
        # Half of the buyers are known already.
        self.env["keycrm.buyer"].create(
            [
                {
                    "account_id": self.account.id,
                    "keycrm_id": order.client_id,
                    "partner_id": self.env["res.partner"].create({"name": order.buyer.name}).id,
                }
                for order in map(self.read_order, numbers[1::2])
            ]
        )
        orders = [self.read_order(number) for number in numbers[1:]]
        self.env.flush_all()
        before = self.env.cr.sql_log_count
        for start in range(0, 100, 50):
            outcomes = OrderWriter(self.account).import_orders(orders[start : start + 50])
            self.assertTrue(all(outcome.created for outcome in outcomes.values()))
            self.env.flush_all()
        self.assertLessEqual((self.env.cr.sql_log_count - before) / 100, 3)

    def test_lists_are_read_once_an_hour_for_entries_that_they_lack(self):
        """A source or a status that was deleted in KeyCRM, and that old orders still have."""
        number = self.made(1)[0]
        self.keycrm.patch_order(number, raw={"source_id": 987, "status_id": 654}, webhook=False)

        def lists_read():
            read = {number: self.read_order(number)}
            self.keycrm.clear_log()
            with self.committing(), open_client(self.account) as client:
                OrderWriter(self.account, client).write_orders(read, self.env["keycrm.event"])
            return [path for path in self.requests() if path.startswith("/v1/order/")]

        lists = ["/v1/order/status", "/v1/order/source", "/v1/order/payment-method"]
        self.assertEqual(lists_read(), lists)
        self.assertEqual(lists_read(), [])
        account = self.account.sudo()
        long_ago = (self.env.cr.now() - timedelta(hours=2)).isoformat()
        account.unlisted = dict.fromkeys(account.unlisted, long_ago)
        self.assertEqual(lists_read(), lists)

    def process_inbox(self):
        """Process the inbox until it is empty.

        :return: paths of the requests
        """
        self.keycrm.clear_log()
        with (
            self.committing(),
            patch.object(time, "sleep", lambda _seconds: None),
            open_client(self.account) as client,
        ):
            while OrderInbox(self.account, client).process():
                pass
        return self.requests()

    def requests_for_changes(self, count):
        """Report orders that changed in KeyCRM, and process the inbox until it is empty.

        :return: paths of the requests
        """
        self.account.polled_at = fields.Datetime.now()
        numbers = self.report_changes(count)
        requested = self.process_inbox()
        found = self.env["sale.order"].search([("keycrm_id", "in", numbers)])
        self.assertEqual(set(found.keycrm_status_id.mapped("keycrm_id")), {2})
        self.assertEqual(len(found), count)
        return requested

    def test_three_hundred_reported_orders_are_read_with_eight_requests(self):
        # What they refer to is requested once for all of them.
        requested = ["/v1/order"] * 6 + ["/v1/buyer", "/v1/offers"]
        self.assertEqual(self.requests_for_changes(300), requested)

    def test_three_hundred_new_orders_are_read_with_seven_requests(self):
        # All of them are newer than the newest order that Odoo has.
        self.arrive(self.made(1)[0])
        numbers = self.made(300)
        self.receive_webhook(*numbers)
        self.assertEqual(self.process_inbox(), ["/v1/order"] * 6 + ["/v1/offers"])
        self.assertEqual(self.env["sale.order"].search_count([("keycrm_id", "in", numbers)]), 300)

    def test_list_is_read_to_its_end_although_others_of_it_were_just_read(self):
        # Half of the orders that changed were read a moment ago, in any order.
        self.account.polled_at = fields.Datetime.now()
        self.report_changes(300, every=2)
        requested = ["/v1/order"] * 6 + ["/v1/buyer", "/v1/offers"]
        self.assertEqual(self.process_inbox(), requested)

    def test_longer_inbox_continues_where_the_last_list_ended(self):
        with patch.object(order_inbox, "INBOX_BATCH", 50):
            requested = self.requests_for_changes(300)
        self.assertEqual(requested.count("/v1/order"), 6)
        # The newest and the oldest ones that the first lists lacked.
        self.assertLessEqual(len(requested), 6 + 4 + 4, requested)

    def test_burst_is_debounced_until_it_ends(self):
        self.account.polled_at = fields.Datetime.now()
        numbers = self.made(27)
        waiting = list(numbers)

        def receive(count):
            self.receive_webhook(*(waiting.pop() for _ in range(count)))

        receive(3)
        self.keycrm.clear_log()
        with self.committing(), open_client(self.account) as client:
            with patch.object(time, "sleep", lambda _seconds: receive(6)):
                self.assertFalse(OrderInbox(self.account, client).process())
                self.assertEqual(self.requests(), [])
                self.assertFalse(waiting)
            self.assertTrue(OrderQueue(self.account, client).process())
        self.assertEqual(self.requests(), ["/v1/order", "/v1/offers"])
        self.assertEqual(self.env["sale.order"].search_count([("keycrm_id", "in", numbers)]), 27)

    def test_burst_lasts_while_waiting_orders_are_reported_again(self):
        self.account.polled_at = fields.Datetime.now()
        numbers = self.made(27)
        self.receive_webhook(*numbers)
        again = iter([*numbers, *numbers])

        def receive(count):
            self.receive_webhook(*islice(again, count))

        self.keycrm.clear_log()
        with self.committing(), open_client(self.account) as client:
            with patch.object(time, "sleep", lambda _seconds: receive(6)):
                self.assertFalse(OrderInbox(self.account, client).process())
            with patch.object(time, "sleep", lambda _seconds: receive(4)):
                self.assertEqual(OrderInbox(self.account, client).process(), set(numbers))
        self.assertEqual(self.requests(), ["/v1/order", "/v1/offers"])

    def test_burst_is_detected_although_each_order_is_imported_at_once(self):
        numbers = self.made(27)
        waiting = list(numbers)

        def receive(count):
            self.receive_webhook(*(waiting.pop() for _ in range(min(count, len(waiting)))))

        self.keycrm.clear_log()
        with self.committing(), open_client(self.account) as client:
            for _ in range(2):
                receive(1)
                OrderInbox(self.account, client).process()
            singly = [path for path in self.requests() if path.startswith("/v1/order/")]
            self.assertEqual(len(singly), 2)
            receive(1)
            # However long that took.
            events = self.env["keycrm.event"].search([("keycrm_order_id", "in", numbers)])
            events.received_at = fields.Datetime.now()
            pause = SimpleNamespace(sleep=lambda _seconds: receive(12))
            with patch.object(order_inbox, "time", pause):
                OrderInbox(self.account, client).process()
        self.assertFalse(waiting)
        self.assertEqual(self.requests(), ["/v1/order", "/v1/offers"])
        self.assertEqual(self.env["sale.order"].search_count([("keycrm_id", "in", numbers)]), 27)

    def test_page_of_a_synchronization_is_one_request(self):
        numbers = self.made(30)
        self.arrive(*numbers[:3])
        self.keycrm.clear_log()
        self.env["keycrm.order.sync"].create(
            {
                "account_id": self.account.id,
                "status_ids": [Command.set(self.account.status_ids.ids)],
            }
        ).action_start()
        # Orders that were touched after the catalog was read have it read once more.
        self.account.keep_product_info = True
        with self.committing():
            BulkJobs(self.account).process()
        self.assertEqual(self.requests(), ["/v1/order"])
        self.assertEqual(self.env["sale.order"].search_count([("keycrm_id", "in", numbers)]), 30)

    def test_runs_of_a_quiet_account_cost_few_queries(self):
        self.account.write({"polled_at": fields.Datetime.now(), "push_stock": True})
        Account = self.env["keycrm.account"]
        for run, most in ((Account._cron_orders, 14), (Account._cron_stock, 9)):
            with self.subTest(run.__name__), self.committing():
                # The first run finds what is kept between transactions.
                run(self.account.id)
                before = self.env.cr.sql_log_count
                run(self.account.id)
                self.assertLessEqual(self.env.cr.sql_log_count - before, most)

    def test_page_with_buyers_costs_four_queries_an_order_at_most(self):
        self.keycrm.seed(orders=100, lines=3, buyers=100, status_ids=[1])
        sync = self.env["keycrm.order.sync"].create(
            {
                "account_id": self.account.id,
                "status_ids": [Command.set(self.account.status_ids.ids)],
            }
        )
        sync.action_start()
        with self.committing():
            # The first page makes the products, and fills what is kept between transactions.
            BulkJobs(self.account).process()
            before = self.env.cr.sql_log_count
            BulkJobs(self.account).process()
        self.assertEqual((sync.created_count, sync.failed_count), (100, 0))
        self.assertLessEqual((self.env.cr.sql_log_count - before) / 50, 4)
        orders = self.env["sale.order"].search([("keycrm_account_id", "=", self.account.id)])
        self.assertGreater(len(orders.partner_shipping_id - orders.partner_id), 20)


@tagged("post_install", "-at_install")
class TestStockCounts(StockCase):
    """What stock costs: queries of a user's transaction, and requests."""

    def test_picking_of_many_lines_costs_three_more_queries_at_most(self):
        products = self.env["product.product"].create(
            [{"name": f"P{number}", "is_storable": True} for number in range(20)]
        )
        self.account.push_stock = False
        self.validate(products)
        without = self.validate(products)
        self.account.push_stock = True
        self.validate(products)
        self.assertLessEqual(self.validate(products) - without, 3)
        for number in range(4):
            other = self.account.copy({"name": f"Shop {number}", "company_id": self.company.id})
            other.api_key = self.second_key(f"key {number}")
            other.write({"enabled": True, "push_stock": True})
        self.validate(products)
        self.assertLessEqual(self.validate(products) - without, 3)

    def validate(self, products):
        """Receive one piece of each product.

        :return: queries of the button and of the commit
        """
        kind = self.warehouse.in_type_id
        places = {
            "location_id": self.suppliers.id,
            "location_dest_id": kind.default_location_dest_id.id,
        }

        def make():
            picking = self.env["stock.picking"].create(
                {
                    "picking_type_id": kind.id,
                    **places,
                    "move_ids": [
                        Command.create({"product_id": product.id, "product_uom_qty": 1, **places})
                        for product in products
                    ],
                }
            )
            picking.action_confirm()
            picking.move_ids.write({"quantity": 1, "picked": True})
            return picking

        return self.queries_of_validating(make)

    def test_comparison_reads_fifty_offers_per_request(self):
        self.keycrm.seed(offers=200)
        offers = self.keycrm.health()["offers"]
        self.keycrm.clear_log()
        self.account.action_compare_stock()
        self.work(100)
        requests = self.keycrm.requests(path="/offers/stocks")
        self.assertEqual(len(requests), -(-offers // 50))
