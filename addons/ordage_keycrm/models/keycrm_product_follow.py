from odoo import api, models

from ..keycrm.naming import shortened


class KeycrmProductMatcher(models.AbstractModel):
    """Existing products follow KeyCRM's catalogue, unless the account keeps them as they are.

    Never what an order's line says (a marketplace's title, the price of one sale), never the SKU.
    """

    _inherit = "keycrm.product.matcher"

    @api.model
    def _barcode_owners(self, account, goods):
        """Say which barcodes are taken, by products or packagings of the company.

        :return: ``{barcode: product id, or 0 for a packaging}``
        """
        wanted = {one.barcode for one in goods if one.barcode}
        if not wanted:
            return {}
        companies = ("company_id", "in", (account.company_id.id, False))
        products = (
            self.env["product.product"]
            .with_context(active_test=False)
            .search([("barcode", "in", list(wanted)), companies])
        )
        packagings = self.env["product.uom"].search([("barcode", "in", list(wanted)), companies])
        return {
            **{packaging.barcode: 0 for packaging in packagings},
            **{product.barcode: product.id for product in products},
        }

    @api.model
    def _follow(self, account, offer, product, goods, barcodes, *, is_new):
        """Take over what the catalogue says of a product, and note a barcode that cannot be taken.

        :param offer: ``keycrm.offer``
        :param barcodes: see :meth:`_barcode_owners`; extended by what is taken here
        :param is_new: whether the product was made just now, from these very goods
        """
        follows = is_new or not account.keep_product_info
        owner = barcodes.get(goods.barcode)
        is_taken = bool(goods.barcode and owner is not None and product.barcode != goods.barcode)
        self._note_problem(offer, goods, owner, is_taken=is_taken and follows)
        if follows:
            offer._want_picture(goods.picture_url)
        if is_new or account.keep_product_info:
            return
        vals = self._changes(account, product, goods)
        if goods.barcode and not is_taken and product.barcode != goods.barcode:
            vals["barcode"] = goods.barcode
            barcodes[goods.barcode] = product.id
        if vals:
            product.write(vals)

    @api.model
    def _changes(self, account, product, goods):
        """:return: values that differ: name, sales price, weight, and an empty cost"""
        vals = {}
        is_variant = bool(product.product_template_attribute_value_ids)
        if goods.name_is_catalogue:
            # A real variant's name is the product's; its attributes say the rest.
            name = shortened(goods.name) if is_variant else goods.full_name
            if name and product.name != name:
                vals["name"] = name
        if goods.price is not None and not is_variant:
            # The variants of one product share a price: it would follow now one, now another.
            price = self._price(account, goods)
            if price is not None and abs(product.list_price - price) > 1e-6:
                vals["list_price"] = price
        if goods.weight and abs(product.weight - float(goods.weight)) > 1e-6:
            vals["weight"] = float(goods.weight)
        if goods.cost and not product.with_company(account.company_id).standard_price:
            vals["standard_price"] = float(goods.cost)
        return vals

    @api.model
    def _note_problem(self, offer, goods, owner, *, is_taken):
        """Say on the offer that its barcode belongs to another product, or forget that it did."""
        params = None
        if is_taken:
            name = self.env["product.product"].browse(owner).display_name if owner else ""
            params = {"barcode": goods.barcode, "product": name}
        code = "barcode_taken" if is_taken else False
        if (offer.problem_code or False) != code or (is_taken and offer.problem_params != params):
            offer.write({"problem_code": code, "problem_params": params})
