from odoo import api, fields, models


class KeycrmOffer(models.Model):
    """What the stock worker keeps of an offer; a new tie makes its product's stock leave."""

    _inherit = "keycrm.offer"

    is_gone = fields.Boolean(
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
            offers._note_stock()
        return offers

    def write(self, vals):
        result = super().write(vals)
        decides = not vals.keys().isdisjoint(("product_id", "keycrm_id", "is_gone"))
        if decides and not self.env.context.get("keycrm_stock_worker"):
            self._note_stock()
        return result

    def _note_stock(self):
        """Queue the products of these offers: a new tie has to be sent too, and KeyCRM has it."""
        for account in self.account_id:
            mine = self.filtered(lambda offer, account=account: offer.account_id == account)
            self.env["keycrm.missing.sku"].sudo()._forget(account, mine.product_id)
            self.env["keycrm.stock.change"].sudo()._note_orders(account, mine.product_id.ids)
