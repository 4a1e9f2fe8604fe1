from odoo import models

#: What decides whether, and for which warehouse, the goods of a location count.
_DECIDES = ("location_id", "usage", "company_id", "active")


class StockLocation(models.Model):
    """A location moved under another warehouse takes its goods with it, and calls no quant's
    hook."""

    _inherit = "stock.location"

    def write(self, vals):
        decides = not vals.keys().isdisjoint(_DECIDES)
        if decides:
            self._keycrm_queue_products_inside()
        result = super().write(vals)
        if decides:
            self._keycrm_queue_products_inside()
        return result

    def _keycrm_queue_products_inside(self):
        """Record the products that lie in these locations and below them."""
        Change = self.env["keycrm.stock.change"]
        if not self or not Change._accounts_by_company():
            return
        for product, company in (
            self.env["stock.quant"]
            .sudo()
            ._read_group(
                [("location_id", "child_of", self.ids), ("company_id", "!=", False)],
                ["product_id", "company_id"],
            )
        ):
            Change._note((product.id,), company.id)
