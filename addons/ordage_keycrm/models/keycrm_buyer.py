from odoo import api, fields, models


class KeycrmBuyer(models.Model):
    """The tie between a buyer of KeyCRM and an Odoo contact. Several buyers may be one contact.

    It keeps what KeyCRM last said of the buyer: only what KeyCRM changes is taken over, so that a
    contact that was put right in Odoo is not put wrong again by the next order.
    """

    _name = "keycrm.buyer"
    _inherit = "keycrm.account.record"
    _description = "KeyCRM buyer"
    _order = "account_id, keycrm_id"
    _rec_name = "keycrm_id"
    _check_company_auto = True

    # === FIELDS ===#

    keycrm_id = fields.Integer(string="KeyCRM number", required=True)
    # Indexed for the contact's form.
    partner_id = fields.Many2one(
        "res.partner", string="Contact", required=True, ondelete="cascade", index=True
    )
    name = fields.Char(string="Full name in KeyCRM")
    phone = fields.Char(string="Phone in KeyCRM")
    email = fields.Char(string="E-mail in KeyCRM")
    # Indexed for PostgreSQL, which looks for the buyers of a company that is deleted.
    keycrm_company_id = fields.Many2one(
        "keycrm.company", string="Company in KeyCRM", ondelete="set null", index="btree_not_null"
    )
    keycrm_updated_at = fields.Datetime(string="Updated in KeyCRM")

    _account_keycrm_id_unique = models.Constraint(
        "UNIQUE(account_id, keycrm_id)", "This buyer of KeyCRM is already tied to a contact."
    )

    # === COMPUTE METHODS ===#

    @api.depends("keycrm_id", "name")
    def _compute_display_name(self):
        for buyer in self:
            buyer.display_name = " ".join(filter(None, (f"#{buyer.keycrm_id}", buyer.name)))
