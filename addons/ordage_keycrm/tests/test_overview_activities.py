"""Activities of the addon are rows of the overview until they are done, and no noise."""

from unittest.mock import patch

from odoo.service.model import call_kw
from odoo.tests import new_test_user

from ..services.account.decisions import activities
from .order_common import OrderCase


class TestActivities(OrderCase):
    def rows(self, user=None):
        self.env.flush_all()
        Account = self.env["keycrm.account"].with_user(user or self.env.user)
        return Account.get_overview()["decisions"]

    def press(self, row, label):
        """Press a button of a row, as the client does."""
        (button,) = (one for one in row["buttons"] if one["label"] == label)
        return call_kw(
            self.env[row["model"]].browse(row["id"]), button["method"], [[row["id"]]], {}
        )

    def schedule(self, order, summary="Check it", **options):
        order._keycrm_schedule_activity(
            summary, summary, ["First sentence.", "Second one."], **options
        )

    def test_row_names_the_order_and_its_question_and_is_left_when_done(self):
        order = self.make(self.made, buyer={"full_name": "Олена Коваль"})
        self.assertDecisions()
        self.schedule(order)
        (row,) = self.rows()
        self.assertEqual((row["buyer"], row["kind"]), ("Олена Коваль", "Open activity"))
        self.assertEqual(row["title"], f"Order {order.keycrm_id}")
        self.assertEqual(row["reason"], "Check it — First sentence. Second one.")
        self.assertDecisions(order)
        opened = self.press(row, "Open")
        self.assertEqual((opened["res_model"], opened["res_id"]), ("sale.order", order.id))
        self.press(row, "Mark as done")
        self.assertDecisions()
        self.schedule(order)
        self.assertDecisions()

    def test_order_has_one_row_for_all_its_activities_since_the_first(self):
        order = self.make(self.made)
        for summary in ("First", "Second"):
            self.schedule(order, summary)
        first, second = order.activity_ids.sorted("id")
        for expected in (first, second):
            (row,) = self.rows()
            self.assertEqual(row["id"], expected.id)
            self.press(row, "Mark as done")
        self.assertDecisions()

    def test_order_that_is_a_row_already_gets_no_second_one(self):
        order = self.make(self.made, grand_total=777)
        order.action_confirm()
        self.schedule(order)
        self.assertDecisions(order)
        event = {"account_id": self.account.id, "event": "x", "keycrm_order_id": order.keycrm_id}
        update = {"account_id": self.account.id, "sale_order_id": order.id, "kind": "tracking"}
        for model, vals in (("keycrm.event", event), ("keycrm.order.update", update)):
            with self.subTest(model):
                record = self.env[model].create({**vals, "state": "failed"})
                self.assertDecisions(record)
                record.state = "done"
                self.assertDecisions(order)
        order.keycrm_deleted = True
        (row,) = self.rows()
        self.assertEqual(row["model"], "sale.order")
        order.action_keycrm_accept()
        order.keycrm_archived = True
        self.assertDecisions(order.picking_ids)
        self.deliver(order)
        (row,) = self.rows()
        self.assertEqual(row["model"], "mail.activity")

    def test_canceled_order_waits_for_its_goods_then_for_its_credit_note(self):
        order = self.make(self.made)
        self.deliver(order)
        invoice = self.invoice(order)
        self.move(order, self.canceled)
        back = order.picking_ids.filtered("keycrm_expected_return")
        self.assertDecisions(back)
        back.move_ids.picked = True
        back._action_done()
        self.arrive(order.keycrm_id)
        self.assertDecisions(order)
        self.assertIn("credit note", self.rows()[0]["reason"])
        invoice._reverse_moves(cancel=True)
        self.arrive(order.keycrm_id)
        self.assertEqual(order.state, "cancel")
        self.assertDecisions()

    def test_invoiced_price_that_differs_waits(self):
        order = self.make(self.made)
        self.deliver(order)
        self.invoice(order)
        self.keycrm.patch_line(order.keycrm_id, self.line_id(order), price=90, webhook=False)
        self.arrive(order.keycrm_id)
        self.assertDecisions(order)
        order.action_keycrm_accept()
        (row,) = self.rows()
        self.assertIn("90", row["reason"])

    def test_goods_picked_in_the_former_warehouse_wait(self):
        other = self.env["stock.warehouse"].create({"name": "Другий", "code": "DRU"})
        mapping = self.env["keycrm.warehouse"].create(
            {"account_id": self.account.id, "keycrm_id": 2, "name": "Second"}
        )
        mapping.warehouse_ids = other
        order = self.make(self.made)
        order.picking_ids.move_ids.picked = True
        self.keycrm.patch_line(order.keycrm_id, self.line_id(order), warehouse_id=2, webhook=False)
        self.arrive(order.keycrm_id)
        self.assertIn("Другий", self.activities(order))
        self.assertDecisions(order)

    def test_activity_without_a_decision_is_no_row(self):
        order = self.make(self.made)
        self.schedule(order, is_decision=False)
        self.assertTrue(order.activity_ids)
        order.activity_schedule("mail.mail_activity_data_todo", summary="A user's own")
        self.assertDecisions()

    def test_activities_that_are_not_shown_are_reached_by_their_list(self):
        for _ in range(10):
            self.schedule(self.make(self.made))
        *shown, more = self.rows()
        self.assertEqual((len(shown), more["title"], more["count"]), (8, "2 more", 2))
        action = self.account.action_open_activities()
        self.assertEqual(self.env[action["res_model"]].search_count(action["domain"]), 10)
        self.env[action["res_model"]].get_views(action["views"])
        with patch.object(activities, "MOST", 9):
            *_shown, more = self.rows()
            self.assertEqual(more["count"], 2)

    def test_user_sees_and_marks_activities_of_readable_orders(self):
        mine, other = self.make(self.made), self.make(self.made)
        seller = new_test_user(self.env, "seller", groups="sales_team.group_sale_salesman")
        mine.user_id, other.user_id = seller, self.env.user
        self.schedule(mine)
        self.schedule(other)
        (row,) = self.rows(seller)
        self.assertEqual(row["title"], f"Order {mine.keycrm_id}")
        self.assertEqual([one["label"] for one in row["buttons"]], ["Open", "Mark as done"])
        self.assertEqual(len(self.rows()), 2)
        reader = new_test_user(self.env, "reader", groups="ordage_keycrm.group_user")
        self.env.flush_all()
        overview = self.env["keycrm.account"].with_user(reader).get_overview()
        self.assertEqual((overview["decisions"], overview["others_decide"]), ([], 2))
        # Only the activity is of a user who lost the order.
        mine.user_id = self.env.user
        (row,) = self.rows(seller)
        self.assertEqual((row["buyer"], row["amount"]), ("", ""))
