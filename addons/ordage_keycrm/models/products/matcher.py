from odoo import api, models

from ...keycrm import product_matching
from ...keycrm.errors import ImportProblem
from ...keycrm.naming import shortened
from ...keycrm.product_matching import AmbiguousProduct, KnownProducts, Plan, Plans
from ...services.common.values import by_keycrm_id


class KeycrmProductMatcher(models.AbstractModel):
    """Find or create the products of goods, for the lines of orders and for the whole catalog.

    ``keycrm/product_matching.py`` decides. A batch is looked up with one query for each kind of record.
    Called under the company lock, so that no other worker creates products at the same time.
    """

    _name = "keycrm.product.matcher"
    _description = "KeyCRM product matching"

    @api.model
    def _match(self, account, goods, *, of_line=None, make=True):
        """Find or create the products of goods.

        :param account: ``keycrm.account``, one
        :param goods: list of :class:`~.keycrm.product_data.Goods`
        :param of_line: ``{line number: product}`` of lines that Odoo has already
        :param make: whether to create missing products
        :return: ``({key: product}, {key: ImportProblem})``; a key in neither has no product, and none was
            to be created
        """
        of_line = of_line or {}
        offers = self._search_offers(account, goods)
        known = self._prefetch(account, goods, offers)
        choices, problems, plans = {}, {}, Plans()
        # Offers first: a one-off line with the same SKU is then the same product.
        for one in sorted(goods, key=lambda one: not one.offer_id):
            if one.key in choices:
                continue
            try:
                choice = self._choose(known, one, of_line.get(one.line_id))
            except ImportProblem as problem:
                problems[one.key] = problem
                continue
            if not choice and make:
                choice = plans.plan(one)
            if choice:
                choices[one.key] = choice
        planned = list(dict.fromkeys(c for c in choices.values() if isinstance(c, Plan)))
        barcodes = self._barcode_owners(goods)
        if planned:
            self._create_products(account, planned, barcodes)
        found = {
            key: choice.product if isinstance(choice, Plan) else choice
            for key, choice in choices.items()
        }
        # Their values are read for all of them at once.
        found_ids = [product.id for product in found.values()]
        found = {key: product.with_prefetch(found_ids) for key, product in found.items()}
        created_ids = {plan.product.id for plan in planned}
        mappings = by_keycrm_id(offers)
        self._map_offers(account, goods, found, mappings, barcodes, created_ids)
        return found, problems

    # === LOOKUP ===#

    @api.model
    def _search_offers(self, account, goods):
        """Return the mappings of offers with the ids or SKUs of goods.

        :return: ``keycrm.offer``
        """
        return self.env["keycrm.offer"].search(
            [
                ("account_id", "=", account.id),
                "|",
                ("keycrm_id", "in", [one.offer_id for one in goods if one.offer_id]),
                ("sku_key", "in", list({one.sku_key for one in goods if one.sku_key})),
            ]
        )

    @api.model
    def _prefetch(self, account, goods, offers):
        """Read once for the batch the products by which goods may be recognized.

        :param offers: see :meth:`_search_offers`
        :return: :class:`~.keycrm.product_matching.KnownProducts`
        """
        chosen_by_sku, chosen_by_name = self.env["keycrm.product.mapping"]._lookup(account, goods)
        by_barcode = self._grouped(
            account, "barcode", {one.barcode for one in goods if one.barcode}
        )
        mapped = self.env["keycrm.offer"]
        if by_barcode:
            products = self.env["product.product"].union(*by_barcode.values())
            mapped = mapped.search(
                [("account_id", "=", account.id), ("product_id", "in", products.ids)]
            )
        return KnownProducts(
            mapped={offer.keycrm_id: offer.product_id for offer in offers},
            chosen_by_sku=chosen_by_sku,
            chosen_by_name=chosen_by_name,
            by_sku=self._grouped(
                account, "keycrm_sku_key", {one.sku_key for one in goods if one.sku_key}
            ),
            by_offer_sku={
                key: some.product_id for key, some in offers.grouped("sku_key").items() if key
            },
            by_barcode=by_barcode,
            by_name=self._grouped(
                account, "keycrm_one_off_key", {one.name_key for one in goods if one.name_key}
            ),
            by_generated_sku=self._former_products(account, goods, offers),
            mapped_ids=set(mapped.product_id.ids),
        )

    @api.model
    def _former_products(self, account, goods, offers):
        """Return the products that offers without a SKU had before the addon was uninstalled.

        The name is compared too: the number may be that of another account's offer.

        :param offers: see :meth:`_search_offers`
        :return: ``{offer: product}``
        """
        known = set(offers.mapped("keycrm_id"))
        wanted = {
            one.generated_sku: one
            for one in goods
            if one.offer_id and not one.sku_key and one.offer_id not in known
        }
        return {
            wanted[sku].offer_id: found
            for sku, found in self._grouped(account, "default_code", wanted).items()
            if len(found) == 1
            and found.active
            and found.name in (wanted[sku].full_name, shortened(wanted[sku].name))
            and not found.keycrm_offer_ids
        }

    @api.model
    def _grouped(self, account, field_name, values):
        """Search products that the company may use; archived ones count where no active one has the value.

        :return: ``{value: products}``
        """
        found = {}
        if not values:
            return found
        products = self.env["product.product"].with_context(active_test=False)
        for product in products.search(
            [
                (field_name, "in", list(values)),
                *products._check_company_domain(account.company_id),
            ],
            order="id",
        ):
            value = product[field_name]
            found[value] = found.get(value, products) | product
        return {value: products.filtered("active") or products for value, products in found.items()}

    # === DECISION ===#

    @api.model
    def _choose(self, known, goods, of_line):
        """Return the product that stands for the goods; empty where there is none.

        :param known: :class:`~.keycrm.product_matching.KnownProducts`
        :param goods: :class:`~.keycrm.product_data.Goods`
        :param of_line: product that the line has in Odoo already, or None
        :raise ImportProblem: when a SKU or barcode belongs to several products
        """
        try:
            return product_matching.choose(known, goods, of_line)
        except AmbiguousProduct as error:
            names = ", ".join(
                f"{product.with_context(display_default_code=False).display_name} (ID {product.id})"
                for product in error.products
            )
            raise ImportProblem(
                f"{error.kind}_ambiguous", products=names, **{error.kind: error.value}
            ) from None

    # === OFFERS ===#

    @api.model
    def _map_offers(self, account, goods, found, mappings, barcodes, created_ids):
        """Map offers to their products, and update products from the catalog.

        :param created_ids: ids of new products, which have all values of the catalog already
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
                    **self._known_vals(latest[number]),
                }
                for number in new
            ]
        )
        offers = {**mappings, **dict(zip(new, created, strict=True))}
        followed = {}
        for number, one in latest.items():
            offer, product = offers[number], found[one.key]
            if product.keycrm_origin == "one_off" and product.id not in created_ids:
                product.keycrm_origin = "catalog"
            if number in mappings:
                if offer.product_id != product:
                    offer.product_id = product
                if (
                    one.updated_at
                    and offer.keycrm_updated_at
                    and (one.updated_at < offer.keycrm_updated_at)
                ):
                    # The given data is older than the stored data.
                    continue
                vals = {
                    name: value
                    for name, value in self._offer_vals(one).items()
                    if value and (name == "catalog_at" or offer[name] != value)
                }
                if vals:
                    offer.write(vals)
                self._record_values(account, offer, one)
            self._update_product(
                account, offer, product, one, barcodes, is_new=product.id in created_ids
            )
            followed[number] = one
        self._price_variants(account, followed, found, offers, created_ids)

    @api.model
    def _known_vals(self, goods):
        """Return the values that a new offer has in KeyCRM."""
        vals = {}
        for name, amount in (("purchased_price", goods.offer_cost), ("price", goods.price)):
            if amount is not None:
                vals |= {name: float(amount), f"{name}_at": self.env.cr.now()}
        return vals

    @api.model
    def _record_values(self, account, offer, goods):
        """Record the catalog's values; a manager's change in KeyCRM is compared with Odoo's value."""
        for kind, amount in (("cost", goods.offer_cost), ("price", goods.price)):
            if offer._record_read(kind, amount, goods.updated_at):
                self.env["keycrm.offer.change"]._enqueue(
                    kind, offer.product_id.ids, account.company_id
                )

    @api.model
    def _offer_vals(self, goods):
        return {
            "sku": goods.sku or False,
            "keycrm_product_id": goods.catalog_id or False,
            "keycrm_updated_at": goods.updated_at or False,
            "catalog_at": self.env.cr.now() if goods.name_is_from_catalog else False,
        }
