from odoo.tools import format_date

from ...keycrm.catalog import PaymentMethod
from ...keycrm.client import Page
from ...keycrm.order_update_rules import PaymentUpdate
from ...keycrm.parsing import parsed_rows
from ..common import crons
from ..common.reference_lists import ReferenceLists
from ..common.service import Service


class PaymentKind(Service):
    """Read KeyCRM's payment methods, and preview and enqueue received money.

    ``order_update_sender`` sends it.
    """

    def read_page(self, number):
        """Read KeyCRM's payment methods.

        :param number: not used: the list is short
        :return: :class:`~.keycrm.client.Page`
        """
        rows = [row for page in self.client.pages("/order/payment-method") for row in page.rows]
        return Page(rows, number, len(rows), number, has_next=False)

    def record_page(self, page):
        """Upsert the payment methods.

        :param page: of :meth:`read_page`
        """
        methods = parsed_rows(PaymentMethod.parse, page.rows)
        self.service(ReferenceLists).store(
            "keycrm.payment.method", {one.id: {"name": one.name} for one in methods}
        )

    def records(self, domain=(), limit=None):
        """Return the open orders that have invoices.

        :param domain: which ones
        :param limit: their number at most
        """
        return (
            self.env["sale.order"]
            .sudo()
            .search(
                [
                    *domain,
                    ("keycrm_account_id", "=", self.account.id),
                    ("keycrm_archived", "=", False),
                    ("invoice_ids", "!=", False),
                ],
                order="id",
                limit=limit,
            )
        )

    def differences(self, orders, lang):
        """Compare the money that invoices of open orders received with the orders as last imported.

        :param orders: of :meth:`records`
        :param lang: language of amounts and days
        :return: iterator over values of ``keycrm.send.preview.line``
        """
        updates = self.env["keycrm.order.update"]
        for order, partial in self._received(orders):
            plan = updates._payment_plan(order, partial)
            decision = plan.decide(self._known(order))
            is_same = decision.code in ("payment_exists", "payment_exceeds")
            is_problem = bool(decision.code) and not is_same
            currency = order.currency_id.with_context(lang=lang)
            text = currency.format(partial.debit_amount_currency)
            if isinstance(plan, PaymentUpdate):
                day = format_date(self.env, plan.day, lang_code=lang)
                text = f"{text}, {day}, {plan.journal}"
            yield {
                "sale_order_id": order.id,
                "keycrm_value": currency.format(order.keycrm_amount_paid),
                "odoo_value": text,
                "outcome": "same" if is_same else "problem" if is_problem else "change",
                "error_code": is_problem and decision.code,
                "error_params": is_problem and decision.params,
            }

    def enqueue_all(self):
        """Enqueue what the preview compared and KeyCRM does not have."""
        updates, ids = self.env["keycrm.order.update"].sudo(), []
        for order, partial in self._received(self.records()):
            decision = updates._payment_plan(order, partial).decide(self._known(order))
            if decision.code not in ("payment_exists", "payment_exceeds"):
                ids.append(partial.id)
        self.env.flush_all()
        if ids:
            self.env.cr.execute(updates._payments_statement(ids))
            crons.trigger(self.account, crons.ORDERS)

    def _received(self, orders):
        """Return the money that invoices of open orders received and no update holds yet.

        :param orders: ``sale.order``
        :return: list of (``sale.order``, ``account.partial.reconcile``)
        """
        updates = self.env["keycrm.order.update"].sudo()
        sent = updates.search([("sale_order_id", "in", orders.ids), ("kind", "=", "payment")])
        known = sent.partial_id | self._reported(orders)
        return [
            (order, partial)
            for order in orders
            for partial in order.invoice_ids.filtered(
                lambda move: move.move_type == "out_invoice" and move.state == "posted"
            ).line_ids.matched_credit_ids
            - known
            if partial.credit_move_id.payment_id or partial.credit_move_id.statement_line_id
        ]

    def _reported(self, orders):
        """Return the reconciliations of payments that KeyCRM itself reported."""
        payments = orders.keycrm_payment_ids.payment_id
        return payments.move_id.line_ids.matched_debit_ids

    @staticmethod
    def _known(order):
        """Return the order as KeyCRM had it at the last import."""
        return {
            "status_group_id": order.keycrm_status_id.group,
            "payments_total": order.keycrm_amount_paid,
            "grand_total": order.keycrm_total,
            "payments": [
                {
                    "id": payment.keycrm_id,
                    "status": payment.status,
                    "amount": payment.amount,
                    # Without a rate of Odoo's own, the worker compares KeyCRM's amounts.
                    "actual_amount": payment._amount_for_order() or 0,
                    "source_currency": payment.currency_code,
                    "actual_currency": order.currency_id.name,
                    "payment_date": payment.date and payment.date.isoformat(),
                    "description": payment.description,
                }
                for payment in order.keycrm_payment_ids
            ],
        }
