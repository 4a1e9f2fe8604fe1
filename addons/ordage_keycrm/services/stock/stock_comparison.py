import time
from contextlib import nullcontext
from datetime import timedelta

from odoo import fields
from odoo.tools import SQL

from ...const import EVENT_STOCK, LOOKUP_ROWS
from ...keycrm import rate_limit_rules, stock_quantities
from ...keycrm.catalog import StockAnswer
from ...keycrm.errors import KeyCrmError, NotFound, Refused
from ..common.api_gateway import open_client
from ..common.circuit_breaker import CircuitBreaker
from ..common.list_pages import ListPages
from ..common.reference_lists import STOCK_QUERY, ReferenceLists
from ..common.service import Service
from ..common.transactions import company_lock, run_in_transaction
from .comparison_lines import ComparisonLines, has_odoo_quantity
from .fault_isolation import READ, FaultIsolation
from .opening_quantities import OpeningQuantities
from .stock_lookup import StockLookup
from .write_back import WriteBack

#: Hours between two comparisons that start automatically.
COMPARE_HOURS = 24
#: Hours until the next one after a failed one.
FAILED_COMPARE_HOURS = 1
#: Seconds for which pages are read one after another, unless stock waits to be sent. A pass costs
#: thirty queries, so there is not one for each page; screens still show the progress.
READ_SECONDS = 3.0


class StockComparison(Service):
    """Process comparisons and previews: read all stock, then compare, then check what differs.

    In the stock queue, one page or fifty offers at a time, after all more urgent work.
    """

    def process(self):
        """Process one piece of the current comparison or preview.

        :return: True when there may be more
        """
        account = self.account
        if not account.enabled and not account._is_before_start():
            return False
        comparison = self._current()
        if not comparison:
            return account.enabled and self._begin_daily()
        with open_client(account, rate_limit_rules.BULK) as client:
            # The worker's own client is for live work.
            bulk = StockComparison(account, client, self.options)
            try:
                bulk._process_piece(comparison)
            except (NotFound, Refused) as error:
                refusal = error
                run_in_transaction(self.env.cr, lambda: comparison._fail(refusal))
        return True

    def _current(self):
        """Return the comparison or preview to be processed.

        Before the start of the integration nothing is sent: only previews are processed.

        :return: ``keycrm.stock.comparison``, one or none
        """
        before_start = (
            []
            if self.account.enabled
            else [("kind", "=", "preview"), ("to_write_back", "=", False)]
        )
        Comparison = self.env["keycrm.stock.comparison"].sudo()
        return Comparison.search(
            [
                *before_start,
                ("account_id", "=", self.account.id),
                "|",
                ("state", "in", Comparison._busy_states),
                ("to_write_back", "=", True),
            ],
            order="id",
            limit=1,
        )

    def _process_piece(self, comparison):
        if comparison.to_write_back:
            self.service(WriteBack).process(comparison)
        elif comparison.state == "taking":
            opening = self.service(OpeningQuantities)
            run_in_transaction(self.env.cr, lambda: opening.take_part(comparison))
        elif comparison.state == "undoing":
            opening = self.service(OpeningQuantities)
            run_in_transaction(self.env.cr, lambda: opening.undo_part(comparison))
        elif comparison.state == "reading":
            self._read_pages(comparison)
        else:
            self._check_part(comparison)

    def _begin_daily(self):
        """Start the comparison of the day.

        :return: True when it started
        """
        account = self.account
        if not account.push_stock or account.stock_paused:
            return False
        Comparison = self.env["keycrm.stock.comparison"]
        last = Comparison.sudo().search(
            [("account_id", "=", account.id), ("choice", "!=", "not_now")], limit=1
        )
        since = last.started_at or account.create_date
        hours = COMPARE_HOURS if last.state != "failed" else FAILED_COMPARE_HOURS
        if since > fields.Datetime.now() - timedelta(hours=hours):
            return False
        if not account.warehouse_ids._sending():
            return False
        run_in_transaction(self.env.cr, lambda: Comparison._start(account, "comparison"))
        return True

    # === READING ===#

    def _read_pages(self, comparison):
        """Read pages of KeyCRM's stock until all are read, or something else is more urgent.

        :param comparison: ``keycrm.stock.comparison``, one
        """
        until, stored = time.monotonic() + READ_SECONDS, set()
        while comparison.state == "reading":
            stored |= self._read_page(comparison, stored)
            if (
                self.options.is_time_up()
                or time.monotonic() > until
                # One page after a failure: the next run reads whole pages again.
                or self.service(CircuitBreaker).failures("comparison")
                or self._has_more_urgent_work()
            ):
                return

    def _read_page(self, comparison, stored):
        """Read one page of KeyCRM's stock; after the last one, compare.

        :param comparison: ``keycrm.stock.comparison``, one
        :param stored: ``{(number, name)}`` of warehouses that are up to date in Odoo
        :return: those of the page
        """
        number = comparison.next_page
        # No transaction is open during the request.
        self.env.cr.commit()
        # Pages that were read are kept, so the next one may be deferred under a low limit.
        self.client.is_deferrable = True
        page = self.service(ListPages).read_page(
            "comparison", "/offers/stocks", STOCK_QUERY, number
        )
        rows = self.service(StockLookup).parse_rows(page.rows).entries
        named = {
            (entry.warehouse.id, entry.warehouse.name): entry.warehouse
            for entries in rows.values()
            for entry in entries
        }
        new = [warehouse for key, warehouse in named.items() if key not in stored]
        is_last = page.is_last

        def record():
            if not comparison._is_still_running():
                return
            if new:
                self.service(ReferenceLists).upsert_warehouses(new)
            comparison._store_page(page, rows)
            if is_last:
                self._compare(comparison)

        # The last page maps offers, as the orders worker does: the lock serializes both.
        with company_lock(self.account) if is_last else nullcontext():
            run_in_transaction(self.env.cr, record)
        return named.keys()

    def _has_more_urgent_work(self):
        """Return whether changes wait to be sent, or stock webhooks to be processed."""
        self.env.cr.execute(
            SQL(
                """SELECT EXISTS (SELECT FROM keycrm_stock_change WHERE account_id = %(account)s)
                       OR EXISTS (SELECT FROM keycrm_event
                                   WHERE account_id = %(account)s AND event = %(stock)s
                                     AND state = 'pending')""",
                account=self.account.id,
                stock=EVENT_STOCK,
            )
        )
        return self.env.cr.fetchone()[0]

    # === COMPARING ===#

    def _compare(self, comparison):
        """Map offers of more products with the complete snapshot, then compare.

        :param comparison: ``keycrm.stock.comparison``, one
        """
        snapshots = comparison._snapshots()
        self.service(StockLookup).map_snapshot(snapshots)
        # Only what is compared: of 200,000 offers all fields would fill the worker's memory.
        offers = (
            self.env["keycrm.offer"]
            .sudo()
            .search_fetch(
                [("account_id", "=", self.account.id)],
                ["keycrm_id", "product_id", "sku", "is_missing_in_keycrm"],
            )
        )
        if not snapshots and not all(offers.mapped("is_missing_in_keycrm")):
            # Also of one that a user started: an empty list is an error, never a deleted catalog.
            comparison._end("failed", error_code="stock_list_empty")
            return
        found = offers.filtered(lambda o: o.is_missing_in_keycrm and o.keycrm_id in snapshots)
        found.is_missing_in_keycrm = False
        found._enqueue_stock()
        calculator, lines = self.env["keycrm.stock.calculator"], self.service(ComparisonLines)
        counted = set(calculator._counted_product_ids(self.account, offers.product_id.ids))
        if comparison.kind == "preview":
            lines.store_preview(comparison, snapshots, offers, counted)
            return
        compared = offers.filtered(lambda o: o.product_id.id in counted)
        if self._is_list_too_short(comparison, compared, snapshots):
            return
        differing = set()
        for warehouse in self.account.warehouse_ids._sending():
            unlike = {
                offer: (odoo, keycrm)
                for offer, odoo, keycrm in lines.pairs(warehouse, offers, counted, snapshots)
                if keycrm is None or not stock_quantities.is_same(odoo, keycrm)
            }
            those = offers.browse([offer.id for offer in unlike])
            levels = self.env["keycrm.stock.level"].sudo()._levels_for(warehouse, those)
            differing.update(
                offer.id
                for offer, (odoo, keycrm) in unlike.items()
                if keycrm is None or not has_odoo_quantity(odoo, keycrm, levels.get(offer.id))
            )
        comparison.write(
            {
                "state": "checking",
                "to_check": sorted(differing),
                "check_count": len(differing),
                "compared_count": len(compared),
            }
        )

    def _is_list_too_short(self, comparison, offers, snapshots):
        """End a daily comparison when KeyCRM's list lacks many offers.

        Nothing is concluded from such a list. A user who deleted many products in KeyCRM starts the
        comparison manually.

        :param comparison: ``keycrm.stock.comparison``, one
        :param offers: ``keycrm.offer`` that are compared
        :param snapshots: as from ``_snapshots``
        :return: True when it was ended
        """
        account = self.account
        lacking = offers.filtered(
            lambda o: not o.is_missing_in_keycrm and o.keycrm_id not in snapshots
        )
        if comparison.user_id or not stock_quantities.is_too_much(
            len(lacking), len(offers), account.stock_zero_limit, account.stock_zero_percent
        ):
            return False
        comparison._end(
            "failed", error_code="stock_list_short", error_params={"count": len(lacking)}
        )
        return True

    # === CHECKING ===#

    def _check_part(self, comparison):
        """Read fifty offers that seemed to differ once more, and store the differences.

        The list was read page by page over minutes, while goods moved; these quantities are current.

        :param comparison: ``keycrm.stock.comparison``, one
        """
        lookup, isolation = self.service(StockLookup), self.service(FaultIsolation)
        part = next(isolation.request_parts(comparison.to_check or [], LOOKUP_ROWS, READ), [])
        failure, checked = None, set(part)
        offers = self.env["keycrm.offer"].sudo().browse(part).exists()
        answer = StockAnswer({}, frozenset())
        try:
            if offers:
                answer = lookup.read_rows(offers.mapped("keycrm_id"))
        except KeyCrmError as error:
            if not isolation.is_single_fault(error, offers, READ):
                return
            failure = error
            answer = StockAnswer({}, frozenset(offers.mapped("keycrm_id")))

        def record():
            if not comparison._is_still_running():
                return
            lookup.store_levels(offers, answer)
            self.service(ComparisonLines).store_differences(comparison, offers, answer)
            rest = [offer_id for offer_id in comparison.to_check or [] if offer_id not in checked]
            comparison.to_check = rest
            if not rest:
                comparison._end("done", difference_count=len(comparison.line_ids))
                self.account.sudo().write(
                    {
                        "compared_at": comparison.finished_at,
                        "compared_differences": comparison.difference_count,
                    }
                )

        run_in_transaction(self.env.cr, record)
        if failure:
            isolation.raise_if_all_fail(failure, READ)
