from odoo import models


class SaleReport(models.Model):
    _inherit = "sale.report"

    # === BUSINESS METHODS ===#

    def _case_value_or_one(self, value):
        """Leave the amounts of an order without an exchange rate empty: one to one would be wrong."""
        rate = super()._case_value_or_one(value)
        if value != "s.currency_rate":
            return rate
        return f"CASE WHEN s.keycrm_rate_missing THEN NULL ELSE {rate} END"
