from odoo import api, models


class KeycrmOfferValue(models.AbstractModel):
    """Compute the cost of a kit from its components, as Odoo does."""

    _inherit = "keycrm.offer.value"

    @api.model
    def _costs(self, products):
        costs = super()._costs(products)
        company = products.env.company
        Bom = self.env["mrp.bom"].sudo().with_company(company)
        boms = Bom._bom_find(products, company_id=company.id, bom_type="phantom")
        for product in products:
            if bom := boms.get(product):
                costs[product.id] = self._kit_cost(product.sudo(), bom)
        return costs

    @api.model
    def _kit_cost(self, product, bom):
        """Return the cost of one kit; Odoo's own computation where its module for it is installed.

        :param product: the kit
        :param bom: its bill of materials
        """
        if hasattr(product, "_compute_bom_price"):
            return product._compute_bom_price(bom)
        _boms, lines = bom.explode(product, 1)
        total = sum(
            line.product_uom_id._compute_quantity(data["qty"], line.product_id.uom_id, round=False)
            * line.product_id.standard_price
            for line, data in lines
        )
        return total * product.uom_id._compute_quantity(1, bom.product_uom_id) / bom.product_qty

    @api.model
    def _affected_products(self, account, kind, products):
        """Add the kits of changed components, whose cost changes too."""
        affected = super()._affected_products(account, kind, products)
        if kind == "cost":
            affected |= self.env["mrp.bom"]._keycrm_kits_with(products.ids, account.company_id)
        return affected
