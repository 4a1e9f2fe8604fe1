from odoo import api, fields, models


class KeycrmBuyer(models.Model):
    """The mapping of a buyer of KeyCRM to an Odoo contact. Several buyers may be one contact.

    It keeps what KeyCRM last had of the buyer: only what KeyCRM changes is taken over.
    """

    _name = "keycrm.buyer"
    _inherit = "keycrm.contact.mapping.mixin"
    _description = "KeyCRM buyer"
    _order = "account_id, keycrm_id"
    _rec_name = "keycrm_id"
    _check_company_auto = True

    # === FIELDS ===#

    account_id = fields.Many2one(default=lambda self: self._default_account())
    keycrm_id = fields.Integer(string="KeyCRM number", required=True, aggregator=None)
    partner_id = fields.Many2one(required=True, ondelete="cascade")
    name = fields.Char(string="Full name in KeyCRM", readonly=True)
    phone = fields.Char(string="Phone in KeyCRM", readonly=True)
    email = fields.Char(string="E-mail in KeyCRM", readonly=True)
    # Indexed for PostgreSQL, which looks for the buyers of a company that is deleted.
    keycrm_company_id = fields.Many2one(
        "keycrm.company",
        string="Company in KeyCRM",
        readonly=True,
        ondelete="set null",
        index="btree_not_null",
    )
    keycrm_updated_at = fields.Datetime(string="Updated in KeyCRM", readonly=True)

    _account_keycrm_id_unique = models.Constraint(
        "UNIQUE(account_id, keycrm_id)", "This KeyCRM buyer is already linked to a contact."
    )

    # === COMPUTE METHODS ===#

    @api.depends("keycrm_id", "name")
    def _compute_display_name(self):
        for buyer in self:
            buyer.display_name = " ".join(filter(None, (f"#{buyer.keycrm_id}", buyer.name)))
