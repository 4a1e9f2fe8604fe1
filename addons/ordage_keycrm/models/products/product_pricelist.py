from odoo import api, models


class ProductPricelistItem(models.Model):
    _inherit = "product.pricelist.item"

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        items = super().create(vals_list)
        items._keycrm_enqueue_prices()
        return items

    def write(self, vals):
        result = super().write(vals)
        self._keycrm_enqueue_prices()
        return result

    def unlink(self):
        self._keycrm_enqueue_prices()
        return super().unlink()

    # === BUSINESS METHODS ===#

    def _keycrm_enqueue_prices(self):
        """Enqueue all prices: the worker compares them to find those that a rule changes."""
        if self:
            self.env["keycrm.offer.change"]._enqueue_everywhere("price", [None])


class ProductTemplateAttributeValue(models.Model):
    _inherit = "product.template.attribute.value"

    def write(self, vals):
        result = super().write(vals)
        if "price_extra" in vals:
            variants = self.product_tmpl_id.product_variant_ids
            self.env["keycrm.offer.change"]._enqueue_everywhere("price", variants.ids)
        return result
