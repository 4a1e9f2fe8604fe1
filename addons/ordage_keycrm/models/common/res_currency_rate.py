from odoo import api, models


class ResCurrencyRate(models.Model):
    """What waits for an exchange rate goes on when a person enters one, here or in accounting."""

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
