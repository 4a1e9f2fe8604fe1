from odoo import api, fields, models


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    keycrm_id = fields.Integer(string="KeyCRM line", copy=False, readonly=True, aggregator=None)
    keycrm_extra = fields.Char(
        string="KeyCRM amount",
        copy=False,
        readonly=True,
        help="Kind of an amount that is no product: shipping, wrapping, taxes, discount, rounding.",
    )

    @api.depends("order_id.keycrm_never_moves")
    def _compute_invoice_status(self):
        super()._compute_invoice_status()
        for line in self:
            if line.order_id.keycrm_never_moves and line.invoice_status != "invoiced":
                line.invoice_status = "no"

    def _action_launch_stock_rule(self, *, previous_product_uom_qty=False):
        """Orders that were over when they were first seen never move stock, also after editing."""
        moving = self.filtered(lambda line: not line.order_id.keycrm_never_moves)
        return super(SaleOrderLine, moving)._action_launch_stock_rule(
            previous_product_uom_qty=previous_product_uom_qty
        )
