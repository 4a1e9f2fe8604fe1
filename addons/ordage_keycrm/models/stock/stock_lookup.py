from odoo import models
from odoo.tools import SQL

from ...const import LOOKUP_ROWS
from ...keycrm.catalog import StockAnswer, Warehouse, offers_by_id
from ...keycrm.errors import KeyCrmError
from ...keycrm.naming import sku_key
from ...keycrm.stock_lookup import SKU_FILTER_BYTES, is_requestable, sku_batches
from ...services.transactions import company_lock, run_in_transaction


class KeycrmAccount(models.Model):
    """What the stock worker reads from KeyCRM: offers by SKU, and quantities by offer."""

    _inherit = "keycrm.account"

    # === OFFERS ===#

    def _map_by_sku(self, client, products):
        """Find the offers of products that have none: by SKU, many in one request.

        A SKU that holds a comma would break the list (confirmed), and one that is too long for an
        address cannot be asked for: both wait for the comparison. What KeyCRM does not have is
        remembered, and asked again only when the SKU changes.

        :return: False when there is more to ask for in another pass; what was found is kept
        """
        Missing = self.env["keycrm.missing.sku"].sudo()
        asked = Missing._asked(self, products)
        wanted, unaskable = {}, self.env["product.product"]
        for product in products:
            sku = (product.default_code or "").strip()
            if asked.get(product.id, None) == sku:
                continue
            if is_requestable(sku):
                wanted.setdefault(sku_key(sku), []).append(product)
            else:
                unaskable |= product
        if unaskable:
            run_in_transaction(self.env.cr, lambda: Missing._remember(self, unaskable))
        skus = {key: same[0].default_code.strip() for key, same in wanted.items()}
        for part in sku_batches(skus, lambda: self._request_rows(LOOKUP_ROWS), SKU_FILTER_BYTES):
            if self._is_time_up():
                return False
            try:
                offers = self._read_offers_by_sku(client, [skus[key] for key in part])
            except KeyCrmError as error:
                if not self._is_single_fault(error, part):
                    return False
                aside = self.env["product.product"].union(*wanted[part[0]])
                reason = self._reason_of(error)
                run_in_transaction(
                    self.env.cr,
                    lambda aside=aside, reason=reason: Missing._remember(self, aside, reason),
                )
                continue
            # The orders' worker mappings offers too: one of the two at a time.
            with company_lock(self):
                run_in_transaction(
                    self.env.cr,
                    lambda part=part, offers=offers: self._store_mappings(
                        {key: wanted[key] for key in part}, offers
                    ),
                )
        return True

    def _read_offers_by_sku(self, client, skus):
        """Read all offers with these SKUs: where KeyCRM has a SKU several times, they fill pages.

        :return: list of :class:`~..keycrm.catalog.Offer`
        """
        # Nothing is held open during the request.
        self.env.cr.commit()
        found = {}
        for page in client.pages("/offers", {"filter[sku]": ",".join(skus)}):
            found.update(offers_by_id(page.rows))
        return list(found.values())

    def _store_mappings(self, wanted, offers):
        """Map what KeyCRM has exactly once to the one product with that SKU; note the rest as
        missing.

        :param wanted: ``{sku key: [product]}``
        :param offers: :class:`~..keycrm.catalog.Offer` as KeyCRM answered
        """
        self._end_isolation("GET")
        by_sku = {}
        for offer in offers:
            by_sku.setdefault(sku_key(offer.sku), {})[offer.id] = offer
        known = self._known_offer_numbers([offer.id for offer in offers])
        mappings, missing = [], self.env["product.product"]
        owners = self._count_owners(wanted)
        for key, products in wanted.items():
            found = list(by_sku.get(key, {}).values())
            if len(found) == 1 and owners.get(key) == 1 and found[0].id not in known:
                mappings.append((found[0].id, found[0].sku, products[0]))
                continue
            if len(found) == 1 and owners.get(key) == 1:
                self._move_archived_mappings({found[0].id: products[0]})
            missing = missing.union(*products)
        self._create_mappings(mappings)
        # An order may have mapped them in the meantime.
        missing -= self._offers_of(missing).product_id
        self.env["keycrm.missing.sku"].sudo()._remember(self, missing)

    def _count_owners(self, keys):
        """Count the products with these SKUs, also those that did not change just now.

        :param keys: SKU keys
        :return: ``{sku key: number of products}``
        """
        company = ("company_id", "in", (self.company_id.id, False))
        return dict(
            self.env["product.product"]._read_group(
                [("keycrm_sku_key", "in", list(keys)), company], ["keycrm_sku_key"], ["__count"]
            )
        )

    def _known_offer_numbers(self, numbers):
        """:return: which of these offers of KeyCRM are mapped already"""
        return set(
            self.env["keycrm.offer"]
            .sudo()
            .search([("account_id", "=", self.id), ("keycrm_id", "in", list(numbers))])
            .mapped("keycrm_id")
        )

    def _replace_archived(self, by_key):
        """Map offers whose products are archived to the one active product of the same SKU.

        :param by_key: ``{sku key: [(KeyCRM's number, sku)]}`` that were read
        """
        numbers = [found[0][0] for found in by_key.values() if len(found) == 1]
        offers = (
            self.env["keycrm.offer"]
            .sudo()
            .search(
                [
                    ("account_id", "=", self.id),
                    ("product_id.active", "=", False),
                    ("keycrm_id", "in", numbers),
                ]
            )
        )
        if not offers:
            return
        products = self.env["product.product"].search(
            [
                ("keycrm_sku_key", "in", offers.product_id.mapped("keycrm_sku_key")),
                ("company_id", "in", (self.company_id.id, False)),
            ]
        )
        same = products.grouped("keycrm_sku_key")
        wanted = {offer.keycrm_id: same.get(offer.product_id.keycrm_sku_key) for offer in offers}
        self._move_archived_mappings(
            {number: found for number, found in wanted.items() if found and len(found) == 1}
        )

    def _move_archived_mappings(self, products):
        """Map offers of archived products to the active ones that have their SKU now.

        :param products: ``{KeyCRM's number: product}``
        """
        offers = self.env["keycrm.offer"].sudo()
        offers = offers.search([("account_id", "=", self.id), ("keycrm_id", "in", list(products))])
        for offer in offers:
            product = products[offer.keycrm_id]
            if not offer.product_id.active and (
                offer.product_id.keycrm_sku_key == product.keycrm_sku_key
            ):
                offer.product_id = product

    def _create_mappings(self, mappings):
        """Map offers to products, and forget that these were not in KeyCRM.

        :param mappings: ``[(KeyCRM's number, sku, product)]``
        """
        offers = (
            self.env["keycrm.offer"]
            .sudo()
            .with_context(keycrm_stock_worker=True)
            .create(
                [
                    {
                        "account_id": self.id,
                        "keycrm_id": number,
                        "sku": sku,
                        "product_id": product.id,
                    }
                    for number, sku, product in mappings
                ]
            )
        )
        self.env["keycrm.missing.sku"].sudo()._forget(self, offers.product_id)
        return offers

    def _offers_of(self, products):
        """:return: ``keycrm.offer`` of these products that KeyCRM still has"""
        return (
            self.env["keycrm.offer"]
            .sudo()
            .search(
                [
                    ("account_id", "=", self.id),
                    ("product_id", "in", products.ids),
                    ("is_missing_in_keycrm", "=", False),
                ],
                order="id",
            )
        )

    # === WHAT KEYCRM HAS ===#

    def _levels_to_read(self, offers, look_ids):
        """Choose what is read before anything is sent: what KeyCRM moved by itself, and what was
        never read or sent, so that nothing is sent that KeyCRM has already.

        :param look_ids: ids of products whose rows in the outbox ask for it
        """
        unread = set()
        for warehouse in self._sending_warehouses():
            levels = self.env["keycrm.stock.level"].sudo()._of(warehouse, offers)
            unread |= set(offers.ids) - levels.keys()
        return offers.filtered(lambda o: o.product_id.id in look_ids or o.id in unread)

    def _read_levels(self, client, offers, change_ids=()):
        """Read from KeyCRM what it has of these offers, fifty a request.

        Each answer is noted at once, together with the fact that these need no second look: a
        reading that breaks off goes on where it was, and what was not read stays as it is.

        :param change_ids: rows of the outbox that this look answers
        :return: False when the time was up before all were read
        """
        for part in self._request_parts(offers, LOOKUP_ROWS):
            if self._is_time_up():
                return False
            try:
                answer = self._read_stock_rows(client, part.mapped("keycrm_id"))
            except KeyCrmError as error:
                if not self._is_single_fault(error, part):
                    return False
                # Not read, as one that KeyCRM does not answer for: its level stays as it is.
                answer = StockAnswer({}, frozenset(part.mapped("keycrm_id")))
            run_in_transaction(
                self.env.cr,
                lambda part=part, answer=answer: self._store_levels(part, answer, list(change_ids)),
            )
        return True

    def _read_stock_rows(self, client, numbers):
        """Read at most fifty offers' stock with its warehouses.

        :param numbers: KeyCRM's numbers
        :return: :class:`~..keycrm.catalog.StockAnswer`
        """
        # Nothing is held open while KeyCRM is asked.
        self.env.cr.commit()
        page = client.page(
            "/offers/stocks",
            {"filter[offers_id]": ",".join(map(str, numbers)), "filter[details]": "true"},
        )
        return self._parse_stock_rows(page.rows)

    def _parse_stock_rows(self, rows):
        """Parse rows of ``/offers/stocks``; where KeyCRM uses no warehouses, the only matched one has the
        total.

        :param rows: the decoded rows
        :return: :class:`~..keycrm.catalog.StockAnswer`
        """
        matched = self.warehouse_ids.filtered("warehouse_ids")
        is_one = len(matched) == 1
        return StockAnswer.parse(
            rows, Warehouse(matched.keycrm_id, matched.name) if is_one else None
        )

    def _store_levels(self, offers, answer, change_ids):
        """Take over what KeyCRM has of these offers in the matched warehouses.

        What KeyCRM did not answer for stays as it is; nothing is concluded from its absence.

        :param answer: :class:`~..keycrm.catalog.StockAnswer`
        """
        rows = answer.entries
        if rows:
            self._end_isolation("GET")
        answered = offers.filtered(lambda offer: offer.keycrm_id in rows)
        Level = self.env["keycrm.stock.level"].sudo()
        for warehouse in self.warehouse_ids.filtered("warehouse_ids"):
            Level._record_read(
                warehouse,
                {
                    offer.id: sum(
                        float(entry.quantity)
                        for entry in rows[offer.keycrm_id]
                        if entry.warehouse.id == warehouse.keycrm_id
                    )
                    for offer in answered
                },
            )
        self._store_unmapped_quantities(answered, rows)
        self.env.cr.execute(
            SQL(
                """UPDATE keycrm_stock_change SET refresh_first = FALSE
                    WHERE id = ANY(%s) AND refresh_first AND product_id = ANY(%s)""",
                change_ids,
                offers.product_id.ids,
            )
        )
        self.env["keycrm.stock.change"].invalidate_model(["refresh_first"])

    def _store_unmapped_quantities(self, offers, rows):
        """Record what KeyCRM has of offers in warehouses that are not matched: its stock webhook
        counts it too, and names no warehouse (confirmed)."""
        matched = set(self.warehouse_ids.filtered("warehouse_ids").mapped("keycrm_id"))
        for offer in offers:
            elsewhere = sum(
                float(entry.quantity)
                for entry in rows[offer.keycrm_id]
                if entry.warehouse.id not in matched
            )
            if offer.elsewhere_quantity != elsewhere:
                offer.elsewhere_quantity = elsewhere
