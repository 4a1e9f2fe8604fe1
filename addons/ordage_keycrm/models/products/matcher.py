from odoo import api, models

from ...keycrm.errors import ImportProblem


class Plan:
    """A product that is to be made, and the goods that it stands for."""

    __slots__ = ("goods", "product")

    def __init__(self, goods):
        self.goods = goods
        self.product = None


class KeycrmProductMatcher(models.AbstractModel):
    """Which product stands for goods: the offer's mapping → a person's choice → the one SKU → the one
    barcode → a new product.

    The same for an order's lines and for the catalog as a whole. A batch is looked up with one
    query for each kind of record. Called under the company lock: no other worker makes products.
    """

    _name = "keycrm.product.matcher"
    _description = "KeyCRM product matching"

    @api.model
    def _match(self, account, goods, *, of_line=None, make=True):
        """Find or make the products of goods.

        :param goods: list of :class:`~..keycrm.product_data.Goods`
        :param of_line: ``{line number: product}`` of lines that Odoo has already
        :param make: whether to make what is not found
        :return: ``({key: product}, {key: ImportProblem})``; what is in neither was not to be made
        """
        of_line = of_line or {}
        look = self._prefetch(account, goods)
        choices, problems = {}, {}
        # Offers first: a one-off line with the same SKU is then the same product.
        for one in sorted(goods, key=lambda one: not one.offer_id):
            if one.key in choices:
                continue
            try:
                choice = self._choose(look, one, of_line.get(one.line_id))
            except ImportProblem as problem:
                problems[one.key] = problem
                continue
            if not choice and make:
                choice = self._planned(look, one)
            if choice:
                choices[one.key] = choice
        plans = list(dict.fromkeys(c for c in choices.values() if isinstance(c, Plan)))
        barcodes = self._barcode_owners(account, goods)
        if plans:
            self._make_products(account, plans, barcodes)
        found = {
            key: choice.product if isinstance(choice, Plan) else choice
            for key, choice in choices.items()
        }
        made = {plan.product.id for plan in plans}
        self._map_offers(account, goods, found, look["ties"], barcodes, made)
        return found, problems

    # === LOOKING UP ===#

    @api.model
    def _prefetch(self, account, goods):
        """Read once for the batch what goods can be recognized by."""
        skus = {one.sku_key for one in goods if one.sku_key}
        offers = self.env["keycrm.offer"].search(
            [
                ("account_id", "=", account.id),
                "|",
                ("keycrm_id", "in", [one.offer_id for one in goods if one.offer_id]),
                ("sku_key", "in", list(skus)),
            ]
        )
        chosen_by_sku, chosen_by_name = self.env["keycrm.product.mapping"]._lookup(account, goods)
        by_barcode = self._grouped(
            account, "barcode", {one.barcode for one in goods if one.barcode}
        )
        rivals = self.env["keycrm.offer"]
        if by_barcode:
            products = self.env["product.product"].union(*by_barcode.values())
            rivals = rivals.search(
                [("account_id", "=", account.id), ("product_id", "in", products.ids)]
            )
        by_offer_sku = {}
        for offer in offers:
            by_offer_sku[offer.sku_key] = by_offer_sku.get(offer.sku_key, rivals) | offer
        return {
            "ties": {offer.keycrm_id: offer for offer in offers},
            "by_offer_sku": by_offer_sku,
            "chosen_by_sku": chosen_by_sku,
            "chosen_by_name": chosen_by_name,
            "by_sku": self._grouped(account, "keycrm_sku_key", skus),
            "by_barcode": by_barcode,
            "tied_by_barcode": set(rivals.product_id.ids),
            "by_name": self._grouped(
                account, "keycrm_one_off_key", {one.name_key for one in goods if one.name_key}
            ),
            "planned_by_sku": {},
            "planned_by_name": {},
        }

    @api.model
    def _grouped(self, account, field_name, values):
        """Look up products of the company; archived ones count where no other has the value.

        :return: ``{value: products}``
        """
        found = {}
        if not values:
            return found
        products = self.env["product.product"].with_context(active_test=False)
        for product in products.search(
            [
                (field_name, "in", list(values)),
                ("company_id", "in", (account.company_id.id, False)),
            ],
            order="id",
        ):
            value = product[field_name]
            found[value] = found.get(value, products) | product
        return {value: products.filtered("active") or products for value, products in found.items()}

    # === CHOOSING ===#

    @api.model
    def _choose(self, look, goods, of_line):
        """Return which product or plan stands for the goods; empty where there is none.

        :raise ImportProblem: when a SKU or barcode belongs to several products
        """
        if goods.offer_id:
            mapping = look["ties"].get(goods.offer_id)
            if mapping:
                return self._active_instead(look, mapping, goods) or mapping.product_id
        chosen = look["chosen_by_sku"].get(goods.sku_key)
        if not chosen and not goods.offer_id:
            chosen = look["chosen_by_name"].get(goods.name_key)
        if chosen:
            return chosen
        found = self._only_one(look["by_sku"].get(goods.sku_key), "sku", goods.sku, of_line)
        if found:
            return found
        if goods.offer_id:
            return self._choose_for_offer(look, goods, of_line)
        return self._choose_for_one_off(look, goods, of_line)

    @api.model
    def _active_instead(self, look, mapping, goods):
        """:return: the active product that has the SKU of an archived one now, if there is exactly one"""
        same = look["by_sku"].get(goods.sku_key)
        if not same or mapping.product_id.active:
            return None
        same = same.filtered("active")
        return same if len(same) == 1 else None

    @api.model
    def _choose_for_offer(self, look, goods, of_line):
        found = self._only_one(
            look["by_barcode"].get(goods.barcode), "barcode", goods.barcode, of_line
        )
        if found and found.id not in look["tied_by_barcode"]:
            return found
        # A one-off line, or goods of its name, that KeyCRM has taken into the catalog meanwhile.
        if of_line and of_line.keycrm_origin == "one_off":
            return of_line
        same = look["by_name"].get(goods.name_key)
        return same and same.filtered(lambda product: product.keycrm_origin == "one_off")[:1]

    @api.model
    def _choose_for_one_off(self, look, goods, of_line):
        if of_line:
            return of_line
        if goods.sku_key:
            mapped = look["by_offer_sku"].get(goods.sku_key)
            products = mapped.product_id if mapped else None
            found = self._only_one(products, "sku", goods.sku, None)
            if found:
                return found
        for product in look["by_name"].get(goods.name_key) or ():
            # Of equal names with SKUs of their own each stays what it is.
            if not goods.sku_key or product.keycrm_sku_generated:
                return product
        return None

    @api.model
    def _only_one(self, products, kind, value, of_line):
        """No guess between several products, but a known line keeps the one it has.

        :raise ImportProblem: naming all of them
        """
        if not products:
            return None
        if len(products) == 1:
            return products
        if of_line and of_line in products:
            return of_line
        names = ", ".join(
            f"{product.with_context(display_default_code=False).display_name} (ID {product.id})"
            for product in products
        )
        raise ImportProblem(f"{kind}_ambiguous", products=names, **{kind: value})

    @api.model
    def _planned(self, look, goods):
        """Plan a new product, once for goods that are the same within the batch."""
        by_sku, by_name = look["planned_by_sku"], look["planned_by_name"]
        plan = by_sku.get(goods.sku_key) if goods.sku_key else None
        if not plan and not goods.offer_id and not goods.sku_key:
            plan = by_name.get(goods.name_key)
        if not plan:
            plan = Plan(goods)
            if goods.sku_key:
                by_sku[goods.sku_key] = plan
            if not goods.offer_id and not goods.sku_key:
                by_name[goods.name_key] = plan
        return plan

    # === TYING ===#

    @api.model
    def _map_offers(self, account, goods, found, mappings, barcodes, made):
        """Remember which offer is which product, and let products follow the catalog.

        :param made: ids of products that are new: they have all from the catalog already
        """
        latest = {}
        for one in goods:
            if one.offer_id and one.key in found:
                latest[one.offer_id] = one
        new = [number for number in latest if number not in mappings]
        created = self.env["keycrm.offer"].create(
            [
                {
                    "account_id": account.id,
                    "keycrm_id": number,
                    "product_id": found[latest[number].key].id,
                    **self._offer_vals(latest[number]),
                }
                for number in new
            ]
        )
        offers = {**mappings, **dict(zip(new, created, strict=True))}
        followed = {}
        for number, one in latest.items():
            offer, product = offers[number], found[one.key]
            if product.keycrm_origin == "one_off" and product.id not in made:
                product.keycrm_origin = "catalog"
            if number in mappings:
                if offer.product_id != product:
                    offer.product_id = product
                if (
                    one.updated_at
                    and offer.keycrm_updated_at
                    and (one.updated_at < offer.keycrm_updated_at)
                ):
                    # Read earlier than what is known already.
                    continue
                vals = {
                    name: value
                    for name, value in self._offer_vals(one).items()
                    if value and (name == "catalog_at" or offer[name] != value)
                }
                if vals:
                    offer.write(vals)
            self._follow(account, offer, product, one, barcodes, is_new=product.id in made)
            followed[number] = one
        self._price_variants(account, followed, found, offers, made)

    @api.model
    def _offer_vals(self, goods):
        return {
            "sku": goods.sku or False,
            "keycrm_product_id": goods.catalogue_id or False,
            "keycrm_updated_at": goods.updated_at or False,
            "catalog_at": self.env.cr.now() if goods.name_is_catalogue else False,
        }
