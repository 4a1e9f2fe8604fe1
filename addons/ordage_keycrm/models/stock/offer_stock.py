from odoo import api, fields, models

from ...services.common.bridge import is_stock_worker


class KeycrmOffer(models.Model):
    """Enqueue the stock of a product when the mapping of its offer changes."""

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
        # The stock queue sends the products that it maps itself.
        if not is_stock_worker(self.env):
            offers._enqueue_stock()
        return offers

    def write(self, vals):
        if "keycrm_id" in vals:
            self.filtered(lambda offer: offer.keycrm_id != vals["keycrm_id"])._enqueue_ended()
        result = super().write(vals)
        decides = not vals.keys().isdisjoint(("product_id", "keycrm_id"))
        if decides:
            self._enqueue_stock()
        return result

    def unlink(self):
        self._enqueue_ended()
        return super().unlink()

    @api.model
    def _offers_for(self, account, products):
        """Return the offers of products that KeyCRM still has.

        :param account: ``keycrm.account``, one
        :param products: ``product.product``
        """
        return self.search_fetch(
            [
                ("account_id", "=", account.id),
                ("product_id", "in", products.ids),
                ("is_missing_in_keycrm", "=", False),
            ],
            ["keycrm_id", "product_id"],
            order="id",
        )

    def _enqueue_ended(self):
        """Enqueue zeros for offers whose mapping ends: KeyCRM would still sell their last quantity."""
        for account in self.account_id.sudo():
            if not (account.enabled and account.push_stock and account.stock_when_ended == "zero"):
                continue
            levels = self.sudo().level_ids.filtered(
                lambda level, account=account: (
                    level.account_id == account
                    and (level.sent_at or level.checked_at)
                    and level.keycrm_warehouse_id.send_state == "sending"
                )
            )
            if levels:
                self.env["keycrm.ended.offer"].sudo()._enqueue(account, levels)

    def _enqueue_stock(self):
        """Enqueue the products of offers that are mapped: KeyCRM has them."""
        for account in self.account_id:
            mine = self.filtered(lambda offer, account=account: offer.account_id == account)
            self.env["keycrm.missing.sku"].sudo()._clear(account, mine.product_id)
            self.env["keycrm.stock.change"].sudo()._enqueue_refresh(account, mine.product_id.ids)
