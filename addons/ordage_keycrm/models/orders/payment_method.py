from odoo import fields, models


class KeycrmPaymentMethod(models.Model):
    _name = "keycrm.payment.method"
    _inherit = "keycrm.account.mixin"
    _description = "KeyCRM payment method"
    _order = "account_id, name"
    _check_company_auto = True

    company_id = fields.Many2one(store=True)
    keycrm_id = fields.Integer(string="KeyCRM number", required=True, readonly=True)
    name = fields.Char(required=True, readonly=True)
    journal_id = fields.Many2one(
        "account.journal",
        string="Payment journal",
        ondelete="restrict",
        check_company=True,
        domain="[('type', 'in', ('bank', 'cash'))]",
        help="If empty, the payment journal of the account is used.",
    )

    _account_keycrm_id_unique = models.Constraint(
        "UNIQUE(account_id, keycrm_id)", "This KeyCRM payment method already exists."
    )
