from odoo import api, fields, models


class KeycrmOffer(models.Model):
    """What the stock worker keeps of an offer; a new mapping makes its product's stock leave."""

    _inherit = "keycrm.offer"

    is_missing_in_keycrm = fields.Boolean(
        string="No longer in KeyCRM",
        readonly=True,
        help="The whole KeyCRM catalog was read and does not contain this offer.",
    )
    elsewhere_quantity = fields.Float(
        string="In unmatched warehouses", digits=(16, 3), readonly=True
    )

    @api.model_create_multi
    def create(self, vals_list):
        offers = super().create(vals_list)
        if not self.env.context.get("keycrm_stock_worker"):
            offers._queue_stock()
        return offers

    def write(self, vals):
        result = super().write(vals)
        decides = not vals.keys().isdisjoint(("product_id", "keycrm_id", "is_missing_in_keycrm"))
        if decides and not self.env.context.get("keycrm_stock_worker"):
            self._queue_stock()
        return result

    def _queue_stock(self):
        """Queue the products of these offers: a new mapping has to be sent too, and KeyCRM has it."""
        for account in self.account_id:
            mine = self.filtered(lambda offer, account=account: offer.account_id == account)
            self.env["keycrm.missing.sku"].sudo()._forget(account, mine.product_id)
            self.env["keycrm.stock.change"].sudo()._record_orders(account, mine.product_id.ids)
