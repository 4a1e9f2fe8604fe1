from odoo import fields, models


class KeycrmBuyer(models.Model):
    """The tie between a buyer of KeyCRM and an Odoo contact. Several buyers may be one contact."""

    _name = "keycrm.buyer"
    _description = "KeyCRM buyer"
    _order = "account_id, keycrm_id"
    _rec_name = "keycrm_id"
    _check_company_auto = True

    account_id = fields.Many2one("keycrm.account", required=True, ondelete="cascade", index=True)
    company_id = fields.Many2one(related="account_id.company_id")
    keycrm_id = fields.Integer(string="KeyCRM number", required=True)
    partner_id = fields.Many2one("res.partner", required=True, ondelete="cascade", index=True)

    _account_keycrm_id_unique = models.Constraint(
        "UNIQUE(account_id, keycrm_id)", "This buyer of KeyCRM is already tied to a contact."
    )
