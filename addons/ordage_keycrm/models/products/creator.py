from odoo import api, models
from odoo.fields import Command
from odoo.tools.sql import escape_psql

from ...keycrm.naming import shortened, sku_key
from ...keycrm.parsing import visible
from ...keycrm.product_data import unit_reference
from ...services.account.currency import AccountCurrency
from ...services.common.concurrency import retry_on_unique_violation


class KeycrmProductMatcher(models.AbstractModel):
    """Create products with readable names, each with a SKU of its own."""

    _inherit = "keycrm.product.matcher"

    @api.model
    def _create_products(self, account, plans, barcodes):
        """Create the planned products.

        :param plans: list of :class:`~.keycrm.product_matching.Plan`; their ``product`` is set
        :param barcodes: :class:`~.keycrm.barcodes.Barcodes` that are taken
        """
        skus = self._new_skus(plans)
        flat = []
        for plan in plans:
            plan.product = self._create_variant(account, plan.goods, skus[plan], barcodes)
            if not plan.product:
                flat.append(plan)
        Product = self.env["product.product"]
        # Odoo would query them for each product.
        defaults = Product.default_get(["lot_sequence_id", "has_available_route_ids"])
        products = Product.create(
            [
                {
                    **defaults,
                    "name": plan.goods.full_name or skus[plan],
                    "type": "consu",
                    "is_storable": True,
                    "list_price": self._price(account, plan.goods) or 0.0,
                    "taxes_id": [Command.clear()],
                    "company_id": account.company_id.id,
                    "uom_id": self._unit(plan.goods).id,
                    "standard_price": self._cost(account, plan.goods),
                    **self._prepare_variant_values(account, plan.goods, skus[plan], barcodes),
                }
                for plan in flat
            ]
        )
        for plan, product in zip(flat, products, strict=True):
            plan.product = product

    @api.model
    def _prepare_variant_values(self, account, goods, sku, barcodes):
        """Return the values of a new variant.

        :param account: ``keycrm.account``, one
        :param goods: :class:`~.keycrm.product_data.Goods`
        :param sku: SKU of the variant
        :param barcodes: :class:`~.keycrm.barcodes.Barcodes` that are used, extended
        """
        company = account.company_id.id
        barcode = goods.barcode if barcodes.owner(goods.barcode, company) is None else ""
        vals = {
            "default_code": sku,
            "barcode": barcode or False,
            "weight": self._weight(account, goods),
            "keycrm_origin": "catalog" if goods.offer_id else "one_off",
            "keycrm_one_off_key": False if goods.offer_id else goods.name_key or False,
            "keycrm_sku_generated": not visible(goods.sku),
        }
        if barcode:
            # Used from now on, for the other products of the batch too.
            barcodes.take(barcode, company)
        return vals

    @api.model
    def _price(self, account, goods):
        """Return the sales price in the company's currency.

        :return: None where KeyCRM has no price, or no rate to the company's currency was entered
        """
        if goods.price is not None:
            return AccountCurrency(account).to_company_currency(goods.price, goods.currency_code)
        if goods.offer_id and not goods.line_price:
            return None
        return AccountCurrency(account).to_company_currency(goods.line_price, goods.line_currency)

    @api.model
    def _cost(self, account, goods):
        """Return the cost in the company's currency.

        :return: 0.0 without a cost or an exchange rate
        """
        return AccountCurrency(account).to_company_currency(goods.cost, goods.currency_code) or 0.0

    @api.model
    def _weight(self, account, goods):
        """Return the weight in Odoo's unit.

        :return: 0.0 until a user has chosen KeyCRM's unit of weight
        """
        if not goods.weight or not account.weight_unit:
            return 0.0
        unit = self.env["product.template"]._get_weight_uom_id_from_ir_config_parameter()
        theirs = self.env.ref(f"uom.{account.weight_unit}", raise_if_not_found=False)
        if not theirs:
            return 0.0
        return theirs._compute_quantity(float(goods.weight), unit, round=False)

    @api.model
    def _unit(self, goods):
        """Return Odoo's unit of measure for KeyCRM's: a known one, one with its name, or a new one."""
        known = self._known_unit(unit_reference(goods.unit))
        if known:
            return known
        name = visible(goods.unit) or "?"
        Unit = self.env["uom.uom"]
        for lang, _label in self.env["res.lang"].get_installed():
            found = Unit.with_context(lang=lang).search(
                [("name", "=ilike", escape_psql(name))], limit=1
            )
            if found:
                return found.with_env(self.env)
        return Unit.create({"name": name})

    @api.model
    def _known_unit(self, reference):
        """Return a unit of measure of Odoo; ``env.ref`` would query it each time.

        :param reference: external id, or empty
        :return: ``uom.uom``, empty where Odoo does not have it
        """
        unit_id = reference and self.env["ir.model.data"]._xmlid_to_res_id(reference)
        return self.env["uom.uom"].browse(unit_id or ())

    # === SKU ===#

    @api.model
    def _new_skus(self, plans):
        """Return the SKUs of planned products: KeyCRM's, or readable, unused generated ones.

        "KC-55" for offer 55, "KC-L123" for the one-off line 123. SKUs of archived products and of other
        companies are used too. The company lock prevents two workers from choosing at once.

        :return: ``{plan: SKU}``
        """
        found = {plan: sku for plan in plans if (sku := visible(plan.goods.sku))}
        bases = {plan: plan.goods.generated_sku for plan in plans if plan not in found}
        if not bases:
            return found
        taken = self._taken_skus({sku_key(base) for base in bases.values()})
        taken |= {sku_key(sku) for sku in found.values()}
        for plan, base in bases.items():
            sku, number = base, 1
            while sku_key(sku) in taken:
                number += 1
                sku = f"{base}-{number}"
                taken |= self._taken_skus({sku_key(sku)})
            taken.add(sku_key(sku))
            found[plan] = sku
        return found

    @api.model
    def _taken_skus(self, keys):
        products = self.env["product.product"].sudo().with_context(active_test=False)
        return set(products.search([("keycrm_sku_key", "in", list(keys))]).mapped("keycrm_sku_key"))

    # === REAL VARIANTS ===#

    @api.model
    def _create_variant(self, account, goods, sku, barcodes):
        """Create an Odoo variant where the account's settings require it.

        Variants of one KeyCRM product become variants of one Odoo product. It is found by the mappings of
        its other offers, and extended; an offer with other properties gets a new product.

        :return: ``product.product``; empty where there is none
        """
        none = self.env["product.product"]
        names = [prop.name.strip().lower() for prop in goods.properties]
        if (
            not account.product_variants
            or not goods.catalog_id
            or not names
            or "" in names
            or len(set(names)) < len(names)
        ):
            return none
        template = self._template_of(account, goods, set(names)) or self._create_template(
            account, goods
        )
        values = self.env["product.attribute.value"]
        for prop in goods.properties:
            line = template.attribute_line_ids.filtered(
                lambda line, name=prop.name: line.attribute_id.name.lower() == name.strip().lower()
            )
            value = self._attribute_value(line.attribute_id, prop.value)
            if value not in line.value_ids:
                line.write({"value_ids": [Command.link(value.id)]})
            values |= value
        combination = template.attribute_line_ids.product_template_value_ids.filtered(
            lambda value: value.ptav_active and value.product_attribute_value_id in values
        )
        variant = template._create_product_variant(combination)
        if not variant or variant.default_code:
            # KeyCRM has two variants with the same properties.
            return none
        variant.write(
            {
                "standard_price": self._cost(account, goods),
                **self._prepare_variant_values(account, goods, sku, barcodes),
            }
        )
        return variant

    @api.model
    def _template_of(self, account, goods, names):
        """Return the product of the other variants of the KeyCRM product."""
        templates = (
            self.env["keycrm.offer"]
            .search(
                [
                    ("account_id", "=", account.id),
                    ("keycrm_product_id", "=", goods.catalog_id),
                ]
            )
            .product_id.product_tmpl_id
        )
        templates |= (
            self.env["product.template"]
            .with_context(active_test=False)
            .search(
                [
                    ("keycrm_catalog_account_id", "=", account.id),
                    ("keycrm_catalog_id", "=", goods.catalog_id),
                ]
            )
        )
        return templates.filtered(
            lambda template: (
                template.has_dynamic_attributes()
                and {line.attribute_id.name.lower() for line in template.attribute_line_ids}
                == names
            )
        )[:1]

    @api.model
    def _create_template(self, account, goods):
        lines = []
        for prop in goods.properties:
            attribute = self._attribute(prop.name.strip())
            value = self._attribute_value(attribute, prop.value)
            lines.append(
                Command.create(
                    {"attribute_id": attribute.id, "value_ids": [Command.set(value.ids)]}
                )
            )
        return self.env["product.template"].create(
            {
                "name": shortened(goods.name) or goods.full_name,
                "type": "consu",
                "is_storable": True,
                "list_price": self._price(account, goods) or 0.0,
                "taxes_id": [Command.clear()],
                "company_id": account.company_id.id,
                "uom_id": self._unit(goods).id,
                "attribute_line_ids": lines,
                "keycrm_catalog_account_id": account.id,
                "keycrm_catalog_id": goods.catalog_id,
            }
        )

    @api.model
    def _attribute(self, name):
        """Find or create the attribute, with variants that are created one by one."""
        Attribute = self.env["product.attribute"]
        found = Attribute.search([("name", "=ilike", escape_psql(name))]).filtered(
            lambda attribute: (
                attribute.create_variant == "dynamic" and attribute.name.lower() == name.lower()
            )
        )
        return found[:1] or Attribute.create({"name": name, "create_variant": "dynamic"})

    @api.model
    def _attribute_value(self, attribute, name):
        found = attribute.value_ids.filtered(lambda value: value.name.lower() == name.lower())
        with retry_on_unique_violation("product.attribute.value"):
            return found[:1] or self.env["product.attribute.value"].create(
                {"attribute_id": attribute.id, "name": name}
            )
