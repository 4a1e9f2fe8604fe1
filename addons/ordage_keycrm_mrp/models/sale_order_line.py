from odoo import models


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    def _get_qty_procurement(self, previous_product_uom_qty=False):
        quantity = super()._get_qty_procurement(previous_product_uom_qty)
        is_counted = self.keycrm_excess and self._keycrm_components()
        return quantity + (self._keycrm_not_to_procure() if is_counted else 0.0)

    def _keycrm_components(self):
        BoM = self.env["mrp.bom"].sudo()
        company = self.company_id.id
        bom = BoM._bom_find(self.product_id, company_id=company, bom_type="phantom")[
            self.product_id
        ]
        if not bom:
            return super()._keycrm_components()
        quantity = self.product_uom_id._compute_quantity(1.0, bom.product_uom_id, round=False)
        components = {}
        for line, values in bom.explode(self.product_id, quantity / bom.product_qty)[1]:
            unit = line.product_id.uom_id
            part = line.product_uom_id._compute_quantity(values["qty"], unit, round=False)
            components[line.product_id] = components.get(line.product_id, 0.0) + part
        return components
