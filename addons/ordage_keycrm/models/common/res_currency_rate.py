from odoo import api, models


class ResCurrencyRate(models.Model):
    """Resume orders and payments that wait for a rate when a user enters one."""

    _inherit = "res.currency.rate"

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        rates = super().create(vals_list)
        rates.currency_id._keycrm_rates_changed()
        return rates

    def unlink(self):
        currencies = self.currency_id
        result = super().unlink()
        currencies._keycrm_rates_changed()
        return result
