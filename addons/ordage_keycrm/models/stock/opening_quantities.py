from odoo import SUPERUSER_ID, fields, models
from odoo.exceptions import UserError

from ...keycrm import stock_quantities
from ...services.circuit_breaker import end_backoff
from ...services.live_updates import notify_clients

#: Why a product is left out of opening quantities.
_LEFT_OUT = ("serials", "lots", "not_stored", "changed", "refused")
#: Products whose opening quantities are taken in one transaction: about a second's work.
OPENING_ROWS = 50


class KeycrmStockComparison(models.Model):
    """After a preview, Odoo's stock can be brought to KeyCRM's numbers, a piece after the other."""

    _inherit = "keycrm.stock.comparison"

    left_out_count = fields.Integer(
        string="Skipped opening quantities",
        readonly=True,
        help="Products that must be counted in Odoo; the list shows the reasons.",
    )

    # === ACTION METHODS ===#

    def action_take_opening(self):
        """KeyCRM is right: let the stock worker bring Odoo's stock to KeyCRM's numbers.

        What has to be counted by people is left as it is on both sides, and listed with the reason.

        :return: True
        :raise UserError: when a choice was made already, or the integration is off
        """
        self._check_ready()
        self.account_id._check_can_work()
        lines = self.line_ids.filtered(lambda line: line.opening == "taken")
        self.sudo().write(
            {
                "state": "taking",
                "user_id": self.env.uid != SUPERUSER_ID and self.env.uid,
                "to_check": lines.ids,
                "total_count": len(lines),
                "done_count": 0,
            }
        )
        end_backoff(self.account_id)
        return True

    # === BUSINESS METHODS ===#

    def _left_out(self):
        """:return: the lines that opening quantities leave as they are, for a reason"""
        return self.line_ids.filtered(lambda line: line.opening in _LEFT_OUT)

    def _take_part(self):
        """Take the opening quantities of some products; after the last ones, begin to send.

        Together with the note of what is left: whatever breaks off goes on where it was, and nothing is
        taken twice.
        """
        if self.state != "taking":
            # It was stopped meanwhile.
            return
        # An empty list is read back as nothing.
        left = self.to_check or []
        part, rest = left[:OPENING_ROWS], left[OPENING_ROWS:]
        language = self.user_id.lang or self.env.lang
        lines = self.with_context(lang=language).line_ids.browse(part).exists()
        changed = lines._changed_since_reading()
        changed.opening = "changed"
        (lines - changed)._take()
        self.write({"to_check": rest, "done_count": self.done_count + len(part)})
        if not rest:
            self._end_taking()

    def _end_taking(self):
        """Odoo has KeyCRM's numbers: from now on its own are sent."""
        self._begin_sending("opening")
        self.write({"to_check": False, "left_out_count": len(self._left_out())})
        self._enqueue(self.line_ids.product_id - self._left_out().product_id)
        self._notify_user()
        notify_clients(self.account_id)


class KeycrmStockComparisonLine(models.Model):
    """Whether and where KeyCRM's number can become Odoo's opening quantity."""

    _inherit = "keycrm.stock.comparison.line"

    opening = fields.Selection(
        [
            ("taken", "Will be applied"),
            ("same", "Unchanged"),
            ("serials", "Skipped: serial numbers must be counted"),
            ("lots", "Skipped: lots must be counted"),
            ("not_stored", "Skipped: Odoo does not track its stock"),
            ("changed", "Skipped: it changed in Odoo after the preview; run the preview again"),
            ("refused", "Skipped: Odoo does not accept the inventory adjustment"),
        ],
        string="Opening quantity",
        readonly=True,
    )

    def _opening_kind(self):
        """Return what becomes of a line when opening quantities are taken from KeyCRM."""
        self.ensure_one()
        product = self.product_id
        if not self.offer_id or self.outcome == "not_in_keycrm":
            return False
        if not product.is_storable:
            return "not_stored"
        if self.outcome == "same" or (
            self.outcome == "uncounted" and stock_quantities.is_same(self.keycrm_quantity, 0)
        ):
            return "same"
        if product.tracking == "serial":
            return "serials"
        if product.tracking == "lot" and not self._only_lot():
            return "lots"
        return "taken"

    def _changed_since_reading(self):
        """Find lines whose stock changed in Odoo since it was read beside KeyCRM's.

        What was missing then may be there now, and would be added once more.

        :return: those lines
        """
        changed = self.browse()
        for warehouse, lines in self.grouped("keycrm_warehouse_id").items():
            if not warehouse.warehouse_ids:
                # It was un-matched meanwhile: there is no place for the goods.
                changed |= lines
                continue
            products, account = lines.product_id, warehouse.account_id
            targets = self.env["keycrm.stock.calculator"]._targets(warehouse, products)
            moved = lines._moved_since_reading(warehouse.warehouse_ids)
            changed |= lines.filtered(
                lambda line, targets=targets, moved=moved, account=account: (
                    line.product_id in moved
                    or not stock_quantities.is_same(
                        account._fitted(targets[line.product_id.id]), line.odoo_quantity
                    )
                )
            )
        return changed

    def _moved_since_reading(self, warehouses):
        """:return: ``product.product`` of these lines that came to or left Odoo warehouses since"""
        places = self.env["stock.location"].sudo().search([("warehouse_id", "in", warehouses.ids)])
        moves = (
            self.env["stock.move"]
            .sudo()
            .search(
                [
                    ("product_id", "in", self.product_id.ids),
                    ("state", "=", "done"),
                    ("date", ">", self.comparison_id.finished_at),
                    "|",
                    ("location_id", "in", places.ids),
                    ("location_dest_id", "in", places.ids),
                ]
            )
        )
        return moves.product_id

    def _take(self):
        """Bring Odoo's stock to KeyCRM's numbers; where Odoo refuses, one by one, to find out which."""
        if not self:
            return
        try:
            with self.env.cr.savepoint():
                self._apply_opening()
        except UserError:
            if len(self) == 1:
                self.opening = "refused"
                return
            for line in self:
                line._take()

    def _apply_opening(self):
        """Apply the inventory adjustment that makes Odoo's numbers those of KeyCRM."""
        self.env["decimal.precision"]._keycrm_raise_digits(
            self.account_id,
            [(line.keycrm_quantity, line.product_id.display_name) for line in self],
        )
        counts = [count for line in self for count in line._opening_counts()]
        Quant = self.env["stock.quant"].with_company(self.account_id.company_id).sudo()
        name = self.env._("Opening quantities from KeyCRM")
        quants = Quant.with_context(inventory_mode=True, inventory_name=name).create(counts)
        quants.action_apply_inventory()

    def _opening_quants(self):
        """:return: ``stock.quant`` of the product in the matched warehouses, the fullest first"""
        return (
            self.env["stock.quant"]
            .sudo()
            .search(
                [
                    ("product_id", "=", self.product_id.id),
                    ("location_id.warehouse_id", "in", self.keycrm_warehouse_id.warehouse_ids.ids),
                    ("location_id.usage", "=", "internal"),
                    ("quantity", "!=", 0),
                ],
                order="quantity desc, id",
            )
        )

    def _only_lot(self):
        """Return the lot that all of the goods are of: what is added or missing is of that one.

        :return: ``stock.lot``; empty where there is no lot, or more than one
        """
        quants = self._opening_quants()
        lots = quants.lot_id
        return lots if len(lots) == 1 and all(quant.lot_id for quant in quants) else lots.browse()

    def _opening_counts(self):
        """Return what an inventory has to count so that Odoo's number becomes KeyCRM's.

        What is missing is taken from where goods lie, what is too few is added in the first
        warehouse's stock.

        :return: values of ``stock.quant``
        """
        quants = self._opening_quants()
        lot = self._only_lot() if self.product_id.tracking == "lot" else self.env["stock.lot"]
        change = max(0.0, self.keycrm_quantity) - self.odoo_quantity
        counted = {}
        for quant in (
            quants.filtered(lambda quant: quant.quantity > 0) if change < 0 else quants[:0]
        ):
            part = min(quant.quantity, -change)
            place = (quant.location_id, quant.lot_id, quant.package_id, quant.owner_id)
            counted[place] = counted.get(place, quant.quantity) - part
            change += part
            if stock_quantities.is_same(change, 0):
                break
        if not stock_quantities.is_same(change, 0):
            stock = self.keycrm_warehouse_id.warehouse_ids[0].lot_stock_id
            place = (stock, lot, self.env["stock.package"], self.env["res.partner"])
            there = sum(
                quants.filtered(
                    lambda q: (q.location_id, q.lot_id, q.package_id, q.owner_id) == place
                ).mapped("quantity")
            )
            counted[place] = counted.get(place, there) + change
        return [
            {
                "product_id": self.product_id.id,
                "location_id": location.id,
                "lot_id": lot.id,
                "package_id": package.id,
                "owner_id": owner.id,
                "inventory_quantity": quantity,
            }
            for (location, lot, package, owner), quantity in counted.items()
        ]
