from odoo import api, models


class KeycrmOrderImporter(models.AbstractModel):
    """Payments of the orders, each once."""

    _inherit = "keycrm.order.importer"

    @api.model
    def _import_payments(self, batch):
        """Note the payments of the orders as KeyCRM has them."""
        account = batch.account
        if not account.import_payments:
            return
        wanted = {
            payment.id: (order, payment) for order in batch.orders for payment in order.payments
        }
        Payment = self.env["keycrm.payment"]
        known = account._by_keycrm_id(
            Payment.search([("account_id", "=", account.id), ("keycrm_id", "in", list(wanted))])
        )
        methods = account._by_keycrm_id(
            self.env["keycrm.payment.method"].search([("account_id", "=", account.id)])
        )
        transactions = self._transactions(account, [told for _order, told in wanted.values()])
        # The bank's list is read newest first and not to its end: older ones are crossed off here.
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
                "status": payment.status
                if payment.status in ("paid", "not_paid", "canceled")
                else "not_paid",
                "date": payment.date or False,
                "method_id": method.id if method else False,
                "transaction_uuid": payment.transaction_uuid or False,
            }
            if payment.description:
                vals["description"] = payment.description
            if payment.transaction_uuid in texts:
                vals["bank_description"] = texts[payment.transaction_uuid]
            if number in known:
                known[number]._write_changed(vals)
            else:
                new.append({"account_id": account.id, "keycrm_id": number, **vals})
        created = Payment.create(new)
        (created | Payment.union(*known.values()))._settle()

    @api.model
    def _currency_vals(self, account, record, payment):
        """Say the currency of a payment: that of its order where it names none, none where Odoo has not
        got the one that it names.
        """
        code = payment.currency_code
        currency = account._currency_for(code) if code else record.currency_id
        return {"currency_id": currency.id, "currency_code": code or currency.name}

    @api.model
    def _transactions(self, account, payments):
        """:return: the bank transactions that these payments name, as far as they are known"""
        Transaction = self.env["keycrm.transaction"]
        uuids = [payment.transaction_uuid for payment in payments if payment.transaction_uuid]
        if not uuids:
            return Transaction
        return Transaction.search([("account_id", "=", account.id), ("uuid", "in", uuids)])
