from odoo import api, fields, models


class KeycrmAccountMixin(models.AbstractModel):
    """Link a record to one KeyCRM account, with which it is deleted."""

    _name = "keycrm.account.mixin"
    _inherit = "keycrm.readonly.mixin"
    _description = "KeyCRM account record"

    # Not indexed alone: most models have an index that begins with it, to keep KeyCRM's numbers unique
    # or for the queries of a worker.
    account_id = fields.Many2one(
        "keycrm.account", string="KeyCRM account", required=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="account_id.company_id")

    @api.model
    def _default_account(self):
        """Return the first account of the current company, for records that users enter.

        :return: ``keycrm.account``, empty when there is none
        """
        return self.env["keycrm.account"].search(
            [("company_id", "=", self.env.company.id)], limit=1
        )
