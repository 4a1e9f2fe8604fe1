from odoo import models


class SaleOrder(models.Model):
    """Goods that are with the buyer and that KeyCRM does not count as sold any more: their return is
    expected, and stock rises only on receipt.
    """

    _inherit = "sale.order"

    def _keycrm_expect_return(self, wanted):
        """Make a return transfer that waits for goods which KeyCRM does not want delivered any more.

        What is expected back already is not expected twice.

        :param wanted: ``{sale.order.line: quantity that KeyCRM wants}``
        :return: the new return transfers, ``stock.picking``
        """
        self.ensure_one()
        missing = {}
        for line, quantity in wanted.items():
            for moves, per_unit in line._keycrm_goods():
                too_much = (line.qty_delivered - quantity) * per_unit
                parts = moves._keycrm_parts_to_return(too_much - moves._keycrm_expected_back())
                for move, part in parts.items():
                    missing.setdefault(move.picking_id, {})[move] = part
        returns = self.env["stock.picking"]
        for picking, quantities in missing.items():
            wizard = self.env["stock.return.picking"].create({"picking_id": picking.id})
            for row in wizard.product_return_moves:
                row.quantity = quantities.get(row.move_id, 0.0)
            returns |= wizard._create_return()
        returns.keycrm_expected_return = True
        return returns

    def _keycrm_expect_no_return(self, wanted):
        """KeyCRM wants delivered goods after all: what was expected back by us is not any more.

        Returns that a person made are left alone.

        :param wanted: ``{sale.order.line: quantity that KeyCRM wants}``
        """
        self.ensure_one()
        waiting = self.picking_ids.filtered(
            lambda picking: (
                picking.keycrm_expected_return and picking.state not in ("done", "cancel")
            )
        )
        expected = waiting.move_ids.filtered(lambda move: move.state not in ("done", "cancel"))
        for line, quantity in wanted.items() if expected else ():
            for moves, per_unit in line._keycrm_goods():
                least = max(0.0, (line.qty_delivered - quantity) * per_unit)
                (moves & expected)._keycrm_return_at_most(least)
