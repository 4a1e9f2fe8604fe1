from odoo import fields, models


class KeycrmDeliveryService(models.Model):
    """A delivery service of KeyCRM; Odoo's carriers are matched with it."""

    _name = "keycrm.delivery.service"
    _inherit = "keycrm.account.mixin"
    _description = "KeyCRM delivery service"
    _order = "account_id, name, id"
    _check_company_auto = True

    company_id = fields.Many2one(store=True)
    keycrm_id = fields.Integer(string="KeyCRM number", required=True, readonly=True)
    name = fields.Char(required=True, readonly=True)

    _account_keycrm_id_unique = models.Constraint(
        "UNIQUE(account_id, keycrm_id)", "This KeyCRM delivery service already exists."
    )
