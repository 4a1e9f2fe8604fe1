from collections import Counter

from odoo import fields, models
from odoo.exceptions import UserError

from ..const import STOCK_PUT_ROWS
from ..keycrm import stock as rules

#: Lines of a rehearsal that are counted under each heading.
_COUNTED = {
    "zero": "zero_count",
    "lower": "lower_count",
    "higher": "higher_count",
    "same": "same_count",
    "uncounted": "unmatched_count",
    "not_in_keycrm": "unmatched_count",
    "not_in_odoo": "unmatched_count",
}


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
        self.env["keycrm.stock.comparison.line"].sudo().create(lines)
        counts = Counter()
        for line in lines:
            counts[_COUNTED[line["outcome"]]] += 1
        comparison._end("ready", compared_count=len(lines), **counts)

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
        self._committed(
            lambda: comparison.write(
                {"to_write_back": False, "written_back_at": fields.Datetime.now()}
            )
        )


class KeycrmStockComparison(models.Model):
    """What a person chooses after a rehearsal."""

    _inherit = "keycrm.stock.comparison"

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
        return True

    def action_take_opening(self):
        """KeyCRM is right: bring Odoo's stock to KeyCRM's numbers by an inventory adjustment.

        Lots have to be counted by people: tracked products are left as they are.

        :return: True
        :raise UserError: when a choice was made already
        """
        self._check_ready()
        vals_list = []
        quants = self.env["stock.quant"].with_company(self.account_id.company_id)
        for line in self.line_ids.filtered("offer_id"):
            if line.outcome == "not_in_keycrm" or not line.product_id.is_storable:
                continue
            if line.product_id.tracking != "none":
                continue
            wanted = max(0.0, line.keycrm_quantity)
            if line.outcome != "uncounted" and rules.is_same(wanted, line.odoo_quantity):
                continue
            place = line.keycrm_warehouse_id.warehouse_ids[0].lot_stock_id
            there = sum(
                quants.sudo()._gather(line.product_id, place, strict=True).mapped("quantity")
            )
            vals_list.append(
                {
                    "product_id": line.product_id.id,
                    "location_id": place.id,
                    "inventory_quantity": there + wanted - line.odoo_quantity,
                }
            )
        quants = quants.sudo().with_context(
            inventory_mode=True, inventory_name=self.env._("Opening quantities from KeyCRM")
        )
        quants.create(vals_list).action_apply_inventory()
        self._begin_sending("opening")
        self._enqueue(self.line_ids.product_id)
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
        :raise UserError: when nothing was sent after this rehearsal
        """
        self.ensure_one()
        self.account_id._check_manager()
        if self.kind != "rehearsal" or self.choice not in ("send", "opening"):
            raise UserError(self.env._("Nothing was sent to KeyCRM after this rehearsal."))
        self.account_id.sudo().push_stock = False
        self.sudo().to_write_back = True
        self.account_id._wake_stock()
        return True

    # === BUSINESS METHODS ===#

    def _check_ready(self):
        self.ensure_one()
        self.account_id._check_manager()
        if self.kind != "rehearsal" or self.state != "ready":
            raise UserError(
                self.env._("There is nothing to choose here, or it was chosen already.")
            )

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
