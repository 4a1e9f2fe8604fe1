from datetime import timedelta
from urllib.parse import urlencode

from odoo import fields

from ..keycrm.client import MAX_ADDRESS_BYTES
from ..keycrm.fault_isolation_rules import MAX_FAULTS
from .stock_common import StockCase


class TestStockIsolation(StockCase):
    """One product whose request fails never keeps the stock of the others from KeyCRM."""

    def setUp(self):
        super().setUp()
        self.keycrm.clear_faults()
        self.keycrm.clear_log()

    def unmapped(self, skus):
        """Make products of which KeyCRM has the SKU and Odoo knows no offer yet."""
        for sku in skus:
            self.keycrm.create_offer(sku=sku, stock={1: 0})
        return self.env["product.product"].create(
            [{"name": sku, "default_code": sku, "is_storable": True} for sku in skus]
        )

    def retry_is_due(self, products):
        levels = products.keycrm_level_ids
        levels.write({"retry_at": "2000-01-01 00:00:00"})

    # === ADDRESSES ===#

    def test_long_cyrillic_skus_are_looked_up_in_addresses_of_4_kb(self):
        skus = [f"СОРОЧКА-ВИШИВАНА-БІЛА-РОЗМІР-{number:03}" for number in range(50)]
        products = self.unmapped(skus)
        self.keycrm.clear_log()
        self.count_all(products, 2)
        self.work()
        lengths = [
            len(urlencode(request["query"])) for request in self.keycrm.requests(method="GET")
        ]
        self.assertLess(max(lengths), MAX_ADDRESS_BYTES)
        self.assertEqual({self.shown(product) for product in products}, {2.0})

    def test_a_sku_too_long_for_an_address_waits_for_the_comparison(self):
        products = self.unmapped(["Ж" * 900, "SHORT"])
        self.count_all(products, 2)
        self.work()
        self.assertEqual(self.shown(products[1]), 2)
        self.assertEqual(products[0].keycrm_push_state, "missing")

    def test_duplicate_skus_that_fill_a_page_hide_no_other_product(self):
        products = self.unmapped([f"PAGE-{number}" for number in range(50)])
        for number in range(30):
            self.keycrm.create_offer(sku=f"PAGE-{number}", stock={1: 0})
        self.count_all(products, 2)
        self.work()
        self.assertEqual({self.shown(product) for product in products[30:]}, {2.0})
        self.assertEqual(set(products[:30].mapped("keycrm_push_state")), {"missing"})

    # === FAILING REQUESTS ===#

    def test_a_sku_whose_lookup_fails_is_deferred_with_its_reason(self):
        products = self.unmapped([f"LOOK-{number}" for number in range(20)])
        self.keycrm.add_fault("status", path="/offers", contains="LOOK-7,", times=None)
        self.keycrm.add_fault("status", path="/offers", contains="=LOOK-7&", times=None)
        self.keycrm.add_fault("status", path="/offers", contains=",LOOK-7&", times=None)
        self.count_all(products, 2)
        self.work()
        bad = products[7]
        self.assertEqual({self.shown(product) for product in products - bad}, {2.0})
        missing = self.env["keycrm.missing.sku"].search([("product_id", "=", bad.id)])
        self.assertIn("Server Error", missing.reason)

    def test_row_that_fails_with_500_delays_no_other_row(self):
        self.one_row_fails("status", status=500)

    def test_row_that_breaks_the_connection_delays_no_other_row(self):
        self.one_row_fails("close")

    def test_row_whose_answer_is_no_json_delays_no_other_row(self):
        self.one_row_fails("html")

    def one_row_fails(self, kind, **fault):
        products = self.many(40, f"{kind}-")
        self.count_all(products, 3)
        self.work()
        bad = products[17]
        self.keycrm.add_fault(
            kind, method="PUT", contains=f'"id": {self.number(bad)},', times=None, **fault
        )
        self.keycrm.clear_log()
        self.count_all(products, 4)
        self.work()
        self.assertEqual({self.shown(product) for product in products - bad}, {4.0})
        level = bad.keycrm_level_ids
        self.assertTrue(level.error)
        self.assertEqual(bad.keycrm_push_state, "refused")
        # Each halving costs a failing request of three tries and a good one, and the rest is one more.
        self.assertLessEqual(len(self.keycrm.requests(method="PUT")), 6 * (3 + 1) + 1)
        self.keycrm.clear_log()
        self.assertEqual(self.sent(), [])
        # The retry is automatic and goes well once the cause has ended.
        self.keycrm.clear_faults()
        self.retry_is_due(bad)
        self.work()
        self.assertEqual(self.shown(bad), 4)
        self.assertFalse(level.error or level.retry_at or level.attempts)

    def test_failing_row_is_retried_with_backoff(self):
        sock = self.goods("BACKOFF")
        self.count(sock, 3)
        self.work()
        self.keycrm.add_fault("status", method="PUT", times=None)
        self.count(sock, 4)
        for pause in (60, 300):
            before = fields.Datetime.now()
            self.work()
            level = sock.keycrm_level_ids
            after = fields.Datetime.now()
            self.assertGreaterEqual(level.retry_at, before + timedelta(seconds=pause))
            self.assertLessEqual(level.retry_at, after + timedelta(seconds=pause))
            self.retry_is_due(sock)
        self.assertIn(level.error, sock.keycrm_push_error)

    def test_queue_pauses_if_every_put_fails(self):
        products = self.many(8, "EVERY-")
        self.count_all(products, 3)
        self.work()
        self.keycrm.add_fault("status", method="PUT", times=None)
        self.keycrm.clear_log()
        self.count_all(products, 4)
        self.breaks()
        # A bisection, then the next rows one by one, three tries a request.
        self.assertLessEqual(len(self.keycrm.requests(method="PUT")), 3 * (4 + MAX_FAULTS))
        self.keycrm.clear_log()
        # On a slow machine the retry of the rows above is due by now.
        self.set_trigger_times(60)
        self.breaks()
        self.assertEqual(len(self.keycrm.requests(method="PUT")), 3)
        self.keycrm.clear_faults()
        self.retry_is_due(products)
        self.work()
        self.assertEqual({self.shown(product) for product in products}, {4.0})

    # === ADJACENT ROWS, AS THE VARIANTS OF ONE PRODUCT ===#

    def sending_fails(self, products):
        for product in products:
            self.keycrm.add_fault(
                "status", method="PUT", contains=f'"id": {self.number(product)},', times=None
            )

    def reading_fails(self, products):
        for product in products:
            for before, after in ("=&", "=,", ",&", ",,"):
                self.keycrm.add_fault(
                    "status",
                    method="GET",
                    path="/offers/stocks",
                    contains=f"{before}{self.number(product)}{after}",
                    times=None,
                )

    def assert_shown(self, products, quantity):
        self.assertEqual({self.shown(product) for product in products}, {quantity})

    def test_adjacent_rows_that_fail_delay_no_other_row(self):
        products = self.many(12, "SIDE-")
        self.count_all(products, 3)
        self.work()
        bad = products[2:8]
        self.sending_fails(bad)
        self.count_all(products, 4)
        self.work()
        self.assert_shown(products - bad, 4.0)
        self.assert_shown(bad, 3.0)
        self.assertEqual(set(bad.mapped("keycrm_push_state")), {"refused"})
        self.assertFalse(self.env["keycrm.stock.change"].search([]), "nothing waits")
        # Their retries end no run either: they prove nothing about other rows.
        self.retry_is_due(bad)
        self.work()
        self.keycrm.clear_log()
        self.count(products[0], 5)
        self.assert_sent((products[0], 5))

    def test_adjacent_offers_that_cannot_be_read_delay_no_other_row(self):
        products = self.many(12, "READ-")
        bad = products[2:8]
        self.reading_fails(bad)
        self.count_all(products, 4)
        self.work()
        # Quantities are absolute, so those that cannot be read are sent without.
        self.assert_shown(products, 4.0)
        self.keycrm.set_stock(self.number(bad[0]), 1, 9, webhook=False)
        self.env["keycrm.stock.change"]._enqueue_refresh(self.account, bad.ids)
        self.work()
        self.assert_shown(products, 4.0)
        self.assertFalse(self.env["keycrm.stock.change"].search([]), "nothing waits")
        self.assertFalse(self.account.stock_isolation)

    def test_adjacent_skus_whose_lookup_fails_delay_no_other_sku(self):
        products = self.unmapped(
            [f"{'BAD' if 2 <= number < 8 else 'GOOD'}-SKU-{number}" for number in range(12)]
        )
        bad = products[2:8]
        self.keycrm.add_fault("status", path="/offers", contains="BAD-SKU", times=None)
        self.count_all(products, 2)
        self.work()
        self.assert_shown(products - bad, 2.0)
        missing = self.env["keycrm.missing.sku"].search([("product_id", "in", bad.ids)])
        self.assertEqual(missing.product_id, bad)

    def test_run_of_faulty_rows_alone_ends_and_others_are_sent(self):
        bad, other = self.many(9, "ALONE-"), self.goods("OTHER")
        self.count_all(bad + other, 3)
        self.work()
        self.sending_fails(bad)
        self.count_all(bad, 4)
        self.breaks()
        self.count(other, 5)
        self.breaks()
        self.work()
        self.assertEqual(self.shown(other), 5)
        self.assertFalse(self.env["keycrm.stock.change"].search([]), "nothing waits")

    # === UNREADABLE ROWS ===#

    def test_unreadable_stock_row_delays_no_other_product(self):
        products = self.many(10, "ROW-")
        bad = products[4]
        self.keycrm.patch_offer(self.number(bad), raw={"warehouse": [{"id": 1, "quantity": "x"}]})
        self.count_all(products, 3)
        self.work()
        self.keycrm.patch_offer(self.number(bad), raw={})
        self.assertEqual({self.shown(product) for product in products}, {3.0})

    def test_an_offer_with_an_unreadable_row_is_not_missing_in_keycrm(self):
        products = self.many(3, "NAMED-")
        self.count_all(products, 3)
        self.work()
        self.settle()
        bad = products[1]
        for row in ({"warehouse": "x"}, {"warehouse": [{"id": 1, "quantity": []}]}):
            self.keycrm.patch_offer(self.number(bad), raw=row)
            self.account.action_compare_stock()
            self.work()
            self.assertFalse(bad.keycrm_offer_ids.is_missing_in_keycrm)
        self.keycrm.patch_offer(self.number(bad), raw={})

    def test_failing_comparison_delays_no_change(self):
        sock = self.goods("SOCK-COMPARE")
        self.count(sock, 3)
        self.work()
        self.keycrm.add_fault("status", path="/offers/stocks", method="GET", page=1, times=None)
        self.account.action_compare_stock()
        self.work()
        self.keycrm.clear_faults()
        self.count(sock, 4)
        self.assert_sent((sock, 4))
        self.assertIn("comparison", self.account.sudo().work_circuits)
