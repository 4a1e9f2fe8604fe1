"""Payments: each once, in accounting where a journal is set, and never in an order's way."""

from datetime import datetime, timedelta
from unittest.mock import patch

from lxml import etree

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import new_test_user
from odoo.tools import mute_logger
from odoo.tools.safe_eval import safe_eval

from ..services.common.api_gateway import open_client
from ..services.orders.bank_transactions import BankTransactions
from ..services.orders.order_writer import OrderWriter
from .common import KeycrmCase


class TestPayments(KeycrmCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.account.import_payments = True
        cls.journal = cls.env["account.journal"].search(
            [("type", "=", "bank"), ("company_id", "=", cls.company.id)], limit=1
        ) or cls.env["account.journal"].create({"name": "Банк", "type": "bank", "code": "BNKK"})

    def make(self, *payments, **fields_):
        number = self.new_order(
            [{"name": "Кухоль", "price": 100, "quantity": 2}],
            payments=[{"amount": 200, "status": "paid", **payment} for payment in payments],
            **fields_,
        )
        return self.arrive(number)

    def payment_of(self, order):
        return self.keycrm.order(order.keycrm_id)["answer"]["payments"][0]["id"]

    def invoice_of(self, order):
        """:return: the order's draft invoice"""
        order.order_line.product_id.invoice_policy = "order"
        invoice = order._create_invoices()
        invoice.invoice_date = fields.Date.today()
        return invoice

    def test_each_payment_is_imported_once_with_its_data(self):
        order = self.make(
            {"description": "Аванс", "transaction_uuid": "T-1"}, {"status": "not_paid"}
        )
        self.arrive(order.keycrm_id)
        paid, expected = order.keycrm_payment_ids.sorted("keycrm_id")
        self.assertEqual((paid.amount, paid.description, paid.status), (200, "Аванс", "paid"))
        self.assertEqual(paid.currency_id.name, "UAH")
        self.assertEqual(expected.status, "not_paid")
        self.assertEqual(order.keycrm_amount_paid, 200)

    def test_order_and_delivery_show_the_amount_to_collect(self):
        order = self.make(
            {"amount": 50},
            {"amount": 150, "status": "not_paid"},
            status_id=self.status(3).keycrm_id,
        )
        self.assertEqual(
            (order.keycrm_amount_paid, order.keycrm_amount_expected, order.keycrm_amount_due),
            (50, 150, 150),
        )
        self.assertEqual(order.picking_ids.keycrm_amount_due, 150)

    def test_payments_are_not_read_while_switched_off(self):
        self.account.import_payments = False
        order = self.make({})
        self.assertFalse(order.keycrm_payment_ids)
        self.assertEqual(order.keycrm_payment_status, "paid")
        query = self.keycrm.requests()[-1]["query"]
        self.assertNotIn("payments", str(query))

    def test_with_a_journal_a_paid_payment_is_posted_once(self):
        self.account.payment_journal_id = self.journal
        order = self.make({}, {"status": "not_paid"})
        self.arrive(order.keycrm_id)
        posted = order.keycrm_payment_ids.payment_id
        self.assertEqual(len(posted), 1)
        self.assertEqual((posted.amount, posted.partner_id), (200, order.partner_id))
        self.assertIn(posted.state, ("in_process", "paid"))
        self.assertFalse(order.keycrm_payment_ids[0].problem)

    def test_a_payment_method_may_have_a_journal_of_its_own(self):
        own = self.journal.copy({"name": "Каса", "code": "KASA"})
        self.account.payment_journal_id = self.journal
        method = self.env["keycrm.payment.method"].search(
            [("account_id", "=", self.account.id)], limit=1
        )
        method.journal_id = own
        order = self.make({"payment_method_id": method.keycrm_id})
        self.assertEqual(order.keycrm_payment_ids.payment_id.journal_id, own)

    def test_payment_is_reconciled_with_the_orders_invoice(self):
        self.account.payment_journal_id = self.journal
        order = self.make(status_id=self.status(3).keycrm_id)
        invoice = self.invoice_of(order)
        invoice.action_post()
        self.keycrm.add_payment(order.keycrm_id, amount=200, status="paid", webhook=False)
        self.arrive(order.keycrm_id)
        self.assertTrue(order.keycrm_payment_ids.payment_id.move_id)
        self.assertEqual(invoice.amount_residual, 0)

    def test_invoice_posted_after_the_payment_is_reconciled(self):
        self.account.payment_journal_id = self.journal
        order = self.make({"amount": 150}, {"amount": 50}, status_id=self.status(3).keycrm_id)
        self.assertEqual(len(order.keycrm_payment_ids.payment_id.move_id), 2)
        invoice = self.invoice_of(order)
        invoice.action_post()
        self.assertEqual(invoice.amount_residual, 0)
        self.assertFalse(any(order.keycrm_payment_ids.mapped("problem")))

    def test_user_without_payment_rights_can_post_a_prepaid_invoice(self):
        self.account.payment_journal_id = self.journal
        order = self.make({}, status_id=self.status(3).keycrm_id)
        invoice = self.invoice_of(order)
        person = new_test_user(self.env, "biller", groups="account.group_account_invoice")
        invoice.with_user(person).action_post()
        self.assertEqual(invoice.amount_residual, 0)

    def test_invoice_is_not_paid_by_a_draft_or_canceled_payment(self):
        """Otherwise money that an accountant took back counts as received, or a problem never ends."""
        self.account.payment_journal_id = self.journal
        for undo in (("button_draft",), ("button_draft", "button_cancel")):
            with self.subTest(undo=undo):
                order = self.make({}, status_id=self.status(3).keycrm_id)
                for step in undo:
                    getattr(order.keycrm_payment_ids.payment_id.move_id, step)()
                invoice = self.invoice_of(order)
                invoice.action_post()
                self.assertEqual(invoice.amount_residual, 200)
                self.assertFalse(order.keycrm_payment_ids.problem)
                self.assertFalse(self.account.activity_ids)

    def test_reconciliation_that_was_refused_is_done_with_the_next_update(self):
        """Otherwise its problem and the activity stay for ever, also after the cause was fixed."""
        self.account.payment_journal_id = self.journal
        order = self.make({}, status_id=self.status(3).keycrm_id)
        invoice = self.invoice_of(order)
        with patch.object(type(invoice.line_ids), "reconcile", side_effect=UserError("Closed")):
            invoice.action_post()
            self.arrive(order.keycrm_id)
        self.assertIn("Closed", order.keycrm_payment_ids.problem)
        self.assertTrue(self.account.activity_ids)
        self.arrive(order.keycrm_id)
        self.assertEqual(invoice.amount_residual, 0)
        self.assertFalse(order.keycrm_payment_ids.problem or self.account.activity_ids)

    def test_draft_payment_that_keycrm_cancels_is_canceled(self):
        """Otherwise accounting refuses it with each update of the order."""
        self.account.payment_journal_id = self.journal
        order = self.make({})
        posted = order.keycrm_payment_ids.payment_id
        posted.action_draft()
        self.keycrm.patch_payment(
            order.keycrm_id, self.payment_of(order), status="canceled", webhook=False
        )
        self.arrive(order.keycrm_id)
        self.assertEqual(posted.state, "canceled")
        self.assertFalse(order.keycrm_payment_ids.problem)

    def test_payment_canceled_in_keycrm_is_canceled_in_odoo(self):
        self.account.payment_journal_id = self.journal
        order = self.make({})
        posted = order.keycrm_payment_ids.payment_id
        self.keycrm.patch_payment(
            order.keycrm_id, self.payment_of(order), status="canceled", webhook=False
        )
        self.arrive(order.keycrm_id)
        self.assertEqual(posted.state, "canceled")
        self.assertEqual(order.keycrm_amount_paid, 0)

    def test_payment_of_a_canceled_order_is_kept_until_a_user_decides(self):
        self.account.payment_journal_id = self.journal
        order = self.make({})
        posted = order.keycrm_payment_ids.payment_id
        self.keycrm.set_status(order.keycrm_id, self.status(6).keycrm_id, webhook=False)
        self.arrive(order.keycrm_id)
        self.assertEqual(order.keycrm_payment_ids.status, "canceled")
        self.assertNotEqual(posted.state, "canceled")
        self.assertIn("200", order.activity_ids.note)
        self.assertDecisions(order)

    def test_payment_of_a_restored_order_is_kept(self):
        self.account.payment_journal_id = self.journal
        order = self.make({})
        posted = order.keycrm_payment_ids.payment_id
        for group in (6, 3, 4):
            self.keycrm.set_status(order.keycrm_id, self.status(group).keycrm_id, webhook=False)
            self.arrive(order.keycrm_id)
        self.assertEqual(order.state, "sale")
        self.assertEqual(order.keycrm_payment_ids.status, "canceled")
        self.assertNotEqual(posted.state, "canceled")
        # Paid after all, it is not posted a second time; canceled by itself, it is taken back.
        for status in ("paid", "canceled"):
            self.keycrm.patch_payment(
                order.keycrm_id, self.payment_of(order), status=status, webhook=False
            )
            self.arrive(order.keycrm_id)
        self.assertEqual(posted.state, "canceled")
        self.assertEqual(
            self.env["account.payment"].search_count([("memo", "ilike", order.name)]), 1
        )

    def accounted(self, order):
        """:return: the payments of an order in accounting"""
        return self.env["account.payment"].search([("memo", "ilike", order.name)])

    def test_payment_that_an_accountant_deleted_is_not_posted_again(self):
        """Otherwise each update of the order would bring back money that was booked elsewhere."""
        self.account.payment_journal_id = self.journal
        order = self.make({})
        self.accounted(order).unlink()
        for _ in range(2):
            self.arrive(order.keycrm_id)
            self.assertFalse(self.accounted(order))
            self.assertIn("200", order.activity_ids.note)
            self.assertDecisions(order)
        order.activity_ids.action_done()
        self.arrive(order.keycrm_id)
        self.assertFalse(self.accounted(order) or order.activity_ids)
        self.assertTrue(order.keycrm_payment_ids.problem)

    def test_accountant_can_post_a_deleted_payment_again(self):
        self.account.payment_journal_id = self.journal
        order = self.make({})
        self.accounted(order).unlink()
        self.arrive(order.keycrm_id)
        person = new_test_user(self.env, "poster", groups="account.group_account_invoice")
        self.account.payment_journal_id = False
        with self.assertRaises(UserError):
            order.keycrm_payment_ids.with_user(person).action_post_again()
        self.account.payment_journal_id = self.journal
        order.keycrm_payment_ids.with_user(person).action_post_again()
        self.assertEqual(order.keycrm_payment_ids.payment_id, self.accounted(order))
        self.assertEqual(self.accounted(order).amount, 200)
        self.assertFalse(order.keycrm_payment_ids.problem or order.activity_ids)
        order.keycrm_payment_ids.with_user(person).action_post_again()
        self.assertEqual(len(self.accounted(order)), 1)

    def test_deleted_payment_that_keycrm_cancels_and_restores_is_posted(self):
        self.account.payment_journal_id = self.journal
        order = self.make({})
        self.accounted(order).unlink()
        self.arrive(order.keycrm_id)
        for status, count in (("canceled", 0), ("paid", 1)):
            self.keycrm.patch_payment(
                order.keycrm_id, self.payment_of(order), status=status, webhook=False
            )
            self.arrive(order.keycrm_id)
            self.assertEqual(len(self.accounted(order)), count)
            self.assertFalse(order.keycrm_payment_ids.problem or order.activity_ids)

    def test_payment_canceled_and_restored_in_keycrm_is_posted_again(self):
        self.account.payment_journal_id = self.journal
        order = self.make({})
        for status in ("canceled", "paid"):
            self.keycrm.patch_payment(
                order.keycrm_id, self.payment_of(order), status=status, webhook=False
            )
            self.arrive(order.keycrm_id)
        self.assertEqual(set(self.accounted(order).mapped("state")), {"canceled", "in_process"})

    def test_payment_set_back_to_not_paid_is_canceled_until_paid_again(self):
        """Otherwise the invoice stays paid in accounting while the order waits for the money."""
        self.account.payment_journal_id = self.journal
        order = self.make({})
        for status, due, in_force in (("not_paid", 200, 0), ("paid", 0, 1)):
            self.keycrm.patch_payment(
                order.keycrm_id, self.payment_of(order), status=status, webhook=False
            )
            self.arrive(order.keycrm_id)
            self.assertEqual(order.keycrm_amount_due, due)
            posted = self.accounted(order).filtered(lambda one: one.state != "canceled")
            self.assertEqual((len(posted), order.keycrm_payment_ids.payment_id), (in_force, posted))
        self.assertEqual(len(self.accounted(order)), 2)

    def make_shipped(self, *payments):
        """Let an order arrive that was shipped before the integration."""
        self.account.archive_status_ids = self.status(5)
        self.account.payment_journal_id = self.journal
        order = self.make(*payments, status_id=self.status(5).keycrm_id)
        self.assertTrue(order.keycrm_skip_delivery)
        return order

    def test_money_before_the_integration_of_a_shipped_order_is_not_posted(self):
        """Otherwise the first synchronization posts last year's money, and no invoice ever matches it."""
        now = fields.Datetime.now()
        times = [f"{now + timedelta(hours=hours):%Y-%m-%dT%H:%M:%SZ}" for hours in (-1, 1)]
        for start in (False, now):
            with self.subTest(start=start):
                self.account.enabled_since = start
                order = self.make_shipped(*({"amount": 100, "payment_date": at} for at in times))
                before, since = order.keycrm_payment_ids.sorted("date")
                self.assertEqual((order.keycrm_amount_paid, before.status), (200, "paid"))
                self.assertFalse(before.payment_id)
                self.assertEqual(bool(since.payment_id), bool(start))
                self.assertFalse(before.problem or since.problem or order.activity_ids)
        order = self.make({"payment_date": times[0]}, status_id=self.status(3).keycrm_id)
        self.assertTrue(order.keycrm_payment_ids.payment_id, "its goods are shipped with Odoo")

    def test_old_money_without_a_rate_is_no_problem(self):
        self.account.enabled_since = fields.Datetime.now() + timedelta(hours=1)
        self.account.archive_status_ids = self.status(3)
        self.account.payment_journal_id = self.journal
        order = self.make_in("CHF", status_id=self.status(3).keycrm_id)
        self.assertTrue(order.keycrm_skip_delivery)
        self.assertFalse(order.keycrm_payment_ids.problem or order.activity_ids)

    def test_cash_on_delivery_in_transit_at_the_start_is_posted(self):
        """KeyCRM may leave the date of the payment at the day of the order."""
        self.account.enabled_since = fields.Datetime.now() + timedelta(hours=1)
        order = self.make_shipped({"status": "not_paid"})
        self.keycrm.patch_payment(
            order.keycrm_id, self.payment_of(order), status="paid", webhook=False
        )
        self.arrive(order.keycrm_id)
        self.assertEqual(order.keycrm_payment_ids.payment_id.amount, 200)

    def test_changed_amount_of_a_posted_payment_schedules_an_activity(self):
        self.account.payment_journal_id = self.journal
        order = self.make({})
        self.keycrm.patch_payment(
            order.keycrm_id, self.payment_of(order), amount=150, webhook=False
        )
        self.arrive(order.keycrm_id)
        self.assertEqual(order.keycrm_payment_ids.amount, 150)
        self.assertEqual(order.keycrm_payment_ids.payment_id.amount, 200)
        self.assertIn("150", order.activity_ids.note)
        self.assertDecisions(order)

    def test_payments_that_accounting_refuses_are_one_row_until_none_is_left(self):
        self.account.payment_journal_id = self.journal
        self.env.flush_all()
        self.env.cr.execute(
            "ALTER TABLE account_payment ADD CONSTRAINT strict CHECK (id < 0) NOT VALID"
        )
        with mute_logger("odoo.sql_db"):
            orders = [self.make({}) for _ in range(3)]
        for order in orders:
            self.assertIn("strict", order.keycrm_payment_ids.problem)
        self.assertIn(orders[0].name, self.account.activity_ids.note)
        self.assertDecisions(self.account)
        self.env.cr.execute("ALTER TABLE account_payment DROP CONSTRAINT strict")
        self.arrive(orders[0].keycrm_id)
        self.assertDecisions(self.account)
        self.keycrm.patch_payment(
            orders[1].keycrm_id, self.payment_of(orders[1]), status="canceled", webhook=False
        )
        self.arrive(orders[1].keycrm_id)
        self.account.payment_journal_id = False
        self.arrive(orders[2].keycrm_id)
        self.assertFalse(self.account.activity_ids)
        self.assertDecisions()

    def make_in(self, code, **fields_):
        """Let an order of 200 arrive of which 50 were paid in another currency."""
        number = self.new_order(
            [{"name": "Кухоль", "price": 100, "quantity": 2}],
            payments=[{"amount": 50, "status": "paid"}],
            **fields_,
        )
        row = self.keycrm.order(number)["answer"]["payments"][0]
        row.update(actual_amount=50, actual_currency=code, source_currency=code)
        self.keycrm.patch_order(number, raw={"payments": [row]}, webhook=False)
        return self.arrive(number)

    def test_payment_in_another_currency_is_posted_once_a_rate_is_entered(self):
        self.account.payment_journal_id = self.journal
        francs = self.env.ref("base.CHF")
        francs.active = False
        order = self.make_in("CHF")
        payment = order.keycrm_payment_ids
        self.assertTrue(francs.active)
        self.assertEqual((payment.amount, payment.currency_id), (50, francs))
        self.assertEqual((order.keycrm_amount_paid, order.keycrm_amount_due), (50, 150))
        self.assertFalse(payment.payment_id)
        self.assertIn("CHF", payment.problem)
        self.assertIn("CHF", order.activity_ids.note)
        self.env["res.currency.rate"].create(
            {
                "currency_id": francs.id,
                "company_id": self.company.id,
                "name": "2020-01-01",
                "rate": 0.5,
            }
        )
        self.assertEqual((order.keycrm_amount_paid, order.keycrm_amount_due), (50, 150))
        self.assertEqual(payment.payment_id.currency_id, francs)
        self.assertFalse(payment.problem or order.activity_ids)

    def test_payment_in_an_unknown_currency_is_not_posted(self):
        self.account.payment_journal_id = self.journal
        self.env.ref("base.USD").active = True
        order = self.make_in("USDT")
        payment = order.keycrm_payment_ids
        self.assertFalse(payment.currency_id or payment.payment_id)
        self.assertEqual((order.keycrm_amount_paid, order.keycrm_amount_due), (50, 150))
        self.assertIn("USDT", payment.problem)
        self.assertIn("50.00 USDT", order.activity_ids.note)
        self.assertDecisions(order)
        self.arrive(order.keycrm_id)
        self.assertEqual(len(order.activity_ids), 1)

    def test_corrected_currency_or_canceled_payment_removes_the_activity(self):
        for change in (
            {"actual_currency": "UAH", "source_currency": "UAH"},
            {"status": "canceled"},
        ):
            with self.subTest(change=change):
                order = self.make_in("USDT")
                self.assertTrue(order.activity_ids)
                row = self.keycrm.order(order.keycrm_id)["answer"]["payments"][0]
                row.update(change)
                self.keycrm.patch_order(order.keycrm_id, raw={"payments": [row]}, webhook=False)
                self.arrive(order.keycrm_id)
                self.assertFalse(order.keycrm_payment_ids.problem or order.activity_ids)

    def test_a_payment_of_the_night_is_in_accounting_on_the_day_of_the_company(self):
        self.account.payment_journal_id = self.journal
        self.company.partner_id.tz = "Europe/Kyiv"
        order = self.make({"payment_date": "2026-07-31T22:30:00Z"})
        self.assertEqual(str(order.keycrm_payment_ids.payment_id.date), "2026-08-01")

    def test_expense_of_the_shop_is_no_payment_of_the_buyer(self):
        order = self.make({"amount": 200}, {"amount": 35, "is_expense": True})
        self.assertEqual(order.keycrm_payment_ids.mapped("amount"), [200])
        self.assertEqual(order.keycrm_amount_paid, 200)

    def test_orders_and_deliveries_are_searchable_by_amount_to_collect(self):
        paid = self.make({}, status_id=self.status(3).keycrm_id)
        part = self.make(
            {"amount": 50},
            {"amount": 150, "status": "not_paid"},
            status_id=self.status(3).keycrm_id,
        )
        for model, view, of in (
            ("sale.order", "ordage_keycrm.keycrm_order_view_search", lambda order: order),
            (
                "stock.picking",
                "ordage_keycrm.stock_picking_view_search",
                lambda order: order.picking_ids,
            ),
        ):
            arch = etree.fromstring(self.env.ref(view).get_combined_arch())
            domains = {
                node.get("name").removeprefix("keycrm_"): safe_eval(node.get("domain"))
                for node in arch.iter("filter")
                if node.get("name", "").removeprefix("keycrm_") in ("paid", "to_collect")
            }
            for name, found, other in (("paid", paid, part), ("to_collect", part, paid)):
                records = self.env[model].search(domains[name])
                self.assertIn(of(found), records)
                self.assertNotIn(of(other), records)

    def test_the_transactions_number_and_method_are_on_the_payment(self):
        method = self.env["keycrm.payment.method"].search(
            [("account_id", "=", self.account.id)], limit=1
        )
        order = self.make(
            {
                "transaction_uuid": "T-9",
                "payment_method_id": method.keycrm_id,
                "payment_date": "2026-08-01T10:00:00Z",
            }
        )
        self.assertRecordValues(
            order.keycrm_payment_ids,
            [
                {
                    "transaction_uuid": "T-9",
                    "method_id": method.id,
                    "date": datetime(2026, 8, 1, 10),
                    "amount": 200,
                }
            ],
        )

    def test_payment_refused_by_accounting_does_not_stop_the_order(self):
        journal = self.journal.copy({"name": "Зламаний", "code": "ZLM"})
        journal.inbound_payment_method_line_ids.unlink()
        self.account.payment_journal_id = journal
        order = self.make({})
        self.assertTrue(order)
        self.assertTrue(order.keycrm_payment_ids.problem)

    def test_missing_chart_of_accounts_is_shown_on_the_payment(self):
        bare = self.env["res.company"].create({"name": "Без плану рахунків"})
        self.assertFalse(bare.chart_template)
        env = self.env(context={**self.env.context, "allowed_company_ids": bare.ids})
        account = self.account.with_env(env).copy(
            {"name": "Bare", "company_id": bare.id, "warehouse_id": False}
        )
        account.write({"api_key": self.second_key(), "api_url": self.sandbox.api_url})
        account.write({"enabled": True, "import_payments": True})
        account.action_refresh_statuses()
        account.payment_journal_id = env["account.journal"].create(
            {"name": "Готівка", "type": "cash", "code": "GTV", "company_id": bare.id}
        )
        number = self.new_order(payments=[{"amount": 200, "status": "paid"}])
        (outcome,) = OrderWriter(account).import_orders([self.read_order(number)]).values()
        self.assertFalse(outcome.code, outcome.params)
        payment = env["sale.order"].browse(outcome.order_id).keycrm_payment_ids
        self.assertEqual((payment.amount, payment.status), (200, "paid"))
        self.assertFalse(payment.payment_id)
        english = payment.with_context(lang="en_US")
        self.assertIn("“Без плану рахунків” has no chart of accounts", english.problem)

    def test_bank_description_reaches_earlier_and_later_payments(self):
        self.keycrm.create_transaction(uuid="T-77", amount=200, description="Оплата за кухоль")
        before = self.make({"transaction_uuid": "T-77"})
        self.read_a_page()
        self.assertEqual(before.keycrm_payment_ids.bank_description, "Оплата за кухоль")
        after = self.make({"transaction_uuid": "T-77"})
        self.assertEqual(after.keycrm_payment_ids.bank_description, "Оплата за кухоль")

    def transactions(self, prefix):
        return self.env["keycrm.transaction"].search([("uuid", "=like", f"{prefix}%")])

    def read_a_page(self):
        """:return: whether there may be more bank transactions"""
        with self.committing(), open_client(self.account) as client:
            return BankTransactions(self.account, client).process()

    def test_bank_transactions_are_read_in_pages_without_a_gap(self):
        for number in range(120):
            self.keycrm.create_transaction(uuid=f"MANY-{number}", amount=1)
        self.keycrm.clear_log()
        self.assertTrue(self.read_a_page())
        self.assertEqual(len(self.keycrm.requests(path="*/external-transactions")), 1)
        # A long pause, in which the rest moves to later pages and what was read is attached.
        for number in range(60):
            self.keycrm.create_transaction(uuid=f"LATER-{number}", amount=1)
        self.transactions("MANY-").is_attached = True
        while self.read_a_page():
            pass
        self.assertEqual(len(self.transactions("MANY-")), 120)
        self.assertFalse(self.read_a_page(), "not at once again")

    def test_reading_ends_at_known_bank_transactions(self):
        for number in range(120):
            self.keycrm.create_transaction(uuid=f"KNOWN-{number}", amount=1)
        while self.read_a_page():
            pass
        known = self.transactions("")
        known.is_attached = True
        self.env.flush_all()
        self.env.cr.execute("UPDATE keycrm_transaction SET create_date = '2020-01-01'")
        known.invalidate_recordset()
        self.keycrm.create_transaction(uuid="NEW-1", amount=1)
        self.cursor("transactions").read_until = False
        self.keycrm.clear_log()
        while self.read_a_page():
            pass
        self.assertEqual(len(self.transactions("NEW-")), 1)
        self.assertEqual(len(self.keycrm.requests(path="*/external-transactions")), 2)

    def test_unattached_bank_transactions_are_listed(self):
        self.keycrm.create_transaction(uuid="T-88", amount=55, description="Хтось заплатив")
        self.read_a_page()
        lost = self.env["keycrm.transaction"].search([("is_attached", "=", False)])
        self.assertIn("Хтось заплатив", lost.mapped("description"))

    def test_bank_transaction_attached_later_leaves_the_list(self):
        """Newer transactions are attached, so the list of the bank is not read as far as the old one."""
        self.keycrm.create_transaction(uuid="T-OLD", amount=200, description="Давно")
        with self.committing(), open_client(self.account) as client:
            BankTransactions(self.account, client).process()
        old = self.env["keycrm.transaction"].search([("uuid", "=", "T-OLD")])
        self.assertFalse(old.is_attached)
        self.make({"transaction_uuid": "T-OLD"})
        self.assertTrue(old.is_attached)
