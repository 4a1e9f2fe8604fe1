from odoo import api, fields, models


class SaleMassCancelOrders(models.TransientModel):
    _inherit = "sale.mass.cancel.orders"

    # === FIELDS ===#

    keycrm_is_locked = fields.Boolean(
        string="KeyCRM still has them", compute="_compute_keycrm_is_locked"
    )

    # === COMPUTE METHODS ===#

    @api.depends("sale_order_ids")
    def _compute_keycrm_is_locked(self):
        for wizard in self:
            wizard.keycrm_is_locked = any(
                order.keycrm_is_locked and order.state != "cancel"
                for order in wizard.sale_order_ids
            )
