from odoo import api, models

from ..keycrm.errors import ImportProblem
from ..keycrm.naming import one_off_key, product_name, sku_key


class KeycrmOrderImporter(models.AbstractModel):
    """Which product a line stands for: the offer's tie → the one SKU → the barcode → a new product."""

    _inherit = "keycrm.order.importer"

    @api.model
    def _products(self, account, orders, known):
        """Find or make the products of all lines.

        :param known: ``{number: sale.order}`` that Odoo has already
        :return: ``{line id: product.product}``
        :raise ImportProblem: when a SKU or barcode belongs to several products
        """
        lines = [line for order in orders for line in order.lines]
        ties = self._tied(account, lines)
        by_sku = self._by_sku(account, lines)
        by_barcode = self._by_barcode(account, lines)
        of_line = {
            line.keycrm_id: line.product_id
            for record in known.values()
            for line in record.order_line
            if line.keycrm_id
        }
        one_offs = self._one_offs(account, lines)
        found, new_ties = {}, {}
        for line in lines:
            if line.offer:
                product = ties.get(line.offer.id) or self._only_one(
                    by_sku.get(sku_key(line.offer.sku or line.sku)), "sku", line.sku
                )
                product = product or self._only_one(
                    by_barcode.get(line.offer.barcode), "barcode", line.offer.barcode
                )
                if not product:
                    product = self._create_product(account, line, by_sku)
                elif product.keycrm_origin == "one_off":
                    product.keycrm_origin = "catalog"
                if line.offer.id not in ties:
                    ties[line.offer.id] = product
                    new_ties[line.offer.id] = (line, product)
                if not account.keep_product_info:
                    self._follow_catalogue(account, product, line)
            else:
                key = one_off_key(line.name, line.properties)
                product = (
                    self._only_one(by_sku.get(sku_key(line.sku)), "sku", line.sku)
                    or of_line.get(line.id)
                    or one_offs.get(key)
                )
                if not product:
                    product = self._create_product(account, line, by_sku)
                    one_offs[key] = product
            found[line.id] = product
        self.env["keycrm.offer"].create(
            [
                {
                    "account_id": account.id,
                    "keycrm_id": number,
                    "sku": line.offer.sku or line.sku or False,
                    "product_id": product.id,
                }
                for number, (line, product) in new_ties.items()
            ]
        )
        return found

    # === FINDING ===#

    @api.model
    def _tied(self, account, lines):
        """:return: ``{offer number: product}``"""
        offers = self.env["keycrm.offer"].search_fetch(
            [
                ("account_id", "=", account.id),
                ("keycrm_id", "in", [line.offer.id for line in lines if line.offer]),
            ],
            ["keycrm_id", "product_id"],
        )
        return {offer.keycrm_id: offer.product_id for offer in offers}

    @api.model
    def _by_sku(self, account, lines):
        """:return: ``{sku key: products of the company with it}``"""
        keys = {sku_key(line.sku) for line in lines} | {
            sku_key(line.offer.sku) for line in lines if line.offer
        }
        keys.discard("")
        return self._grouped(account, "keycrm_sku_key", keys)

    @api.model
    def _by_barcode(self, account, lines):
        codes = {line.offer.barcode for line in lines if line.offer and line.offer.barcode}
        return self._grouped(account, "barcode", codes)

    @api.model
    def _one_offs(self, account, lines):
        keys = {one_off_key(line.name, line.properties) for line in lines if not line.offer}
        found = self._grouped(account, "keycrm_one_off_key", keys)
        return {key: products[0] for key, products in found.items()}

    @api.model
    def _grouped(self, account, field_name, values):
        found = {}
        if values:
            for product in self.env["product.product"].search(
                [
                    (field_name, "in", list(values)),
                    ("company_id", "in", (account.company_id.id, False)),
                ],
                order="id",
            ):
                found.setdefault(product[field_name], self.env["product.product"])
                found[product[field_name]] |= product
        return found

    @api.model
    def _only_one(self, products, kind, value):
        """No guess between several products.

        :raise ImportProblem: naming all of them
        """
        if not products:
            return self.env["product.product"]
        if len(products) > 1:
            names = ", ".join(f"{product.name} (ID {product.id})" for product in products)
            raise ImportProblem(f"{kind}_ambiguous", products=names, **{kind: value})
        return products

    # === MAKING ===#

    @api.model
    def _create_product(self, account, line, by_sku):
        """Make the product of a line: catalogue or one-off, always with a SKU of its own.

        :param by_sku: ``{sku key: products}``, extended by the new one
        """
        offer = line.offer
        sku = (offer.sku if offer else "") or line.sku or self._new_sku(account, line)
        barcode = offer.barcode if offer else ""
        properties = line.properties or (offer.properties if offer else ())
        cost = line.purchased_price if not offer else (offer.purchased_price or line.purchased_price)
        product = self.env["product.product"].create(
            {
                "name": product_name(line.name, properties) or sku,
                "default_code": sku,
                "barcode": barcode or False,
                "type": "consu",
                "is_storable": True,
                "list_price": float((offer.price if offer else None) or line.price),
                "standard_price": float(cost or 0),
                "weight": float((offer.weight if offer else None) or 0),
                "taxes_id": [],
                "company_id": account.company_id.id,
                "keycrm_origin": "catalog" if offer else "one_off",
                "keycrm_one_off_key": False if offer else one_off_key(line.name, line.properties),
            }
        )
        by_sku[sku_key(sku)] = product
        return product

    @api.model
    def _new_sku(self, account, line):
        """Make a SKU from KeyCRM's number: readable, the same again, and never one that is taken.

        "KC-55" for offer 55, "KC-L123" for the one-off line 123. The company lock keeps two workers
        from choosing at once.
        """
        base = f"KC-{line.offer.id}" if line.offer else f"KC-L{line.id}"
        taken = (
            self.env["product.product"]
            .with_context(active_test=False)
            .search([("keycrm_sku_key", "=like", sku_key(base) + "%")])
            .mapped("keycrm_sku_key")
        )
        sku, number = base, 1
        while sku_key(sku) in taken:
            number += 1
            sku = f"{base}-{number}"
        return sku

    @api.model
    def _follow_catalogue(self, account, product, line):
        """Take over what the catalogue says of a known product; never the SKU, never a line's price."""
        offer = line.offer
        vals = {}
        if offer.price is not None and abs(product.lst_price - float(offer.price)) > 1e-6:
            vals["list_price"] = float(offer.price)
        if offer.weight and abs(product.weight - float(offer.weight)) > 1e-6:
            vals["weight"] = float(offer.weight)
        if offer.barcode and product.barcode != offer.barcode:
            taken = (
                self.env["product.product"]
                .with_context(active_test=False)
                .search_count([("barcode", "=", offer.barcode)], limit=1)
            )
            if not taken:
                vals["barcode"] = offer.barcode
        if offer.name:
            name = product_name(offer.name, offer.properties or line.properties)
            if product.name != name:
                vals["name"] = name
        if vals:
            product.write(vals)
