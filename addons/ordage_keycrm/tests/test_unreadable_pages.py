"""A row that KeyCRM cannot return holds up no list, is named to the user, and counts as absent nowhere."""

import contextlib
from datetime import timedelta

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import mute_logger

from ..services.common import circuit_breaker, list_pages
from ..services.sending import offer_export
from ..services.workers.bulk_jobs import BulkJobs
from .stock_common import StockCase

FAULTS = (
    {"kind": "status", "status": 500},
    {"kind": "malformed"},
    {"kind": "html"},
    {"kind": "close"},
)


class UnreadableCase(StockCase):
    forget = True

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for module in (circuit_breaker, list_pages):
            cls.enterClassContext(mute_logger(module.__name__))

    def setUp(self):
        super().setUp()
        self.stop_polling()

    def break_row(self, number, path, **fault):
        self.keycrm.add_fault(
            **{"kind": "status", "path": path, "row": number, "times": None, **fault}
        )

    @contextlib.contextmanager
    def restoring(self):
        """Let the database and KeyCRM be as before afterwards."""
        try:
            with contextlib.closing(self.env.cr.savepoint(flush=True)):
                yield
        finally:
            self.env.invalidate_all()
            self.keycrm.reset(keep_switches=True)

    def end_pauses(self):
        circuits = self.account.sudo().work_circuits or {}
        over = {
            name: {**circuit, "until": "2020-01-01 00:00:00"} for name, circuit in circuits.items()
        }
        self.account.sudo().work_circuits = over or False
        self.env.cr.flush()

    def run_until(self, is_over, run, turns=8):
        """Run a queue, each time after all pauses, until something is over.

        :return: how often it ran
        """
        for turn in range(turns):
            if is_over():
                return turn
            self.end_pauses()
            run()
        self.assertTrue(is_over(), "it is held up")
        return turns

    def run_bulk_work(self):
        with self.committing():
            while BulkJobs(self.account).process():
                pass


class TestUnreadableCatalog(UnreadableCase):
    def load(self):
        load = self.env["keycrm.product.import"].create({"account_id": self.account.id})
        load.action_start()
        return load

    def offers(self, count):
        return [self.keycrm.create_offer(sku=f"UP-{n}", name=f"U{n}")["id"] for n in range(count)]

    def test_unreadable_offer_holds_up_no_import(self):
        for fault in FAULTS:
            for place in (0, 30, 49, 50, 51):
                with self.subTest(place=place, **fault), self.restoring():
                    numbers = self.offers(52)
                    faulty = numbers[place]
                    self.break_row(faulty, "/offers", **fault)
                    load = self.load()
                    self.keycrm.clear_log()
                    self.run_until(lambda load=load: load.state == "done", self.run_bulk_work)
                    found = self.env["keycrm.offer"].search([("keycrm_id", "in", numbers)])
                    self.assertEqual(set(numbers) - set(found.mapped("keycrm_id")), {faulty})
                    before = str(numbers[place - 1]) if place % 50 else str(place + 1)
                    self.assertIn(f" {before} ", load.unread_text)
                    # Two pages and their attempts, the parts, and a probe for each failure.
                    self.assertLessEqual(len(self.keycrm.requests()), 35)

    def test_mapped_offer_that_cannot_be_read_is_not_reported_as_missing(self):
        mapped = self.goods("UP-MAPPED")
        alone = self.env["product.product"].create(
            {"name": "alone", "default_code": "UP-ALONE", "is_storable": True}
        )
        self.offers(3)
        self.break_row(self.number(mapped), "/offers")
        load = self.load()
        self.run_until(lambda: load.state == "done", self.run_bulk_work)
        missing = load.row_ids.filtered(lambda row: row.kind == "only_here").product_id
        self.assertIn(alone, missing)
        self.assertNotIn(mapped, missing)

    def test_import_shows_the_reason_until_it_is_started_again(self):
        numbers = self.offers(12)
        self.break_row(numbers[3], "/offers", kind="status", status=502)
        load = self.load()
        self.run_until(lambda: load.state == "done", self.run_bulk_work)
        self.assertIn("502", load.unread_text)
        self.assertIn(str(numbers[2]), load.with_context(lang="uk_UA").unread_text)
        self.keycrm.clear_faults()
        load.action_start()
        self.run_bulk_work()
        self.assertEqual(load.state, "done")
        self.assertFalse(load.unread_text)
        self.assertTrue(self.env["keycrm.offer"].search([("keycrm_id", "=", numbers[3])]))

    def test_catalog_that_cannot_be_read_at_all_is_not_passed_over(self):
        self.offers(12)
        self.keycrm.add_fault("status", path="/offers", times=None)
        load = self.load()
        for _turn in range(6):
            self.end_pauses()
            self.run_bulk_work()
        self.assertEqual((load.state, load.page), ("running", 1))
        self.assertIn("500", self.account.circuit_error_text)

    def test_page_that_can_be_read_costs_one_request(self):
        self.offers(60)
        load = self.load()
        self.keycrm.clear_log()
        self.run_bulk_work()
        self.assertEqual(load.state, "done")
        self.assertEqual(len(self.keycrm.requests()), 2)

    def test_cost_of_an_offer_that_cannot_be_read_holds_up_no_other(self):
        products = self.many(3, "UP-COST-")
        faulty = products[1]
        self.patch(offer_export, "DEBOUNCE_SECONDS", 0.0)
        self.account.send_cost = True
        self.break_row(self.number(faulty), "/offers")
        products.standard_price = 7
        self.work()
        costs = {row["id"]: row["purchased_price"] for row in self.keycrm.offers()}
        self.assertEqual({float(costs[self.number(one)]) for one in products}, {7.0})

    def test_unreadable_offer_holds_up_no_preview_of_costs(self):
        products = self.many(12, "UP-PREVIEW-")
        faulty = products[4]
        self.break_row(self.number(faulty), "/offers")
        preview = self.env["keycrm.send.preview"]._start(self.account, "cost")
        products.standard_price = 7
        self.run_until(lambda: preview.state == "ready", self.run_bulk_work)
        self.assertIn(str(self.number(products[3])), preview.unread_text)
        self.assertEqual(preview.change_count, 12)

    def test_failed_sku_lookup_does_not_stop_creation_of_other_products(self):
        products = self.env["product.product"].create(
            [{"name": f"N{n}", "default_code": f"UP-NEW-{n}"} for n in range(20)]
        )
        taken = self.keycrm.create_offer(sku="UP-NEW-7", name="there")["id"]
        self.break_row(taken, "/offers")
        export = self.env["keycrm.product.export"].browse(products.action_keycrm_create()["res_id"])
        export.action_start()
        self.run_until(lambda: export.state == "done", self.run_bulk_work)
        bad = export.line_ids.filtered(lambda line: line.product_id == products[7])
        self.assertEqual(bad.state, "problem")
        self.assertIn("500", bad.error)
        self.assertEqual(set((export.line_ids - bad).mapped("state")), {"done"})
        # It is in KeyCRM, only unreadable: not created beside it.
        skus = [row["sku"] for row in self.keycrm.offers()]
        self.assertEqual((skus.count("UP-NEW-7"), len(skus)), (1, 20))


class TestUnreadableStock(UnreadableCase):
    def preview(self):
        action = self.account.action_preview_stock()
        return self.env["keycrm.stock.comparison"].browse(action["res_id"])

    def compare(self):
        self.account.action_compare_stock()
        return self.env["keycrm.stock.comparison"].search([], limit=1)

    def lines(self, comparison):
        return {line.product_id: line for line in comparison.line_ids}

    def test_row_that_cannot_be_read_holds_up_no_preview(self):
        products = self.many(60, "UP-")
        self.count_all(products, 3)
        self.account.push_stock = False
        faulty = products[20]
        self.break_row(self.number(faulty), "/offers/stocks", method="GET")
        preview = self.preview()
        self.run_until(lambda: preview.state == "ready", self.work)
        lines = self.lines(preview)
        self.assertEqual(lines[faulty].outcome, "unread")
        self.assertEqual({lines[one].outcome for one in products - faulty}, {"lower"})
        self.assertTrue(preview.unread_text)
        self.keycrm.clear_log()
        preview.action_send()
        self.work()
        # Nothing is concluded about it: KeyCRM's quantity stays until it is known.
        self.assertEqual({self.shown(one) for one in products - faulty}, {3.0})
        self.assertEqual(self.shown(faulty), 5)
        self.assertFalse(faulty.keycrm_level_ids.filtered("is_known"))
        self.keycrm.clear_faults()
        comparison = self.compare()
        self.work()
        self.assertEqual(comparison.state, "done")
        self.assertEqual(self.shown(faulty), 3)

    def test_opening_quantities_skip_an_unreadable_row(self):
        products = self.many(12, "UP-")
        self.account.push_stock = False
        faulty = products[3]
        self.break_row(self.number(faulty), "/offers/stocks", method="GET")
        preview = self.preview()
        self.run_until(lambda: preview.state == "ready", self.work)
        preview.action_take_opening()
        self.work()
        line = self.lines(preview)[faulty]
        self.assertEqual((line.opening, preview.left_out_count), ("unread", 1))
        self.assertEqual({one.qty_available for one in products - faulty}, {5.0})
        self.assertEqual(faulty.qty_available, 0)
        self.assertEqual({self.shown(one) for one in products}, {5.0})

    def test_row_that_cannot_be_read_holds_up_no_comparison_and_is_not_missing(self):
        for fault in ({"contains": "details"}, {"contains": "page"}, {"contains": "limit=50"}):
            for place in (0, 7, 11):
                with self.subTest(place=place, **fault), self.restoring():
                    products = self.many(12, f"UP-{place}-")
                    self.count_all(products, 3)
                    self.work()
                    self.settle()
                    faulty = products[place]
                    self.break_row(self.number(faulty), "/offers/stocks", method="GET", **fault)
                    for one in products:
                        self.keycrm.set_stock(self.number(one), 1, 9, webhook=False)
                    comparison = self.compare()
                    self.run_until(
                        lambda comparison=comparison: comparison.state == "done", self.work
                    )
                    offer = faulty.keycrm_offer_ids
                    self.assertFalse(offer.is_missing_in_keycrm)
                    self.assertTrue(offer.level_ids)
                    self.assertEqual({self.shown(one) for one in products - faulty}, {3.0})

    def test_row_absent_from_list_is_not_missing_while_rows_are_unread(self):
        products = self.many(12, "UP-")
        self.count_all(products, 3)
        self.work()
        self.settle()
        faulty = products[5]
        number = self.number(faulty)
        # KeyCRM fails at the row in the list, and returns none if it is requested alone.
        self.keycrm.add_fault("empty_list", path="/offers/stocks", contains="offers_id", times=None)
        self.break_row(number, "/offers/stocks", method="GET")
        comparison = self.compare()
        self.run_until(lambda: comparison.state == "done", self.work)
        self.assertFalse(faulty.keycrm_offer_ids.is_missing_in_keycrm)
        self.keycrm.clear_faults()
        self.keycrm.delete_offer(number)
        comparison = self.compare()
        self.work()
        self.assertTrue(faulty.keycrm_offer_ids.is_missing_in_keycrm, "really deleted")

    def test_only_one_page_is_read_in_parts(self):
        products = self.many(120, "UP-")
        self.break_row(self.number(products[3]), "/offers/stocks", method="GET")
        comparison = self.compare()
        self.keycrm.clear_log()
        self.run_until(lambda: comparison.state != "reading", self.work)
        parts = [row for row in self.keycrm.requests() if row["query"].get("limit") in ("10", "1")]
        # KeyCRM's default order has the newest first, so the row is on the last of three pages.
        self.assertLessEqual(len(parts), 20)

    def test_warehouses_are_found_although_a_row_cannot_be_read(self):
        product = self.goods("UP-W", keycrm={1: 1, 2: 2})
        self.goods("UP-X", keycrm={1: 1, 2: 2})
        self.account.warehouse_ids.unlink()
        self.break_row(self.number(product), "/offers/stocks", method="GET")
        self.account.action_refresh_warehouses()
        self.run_until(lambda: not self.cursor("warehouses").page, self.run_bulk_work)
        self.account.invalidate_recordset(["warehouse_ids"])
        self.assertEqual(set(self.account.warehouse_ids.mapped("keycrm_id")), {1, 2})


class TestUnreadableShortLists(UnreadableCase):
    def test_status_that_cannot_be_read_hides_no_other_and_counts_as_active(self):
        known = self.account.status_ids
        faulty = known[3]
        self.keycrm.put_status(id=777, name="Новий", group_id=1)
        self.break_row(faulty.keycrm_id, "/order/status")
        self.keycrm.clear_log()
        self.account.action_refresh_statuses()
        self.assertTrue(faulty.is_active)
        self.assertIn("Новий", self.account.status_ids.mapped("name"))
        self.assertLessEqual(len(self.keycrm.requests(path="/order/status")), 30)

    def test_key_is_accepted_although_a_payment_method_cannot_be_read(self):
        Method, mine = self.env["keycrm.payment.method"], [("account_id", "=", self.account.id)]
        numbers = Method.search(mine).mapped("keycrm_id")
        Method.search(mine).unlink()
        self.break_row(numbers[1], "/order/payment-method")
        self.account.action_refresh_statuses()
        found = Method.search(mine).mapped("keycrm_id")
        self.assertEqual(set(numbers) - set(found), {numbers[1]})

    def test_list_that_cannot_be_read_at_all_costs_few_requests(self):
        self.keycrm.add_fault("status", path="/order/source", times=None)
        self.keycrm.clear_log()
        with self.assertRaisesRegex(UserError, "500"):
            self.account.action_refresh_statuses()
        self.assertLessEqual(len(self.keycrm.requests(path="/order/source")), 9)


class TestUnreadableOrders(UnreadableCase):
    def run_orders_queue(self):
        with self.committing():
            self.env["keycrm.account"]._cron_orders(self.account.id)

    def sync(self):
        sync = self.env["keycrm.order.sync"].create(
            {"account_id": self.account.id, "status_ids": [Command.set(self.status().ids)]}
        )
        sync.action_start()
        return sync

    def new_orders(self, count, **values):
        status = self.status().keycrm_id
        return [self.new_order([], status_id=status, **values) for _ in range(count)]

    def test_order_that_cannot_be_listed_is_read_singly(self):
        numbers = self.new_orders(12)
        self.break_row(numbers[5], "/order")
        sync = self.sync()
        self.run_until(lambda: sync.state == "done", self.run_orders_queue)
        self.run_orders_queue()
        found = self.env["sale.order"].search_count([("keycrm_id", "in", numbers)])
        self.assertEqual(found, 12)
        self.assertEqual(sync.pass_number, 1)
        self.assertFalse(sync.unread_text)

    def test_unreadable_order_is_reported_with_its_number(self):
        numbers = self.new_orders(12)
        self.break_row(numbers[5], "/order*")
        sync = self.sync()
        self.run_until(lambda: sync.state == "done", self.run_orders_queue)
        self.run_orders_queue()
        failed = self.env["keycrm.event"].search([("state", "=", "failed")])
        self.assertEqual(failed.mapped("keycrm_order_id"), [numbers[5]])
        self.assertEqual(failed.sync_id, sync)
        self.assertEqual(self.env["sale.order"].search_count([("keycrm_id", "in", numbers)]), 11)

    def test_unreadable_row_is_located_by_the_order_before_it(self):
        numbers = self.new_orders(12)
        # Others between them are in a status that is not synchronized.
        other = self.status(group=5).keycrm_id
        for _ in range(3):
            self.new_order([], status_id=other)
        numbers += self.new_orders(2)
        self.break_row(numbers[12], "/order*")
        sync = self.sync()
        self.run_until(lambda: sync.state == "done", self.run_orders_queue)
        self.assertIn(f" {numbers[11]} ", sync.unread_text)
        self.assertEqual(sync.pass_number, 1)

    def test_new_order_without_webhook_is_found_although_no_list_can_show_it(self):
        self.account.enabled_since = self.env.cr.now() - timedelta(days=1)
        numbers = self.new_orders(12)
        self.break_row(numbers[5], "/order")
        self.cursor("new_orders").read_until = self.env.cr.now() - timedelta(hours=2)

        def is_over():
            return self.env["sale.order"].search_count([("keycrm_id", "in", numbers)]) == 12

        self.run_until(is_over, self.run_orders_queue)

    def test_known_order_that_cannot_be_read_is_neither_deleted_nor_canceled(self):
        numbers = self.new_orders(12)
        orders = self.arrive(*numbers)
        self.break_row(numbers[5], "/order*")
        self.cursor("open_orders").read_until = self.env.cr.now() - timedelta(hours=2)
        self.run_until(
            lambda: self.cursor("open_orders").read_until > self.env.cr.now() - timedelta(hours=1),
            self.run_orders_queue,
        )
        self.run_orders_queue()
        self.assertFalse(orders.filtered("keycrm_deleted"))
        self.assertNotIn("cancel", orders.mapped("state"))
        failed = self.env["keycrm.event"].search([("state", "=", "failed")])
        self.assertEqual(failed.mapped("keycrm_order_id"), [numbers[5]])

    def test_bank_transaction_that_cannot_be_read_holds_up_no_other(self):
        made = [
            self.keycrm.create_transaction(amount=10 + n, description=f"Переказ {n}")
            for n in range(12)
        ]
        self.account.import_payments = True
        self.cursor("transactions").read_until = False
        self.break_row(made[5]["id"], "/payments/external-transactions")
        self.run_until(lambda: bool(self.cursor("transactions").read_until), self.run_orders_queue)
        found = self.env["keycrm.transaction"].search_count([("account_id", "=", self.account.id)])
        self.assertEqual(found, 11)
