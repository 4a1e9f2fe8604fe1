from odoo import models


class StockLot(models.Model):
    """A person who changes when a lot expires changes what may be offered, without any move."""

    _inherit = "stock.lot"

    def write(self, vals):
        result = super().write(vals)
        if not vals.keys().isdisjoint(("expiration_date", "removal_date")):
            self.env["keycrm.stock.change"]._queue_products(self.product_id.ids)
        return result
