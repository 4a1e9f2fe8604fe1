from odoo import fields, models


class KeycrmOffer(models.Model):
    """The tie between an offer (a catalogue variant of KeyCRM) and an Odoo variant."""

    _name = "keycrm.offer"
    _description = "KeyCRM offer"
    _order = "account_id, sku, id"
    _rec_name = "sku"
    _check_company_auto = True

    account_id = fields.Many2one("keycrm.account", required=True, ondelete="cascade", index=True)
    company_id = fields.Many2one(related="account_id.company_id", store=True)
    keycrm_id = fields.Integer(string="KeyCRM number", required=True)
    sku = fields.Char(string="SKU", help="As KeyCRM has it; may differ from Odoo's.")
    product_id = fields.Many2one(
        "product.product", required=True, ondelete="cascade", index=True, check_company=True
    )
    level_ids = fields.One2many("keycrm.stock.level", "offer_id", string="Stock in KeyCRM")

    _account_keycrm_id_unique = models.Constraint(
        "UNIQUE(account_id, keycrm_id)", "This offer of KeyCRM is already tied to a product."
    )
