import time
from contextlib import nullcontext
from datetime import timedelta

from odoo import fields, models
from odoo.tools import SQL

from ...const import EVENT_STOCK, LOOKUP_ROWS
from ...keycrm import rate_limit, stock_quantities
from ...keycrm.catalog import StockAnswer
from ...keycrm.errors import KeyCrmError, NotFound, Refused
from ...keycrm.naming import sku_key
from ...services.api_gateway import open_client
from ...services.catalogs import Catalogs
from ...services.circuit_breaker import end_backoff
from ...services.transactions import company_lock, run_in_transaction
from .level import SETTLE_SECONDS

#: Hours between two comparisons that begin by themselves.
COMPARE_HOURS = 24
#: Hours until the next one after one that failed.
FAILED_COMPARE_HOURS = 1
#: Pages are read one after another for so many seconds, unless stock waits to be sent: what a look
#: round costs (some thirty queries) is not paid for each of them, and screens still see it go on.
READ_SECONDS = 3.0


class KeycrmAccount(models.Model):
    """How comparisons and previews are worked: read all, then compare, then check what differs.

    In the stock queue, one page or fifty offers at a time, after everything that is more urgent.
    """

    _inherit = "keycrm.account"

    compared_at = fields.Datetime(string="Last comparison", readonly=True, copy=False)
    compared_differences = fields.Integer(
        string="Differences found", readonly=True, copy=False, help="From the last comparison."
    )

    # === ACTION METHODS ===#

    def action_reconcile_stock(self):
        """Compare with KeyCRM: read all it has, send what differs, and keep the table.

        :return: an action that shows the comparison
        :raise UserError: when sending stock is off or no warehouse is matched
        """
        self._check_can_send()
        end_backoff(self)
        return self._open_run(
            self.env["keycrm.stock.comparison"]._start(self, "comparison"),
            self.env._("Compare with KeyCRM"),
        )

    def action_preview_stock(self):
        """See what would change in KeyCRM before anything is sent.

        :return: an action that shows the preview
        :raise UserError: when the integration was switched off or no warehouse is matched
        """
        self.ensure_one()
        self._check_manager()
        self._check_can_work()
        self._check_has_place()
        end_backoff(self)
        return self._open_run(
            self.env["keycrm.stock.comparison"]._start(self, "preview"),
            self.env._("Send stock to KeyCRM"),
        )

    # === WORK ===#

    def _work_comparison(self):
        """Do one piece of the comparison or preview that is going on.

        :return: True when there may be more
        """
        if not self.enabled and not self._is_before_start():
            return False
        # Before the start of the integration nothing is sent: only previews are worked.
        before_start = (
            [] if self.enabled else [("kind", "=", "preview"), ("to_write_back", "=", False)]
        )
        comparison = (
            self.env["keycrm.stock.comparison"]
            .sudo()
            .search(
                [
                    *before_start,
                    ("account_id", "=", self.id),
                    "|",
                    ("state", "in", self.env["keycrm.stock.comparison"]._busy_states),
                    ("to_write_back", "=", True),
                ],
                order="id",
                limit=1,
            )
        )
        if not comparison:
            return self.enabled and self._begin_daily()
        with open_client(self, rate_limit.BULK) as client:
            try:
                if comparison.to_write_back:
                    self._write_back(client, comparison)
                elif comparison.state == "taking":
                    run_in_transaction(self.env.cr, comparison._take_part)
                elif comparison.state == "reading":
                    self._read_pages(client, comparison)
                else:
                    self._check_part(client, comparison)
            except (NotFound, Refused) as error:
                refusal = error
                run_in_transaction(self.env.cr, lambda: comparison._fail(refusal))
        return True

    def _begin_daily(self):
        """Begin the comparison of the day.

        :return: True when it began
        """
        if not self.push_stock or self.stock_paused:
            return False
        last = (
            self.env["keycrm.stock.comparison"]
            .sudo()
            .search([("account_id", "=", self.id), ("choice", "!=", "not_now")], limit=1)
        )
        since = last.started_at or self.create_date
        hours = COMPARE_HOURS if last.state != "failed" else FAILED_COMPARE_HOURS
        if since > fields.Datetime.now() - timedelta(hours=hours):
            return False
        if not self._sending_warehouses():
            return False
        run_in_transaction(
            self.env.cr, lambda: self.env["keycrm.stock.comparison"]._start(self, "comparison")
        )
        return True

    def _read_pages(self, client, comparison):
        """Read pages of KeyCRM's stock until it is whole, or something else is more urgent."""
        until, seen = time.monotonic() + READ_SECONDS, set()
        while comparison.state == "reading":
            self._read_page(client, comparison, seen)
            if self._is_time_up() or time.monotonic() > until or self._has_stock_updates():
                return

    def _read_page(self, client, comparison, seen):
        """Read one page of KeyCRM's stock; after the last one, compare.

        :param seen: ``{(number, name)}`` of warehouses that need no second look; extended
        """
        number = comparison.next_page
        # Nothing is held open while KeyCRM is asked.
        self.env.cr.commit()
        # What was read is kept: under a low limit the next page waits for its turn without a thread.
        client.begins = True
        page = client.page("/offers/stocks", {"filter[details]": "true"}, number)
        rows = self._parse_stock_rows(page.rows).entries
        named = {
            (entry.warehouse.id, entry.warehouse.name): entry.warehouse
            for entries in rows.values()
            for entry in entries
        }
        new = [warehouse for key, warehouse in named.items() if key not in seen]
        is_last = page.is_last

        def note():
            if not comparison._is_still_running():
                return
            if new:
                Catalogs(self).upsert_warehouses(new)
            comparison._store_page(page, rows)
            if is_last:
                self._compare(comparison)

        # The last page mappings offers, as the orders' worker does: one of the two at a time.
        with company_lock(self) if is_last else nullcontext():
            run_in_transaction(self.env.cr, note)
        seen.update(named)

    def _has_stock_updates(self):
        """Return whether changes wait to be sent, or stock webhooks to be looked at."""
        self.env.cr.execute(
            SQL(
                """SELECT EXISTS (SELECT FROM keycrm_stock_change WHERE account_id = %(account)s)
                       OR EXISTS (SELECT FROM keycrm_event
                                   WHERE account_id = %(account)s AND event = %(stock)s
                                     AND state = 'pending')""",
                account=self.id,
                stock=EVENT_STOCK,
            )
        )
        return self.env.cr.fetchone()[0]

    # === COMPARING ===#

    def _compare(self, comparison):
        """The reading is whole: find the offers of more products in it, then compare."""
        readings = comparison._snapshots()
        self._map_from(readings)
        offers = self.env["keycrm.offer"].sudo().search([("account_id", "=", self.id)])
        if not readings and not all(offers.mapped("is_missing_in_keycrm")):
            # However it was begun: nobody deletes a whole catalog to have its mappings cleared.
            comparison._end("failed", error_code="stock_list_empty")
            return
        found = offers.filtered(lambda o: o.is_missing_in_keycrm and o.keycrm_id in readings)
        found.is_missing_in_keycrm = False
        counted = set(self._counted_product_ids(offers.product_id.ids))
        if comparison.kind == "preview":
            self._store_preview(comparison, readings, offers, counted)
            return
        compared = offers.filtered(lambda o: o.product_id.id in counted)
        if self._is_list_too_short(comparison, compared, readings):
            return
        differing = set()
        for warehouse in self._sending_warehouses():
            unlike = {
                offer: (odoo, keycrm)
                for offer, odoo, keycrm in self._side_by_side(warehouse, offers, counted, readings)
                if keycrm is None or not stock_quantities.is_same(odoo, keycrm)
            }
            those = offers.browse([offer.id for offer in unlike])
            levels = self.env["keycrm.stock.level"].sudo()._of(warehouse, those)
            differing.update(
                offer.id
                for offer, (odoo, keycrm) in unlike.items()
                if keycrm is None or not self._agree(odoo, keycrm, levels.get(offer.id))
            )
        comparison.write(
            {
                "state": "checking",
                "to_check": sorted(differing),
                "check_count": len(differing),
                "compared_count": len(compared),
            }
        )

    def _is_list_too_short(self, comparison, offers, readings):
        """End a comparison that began by itself when KeyCRM's list lacks much of what it had.

        Nothing is concluded from such a list. Whoever deleted many products there says so by starting
        the comparison.

        :return: True when it was ended
        """
        lacking = offers.filtered(
            lambda o: not o.is_missing_in_keycrm and o.keycrm_id not in readings
        )
        if comparison.user_id or not stock_quantities.is_too_much(
            len(lacking), len(offers), self.stock_zero_limit, self.stock_zero_percent
        ):
            return False
        comparison._end(
            "failed", error_code="stock_list_short", error_params={"count": len(lacking)}
        )
        return True

    def _side_by_side(self, warehouse, offers, counted, readings):
        """Put Odoo's and KeyCRM's numbers beside each other.

        :return: iterator of ``(offer, Odoo's, KeyCRM's or None where KeyCRM did not name the
        offer)``
        """
        compared = offers.filtered(lambda offer: offer.product_id.id in counted)
        targets = self.env["keycrm.stock.calculator"]._targets(warehouse, compared.product_id)
        for offer in compared:
            keycrm = None
            if offer.keycrm_id in readings:
                keycrm = readings[offer.keycrm_id][1].get(warehouse.keycrm_id, 0.0)
            yield offer, self._fitted(targets[offer.product_id.id]), keycrm

    @staticmethod
    def _agree(odoo, keycrm, level):
        """Return whether KeyCRM has Odoo's number, or what it made of it when it was sent.

        :param level: ``keycrm.stock.level``, or None
        """
        if stock_quantities.is_same(odoo, keycrm):
            return True
        return bool(
            level
            and level.sent_at
            and stock_quantities.is_same(level.sent_quantity, odoo)
            and stock_quantities.is_kept_as(odoo, keycrm)
        )

    def _map_from(self, readings):
        """Map offers by the SKUs that were read: also those that could not be asked for.

        A SKU that KeyCRM or Odoo has twice is left alone.
        """
        mapped = self._known_offer_numbers(readings)
        by_key = {}
        for number, (sku, _stock) in readings.items():
            if sku_key(sku):
                by_key.setdefault(sku_key(sku), []).append((number, sku))
        free = {
            key: found[0]
            for key, found in by_key.items()
            if len(found) == 1 and found[0][0] not in mapped
        }
        self._replace_archived(by_key)
        products = self.env["product.product"].search(
            [
                ("keycrm_sku_key", "in", list(free)),
                ("company_id", "in", (self.company_id.id, False)),
            ]
        )
        busy = self._offers_of(products).product_id
        mappings = [
            (*free[key], same)
            for key, same in products.grouped("keycrm_sku_key").items()
            if len(same) == 1 and same not in busy
        ]
        offers = self._create_mappings(mappings)
        if self.push_stock:
            self.env["keycrm.stock.change"].sudo()._record_orders(self, offers.product_id.ids)

    # === CHECKING ===#

    def _check_part(self, client, comparison):
        """Read fifty offers that seemed to differ once more, and note those that do.

        The list was read page by page over minutes, while goods moved; this reading is of now.
        """
        part = (comparison.to_check or [])[: self._request_rows(LOOKUP_ROWS)]
        checked = set(part)
        offers = self.env["keycrm.offer"].sudo().browse(part).exists()
        answer = StockAnswer({}, frozenset())
        try:
            if offers:
                answer = self._read_stock_rows(client, offers.mapped("keycrm_id"))
        except KeyCrmError as error:
            if not self._is_single_fault(error, offers):
                return
            answer = StockAnswer({}, frozenset(offers.mapped("keycrm_id")))

        def note():
            if not comparison._is_still_running():
                return
            self._store_levels(offers, answer, [])
            self._store_differences(comparison, offers, answer)
            rest = [offer_id for offer_id in comparison.to_check or [] if offer_id not in checked]
            comparison.to_check = rest
            if not rest:
                comparison._end("done", difference_count=len(comparison.line_ids))
                self.sudo().write(
                    {
                        "compared_at": comparison.finished_at,
                        "compared_differences": comparison.difference_count,
                    }
                )

        run_in_transaction(self.env.cr, note)

    def _store_differences(self, comparison, offers, answer):
        """Write the table, and queue what differs; what waits to be sent anyway is no
        difference."""
        rows = answer.entries
        self._mark_missing(self._nowhere_in(comparison, offers, answer))
        waiting = self.env["keycrm.stock.change"]._waiting(offers.product_id)
        settled = fields.Datetime.now() - timedelta(seconds=SETTLE_SECONDS)
        counted = set(self._counted_product_ids(offers.product_id.ids)) - waiting
        readings = {
            number: (
                "",
                {entry.warehouse.id: float(entry.quantity) for entry in entries},
            )
            for number, entries in rows.items()
        }
        lines, differing = [], set()
        for warehouse in self._sending_warehouses():
            levels = self.env["keycrm.stock.level"].sudo()._of(warehouse, offers)
            for offer, odoo, keycrm in self._side_by_side(warehouse, offers, counted, readings):
                level = levels.get(offer.id)
                if keycrm is None or self._agree(odoo, keycrm, level):
                    continue
                differing.add(offer.product_id.id)
                if not (level and level.sent_at and level.sent_at > settled):
                    lines.append(self._line_vals(comparison, offer, warehouse, odoo, keycrm))
        self.env["keycrm.stock.comparison.line"].sudo().create(lines)
        self.env["keycrm.stock.change"].sudo()._append(
            [(self.id, product_id) for product_id in sorted(differing)]
        )

    def _nowhere_in(self, comparison, offers, answer):
        """Find offers that KeyCRM names neither in its list nor when it is asked for them.

        :param answer: :class:`~..keycrm.catalog.StockAnswer`
        """
        named = answer.entries.keys() | answer.unreadable
        silent = offers.filtered(lambda offer: offer.keycrm_id not in named)
        if not silent:
            return silent
        listed = comparison._snapshots()
        return silent.filtered(lambda offer: offer.keycrm_id not in listed)

    def _mark_missing(self, offers):
        """KeyCRM named these offers neither in its list nor when it was asked for them."""
        offers.with_context(keycrm_stock_worker=True).write({"is_missing_in_keycrm": True})
        offers.level_ids.unlink()
        self.env["keycrm.missing.sku"].sudo()._remember(self, offers.product_id)

    def _line_vals(self, comparison, offer, warehouse, odoo, keycrm, outcome=None):
        return {
            "comparison_id": comparison.id,
            "product_id": offer.product_id.id,
            "offer_id": offer.id,
            "keycrm_id": offer.keycrm_id,
            "sku": offer.sku,
            "keycrm_warehouse_id": warehouse.id,
            "odoo_quantity": odoo,
            "keycrm_quantity": keycrm,
            "difference": odoo - keycrm,
            "outcome": outcome or comparison._outcome(odoo, keycrm),
        }
