from odoo.tools import SQL

from ...const import LOOKUP_ROWS
from ...keycrm.catalog import StockAnswer, Warehouse, offers_by_id
from ...keycrm.errors import KeyCrmError
from ...keycrm.naming import sku_key
from ...keycrm.stock_lookup_rules import SKU_FILTER_BYTES, fitting, is_requestable
from ..common.bridge import as_stock_worker
from ..common.service import Service
from ..common.transactions import check_company_is_free, company_lock, run_in_transaction
from .fault_isolation import LOOKUP, READ, FaultIsolation


class StockLookup(Service):
    """Read from KeyCRM: offers by SKU, and quantities by offer."""

    # === OFFERS ===#

    def map_by_sku(self, products, is_interrupted=None):
        """Find the offers of products that have none: by SKU, many in one request.

        A SKU with a comma would split the list (confirmed), and one that is too long for a URL cannot be
        requested: both wait for the comparison. SKUs that KeyCRM does not have are recorded, and
        requested again only when they change.

        :param products: ``product.product``
        :param is_interrupted: called after each request; returns whether other work is more urgent
        :return: False when the deadline passed, it was interrupted, or a request has to be repeated with
            fewer SKUs; mappings that were found are kept
        """
        Missing = self.env["keycrm.missing.sku"].sudo()
        requested = Missing._requested(self.account, products)
        wanted, unrequestable = {}, self.env["product.product"]
        for product in products:
            sku = (product.default_code or "").strip()
            if requested.get(product.id, None) == sku:
                continue
            if is_requestable(sku):
                wanted.setdefault(sku_key(sku), []).append(product)
            else:
                unrequestable |= product
        if unrequestable:
            run_in_transaction(self.env.cr, lambda: Missing._record(self.account, unrequestable))
        isolation = self.service(FaultIsolation)
        skus = {key: same[0].default_code.strip() for key, same in wanted.items()}
        for part in isolation.request_parts(
            list(skus), LOOKUP_ROWS, LOOKUP, lambda keys: fitting(keys, skus, SKU_FILTER_BYTES)
        ):
            if self.options.is_time_up():
                return False
            check_company_is_free(self.account)
            try:
                offers = self._read_offers_by_sku([skus[key] for key in part])
            except KeyCrmError as error:
                if not isolation.is_single_fault(error, part, LOOKUP):
                    return False
                faulty = self.env["product.product"].union(*wanted[part[0]])
                reason = isolation.reason_of(error)
                run_in_transaction(
                    self.env.cr,
                    lambda faulty=faulty, reason=reason: Missing._record(
                        self.account, faulty, reason
                    ),
                )
                isolation.raise_if_all_fail(error, LOOKUP)
                continue
            # The orders worker maps offers too: the lock serializes both.
            with company_lock(self.account):
                run_in_transaction(
                    self.env.cr,
                    lambda part=part, offers=offers: self._store_mappings(
                        {key: wanted[key] for key in part}, offers
                    ),
                )
            if is_interrupted and is_interrupted():
                return False
        return True

    def _read_offers_by_sku(self, skus):
        """Read all offers with these SKUs: where KeyCRM has a SKU several times, they fill pages.

        :param skus: list of SKUs
        :return: list of :class:`~.keycrm.catalog.Offer`
        """
        # No transaction is open during the request.
        self.env.cr.commit()
        found = {}
        for page in self.client.pages("/offers", {"filter[sku]": ",".join(skus)}):
            found.update(offers_by_id(page.rows))
        return list(found.values())

    def _store_mappings(self, wanted, offers):
        """Map the SKUs that KeyCRM and Odoo have exactly once; record the others as missing.

        :param wanted: ``{sku key: [product]}``
        :param offers: :class:`~.keycrm.catalog.Offer` as KeyCRM answered
        """
        self.service(FaultIsolation).accepted(LOOKUP)
        by_sku = {}
        for offer in offers:
            by_sku.setdefault(sku_key(offer.sku), {})[offer.id] = offer
        mapped = self._mapped_numbers([offer.id for offer in offers])
        mappings, missing = [], self.env["product.product"]
        owners = self._count_products(wanted)
        for key, products in wanted.items():
            found = list(by_sku.get(key, {}).values())
            if len(found) == 1 and owners.get(key) == 1 and found[0].id not in mapped:
                mappings.append((found[0].id, found[0].sku, products[0]))
                continue
            if len(found) == 1 and owners.get(key) == 1:
                self._move_archived_mappings({found[0].id: products[0]})
            missing = missing.union(*products)
        self._create_mappings(mappings)
        # An order may have mapped them in the meantime.
        missing -= self.env["keycrm.offer"].sudo()._offers_for(self.account, missing).product_id
        self.env["keycrm.missing.sku"].sudo()._record(self.account, missing)

    def _count_products(self, keys):
        """Count the products with these SKUs, also those that did not change just now.

        :param keys: SKU keys
        :return: ``{sku key: number of products}``
        """
        Product = self.env["product.product"]
        usable = Product._check_company_domain(self.account.company_id)
        return dict(
            Product._read_group(
                [("keycrm_sku_key", "in", list(keys)), *usable], ["keycrm_sku_key"], ["__count"]
            )
        )

    def _mapped_numbers(self, numbers):
        """Return which offers are mapped already.

        :param numbers: KeyCRM's numbers of offers
        :return: set of numbers
        """
        offers = self.env["keycrm.offer"]._with_numbers(self.account, numbers)
        return set(offers.mapped("keycrm_id"))

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
                    ("account_id", "=", self.account.id),
                    ("product_id.active", "=", False),
                    ("keycrm_id", "in", numbers),
                ]
            )
        )
        if not offers:
            return
        Product = self.env["product.product"]
        products = Product.search(
            [
                ("keycrm_sku_key", "in", offers.product_id.mapped("keycrm_sku_key")),
                *Product._check_company_domain(self.account.company_id),
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
        for offer in self.env["keycrm.offer"]._with_numbers(self.account, products):
            product = products[offer.keycrm_id]
            if not offer.product_id.active and (
                offer.product_id.keycrm_sku_key == product.keycrm_sku_key
            ):
                offer.product_id = product

    def _create_mappings(self, mappings):
        """Map offers to products, which are no longer recorded as missing in KeyCRM.

        :param mappings: ``[(KeyCRM's number, sku, product)]``
        :return: ``keycrm.offer``
        """
        offers = as_stock_worker(self.env["keycrm.offer"]).create(
            [
                {
                    "account_id": self.account.id,
                    "keycrm_id": number,
                    "sku": sku,
                    "product_id": product.id,
                }
                for number, sku, product in mappings
            ]
        )
        self.env["keycrm.missing.sku"].sudo()._clear(self.account, offers.product_id)
        return offers

    def map_snapshot(self, snapshots):
        """Map offers by the SKUs that were read: also those that cannot be requested.

        A SKU that KeyCRM or Odoo has twice is not mapped.

        :param snapshots: ``{offer number: (sku, …)}``
        """
        mapped = self._mapped_numbers(snapshots)
        by_key = {}
        for number, (sku, _stock) in snapshots.items():
            if sku_key(sku):
                by_key.setdefault(sku_key(sku), []).append((number, sku))
        free = {
            key: found[0]
            for key, found in by_key.items()
            if len(found) == 1 and found[0][0] not in mapped
        }
        self._replace_archived(by_key)
        Product = self.env["product.product"]
        products = Product.search(
            [
                ("keycrm_sku_key", "in", list(free)),
                *Product._check_company_domain(self.account.company_id),
            ]
        )
        busy = self.env["keycrm.offer"].sudo()._offers_for(self.account, products).product_id
        mappings = [
            (*free[key], same)
            for key, same in products.grouped("keycrm_sku_key").items()
            if len(same) == 1 and same not in busy
        ]
        offers = self._create_mappings(mappings)
        if self.account.push_stock:
            self.env["keycrm.stock.change"].sudo()._enqueue_refresh(
                self.account, offers.product_id.ids
            )

    # === QUANTITIES IN KEYCRM ===#

    def offers_to_read(self, offers, levels, refresh_ids):
        """Choose the offers that are read before anything is sent.

        Those whose quantity KeyCRM itself changed, and those that were never read or sent, so that
        nothing is sent that KeyCRM already has.

        :param offers: ``keycrm.offer``
        :param levels: ``{keycrm.warehouse: {offer id: keycrm.stock.level}}``
        :param refresh_ids: ids of products whose outbox rows require it
        :return: ``keycrm.offer``
        """
        unread = set()
        for known in levels.values():
            unread |= set(offers.ids) - known.keys()
        unread -= self.service(FaultIsolation).deferred_ids()
        return offers.filtered(lambda o: o.product_id.id in refresh_ids or o.id in unread)

    def read_levels(self, offers, change_ids=()):
        """Read the quantities of offers from KeyCRM, fifty a request.

        Each answer is stored at once, together with the fact that these offers need not be read again:
        an interrupted run continues where it was, and levels that were not read stay as they are.

        :param offers: ``keycrm.offer``
        :param change_ids: ids of the outbox rows that required it
        :return: False when the deadline passed before all were read
        """
        isolation = self.service(FaultIsolation)
        for part in isolation.request_parts(offers, LOOKUP_ROWS, READ):
            if self.options.is_time_up():
                return False
            try:
                answer = self.read_rows(part.mapped("keycrm_id"))
            except KeyCrmError as error:
                if not isolation.is_single_fault(error, part, READ):
                    return False
                run_in_transaction(
                    self.env.cr, lambda part=part: self._defer(part, list(change_ids))
                )
                isolation.raise_if_all_fail(error, READ)
                continue
            run_in_transaction(
                self.env.cr,
                lambda part=part, answer=answer: self.store_levels(part, answer, list(change_ids)),
            )
        return True

    def read_rows(self, numbers):
        """Read the stock of at most fifty offers with its warehouses.

        :param numbers: KeyCRM's numbers
        :return: :class:`~.keycrm.catalog.StockAnswer`
        """
        # No transaction is open during the request.
        self.env.cr.commit()
        page = self.client.page(
            "/offers/stocks",
            {"filter[offers_id]": ",".join(map(str, numbers)), "filter[details]": "true"},
        )
        return self.parse_rows(page.rows)

    def parse_rows(self, rows):
        """Parse rows of ``/offers/stocks``.

        Where KeyCRM uses no warehouses, the only matched one has the total.

        :param rows: the decoded rows
        :return: :class:`~.keycrm.catalog.StockAnswer`
        """
        matched = self.account.warehouse_ids.filtered("warehouse_ids")
        is_one = len(matched) == 1
        return StockAnswer.parse(
            rows, Warehouse(matched.keycrm_id, matched.name) if is_one else None
        )

    def store_levels(self, offers, answer, change_ids=()):
        """Store the quantities of offers in the matched warehouses.

        Levels of offers that the answer lacks stay as they are; nothing is concluded from their absence.

        :param offers: ``keycrm.offer``
        :param answer: :class:`~.keycrm.catalog.StockAnswer`
        :param change_ids: ids of the outbox rows that required it
        """
        rows = answer.entries
        if rows:
            self.service(FaultIsolation).accepted(READ)
        answered = offers.filtered(lambda offer: offer.keycrm_id in rows)
        Level = self.env["keycrm.stock.level"].sudo()
        for warehouse in self.account.warehouse_ids.filtered("warehouse_ids"):
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
        self._mark_refreshed(offers, change_ids)

    def _defer(self, offers, change_ids):
        """Record that offers cannot be read: known quantities are sent without reading.

        :param offers: ``keycrm.offer``
        :param change_ids: ids of the outbox rows that required it
        """
        self.service(FaultIsolation).defer(offers.ids)
        # KeyCRM may have changed the last known quantity.
        offers.sudo().level_ids.write({"is_known": False, "read_at": False})
        self._mark_refreshed(offers, change_ids)

    def _mark_refreshed(self, offers, change_ids):
        """Record that offers need not be read again before they are sent.

        :param offers: ``keycrm.offer``
        :param change_ids: ids of the outbox rows that required it
        """
        self.env.cr.execute(
            SQL(
                """UPDATE keycrm_stock_change SET refresh_first = FALSE
                    WHERE id = ANY(%s) AND refresh_first AND product_id = ANY(%s)""",
                list(change_ids),
                offers.product_id.ids,
            )
        )
        self.env["keycrm.stock.change"].invalidate_model(["refresh_first"])

    def _store_unmapped_quantities(self, offers, rows):
        """Store the quantities of offers in warehouses that are not matched.

        KeyCRM's stock webhook includes them and names no warehouse (confirmed).

        :param offers: ``keycrm.offer``
        :param rows: ``{KeyCRM's number: [StockRow]}``
        """
        matched = set(self.account.warehouse_ids.filtered("warehouse_ids").mapped("keycrm_id"))
        for offer in offers:
            elsewhere = sum(
                float(entry.quantity)
                for entry in rows[offer.keycrm_id]
                if entry.warehouse.id not in matched
            )
            if offer.elsewhere_quantity != elsewhere:
                offer.elsewhere_quantity = elsewhere
