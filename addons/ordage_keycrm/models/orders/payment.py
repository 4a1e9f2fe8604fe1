from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import float_compare

from ...keycrm.order_update_rules import odoo_number
from ...services.common import activities
from ...services.common.bridge import as_bridge
from ...services.common.concurrency import ERRORS_OF_NO_RECORD
from ...services.common.language import company_language
from ...services.common.values import changed_values

#: Problems of a payment that is not counted: no rate to the order's currency, or an unknown currency.
_CURRENCY_PROBLEMS = ("payment_rate_missing", "payment_currency_unknown")
#: Problems of a payment that accounting refuses.
_REFUSALS = ("no_chart", "no_rate", "accounting_refused")


class KeycrmPayment(models.Model):
    """A payment of a KeyCRM order, and its payment in accounting.

    Unpaid ones are expected payments: cash on delivery. Where a journal is set, a paid one becomes a posted
    ``account.payment``. What accounting refuses is displayed on the record and never fails the import.
    """

    _name = "keycrm.payment"
    _inherit = "keycrm.account.mixin"
    _description = "KeyCRM payment"
    _order = "date desc, id desc"
    _rec_name = "keycrm_id"

    # === FIELDS ===#

    keycrm_id = fields.Integer(string="KeyCRM number", required=True)
    # Indexed for the order's list of its payments.
    sale_order_id = fields.Many2one(
        "sale.order", string="Sales order", required=True, ondelete="cascade", index=True
    )
    partner_id = fields.Many2one(related="sale_order_id.partner_id")
    amount = fields.Monetary()
    currency_id = fields.Many2one("res.currency", help="Empty if Odoo does not have this currency.")
    currency_code = fields.Char(string="Currency in KeyCRM")
    status = fields.Selection(
        [
            ("paid", "Paid"),
            ("not_paid", "Expected"),
            ("canceled", "Canceled"),
            ("removed", "Removed"),
            ("unknown", "Unknown"),
        ],
        required=True,
        help="Removed: KeyCRM no longer has the payment. Unknown: KeyCRM has a status that Odoo does not "
        "know; the payment is neither posted nor expected.",
    )
    status_in_keycrm = fields.Char(string="Status in KeyCRM")
    date = fields.Datetime()
    method_id = fields.Many2one(
        "keycrm.payment.method", string="Payment method", ondelete="set null"
    )
    # A bank transaction refers to no order; its payments are searched by this.
    transaction_uuid = fields.Char(string="Bank transaction", index="btree_not_null")
    description = fields.Char()
    bank_description = fields.Char(string="Payment description")
    payment_id = fields.Many2one(
        "account.payment", string="Payment in accounting", ondelete="set null", copy=False
    )
    was_posted = fields.Boolean(
        string="Posted once",
        copy=False,
        readonly=True,
        help="The payment in accounting is posted once: where a user deletes it, it is not posted again.",
    )
    was_expected = fields.Boolean(
        string="Expected at first",
        copy=False,
        readonly=True,
        help="The first import received it as not paid: its money came later, whatever its date is.",
    )
    from_odoo = fields.Boolean(
        string="Sent by Odoo",
        copy=False,
        readonly=True,
        help="Odoo received the money itself: it is in accounting already.",
    )
    kept_on_cancel = fields.Boolean(
        string="Kept on cancellation",
        copy=False,
        readonly=True,
        help="KeyCRM canceled the payment together with its order: a user decides whether to "
        "refund the money.",
    )
    problem_code = fields.Char(string="Problem code", readonly=True, copy=False)
    problem_params = fields.Json(string="Problem parameters", readonly=True, copy=False)
    problem = fields.Char(string="Reason not in accounting", compute="_compute_problem")

    _account_keycrm_id_unique = models.Constraint(
        "UNIQUE(account_id, keycrm_id)", "This KeyCRM payment already exists."
    )
    # After each problem that is solved, others of the account are searched.
    _problem_index = models.Index("(account_id, problem_code) WHERE problem_code IS NOT NULL")

    # === COMPUTE METHODS ===#

    @api.depends("problem_code", "problem_params")
    @api.depends_context("lang")
    def _compute_problem(self):
        self.env["keycrm.error.message"]._compute_sentences(self, "problem", "problem")

    # === ACTION METHODS ===#

    def action_post_again(self):
        """Post payments again that a user deleted from accounting.

        :return: True
        :raise UserError: when the account has no journal for them
        """
        self.env["account.payment"].check_access("create")
        self.check_access("read")
        for payment in self.filtered(lambda one: one.was_posted and not one.sudo().payment_id):
            lang = company_language(payment.account_id.sudo().company_id)
            payment = as_bridge(payment.with_context(lang=lang))
            if not payment._journal():
                raise UserError(self.env._("Choose a payment journal in the KeyCRM account first."))
            payment._forget_posted()
            payment.with_company(payment.company_id)._synchronize()
        return True

    # === BUSINESS METHODS ===#

    def _write_changed(self, vals):
        """Write the values that differ.

        :param vals: values
        """
        self.ensure_one()
        changed = changed_values(self, vals)
        if changed:
            self.write(changed)

    def _move_to(self, order):
        """Remove the activities of the former order when KeyCRM merged it into another one.

        :param order: ``sale.order`` that has the payment now
        """
        self.ensure_one()
        if self.sale_order_id != order:
            names = ("refund", "deleted", "currency", "status", "changed")
            self.sale_order_id._keycrm_unlink_activity(*map(self._activity_code, names))

    def _activity_code(self, name):
        """Return the code of an activity about this payment of the order."""
        return f"payment_{name}:{self.keycrm_id}"

    def _schedule_problem(self, name, summary):
        """Schedule an activity about the problem of the payment."""
        self.sale_order_id._keycrm_schedule_activity(
            self._activity_code(name),
            summary,
            [self.problem],
            facts=[self.problem_code, self.amount, self.currency_code],
            lasting=True,
        )

    def _can_be_posted(self):
        """Check that the payment has an amount in its order's currency, where accounting needs one."""
        self.ensure_one()
        if not self.currency_id:
            return False
        return not self._journal() or self._amount_for_order() is not None

    def _amount_for_order(self):
        """Return the amount in the order's currency.

        :return: None where Odoo lacks the payment's currency, or no rate was entered
        """
        self.ensure_one()
        order, currency = self.sale_order_id, self.currency_id
        if not currency:
            return None
        day = (self.date or order.date_order or fields.Datetime.now()).date()
        return currency._keycrm_convert(self.amount, order.currency_id, order.company_id, day)

    @api.model
    def _waiting_for_rate(self, currencies):
        """Return payments that need an exchange rate of one of these currencies.

        :param currencies: ``res.currency``
        """
        return self.sudo().search(
            [
                ("problem_code", "in", ("payment_rate_missing", "no_rate")),
                "|",
                ("currency_id", "in", currencies.ids),
                ("sale_order_id.currency_id", "in", currencies.ids),
            ]
        )

    def _check_currency(self):
        """Check the currency; display a problem until it is solved.

        :return: whether the payment can be counted
        """
        self.ensure_one()
        if self._can_be_posted():
            self._clear_currency_problem()
            return True
        amount = self._amount_text()
        rate, unknown = _CURRENCY_PROBLEMS
        self._write_changed(
            {
                "problem_code": rate if self.currency_id else unknown,
                "problem_params": {"amount": amount, "currency": self.currency_code},
            }
        )
        self._schedule_problem(
            "currency",
            self.env._("A payment of %(amount)s is not in accounting", amount=amount),
        )
        return False

    def _clear_currency_problem(self):
        """Clear a problem of the currency, and remove its activity."""
        self.ensure_one()
        if self.problem_code not in _CURRENCY_PROBLEMS:
            return
        self.write({"problem_code": False, "problem_params": False})
        self.sale_order_id._keycrm_unlink_activity(self._activity_code("currency"))

    def _amount_text(self):
        """Return the readable amount, also in a currency that Odoo lacks."""
        if self.currency_id:
            return self.currency_id.format(self.amount)
        return f"{self.amount:.2f} {self.currency_code or ''}".strip()

    def _day(self):
        """Return the day of the payment in the company's time zone."""
        self.ensure_one()
        moment = self.date or fields.Datetime.now()
        local = self.with_context(tz=self.account_id._time_zone())
        return fields.Datetime.context_timestamp(local, moment).date()

    def _journal(self):
        """Return the journal: that of the payment method, else the account's.

        Empty for money that was received before the integration, as its order is never invoiced.
        """
        self.ensure_one()
        if self._is_before_integration():
            return self.env["account.journal"]
        return self.method_id.journal_id or self.account_id.payment_journal_id

    def _is_before_integration(self):
        """Return whether an order that was shipped before the integration was paid before it too."""
        self.ensure_one()
        if not self.sale_order_id.keycrm_skip_delivery:
            return False
        start = self.account_id.enabled_since
        if not start:
            return True
        return not self.was_expected and bool(self.date) and self.date < start

    def _synchronize(self):
        """Post paid payments, and cancel those that KeyCRM no longer counts as paid.

        An order's cancellation cancels all its payments in KeyCRM, also money that the shop keeps: then
        nothing is canceled in accounting, and an activity is scheduled.
        """
        for payment in self:
            payment._check_status()
            if payment.status == "unknown":
                continue
            if payment.status in ("canceled", "removed"):
                payment._clear_currency_problem()
            elif not payment._check_currency():
                continue
            if payment.status == "paid":
                payment._synchronize_paid()
            elif not payment.payment_id:
                payment._forget_posted()
                payment._record_refusal(False)
            elif not payment.kept_on_cancel:
                payment._cancel_posted()

    def _synchronize_paid(self):
        """Post a paid payment, unless it was posted before or came from Odoo."""
        self.ensure_one()
        if self.kept_on_cancel:
            self.kept_on_cancel = False
        if self.payment_id:
            self._compare_posted()
            if self.problem_code in _REFUSALS:
                self._run_in_accounting(lambda payment: payment._reconcile())
        elif self.was_posted:
            self._report_deleted()
        elif self.amount > 0 and not self._is_from_odoo():
            self._post()

    def _is_from_odoo(self):
        """Return whether Odoo itself sent the payment, maybe to an order that KeyCRM merged since.

        Stored, because the update is deleted with its order.
        """
        self.ensure_one()
        number = not self.from_odoo and odoo_number(self.description or "")
        if number:
            updates = self.env["keycrm.order.update"].sudo()
            self.from_odoo = bool(
                updates.search_count(
                    [
                        ("id", "=", number),
                        ("kind", "=", "payment"),
                        ("account_id", "=", self.account_id.id),
                    ]
                )
            )
        return self.from_odoo

    def _check_status(self):
        """Display on the payment that its status in KeyCRM is unknown."""
        self.ensure_one()
        code = "payment_status_unknown"
        if self.status == "unknown":
            params = {"amount": self._amount_text(), "status": self.status_in_keycrm or "?"}
            self._write_changed({"problem_code": code, "problem_params": params})
            if self.payment_id:
                self._schedule_problem(
                    "status", self.env._("Check a payment that is in accounting")
                )
        elif self.problem_code == code:
            self.write({"problem_code": False, "problem_params": False})
            self.sale_order_id._keycrm_unlink_activity(self._activity_code("status"))

    def _post(self):
        """Post the customer's payment, and reconcile it with the invoice."""
        self.ensure_one()
        journal = self._journal()
        if not journal:
            self._record_refusal(False)
            return
        if not self._has_receivable_account(journal.company_id):
            self._record_refusal("no_chart", company=journal.company_id.name)
            return
        if not self.currency_id._keycrm_has_rate(journal.company_id):
            # Odoo would post with a rate of 1.
            self._record_refusal("no_rate", currency=self.currency_id.name)
            return

        def post(payment):
            payment.payment_id = payment._create_account_payment(journal)
            payment.was_posted = True
            payment._reconcile()

        self._run_in_accounting(post)

    def _run_in_accounting(self, work):
        """Run work in accounting; store a refusal instead of failing the import.

        :param work: called with this payment, in the language of the company
        """
        lang = company_language(self.account_id.company_id)
        refusal = False
        try:
            with self.env.cr.savepoint():
                work(self.with_context(lang=lang))
        except ERRORS_OF_NO_RECORD:
            raise
        except Exception as error:
            refusal = str(error.args[0] if error.args else error)[:500]
        if refusal:
            self._record_refusal("accounting_refused", reason=refusal)
        else:
            self._record_refusal(False)

    def _record_refusal(self, code, **params):
        """Store why accounting refuses the payment; one activity reports all refusals of an account.

        :param code: one of ``_REFUSALS``; False when nothing is refused any more
        :param params: parameters of the code
        """
        was_refused = bool(self.problem_code)
        self._write_changed({"problem_code": code, "problem_params": params or False})
        if was_refused == bool(code):
            return
        payment = self.with_context(lang=company_language(self.account_id.company_id))
        account, name = payment.account_id, "payments_refused"
        if not code:
            refused = [("account_id", "=", account.id), ("problem_code", "in", _REFUSALS)]
            if not payment.search_count(refused, limit=1):
                activities.unlink(account, name)
        elif name not in account.activity_ids.mapped("keycrm_code"):
            summary = payment.env._("Payments of orders are not in accounting")
            rows = [
                f"{payment.sale_order_id.display_name}: {payment.problem}",
                payment.env._(
                    "The filter “Not in accounting” of the payments shows all of them. When the cause is "
                    "fixed, click “Refresh from KeyCRM” on their orders."
                ),
            ]
            activities.schedule(account, account, name, summary, rows)

    def _has_receivable_account(self, company):
        """Return whether the company has a receivable account for customers' payments."""
        Account = self.env["account.account"]
        domain = Domain(Account._check_company_domain(company))
        domain &= Domain("account_type", "=", "asset_receivable")
        return bool(Account.search_count(domain, limit=1))

    def _create_account_payment(self, journal):
        payment = self.env["account.payment"].create(
            {
                "payment_type": "inbound",
                "partner_type": "customer",
                "partner_id": self.partner_id.commercial_partner_id.id,
                "amount": self.amount,
                "currency_id": self.currency_id.id,
                "date": self._day(),
                "journal_id": journal.id,
                "memo": " ".join(
                    filter(
                        None, (self.sale_order_id.name, self.bank_description or self.description)
                    )
                ),
            }
        )
        payment.action_post()
        return payment

    def _reconcile_new_invoices(self):
        """Reconcile posted payments with invoices that were posted since."""
        for payment in self:
            if payment.status == "paid" and payment.payment_id:
                payment._run_in_accounting(lambda payment: payment._reconcile())

    def _reconcile(self):
        """Reconcile the payment, while it is posted, with the open amounts of the order's posted invoices."""
        receivable = self.payment_id.move_id.line_ids.filtered(
            lambda line: (
                line.parent_state == "posted"
                and line.account_id.account_type == "asset_receivable"
                and not line.reconciled
            )
        )
        owed = self.sale_order_id.invoice_ids.filtered(
            lambda move: move.state == "posted" and move.move_type == "out_invoice"
        ).line_ids.filtered(
            lambda line: line.account_id in receivable.account_id and not line.reconciled
        )
        if receivable and owed:
            (receivable | owed).reconcile()

    def _compare_posted(self):
        """Report a change of an amount that is posted in accounting already."""
        self.ensure_one()
        posted, code = self.payment_id, self._activity_code("changed")
        if posted.currency_id == self.currency_id and not self.currency_id.compare_amounts(
            posted.amount, self.amount
        ):
            self.sale_order_id._keycrm_unlink_activity(code)
            return
        self.sale_order_id._keycrm_schedule_activity(
            code,
            self.env._("KeyCRM changed a payment that is in accounting"),
            [
                self.env._(
                    "It is %(now)s in KeyCRM and was posted as %(posted)s: correct it in accounting.",
                    now=self._amount_text(),
                    posted=posted.currency_id.format(posted.amount),
                )
            ],
            facts=[self.amount, self.currency_id.id, posted.amount, posted.currency_id.id],
            lasting=True,
        )

    def _cancel_posted(self):
        """Cancel the posted payment of one that KeyCRM canceled, removed or no longer counts as paid.

        Not where KeyCRM canceled its order.
        """
        self.ensure_one()
        order = self.sale_order_id
        if order.keycrm_status_id.order_action == "cancel" or order.keycrm_status_id.group == "6":
            # Also when the order is reopened: the order was canceled, not the payment.
            self.kept_on_cancel = True
            order._keycrm_schedule_activity(
                self._activity_code("refund"),
                self.env._("Refund or keep the money?"),
                [
                    self.env._(
                        "KeyCRM canceled the order and its payment of %(amount)s. The payment "
                        "stays in accounting until you decide.",
                        amount=self._amount_text(),
                    )
                ],
            )
            return

        def cancel(payment):
            if payment.payment_id.move_id.state != "draft":
                payment.payment_id.action_draft()
            payment.payment_id.action_cancel()
            payment.write({"payment_id": False, "was_posted": False})

        self._run_in_accounting(cancel)

    def _report_deleted(self):
        """Report that a user deleted the payment from accounting: it is not posted again."""
        self.ensure_one()
        params = {"amount": self._amount_text()}
        self._write_changed({"problem_code": "payment_deleted", "problem_params": params})
        self._schedule_problem(
            "deleted",
            self.env._("A payment of %(amount)s was deleted from accounting", **params),
        )

    def _forget_posted(self):
        """Allow posting the payment again after a user deleted it, and remove the report."""
        self.ensure_one()
        if not self.was_posted:
            return
        self.was_posted = False
        if self.problem_code == "payment_deleted":
            self.write({"problem_code": False, "problem_params": False})
        self.sale_order_id._keycrm_unlink_activity(self._activity_code("deleted"))


class KeycrmPaymentMethod(models.Model):
    _name = "keycrm.payment.method"
    _inherit = "keycrm.account.mixin"
    _description = "KeyCRM payment method"
    _order = "account_id, name"
    _check_company_auto = True

    company_id = fields.Many2one(store=True)
    keycrm_id = fields.Integer(string="KeyCRM number", required=True, readonly=True)
    name = fields.Char(required=True, readonly=True)
    journal_id = fields.Many2one(
        "account.journal",
        string="Payment journal",
        ondelete="restrict",
        check_company=True,
        domain="[('type', 'in', ('bank', 'cash'))]",
        help="If empty, the payment journal of the account is used.",
    )
    sent_journal_ids = fields.Many2many(
        "account.journal",
        string="Journals sent with it",
        check_company=True,
        domain="[('type', 'in', ('bank', 'cash', 'credit'))]",
        help="Money that Odoo receives in these journals goes to KeyCRM with this payment method. If "
        "empty, the payment journal decides.",
    )

    _account_keycrm_id_unique = models.Constraint(
        "UNIQUE(account_id, keycrm_id)", "This KeyCRM payment method already exists."
    )


class AccountMove(models.Model):
    _inherit = "account.move"

    # === BUSINESS METHODS ===#

    def _post(self, soft=True):
        """Reconcile invoices of orders that were paid before with the orders' payments."""
        self._keycrm_check_rate()
        posted = super()._post(soft)
        invoices = posted.filtered(lambda move: move.move_type == "out_invoice")
        orders = invoices.sudo().line_ids.sale_line_ids.order_id.filtered("keycrm_id")
        orders.keycrm_payment_ids._reconcile_new_invoices()
        return posted

    def _keycrm_check_rate(self):
        """Refuse to post an imported order's invoice without an exchange rate.

        :raise UserError: when neither a rate of the currency nor one on the invoice was entered
        """
        for move in self.filtered(lambda move: move.is_sale_document(include_receipts=True)):
            is_waiting = any(
                move.sudo().line_ids.sale_line_ids.order_id.mapped("keycrm_rate_missing")
            )
            if (
                is_waiting
                and move.currency_id != move.company_id.currency_id
                and not float_compare(move.invoice_currency_rate, 1.0, precision_digits=6)
            ):
                raise UserError(
                    self.env._(
                        "The invoice is in %(currency)s, and no exchange rate to %(company_currency)s was "
                        "entered. Enter one (Invoicing → Configuration → Accounting → Currencies), then post "
                        "the invoice.",
                        currency=move.currency_id.name,
                        company_currency=move.company_id.currency_id.name,
                    )
                )
