from collections import Counter
from datetime import timedelta

from odoo import SUPERUSER_ID, fields, models
from odoo.exceptions import UserError

from ..const import LOOKUP_ROWS, STOCK_PUT_ROWS
from ..keycrm import stock as rules

#: Under which heading lines of a rehearsal are counted, the gravest first.
_COUNTED = {
    "zero": "zero_count",
    "lower": "lower_count",
    "higher": "higher_count",
    "not_in_keycrm": "unmatched_count",
    "not_in_odoo": "unmatched_count",
    "uncounted": "unmatched_count",
    "same": "same_count",
}
#: Sending chosen later than this after the reading is followed by a comparison.
STALE = timedelta(minutes=1)
#: Why a product is left out of opening quantities.
_LEFT_OUT = ("serials", "lots", "not_stored", "changed", "refused")
#: Products whose opening quantities are taken in one transaction: about a second's work.
OPENING_ROWS = 50


class KeycrmAccount(models.Model):
    """The rehearsal's table, and the way back to KeyCRM's numbers from before."""

    _inherit = "keycrm.account"

    def _note_rehearsal(self, comparison, readings, offers, counted):
        """Write what would become of every product; nothing is sent."""
        lines = []
        for warehouse in comparison.keycrm_warehouse_ids:
            everything = set(offers.product_id.ids)
            for offer, odoo, keycrm in self._side_by_side(warehouse, offers, everything, readings):
                outcome = None if offer.product_id.id in counted else "uncounted"
                if keycrm is None:
                    keycrm, outcome = 0.0, "not_in_keycrm"
                lines.append(self._line_vals(comparison, offer, warehouse, odoo, keycrm, outcome))
        tied = set(offers.mapped("keycrm_id"))
        lines += [
            {
                "comparison_id": comparison.id,
                "keycrm_id": number,
                "sku": sku,
                "keycrm_quantity": sum(stock.values()),
                "outcome": "not_in_odoo",
            }
            for number, (sku, stock) in readings.items()
            if number not in tied
        ]
        untied = set(self._counted_product_ids()) - set(offers.product_id.ids)
        products = self.env["product.product"].browse(sorted(untied))
        lines += [
            {
                "comparison_id": comparison.id,
                "product_id": product.id,
                "sku": product.default_code,
                "outcome": "not_in_keycrm",
            }
            for product in products
        ]
        # What people have to look at comes first.
        lines.sort(key=lambda line: list(_COUNTED).index(line["outcome"]))
        records = self.env["keycrm.stock.comparison.line"].sudo().create(lines)
        for record in records:
            record.opening = record._opening_kind()
        counts = Counter(_COUNTED[line["outcome"]] for line in lines)
        comparison._replace_earlier()
        comparison._end(
            "ready",
            compared_count=len(lines),
            left_out_count=len(comparison._left_out()),
            **counts,
        )

    def _write_back(self, client, comparison):
        """Give KeyCRM the numbers it had before the rehearsal, where Odoo has changed them
        since."""
        Level = self.env["keycrm.stock.level"].sudo()
        for warehouse in comparison.keycrm_warehouse_ids:
            lines = comparison.line_ids.filtered(
                lambda line, warehouse=warehouse: (
                    line.keycrm_warehouse_id == warehouse and line.offer_id
                )
            )
            levels = Level._of(warehouse, lines.offer_id)
            rows = [
                (line.offer_id.id, line.keycrm_id, line.keycrm_quantity)
                for line in lines
                if (level := levels.get(line.offer_id.id))
                and level.sent_at
                and level.sent_at >= comparison.finished_at
                and not (level.is_known and rules.is_same(level.quantity, line.keycrm_quantity))
            ]
            self.env.cr.commit()
            refusals = [len(rows)]
            for part in self._parts_of(rows, STOCK_PUT_ROWS):
                self._put_rows(client, warehouse, part, refusals)
            forgotten = lines.filtered(
                lambda line, levels=levels: (
                    line.offer_id.id not in levels and line.outcome != "not_in_keycrm"
                )
            )
            for part in self._parts_of(forgotten, LOOKUP_ROWS):
                self._write_unknown_back(client, warehouse, part)
        self._committed(
            lambda: comparison.write(
                {"to_write_back": False, "written_back_at": fields.Datetime.now()}
            )
        )

    def _write_unknown_back(self, client, warehouse, lines):
        """Give KeyCRM numbers back of which it was forgotten what was sent: the warehouse was
        un-matched since.

        :param lines: ``keycrm.stock.comparison.line``, at most fifty, as a list
        """
        found = self._read_stock_rows(client, [line.keycrm_id for line in lines])
        now = {
            line: sum(
                float(entry.quantity)
                for entry in found[line.keycrm_id]
                if entry.warehouse.id == warehouse.keycrm_id
            )
            for line in lines
            if line.keycrm_id in found
        }
        read = {line.offer_id.id: quantity for line, quantity in now.items()}
        rows = [
            (line.offer_id.id, line.keycrm_id, line.keycrm_quantity)
            for line, quantity in now.items()
            if not rules.is_same(quantity, line.keycrm_quantity)
        ]
        # What is known now is not read again where this breaks off.
        Level = self.env["keycrm.stock.level"].sudo()
        right = read.keys() - {offer_id for offer_id, _number, _quantity in rows}
        self._committed(
            lambda: Level._read_as(warehouse, {offer_id: read[offer_id] for offer_id in right})
        )
        if rows:
            self._put_rows(client, warehouse, rows, [len(rows)])


class KeycrmStockComparison(models.Model):
    """What a person chooses after a rehearsal."""

    _inherit = "keycrm.stock.comparison"

    left_out_count = fields.Integer(
        string="Not taken as opening quantities",
        readonly=True,
        help="Products that people have to count in Odoo; the reason stands in the list.",
    )

    # === ACTION METHODS ===#

    def action_send(self):
        """Odoo is right: send what differs, and from now on every change.

        :return: True
        :raise UserError: when a choice was made already
        """
        self._check_ready()
        self._begin_sending("send")
        differing = self.line_ids.filtered(lambda line: line.outcome in ("zero", "lower", "higher"))
        # Whoever chose this has just seen how many become zero.
        self.account_id.sudo().stock_zeros_allowed = True
        self._enqueue(differing.product_id)
        if self.finished_at < fields.Datetime.now() - STALE:
            # KeyCRM went on selling while the person thought about it.
            self._start(self.account_id, "comparison")
        return True

    def action_take_opening(self):
        """KeyCRM is right: let the stock worker bring Odoo's stock to KeyCRM's numbers.

        What has to be counted by people is left as it is on both sides, and listed with the reason.

        :return: True
        :raise UserError: when a choice was made already, or the integration is off
        """
        self._check_ready()
        self._check_enabled()
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
        self.account_id._wake_stock()
        return True

    def action_not_now(self):
        """Change nothing, send nothing.

        :return: True
        """
        self._check_ready()
        self.sudo().write({"state": "cancelled", "choice": "not_now"})
        return True

    def action_write_back(self):
        """Give KeyCRM back the numbers it had before; sending is switched off for it.

        :return: True
        :raise UserError: when nothing was sent after this rehearsal, or the integration is off
        """
        self.ensure_one()
        self.account_id._check_manager()
        if self.kind != "rehearsal" or self.choice not in ("send", "opening"):
            raise UserError(self.env._("Nothing was sent to KeyCRM after this rehearsal."))
        self._check_enabled()
        self.account_id.sudo().push_stock = False
        self.sudo().to_write_back = True
        self.account_id._wake_stock()
        return True

    # === BUSINESS METHODS ===#

    def _replace_earlier(self):
        """Close rehearsals that still wait for a choice: their numbers are not those of today."""
        earlier = self.search(
            [
                ("account_id", "=", self.account_id.id),
                ("kind", "=", "rehearsal"),
                ("state", "=", "ready"),
                ("id", "!=", self.id),
            ]
        )
        earlier.write({"state": "cancelled", "choice": "not_now"})

    def _left_out(self):
        """:return: the lines that opening quantities leave as they are, for a reason"""
        return self.line_ids.filtered(lambda line: line.opening in _LEFT_OUT)

    def _check_ready(self):
        self.ensure_one()
        self.account_id._check_manager()
        if self.kind != "rehearsal" or self.state != "ready":
            raise UserError(
                self.env._("There is nothing to choose here, or it was chosen already.")
            )

    def _check_enabled(self):
        """Make sure that the stock worker runs: what was chosen would wait unseen.

        :raise UserError: when the integration is off
        """
        if not self.account_id.enabled:
            raise UserError(self.env._("Enable the integration first."))

    def _take_part(self):
        """Take the opening quantities of some products; after the last ones, begin to send.

        Together with the note of what is left: whatever breaks off goes on where it was, and nothing is
        taken twice.
        """
        if self.state != "taking":
            # It was stopped meanwhile.
            return
        part, rest = self.to_check[:OPENING_ROWS], self.to_check[OPENING_ROWS:]
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
        self._tell_user()
        self.account_id._tell_screens()

    def _begin_sending(self, choice):
        """From now on each change is sent to the warehouses that were rehearsed."""
        account = self.account_id.sudo().with_context(keycrm_from_screen=False)
        self.sudo().write({"state": "done", "choice": choice})
        if not account.push_stock:
            others = account.warehouse_ids - self.keycrm_warehouse_ids
            account.push_stock = True
            others.filtered("warehouse_ids").send_state = "rehearse"
        self.keycrm_warehouse_ids.with_context(keycrm_from_screen=False)._allow_sending()
        Level = self.env["keycrm.stock.level"].sudo()
        for warehouse in self.keycrm_warehouse_ids:
            lines = self.line_ids.filtered(
                lambda line, warehouse=warehouse: (
                    line.keycrm_warehouse_id == warehouse
                    and line.offer_id
                    and line.outcome != "not_in_keycrm"
                )
            )
            Level._read_as(warehouse, {line.offer_id.id: line.keycrm_quantity for line in lines})

    def _enqueue(self, products):
        account = self.account_id
        self.env["keycrm.stock.change"].sudo()._append(
            [(account.id, product_id) for product_id in products.ids]
        )
        account._wake_stock()


class KeycrmStockComparisonLine(models.Model):
    """Whether and where KeyCRM's number can become Odoo's opening quantity."""

    _inherit = "keycrm.stock.comparison.line"

    opening = fields.Selection(
        [
            ("taken", "Is taken"),
            ("same", "Stays"),
            ("serials", "Left out: serial numbers have to be counted"),
            ("lots", "Left out: lots have to be counted"),
            ("not_stored", "Left out: Odoo keeps no stock of it"),
            ("changed", "Left out: it changed in Odoo after the reading; rehearse again"),
            ("refused", "Left out: Odoo does not accept the inventory adjustment"),
        ],
        string="As opening quantity",
        readonly=True,
    )

    def _opening_kind(self):
        """Say what becomes of a line when opening quantities are taken from KeyCRM."""
        self.ensure_one()
        product = self.product_id
        if not self.offer_id or self.outcome == "not_in_keycrm":
            return False
        if not product.is_storable:
            return "not_stored"
        if self.outcome == "same" or (
            self.outcome == "uncounted" and rules.is_same(self.keycrm_quantity, 0)
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
            products, account = lines.product_id, warehouse.account_id
            targets = self.env["keycrm.stock.terms"]._targets(warehouse, products)
            moved = lines._moved_since_reading(warehouse.warehouse_ids)
            changed |= lines.filtered(
                lambda line, targets=targets, moved=moved, account=account: (
                    line.product_id in moved
                    or not rules.is_same(
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
        """Give the lot that all of the goods are of: what is added or missing is of that one.

        :return: ``stock.lot``; empty where there is no lot, or more than one
        """
        quants = self._opening_quants()
        lots = quants.lot_id
        return lots if len(lots) == 1 and all(quant.lot_id for quant in quants) else lots.browse()

    def _opening_counts(self):
        """Say what an inventory has to count so that Odoo's number becomes KeyCRM's.

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
            if rules.is_same(change, 0):
                break
        if not rules.is_same(change, 0):
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
