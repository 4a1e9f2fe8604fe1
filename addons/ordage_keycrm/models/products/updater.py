from decimal import Decimal

from odoo import api, models
from odoo.tools import float_compare

from ...keycrm import variant_prices
from ...keycrm.barcodes import Barcodes
from ...keycrm.naming import shortened
from ...keycrm.product_data import unit_reference, unit_references
from ...services.account.currency import AccountCurrency


class KeycrmProductMatcher(models.AbstractModel):
    """Update existing products from KeyCRM's catalog, unless the account keeps product information.

    Never from an order's line (a marketplace's title, the price of one sale), and never the SKU.
    """

    _inherit = "keycrm.product.matcher"

    @api.model
    def _barcode_owners(self, goods):
        """Search the barcodes that products or packagings of any company use.

        A product that companies share can have none of them.

        :param goods: ``Goods`` of KeyCRM
        :return: :class:`~.keycrm.barcodes.Barcodes`
        """
        barcodes = Barcodes()
        wanted = {one.barcode for one in goods if one.barcode}
        if not wanted:
            return barcodes
        products = (
            self.env["product.product"]
            .with_context(active_test=False)
            .search([("barcode", "in", list(wanted))])
        )
        for packaging in self.env["product.uom"].search([("barcode", "in", list(wanted))]):
            barcodes.take(packaging.barcode, packaging.company_id.id or 0)
        for product in products:
            barcodes.take(product.barcode, product.company_id.id or 0, product.id)
        return barcodes

    @api.model
    def _update_product(self, account, offer, product, goods, barcodes, *, is_new):
        """Update a product from the catalog, and record a barcode conflict.

        :param offer: ``keycrm.offer``
        :param barcodes: see :meth:`_barcode_owners`; extended by the barcode that is written
        :param is_new: whether the product was just created from these goods
        """
        follows = is_new or not account.keep_product_info
        owner = barcodes.owner(goods.barcode, product.company_id.id or 0)
        is_taken = bool(goods.barcode and owner is not None and product.barcode != goods.barcode)
        self._record_barcode_problem(offer, goods, owner, is_taken=is_taken and follows)
        self._record_problem(offer, "unit_differs", self._unit_conflict(product, goods.unit))
        if follows:
            offer._enqueue_picture(goods.picture_url)
        if is_new or account.keep_product_info:
            return
        vals = self._prepare_product_changes(account, product, goods)
        if goods.barcode and not is_taken and product.barcode != goods.barcode:
            vals["barcode"] = goods.barcode
            barcodes.take(goods.barcode, product.company_id.id or 0, product.id)
        if vals:
            product.write(vals)

    @api.model
    def _prepare_product_changes(self, account, product, goods):
        """Return the catalog's name, price and weight where they differ, and a missing cost.

        :param account: ``keycrm.account``, one
        :param product: ``product.product``, one
        :param goods: :class:`~.keycrm.product_data.Goods`
        """
        vals = {}
        is_variant = bool(product.product_template_attribute_value_ids)
        if goods.name_is_from_catalog:
            # A variant has the name of its product; the rest is in its attributes.
            name = shortened(goods.name) if is_variant else goods.full_name
            if name and product.name != name:
                vals["name"] = name
        if goods.price is not None and not is_variant:
            # Variants of one product share its price: see _price_variants.
            price = self._price(account, goods)
            if price is not None and _differs(product, "list_price", price):
                vals["list_price"] = price
        weight = self._weight(account, goods)
        if weight and _differs(product, "weight", weight):
            vals["weight"] = weight
        if goods.cost and not product.with_company(account.company_id).standard_price:
            cost = AccountCurrency(account).to_company_currency(goods.cost, goods.currency_code)
            if cost:
                vals["standard_price"] = cost
        return vals

    # === PRICES OF VARIANTS ===#

    @api.model
    def _price_variants(self, account, goods, found, offers, created_ids):
        """Update the sales prices of variants: the product's price, and extras of one attribute.

        Where no single attribute decides KeyCRM's prices, they are not changed, and the offers display
        it. With product information kept, only the values of new variants get extras.

        :param account: ``keycrm.account``, one
        :param goods: ``{offer number: Goods}``
        :param found: ``{key: product}``
        :param offers: ``{offer number: keycrm.offer}``
        :param created_ids: ids of products that are new
        """
        differing = self.env["product.template"]
        for number, one in goods.items():
            product = found[one.key]
            if one.price is None or not product.product_template_attribute_value_ids:
                continue
            price, offer = self._price(account, one), offers[number]
            if price is None or (account.keep_product_info and product.id not in created_ids):
                continue
            if offer.catalog_price != price:
                offer.catalog_price = price
            if abs(_own_price(product) - price) > 0.005 or offer.problem_code == "variant_price":
                differing |= product.product_tmpl_id
        for template in differing:
            self._price_template(account, template, created_ids)

    @api.model
    def _price_template(self, account, template, created_ids):
        variants = template.product_variant_ids
        mappings = self.env["keycrm.offer"].search(
            [
                ("account_id", "=", account.id),
                ("product_id", "in", variants.ids),
                ("catalog_price", ">", 0),
            ]
        )
        prices = {mapping.product_id: mapping.catalog_price for mapping in mappings}
        rows = [
            (
                {
                    value.attribute_line_id.id: value.id
                    for value in variant.product_template_attribute_value_ids
                },
                Decimal(f"{prices.get(variant, _own_price(variant)):.2f}"),
            )
            for variant in variants
        ]
        fixed = {}
        values = variants.product_template_attribute_value_ids
        if account.keep_product_info:
            old = variants.filtered(lambda variant: variant.id not in created_ids)
            stay = old.product_template_attribute_value_ids
            if old:
                fixed = {value.id: Decimal(f"{value.price_extra:.2f}") for value in stay}
                fixed[variant_prices.BASE] = Decimal(f"{template.list_price:.2f}")
        extras = variant_prices.split(rows, fixed)
        for mapping in mappings.filtered(
            lambda mapping: mapping.problem_code in (False, "variant_price")
        ):
            self._record_variant_price(mapping, solved=extras is not None)
        if extras is None:
            return
        for value in values:
            if abs(value.price_extra - float(extras[value.id])) > 0.005:
                value.price_extra = float(extras[value.id])
        if abs(template.list_price - float(extras[variant_prices.BASE])) > 0.005:
            template.list_price = float(extras[variant_prices.BASE])

    @api.model
    def _record_variant_price(self, mapping, *, solved):
        """Record on the offer whether Odoo has another price than the catalog."""
        params = None
        if not solved and abs(_own_price(mapping.product_id) - mapping.catalog_price) > 0.005:
            params = {
                "price": f"{mapping.catalog_price:.2f}",
                "currency": mapping.account_id.company_id.currency_id.name,
                "product": mapping.product_id.display_name,
            }
        if (mapping.problem_params or None) != params:
            mapping.write({"problem_code": params and "variant_price", "problem_params": params})

    # === PROBLEMS ===#

    @api.model
    def _record_barcode_problem(self, offer, goods, owner, *, is_taken):
        """Record on the offer whether its barcode belongs to another product."""
        params = {}
        if is_taken:
            other = self.env["product.product"].browse(owner or ())
            # Users may have no access to the products of another company.
            usable = offer.company_id.sudo().parent_ids
            name = other.display_name if other and other.company_id <= usable else ""
            params = {"barcode": goods.barcode, "product": name}
        self._record_problem(offer, "barcode_taken", params)

    @api.model
    def _record_problem(self, offer, code, params):
        """Record a problem on an offer, or that it is solved.

        :param params: parameters of the code; empty where there is no problem
        """
        if params and (offer.problem_code, offer.problem_params) != (code, params):
            offer.write({"problem_code": code, "problem_params": params})
        elif not params and offer.problem_code == code:
            offer.write({"problem_code": False, "problem_params": False})

    @api.model
    def _unit_conflict(self, product, unit):
        """Return the units of a product in Odoo and KeyCRM if they conflict.

        Only if both are known: a unit that a shop named itself (a pack) may be the same.

        :param product: ``product.product``, one
        :param unit: KeyCRM's text; empty for pieces, which KeyCRM also has where nobody chose a unit
        :return: parameters of the sentence; empty where the units are the same
        """
        reference, ours = unit and unit_reference(unit), product.uom_id
        theirs = self._known_unit(reference)
        if not theirs or theirs == ours or unit_reference(ours.name) == reference:
            return {}
        if ours._has_common_reference(theirs):
            is_same = not float_compare(ours.factor, theirs.factor, precision_digits=6)
        else:
            # Pieces may be packs, but neither kilograms nor meters.
            known = [self._known_unit(one) for one in unit_references()]
            is_measure = any(one and ours._has_common_reference(one) for one in known)
            is_same = reference == unit_reference("") and not is_measure
        if is_same:
            return {}
        return {"product": product.display_name, "odoo": ours.display_name, "keycrm": unit}


def _differs(product, name, value):
    """Return whether a number would be stored as another one.

    Odoo rounds weights to two digits by default, and a product must not be written with every order.
    """
    digits = product._fields[name].get_digits(product.env)
    return bool(float_compare(product[name], value, precision_digits=digits[1] if digits else 6))


def _own_price(product):
    """Return the price of a variant in Odoo: its product's price and the extras of its values."""
    return product.list_price + sum(
        product.product_template_attribute_value_ids.mapped("price_extra")
    )
