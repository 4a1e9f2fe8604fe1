import logging

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, float_compare

from ..const import LOOKUP_ROWS, STOCK_PUT_ROWS
from ..keycrm.errors import Refused
from ..keycrm.naming import sku_key
from ..keycrm.records import Offer, StockRow

_logger = logging.getLogger(__name__)

#: Rows of the outbox that one run takes; repeats of a product are folded.
OUTBOX_BATCH = 20000


class KeycrmAccount(models.Model):
    """The stock worker: the only place from which quantities leave for KeyCRM."""

    _inherit = "keycrm.account"

    # === ACTION METHODS ===#

    def action_push_all_stock(self):
        """Send every product that was ever counted or moved, whatever KeyCRM has.

        :return: a notification
        :raise UserError: when sending stock is off or no warehouse is matched
        """
        count = self._enqueue_all(look_first=False)
        return self._notification(
            self.env._("The stock of %(count)s products is being sent.", count=count)
        )

    def action_reconcile_stock(self):
        """Compare with KeyCRM: read what it has, send only what differs.

        :return: a notification
        :raise UserError: when sending stock is off or no warehouse is matched
        """
        count = self._enqueue_all(look_first=True)
        return self._notification(
            self.env._("The stock of %(count)s products is being compared.", count=count)
        )

    # === BUSINESS METHODS ===#

    def _forget_stock_accounts(self):
        """Accounts changed: the hook in ``stock.quant`` has to look anew which ones send stock."""
        self.env.registry.clear_cache()

    def _enqueue_all(self, look_first):
        self.ensure_one()
        self._check_manager()
        if not (self.enabled and self.push_stock):
            raise UserError(self.env._("Switch on “Send stock to KeyCRM” first."))
        if not self.warehouse_ids.warehouse_ids:
            raise UserError(self.env._("Match at least one KeyCRM warehouse with an Odoo warehouse."))
        product_ids = self._counted_product_ids()
        if not look_first:
            self.env["keycrm.stock.level"].sudo().search([("account_id", "=", self.id)]).write(
                {"is_known": False}
            )
        self.env["keycrm.stock.change"].sudo()._append(
            [(self.id, product_id) for product_id in product_ids], look_first
        )
        self._wake_stock()
        return len(product_ids)

    def _counted_product_ids(self):
        """Give the products of this company that were ever counted or moved; others are never sent."""
        self.env.cr.execute(
            SQL(
                """SELECT p.id
                     FROM product_product p JOIN product_template t ON t.id = p.product_tmpl_id
                    WHERE p.active AND t.is_storable
                      AND (t.company_id IS NULL OR t.company_id = %(company)s)
                      AND (EXISTS (SELECT FROM stock_quant q
                                    WHERE q.product_id = p.id AND q.company_id = %(company)s)
                           OR EXISTS (SELECT FROM stock_move m
                                       WHERE m.product_id = p.id AND m.state = 'done'
                                         AND m.company_id = %(company)s))
                    ORDER BY p.id""",
                company=self.company_id.id,
            )
        )
        return [product_id for (product_id,) in self.env.cr.fetchall()]

    def _work_stock(self, client):
        """Drain the outbox once: read quantities, send what KeyCRM does not have, forget the rows.

        Exactly the rows that were read are forgotten: what changes meanwhile stays for the next run.
        Quantities are absolute and read after the rows, so a repeated or late run is still right.

        :return: True when there was something
        """
        self.ensure_one()
        change_ids, product_ids, look_ids = self._waiting_changes()
        if not change_ids:
            return False
        if self.push_stock and self.warehouse_ids.warehouse_ids:
            products = self.env["product.product"].browse(product_ids)
            products = products.filtered(lambda p: p.active and p.is_storable)
            self._tie_by_sku(client, products)
            self._look_at_levels(client, products.filtered(lambda p: p.id in look_ids))
            for warehouse in self.warehouse_ids.filtered("warehouse_ids"):
                self._send_warehouse(client, warehouse, products)

        def forget():
            self.env.cr.execute(
                SQL("DELETE FROM keycrm_stock_change WHERE id = ANY(%s)", change_ids)
            )

        self._committed(forget)
        return True

    def _waiting_changes(self):
        """Read the outbox, by SQL because a full push has a row for every product.

        :return: ids of the rows; ids of the products, each once; of these, those to be read first
        """
        self.env.cr.execute(
            SQL(
                """SELECT id, product_id, look_first FROM keycrm_stock_change
                    WHERE account_id = %s ORDER BY id LIMIT %s""",
                self.id,
                OUTBOX_BATCH,
            )
        )
        rows = self.env.cr.fetchall()
        return (
            [row[0] for row in rows],
            list(dict.fromkeys(row[1] for row in rows)),
            {row[1] for row in rows if row[2]},
        )

    # === OFFERS ===#

    def _tie_by_sku(self, client, products):
        """Find the offers of products that have none yet: by SKU, many in one request.

        A SKU that holds a comma would break the list and is left out. What KeyCRM does not have is
        remembered, and asked again only when the SKU changes.
        """
        tied = self.env["keycrm.offer"].sudo().search(
            [("account_id", "=", self.id), ("product_id", "in", products.ids)]
        )
        asked = self.env["keycrm.missing.sku"].sudo()._asked(self, products)
        wanted = {}
        for product in products - tied.product_id:
            sku = (product.default_code or "").strip()
            if sku and "," not in sku and asked.get(product.id) != sku:
                wanted.setdefault(sku_key(sku), []).append(product)
        keys = list(wanted)
        for start in range(0, len(keys), LOOKUP_ROWS):
            part = keys[start : start + LOOKUP_ROWS]
            skus = ",".join(wanted[key][0].default_code.strip() for key in part)
            page = client.page("/offers", {"filter[sku]": skus})
            offers = [Offer.parse(row) for row in page.rows]
            self._committed(
                lambda part=part, offers=offers: self._store_ties(
                    {key: wanted[key] for key in part}, offers
                )
            )

    def _store_ties(self, wanted, offers):
        """Tie what KeyCRM has exactly once to the one product with that SKU; note the rest as missing."""
        by_sku = {}
        for offer in offers:
            by_sku.setdefault(sku_key(offer.sku), []).append(offer)
        Offer_ = self.env["keycrm.offer"].sudo()
        known = Offer_.search(
            [("account_id", "=", self.id), ("keycrm_id", "in", [offer.id for offer in offers])]
        ).mapped("keycrm_id")
        ties, missing = [], self.env["product.product"]
        for key, products in wanted.items():
            found = by_sku.get(key, [])
            if len(found) == 1 and len(products) == 1 and found[0].id not in known:
                ties.append((found[0], products[0]))
            else:
                missing |= self.env["product.product"].union(*products)
        Offer_.create(
            [
                {
                    "account_id": self.id,
                    "keycrm_id": offer.id,
                    "sku": offer.sku,
                    "product_id": product.id,
                }
                for offer, product in ties
            ]
        )
        self.env["keycrm.missing.sku"].sudo()._remember(self, missing)

    # === WHAT KEYCRM HAS ===#

    def _look_at_levels(self, client, products):
        """Read from KeyCRM what it has of these products, fifty offers a request.

        Each answer is noted at once, together with the fact that these need no second look: a reading
        that breaks off goes on where it was, and what was not read stays as it is.
        """
        offers = self._offers_of(products)
        for start in range(0, len(offers), LOOKUP_ROWS):
            part = offers[start : start + LOOKUP_ROWS]
            by_number = self._by_keycrm_id(part)
            query = {
                "filter[offers_id]": ",".join(map(str, by_number)),
                "filter[details]": "true",
            }
            rows = client.page("/offers/stocks", query).rows
            self._committed(lambda part=part, rows=rows: self._note_look(part, rows))

    def _note_look(self, offers, rows):
        """Take over what KeyCRM has of these offers in the matched warehouses."""
        by_number = self._by_keycrm_id(offers)
        warehouses = self._by_keycrm_id(self.warehouse_ids)
        self._store_levels(
            {
                (by_number[entry.offer_id].id, warehouses[entry.warehouse.id].id): float(
                    entry.quantity
                )
                for row in rows
                for entry in StockRow.parse_list(row)
                if entry.offer_id in by_number and entry.warehouse.id in warehouses
            }
        )
        self.env.cr.execute(
            SQL(
                """UPDATE keycrm_stock_change SET look_first = FALSE
                    WHERE account_id = %s AND look_first AND product_id = ANY(%s)""",
                self.id,
                offers.product_id.ids,
            )
        )

    def _offers_of(self, products):
        return self.env["keycrm.offer"].sudo().search(
            [("account_id", "=", self.id), ("product_id", "in", products.ids)]
        )

    def _store_levels(self, quantities, sent_at=False, error=False):
        """Note what KeyCRM has.

        :param quantities: ``{(offer id, warehouse id): quantity}``
        :param sent_at: when it was sent; nothing when it was read
        :param error: why KeyCRM refused it, then the quantity is not what KeyCRM has
        """
        Level = self.env["keycrm.stock.level"].sudo()
        known = {
            (level.offer_id.id, level.keycrm_warehouse_id.id): level
            for level in Level.search(
                [
                    ("offer_id", "in", list({offer_id for offer_id, _warehouse in quantities})),
                    (
                        "keycrm_warehouse_id",
                        "in",
                        list({warehouse_id for _offer, warehouse_id in quantities}),
                    ),
                ]
            )
        }
        new = []
        for key, quantity in quantities.items():
            vals = {"is_known": not error, "quantity": quantity, "error": error}
            if sent_at:
                vals["sent_at"] = sent_at
            if key in known:
                known[key].write(vals)
            else:
                new.append({"offer_id": key[0], "keycrm_warehouse_id": key[1], **vals})
        Level.create(new)

    # === SENDING ===#

    def _quantities(self, warehouse, products):
        """Sum what a KeyCRM warehouse is to show, in one query for all products.

        Only internal locations below the matched warehouses count; scrap and transit do not.

        :param warehouse: ``keycrm.warehouse``
        :return: ``{product id: quantity}``; products without any quant are 0
        """
        found = (
            self.env["stock.quant"]
            .sudo()
            ._read_group(
                [
                    ("product_id", "in", products.ids),
                    ("location_id.usage", "=", "internal"),
                    ("location_id.warehouse_id", "in", warehouse.warehouse_ids.ids),
                ],
                ["product_id"],
                ["quantity:sum", "reserved_quantity:sum"],
            )
        )
        quantities = dict.fromkeys(products.ids, 0.0)
        for product, quantity, reserved in found:
            free = quantity - reserved
            quantities[product.id] = free if self.stock_quantity == "free" else quantity
        return quantities

    def _send_warehouse(self, client, warehouse, products):
        """Send to one KeyCRM warehouse what differs from what it is known to have."""
        offers = self._offers_of(products)
        quantities = self._quantities(warehouse, offers.product_id)
        known = {
            level.offer_id.id: level.quantity
            for level in self.env["keycrm.stock.level"].sudo().search(
                [
                    ("offer_id", "in", offers.ids),
                    ("keycrm_warehouse_id", "=", warehouse.id),
                    ("is_known", "=", True),
                ]
            )
        }
        rows = [
            (offer.id, offer.keycrm_id, quantities[offer.product_id.id])
            for offer in offers
            if offer.id not in known
            or float_compare(known[offer.id], quantities[offer.product_id.id], precision_digits=3)
        ]
        # Nothing is held open while KeyCRM is told.
        self.env.cr.commit()
        for start in range(0, len(rows), STOCK_PUT_ROWS):
            self._put_rows(client, warehouse, rows[start : start + STOCK_PUT_ROWS])

    def _put_rows(self, client, warehouse, rows):
        """Send rows; when KeyCRM refuses them, halve until the ones it refuses stand alone.

        :param rows: ``[(offer id, KeyCRM's number, quantity)]``
        """
        body = {
            "warehouse_id": warehouse.keycrm_id,
            "stocks": [
                {"id": keycrm_id, "quantity": _as_number(quantity)}
                for _offer_id, keycrm_id, quantity in rows
            ],
        }
        sent_at, error = fields.Datetime.now(), False
        try:
            client.put("/offers/stocks", body)
        except Refused as refusal:
            if len(rows) > 1:
                middle = len(rows) // 2
                self._put_rows(client, warehouse, rows[:middle])
                self._put_rows(client, warehouse, rows[middle:])
                return
            error = refusal.params.get("message") or refusal.code
            sent_at = False
        sent = {(offer_id, warehouse.id): quantity for offer_id, _keycrm_id, quantity in rows}
        self._committed(lambda: self._store_levels(sent, sent_at, error))


def _as_number(quantity):
    """Write whole quantities as integers, others with the three digits that goods are counted in."""
    quantity = round(quantity, 3)
    return int(quantity) if quantity == int(quantity) else quantity
