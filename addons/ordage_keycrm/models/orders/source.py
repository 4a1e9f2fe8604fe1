from odoo import api, fields, models

from ...services.account.currency import AccountCurrency
from ...services.account.settings_change import release_waiting_for_warehouse


class KeycrmSource(models.Model):
    """A source of orders. Only the source has the currency of its orders (confirmed)."""

    _name = "keycrm.source"
    _inherit = "keycrm.account.mixin"
    _description = "KeyCRM order source"
    _order = "account_id, name"
    _check_company_auto = True

    company_id = fields.Many2one(store=True)
    keycrm_id = fields.Integer(string="KeyCRM number", required=True, readonly=True)
    name = fields.Char(required=True, readonly=True)
    currency_code = fields.Char(string="Currency", readonly=True)
    # Not deleted while a source uses them; archived ones are listed on the account.
    team_id = fields.Many2one(
        "crm.team", string="Sales team", check_company=True, ondelete="restrict"
    )
    warehouse_id = fields.Many2one("stock.warehouse", check_company=True, ondelete="restrict")
    journal_id = fields.Many2one(
        "account.journal",
        string="Invoice journal",
        ondelete="restrict",
        check_company=True,
        domain="[('type', '=', 'sale')]",
    )

    _account_keycrm_id_unique = models.Constraint(
        "UNIQUE(account_id, keycrm_id)", "This KeyCRM source already exists."
    )

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        sources = super().create(vals_list)
        sources._activate_currency()
        return sources

    def write(self, vals):
        """Activate the currency of a changed code; one that a user deactivates later stays inactive."""
        result = super().write(vals)
        if "currency_code" in vals:
            self._activate_currency()
        if "warehouse_id" in vals:
            release_waiting_for_warehouse(self.account_id)
        return result

    def unlink(self):
        accounts = self.account_id
        result = super().unlink()
        AccountCurrency(accounts).settle()
        return result

    # === BUSINESS METHODS ===#

    def _activate_currency(self):
        """Activate the currencies of the sources, and update the KeyCRM currency."""
        self.env["res.currency"]._keycrm_activate(self.mapped("currency_code"))
        AccountCurrency(self.account_id).settle()
