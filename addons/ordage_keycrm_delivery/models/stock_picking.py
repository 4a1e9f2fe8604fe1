from odoo import api, models


class StockPicking(models.Model):
    _inherit = "stock.picking"

    @api.model_create_multi
    def create(self, vals_list):
        pickings = super().create(vals_list)
        if numbered := pickings.filtered("carrier_tracking_ref"):
            self.env["keycrm.order.update"]._enqueue("tracking", numbered.ids)
        return pickings

    def write(self, vals):
        """Enqueue the orders of a tracking number that a person or a carrier's module wrote."""
        result = super().write(vals)
        if vals.get("carrier_tracking_ref"):
            self.env["keycrm.order.update"]._enqueue("tracking", self.ids)
        elif vals.get("carrier_id") and (numbered := self.filtered("carrier_tracking_ref")):
            self.env["keycrm.order.update"]._enqueue("tracking", numbered.ids)
        return result
