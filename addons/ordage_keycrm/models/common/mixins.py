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


class KeycrmErrorMixin(models.AbstractModel):
    """Store an error as a code with parameters; the sentence is in the reader's language."""

    _name = "keycrm.error.mixin"
    _description = "KeyCRM error"

    error_code = fields.Char(string="Error type", readonly=True, copy=False)
    error_params = fields.Json(string="Error details", readonly=True, copy=False)
    error = fields.Char(compute="_compute_error")

    @api.depends("error_code", "error_params")
    @api.depends_context("lang")
    def _compute_error(self):
        self.env["keycrm.error.message"]._compute_sentences(self, "error")
