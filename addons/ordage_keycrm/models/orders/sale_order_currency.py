from odoo import api, fields, models


class SaleOrder(models.Model):
    """Orders in a currency that Odoo cannot convert: marked, so that no sum counts them one to one."""

    _inherit = "sale.order"

    # === FIELDS ===#

    keycrm_rate_missing = fields.Boolean(
        string="No exchange rate",
        compute="_compute_keycrm_rate_missing",
        store=True,
        help="No exchange rate to the company's currency was entered: sales reports leave the order's "
        "amounts out, and its invoice cannot be posted.",
    )

    # A new exchange rate finds the orders that wait for it.
    _keycrm_rate_missing_index = models.Index("(currency_id) WHERE keycrm_rate_missing")

    # === COMPUTE METHODS ===#

    @api.depends("keycrm_account_id", "currency_id", "company_id.currency_id")
    def _compute_keycrm_rate_missing(self):
        for order in self:
            order.keycrm_rate_missing = bool(
                order.keycrm_account_id
                and order.currency_id
                and not order.currency_id._keycrm_has_rate(order.company_id)
            )

    # === BUSINESS METHODS ===#

    def _keycrm_refresh_rate(self):
        """Compute anew what depends on exchange rates."""
        self.invalidate_recordset(["keycrm_amount_expected"])
        for name in ("keycrm_rate_missing", "currency_rate"):
            self.env.add_to_compute(self._fields[name], self)
