from odoo import fields, models
from odoo.exceptions import UserError

from ...const import LOOKUP_ROWS, STOCK_PUT_ROWS
from ...keycrm import stock_quantities
from ...services.circuit_breaker import end_backoff
from ...services.live_updates import notify_clients
from ...services.transactions import run_in_transaction


class KeycrmStockComparison(models.Model):
    """The way back to KeyCRM's numbers from before the first sending."""

    _inherit = "keycrm.stock.comparison"

    # === ACTION METHODS ===#

    def action_write_back(self):
        """Return KeyCRM back the numbers it had before; sending is switched off for it.

        :return: True
        :raise UserError: when nothing was sent after this preview, or the integration is off
        """
        self.ensure_one()
        self.account_id._check_manager()
        if self.kind != "preview" or self.choice not in ("send", "opening"):
            raise UserError(self.env._("Nothing was sent to KeyCRM after this preview."))
        self._check_enabled()
        self.account_id.sudo().push_stock = False
        self.sudo().write({"to_write_back": True, "error_code": False, "error_params": False})
        end_backoff(self.account_id)
        return True

    # === BUSINESS METHODS ===#

    def _has_sent(self, level):
        """Return whether a ``keycrm.stock.level`` was sent after this preview."""
        return bool(level.sent_at) and level.sent_at >= self.finished_at

    def _keep_what_was_sent(self, levels):
        """Record on the lines what was sent: these levels are about to be forgotten.

        :param levels: ``keycrm.stock.level`` of one KeyCRM warehouse
        """
        sent = levels.filtered("sent_at")
        lines = self.env["keycrm.stock.comparison.line"].search(
            [
                ("comparison_id.choice", "in", ("send", "opening")),
                ("keycrm_warehouse_id", "=", levels.keycrm_warehouse_id.id),
                ("offer_id", "in", sent.offer_id.ids),
            ]
        )
        by_offer = {level.offer_id: level for level in sent}
        lines.filtered(
            lambda line: line.comparison_id._has_sent(by_offer[line.offer_id])
        ).was_sent = True

    def _mark_written_back(self):
        self.write({"to_write_back": False, "written_back_at": fields.Datetime.now()})
        notify_clients(self.account_id)

    def _fail(self, error):
        """A way back that failed can be gone again: what was chosen, and when, stays."""
        if not self.to_write_back:
            return super()._fail(error)
        self.write({"to_write_back": False, "error_code": error.code, "error_params": error.params})
        self._notify_user()
        notify_clients(self.account_id)
        return None


class KeycrmStockComparisonLine(models.Model):
    """Whether there is something to be written back."""

    _inherit = "keycrm.stock.comparison.line"

    was_sent = fields.Boolean(
        string="Sent before match removal",
        readonly=True,
        help="Sent after the preview, and cleared when the warehouse match was removed.",
    )


class KeycrmAccount(models.Model):
    """Numbers from before, written to KeyCRM again."""

    _inherit = "keycrm.account"

    def _write_back(self, client, comparison):
        """Return KeyCRM the numbers it had before the preview, where Odoo has changed them
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
                and (line.was_sent or comparison._has_sent(level))
                and not (
                    level.is_known
                    and stock_quantities.is_same(level.quantity, line.keycrm_quantity)
                )
            ]
            forgotten = lines.filtered(
                lambda line, levels=levels: line.was_sent and line.offer_id.id not in levels
            )
            self.env.cr.commit()
            refusals = [len(rows)]
            for part in self._request_parts(rows, STOCK_PUT_ROWS):
                if not self._put_rows(client, warehouse, part, refusals):
                    return
            for part in self._parts_of(forgotten, LOOKUP_ROWS):
                if not self._write_unknown_back(client, warehouse, part):
                    return
        run_in_transaction(self.env.cr, comparison._mark_written_back)

    def _write_unknown_back(self, client, warehouse, lines):
        """Return KeyCRM numbers back of which it was forgotten what was sent: the warehouse was
        un-matched since.

        :param lines: ``keycrm.stock.comparison.line``, at most fifty, as a list
        :return: False when the caller has to try again with fewer rows
        """
        found = self._read_stock_rows(client, [line.keycrm_id for line in lines]).entries
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
            if not stock_quantities.is_same(quantity, line.keycrm_quantity)
        ]
        # What is known now is not read again where this breaks off.
        Level = self.env["keycrm.stock.level"].sudo()
        right = read.keys() - {offer_id for offer_id, _number, _quantity in rows}
        run_in_transaction(
            self.env.cr,
            lambda: Level._record_read(warehouse, {offer_id: read[offer_id] for offer_id in right}),
        )
        for part in self._request_parts(rows, STOCK_PUT_ROWS):
            if not self._put_rows(client, warehouse, part, [len(rows)]):
                return False
        return True
