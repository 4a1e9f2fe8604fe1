from odoo import models


class ProductProduct(models.Model):
    """What decides whether and as what a product is sent: a change of it is a change of stock."""

    _inherit = "product.product"

    def write(self, vals):
        result = super().write(vals)
        if not vals.keys().isdisjoint(("default_code", "active")):
            self.env["keycrm.stock.change"]._queue_products(self.ids)
        return result


class ProductTemplate(models.Model):
    _inherit = "product.template"

    def write(self, vals):
        result = super().write(vals)
        # Archiving archives the variants, which are recorded themselves.
        if not vals.keys().isdisjoint(("type", "is_storable", "company_id")):
            variants = self.with_context(active_test=False).product_variant_ids
            self.env["keycrm.stock.change"]._queue_products(variants.ids)
        return result
