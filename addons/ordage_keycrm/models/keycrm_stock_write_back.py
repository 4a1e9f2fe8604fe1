from odoo import fields, models
from odoo.exceptions import UserError

from ..const import LOOKUP_ROWS, STOCK_PUT_ROWS
from ..keycrm import stock as rules


class KeycrmStockComparison(models.Model):
    """The way back to KeyCRM's numbers from before the first sending."""

    _inherit = "keycrm.stock.comparison"

    # === ACTION METHODS ===#

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


class KeycrmAccount(models.Model):
    """Numbers from before, written to KeyCRM again."""

    _inherit = "keycrm.account"

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
