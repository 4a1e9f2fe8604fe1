from odoo import api, models


class KeycrmOrderImporter(models.AbstractModel):
    """Move manufacturing orders to the planned shipping day of their order."""

    _inherit = "keycrm.order.importer"

    @api.model
    def _follow_shipping_date(self, record, removed=None):
        result = super()._follow_shipping_date(record, removed)
        moves, productions = record.order_line.move_ids, self.env["mrp.production"]
        seen = moves
        while moves:
            productions |= moves.production_id
            moves = moves.move_orig_ids - seen
            seen |= moves
        planned = record.commitment_date or record.expected_date
        for production in productions.filtered(
            lambda one: (
                planned
                and one.state in ("draft", "confirmed")
                and not one.is_planned
                and (not removed or one.date_finished == removed)
            )
        ):
            # Keep the duration, and move both dates.
            shift = planned - (production.date_finished or production.date_start)
            production.write(
                {"date_deadline": planned, "date_start": production.date_start + shift}
            )
        return result
