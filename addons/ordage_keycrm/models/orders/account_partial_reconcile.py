from odoo import api, models


class AccountPartialReconcile(models.Model):
    _inherit = "account.partial.reconcile"

    @api.model_create_multi
    def create(self, vals_list):
        """Enqueue money that invoices of imported orders received."""
        partials = super().create(vals_list)
        self.env["keycrm.order.update"]._enqueue("payment", partials.ids)
        return partials
