import math
from dataclasses import replace

from odoo import api, models

from odoo.addons.ordage_keycrm.keycrm.stock_quantities import Terms, target


class KeycrmStockCalculator(models.AbstractModel):
    """Compute the quantity of a kit: how many can be assembled of its components.

    A kit has no stock of its own.
    """

    _inherit = "keycrm.stock.calculator"

    @api.model
    def _terms(self, warehouse, products, *, all_terms=False):
        company = warehouse.company_id
        kits = self.env["mrp.bom"]._keycrm_parts(products, company)
        if not kits:
            return super()._terms(warehouse, products, all_terms=all_terms)
        components = self.env["product.product"].union(*(part for p in kits.values() for part in p))
        others = products.filtered(lambda product: product not in kits)
        terms = super()._terms(warehouse, others | components, all_terms=all_terms)
        rule = warehouse.account_id.stock_quantity
        for kit, parts in kits.items():
            terms[kit.id] = Terms(
                on_hand=min(
                    # KeyCRM's reserve of a component is not a reserve of the kit.
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

    @api.model
    def _doubtful_product_ids(self, warehouse):
        """Return all kits and their components, too: a kit has no stock of its own."""
        parts = self.env["mrp.bom"]._keycrm_kits_of_company(warehouse.company_id)
        kits = self.env["product.product"].union(
            *parts, *(p for found in parts.values() for p in found)
        )
        return [*{*super()._doubtful_product_ids(warehouse), *kits.ids}]

    @api.model
    def _counted_product_ids(self, account, product_ids=None):
        """Return the counted products; a kit is counted when one of its components is."""
        company = account.company_id
        counted = set(super()._counted_product_ids(account, product_ids))
        if product_ids is None:
            kits = self.env["mrp.bom"]._keycrm_kits_of_company(company)
        else:
            products = self.env["product.product"].browse(product_ids).filtered("active")
            kits = self.env["mrp.bom"]._keycrm_parts(products, company)
        if kits:
            components = {part for parts in kits.values() for part in parts}
            known = set(super()._counted_product_ids(account, [part.id for part in components]))
            counted -= {kit.id for kit in kits if kit.is_storable}
            counted |= {
                kit.id for kit, parts in kits.items() if known & {part.id for part in parts}
            }
        return sorted(counted)

    @api.model
    def _affected_product_ids(self, account, product_ids):
        """Return the kits of a changed component, and the components of a changed kit, too.

        An unconfirmed order of a kit reserves its components.
        """
        Bom = self.env["mrp.bom"]
        product_ids = super()._affected_product_ids(account, product_ids)
        changed = self.env["product.product"].browse(product_ids)
        kits = Bom._keycrm_parts(changed, account.company_id)
        parts = changed.union(*(part for found in kits.values() for part in found))
        others = Bom._keycrm_kits_with(parts.ids, account.company_id)
        return (parts | others).ids

    @staticmethod
    def _whole(quantity):
        return float(math.floor(round(quantity, 6)))

    @api.model
    def _add_written_off_kits(self, terms, warehouse, kits):
        """Add kits that KeyCRM has written off and whose components Odoo still has to ship."""
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
        """Add the components of kits of unconfirmed orders."""
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
