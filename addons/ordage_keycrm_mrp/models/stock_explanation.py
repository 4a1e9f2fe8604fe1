from odoo import api, models
from odoo.fields import Domain


class KeycrmStockExplanation(models.TransientModel):
    """The number of a kit begins with its components."""

    _inherit = "keycrm.stock.explanation"

    @api.model
    def _parts(self, product):
        """:return: the components of a kit, ``product.product``; none of anything else"""
        found = self.env["mrp.bom"]._keycrm_parts(product, self.env.company)
        return self.env["product.product"].union(*found.get(product, ()))

    @api.model
    def _on_hand_text(self, product, quantity, places):
        if not self._parts(product):
            return super()._on_hand_text(product, quantity, places)
        return self.env._(
            "Can be assembled in %(warehouses)s %(quantity)s",
            warehouses=places,
            quantity=self._number(quantity),
        )


class KeycrmStockExplanationLine(models.TransientModel):
    _inherit = "keycrm.stock.explanation.line"

    def _on_hand_domain(self):
        """Of a kit, its components lie on the shelves."""
        parts = self.why_id._parts(self.why_id.product_id)
        if not parts:
            return super()._on_hand_domain()
        return Domain("product_id", "in", parts.ids)
