from odoo import models

#: Digits in which quantities are compared; KeyCRM's have at most three.
DIGITS = 3


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
            too_much = line.qty_delivered - quantity - line._keycrm_expected_back()
            for move in line.move_ids.sorted("id", reverse=True):
                if round(too_much, DIGITS) <= 0:
                    break
                part = min(too_much, move._keycrm_still_out())
                if round(part, DIGITS) > 0:
                    missing.setdefault(move.picking_id, {})[move] = part
                    too_much -= part
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
        for move in waiting.move_ids.filtered(lambda move: move.state not in ("done", "cancel")):
            line = move.sale_line_id
            if line not in wanted:
                continue
            least = max(0.0, line.qty_delivered - wanted[line])
            if round(move.product_uom_qty - least, DIGITS) <= 0:
                continue
            if least:
                move.product_uom_qty = least
            else:
                move._action_cancel()
