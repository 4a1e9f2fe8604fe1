from unittest.mock import patch

from ..keycrm.catalog import StockAnswer
from ..services.common import crons
from ..services.common.circuit_breaker import CircuitBreaker
from ..services.orders import webhook_inbox
from ..services.stock.stock_lookup import StockLookup
from .stock_common import StockCase

NO_ANSWER = StockAnswer({}, frozenset())


class TestStockDrift(StockCase):
    """KeyCRM changes its quantities itself: they are read and corrected; echoes cost no request."""

    def setUp(self):
        super().setUp()
        self.keycrm.clear_faults()
        self.sock = self.goods(self.id().rsplit(".", 1)[-1])
        self.count(self.sock, 5)
        self.work()
        self.settle()
        self.sent()

    def receive_stock_webhook(self, quantity, offer=None):
        """Receive a stock webhook that is old enough not to belong to an order."""
        webhook_inbox.receive(
            self.account,
            [{"offer_id": offer or self.number(self.sock), "in_stock": quantity, "in_reserve": 0}],
        )
        event = self.env["keycrm.event"].search([], limit=1)
        self.env.cr.execute(
            "UPDATE keycrm_event SET received_at = received_at - interval '5 s' WHERE id = %s",
            [event.id],
        )
        event.invalidate_recordset()
        return event

    def test_manual_edit_in_keycrm_is_corrected_at_once(self):
        self.keycrm.set_stock(self.number(self.sock), 1, 99, webhook=False)
        event = self.receive_stock_webhook(99)
        self.assert_sent((self.sock, 5))
        self.assertEqual(event.state, "done")
        self.assertEqual(self.shown(self.sock), 5)

    def test_manual_edit_in_keycrm_is_corrected_with_debounced_changes(self):
        self.keycrm.set_stock(self.number(self.sock), 1, 99, webhook=False)
        crons.trigger(self.account, crons.STOCK, delay=1)
        self.set_trigger_times(1)
        event = self.receive_stock_webhook(99)
        self.assert_sent()
        self.assertEqual(event.state, "done")
        self.set_trigger_times(0)
        self.assert_sent((self.sock, 5))

    def test_an_echo_costs_no_request(self):
        for quantity in (5, "5.000"):
            self.receive_stock_webhook(quantity)
            self.assertEqual(self.sent(), [])
            self.assertEqual(self.read_requests, [])

    def test_echoes_of_successive_exports_cost_no_request(self):
        self.receive_stock_webhook(5)
        self.work()
        for quantity in (6, 7, 8):
            self.count(self.sock, quantity)
            self.work()
        self.sent()
        for quantity in (6, 7, 8):
            self.receive_stock_webhook(quantity)
        self.assertEqual(self.sent(), [])
        self.assertEqual(self.read_requests, [])

    def test_manual_edit_back_to_a_sent_quantity_is_no_echo(self):
        self.receive_stock_webhook(5)
        self.work()
        self.count(self.sock, 6)
        self.work()
        self.receive_stock_webhook(6)
        self.work()
        self.sent()
        self.keycrm.set_stock(self.number(self.sock), 1, 5, webhook=False)
        self.receive_stock_webhook(5)
        self.assert_sent((self.sock, 6))

    def test_expected_echoes_that_never_arrive_are_deleted(self):
        self.receive_stock_webhook(5)
        self.work()
        for quantity in (6, 7, 8):
            self.count(self.sock, quantity)
            self.work()
            self.env.cr.execute(
                "UPDATE keycrm_stock_echo SET sent_at = sent_at - interval '11 min'"
            )
            self.env["keycrm.stock.echo"].invalidate_model()
        self.assertEqual(
            self.env["keycrm.stock.echo"].search_count(
                [("offer_id", "=", self.sock.keycrm_offer_ids.id)]
            ),
            1,
        )

    def test_an_echo_counts_warehouses_that_are_not_matched(self):
        self.keycrm.set_stock(self.number(self.sock), 2, 30, webhook=False)
        self.receive_stock_webhook(35)
        self.assertEqual(self.sent(), [])
        self.receive_stock_webhook(35)
        self.assertEqual(self.sent(), [])
        self.assertEqual(self.read_requests, [])

    def test_stock_webhook_of_an_unknown_offer_is_ignored(self):
        self.receive_stock_webhook(5, offer=987654)
        webhook_inbox.receive(self.account, {"offer_id": "x", "in_stock": []})
        self.assertEqual(self.sent(), [])

    def test_write_off_of_keycrm_counts_once_the_order_is_imported(self):
        self.keycrm.set_switches(status_write_off="on")
        number = self.new_order([{"offer_id": self.number(self.sock), "quantity": 2}], status_id=6)
        self.assertEqual(self.shown(self.sock), 3)
        self.arrive(number)
        self.assertEqual(self.sent(), [])
        self.assertEqual(self.shown(self.sock), 3)

    def test_offers_are_read_again_after_write_off_cancellation_or_reduction(self):
        self.keycrm.set_switches(status_write_off="on")
        number = self.new_order([{"offer_id": self.number(self.sock), "quantity": 4}], status_id=6)
        self.arrive(number)
        self.sent()
        (line,) = self.keycrm.order(number)["answer"]["products"]
        for what, shown in (("shortened", 3), ("canceled", 5)):
            if what == "shortened":
                self.keycrm.patch_line(number, line["id"], quantity=2, webhook=False)
            else:
                self.keycrm.set_status(number, 12, webhook=False)
            self.arrive(number)
            self.assertEqual(self.sent(), [], what)
            read = [row for row in self.read_requests if row["path"].endswith("/offers/stocks")]
            self.assertEqual(len(read), 1, what)
            self.assertEqual(self.shown(self.sock), shown, what)

    # === COMPARISON ===#

    def comparison(self):
        self.account.action_compare_stock()
        self.work()
        return self.env["keycrm.stock.comparison"].search([], limit=1)

    def test_comparison_lists_differences_sends_them_and_counts_them(self):
        self.keycrm.set_stock(self.number(self.sock), 1, 2, webhook=False)
        comparison = self.comparison()
        self.assertEqual(comparison.state, "done")
        line = comparison.line_ids
        self.assertEqual(
            (line.product_id, line.keycrm_warehouse_id, line.odoo_quantity, line.keycrm_quantity),
            (self.sock, self.kw1, 5, 2),
        )
        self.assertEqual(line.difference, 3)
        self.assertEqual(self.shown(self.sock), 5)
        self.assertEqual(self.account.compared_differences, 1)
        self.assertEqual(self.comparison().difference_count, 0)

    def test_a_product_never_counted_or_moved_is_not_compared(self):
        never = self.goods(self.id().rsplit(".", 1)[-1] + "-never", keycrm={1: 8})
        comparison = self.comparison()
        self.assertEqual(comparison.difference_count, 0)
        self.assertNotIn(never, comparison.line_ids.product_id)
        self.assertEqual(self.shown(never), 8)

    def test_interrupted_comparison_changes_nothing(self):
        for number in range(60):
            self.keycrm.create_offer(sku=f"FILL-{self.id()}-{number}", stock={1: 1})
        self.keycrm.set_stock(self.number(self.sock), 1, 2, webhook=False)
        self.keycrm.clear_log()
        for kind in ("status", "cut", "malformed", "html"):
            fault = {"status": 500} if kind == "status" else {}
            self.keycrm.add_fault(kind, path="/offers/stocks", page=2, times=3, **fault)
            self.account.action_compare_stock()
            self.work()
            self.assertEqual(self.keycrm.requests(method="PUT"), [])
            self.keycrm.clear_faults()
            CircuitBreaker(self.account)._write("comparison", None)
        self.work()
        self.assertEqual(self.shown(self.sock), 5)

    def test_comparison_interrupted_by_disabling_starts_again(self):
        # The product was created last, so that the next page comes after it.
        following = (len(self.keycrm.offers()) - 1) // 50 + 2
        for number in range(60):
            self.keycrm.create_offer(sku=f"PAUSE-{self.id()}-{number}", stock={1: 1})
        fault = {"status": 500, "page": following, "times": 3}
        self.keycrm.add_fault("status", path="/offers/stocks", **fault)
        interrupted = self.comparison()
        self.assertEqual((interrupted.state, interrupted.next_page), ("reading", following))
        self.account.enabled = False
        self.keycrm.set_stock(self.number(self.sock), 1, 2, webhook=False)
        self.keycrm.clear_faults()
        CircuitBreaker(self.account)._write("comparison", None)
        self.account.enabled = True
        self.work()
        self.assertEqual(self.shown(self.sock), 5)
        self.assertEqual(interrupted.state, "canceled")

    def test_comparison_of_a_restored_backup_starts_again(self):
        old = self.env["keycrm.stock.comparison"]._start(self.account, "comparison")
        self.account.action_confirm_database()
        self.assertEqual(old.state, "canceled")
        self.work()
        newest = old.search([("account_id", "=", self.account.id)], limit=1)
        self.assertEqual((newest.state, newest == old), ("done", False))

    def test_comparison_with_shifting_pages_resends_nothing(self):
        for number in range(130):
            self.keycrm.create_offer(sku=f"SHIFT-{self.id()}-{number}", stock={1: 1})
        for kind in ("repeat_rows", "skip_rows"):
            for page in (1, 2, 3):
                self.keycrm.add_fault(kind, path="/offers/stocks", page=page, times=1, rows=7)
            comparison = self.comparison()
            self.assertEqual((comparison.state, comparison.difference_count), ("done", 0))
            self.assertEqual(self.sent(), [])
            self.assertFalse(self.sock.keycrm_offer_ids.is_missing_in_keycrm)
            self.keycrm.clear_faults()

    def comparison_by_a_user(self):
        action = self.account.with_user(self.env.ref("base.user_admin")).action_compare_stock()
        self.work()
        comparison = self.env["keycrm.stock.comparison"].browse(action["res_id"])
        self.assertTrue(comparison.user_id)
        return comparison

    def test_list_with_many_missing_rows_marks_nothing_missing(self):
        goods = [self.goods(f"{self.id()}-{n}", keycrm={1: 1}) for n in range(6)]
        for product in goods:
            self.count(product, 1)
        self.work()
        for product in goods:
            self.keycrm.delete_offer(self.number(product))
        comparison = self.comparison()
        self.assertEqual((comparison.state, comparison.error_code), ("failed", "stock_list_short"))
        self.assertFalse(any(product.keycrm_offer_ids.is_missing_in_keycrm for product in goods))

    def test_listed_offer_is_not_missing_after_an_empty_check(self):
        self.keycrm.set_stock(self.number(self.sock), 1, 2, webhook=False)
        with patch.object(StockLookup, "read_rows", lambda *_args: NO_ANSWER):
            self.comparison()
        self.assertFalse(self.sock.keycrm_offer_ids.is_missing_in_keycrm)
        self.assertEqual(self.comparison().difference_count, 1)
        self.assertEqual(self.shown(self.sock), 5)

    def test_persistently_empty_list_marks_nothing_missing(self):
        goods = [self.goods(f"{self.id()}-{n}", keycrm={1: 1}) for n in range(6)]
        for product in goods:
            self.count(product, 1)
        self.work()
        self.keycrm.add_fault("empty_list", method="GET", path="/offers/stocks", times=None)
        preview = self.env["keycrm.stock.comparison"]._start(self.account, "preview")
        self.work()
        for comparison in (self.comparison(), self.comparison_by_a_user(), preview):
            self.assertEqual(
                (comparison.state, comparison.error_code), ("failed", "stock_list_empty")
            )
            self.assertIn("empty", comparison.error)
        for product in goods:
            self.assertFalse(product.keycrm_offer_ids.is_missing_in_keycrm)
        self.keycrm.clear_faults()
        self.assertEqual(self.comparison().state, "done")

    def test_empty_list_zeroes_nothing_and_loses_no_mapping(self):
        self.keycrm.add_fault("empty_list", method="GET", path="/offers/stocks", times=1)
        self.assertEqual(self.comparison().state, "failed")
        self.assertEqual(self.sent(), [])
        self.assertEqual(self.shown(self.sock), 5)
        self.assertFalse(self.sock.keycrm_offer_ids.is_missing_in_keycrm)

    def test_offer_missing_in_keycrm_is_shown_as_missing(self):
        self.goods(f"{self.id()}-other")
        self.keycrm.delete_offer(self.number(self.sock))
        self.comparison()
        self.assertTrue(self.sock.keycrm_offer_ids.is_missing_in_keycrm)
        self.assertEqual(self.sock.keycrm_push_state, "missing")
        self.sent()
        self.count(self.sock, 6)
        self.assertEqual(self.sent(), [])

    def test_comparison_finds_offers_created_later_in_keycrm(self):
        late = self.env["product.product"].create(
            {"name": "x", "default_code": "LATER,1", "type": "consu", "is_storable": True}
        )
        self.count(late, 2)
        self.work()
        self.keycrm.create_offer(sku="LATER,1", stock={1: 0})
        self.comparison()
        self.assertEqual(self.shown(late), 2)

    def test_comparison_starts_automatically_once_a_day(self):
        Comparison = self.env["keycrm.stock.comparison"]
        before = Comparison.search_count([])
        self.env.cr.execute(
            "UPDATE keycrm_account SET create_date = create_date - interval '25 h' WHERE id = %s",
            [self.account.id],
        )
        self.account.invalidate_recordset()
        self.env.cr.execute(
            "UPDATE keycrm_stock_comparison SET started_at = started_at - interval '25 h'"
        )
        Comparison.invalidate_model()
        self.work()
        self.work()
        self.assertEqual(Comparison.search_count([]), before + 1)
