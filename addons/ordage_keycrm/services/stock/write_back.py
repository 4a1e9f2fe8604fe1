from ...const import LOOKUP_ROWS
from ...keycrm import stock_quantities
from ...keycrm.errors import KeyCrmError, Refused
from ...keycrm.stock_plan import Row
from ..common.service import Service
from ..common.transactions import run_in_transaction
from .fault_isolation import READ, FaultIsolation
from .stock_exporter import StockExporter
from .stock_lookup import StockLookup


class WriteBack(Service):
    """Restore the quantities that KeyCRM had before a preview, where Odoo has changed them since."""

    def process(self, comparison):
        """Restore the quantities of a preview.

        :param comparison: ``keycrm.stock.comparison``, one
        """
        Level, exporter = self.env["keycrm.stock.level"].sudo(), self.service(StockExporter)
        for warehouse in comparison.keycrm_warehouse_ids:
            lines = comparison._lines(
                [("keycrm_warehouse_id", "=", warehouse.id), ("offer_id", "!=", False)]
            )
            levels = Level._levels_for(warehouse, lines.offer_id)
            rows = [
                Row(line.offer_id.id, line.keycrm_id, line.keycrm_quantity)
                for line in lines
                if (level := levels.get(line.offer_id.id))
                and (line.was_sent or comparison._has_sent(level))
                and not (
                    level.is_known
                    and stock_quantities.is_same(level.quantity, line.keycrm_quantity)
                )
            ]
            without_level = lines.filtered(
                lambda line, levels=levels: line.was_sent and line.offer_id.id not in levels
            )
            self.env.cr.commit()
            if not exporter.put(warehouse, rows, len(rows)):
                return
            isolation = self.service(FaultIsolation)
            for part in isolation.request_parts(without_level, LOOKUP_ROWS, READ):
                if not self._restore_unknown(warehouse, part):
                    return
        run_in_transaction(self.env.cr, comparison._mark_written_back)

    def _restore_unknown(self, warehouse, lines):
        """Restore quantities whose levels were deleted, because the warehouse was unmatched since.

        :param warehouse: ``keycrm.warehouse``, one
        :param lines: ``keycrm.stock.comparison.line``, at most fifty
        :return: False when the caller has to try again with fewer rows
        """
        isolation = self.service(FaultIsolation)
        try:
            found = self.service(StockLookup).read_rows(lines.mapped("keycrm_id")).entries
        except Refused:
            # The preview shows the error, and a user repeats the restoration.
            raise
        except KeyCrmError as error:
            if not isolation.is_single_fault(error, lines, READ):
                return False
            # A row that cannot be read is written without reading.
            rows = [Row(lines.offer_id.id, lines.keycrm_id, lines.keycrm_quantity)]
            if not self.service(StockExporter).put(warehouse, rows):
                return False
            isolation.raise_if_all_fail(error, READ)
            return True
        current = {
            line: sum(
                float(entry.quantity)
                for entry in found[line.keycrm_id]
                if entry.warehouse.id == warehouse.keycrm_id
            )
            for line in lines
            if line.keycrm_id in found
        }
        read = {line.offer_id.id: quantity for line, quantity in current.items()}
        rows = [
            Row(line.offer_id.id, line.keycrm_id, line.keycrm_quantity)
            for line, quantity in current.items()
            if not stock_quantities.is_same(quantity, line.keycrm_quantity)
        ]
        # Levels that are recorded now are not read again after an interruption.
        Level = self.env["keycrm.stock.level"].sudo()
        right = read.keys() - {row.offer_id for row in rows}

        def record():
            isolation.accepted(READ)
            Level._record_read(warehouse, {offer_id: read[offer_id] for offer_id in right})

        run_in_transaction(self.env.cr, record)
        return self.service(StockExporter).put(warehouse, rows, len(rows))
