"""Activities are recognized in every language: they are removed when settled, and scheduled once."""

from odoo.tools import mute_logger

from .order_common import OrderCase


class TestActivityLanguages(OrderCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.lang"]._activate_lang("uk_UA")
        cls.company.partner_id.lang = "en_US"

    def speak_ukrainian(self):
        self.company.partner_id.lang = "uk_UA"

    def shipped(self):
        """:return: an order of which KeyCRM has fewer pieces than were delivered"""
        order = self.make(self.sent)
        self.deliver(order)
        self.sell(order, 3)
        self.assertEqual(
            order.activity_ids.summary, "KeyCRM changed items that are already shipped"
        )
        return order

    def sell(self, order, quantity):
        self.keycrm.patch_line(
            order.keycrm_id, self.line_id(order), quantity=quantity, webhook=False
        )
        self.arrive(order.keycrm_id)

    def test_open_activity_is_neither_repeated_nor_left_in_another_language(self):
        """A settled conflict would stay in the overview for good, beside its translation."""
        order = self.shipped()
        self.speak_ukrainian()
        self.arrive(order.keycrm_id)
        self.assertEqual(len(order.activity_ids), 1)
        self.sell(order, 2)
        self.assertEqual(len(order.activity_ids), 1)
        self.assertIn("відвантажен", order.activity_ids.summary)
        self.assertIn("2", order.activity_ids.note)
        self.sell(order, 5)
        self.assertFalse(order.activity_ids)

    def test_completed_activity_is_scheduled_for_other_facts_only(self):
        """All conflicts that users settled before would return with the other language."""
        order = self.shipped()
        order.activity_ids.action_done()
        self.speak_ukrainian()
        self.arrive(order.keycrm_id)
        self.assertFalse(order.activity_ids)
        self.sell(order, 2)
        self.assertEqual(len(order.activity_ids), 1)

    def test_completed_activity_about_a_price_is_not_repeated(self):
        order = self.make(self.sent)
        self.deliver(order)
        self.invoice(order)
        self.keycrm.patch_line(order.keycrm_id, self.line_id(order), price=90, webhook=False)
        self.arrive(order.keycrm_id)
        order.activity_ids.filtered("keycrm_code").action_done()
        self.speak_ukrainian()
        self.arrive(order.keycrm_id)
        self.assertFalse(order.activity_ids)

    def test_activities_about_statuses_are_recognized(self):
        order = self.make(self.sent)
        self.deliver(order)
        for status, code in ((self.canceled, "canceled"), (self.new, "moved_back")):
            self.company.partner_id.lang = "en_US"
            self.move(order, status)
            self.assertEqual(order.activity_ids.mapped("keycrm_code").count(code), 1)
            order.activity_ids.action_done()
            self.speak_ukrainian()
            self.arrive(order.keycrm_id)
            self.assertFalse(order.activity_ids.filtered(lambda one, c=code: one.keycrm_code == c))
        self.move(order, self.canceled)
        self.company.partner_id.lang = "en_US"
        self.move(order, self.sent)
        self.assertFalse(order.activity_ids)

    def test_activity_of_an_order_that_odoo_canceled_is_removed(self):
        order = self.make(self.made)
        order._action_cancel()
        self.arrive(order.keycrm_id)
        self.assertEqual(order.activity_ids.keycrm_code, "canceled_here")
        self.speak_ukrainian()
        self.arrive(order.keycrm_id)
        self.assertEqual(len(order.activity_ids), 1)
        order.action_keycrm_restore()
        self.arrive(order.keycrm_id)
        self.assertFalse(order.activity_ids)

    def test_activity_about_a_failed_event_is_removed(self):
        event = self.env["keycrm.event"].create(
            {"account_id": self.account.id, "event": "odoo.refresh", "keycrm_order_id": 77}
        )
        event.write({"state": "failed", "error_code": "not_found", "error_params": {}})
        for _ in range(2):
            event._update_activity()
            self.assertIn("77", self.account.activity_ids.summary)
            self.speak_ukrainian()
        event.state = "done"
        event._update_activity()
        self.assertFalse(self.account.activity_ids)

    def pay(self, order, **fields):
        payment = self.keycrm.order(order.keycrm_id)["answer"]["payments"][0]["id"]
        self.keycrm.patch_payment(order.keycrm_id, payment, webhook=False, **fields)
        self.arrive(order.keycrm_id)

    def test_activities_about_payments_are_recognized(self):
        self.account.import_payments = True
        self.account.payment_journal_id = self.env["account.journal"].create(
            {"name": "Банк", "type": "bank", "code": "BNKL"}
        )
        order = self.make(payments=[{"amount": 500, "status": "paid"}])
        self.pay(order, amount=400)
        self.assertEqual(len(order.activity_ids), 1)
        order.activity_ids.action_done()
        self.speak_ukrainian()
        self.arrive(order.keycrm_id)
        self.assertFalse(order.activity_ids)
        self.pay(order, amount=300)
        self.assertEqual(len(order.activity_ids), 1)
        self.company.partner_id.lang = "en_US"
        self.pay(order, amount=500)
        self.assertFalse(order.activity_ids)
        order.keycrm_payment_ids.payment_id.unlink()
        for _ in range(2):
            self.arrive(order.keycrm_id)
            self.assertEqual(len(order.activity_ids), 1)
            self.speak_ukrainian()
        order.keycrm_payment_ids.action_post_again()
        self.assertFalse(order.activity_ids)

    def test_activity_about_refused_payments_is_recognized(self):
        self.account.import_payments = True
        journal = self.env["account.journal"].create(
            {"name": "Банк", "type": "bank", "code": "BNKL"}
        )
        lines = journal.inbound_payment_method_line_ids
        method = lines.payment_method_id
        lines.unlink()
        self.account.payment_journal_id = journal
        with mute_logger("odoo.sql_db"):
            orders = [self.make(payments=[{"amount": 500, "status": "paid"}]) for _ in range(2)]
            self.speak_ukrainian()
            orders += [self.make(payments=[{"amount": 500, "status": "paid"}])]
        self.assertEqual(len(self.account.activity_ids), 1)
        journal.inbound_payment_method_line_ids = [
            (0, 0, {"payment_method_id": method[:1].id, "name": "Manual"})
        ]
        for order in orders:
            self.arrive(order.keycrm_id)
        self.assertFalse(self.account.activity_ids)
