from odoo.exceptions import UserError

from ...keycrm import stock_comparison_rules, stock_quantities
from ..common.live_updates import notify_clients
from ..common.service import Service
from .stock_exporter import StockExporter
from .stock_settings import StockSettings

#: Products whose opening quantities are taken in one transaction: about a second's work.
OPENING_ROWS = 50


class OpeningQuantities(Service):
    """After a preview, bring Odoo's stock to KeyCRM's quantities, some products at a time."""

    def take_part(self, comparison):
        """Take the opening quantities of some products; after the last ones, start to send.

        In one transaction with the record of what is left, so an interrupted run continues where it was,
        and nothing is taken twice.

        :param comparison: ``keycrm.stock.comparison``, one
        """
        if comparison.state != "taking":
            # It was stopped meanwhile.
            return
        lines = self._next_lines(comparison)
        changed = self._changed_since_reading(lines)
        changed.opening = "changed"
        self._take(lines - changed)
        if not comparison.to_check:
            self._finish(comparison)

    def undo_part(self, comparison):
        """Undo the opening quantities of some products.

        Goods that were sold or received since stay; no more is removed than is on hand.

        :param comparison: ``keycrm.stock.comparison``, one
        """
        if comparison.state != "undoing":
            # It was stopped meanwhile.
            return
        lines = self._next_lines(comparison)
        self._take(lines, undo=True)
        if comparison.to_check:
            return
        comparison._recount()
        comparison.write({"state": "done", "to_check": False})
        comparison._notify_user()
        notify_clients(self.account)

    def _next_lines(self, comparison):
        """Return the lines of the next part, and record them as processed.

        :param comparison: ``keycrm.stock.comparison``, one
        :return: ``keycrm.stock.comparison.line``, in the language of the user who chose
        """
        # An empty list is stored as null.
        left = comparison.to_check or []
        part = left[:OPENING_ROWS]
        comparison.write(
            {"to_check": left[OPENING_ROWS:], "done_count": comparison.done_count + len(part)}
        )
        language = comparison.user_id.lang or self.env.lang
        return comparison.with_context(lang=language).line_ids.browse(part).exists()

    def _finish(self, comparison):
        """Send Odoo's quantities from now on: they are KeyCRM's.

        :param comparison: ``keycrm.stock.comparison``, one
        """
        settings = self.service(StockSettings)
        settings.begin_sending(comparison, "opening")
        skipped = comparison._skipped_lines()
        comparison._recount()
        comparison.write({"to_check": False, "left_out_count": len(skipped)})
        settings.enqueue(comparison.line_ids.product_id - skipped.product_id)
        calculator = self.env["keycrm.stock.calculator"]
        if not calculator._counted_product_ids(self.account, skipped.product_id.ids):
            # Otherwise the comparison would overwrite KeyCRM's quantities that are still needed.
            comparison._compare_if_outdated()
        comparison._notify_user()
        notify_clients(self.account)

    def kind(self, line):
        """Return the effect of opening quantities from KeyCRM on a line.

        :param line: ``keycrm.stock.comparison.line``, one
        :return: a value of its ``opening``
        """
        product = line.product_id
        if not line.offer_id or line.outcome == "not_in_keycrm":
            return False
        return stock_comparison_rules.opening_kind(
            line.outcome,
            line.keycrm_quantity,
            tracking=product.tracking,
            is_storable=product.is_storable,
            has_one_lot=lambda: bool(self._only_lot(line)),
        )

    def _changed_since_reading(self, lines):
        """Return the lines whose stock changed in Odoo after it was read together with KeyCRM's.

        Goods that were missing at that time may have arrived since, and would be added twice.

        :param lines: ``keycrm.stock.comparison.line``
        """
        fitted = self.service(StockExporter).fitted
        changed = lines.browse()
        for warehouse, same in lines.grouped("keycrm_warehouse_id").items():
            if not warehouse.warehouse_ids:
                # The warehouse was unmatched meanwhile, so the goods have no location.
                changed |= same
                continue
            targets = self.env["keycrm.stock.calculator"]._targets(warehouse, same.product_id)
            moved = self._moved_since_reading(same, warehouse.warehouse_ids)
            changed |= same.filtered(
                lambda line, targets=targets, moved=moved: (
                    line.product_id in moved
                    or not stock_quantities.is_same(
                        fitted(targets[line.product_id.id]), line.odoo_quantity
                    )
                )
            )
        return changed

    def _moved_since_reading(self, lines, warehouses):
        """Return the products of lines that entered or left Odoo warehouses since.

        :param lines: ``keycrm.stock.comparison.line``
        :param warehouses: ``stock.warehouse``
        """
        locations = self.env["stock.location"].sudo()
        locations = locations.search([("warehouse_id", "in", warehouses.ids)])
        moves = (
            self.env["stock.move"]
            .sudo()
            .search(
                [
                    ("product_id", "in", lines.product_id.ids),
                    ("state", "=", "done"),
                    ("date", ">", lines.comparison_id.finished_at),
                    "|",
                    ("location_id", "in", locations.ids),
                    ("location_dest_id", "in", locations.ids),
                ]
            )
        )
        return moves.product_id

    def _take(self, lines, *, undo=False):
        """Set Odoo's stock to KeyCRM's quantities together; after a refusal line by line.

        :param lines: ``keycrm.stock.comparison.line``
        :param undo: whether to bring it back
        """
        if not lines:
            return
        try:
            with self.env.cr.savepoint():
                self._apply(lines, undo)
        except UserError:
            if len(lines) == 1:
                lines.opening = "refused"
                return
            for line in lines:
                self._take(line, undo=undo)

    def _apply(self, lines, undo):
        """Apply the inventory adjustment that makes Odoo's quantities those of KeyCRM, and record it.

        :param lines: ``keycrm.stock.comparison.line``
        :param undo: whether to apply the opposite
        """
        env = lines.env
        changes = {line: self._undone(line) if undo else self._missing(line) for line in lines}
        env["decimal.precision"]._keycrm_raise_digits(
            self.account,
            [(line.keycrm_quantity, line.product_id.display_name) for line in lines],
        )
        counts = [count for line in lines for count in self._counts(line, changes[line])]
        Quant = env["stock.quant"].with_company(self.account.company_id).sudo()
        name = env._("Opening quantities from KeyCRM")
        if undo:
            name = env._("Opening quantities from KeyCRM undone")
        quants = Quant.with_context(inventory_mode=True, inventory_name=name).create(counts)
        quants.action_apply_inventory()
        for line in lines:
            quantity = line.odoo_quantity + changes[line]
            line.write(
                {
                    "opening": "undone" if undo else "applied",
                    "opening_change": 0.0 if undo else changes[line],
                    "odoo_quantity": quantity,
                    "difference": quantity - line.keycrm_quantity,
                    "outcome": stock_comparison_rules.outcome(quantity, line.keycrm_quantity),
                }
            )

    def _missing(self, line):
        """Return KeyCRM's quantity less Odoo's; negative for a surplus in Odoo.

        :param line: ``keycrm.stock.comparison.line``, one
        """
        return max(0.0, line.keycrm_quantity) - line.odoo_quantity

    def _undone(self, line):
        """Return the change that undoes a line's opening quantity, as far as the goods are still there.

        :param line: ``keycrm.stock.comparison.line``, one
        """
        there = sum(quant.quantity for quant in self._quants(line))
        return max(-line.opening_change, min(0.0, -there))

    def _quants(self, line):
        """Return the ``stock.quant`` of a line in the matched warehouses, the fullest first.

        :param line: ``keycrm.stock.comparison.line``, one
        """
        return (
            self.env["stock.quant"]
            .sudo()
            .search(
                [
                    ("product_id", "=", line.product_id.id),
                    ("location_id.warehouse_id", "in", line.keycrm_warehouse_id.warehouse_ids.ids),
                    ("location_id.usage", "=", "internal"),
                    ("quantity", "!=", 0),
                ],
                order="quantity desc, id",
            )
        )

    def _only_lot(self, line):
        """Return the lot of all goods of a line: the adjustment is of that lot.

        :param line: ``keycrm.stock.comparison.line``, one
        :return: ``stock.lot``; empty where there is no lot, or more than one
        """
        quants = self._quants(line)
        lots = quants.lot_id
        return lots if len(lots) == 1 and all(quant.lot_id for quant in quants) else lots.browse()

    def _counts(self, line, change):
        """Return the counts that change Odoo's quantity.

        A surplus is taken from the fullest locations, a shortage is added in the first warehouse's
        stock.

        :param line: ``keycrm.stock.comparison.line``, one
        :param change: quantity to add; negative to take away
        :return: values of ``stock.quant``
        """
        quants = self._quants(line)
        lot = self._only_lot(line) if line.product_id.tracking == "lot" else self.env["stock.lot"]
        stock = line.keycrm_warehouse_id.warehouse_ids[0].lot_stock_id
        counted = stock_comparison_rules.opening_counts(
            [((q.location_id, q.lot_id, q.package_id, q.owner_id), q.quantity) for q in quants],
            change,
            (stock, lot, self.env["stock.package"], self.env["res.partner"]),
        )
        return [
            {
                "product_id": line.product_id.id,
                "location_id": location.id,
                "lot_id": lot.id,
                "package_id": package.id,
                "owner_id": owner.id,
                "inventory_quantity": quantity,
            }
            for (location, lot, package, owner), quantity in counted.items()
        ]
