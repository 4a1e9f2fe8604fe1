from odoo import api, models

from ....keycrm import order_totals
from ....services.account.currency import AccountCurrency
from ....services.common.values import by_keycrm_id

#: Statuses of KeyCRM's payments (confirmed).
KNOWN_STATUSES = ("paid", "not_paid", "canceled")


class KeycrmOrderImporter(models.AbstractModel):
    """Import the payments of the orders, each once."""

    _inherit = "keycrm.order.importer"

    @api.model
    def _import_payments(self, batch):
        """Create and update the payments of the orders."""
        account = batch.account
        if not account.import_payments:
            return
        wanted = {
            payment.id: (order, payment) for order in batch.orders for payment in order.payments
        }
        Payment = self.env["keycrm.payment"]
        there = Payment.search(
            [
                ("account_id", "=", account.id),
                "|",
                ("keycrm_id", "in", list(wanted)),
                ("sale_order_id", "in", [record.id for record in batch.known.values()]),
            ]
        )
        known = {payment.keycrm_id: payment for payment in there if payment.keycrm_id in wanted}
        removed = self._removed_payments(batch, there - Payment.union(*known.values()))
        methods = by_keycrm_id(
            self.env["keycrm.payment.method"].search([("account_id", "=", account.id)])
        )
        transactions = self._transactions(account, [payment for _order, payment in wanted.values()])
        # The bank's list is read newest first and not to its end: older ones are attached here.
        transactions.filtered(lambda row: not row.is_attached).is_attached = True
        texts = {row.uuid: row.description for row in transactions if row.description}
        new = []
        for number, (order, payment) in wanted.items():
            record = batch.record(order)
            method = methods.get(payment.payment_method_id)
            vals = {
                "sale_order_id": record.id,
                "amount": float(payment.amount),
                **self._currency_vals(account, record, payment),
                # A payment with an unknown status is not expected.
                "status": payment.status if payment.status in KNOWN_STATUSES else "unknown",
                "status_in_keycrm": payment.status or False,
                "date": payment.date or False,
                "method_id": method.id if method else False,
                "transaction_uuid": payment.transaction_uuid or False,
            }
            if payment.description:
                vals["description"] = payment.description
            if payment.transaction_uuid in texts:
                vals["bank_description"] = texts[payment.transaction_uuid]
            if number in known:
                known[number]._move_to(record)
                known[number]._write_changed(vals)
            else:
                vals["was_expected"] = payment.status == "not_paid"
                new.append({"account_id": account.id, "keycrm_id": number, **vals})
        created = Payment.create(new)
        removed.filtered(lambda payment: payment.status != "removed").status = "removed"
        (created | removed | Payment.union(*known.values()))._synchronize()

    @api.model
    def _removed_payments(self, batch, missing):
        """Choose the payments that KeyCRM removed from their orders.

        Only where the others add up to KeyCRM's own sum: an incomplete answer cancels no payment.

        :param missing: ``keycrm.payment`` records of the batch's orders that no order contains anymore
        """
        trusted = {
            batch.known[order.id].id
            for order in batch.orders
            if order.id in batch.known and order_totals.payments_add_up(order)
        }
        return missing.filtered(lambda payment: payment.sale_order_id.id in trusted)

    @api.model
    def _currency_vals(self, account, record, payment):
        """Return the currency of a payment, else of its order; empty where Odoo lacks it."""
        code = payment.currency_code
        currency = AccountCurrency(account).find(code) if code else record.currency_id
        return {"currency_id": currency.id, "currency_code": code or currency.name}

    @api.model
    def _transactions(self, account, payments):
        """Return the known bank transactions to which these payments refer."""
        Transaction = self.env["keycrm.transaction"]
        uuids = [payment.transaction_uuid for payment in payments if payment.transaction_uuid]
        if not uuids:
            return Transaction
        return Transaction.search([("account_id", "=", account.id), ("uuid", "in", uuids)])
