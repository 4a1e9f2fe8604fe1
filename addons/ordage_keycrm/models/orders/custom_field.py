from odoo import fields, models


class KeycrmCustomField(models.Model):
    """A custom field of orders in KeyCRM."""

    _name = "keycrm.custom.field"
    _inherit = "keycrm.account.mixin"
    _description = "KeyCRM custom field"
    _order = "account_id, name, id"

    keycrm_id = fields.Integer(string="KeyCRM number", required=True, readonly=True)
    name = fields.Char(required=True, readonly=True)
    uuid = fields.Char(string="Key in KeyCRM", readonly=True)
    type = fields.Char(string="Type in KeyCRM", readonly=True)
    is_active = fields.Boolean(string="In KeyCRM's list", default=True, readonly=True)

    _account_keycrm_id_unique = models.Constraint(
        "UNIQUE(account_id, keycrm_id)", "This KeyCRM custom field already exists."
    )
