"""A user's cancellation in Odoo is kept until a user decides otherwise."""

from odoo.exceptions import UserError
from odoo.tests import new_test_user

from ..services.common.api_gateway import open_client
from ..services.orders.order_inbox import OrderInbox
from .order_common import OrderCase


class TestCanceledByUser(OrderCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.seller = new_test_user(
            cls.env,
            "canceling",
            groups="sales_team.group_sale_salesman_all_leads,stock.group_stock_user,"
            "ordage_keycrm.group_user",
        )

    def cancel_in_odoo(self, status=None):
        """Let a user cancel an order by the button."""
        order = self.make(status or self.made)
        order.with_user(self.seller)._action_cancel()
        self.assertEqual(order.state, "cancel")
        return order

    def pay(self, order):
        self.keycrm.add_payment(order.keycrm_id, amount=10, status="paid", webhook=False)
        return self.arrive(order.keycrm_id)

    def process_events(self, order):
        """Process the event that a button enqueued."""
        with self.committing(), open_client(self.account) as client:
            while OrderInbox(self.account, client).process():
                pass

    def test_payment_or_edit_in_keycrm_does_not_confirm_canceled_order(self):
        for status in (self.new, self.made, self.sent):
            order = self.cancel_in_odoo(status)
            self.pay(order)
            self.keycrm.patch_line(order.keycrm_id, self.line_id(order), quantity=9, webhook=False)
            self.arrive(order.keycrm_id)
            self.assertEqual(order.state, "cancel")
            self.assertNotIn("assigned", order.picking_ids.mapped("state"))
            self.assertTrue(order.keycrm_cancel_conflict)
            self.assertEqual(len(order.activity_ids), 1)
            # The order follows all the same, so that it is right once it is restored.
            self.assertEqual(order.order_line.product_uom_qty, 9)

    def test_another_status_does_not_confirm_and_shows_the_conflict(self):
        order = self.cancel_in_odoo(self.new)
        for status in (self.agreed, self.made, self.sent, self.done):
            self.move(order, status)
            self.assertEqual(order.state, "cancel")
            self.assertTrue(order.keycrm_cancel_conflict)
            status = status.with_context(lang=self.company.partner_id.lang)
            self.assertIn(status.display_name, self.activities(order))
        self.assertEqual(len(order.activity_ids), 1)

    def test_an_order_that_keycrm_cancels_too_has_no_conflict(self):
        order = self.cancel_in_odoo()
        self.pay(order)
        self.move(order, self.canceled)
        self.assertFalse(order.keycrm_cancel_conflict or order.activity_ids)
        # Revived there, it is still what a person canceled here.
        self.move(order, self.made)
        self.assertEqual(order.state, "cancel")
        self.assertTrue(order.keycrm_cancel_conflict)

    def test_an_order_that_only_keycrm_canceled_is_revived(self):
        order = self.make(self.made)
        self.move(order, self.canceled)
        self.assertFalse(order.keycrm_canceled_here)
        self.move(order, self.made)
        self.assertEqual(order.state, "sale")

    def test_the_button_restores_the_order_as_keycrm_has_it(self):
        order = self.cancel_in_odoo(self.new)
        self.keycrm.patch_line(order.keycrm_id, self.line_id(order), quantity=7, webhook=False)
        self.move(order, self.made)
        order.with_user(self.seller).action_keycrm_restore()
        self.assertFalse(order.keycrm_cancel_conflict or order.activity_ids)
        self.process_events(order)
        self.assertEqual(order.state, "sale")
        open_moves = order.picking_ids.move_ids.filtered(lambda move: move.state != "cancel")
        self.assertEqual(sum(open_moves.mapped("product_uom_qty")), 7)

    def test_the_other_button_keeps_it_canceled_until_its_status_changes(self):
        order = self.cancel_in_odoo(self.made)
        self.pay(order)
        order.with_user(self.seller).action_keycrm_keep_canceled()
        self.assertFalse(order.keycrm_cancel_conflict or order.activity_ids)
        self.pay(order)
        self.assertEqual(order.state, "cancel")
        self.assertFalse(order.keycrm_cancel_conflict or order.activity_ids)
        self.move(order, self.sent)
        self.assertEqual(order.state, "cancel")
        self.assertTrue(order.keycrm_cancel_conflict)
        self.assertEqual(len(order.activity_ids), 1)

    def test_order_reset_by_a_user_follows_keycrm_again(self):
        order = self.cancel_in_odoo(self.made)
        order.with_user(self.seller).action_draft()
        self.assertFalse(order.keycrm_canceled_here)
        self.arrive(order.keycrm_id)
        self.assertEqual(order.state, "sale")

    def test_cancellation_while_the_account_is_disabled_is_kept(self):
        order = self.make(self.made)
        self.account.enabled = False
        order.with_user(self.seller)._action_cancel()
        self.account.enabled = True
        self.pay(order)
        self.assertEqual(order.state, "cancel")

    def test_the_buttons_change_no_order_without_a_conflict(self):
        order = self.make(self.made)
        for action in ("action_keycrm_restore", "action_keycrm_keep_canceled"):
            with self.assertRaises(UserError):
                getattr(order.with_user(self.seller), action)()
        reader = new_test_user(self.env, "reading", groups="ordage_keycrm.group_user")
        conflict = self.cancel_in_odoo()
        for action in ("action_keycrm_restore", "action_keycrm_keep_canceled"):
            self.assertRefused(getattr(conflict.with_user(reader), action))
        self.assertTrue(conflict.keycrm_cancel_conflict)

    def test_archive_status_does_not_change_the_cancellation(self):
        self.account.archive_status_ids = self.done
        self.account.archive_validates = True
        order = self.cancel_in_odoo()
        self.move(order, self.done)
        self.assertEqual(order.state, "cancel")
        self.assertTrue(order.keycrm_archived and order.keycrm_cancel_conflict)
        self.assertNotIn("done", order.picking_ids.mapped("state"))

    def test_orders_that_keycrm_does_not_have_are_not_marked(self):
        order = self.env["sale.order"].create({"partner_id": self.company.partner_id.id})
        order._action_cancel()
        self.assertFalse(order.keycrm_canceled_here or order.keycrm_cancel_conflict)

    def test_the_overview_counts_the_orders_that_need_a_decision(self):
        conflict = self.cancel_in_odoo()
        discount = self.make(self.made, discount_amount=530)
        differs = self.make(self.made, grand_total=777)
        early = self.make(self.new, grand_total=777)
        self.make(self.made)
        broken = self.make(self.made)
        broken._keycrm_set_problem("lines_missing", {"order": broken.keycrm_id, "total": "5"})
        wanted = conflict | discount | differs | broken | early
        self.account.invalidate_recordset()
        self.assertEqual(self.account.decision_count, 5)
        self.assertEqual(self.account.overview_state, "decision")
        found = self.env["sale.order"].search(self.account.action_open_decisions()["domain"])
        self.assertEqual(found, wanted.sorted())
        conflict.action_keycrm_keep_canceled()
        discount.action_confirm()
        self.arrive(broken.keycrm_id)
        self.account.invalidate_recordset()
        self.assertEqual(self.account.decision_count, 2)
        early.action_keycrm_accept()
        self.keycrm.patch_order(differs.keycrm_id, grand_total=None, webhook=False)
        self.arrive(differs.keycrm_id)
        self.account.invalidate_recordset()
        self.assertEqual(self.account.overview_state, "connected")
        event = {"event": "order.x", "keycrm_order_id": 1, "account_id": self.account.id}
        failed = self.env["keycrm.event"].create({**event, "state": "failed", "attempts": 9})
        for next_try in (self.env.cr.now(), False):
            failed.next_try_at = next_try
            self.account.invalidate_recordset()
            self.assertEqual(self.account.overview_state, "decision")
