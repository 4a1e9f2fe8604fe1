"""The life of an order, status by status: nothing undone silently."""

from ast import literal_eval

from odoo.tests import Form

from ..services.orders.order_import import ImportOptions
from ..services.orders.order_writer import OrderWriter
from .order_common import OrderCase


class TestStatuses(OrderCase):
    def test_each_status_group_has_its_default_action(self):
        self.assertEqual(self.make(self.new).state, "draft")
        self.assertEqual(self.make(self.agreed).state, "draft")
        for status in (self.made, self.sent, self.done):
            order = self.make(status)
            self.assertEqual(order.state, "sale")
            self.assertTrue(order.picking_ids)
        self.assertEqual(self.make(self.canceled).state, "cancel")

    def test_action_of_a_status_can_be_changed(self):
        self.new.order_action = "confirm"
        self.assertEqual(self.make(self.new).state, "sale")

    def test_skipped_status_imports_no_order_and_later_updates_the_status(self):
        self.agreed.order_action = "skip"
        number = self.new_order(
            [{"offer_id": self.offer, "price": 1, "quantity": 1}], status_id=self.agreed.keycrm_id
        )
        outcome = self.outcomes(number)[number]
        self.assertTrue(outcome.skipped)
        self.assertFalse(outcome.order_id)
        order = self.make(self.made)
        self.keycrm.patch_line(order.keycrm_id, self.line_id(order), quantity=9, webhook=False)
        self.move(order, self.agreed)
        self.assertEqual(order.keycrm_status_id, self.agreed)
        self.assertEqual((order.state, order.order_line.product_uom_qty), ("sale", 5))

    def test_unknown_status_changes_no_order_state(self):
        self.account.archive_status_ids = self.done
        confirmed, archived, canceled = map(self.make, (self.made, self.done, self.canceled))
        quotation = self.make(self.new)
        for order in (confirmed, archived, canceled, quotation):
            unknown = {"status_id": 987, "status": None, "status_group_id": None}
            self.keycrm.patch_order(order.keycrm_id, raw=unknown, webhook=False)
            self.arrive(order.keycrm_id)
        self.assertEqual((confirmed.state, archived.state), ("sale", "sale"))
        self.assertNotIn("cancel", confirmed.picking_ids.mapped("state"))
        self.assertTrue(archived.keycrm_archived and archived.locked)
        self.assertEqual((canceled.state, quotation.state), ("cancel", "draft"))

    def test_an_order_whose_invoice_was_credited_can_be_canceled(self):
        order = self.make(self.made)
        order.order_line.product_id.invoice_policy = "order"
        self.invoice(order)._reverse_moves(cancel=True)
        self.move(order, self.canceled)
        self.assertEqual(order.state, "cancel", self.activities(order))

    def test_canceled_order_with_uncredited_invoice_schedules_an_activity(self):
        order = self.make(self.made)
        order.order_line.product_id.invoice_policy = "order"
        self.invoice(order)
        self.move(order, self.canceled)
        self.assertEqual(order.state, "sale")
        self.assertTrue(order.activity_ids.note)
        self.assertDecisions(order)

    def test_order_back_in_agreement_is_a_quotation_again(self):
        order = self.make(self.made)
        self.move(order, self.agreed)
        self.assertEqual(order.state, "draft")
        self.assertEqual(order.picking_ids.mapped("state"), ["cancel"])

    def test_a_canceled_order_can_be_revived(self):
        order = self.make(self.made)
        self.move(order, self.canceled)
        self.assertEqual(order.state, "cancel")
        self.move(order, self.made)
        self.assertEqual(order.state, "sale")
        open_ones = order.picking_ids.filtered(lambda p: p.state != "cancel")
        self.assertEqual(sum(open_ones.move_ids.mapped("product_uom_qty")), 5)

    def test_shipped_order_moved_back_stays_confirmed_and_shows_why(self):
        order = self.make(self.made)
        self.deliver(order)
        self.move(order, self.agreed)
        self.assertEqual(order.state, "sale")
        # To-dos are in the company's language.
        agreed = self.agreed.with_context(lang=self.company.partner_id.lang)
        self.assertIn(agreed.display_name, self.activities(order))
        self.assertDecisions(order)
        self.move(order, self.sent)
        self.assertFalse(order.activity_ids, "both agree again")
        self.assertDecisions()

    def test_revived_order_ships_only_what_the_buyer_does_not_have(self):
        order = self.make(self.made)
        self.deliver(order, 2)
        self.move(order, self.canceled)
        back = order.picking_ids.filtered("keycrm_expected_return")
        self.assertEqual(back.move_ids.product_uom_qty, 2)
        self.move(order, self.made)
        self.assertEqual(back.state, "cancel")
        still = order.picking_ids.move_ids.filtered(lambda m: m.state not in ("done", "cancel"))
        self.assertEqual((order.order_line.product_uom_qty, still.product_uom_qty), (5, 3))

    def test_canceled_shipped_order_expects_a_return(self):
        order = self.make(self.made)
        self.deliver(order)
        self.move(order, self.canceled)
        self.assertEqual(order.state, "sale")
        back = order.picking_ids.filtered("return_id")
        self.assertEqual(sum(back.move_ids.mapped("product_uom_qty")), 5)
        self.assertNotEqual(back.state, "done")
        self.assertTrue(self.activities(order))
        action = self.env.ref("ordage_keycrm.stock_picking_returns_action")
        listed = self.env["stock.picking"].search(literal_eval(action.domain))
        self.assertIn(back, listed, "the parcel is in the list of returns")
        self.assertIn(order, listed.sale_id)
        # Arriving again expects nothing twice.
        self.arrive(order.keycrm_id)
        self.assertEqual(order.picking_ids.filtered("return_id"), back)
        self.assertEqual(len(order.activity_ids), 1)
        self.assertDecisions(back)
        # The goods are back: the order is looked at again and can be canceled.
        product = order.order_line.product_id
        before = product.qty_available
        back.move_ids.write({"quantity": 5, "picked": True})
        back._action_done()
        self.assertEqual(product.qty_available, before + 5)
        event = self.env["keycrm.event"].search([("keycrm_order_id", "=", order.keycrm_id)])
        self.assertEqual(event.state, "pending")
        self.arrive(order.keycrm_id)
        self.assertEqual(order.state, "cancel")
        self.assertDecisions()

    def test_canceled_partly_shipped_order_ships_no_more(self):
        order = self.make(self.made)
        self.deliver(order, quantity=2)
        self.move(order, self.canceled)
        open_out = order.picking_ids.filtered(
            lambda p: p.state not in ("done", "cancel") and p.picking_type_code == "outgoing"
        )
        self.assertFalse(open_out)
        self.assertEqual(
            sum(order.picking_ids.filtered("return_id").move_ids.mapped("product_uom_qty")), 2
        )


class TestArchive(OrderCase):
    def test_archive_status_locks_an_order_and_leaving_it_unlocks(self):
        self.account.archive_status_ids = self.done
        order = self.make(self.sent)
        self.assertFalse(order.keycrm_archived)
        self.move(order, self.done)
        self.assertTrue(order.keycrm_archived and order.locked)
        self.move(order, self.sent)
        self.assertFalse(order.keycrm_archived or order.locked)

    def test_order_imported_in_an_archive_status_moves_no_stock(self):
        self.account.archive_status_ids = self.done
        order = self.make(self.done)
        self.assertEqual(order.state, "sale")
        self.assertTrue(order.keycrm_archived and order.locked and order.keycrm_skip_delivery)
        self.assertFalse(order.picking_ids)
        self.assertEqual(order.invoice_status, "no")
        order.locked = False
        self.keycrm.patch_line(order.keycrm_id, self.line_id(order), quantity=9, webhook=False)
        self.arrive(order.keycrm_id)
        self.assertEqual(order.order_line.product_uom_qty, 9)
        self.assertFalse(order.picking_ids)
        # Neither is it shipped once the integration is off and people edit it.
        self.account.enabled = False
        order.locked = False
        order.order_line[0].product_uom_qty = 11
        self.assertFalse(order.picking_ids)
        self.account.enabled = True
        self.move(order, self.sent)
        self.assertFalse(order.picking_ids)

    def test_changed_archive_statuses_archive_and_restore_their_orders(self):
        order = self.make(self.sent)
        self.account.archive_status_ids = self.sent
        self.assertTrue(order.keycrm_archived and order.locked)
        self.account.archive_status_ids = self.done
        self.assertFalse(order.keycrm_archived or order.locked)

    def test_unsaved_archive_statuses_show_how_many_orders_move_and_ship(self):
        self.account.write({"archive_status_ids": self.done.ids, "archive_validates": True})
        back = self.make(self.done)
        shipped, quotation, delivered = (self.make(one) for one in (self.sent, self.new, self.sent))
        self.deliver(delivered)
        moved = shipped | quotation | delivered
        view = "ordage_keycrm.keycrm_account_view_form_setup"
        with Form(self.account, view) as form:
            self.assertFalse(form.archive_effect)
            form.archive_status_ids.remove(self.done.id)
            form.archive_status_ids.add(self.sent)
            form.archive_status_ids.add(self.new)
            self.assertEqual(
                form.archive_effect,
                "Orders that move to the archive: 3. Of these, Odoo ships: 1. "
                "Orders that return from the archive: 1.",
            )
            form.archive_validates = False
            self.assertIn("Odoo ships: 0.", form.archive_effect)
            form.archive_validates = True
        # What was said came true.
        self.assertTrue(all(moved.mapped("keycrm_archived")))
        self.assertFalse(back.keycrm_archived)
        self.assertEqual(shipped.picking_ids.state, "done")
        self.assertFalse(self.account.archive_effect)

    def test_archiving_ships_open_goods_if_the_account_says_so(self):
        self.account.archive_status_ids = self.done
        order = self.make(self.sent)
        self.move(order, self.done)
        self.assertNotEqual(order.picking_ids.state, "done")
        self.assertEqual(self.account.unshipped_count, 1)
        found = self.env["sale.order"].search(self.account.action_open_unshipped()["domain"])
        self.assertEqual(found, order)
        self.account.archive_validates = True
        second = self.make(self.sent)
        self.move(second, self.done)
        self.assertEqual(second.picking_ids.mapped("state"), ["done"])
        self.assertEqual(second.order_line.qty_delivered, 5)

    def test_archiving_ships_goods_that_are_picked_and_packed_first(self):
        self.account.archive_status_ids = self.done
        self.account.archive_validates = True
        for steps in ("pick_ship", "pick_pack_ship"):
            with self.subTest(steps):
                self.warehouse.delivery_steps = steps
                order = self.make(self.made)
                self.move(order, self.done)
                self.assertEqual(order.order_line.qty_delivered, 5)
                self.assertEqual(set(order.picking_ids.mapped("state")), {"done"})

    def test_archiving_leaves_expected_returns_open(self):
        self.account.archive_status_ids = self.done
        self.account.archive_validates = True
        order = self.make(self.made)
        self.deliver(order)
        back = order._keycrm_expect_return({order.order_line: 3})
        self.move(order, self.done)
        self.assertNotEqual(back.state, "done")
        self.assertEqual(
            self.account.unshipped_count, 0, "what is to come back is not to be shipped"
        )

    def test_archived_order_with_goods_that_need_a_lot_is_imported(self):
        self.account.archive_status_ids = self.done
        self.account.archive_validates = True
        order = self.make(self.made)
        order.order_line.product_id.tracking = "lot"
        self.move(order, self.done)
        self.assertEqual(order.keycrm_status_id, self.done)
        self.assertTrue(order.keycrm_archived and order.locked)
        self.assertNotIn("done", order.picking_ids.mapped("state"))
        self.assertEqual(len(order.activity_ids), 1)
        self.assertDecisions(order.picking_ids)
        # Once a person shipped it, nothing is left to be done.
        order.picking_ids.move_ids.product_id.tracking = "none"
        self.arrive(order.keycrm_id)
        self.assertEqual(order.picking_ids.state, "done")
        self.assertFalse(order.activity_ids)

    def test_archive_statuses_can_change_although_goods_need_a_lot(self):
        self.account.archive_validates = True
        order = self.make(self.done)
        order.order_line.product_id.tracking = "lot"
        plate = {"offer_id": self.other, "price": 50, "quantity": 1}
        other = self.arrive(self.new_order([plate], status_id=self.done.keycrm_id))
        self.account.archive_status_ids = self.done
        self.assertTrue(order.keycrm_archived and other.keycrm_archived)
        self.assertNotEqual(order.picking_ids.state, "done")
        self.assertEqual(other.picking_ids.state, "done")
        self.assertTrue(order.activity_ids)

    def test_late_edits_reach_an_archived_order(self):
        self.account.archive_status_ids = self.done
        order = self.make(self.sent)
        self.move(order, self.done)
        self.keycrm.patch_order(order.keycrm_id, manager_comment="Пізно", webhook=False)
        self.keycrm.patch_line(order.keycrm_id, self.line_id(order), price=80, webhook=False)
        self.arrive(order.keycrm_id)
        self.assertEqual(order.keycrm_manager_comment, "Пізно")
        self.assertEqual(order.amount_total, 400)
        self.assertTrue(order.locked)

    def test_goods_shipped_before_the_sync_are_not_shipped_again(self):
        number = self.new_order(
            [{"offer_id": self.offer, "price": 1, "quantity": 1}], status_id=self.sent.keycrm_id
        )
        options = ImportOptions(shipped_status_ids=tuple(self.sent.ids))
        writer = OrderWriter(self.account)
        outcome = writer.import_orders([self.read_order(number)], options)[number]
        order = self.env["sale.order"].browse(outcome.order_id)
        self.assertEqual((order.state, order.keycrm_skip_delivery), ("sale", True))
        self.assertFalse(order.picking_ids)

    def test_goods_written_off_before_the_sync_count_as_shipped(self):
        before = self.keycrm.switches()
        self.addCleanup(self.keycrm.set_switches, **before)
        self.keycrm.set_switches(status_write_off="on", write_off_from=self.made.keycrm_id)
        number = self.new_order(
            [{"offer_id": self.offer, "price": 1, "quantity": 1}], status_id=self.made.keycrm_id
        )
        parsed = self.read_order(number)
        self.assertEqual(parsed.lines[0].stock_status, "fulfilled")
        options = ImportOptions(shipped_if_written_off=True)
        outcome = OrderWriter(self.account).import_orders([parsed], options)[number]
        order = self.env["sale.order"].browse(outcome.order_id)
        self.assertTrue(order.keycrm_skip_delivery)
