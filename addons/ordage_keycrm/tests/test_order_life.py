"""The life of an order: status by status, edit by edit, nothing undone silently."""

from ast import literal_eval

from odoo import fields

from .common import KeycrmCase


class TestOrderLife(KeycrmCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.new, cls.agreed, cls.made, cls.sent, cls.done, cls.gone = (
            cls.status(group) for group in range(1, 7)
        )
        cls.offer = cls.keycrm.create_offer(sku="KUHOL-1", price=100, name="Кухоль")["id"]
        cls.other = cls.keycrm.create_offer(sku="TARIL-1", price=50, name="Тарілка")["id"]

    # === HELPERS ===#

    def make(self, status=None, quantity=5, **fields_):
        number = self.new_order(
            [{"offer_id": self.offer, "price": 100, "quantity": quantity}],
            status_id=(status or self.new).keycrm_id,
            **fields_,
        )
        return self.arrive(number)

    def move(self, order, status):
        self.keycrm.set_status(order.keycrm_id, status.keycrm_id, webhook=False)
        return self.arrive(order.keycrm_id)

    def line_id(self, order, index=0):
        return self.keycrm.order(order.keycrm_id)["answer"]["products"][index]["id"]

    def deliver(self, order, quantity=None):
        picking = order.picking_ids.filtered(
            lambda p: p.state not in ("done", "cancel") and p.picking_type_code == "outgoing"
        )
        for move in picking.move_ids:
            move.quantity = move.product_uom_qty if quantity is None else quantity
            move.picked = True
        picking._action_done()
        return picking

    def invoice(self, order):
        invoice = order._create_invoices()
        invoice.invoice_date = fields.Date.today()
        invoice.action_post()
        return invoice

    def todo(self, order):
        return " ".join(order.activity_ids.mapped(lambda a: f"{a.summary} {a.note}"))

    # === STATUS ===#

    def test_each_group_of_statuses_becomes_what_the_design_says(self):
        self.assertEqual(self.make(self.new).state, "draft")
        self.assertEqual(self.make(self.agreed).state, "draft")
        for status in (self.made, self.sent, self.done):
            order = self.make(status)
            self.assertEqual(order.state, "sale")
            self.assertTrue(order.picking_ids)
        self.assertEqual(self.make(self.gone).state, "cancel")

    def test_a_person_can_say_otherwise_for_a_status(self):
        self.new.order_action = "confirm"
        self.assertEqual(self.make(self.new).state, "sale")

    def test_a_skipped_status_brings_no_order_and_later_changes_only_the_shown_status(self):
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

    def test_back_to_agreement_is_a_quotation_again(self):
        order = self.make(self.made)
        self.move(order, self.agreed)
        self.assertEqual(order.state, "draft")
        self.assertEqual(order.picking_ids.mapped("state"), ["cancel"])

    def test_a_cancelled_order_can_be_revived(self):
        order = self.make(self.made)
        self.move(order, self.gone)
        self.assertEqual(order.state, "cancel")
        self.move(order, self.made)
        self.assertEqual(order.state, "sale")
        open_ones = order.picking_ids.filtered(lambda p: p.state != "cancel")
        self.assertEqual(sum(open_ones.move_ids.mapped("product_uom_qty")), 5)

    def test_a_shipped_order_that_goes_back_stays_confirmed_and_says_so(self):
        order = self.make(self.made)
        self.deliver(order)
        self.move(order, self.agreed)
        self.assertEqual(order.state, "sale")
        # To-dos are in the company's language.
        agreed = self.agreed.with_context(lang=self.company.partner_id.lang)
        self.assertIn(agreed.display_name, self.todo(order))

    def test_a_shipped_order_that_keycrm_cancels_waits_for_its_goods(self):
        order = self.make(self.made)
        self.deliver(order)
        self.move(order, self.gone)
        self.assertEqual(order.state, "sale")
        back = order.picking_ids.filtered("return_id")
        self.assertEqual(sum(back.move_ids.mapped("product_uom_qty")), 5)
        self.assertNotEqual(back.state, "done")
        self.assertTrue(self.todo(order))
        action = self.env.ref("ordage_keycrm.stock_picking_returns_action")
        listed = self.env["stock.picking"].search(literal_eval(action.domain))
        self.assertIn(back, listed, "the parcel stands in the list of those that come back")
        self.assertIn(order, listed.sale_id)
        # Arriving again expects nothing twice.
        self.arrive(order.keycrm_id)
        self.assertEqual(order.picking_ids.filtered("return_id"), back)
        self.assertEqual(len(order.activity_ids), 1)
        # The goods are back: the order is looked at again and can be cancelled.
        product = order.order_line.product_id
        before = product.qty_available
        back.move_ids.write({"quantity": 5, "picked": True})
        back._action_done()
        self.assertEqual(product.qty_available, before + 5)
        event = self.env["keycrm.event"].search([("keycrm_order_id", "=", order.keycrm_id)])
        self.assertEqual(event.state, "pending")
        self.arrive(order.keycrm_id)
        self.assertEqual(order.state, "cancel")

    def test_a_partly_shipped_order_that_is_cancelled_ships_no_more(self):
        order = self.make(self.made)
        self.deliver(order, quantity=2)
        self.move(order, self.gone)
        open_out = order.picking_ids.filtered(
            lambda p: p.state not in ("done", "cancel") and p.picking_type_code == "outgoing"
        )
        self.assertFalse(open_out)
        self.assertEqual(
            sum(order.picking_ids.filtered("return_id").move_ids.mapped("product_uom_qty")), 2
        )

    # === ARCHIVE ===#

    def test_archive_statuses_lock_and_move_orders_and_give_them_back(self):
        self.account.archive_status_ids = self.done
        order = self.make(self.sent)
        self.assertFalse(order.keycrm_archived)
        self.move(order, self.done)
        self.assertTrue(order.keycrm_archived and order.locked)
        self.move(order, self.sent)
        self.assertFalse(order.keycrm_archived or order.locked)

    def test_an_order_first_seen_in_an_archive_status_never_moves_stock(self):
        self.account.archive_status_ids = self.done
        order = self.make(self.done)
        self.assertEqual(order.state, "sale")
        self.assertTrue(order.keycrm_archived and order.locked and order.keycrm_never_moves)
        self.assertFalse(order.picking_ids)
        self.assertEqual(order.invoice_status, "no")
        order.locked = False
        order.order_line[0].product_uom_qty = 9
        self.assertFalse(order.picking_ids)
        self.move(order, self.sent)
        self.assertFalse(order.picking_ids)

    def test_changing_the_list_of_archive_statuses_moves_the_orders(self):
        order = self.make(self.sent)
        self.account.archive_status_ids = self.sent
        self.assertTrue(order.keycrm_archived and order.locked)
        self.account.archive_status_ids = self.done
        self.assertFalse(order.keycrm_archived or order.locked)

    def test_archiving_ships_what_is_left_where_that_is_wished(self):
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

    def test_late_edits_still_enter_an_archived_order(self):
        self.account.archive_status_ids = self.done
        order = self.make(self.sent)
        self.move(order, self.done)
        self.keycrm.patch_order(order.keycrm_id, manager_comment="Пізно", webhook=False)
        self.keycrm.patch_line(order.keycrm_id, self.line_id(order), price=80, webhook=False)
        self.arrive(order.keycrm_id)
        self.assertEqual(order.keycrm_manager_comment, "Пізно")
        self.assertEqual(order.amount_total, 400)
        self.assertTrue(order.locked)

    def test_goods_that_left_before_the_synchronisation_are_not_shipped_again(self):
        number = self.new_order(
            [{"offer_id": self.offer, "price": 1, "quantity": 1}], status_id=self.sent.keycrm_id
        )
        account = self.account.with_context(keycrm_gone_status_ids=self.sent.ids)
        outcome = account._import_orders([self.read_order(number)])[number]
        order = self.env["sale.order"].browse(outcome.order_id)
        self.assertEqual((order.state, order.keycrm_never_moves), ("sale", True))
        self.assertFalse(order.picking_ids)

    def test_goods_that_keycrm_wrote_off_before_the_synchronisation_count_as_gone(self):
        self.keycrm.set_switches(status_write_off="on")
        self.keycrm.put_status(id=self.made.keycrm_id, writes_off=True)
        number = self.new_order(
            [{"offer_id": self.offer, "price": 1, "quantity": 1}], status_id=self.made.keycrm_id
        )
        parsed = self.read_order(number)
        self.assertEqual(parsed.lines[0].stock_status, "fulfilled")
        account = self.account.with_context(keycrm_gone_if_written_off=True)
        order = self.env["sale.order"].browse(account._import_orders([parsed])[number].order_id)
        self.assertTrue(order.keycrm_never_moves)
        self.keycrm.put_status(id=self.made.keycrm_id, writes_off=False)
        self.keycrm.set_switches(status_write_off="off")

    # === EDITS ===#

    def change_all(self, order):
        """In KeyCRM: another quantity, another price, one more line."""
        self.keycrm.patch_line(
            order.keycrm_id, self.line_id(order), quantity=7, price=90, webhook=False
        )
        self.keycrm.add_line(
            order.keycrm_id, offer_id=self.other, price=50, quantity=1, webhook=False
        )
        self.arrive(order.keycrm_id)

    def test_an_edited_quotation_is_followed_in_full(self):
        order = self.make(self.new)
        self.change_all(order)
        self.assertEqual(order.order_line.mapped("product_uom_qty"), [7, 1])
        self.assertEqual(order.amount_total, 680)
        self.keycrm.remove_line(order.keycrm_id, self.line_id(order, 1))
        self.arrive(order.keycrm_id)
        self.assertEqual(len(order.order_line), 1)
        self.assertFalse(order.keycrm_total_differs)

    def test_an_edited_confirmed_order_is_followed_by_its_delivery(self):
        order = self.make(self.made)
        self.change_all(order)
        open_moves = order.picking_ids.move_ids.filtered(lambda m: m.state != "cancel")
        self.assertEqual(sorted(open_moves.mapped("product_uom_qty")), [1, 7])
        self.assertFalse(order.keycrm_total_differs)
        self.keycrm.remove_line(order.keycrm_id, self.line_id(order, 1))
        self.keycrm.patch_line(order.keycrm_id, self.line_id(order), quantity=3, webhook=False)
        self.arrive(order.keycrm_id)
        self.assertEqual(order.order_line.mapped("product_uom_qty"), [3, 0])
        open_moves = order.picking_ids.move_ids.filtered(lambda m: m.state != "cancel")
        self.assertEqual(sum(open_moves.mapped("product_uom_qty")), 3)
        self.assertFalse(order.keycrm_total_differs)

    def test_a_partly_delivered_order_is_followed_down_to_what_was_delivered(self):
        order = self.make(self.made)
        self.deliver(order, quantity=2)
        self.keycrm.patch_line(order.keycrm_id, self.line_id(order), quantity=3, webhook=False)
        self.arrive(order.keycrm_id)
        self.assertEqual(order.order_line.product_uom_qty, 3)
        self.assertFalse(order.activity_ids)
        self.keycrm.patch_line(order.keycrm_id, self.line_id(order), quantity=1, webhook=False)
        self.arrive(order.keycrm_id)
        self.assertEqual(order.order_line.product_uom_qty, 2)
        self.assertIn("Кухоль", self.todo(order))
        back = order.picking_ids.filtered("return_id")
        self.assertEqual(sum(back.move_ids.mapped("product_uom_qty")), 1)
        self.assertTrue(order.keycrm_total_differs)

    def test_a_fully_delivered_order_takes_new_prices_and_more_goods(self):
        order = self.make(self.made)
        self.deliver(order)
        self.change_all(order)
        open_moves = order.picking_ids.move_ids.filtered(
            lambda m: m.state not in ("done", "cancel")
        )
        self.assertEqual(sorted(open_moves.mapped("product_uom_qty")), [1, 2])
        self.assertFalse(order.keycrm_total_differs)

    def test_a_delivered_line_that_keycrm_removes_is_expected_back(self):
        order = self.make(self.made)
        self.deliver(order)
        self.keycrm.add_line(
            order.keycrm_id, offer_id=self.other, price=50, quantity=1, webhook=False
        )
        self.keycrm.remove_line(order.keycrm_id, self.line_id(order))
        self.arrive(order.keycrm_id)
        kept = order.order_line.filtered(lambda line: line.product_id.default_code == "KUHOL-1")
        self.assertEqual(kept.product_uom_qty, 5)
        self.assertTrue(order.picking_ids.filtered("return_id"))
        self.assertIn("Кухоль", self.todo(order))

    def test_an_invoiced_order_keeps_its_prices_and_says_so(self):
        order = self.make(self.made)
        self.deliver(order)
        self.invoice(order)
        self.change_all(order)
        self.assertEqual(order.order_line[0].price_unit, 100)
        self.assertTrue(self.todo(order))
        self.assertTrue(order.keycrm_total_differs)

    def test_a_locked_order_is_edited_and_stays_locked(self):
        order = self.make(self.made)
        order.locked = True
        self.change_all(order)
        self.assertEqual(order.order_line.mapped("product_uom_qty"), [7, 1])
        self.assertTrue(order.locked)
        open_moves = order.picking_ids.move_ids.filtered(lambda m: m.state != "cancel")
        self.assertEqual(sum(open_moves.mapped("product_uom_qty")), 8)

    def test_arriving_again_unchanged_writes_nothing(self):
        order = self.make(self.made)
        self.env.flush_all()
        before = order.write_date, order.order_line.mapped("write_date"), order.message_ids
        self.arrive(order.keycrm_id)
        self.env.flush_all()
        self.assertEqual(
            before, (order.write_date, order.order_line.mapped("write_date"), order.message_ids)
        )

    # === MERGE, COPY, DELETE ===#

    def test_merged_orders_leave_one_set_of_deliveries_in_either_order_of_events(self):
        for first_main in (True, False):
            main, other = self.make(self.made), self.make(self.made, quantity=2)
            self.keycrm.merge_orders(main.keycrm_id, other.keycrm_id)
            pair = [main.keycrm_id, other.keycrm_id]
            for number in pair if first_main else reversed(pair):
                self.arrive(number)
            self.assertEqual(other.state, "cancel")
            open_moves = (main | other).picking_ids.move_ids.filtered(lambda m: m.state != "cancel")
            self.assertEqual(sum(open_moves.mapped("product_uom_qty")), 7)

    def test_a_merge_takes_the_payments_along_once(self):
        self.account.import_payments = True
        main = self.make(self.made)
        other = self.make(self.made, payments=[{"amount": 500, "status": "paid"}])
        self.assertEqual(other.keycrm_amount_paid, 500)
        self.keycrm.merge_orders(main.keycrm_id, other.keycrm_id)
        self.arrive(other.keycrm_id)
        self.arrive(main.keycrm_id)
        payments = self.env["keycrm.payment"].search([("account_id", "=", self.account.id)])
        self.assertEqual((payments.sale_order_id, payments.amount), (main, 500))
        self.assertEqual((main.keycrm_amount_paid, other.keycrm_amount_paid), (500, 0))

    def test_a_merged_order_that_had_shipped_names_both(self):
        main, other = self.make(self.made), self.make(self.made, quantity=2)
        self.deliver(other)
        self.keycrm.merge_orders(main.keycrm_id, other.keycrm_id)
        self.arrive(main.keycrm_id)
        self.arrive(other.keycrm_id)
        self.assertIn(main.name, self.todo(other))
        self.assertIn(other.name, self.todo(other))

    def test_a_copy_is_linked_to_its_original(self):
        order = self.make(self.made)
        copy = self.arrive(self.keycrm.copy_order(order.keycrm_id, webhook=False)["id"])
        self.assertEqual(copy.keycrm_parent_order_id, order)

    def test_a_deleted_order_is_marked_and_kept(self):
        order = self.make(self.made)
        self.keycrm.delete_order(order.keycrm_id)
        self.env["keycrm.event"]._tell(self.account, "odoo.refresh", [order.keycrm_id])
        with self.committing(), self.account._client() as client:
            self.account._work_inbox(client)
        self.assertTrue(order.keycrm_deleted)
        self.assertEqual(order.state, "sale")
        self.assertTrue(order.activity_ids)
        event = self.env["keycrm.event"].search([("keycrm_order_id", "=", order.keycrm_id)])
        self.assertEqual(event.state, "ignored")
        self.assertIn(str(order.keycrm_id), event.error)

    # === BACK TO KEYCRM ===#

    def push(self):
        with self.committing(), self.account._client() as client:
            while self.env["keycrm.status.push"]._work(self.account, client):
                pass

    def status_in_keycrm(self, order):
        return self.keycrm.order(order.keycrm_id)["answer"]["status_id"]

    def test_a_validated_delivery_sets_a_status_once_where_that_is_wished(self):
        order = self.make(self.made)
        self.deliver(order)
        self.push()
        self.assertEqual(self.status_in_keycrm(order), self.made.keycrm_id)
        self.account.delivered_status_id = self.sent
        second = self.make(self.made)
        self.deliver(second)
        self.push()
        self.assertEqual(self.status_in_keycrm(second), self.sent.keycrm_id)
        self.keycrm.clear_log()
        self.push()
        self.assertFalse(self.keycrm.requests())

    def test_a_status_that_a_manager_set_meanwhile_stays(self):
        self.account.delivered_status_id = self.sent
        order = self.make(self.made)
        self.deliver(order)
        self.keycrm.set_status(order.keycrm_id, self.done.keycrm_id, webhook=False)
        self.push()
        self.assertEqual(self.status_in_keycrm(order), self.done.keycrm_id)
        push = self.env["keycrm.status.push"].search([("sale_order_id", "=", order.id)])
        self.assertEqual(push.state, "ignored")

    def test_a_status_that_keycrm_refuses_is_shown_and_can_be_retried(self):
        self.account.delivered_status_id = self.sent
        order = self.make(self.made)
        self.deliver(order)
        self.keycrm.add_fault("status", method="PUT", path="/order/*", status=422, times=1)
        self.push()
        push = self.env["keycrm.status.push"].search([("sale_order_id", "=", order.id)])
        self.assertEqual(push.state, "failed")
        self.assertTrue(push.error)
        push.action_retry()
        self.push()
        self.assertEqual(push.state, "done")
        self.assertEqual(self.status_in_keycrm(order), self.sent.keycrm_id)
