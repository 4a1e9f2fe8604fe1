import math
from dataclasses import replace

from odoo import api, models

from odoo.addons.ordage_keycrm.keycrm.stock_quantities import Terms, target


class KeycrmStockCalculator(models.AbstractModel):
    """The number of a kit is how many can be put together of its components."""

    _inherit = "keycrm.stock.calculator"

    @api.model
    def _of(self, warehouse, products, *, all_terms=False):
        company = warehouse.company_id
        kits = self.env["mrp.bom"]._keycrm_parts(products, company)
        if not kits:
            return super()._of(warehouse, products, all_terms=all_terms)
        components = self.env["product.product"].union(*(part for p in kits.values() for part in p))
        others = products.filtered(lambda product: product not in kits)
        terms = super()._of(warehouse, others | components, all_terms=all_terms)
        rule = warehouse.account_id.stock_quantity
        for kit, parts in kits.items():
            terms[kit.id] = Terms(
                on_hand=min(
                    # What KeyCRM reserves of a component it does not reserve of the kit.
                    self._whole(
                        target(rule, replace(terms[part.id], keycrm_reserved=0, is_ended=False))
                        / quantity
                    )
                    for part, quantity in parts.items()
                ),
                is_ended=warehouse.account_id.stock_when_ended == "zero" and not kit.active,
            )
        of_kits = {kit.id: terms[kit.id] for kit in kits}
        if all_terms or rule == "available":
            self._add_keycrm_reserved(of_kits, warehouse)
        if all_terms or rule == "on_hand":
            self._add_written_off_kits(of_kits, warehouse, kits)
        return {product_id: terms[product_id] for product_id in products.ids}

    @staticmethod
    def _whole(quantity):
        return float(math.floor(round(quantity, 6)))

    @api.model
    def _add_written_off_kits(self, terms, warehouse, kits):
        """Kits that KeyCRM has written off and whose components Odoo still has to ship."""
        parts = {kit.id: {p.id: q for p, q in found.items()} for kit, found in kits.items()}
        component_ids = list({part for found in parts.values() for part in found})
        still_open = {}
        for row in self._open_moves(warehouse, component_ids, written_off=True):
            ratio = parts.get(row["line_product_id"], {}).get(row["product_id"])
            if ratio:
                line = still_open.setdefault(row["line_id"], {**row, "kits": 0.0})
                line["kits"] = max(line["kits"], row["quantity"] / ratio)
        for row in still_open.values():
            terms[row["line_product_id"]].written_off += min(row["kits"], row["keycrm_quantity"])
        for row in self._unconfirmed(warehouse, list(terms), written_off=True):
            terms[row["product_id"]].written_off += row["quantity"]

    @api.model
    def _add_open_orders(self, terms, warehouse):
        """Kits of orders that are not confirmed take their components out."""
        super()._add_open_orders(terms, warehouse)
        Bom = self.env["mrp.bom"]
        kits = Bom._keycrm_kits_with(list(terms), warehouse.company_id)
        if not kits:
            return
        parts = Bom._keycrm_parts(kits, warehouse.company_id)
        for row in self._unconfirmed(warehouse, [kit.id for kit in parts]):
            kit = self.env["product.product"].browse(row["product_id"])
            for part, quantity in parts[kit].items():
                if part.id in terms:
                    terms[part.id].open_orders += row["quantity"] * quantity
