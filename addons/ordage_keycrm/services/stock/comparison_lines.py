from datetime import timedelta
from typing import NamedTuple

from odoo import fields

from ...const import SETTLE_SECONDS
from ...keycrm.stock_comparison_rules import OUTCOMES, is_equal, outcome
from ..common.service import Service
from .opening_quantities import OpeningQuantities
from .stock_exporter import StockExporter

#: Lines of a preview that are created at once.
PREVIEW_ROWS = 5000


class LineRow(NamedTuple):
    """Hold the values of a line until it is created."""

    outcome: str
    product_id: int | None = None
    offer_id: int | None = None
    keycrm_id: int | None = None
    sku: str | None = None
    keycrm_warehouse_id: int | None = None
    odoo_quantity: float = 0.0
    keycrm_quantity: float = 0.0

    def vals(self, comparison):
        """Return the values of the line.

        :param comparison: ``keycrm.stock.comparison``, one
        """
        difference = self.odoo_quantity - self.keycrm_quantity if self.keycrm_warehouse_id else 0.0
        return {"comparison_id": comparison.id, "difference": difference, **self._asdict()}


class ComparisonLines(Service):
    """Pair the quantities of Odoo and KeyCRM, and store the lines of comparisons and previews."""

    def pairs(self, warehouse, offers, counted, snapshots):
        """Pair Odoo's and KeyCRM's quantities.

        :param warehouse: ``keycrm.warehouse``, one
        :param offers: ``keycrm.offer``
        :param counted: ids of the products that are compared
        :param snapshots: as from ``_snapshots``
        :return: iterator of ``(offer, Odoo's, KeyCRM's)``; None where KeyCRM did not list the offer
        """
        exporter = self.service(StockExporter)
        compared = offers.filtered(lambda offer: offer.product_id.id in counted)
        targets = self.env["keycrm.stock.calculator"]._targets(warehouse, compared.product_id)
        for offer in compared:
            keycrm = None
            if offer.keycrm_id in snapshots:
                keycrm = snapshots[offer.keycrm_id][1].get(warehouse.keycrm_id, 0.0)
            yield offer, exporter.fitted(targets[offer.product_id.id]), keycrm

    def store_preview(self, comparison, snapshots, offers, counted):
        """Store the outcome of every product (dry run: nothing is sent).

        :param comparison: ``keycrm.stock.comparison``, one
        :param snapshots: as from ``_snapshots``
        :param offers: ``keycrm.offer`` of the account
        :param counted: ids of products that were counted or moved
        """
        # As tuples, and written in parts: a catalog of 200,000 offers would fill the worker's memory.
        rows = []
        everything = set(offers.product_id.ids)
        for warehouse in comparison.keycrm_warehouse_ids:
            for offer, odoo, keycrm in self.pairs(warehouse, offers, everything, snapshots):
                is_counted = offer.product_id.id in counted
                is_listed = bool(comparison.unread) and not offer.is_missing_in_keycrm
                name = outcome(odoo, keycrm, is_counted=is_counted, is_listed=is_listed)
                rows.append(_line_row(offer, warehouse, odoo, keycrm or 0.0, name))
        mapped = set(offers.mapped("keycrm_id"))
        rows += [
            LineRow("not_in_odoo", keycrm_id=number, sku=sku, keycrm_quantity=sum(stock.values()))
            for number, (sku, stock) in snapshots.items()
            if number not in mapped
        ]
        calculator = self.env["keycrm.stock.calculator"]
        unmapped = set(calculator._counted_product_ids(self.account)) - everything
        products = self.env["product.product"].browse(sorted(unmapped))
        rows += [
            LineRow("not_in_keycrm", product_id=product.id, sku=product.default_code)
            for product in products
        ]
        # Lines that need a decision come first.
        rows.sort(key=lambda row: OUTCOMES.index(row.outcome))
        self._create_preview_lines(comparison, rows)
        comparison._recount()
        comparison._replace_earlier()
        comparison._end(
            "ready",
            compared_count=len(rows),
            left_out_count=len(comparison._skipped_lines()),
        )

    def _create_preview_lines(self, comparison, rows):
        """Create the lines of a preview, with the effect of opening quantities.

        :param comparison: ``keycrm.stock.comparison``, one
        :param rows: list of :class:`LineRow`
        """
        Line = self.env["keycrm.stock.comparison.line"].sudo()
        opening = self.service(OpeningQuantities)
        for start in range(0, len(rows), PREVIEW_ROWS):
            if start:
                self.env.invalidate_all()
            part = rows[start : start + PREVIEW_ROWS]
            for line in Line.create([row.vals(comparison) for row in part]):
                line.opening = opening.kind(line)

    def store_differences(self, comparison, offers, answer):
        """Store the lines and enqueue the differences; products in the outbox count as equal.

        :param comparison: ``keycrm.stock.comparison``, one
        :param offers: ``keycrm.offer`` that were read
        :param answer: :class:`~.keycrm.catalog.StockAnswer`
        """
        self._mark_missing(_offers_in_no_answer(comparison, offers, answer))
        waiting = self.env["keycrm.stock.change"]._waiting(offers.product_id)
        settled = fields.Datetime.now() - timedelta(seconds=SETTLE_SECONDS)
        calculator = self.env["keycrm.stock.calculator"]
        counted = set(calculator._counted_product_ids(self.account, offers.product_id.ids))
        counted -= waiting
        snapshots = {
            number: (
                "",
                {entry.warehouse.id: float(entry.quantity) for entry in entries},
            )
            for number, entries in answer.entries.items()
        }
        lines, differing = [], set()
        for warehouse in self.account.warehouse_ids._sending():
            levels = self.env["keycrm.stock.level"].sudo()._levels_for(warehouse, offers)
            for offer, odoo, keycrm in self.pairs(warehouse, offers, counted, snapshots):
                level = levels.get(offer.id)
                if keycrm is None or has_odoo_quantity(odoo, keycrm, level):
                    continue
                differing.add(offer.product_id.id)
                if not (level and level.sent_at and level.sent_at > settled):
                    row = _line_row(offer, warehouse, odoo, keycrm, outcome(odoo, keycrm))
                    lines.append(row.vals(comparison))
        self.env["keycrm.stock.comparison.line"].sudo().create(lines)
        self.env["keycrm.stock.change"].sudo()._enqueue_rows(
            [(self.account.id, product_id) for product_id in sorted(differing)]
        )

    def _mark_missing(self, offers):
        """Mark offers that neither KeyCRM's list nor its answer contains.

        :param offers: ``keycrm.offer``
        """
        offers.is_missing_in_keycrm = True
        offers.level_ids.unlink()
        self.env["keycrm.missing.sku"].sudo()._record(self.account, offers.product_id)


def has_odoo_quantity(odoo, keycrm, level):
    """Return whether KeyCRM has Odoo's quantity, or stored it in its own way when it was sent.

    :param odoo: quantity in Odoo
    :param keycrm: quantity in KeyCRM
    :param level: ``keycrm.stock.level``, or None
    """
    sent = level.sent_quantity if level and level.sent_at else None
    return is_equal(odoo, keycrm, sent)


def _offers_in_no_answer(comparison, offers, answer):
    """Return the offers that neither KeyCRM's list nor its answer contains.

    :param comparison: ``keycrm.stock.comparison``, one
    :param offers: ``keycrm.offer`` that were requested
    :param answer: :class:`~.keycrm.catalog.StockAnswer`
    :return: ``keycrm.offer``; none where rows of the list could not be read
    """
    named = answer.entries.keys() | answer.unreadable
    absent = offers.filtered(lambda offer: offer.keycrm_id not in named)
    if not absent or comparison.unread:
        # The list may lack them because KeyCRM could not return their rows.
        return offers.browse()
    listed = comparison._snapshots()
    return absent.filtered(lambda offer: offer.keycrm_id not in listed)


def _line_row(offer, warehouse, odoo, keycrm, name):
    return LineRow(
        name, offer.product_id.id, offer.id, offer.keycrm_id, offer.sku, warehouse.id, odoo, keycrm
    )
