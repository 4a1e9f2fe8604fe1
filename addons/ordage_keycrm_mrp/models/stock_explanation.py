from odoo import api, models
from odoo.fields import Domain


class KeycrmStockExplanation(models.TransientModel):
    """Explain the quantity of a kit by its components."""

    _inherit = "keycrm.stock.explanation"

    @api.model
    def _parts(self, product):
        """Return the components of a kit, ``product.product``; empty for other products."""
        found = self.env["mrp.bom"]._keycrm_parts(product, self.env.company)
        return self.env["product.product"].union(*found.get(product, ()))

    @api.model
    def _on_hand_text(self, product, quantity, names):
        if not self._parts(product):
            return super()._on_hand_text(product, quantity, names)
        return self.env._(
            "Can be assembled in %(warehouses)s %(quantity)s",
            warehouses=names,
            quantity=self._number(quantity),
        )


class KeycrmStockExplanationLine(models.TransientModel):
    _inherit = "keycrm.stock.explanation.line"

    def _on_hand_domain(self):
        """Return the domain of the components of a kit: only they are on hand."""
        parts = self.explanation_id._parts(self.explanation_id.product_id)
        if not parts:
            return super()._on_hand_domain()
        return Domain("product_id", "in", parts.ids)
