from odoo import models


class AccountMove(models.Model):
    _inherit = "account.move"

    # === BUSINESS METHODS ===#

    def _post(self, soft=True):
        """An invoice of an order that was paid before meets the order's payments."""
        posted = super()._post(soft)
        invoices = posted.filtered(lambda move: move.move_type == "out_invoice")
        orders = invoices.sudo().line_ids.sale_line_ids.order_id.filtered("keycrm_id")
        orders.keycrm_payment_ids._meet_invoices()
        return posted
