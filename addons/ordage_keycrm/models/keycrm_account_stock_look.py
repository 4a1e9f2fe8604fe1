from odoo import models
from odoo.tools import SQL

from ..const import LOOKUP_ROWS
from ..keycrm.catalogue import StockRow
from ..keycrm.naming import sku_key
from ..keycrm.values import to_int


class KeycrmAccount(models.Model):
    """What the stock worker reads from KeyCRM: offers by SKU, and quantities by offer."""

    _inherit = "keycrm.account"

    # === OFFERS ===#

    def _tie_by_sku(self, client, products):
        """Find the offers of products that have none: by SKU, many in one request.

        A SKU that holds a comma would break the list (confirmed) and waits for the comparison. What
        KeyCRM does not have is remembered, and asked again only when the SKU changes.

        :return: False when the time was up before all were asked for; what was found is kept
        """
        asked = self.env["keycrm.missing.sku"].sudo()._asked(self, products)
        wanted, unaskable = {}, self.env["product.product"]
        for product in products:
            sku = (product.default_code or "").strip()
            if asked.get(product.id, None) == sku:
                continue
            if sku and "," not in sku:
                wanted.setdefault(sku_key(sku), []).append(product)
            else:
                unaskable |= product
        if unaskable:
            self._committed(
                lambda: self.env["keycrm.missing.sku"].sudo()._remember(self, unaskable)
            )
        for part in self._parts_of(wanted, LOOKUP_ROWS):
            if self._is_time_up():
                return False
            skus = ",".join(wanted[key][0].default_code.strip() for key in part)
            page = client.page("/offers", {"filter[sku]": skus})
            offers = list(self._parsed_offers(page.rows).values())
            # The orders' worker ties offers too: one of the two at a time.
            with self._company_lock():
                self._committed(
                    lambda part=part, offers=offers: self._store_ties(
                        {key: wanted[key] for key in part}, offers
                    )
                )
        return True

    def _store_ties(self, wanted, offers):
        """Tie what KeyCRM has exactly once to the one product with that SKU; note the rest as
        missing.

        :param wanted: ``{sku key: [product]}``
        :param offers: :class:`~..keycrm.catalogue.Offer` as KeyCRM answered
        """
        by_sku = {}
        for offer in offers:
            by_sku.setdefault(sku_key(offer.sku), {})[offer.id] = offer
        known = self._known_offer_numbers([offer.id for offer in offers])
        ties, missing = [], self.env["product.product"]
        owners = self._count_owners(wanted)
        for key, products in wanted.items():
            found = list(by_sku.get(key, {}).values())
            if len(found) == 1 and owners.get(key) == 1 and found[0].id not in known:
                ties.append((found[0].id, found[0].sku, products[0]))
            else:
                missing = missing.union(*products)
        self._create_ties(ties)
        # An order may have tied them in the meantime.
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
        """:return: which of these offers of KeyCRM are tied already"""
        return set(
            self.env["keycrm.offer"]
            .sudo()
            .search([("account_id", "=", self.id), ("keycrm_id", "in", list(numbers))])
            .mapped("keycrm_id")
        )

    def _create_ties(self, ties):
        """Tie offers to products, and forget that these were not in KeyCRM.

        :param ties: ``[(KeyCRM's number, sku, product)]``
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
                    for number, sku, product in ties
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
                    ("is_gone", "=", False),
                ],
                order="id",
            )
        )

    # === WHAT KEYCRM HAS ===#

    def _to_look_at(self, offers, look_ids):
        """Choose what is read before anything is sent: what KeyCRM moved by itself, and what was
        never read or sent, so that nothing is sent that KeyCRM has already.

        :param look_ids: ids of products whose rows in the outbox ask for it
        """
        unread = set()
        for warehouse in self._sending_warehouses():
            levels = self.env["keycrm.stock.level"].sudo()._of(warehouse, offers)
            unread |= set(offers.ids) - levels.keys()
        return offers.filtered(lambda o: o.product_id.id in look_ids or o.id in unread)

    def _look_at_levels(self, client, offers, change_ids=()):
        """Read from KeyCRM what it has of these offers, fifty a request.

        Each answer is noted at once, together with the fact that these need no second look: a
        reading that breaks off goes on where it was, and what was not read stays as it is.

        :param change_ids: rows of the outbox that this look answers
        :return: False when the time was up before all were read
        """
        for part in self._parts_of(offers.ids, LOOKUP_ROWS):
            if self._is_time_up():
                return False
            part = offers.browse(part)
            rows = self._read_stock_rows(client, part.mapped("keycrm_id"))
            self._committed(
                lambda part=part, rows=rows: self._note_look(part, rows, list(change_ids))
            )
        return True

    def _read_stock_rows(self, client, numbers):
        """Read at most fifty offers' stock with its warehouses.

        :param numbers: KeyCRM's numbers
        :return: ``{number: [StockRow]}`` of those that KeyCRM answered for, with their warehouses
        """
        # Nothing is held open while KeyCRM is asked.
        self.env.cr.commit()
        page = client.page(
            "/offers/stocks",
            {"filter[offers_id]": ",".join(map(str, numbers)), "filter[details]": "true"},
        )
        return self._parsed_stock(page.rows)

    @staticmethod
    def _parsed_stock(rows):
        """Parse rows of the stock list; a row without its warehouses says nothing.

        :return: ``{number: [StockRow]}``
        """
        found = {}
        for row in rows:
            if isinstance(row.get("warehouse"), list | dict):
                found[to_int(row.get("id"))] = StockRow.parse_list(row)
        return found

    def _note_look(self, offers, rows, change_ids):
        """Take over what KeyCRM has of these offers in the matched warehouses.

        What KeyCRM did not answer for stays as it is; nothing is concluded from its absence.

        :param rows: ``{number: [StockRow]}``
        """
        answered = offers.filtered(lambda offer: offer.keycrm_id in rows)
        Level = self.env["keycrm.stock.level"].sudo()
        for warehouse in self.warehouse_ids.filtered("warehouse_ids"):
            Level._read_as(
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
        self._note_elsewhere(answered, rows)
        self.env.cr.execute(
            SQL(
                """UPDATE keycrm_stock_change SET look_first = FALSE
                    WHERE id = ANY(%s) AND look_first AND product_id = ANY(%s)""",
                change_ids,
                offers.product_id.ids,
            )
        )
        self.env["keycrm.stock.change"].invalidate_model(["look_first"])

    def _note_elsewhere(self, offers, rows):
        """Note what KeyCRM has of offers in warehouses that are not matched: its stock webhook
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
