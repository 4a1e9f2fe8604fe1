"""Money that Odoo receives for an invoice becomes a payment of the order in KeyCRM, once."""

import time
from datetime import timedelta

from odoo import fields

from ..services.common.api_gateway import open_client
from ..services.sending.order_update_sender import OrderUpdateSender
from ..services.sending.preview_job import PreviewJob
from .common import KeycrmCase


class TestSendPayments(KeycrmCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.account.send_payments = True
        cls.journal = cls.env["account.journal"].search(
            [("type", "=", "bank"), ("company_id", "=", cls.company.id)], limit=1
        ) or cls.env["account.journal"].create({"name": "Банк", "type": "bank", "code": "BNKS"})
        cls.method = cls.env["keycrm.payment.method"].search(
            [("account_id", "=", cls.account.id), ("keycrm_id", "=", 3)]
        )
        cls.method.sent_journal_ids = cls.journal

    def setUp(self):
        super().setUp()
        self.keycrm.clear_faults()

    def invoiced(self, *payments, **fields_):
        """Make an order of 200 with its posted invoice."""
        number = self.new_order(
            [{"name": "Кухоль", "price": 100, "quantity": 2}],
            payments=[{"amount": 200, **payment} for payment in payments],
            status_id=self.status(3).keycrm_id,
            **fields_,
        )
        order = self.arrive(number)
        order.order_line.product_id.invoice_policy = "order"
        invoice = order._create_invoices()
        invoice.invoice_date = fields.Date.today()
        invoice.action_post()
        return order, invoice

    def pay(self, invoice, amount=200.0):
        """Register a payment as a user does."""
        wizard = (
            self.env["account.payment.register"]
            .with_context(active_model="account.move", active_ids=invoice.ids)
            .create({"journal_id": self.journal.id, "amount": amount})
        )
        payments = wizard._create_payments()
        # Without an outstanding account, the bank statement reconciles the invoice.
        if not payments.move_id:
            line = self.env["account.bank.statement.line"].create(
                {
                    "journal_id": self.journal.id,
                    "date": fields.Date.today(),
                    "payment_ref": "COD",
                    "amount": amount,
                    "partner_id": invoice.partner_id.id,
                }
            )
            receivable = invoice.line_ids.filtered(
                lambda one: one.account_id.account_type == "asset_receivable"
            )
            suspense = line.move_id.line_ids.filtered(
                lambda one: one.account_id == self.journal.suspense_account_id
            )
            suspense.account_id = receivable.account_id
            (suspense | receivable).reconcile()
        self.env.cr.flush()

    def send(self):
        """Let the worker send all that is due; return the requests that wrote."""
        self.env.cr.flush()
        self.keycrm.clear_log()
        with self.committing(), open_client(self.account) as client:
            while OrderUpdateSender(self.account, client).process():
                pass
        return [row for row in self.keycrm.requests() if row["method"] != "GET"]

    def updates(self, order):
        return self.env["keycrm.order.update"].search(
            [("sale_order_id", "=", order.id), ("kind", "=", "payment")]
        )

    def paid(self, order):
        rows = self.keycrm.order(order.keycrm_id)["answer"]["payments"]
        return [float(row["amount"]) for row in rows if row["status"] == "paid"]

    def test_user_transaction_costs_one_query_more(self):
        invoices = [self.invoiced()[1] for _ in range(4)]

        self.queries_of(self.pay, invoices[0])
        on = self.queries_of(self.pay, invoices[1])
        self.account.send_payments = False
        self.queries_of(self.pay, invoices[2])
        self.assertLessEqual(on - self.queries_of(self.pay, invoices[3]), 1)

    def test_switched_off_sends_no_request(self):
        self.account.send_payments = False
        _order, invoice = self.invoiced()
        self.pay(invoice)
        self.send()
        self.assertFalse(self.keycrm.requests())

    def test_received_money_is_sent_once_with_the_matched_method(self):
        order, invoice = self.invoiced()
        self.pay(invoice, 150)
        (sent,) = self.send()
        self.assertEqual((sent["method"], sent["body"]["amount"]), ("POST", 150))
        self.assertEqual(sent["body"]["payment_method_id"], 3)
        self.assertEqual(sent["body"]["payment_date"][:10], fields.Date.today().isoformat())
        self.assertEqual(self.updates(order).state, "done")
        self.assertEqual(self.send(), [])
        self.pay(invoice, 50)
        self.assertEqual(len(self.send()), 1)
        self.assertEqual(self.paid(order), [150, 50])

    def test_expected_payment_becomes_paid(self):
        order, invoice = self.invoiced({"status": "not_paid", "payment_method_id": 3})
        self.pay(invoice)
        (sent,) = self.send()
        self.assertEqual((sent["method"], sent["body"]["status"]), ("PUT", "paid"))
        self.assertEqual(self.paid(order), [200])

    def test_equal_expected_payments_become_paid_one_by_one(self):
        expected = {"amount": 100, "status": "not_paid", "payment_method_id": 3}
        order, invoice = self.invoiced(expected, expected)
        for count in (1, 2):
            self.pay(invoice, 100)
            # The answer is lost: the repeated request marks no second one.
            self.keycrm.add_fault("close", method="PUT", path="/order/*/payment/*", executed=True)
            sent = self.send()
            for update in self.updates(order).filtered(lambda one: one.state != "done"):
                update.action_retry()
                sent += self.send()
            self.assertEqual({one["method"] for one in sent}, {"PUT"})
            self.assertEqual(self.paid(order), [100] * count)
            self.assertEqual(set(self.updates(order).mapped("state")), {"done"})
        self.assertEqual(len(self.keycrm.order(order.keycrm_id)["answer"]["payments"]), 2)

    def test_payment_that_keycrm_may_have_waits_for_a_user(self):
        order, invoice = self.invoiced({"status": "paid"})
        self.pay(invoice)
        self.assertEqual(self.send(), [])
        update = self.updates(order)
        self.assertEqual((update.state, update.next_try_at), ("failed", False))
        self.assertIn("200.00", update.error)
        self.assertTrue(order.activity_ids)
        update.action_ignore()
        self.assertEqual(update.state, "ignored")
        self.assertFalse(order.activity_ids)
        self.assertEqual(self.send(), [])

    def test_payment_in_another_currency_in_keycrm_waits_for_a_user(self):
        dollars = {"currency": "USD", "actual_amount": 100, "actual_currency": "UAH"}
        order, invoice = self.invoiced({"amount": 5, "status": "paid", **dollars})
        self.pay(invoice, 100)
        self.assertEqual(self.send(), [])
        self.assertEqual(self.updates(order).error_code, "payment_exists")

    def test_equal_instalments_of_one_day_are_both_sent(self):
        order, invoice = self.invoiced()
        for _instalment in range(2):
            self.pay(invoice, 100)
            self.assertEqual(len(self.send()), 1)
        self.assertEqual(self.paid(order), [100, 100])

    def test_user_may_send_a_payment_anyway(self):
        order, invoice = self.invoiced({"status": "paid"})
        self.pay(invoice)
        self.send()
        self.updates(order).action_send_anyway()
        self.assertEqual(len(self.send()), 1)
        self.assertEqual(self.paid(order), [200, 200])

    def test_lost_answer_sends_the_money_once(self):
        order, invoice = self.invoiced()
        self.pay(invoice)
        self.keycrm.add_fault("close", method="POST", path="/order/*/payment", executed=True)
        self.send()
        update = self.updates(order)
        if update.state != "done":
            update.action_retry()
            self.send()
        self.assertEqual(update.state, "done")
        self.assertEqual(self.paid(order), [200])

    def test_payment_that_appears_after_a_lost_answer_is_not_sent_again(self):
        order, invoice = self.invoiced()
        self.pay(invoice)
        self.keycrm.add_fault(
            "close", method="POST", path="/order/*/payment", executed=True, seconds=3
        )
        self.assertEqual(len(self.send()), 1)
        update = self.updates(order)
        update.action_retry()
        self.assertEqual(self.send(), [])
        self.assertGreater(update.next_try_at, self.env.cr.now())
        end = time.monotonic() + 30
        while not self.paid(order) and time.monotonic() < end:
            time.sleep(0.1)
        update.action_retry()
        self.assertEqual(self.send(), [])
        self.assertEqual((update.state, self.paid(order)), ("done", [200]))

    def test_payment_that_does_not_appear_within_a_minute_is_sent_again(self):
        order, invoice = self.invoiced()
        self.pay(invoice)
        self.keycrm.add_fault("close", method="POST", path="/order/*/payment")
        self.send()
        update = self.updates(order)
        update.action_retry()
        self.assertEqual(self.send(), [])
        update.requested_at -= timedelta(minutes=1)
        update.action_retry()
        self.assertEqual(len(self.send()), 1)
        self.assertEqual((update.state, self.paid(order)), ("done", [200]))

    def test_refused_payment_is_sent_again_at_once_by_retry(self):
        order, invoice = self.invoiced()
        self.pay(invoice)
        self.keycrm.add_fault("status", method="POST", path="/order/*/payment", status=422)
        self.send()
        update = self.updates(order)
        self.assertEqual(update.state, "failed")
        update.action_retry()
        self.assertEqual(len(self.send()), 1)
        self.assertEqual(self.paid(order), [200])

    def test_money_received_while_the_account_is_disabled_is_sent_later(self):
        order, invoice = self.invoiced()
        same, same_invoice = self.invoiced({"status": "paid"})
        self.account.enabled = False
        for one in (invoice, same_invoice):
            self.pay(one)
        self.account.enabled = True
        self.assertEqual(len(self.send()), 1)
        self.assertEqual(self.paid(order), [200])
        self.assertFalse(self.updates(same))

    def test_journal_without_a_payment_method_is_reported(self):
        self.method.sent_journal_ids = False
        self.company.partner_id.lang = "uk_UA"
        self.journal.with_context(lang="uk_UA").name = "Банк ФОП"
        order, invoice = self.invoiced()
        self.pay(invoice)
        self.assertEqual(self.send(), [])
        update = self.updates(order)
        self.assertIn("Банк ФОП", update.error)
        self.method.sent_journal_ids = self.journal
        update.action_retry()
        self.assertEqual(len(self.send()), 1)

    def test_payment_received_from_keycrm_is_not_sent_back(self):
        self.account.write({"import_payments": True, "payment_journal_id": self.journal.id})
        order, invoice = self.invoiced({"status": "paid"})
        self.assertEqual(invoice.amount_residual, 0)
        self.assertFalse(self.updates(order))
        self.assertEqual(self.send(), [])

    def test_echo_of_a_sent_payment_is_not_posted_again(self):
        self.account.write({"import_payments": True, "payment_journal_id": self.journal.id})
        order, invoice = self.invoiced()
        self.pay(invoice)
        self.send()
        self.arrive(order.keycrm_id)
        self.assertEqual(order.keycrm_payment_ids.from_odoo, True)
        self.assertFalse(order.keycrm_payment_ids.payment_id)
        # Its update may be deleted.
        self.updates(order).unlink()
        self.arrive(order.keycrm_id)
        self.assertFalse(order.keycrm_payment_ids.payment_id)

    def test_payments_imported_months_after_they_were_sent_are_not_posted(self):
        """Otherwise accounting has the money twice: the user's payment and KeyCRM's copy of it."""
        order, invoice = self.invoiced()
        self.pay(invoice)
        self.send()
        update = self.updates(order)
        self.assertEqual(update.state, "done")
        self.env.cr.execute(
            "UPDATE keycrm_order_update SET create_date = now() - interval '100 days'"
        )
        self.env.invalidate_all()
        self.account.keep_days = 90
        self.account._gc_finished()
        self.assertTrue(update.exists())
        self.account.write({"import_payments": True, "payment_journal_id": self.journal.id})
        self.arrive(order.keycrm_id)
        self.assertTrue(order.keycrm_payment_ids.from_odoo)
        self.assertFalse(order.keycrm_payment_ids.payment_id)

    def test_sent_payment_that_a_merge_moved_is_not_posted(self):
        order, invoice = self.invoiced()
        self.pay(invoice)
        self.send()
        (sent,) = self.keycrm.order(order.keycrm_id)["answer"]["payments"]
        self.keycrm.remove_payment(order.keycrm_id, sent["id"])
        self.account.write({"import_payments": True, "payment_journal_id": self.journal.id})
        other, _invoice = self.invoiced({"status": "paid", "description": sent["description"]})
        self.assertTrue(other.keycrm_payment_ids.from_odoo)
        self.assertFalse(other.keycrm_payment_ids.payment_id)

    def test_undone_reconciliation_sends_nothing_and_reverts_nothing(self):
        order, invoice = self.invoiced()
        self.pay(invoice)
        invoice.line_ids.remove_move_reconcile()
        self.assertEqual(self.send(), [])
        self.assertEqual(self.updates(order).mapped("state"), ["ignored"])

    def test_switching_on_shows_a_preview_and_sends_nothing_before_the_choice(self):
        self.account.write({"send_payments": False, "import_payments": True})
        order, invoice = self.invoiced()
        _same, same_invoice = self.invoiced({"status": "paid"})
        deleted, deleted_invoice = self.invoiced()
        deleted.keycrm_deleted = True
        for one in (invoice, same_invoice, deleted_invoice):
            self.pay(one)
        self.account.web_save({"send_payments": True}, {})
        preview = self.env["keycrm.send.preview"].search([("kind", "=", "payment")], limit=1)
        with self.committing(), open_client(self.account) as client:
            while preview.state == "running":
                PreviewJob(self.account, client).process()
        self.assertEqual((preview.change_count, preview.same_count), (1, 1))
        self.assertEqual(preview.line_ids.sale_order_id, order)
        self.assertEqual(self.send(), [])
        preview.action_send()
        self.assertEqual(len(self.send()), 1)
        self.assertEqual(self.paid(order), [200])
