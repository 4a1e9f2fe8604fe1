from odoo import models


class KeycrmAccount(models.Model):
    """Kits are sent too: they have no stock of their own, their components have."""

    _inherit = "keycrm.account"

    def _counted_product_ids(self, product_ids=None):
        """A kit counts as counted when one of its components is."""
        counted = set(super()._counted_product_ids(product_ids))
        if product_ids is None:
            kits = self.env["mrp.bom"]._keycrm_kits_of_company(self.company_id)
        else:
            products = self.env["product.product"].browse(product_ids).filtered("active")
            kits = self.env["mrp.bom"]._keycrm_parts(products, self.company_id)
        if kits:
            components = {part for parts in kits.values() for part in parts}
            known = set(super()._counted_product_ids([part.id for part in components]))
            counted -= {kit.id for kit in kits if kit.is_storable}
            counted |= {
                kit.id for kit, parts in kits.items() if known & {part.id for part in parts}
            }
        return sorted(counted)

    def _products_to_send(self, product_ids):
        """The kits of a component that changed have changed too, and the components of a kit: an
        order of it that is not confirmed takes them out."""
        Bom = self.env["mrp.bom"]
        changed = self.env["product.product"].browse(product_ids)
        kits = Bom._keycrm_parts(changed, self.company_id)
        parts = changed.union(*(part for found in kits.values() for part in found))
        others = Bom._keycrm_kits_with(parts.ids, self.company_id)
        return super()._products_to_send((parts | others).ids)
