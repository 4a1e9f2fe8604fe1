from odoo import models
from odoo.exceptions import UserError
from odoo.tools import float_compare


class AccountMove(models.Model):
    _inherit = "account.move"

    # === BUSINESS METHODS ===#

    def _post(self, soft=True):
        """An invoice of an order that was paid before meets the order's payments."""
        self._keycrm_check_rate()
        posted = super()._post(soft)
        invoices = posted.filtered(lambda move: move.move_type == "out_invoice")
        orders = invoices.sudo().line_ids.sale_line_ids.order_id.filtered("keycrm_id")
        orders.keycrm_payment_ids._meet_invoices()
        return posted

    def _keycrm_check_rate(self):
        """Refuse to post one to one what an imported order has in a currency without an exchange rate.

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
                        "entered. Enter one in the set-up of KeyCRM, step “Currency”, then post the "
                        "invoice.",
                        currency=move.currency_id.name,
                        company_currency=move.company_id.currency_id.name,
                    )
                )
