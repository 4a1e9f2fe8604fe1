from odoo.tools import SQL, format_date

from ...keycrm.catalog import PaymentMethod
from ...keycrm.client import Page
from ...keycrm.offer_values import to_money
from ...keycrm.order_update_rules import PaymentUpdate, Unclear, Undone
from ...keycrm.parsing import parsed_rows
from ..common import crons
from ..common.language import company_language
from ..common.list_pages import ListPages
from ..common.reference_lists import ReferenceLists
from ..orders.open_orders import open_orders_domain
from .kind import OrderKind, PreviewedKind


class PaymentKind(OrderKind, PreviewedKind):
    """The money that Odoo reconciles with the invoices of orders."""

    name = "payment"
    label = "Payments"
    switch = "send_payments"
    is_combined = False

    def read_page(self, number):
        """Read KeyCRM's payment methods: the list is short."""
        rows, _is_complete = self.service(ListPages).short_list("/order/payment-method")
        return Page(rows, number, len(rows), number, has_next=False)

    def record_page(self, page):
        methods = parsed_rows(PaymentMethod.parse, page.rows)
        self.service(ReferenceLists).store(
            "keycrm.payment.method", {one.id: {"name": one.name} for one in methods}
        )

    def records(self, domain=(), limit=None):
        """Return the open orders that have invoices."""
        own = [*open_orders_domain(self.account, groups=None), ("invoice_ids", "!=", False)]
        return self.env["sale.order"].sudo().search([*domain, *own], order="id", limit=limit)

    def differences(self, orders, lang):
        """Compare the money that invoices of open orders received with the orders as last imported."""
        for order, partial in self._received(orders):
            plan = self._plan_of(order, partial)
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
        updates, ids = self.env["keycrm.order.update"], []
        for order, partial in self._received(self.records()):
            decision = self._plan_of(order, partial).decide(self._known(order))
            if decision.code not in ("payment_exists", "payment_exceeds"):
                ids.append(partial.id)
        self.env.flush_all()
        if ids:
            self.env.cr.execute(updates._insert_statement(self.name, ids))
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

    @staticmethod
    def changed_orders(ids):
        """Return the query for the orders of reconciliations, without credit notes.

        Nor is it what KeyCRM itself reported.
        """
        return SQL(
            """SELECT o.*, p.id AS partial_id
                 FROM account_partial_reconcile p
                 JOIN account_move_line d ON d.id = p.debit_move_id
                 JOIN account_move i ON i.id = d.move_id AND i.move_type = 'out_invoice'
                 JOIN account_move_line c ON c.id = p.credit_move_id
                 JOIN account_move_line l ON l.move_id = i.id
                 JOIN sale_order_line_invoice_rel r ON r.invoice_line_id = l.id
                 JOIN sale_order_line s ON s.id = r.order_line_id
                 JOIN sale_order o ON o.id = s.order_id
                WHERE p.id = ANY(%s)
                  AND (c.payment_id IS NOT NULL OR c.statement_line_id IS NOT NULL)
                  AND NOT EXISTS (SELECT FROM keycrm_payment k
                                   WHERE c.payment_id IS NOT NULL AND k.payment_id = c.payment_id)""",
            ids,
        )

    def plan(self, update):
        return self._plan_of(
            update.sale_order_id, update.partial_id, number=update.id, is_forced=update.is_forced
        )

    def _plan_of(self, order, partial, *, number=0, is_forced=False):
        """Return the money to add to an order; its reconciliation may have been undone meanwhile.

        :param order: ``sale.order``, one
        :param partial: ``account.partial.reconcile`` with an invoice of the order
        :param number: id of the update
        :param is_forced: whether a user decided to send it
        """
        partial, order = partial.sudo(), order.sudo()
        invoice, counterpart = partial.debit_move_id.move_id, partial.credit_move_id
        if not partial:
            return Undone()
        orders = invoice.line_ids.sale_line_ids.order_id
        if orders != order or invoice.currency_id != order.currency_id:
            return Unclear("payment_unclear", invoice.name)
        methods = self.env["keycrm.payment.method"].sudo()
        own = methods.search([("account_id", "=", self.account.id)])
        journal = counterpart.journal_id
        method = own.filtered(lambda one: journal in one.sent_journal_ids)
        method = method or own.filtered(lambda one: one.journal_id == journal)
        of_order = [("sale_order_id", "=", order.id), ("kind", "=", self.name)]
        sent = (
            self.env["keycrm.order.update"].sudo().search([*of_order, ("partial_id", "!=", False)])
        )
        return PaymentUpdate(
            amount=to_money(partial.debit_amount_currency),
            day=counterpart.date,
            method_id=method.keycrm_id if len(method) == 1 else None,
            journal=journal.with_context(lang=company_language(order.company_id)).name,
            number=number,
            memo=counterpart.move_id.name or "",
            is_forced=is_forced,
            currency=order.currency_id.name,
            others=frozenset(sent.ids) - {number},
        )

    def summary(self, order_name):
        return self.env._("Could not send a payment of order %s to KeyCRM", order_name)
