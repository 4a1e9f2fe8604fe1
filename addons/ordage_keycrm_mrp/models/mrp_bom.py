from odoo import api, models


class MrpBom(models.Model):
    """Find kits and their components, and enqueue kits whose bill of materials changes."""

    _inherit = "mrp.bom"

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        boms = super().create(vals_list)
        boms._keycrm_enqueue_kits()
        return boms

    def write(self, vals):
        self._keycrm_enqueue_kits()
        result = super().write(vals)
        self._keycrm_enqueue_kits()
        return result

    def unlink(self):
        self._keycrm_enqueue_kits()
        return super().unlink()

    # === BUSINESS METHODS ===#

    def _keycrm_enqueue_kits(self):
        kits = self.filtered(lambda bom: bom.type == "phantom")
        product_ids = kits._keycrm_products().ids
        self.env["keycrm.stock.change"]._enqueue_everywhere(product_ids)
        self.env["keycrm.offer.change"]._enqueue_everywhere("cost", product_ids)

    def _keycrm_products(self):
        """Return the variants of these bills of materials."""
        for_template = self.filtered(lambda bom: not bom.product_id)
        return self.product_id | for_template.product_tmpl_id.product_variant_ids

    @api.model
    def _keycrm_parts(self, products, company):
        """Return the storable components of kits, also of kits within kits.

        :param products: ``product.product``
        :param company: ``res.company``, one
        :return: ``{kit: {component: quantity for one kit, in the component's unit}}``; kits only
        """
        found = {}
        boms = self.sudo()._bom_find(products, company_id=company.id, bom_type="phantom")
        for product in products:
            bom = boms.get(product)
            if not bom:
                continue
            one = product.uom_id._compute_quantity(1, bom.product_uom_id, round=False)
            # Odoo rounds the components up, so a whole batch is exploded and not a part of it.
            _boms, lines = bom.explode(product, 1)
            share = one / bom.product_qty
            parts = {}
            for line, data in lines:
                component = line.product_id
                if component.is_storable and data["qty"]:
                    quantity = line.product_uom_id._compute_quantity(
                        data["qty"] * share, component.uom_id, round=False
                    )
                    parts[component] = parts.get(component, 0.0) + quantity
            if parts:
                found[product] = parts
        return found

    @api.model
    def _keycrm_kits_with(self, product_ids, company):
        """Return the kits with these components, also kits of kits.

        :param product_ids: ids of the components
        :param company: ``res.company``, one
        :return: ``product.product``
        """
        found = self.env["product.product"]
        wanted = list(product_ids)
        while wanted:
            lines = (
                self.env["mrp.bom.line"]
                .sudo()
                .search(
                    [
                        ("product_id", "in", wanted),
                        ("bom_id.type", "=", "phantom"),
                        ("bom_id.company_id", "in", (company.id, False)),
                    ]
                )
            )
            kits = lines.bom_id._keycrm_products() - found
            found |= kits
            wanted = kits.ids
        return found

    @api.model
    def _keycrm_kits_of_company(self, company):
        """Return all kits of a company with their components, as :meth:`_keycrm_parts`.

        :param company: ``res.company``, one
        """
        boms = self.sudo().search(
            [("type", "=", "phantom"), ("company_id", "in", (company.id, False))]
        )
        return self._keycrm_parts(boms._keycrm_products(), company)


class MrpBomLine(models.Model):
    _inherit = "mrp.bom.line"

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines.bom_id._keycrm_enqueue_kits()
        return lines

    def write(self, vals):
        result = super().write(vals)
        self.bom_id._keycrm_enqueue_kits()
        return result

    def unlink(self):
        self.bom_id._keycrm_enqueue_kits()
        return super().unlink()
