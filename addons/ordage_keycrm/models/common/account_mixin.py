from odoo import api, fields, models


class KeycrmAccountMixin(models.AbstractModel):
    """Whatever belongs to one KeyCRM account, and goes with it."""

    _name = "keycrm.account.mixin"
    _inherit = "keycrm.readonly.mixin"
    _description = "KeyCRM account record"

    # Not indexed alone: most models have an index that begins with it, to keep KeyCRM's numbers unique or
    # for a worker's look.
    account_id = fields.Many2one(
        "keycrm.account", string="KeyCRM account", required=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="account_id.company_id")

    @api.model
    def _default_account(self):
        """:return: the first account of the present company, for what people type in by hand"""
        return self.env["keycrm.account"].search(
            [("company_id", "=", self.env.company.id)], limit=1
        )
