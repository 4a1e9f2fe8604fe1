from datetime import timedelta
from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.fields import Command

from ..services.common.circuit_breaker import CircuitBreaker
from ..services.stock import opening_quantities
from ..services.stock.stock_comparison import StockComparison
from .stock_common import StockCase


class TestStockPreview(StockCase):
    """Switching on never wipes KeyCRM: a person sees first what would change."""

    def setUp(self):
        super().setUp()
        self.account.push_stock = False
        name = self.id().rsplit(".", 1)[-1]
        self.zero = self.goods(f"{name}-zero", keycrm={1: 4})
        self.lower = self.goods(f"{name}-lower", keycrm={1: 9})
        self.higher = self.goods(f"{name}-higher", keycrm={1: 1})
        self.same = self.goods(f"{name}-same", keycrm={1: 6})
        self.uncounted = self.goods(f"{name}-uncounted", keycrm={1: 8})
        self.keycrm.create_offer(sku=f"{name}-stranger", stock={1: 2})
        self.lonely = self.env["product.product"].create(
            {"name": "x", "default_code": f"{name}-lonely", "is_storable": True}
        )
        for product, quantity in (
            (self.zero, 0),
            (self.lower, 3),
            (self.higher, 7),
            (self.same, 6),
            (self.lonely, 5),
        ):
            self.count(product, quantity)
        self.mine = self.zero + self.lower + self.higher + self.same + self.uncounted
        self.sent()

    def tearDown(self):
        for offer in self.keycrm.offers():
            self.keycrm.delete_offer(offer["id"])
        super().tearDown()

    def preview(self):
        action = self.account.action_preview_stock()
        self.work()
        return self.env["keycrm.stock.comparison"].browse(action["res_id"])

    def numbers(self):
        return [self.shown(product) for product in self.mine]

    def test_preview_shows_the_outcome_of_every_product_and_sends_nothing(self):
        preview = self.preview()
        self.assertEqual(preview.state, "ready")
        counts = (
            preview.zero_count,
            preview.lower_count,
            preview.higher_count,
            preview.same_count,
            preview.unmatched_count,
        )
        self.assertEqual(counts, (1, 1, 1, 1, 3))
        outcomes = {line.product_id: line.outcome for line in preview.line_ids}
        self.assertEqual(outcomes[self.zero], "zero")
        self.assertEqual(preview.line_ids[0].outcome, "zero")
        self.assertEqual(outcomes[self.uncounted], "uncounted")
        self.assertEqual(outcomes[self.lonely], "not_in_keycrm")
        self.assertEqual(outcomes[self.env["product.product"]], "not_in_odoo")
        self.assertEqual(self.sent(), [])
        self.assertFalse(self.account.push_stock)

    def test_button_not_now_changes_nothing(self):
        self.preview().action_not_now()
        self.count(self.lower, 2)
        self.assertEqual(self.sent(), [])
        self.assertEqual(self.numbers(), [4, 9, 1, 6, 8])

    def test_use_odoo_quantities_sends_differences_then_every_change(self):
        self.preview().action_send()
        self.assertTrue(self.account.push_stock)
        self.assert_sent((self.zero, 0), (self.lower, 3), (self.higher, 7))
        self.assertEqual(self.numbers(), [0, 3, 7, 6, 8])
        self.count(self.same, 1)
        self.assert_sent((self.same, 1))

    def test_sales_in_keycrm_before_the_choice_are_corrected(self):
        preview = self.preview()
        self.keycrm.set_stock(self.number(self.same), 1, 2, webhook=False)
        preview.started_at -= timedelta(minutes=2)
        preview.action_send()
        self.work()
        self.assertEqual(self.shown(self.same), 6)

    def test_changes_between_the_preview_and_the_choice_are_sent(self):
        preview = self.preview()
        self.count(self.same, 2)
        self.count(self.uncounted, 5)
        self.keycrm.clear_log()
        preview.action_send()
        self.sent()
        self.assertEqual(self.numbers(), [0, 3, 7, 2, 5])
        self.assertEqual(self.read_requests, [])

    def test_many_zeros_after_the_preview_are_on_hold(self):
        same = [self.goods(f"{self.id()}-{number}", keycrm={1: 3}) for number in range(6)]
        for product in same:
            self.count(product, 3)
        preview = self.preview()
        for product in same:
            self.count(product, 0)
        preview.action_send()
        self.work()
        self.assertEqual(self.numbers(), [0, 3, 7, 6, 8])
        self.assertEqual([self.shown(product) for product in same], [3] * 6)
        self.assertEqual(self.account.stock_held_zeros, 6)

    def test_sales_in_keycrm_before_the_opening_are_corrected(self):
        preview = self.preview()
        self.keycrm.set_stock(self.number(self.same), 1, 2, webhook=False)
        preview.started_at -= timedelta(minutes=2)
        preview.action_take_opening()
        self.work()
        self.assertEqual(self.shown(self.same), 6)

    def test_skipped_opening_quantities_stay_in_keycrm_for_the_next_preview(self):
        preview = self.preview()
        self.count(self.uncounted, 3)
        preview.started_at -= timedelta(minutes=2)
        preview.action_take_opening()
        self.work()
        self.assertEqual((preview.choice, preview.left_out_count), ("opening", 1))
        self.assertEqual(self.shown(self.uncounted), 8)

    def test_former_quantities_can_be_restored_with_one_click(self):
        preview = self.preview()
        preview.action_send()
        self.work()
        preview.action_write_back()
        self.work()
        self.assertEqual(self.numbers(), [4, 9, 1, 6, 8])
        self.assertTrue(preview.written_back_at)
        self.count(self.lower, 2)
        self.sent()
        self.assertEqual(self.numbers(), [4, 9, 1, 6, 8])

    def test_former_quantities_can_be_restored_after_unmatching(self):
        preview = self.preview()
        preview.action_send()
        self.work()
        self.kw1.warehouse_ids = False
        self.sent()
        preview.action_write_back()
        self.work()
        self.assertEqual(self.numbers(), [4, 9, 1, 6, 8])
        self.assertTrue(preview.written_back_at)
        # What was not sent is not written.
        mine = {self.number(product) for product in self.zero + self.lower + self.higher}
        self.assertEqual({number for _id, rows in self.sent() for number in rows}, mine)

    def test_restoring_keeps_quantities_that_keycrm_changed_itself(self):
        preview = self.preview()
        preview.action_send()
        self.work()
        for product in (self.uncounted, self.same):
            self.keycrm.set_stock(self.number(product), 1, 1, webhook=False)
        self.kw1.warehouse_ids = False
        preview.action_write_back()
        self.work()
        self.assertEqual(self.numbers(), [4, 9, 1, 1, 1])

    def test_former_quantities_can_be_restored_after_matching_again(self):
        preview = self.preview()
        preview.action_send()
        self.work()
        self.kw1.warehouse_ids = False
        self.kw1.warehouse_ids = self.warehouse
        self.preview().action_not_now()
        preview.action_write_back()
        self.work()
        self.assertEqual(self.numbers(), [4, 9, 1, 6, 8])

    def test_refused_restoration_is_reported_and_can_be_repeated(self):
        preview = self.preview()
        preview.action_send()
        self.work()
        self.kw1.warehouse_ids = False
        preview.action_write_back()
        self.keycrm.add_fault("status", path="/offers/stocks", status=400, times=1)
        self.work()
        self.assertEqual(self.numbers(), [0, 3, 7, 6, 8])
        self.assertTrue(preview.error)
        self.assertFalse(preview.written_back_at)
        preview.action_write_back()
        self.work()
        self.assertEqual(self.numbers(), [4, 9, 1, 6, 8])
        self.assertFalse(preview.error)

    def test_restoration_is_not_stopped_by_an_unreadable_offer(self):
        preview = self.preview()
        preview.action_send()
        self.work()
        self.kw1.warehouse_ids = False
        preview.action_write_back()
        number = self.number(self.mine[1])
        for text in (f"={number}&", f"={number},", f",{number}&", f",{number},"):
            self.keycrm.add_fault(
                "status", method="GET", path="/offers/stocks", contains=text, times=None
            )
        self.addCleanup(self.keycrm.clear_faults)
        self.work()
        self.assertEqual(self.numbers(), [4, 9, 1, 6, 8])
        self.assertTrue(preview.written_back_at)

    def test_restoration_is_refused_while_the_account_is_disabled(self):
        preview = self.preview()
        preview.action_send()
        self.work()
        self.account.enabled = False
        with self.assertRaises(UserError):
            preview.action_write_back()
        self.assertFalse(preview.to_write_back)

    def test_opening_quantities_come_from_keycrm_as_an_inventory_adjustment(self):
        self.preview().action_take_opening()
        self.assertEqual(self.sent(), [])
        self.assertEqual(self.numbers(), [4, 9, 1, 6, 8])
        there = [
            product.with_context(location=self.warehouse.lot_stock_id.id).qty_available
            for product in self.mine
        ]
        self.assertEqual(there, [4, 9, 1, 6, 8])
        moves = self.env["stock.move"].search(
            [("product_id", "=", self.uncounted.id), ("is_inventory", "=", True)]
        )
        self.assertEqual(moves.state, "done")
        self.count(self.uncounted, 7)
        self.assert_sent((self.uncounted, 7))

    def test_opening_quantities_are_shown_and_can_be_undone(self):
        preview = self.preview()
        self.assertFalse(preview.can_undo_opening or preview.can_write_back)
        preview.action_take_opening()
        self.work()
        lines = {line.product_id: line for line in preview.line_ids}
        self.assertEqual([lines[p].odoo_quantity for p in self.mine], [4, 9, 1, 6, 8])
        self.assertEqual([lines[p].difference for p in self.mine], [0] * 5)
        self.assertEqual({lines[p].outcome for p in self.mine}, {"same"})
        self.assertEqual(
            (preview.zero_count, preview.lower_count, preview.higher_count, preview.same_count),
            (0, 0, 0, 5),
        )
        # Nothing was sent, so there is nothing to restore in KeyCRM.
        self.assertTrue(preview.can_undo_opening)
        self.assertFalse(preview.can_write_back)
        self.move(self.uncounted, 3, self.warehouse.lot_stock_id, self.customers)
        self.move(self.lower, 8, self.warehouse.lot_stock_id, self.customers)
        preview.action_undo_opening()
        self.assertFalse(self.account.push_stock)
        self.work()
        self.assertEqual(preview.state, "done")
        # What was sold since is sold: 8 + 0 - 3 and 9 - 8 were left, of which 8 and 6 had been added.
        self.assertEqual([self.quantity_in_stock(p) for p in self.mine], [0, 0, 7, 6, 0])
        self.assertFalse(preview.can_undo_opening)
        with self.assertRaises(UserError):
            preview.action_undo_opening()

    def test_quantities_are_restored_only_after_something_was_sent(self):
        preview = self.preview()
        preview.action_send()
        preview.invalidate_recordset()
        self.assertFalse(preview.can_write_back)
        self.work()
        preview.invalidate_recordset()
        self.assertTrue(preview.can_write_back)
        preview.action_write_back()
        self.work()
        preview.invalidate_recordset()
        self.assertFalse(preview.can_write_back)

    def test_opening_quantities_with_three_digits_are_exact(self):
        precision = self.env.ref("uom.decimal_product_uom")
        self.assertEqual(precision.digits, 2)
        honey = self.goods(
            "honey", keycrm={1: 0.125}, uom_id=self.env.ref("uom.product_uom_kgm").id
        )
        self.preview().action_take_opening()
        self.work()
        self.assertEqual(self.quantity_in_stock(honey), 0.125)
        self.assertEqual(precision.digits, 3)
        self.assertIn("0.125", "".join(self.account.message_ids.mapped("body")))

    def lots_of(self, product, *names):
        return self.env["stock.lot"].create(
            [{"name": name, "product_id": product.id} for name in names]
        )

    def quantity_in_stock(self, product):
        place = self.warehouse.lot_stock_id.id
        return product.with_context(location=place).qty_available

    def test_opening_quantities_skip_goods_to_be_counted_with_a_reason(self):
        name = self.id().rsplit(".", 1)[-1]
        two, one, serial, fresh = (
            self.goods(f"{name}-{kind}", keycrm={1: 9}, tracking=tracking)
            for kind, tracking in (
                ("two", "lot"),
                ("one", "lot"),
                ("serial", "serial"),
                ("fresh", "lot"),
            )
        )
        for lot in self.lots_of(two, "A", "B"):
            self.count(two, 2, lot_id=lot.id)
        (only,) = self.lots_of(one, "C")
        self.count(one, 4, lot_id=only.id)
        preview = self.preview()
        kinds = {line.product_id: line.opening for line in preview.line_ids}
        self.assertEqual(
            [kinds[product] for product in (two, one, serial, fresh)],
            ["lots", "taken", "serials", "lots"],
        )
        self.assertEqual(preview.left_out_count, 3)
        preview.action_take_opening()
        self.work()
        self.assertEqual(
            [self.quantity_in_stock(p) for p in (two, one, serial, fresh)], [4, 9, 0, 0]
        )
        quant = self.env["stock.quant"].search([("lot_id", "=", only.id), ("quantity", "=", 9)])
        self.assertEqual(quant.location_id, self.warehouse.lot_stock_id)
        # What was left out keeps KeyCRM's number until something about it changes in Odoo.
        self.assertEqual(self.sent(), [])
        self.assertEqual([self.shown(p) for p in (two, one, serial, fresh)], [9, 9, 9, 9])

    def test_opening_quantities_reduce_stock_in_its_own_locations(self):
        shelf = self.env["stock.location"].create(
            {"name": "Shelf", "location_id": self.warehouse.lot_stock_id.id, "usage": "internal"}
        )
        spread = self.goods(self.id().rsplit(".", 1)[-1] + "-spread", keycrm={1: 4})
        self.count(spread, 2)
        self.count(spread, 8, shelf)
        self.preview().action_take_opening()
        self.work()
        quants = self.env["stock.quant"].search(
            [("product_id", "=", spread.id), ("location_id.usage", "=", "internal")]
        )
        self.assertEqual(sum(quants.mapped("quantity")), 4)
        self.assertFalse(quants.filtered(lambda quant: quant.quantity < 0))

    def test_opening_quantities_are_not_taken_twice_from_two_previews(self):
        first, second = self.preview(), self.preview()
        second.action_take_opening()
        self.work()
        with self.assertRaises(UserError):
            first.action_take_opening()
        self.assertEqual(first.choice, "not_now")
        self.assertEqual(
            [self.quantity_in_stock(product) for product in self.mine], [4, 9, 1, 6, 8]
        )
        self.assertEqual(self.numbers(), [4, 9, 1, 6, 8])

    def test_opening_quantities_respect_counts_after_the_preview(self):
        preview = self.preview()
        # Since then: uncounted was counted, of lower goods came and went (as many as before), and higher
        # went elsewhere than to these warehouses.
        self.count(self.uncounted, 8)
        stock = self.warehouse.lot_stock_id
        self.count(self.higher, 3, self.second.lot_stock_id)
        self.move(self.lower, 2, self.suppliers, stock)
        self.move(self.lower, 2, stock, self.customers)
        move = self.env["stock.move"].search(
            [("product_id", "=", self.lower.id)], order="id desc", limit=1
        )
        move.date = preview.finished_at + timedelta(minutes=1)
        preview.action_take_opening()
        self.work()
        self.assertEqual(
            [self.quantity_in_stock(product) for product in self.mine], [4, 3, 1, 6, 8]
        )
        kinds = {line.product_id: line.opening for line in preview.line_ids}
        self.assertEqual([kinds[p] for p in (self.uncounted, self.lower)], ["changed"] * 2)
        self.assertEqual(preview.left_out_count, 2)
        # Previewed again some time later, the rest is taken.
        move.date -= timedelta(hours=1)
        self.preview().action_take_opening()
        self.work()
        self.assertEqual(
            [self.quantity_in_stock(product) for product in self.mine], [4, 9, 1, 6, 8]
        )

    def test_interrupted_opening_quantities_resume(self):
        preview = self.preview()
        moves = self.env["stock.move"].search([])
        preview.action_take_opening()
        with patch.object(opening_quantities, "OPENING_ROWS", 2):
            with (
                self.committing(),
                patch.object(
                    opening_quantities.OpeningQuantities,
                    "_finish",
                    side_effect=RuntimeError("killed"),
                ),
                self.assertRaisesRegex(RuntimeError, "killed"),
            ):
                while True:
                    # A killed process leaves nothing of the transaction that it was in.
                    with self.env.cr.savepoint():
                        self.assertTrue(StockComparison(self.account).process())
            self.assertEqual((preview.state, preview.done_count), ("taking", 2))
            self.assertFalse(self.account.push_stock)
            self.work()
        self.assertEqual((preview.state, preview.choice), ("done", "opening"))
        self.assertEqual(
            [self.quantity_in_stock(product) for product in self.mine], [4, 9, 1, 6, 8]
        )
        taken = self.env["stock.move"].search([("id", "not in", moves.ids)])
        self.assertEqual(len(taken), 4)

    def test_opening_quantities_without_rows_start_sending(self):
        for product in self.zero + self.lower + self.higher + self.uncounted:
            self.keycrm.delete_offer(self.number(product))
        preview = self.preview()
        self.assertFalse(preview.line_ids.filtered(lambda line: line.opening == "taken"))
        preview.action_take_opening()
        self.work()
        self.assertEqual((preview.state, preview.choice), ("done", "opening"))
        self.assertTrue(self.account.push_stock)

    def test_opening_quantities_skip_a_warehouse_unmatched_since(self):
        preview = self.preview()
        preview.action_take_opening()
        self.kw1.warehouse_ids = False
        self.work()
        self.assertEqual((preview.state, preview.left_out_count), ("done", 4))
        self.assertEqual(
            [self.quantity_in_stock(product) for product in self.mine], [0, 3, 7, 6, 0]
        )
        self.assertEqual(self.numbers(), [4, 9, 1, 6, 8])

    def test_stopped_opening_quantities_send_nothing(self):
        preview = self.preview()
        preview.action_take_opening()
        preview.action_cancel()
        self.assertEqual(self.sent(), [])
        self.assertEqual(preview.state, "canceled")
        self.assertEqual(
            [self.quantity_in_stock(product) for product in self.mine], [0, 3, 7, 6, 0]
        )
        self.assertFalse(self.account.push_stock)

    def test_product_that_odoo_refuses_to_adjust_delays_no_other(self):
        apply = type(self.env["stock.quant"])._apply_inventory
        closed = UserError("The period is closed.")

        def refuse(quants, *args):
            if self.lower in quants.product_id:
                raise closed
            return apply(quants, *args)

        preview = self.preview()
        preview.action_take_opening()
        with patch.object(type(self.env["stock.quant"]), "_apply_inventory", refuse):
            self.work()
        self.assertEqual(
            [self.quantity_in_stock(product) for product in self.mine], [4, 3, 1, 6, 8]
        )
        line = preview.line_ids.filtered(lambda line: line.product_id == self.lower)
        self.assertEqual((line.opening, preview.left_out_count), ("refused", 1))
        self.assertEqual(self.numbers(), [4, 9, 1, 6, 8])

    def test_opening_quantities_need_an_enabled_account(self):
        preview = self.preview()
        self.account.enabled = False
        with self.assertRaises(UserError):
            preview.action_take_opening()
        self.assertEqual(preview.state, "ready")

    def test_choice_is_possible_once(self):
        preview = self.preview()
        preview.action_not_now()
        with self.assertRaises(UserError):
            preview.action_send()

    def test_interrupted_preview_resumes(self):
        for number in range(60):
            self.keycrm.create_offer(sku=f"more-{number}", stock={1: 1})
        self.keycrm.add_fault("status", status=500, path="/offers/stocks", page=2, times=3)
        self.account.action_preview_stock()
        self.work()
        preview = self.env["keycrm.stock.comparison"].search([], limit=1)
        self.assertEqual((preview.state, preview.next_page), ("reading", 2))
        self.assertFalse(preview.line_ids)
        CircuitBreaker(self.account)._write("comparison", None)
        self.work()
        self.assertEqual(preview.state, "ready")
        self.assertEqual(preview.unmatched_count, 63)

    def test_warehouse_matched_later_has_its_own_preview(self):
        self.preview().action_send()
        self.sent()
        self.kw2.warehouse_ids = [Command.set(self.second.ids)]
        self.assertEqual(self.kw2.send_state, "preview")
        self.count(self.same, 5, self.second.lot_stock_id)
        self.assertEqual(self.sent(), [])
        self.preview().action_send()
        self.work()
        self.assertEqual(self.shown(self.same, 2), 5)

    def test_enabling_on_the_screen_needs_a_preview_first(self):
        self.account.web_save({"push_stock": True}, {})
        self.assertEqual(self.kw1.send_state, "preview")
        self.count(self.lower, 2)
        self.assertEqual(self.sent(), [])
        self.preview().action_send()
        self.work()
        self.assertEqual(self.shown(self.lower), 2)

    def test_warehouse_matched_after_enabling_is_previewed_first(self):
        self.kw1.warehouse_ids = False
        self.account.web_save({"push_stock": True}, {})
        matching = [Command.set(self.warehouse.ids)]
        for match in (
            lambda: self.kw1.web_save({"warehouse_ids": matching}, {}),
            lambda: self.account.web_save(
                {"warehouse_ids": [Command.update(self.kw1.id, {"warehouse_ids": matching})]}, {}
            ),
        ):
            self.kw1.warehouse_ids = False
            match()
            self.assertEqual(self.kw1.send_state, "preview")
            self.count(self.lower, 2)
            self.assertEqual(self.sent(), [])
        self.assertEqual(self.numbers(), [4, 9, 1, 6, 8])

    def test_warehouse_deleted_and_entered_again_is_previewed_first(self):
        self.preview().action_send()
        self.work()
        # As in a database of an earlier version, where only the levels show it.
        self.account.stock_has_sent = False
        self.kw1.unlink()
        again = self.env["keycrm.warehouse"].create(
            {
                "account_id": self.account.id,
                "keycrm_id": 1,
                "name": "Main",
                "warehouse_ids": [Command.set(self.second.ids)],
            }
        )
        self.assertEqual(again.send_state, "preview")

    def test_enabling_in_the_settings_opens_the_preview(self):
        settings = self.env["res.config.settings"].create({})
        settings.web_save({"keycrm_push_stock": True}, {})
        action = settings.execute()
        self.assertEqual(settings.keycrm_account_id, self.account)
        self.assertEqual(action["res_model"], "keycrm.stock.comparison")
        self.assertEqual(self.kw1.send_state, "preview")
        self.assertEqual(self.sent(), [])
        # No second question while the first one is open.
        self.assertNotEqual((settings.execute() or {}).get("res_model"), action["res_model"])

    def test_enabling_again_in_the_settings_opens_another_preview(self):
        self.preview().action_send()
        self.work()
        for push_stock in (False, True):
            settings = self.env["res.config.settings"].create({})
            settings.web_save({"keycrm_push_stock": push_stock}, {})
            action = settings.execute()
        self.assertEqual(action["res_model"], "keycrm.stock.comparison")
        self.assertEqual(self.kw1.send_state, "preview")

    def test_account_form_shows_that_a_preview_is_needed_first(self):
        self.assertFalse(self.account.stock_to_preview)
        self.account.web_save({"push_stock": True}, {})
        self.assertTrue(self.account.stock_to_preview)
        self.preview().action_send()
        self.assertFalse(self.account.stock_to_preview)
