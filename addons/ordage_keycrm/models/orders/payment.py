from odoo import api, fields, models
from odoo.fields import Domain

from ...services.concurrency import CONCURRENCY_ERRORS

#: Why a payment does not count: no rate to the order's currency was entered, or Odoo lacks its currency.
_CURRENCY_PROBLEMS = ("payment_rate_missing", "payment_currency_unknown")


class KeycrmPayment(models.Model):
    """A payment of a KeyCRM order, as KeyCRM has it, and what accounting has of it.

    Unpaid ones are kept as expected: cash on delivery. With a journal set, a paid one becomes a posted
    ``account.payment``; whatever accounting refuses is said on the record and never keeps the order from
    arriving.
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
    # A bank transaction names no order; it finds its payments by this.
    transaction_uuid = fields.Char(string="Bank transaction", index="btree_not_null")
    description = fields.Char()
    bank_description = fields.Char(string="Payment description")
    payment_id = fields.Many2one(
        "account.payment", string="Payment in accounting", ondelete="set null", copy=False
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

    # === COMPUTE METHODS ===#

    @api.depends("problem_code", "problem_params")
    @api.depends_context("lang")
    def _compute_problem(self):
        self.env["keycrm.error.message"]._compute_sentences(self, "problem", "problem")

    # === BUSINESS METHODS ===#

    def _write_changed(self, vals):
        """Write only what differs."""
        self.ensure_one()
        changed = {
            name: value
            for name, value in vals.items()
            if self._fields[name].convert_to_write(self[name], self) != value
        }
        if changed:
            self.write(changed)

    def _move_to(self, order):
        """KeyCRM merged the payment's order into another one: nobody has to decide on it there any more.

        :param order: ``sale.order`` that has the payment now
        """
        self.ensure_one()
        if self.sale_order_id != order:
            self.sale_order_id._keycrm_unlink_activity(self._refund_summary())

    def _refund_summary(self):
        return self.env._("Refund or keep the money?")

    def _can_be_posted(self):
        """Check that the payment has an amount in its order's currency, where accounting needs one."""
        self.ensure_one()
        if not self.currency_id:
            return False
        return not self._journal() or self._amount_for_order() is not None

    def _amount_for_order(self):
        """:return: the amount in the order's currency; None where Odoo lacks the payment's currency, or
        no rate was entered
        """
        self.ensure_one()
        order, currency = self.sale_order_id, self.currency_id
        if not currency:
            return None
        day = (self.date or order.date_order or fields.Datetime.now()).date()
        return currency._keycrm_convert(self.amount, order.currency_id, order.company_id, day)

    @api.model
    def _waiting_for_rate(self, currencies):
        """:return: payments that need an exchange rate of one of these currencies"""
        return self.sudo().search(
            [
                ("problem_code", "in", ("payment_rate_missing", "no_rate")),
                "|",
                ("currency_id", "in", currencies.ids),
                ("sale_order_id.currency_id", "in", currencies.ids),
            ]
        )

    def _check_currency(self):
        """Say on the payment and its order where Odoo cannot reckon with it, and take that back.

        :return: whether it can
        """
        self.ensure_one()
        amount, counts = self._amount_text(), self._can_be_posted()
        if counts or (self.problem_params or {}).get("amount") != amount:
            self._currency_is_settled()
        if counts:
            return True
        rate, unknown = _CURRENCY_PROBLEMS
        self._write_changed(
            {
                "problem_code": rate if self.currency_id else unknown,
                "problem_params": {"amount": amount, "currency": self.currency_code},
            }
        )
        summary = self._currency_summary(amount)
        self.sale_order_id._keycrm_schedule_activity(summary, [self.problem], lasting=True)
        return False

    def _currency_is_settled(self):
        """Take back what was said of the currency; KeyCRM may have corrected the amount as well."""
        self.ensure_one()
        if self.problem_code not in _CURRENCY_PROBLEMS:
            return
        summary = self._currency_summary(self.problem_params["amount"])
        self.write({"problem_code": False, "problem_params": False})
        self.sale_order_id._keycrm_unlink_activity(summary)

    def _currency_summary(self, amount):
        return self.env._("A payment of %(amount)s is not in accounting", amount=amount)

    def _amount_text(self):
        """:return: the amount as people read it, in whatever currency"""
        if self.currency_id:
            return self.currency_id.format(self.amount)
        return f"{self.amount:.2f} {self.currency_code or ''}".strip()

    def _day(self):
        """:return: the day of the payment where the company is: at night UTC has another one"""
        self.ensure_one()
        account = self.account_id
        zone = account.company_id.partner_id.tz or account._activity_user(self.env["res.users"]).tz
        moment = self.date or fields.Datetime.now()
        return fields.Datetime.context_timestamp(self.with_context(tz=zone or "UTC"), moment).date()

    def _journal(self):
        """Return the journal: that of the payment method, else the account's."""
        self.ensure_one()
        return self.method_id.journal_id or self.account_id.payment_journal_id

    def _settle(self):
        """Bring accounting in step: post what was paid, take back what was cancelled singly.

        An order's cancellation cancels all its payments in KeyCRM, also money that the shop keeps: then
        nothing is taken back, and a to-do asks.
        """
        for payment in self:
            payment._check_status()
            if payment.status == "unknown":
                continue
            if payment.status in ("canceled", "removed"):
                payment._currency_is_settled()
            elif not payment._check_currency():
                continue
            if payment.status == "paid":
                if payment.kept_on_cancel:
                    payment.kept_on_cancel = False
                if payment.payment_id:
                    payment._compare_posted()
                elif payment.amount > 0:
                    payment._post()
            elif (
                payment.status in ("canceled", "removed")
                and payment.payment_id
                and not payment.kept_on_cancel
            ):
                payment._take_back()

    def _check_status(self):
        """Show on the payment that KeyCRM has a status of which nobody knows the meaning."""
        self.ensure_one()
        code = "payment_status_unknown"
        if self.status == "unknown":
            params = {"amount": self._amount_text(), "status": self.status_in_keycrm or "?"}
            self._write_changed({"problem_code": code, "problem_params": params})
            if self.payment_id:
                summary = self.env._("Check a payment that is in accounting")
                self.sale_order_id._keycrm_schedule_activity(summary, [self.problem], lasting=True)
        elif self.problem_code == code:
            self.write({"problem_code": False, "problem_params": False})
            summary = self.env._("Check a payment that is in accounting")
            self.sale_order_id._keycrm_unlink_activity(summary)

    def _post(self):
        """Make and post the payment of the customer, and reconcile it with the order's invoice."""
        self.ensure_one()
        journal = self._journal()
        if not journal:
            return
        if not self._has_receivable_account(journal.company_id):
            company = journal.company_id.name
            self.write({"problem_code": "no_chart", "problem_params": {"company": company}})
            return
        if not self.currency_id._keycrm_has_rate(journal.company_id):
            # Odoo would post hryvnias one to one as dollars.
            currency = self.currency_id.name
            self.write({"problem_code": "no_rate", "problem_params": {"currency": currency}})
            return

        def post(payment):
            payment.payment_id = payment._create_account_payment(journal)
            payment._reconcile()

        self._in_accounting(post)

    def _in_accounting(self, work):
        """Let accounting do something; what it refuses is noted in its own words and stops no order.

        :param work: called with this payment, in the language of the company
        """
        lang = self.account_id.company_id.partner_id.lang or self.env.lang
        refusal = False
        try:
            with self.env.cr.savepoint():
                work(self.with_context(lang=lang))
        except CONCURRENCY_ERRORS:
            raise
        except Exception as error:
            refusal = str(error.args[0] if error.args else error)[:500]
        self.write(
            {
                "problem_code": "accounting_refused" if refusal else False,
                "problem_params": {"reason": refusal} if refusal else False,
            }
        )

    def _has_receivable_account(self, company):
        """Return whether the company has a chart of accounts that customers' money can go to."""
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

    def _meet_invoices(self):
        """Match payments that are in accounting with invoices of their orders that were posted since."""
        for payment in self:
            if payment.status == "paid" and payment.payment_id:
                payment._in_accounting(lambda payment: payment._reconcile())

    def _reconcile(self):
        """Match the payment with what the order's posted invoices still ask for."""
        receivable = self.payment_id.move_id.line_ids.filtered(
            lambda line: line.account_id.account_type == "asset_receivable" and not line.reconciled
        )
        owed = self.sale_order_id.invoice_ids.filtered(
            lambda move: move.state == "posted" and move.move_type == "out_invoice"
        ).line_ids.filtered(
            lambda line: line.account_id in receivable.account_id and not line.reconciled
        )
        if receivable and owed:
            (receivable | owed).reconcile()

    def _compare_posted(self):
        """Tell a person where KeyCRM changed an amount that is in accounting already."""
        self.ensure_one()
        posted = self.payment_id
        if posted.currency_id == self.currency_id and not self.currency_id.compare_amounts(
            posted.amount, self.amount
        ):
            return
        self.sale_order_id._keycrm_schedule_activity(
            self.env._("KeyCRM changed a payment that is in accounting"),
            [
                self.env._(
                    "It is %(now)s in KeyCRM and was posted as %(posted)s: correct it in accounting.",
                    now=self._amount_text(),
                    posted=posted.currency_id.format(posted.amount),
                )
            ],
            lasting=True,
        )

    def _take_back(self):
        """A payment that KeyCRM canceled or removed by itself is canceled in accounting too."""
        self.ensure_one()
        order = self.sale_order_id
        if order.keycrm_status_id.order_action == "cancel" or order.keycrm_status_id.group == "6":
            # Also once the order is revived: it was the order that was cancelled, not the payment.
            self.kept_on_cancel = True
            order._keycrm_schedule_activity(
                self._refund_summary(),
                [
                    self.env._(
                        "KeyCRM canceled the order and its payment of %(amount)s. The payment "
                        "stays in accounting until you decide.",
                        amount=self._amount_text(),
                    )
                ],
            )
            return

        def take_back(payment):
            payment.payment_id.action_draft()
            payment.payment_id.action_cancel()
            payment.payment_id = False

        self._in_accounting(take_back)
