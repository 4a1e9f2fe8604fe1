from odoo import fields, models


class ProductTemplate(models.Model):
    _inherit = "product.template"

    keycrm_offer_ids = fields.One2many(
        "keycrm.offer", related="product_variant_ids.keycrm_offer_ids", string="KeyCRM offers"
    )
    keycrm_origin = fields.Selection(
        related="product_variant_ids.keycrm_origin", string="From KeyCRM"
    )
    keycrm_push_state = fields.Selection(
        related="product_variant_ids.keycrm_push_state", string="Stock in KeyCRM is"
    )
    keycrm_pushed_at = fields.Datetime(
        related="product_variant_ids.keycrm_pushed_at", string="Last sent"
    )
