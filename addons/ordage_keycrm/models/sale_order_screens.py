from odoo import api, fields, models


class SaleOrder(models.Model):
    """What the form of an order has to know to show who decides."""

    _inherit = "sale.order"

    # === FIELDS ===#

    keycrm_is_driven = fields.Boolean(
        string="Decided in KeyCRM",
        compute="_compute_keycrm_is_driven",
        compute_sudo=True,
        help="KeyCRM decides the lines, prices, dates and contacts of the order: what is changed here "
        "would be lost when the order arrives again.",
    )

    # === COMPUTE METHODS ===#

    @api.depends("keycrm_id", "keycrm_account_id.enabled", "keycrm_deleted")
    def _compute_keycrm_is_driven(self):
        """Tell whether KeyCRM's next word about the order would overwrite what a person changes.

        An order that was deleted there will not arrive again; with the integration off, none will.
        """
        for order in self:
            order.keycrm_is_driven = bool(
                order.keycrm_id and order.keycrm_account_id.enabled and not order.keycrm_deleted
            )
