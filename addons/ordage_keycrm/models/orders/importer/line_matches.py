from decimal import Decimal

from odoo import api, models

from ....keycrm.line_matching import KnownLine, line_name, match_lines


class KeycrmOrderImporter(models.AbstractModel):
    """Which line of a known order is which line of KeyCRM's answer."""

    _inherit = "keycrm.order.importer"

    @api.model
    def _match_lines(self, batch):
        """Match the lines of all known orders before any line is added, changed or removed."""
        for order in batch.orders:
            if order.id in batch.known:
                batch.matches[order.id] = self._matched_lines(batch, order)

    @api.model
    def _matched_lines(self, batch, order):
        """:return: ``{KeyCRM line: sale.order.line}``; a line that is missing in it is new"""
        # Also lines into which KeyCRM put other goods: their goods may come back.
        ours = batch.known[order.id].order_line.filtered(
            lambda line: line.keycrm_id or (line.keycrm_name and not line.keycrm_extra)
        )
        by_number = {line.keycrm_id: line for line in ours if line.keycrm_id}
        if all(self._is_unchanged(by_number.get(line.id), line) for line in order.lines):
            # Without a look at offers and prices: so it is with almost every order.
            return {line.id: by_number[line.id] for line in order.lines}
        found = match_lines([self._known_line(batch, line) for line in ours], order.lines)
        by_id = {line.id: line for line in ours}
        return {number: by_id[line_id] for number, line_id in found.items()}

    @api.model
    def _is_unchanged(self, record, line):
        return (
            bool(record)
            and (record.keycrm_sku or "") == line.sku
            and self._goods_name(record) == line_name(line)
        )

    @api.model
    def _known_line(self, batch, record):
        """Describe a line of Odoo for :func:`~..keycrm.line_matching.match_lines`."""
        offers = record.product_id.keycrm_offer_ids.filtered(
            lambda offer: offer.account_id == batch.account
        )
        return KnownLine(
            key=record.id,
            id=record.keycrm_id,
            offer_ids=frozenset(offers.mapped("keycrm_id")),
            sku=record.keycrm_sku or "",
            name=self._goods_name(record),
            price=Decimal(f"{record.price_reduce_taxinc:.6f}"),
            quantity=Decimal(f"{record.keycrm_quantity:.3f}"),
            fixed=Decimal(f"{max(record.qty_delivered, record.qty_invoiced):.3f}"),
        )

    @api.model
    def _goods_name(self, record):
        """:return: the name in KeyCRM, without the manager's comment below it"""
        return (record.keycrm_name or "").partition("\n")[0]
