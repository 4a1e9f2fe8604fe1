"""KeyCRM's own sum decides what was paid and what is to be collected, whatever its payments say."""

import requests

from .order_common import OrderCase


class TestAmountsPaid(OrderCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.account.import_payments = True
        cls.journal = cls.env["account.journal"].search(
            [("type", "=", "bank"), ("company_id", "=", cls.company.id)], limit=1
        ) or cls.env["account.journal"].create({"name": "Банк", "type": "bank", "code": "BNKK"})

    def paid(self, *payments, **fields_):
        """An order of 500 with these payments."""
        return self.make(
            self.made, payments=[{"status": "paid", **one} for one in payments], **fields_
        )

    def payments(self, order):
        return self.keycrm.order(order.keycrm_id)["answer"]["payments"]

    def answers(self, order, **raw):
        """Let KeyCRM answer with these keys, and read the order."""
        self.keycrm.patch_order(order.keycrm_id, raw=raw, webhook=False)
        return self.arrive(order.keycrm_id)

    def amounts(self, order):
        return (order.keycrm_amount_paid, order.keycrm_amount_due)

    def test_dollars_are_not_counted_as_hryvnias(self):
        order = self.paid({"amount": 24})
        row = self.payments(order)[0]
        for shape in (
            {"actual_currency": "USD", "actual_amount": None, "source_currency": None},
            {"actual_currency": "USD", "actual_amount": None, "source_currency": "UAH"},
            {"actual_currency": "USD", "actual_amount": 24, "source_currency": "UAH"},
            {"actual_currency": None, "actual_amount": 480, "source_currency": "USD"},
        ):
            with self.subTest(shape=shape):
                self.answers(order, payments=[{**row, **shape}], payments_total=480)
                self.assertEqual(self.amounts(order), (480, 20))
                payment = order.keycrm_payment_ids
                self.assertEqual((payment.amount, payment.currency_id.name), (24, "USD"))

    def test_without_payment_import_keycrms_sum_decides(self):
        self.account.import_payments = False
        order = self.paid({"amount": 120})
        self.assertEqual(order.keycrm_payment_status, "part_paid")
        self.assertEqual(self.amounts(order), (120, 380))
        self.assertFalse(order.keycrm_payments_differ)

    def test_payments_that_differ_from_the_sum_are_reported(self):
        order = self.paid({"amount": 200})
        self.assertFalse(order.keycrm_payments_differ)
        self.answers(order, payments_total=350)
        self.assertEqual(self.amounts(order), (350, 150))
        self.assertTrue(order.keycrm_payments_differ)
        self.answers(order)
        self.assertEqual(self.amounts(order), (200, 300))
        self.assertFalse(order.keycrm_payments_differ)

    def test_an_answer_without_the_sum_falls_back_on_its_payments(self):
        order = self.paid({"amount": 200}, {"amount": 100, "status": "not_paid"})
        self.answers(order, payments_total=None)
        self.assertEqual(self.amounts(order), (200, 300))
        self.answers(order, payments_total=None, payments=None, payment_status="paid")
        self.assertEqual(self.amounts(order), (500, 0))
        # Unknown: the former amount is kept.
        self.answers(order, payments_total=None, payments=None, payment_status="part_paid")
        self.assertEqual(self.amounts(order), (500, 0))

    def test_a_canceled_order_collects_nothing(self):
        order = self.paid()
        self.assertEqual(self.amounts(order), (0, 500))
        self.move(order, self.canceled)
        self.assertEqual(self.amounts(order), (0, 0))

    def test_removed_payment_is_canceled_and_collected_again(self):
        self.account.payment_journal_id = self.journal
        order = self.paid({"amount": 200}, {"amount": 100})
        removed_row, kept_row = self.payments(order)
        removed = order.keycrm_payment_ids.filtered(lambda one: one.keycrm_id == removed_row["id"])
        posted = removed.payment_id
        self.keycrm.set_switches(payment_delete="yes")
        answer = requests.delete(
            f"{self.sandbox.api_url}/order/{order.keycrm_id}/payment/{removed_row['id']}",
            headers={"Authorization": f"Bearer {self.sandbox.key}"},
            timeout=10,
        )
        self.assertTrue(answer.ok)
        self.arrive(order.keycrm_id)
        self.assertEqual(self.amounts(order), (100, 400))
        self.assertEqual((removed.status, posted.state), ("removed", "canceled"))
        kept = order.keycrm_payment_ids - removed
        self.assertEqual((kept.keycrm_id, kept.status), (kept_row["id"], "paid"))
        self.assertFalse(order.keycrm_payments_differ)
        self.arrive(order.keycrm_id)
        self.assertEqual(len(order.keycrm_payment_ids), 2)

    def test_restored_payment_is_posted_again_once(self):
        self.account.payment_journal_id = self.journal
        order = self.paid({"amount": 200})
        rows = self.payments(order)
        self.answers(order, payments=[], payments_total=0, payment_status="not_paid")
        self.assertEqual(order.keycrm_payment_ids.status, "removed")
        self.answers(order, payments=rows)
        payment = order.keycrm_payment_ids
        self.assertEqual((payment.status, payment.payment_id.amount), ("paid", 200))
        self.assertEqual(self.amounts(order), (200, 300))

    def test_removed_expected_payment_is_no_longer_expected(self):
        order = self.paid({"amount": 200}, {"amount": 300, "status": "not_paid"})
        self.assertEqual(order.keycrm_amount_expected, 300)
        self.keycrm.remove_payment(order.keycrm_id, self.payments(order)[1]["id"])
        self.arrive(order.keycrm_id)
        self.assertEqual(order.keycrm_amount_expected, 0)

    def test_incomplete_answer_cancels_no_payment(self):
        self.account.payment_journal_id = self.journal
        order = self.paid({"amount": 200}, {"amount": 100})
        first = self.payments(order)[0]
        for payments in ([], None, {}, "", [first], {"0": first}):
            with self.subTest(payments=payments):
                self.answers(order, payments=payments)
                self.assertEqual(order.keycrm_payment_ids.mapped("status"), ["paid", "paid"])
                states = order.keycrm_payment_ids.payment_id.mapped("state")
                self.assertNotIn("canceled", states)
                self.assertTrue(order.keycrm_payments_differ)
                self.assertEqual(self.amounts(order), (300, 200))

    def test_payment_removed_from_canceled_order_schedules_an_activity(self):
        self.account.payment_journal_id = self.journal
        order = self.paid({"amount": 200})
        posted = order.keycrm_payment_ids.payment_id
        self.keycrm.set_status(order.keycrm_id, self.canceled.keycrm_id, webhook=False)
        self.keycrm.remove_payment(order.keycrm_id, self.payments(order)[0]["id"])
        self.arrive(order.keycrm_id)
        self.assertNotEqual(posted.state, "canceled")
        self.assertIn("200", self.activities(order))

    def test_payment_moved_by_a_merge_schedules_no_activity(self):
        self.account.payment_journal_id = self.journal
        main, other = self.paid(), self.paid({"amount": 500})
        self.keycrm.merge_orders(main.keycrm_id, other.keycrm_id)
        self.arrive(other.keycrm_id)
        self.arrive(main.keycrm_id)
        payment = main.keycrm_payment_ids
        self.assertEqual((payment.status, payment.payment_id.amount), ("paid", 500))
        self.assertEqual(
            self.env["account.payment"].search_count(
                [("amount", "=", 500), ("state", "!=", "canceled"), ("memo", "ilike", other.name)]
            ),
            1,
        )
        self.assertFalse(other.activity_ids)
        self.assertEqual(self.amounts(other), (0, 0))

    def test_payment_of_unknown_status_is_not_expected(self):
        self.account.payment_journal_id = self.journal
        order = self.paid({"amount": 200})
        row = self.payments(order)[0]
        for status in ("refunded", "pending", "", None, 7):
            with self.subTest(status=status):
                self.answers(order, payments=[{**row, "status": status}], payments_total=0)
                payment = order.keycrm_payment_ids
                self.assertEqual(payment.status, "unknown")
                self.assertEqual(order.keycrm_amount_expected, 0)
                self.assertEqual(self.amounts(order), (0, 500))
                self.assertIn(str(status or "?"), payment.problem)
                # What is in accounting is kept, and a user checks it.
                self.assertNotEqual(payment.payment_id.state, "canceled")
                self.assertTrue(order.activity_ids)
                self.assertDecisions(order)
        self.answers(order)
        self.assertFalse(order.keycrm_payment_ids.problem or order.activity_ids)
        new = self.paid({"amount": 50, "status": "pending"})
        self.assertEqual(new.keycrm_payment_ids.status, "unknown")
        self.assertFalse(new.keycrm_payment_ids.payment_id)
