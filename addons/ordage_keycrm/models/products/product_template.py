from odoo import fields, models

from ..common.field_guard import BRIDGE_FIELD


class ProductTemplate(models.Model):
    _name = "product.template"
    _inherit = ["product.template", "keycrm.guard.mixin"]

    # A product whose variants are those of one KeyCRM product.
    keycrm_catalog_account_id = fields.Many2one(
        "keycrm.account",
        string="KeyCRM catalog account",
        copy=False,
        readonly=True,
        ondelete="set null",
        index="btree_not_null",
        groups="base.group_user",
    )
    keycrm_catalog_id = fields.Integer(string="KeyCRM catalog", aggregator=None, **BRIDGE_FIELD)

    keycrm_offer_ids = fields.One2many(
        "keycrm.offer", related="product_variant_ids.keycrm_offer_ids", string="KeyCRM offers"
    )
    keycrm_origin = fields.Selection(
        related="product_variant_ids.keycrm_origin", string="From KeyCRM"
    )
    keycrm_push_state = fields.Selection(
        related="product_variant_ids.keycrm_push_state", string="Stock send state"
    )
    keycrm_pushed_at = fields.Datetime(
        related="product_variant_ids.keycrm_pushed_at", string="Last sent"
    )
    keycrm_push_error = fields.Char(
        related="product_variant_ids.keycrm_push_error", string="Refusal reason"
    )
    keycrm_level_ids = fields.One2many(
        "keycrm.stock.level",
        related="product_variant_ids.keycrm_level_ids",
        string="Stock in KeyCRM",
    )

    # === CRUD METHODS ===#

    def write(self, vals):
        """Enqueue the variants when a value changes that is sent to KeyCRM."""
        result = super().write(vals)
        # Archiving archives the variants, which are recorded themselves.
        if not vals.keys().isdisjoint(("type", "is_storable", "company_id")):
            variants = self.with_context(active_test=False).product_variant_ids
            self.env["keycrm.stock.change"]._enqueue_everywhere(variants.ids)
        if "list_price" in vals:
            self.env["keycrm.offer.change"]._enqueue_everywhere(
                "price", self.product_variant_ids.ids
            )
        return result

    def unlink(self):
        # The database deletes the variants, and their mappings, itself.
        variants = self.with_context(active_test=False).product_variant_ids
        variants.sudo().keycrm_offer_ids.unlink()
        return super().unlink()

    # === ACTION METHODS ===#

    def action_keycrm_create(self):
        """Show a preview of the variants of these products for KeyCRM.

        :return: an action
        """
        return self.product_variant_ids.action_keycrm_create()

    def action_open_keycrm_offers(self):
        """Open the KeyCRM offers of the product, with their stock.

        :return: an action
        """
        action = self.env["ir.actions.act_window"]._for_xml_id("ordage_keycrm.keycrm_offer_action")
        return dict(action, domain=[("product_id", "in", self.product_variant_ids.ids)])
