from odoo import models

from .. import todo

#: Digits in which quantities are compared; KeyCRM's have at most three.
DIGITS = 3


class SaleOrder(models.Model):
    """What happens to an imported order: archive, cancel, expected returns, to-dos.

    Nothing that was delivered or invoiced is undone silently: a person is told what happened and what
    to do, and goods that are on their way back are waited for, so that stock rises only on receipt.
    """

    _inherit = "sale.order"

    # === WHAT IS OUT ===#

    def _keycrm_is_out(self):
        """Tell whether goods were delivered or an invoice was posted."""
        self.ensure_one()
        return bool(
            any(line.qty_delivered or line.qty_invoiced for line in self.order_line)
            or self.invoice_ids.filtered(lambda move: move.state == "posted")
        )

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
        return returns

    # === ARCHIVE ===#

    def _keycrm_archive(self):
        """The order counts as done: locked, and in the order archive."""
        if not self:
            return
        ship = self.filtered(
            lambda order: order.keycrm_account_id.archive_validates and order.state == "sale"
        )
        ship.picking_ids._keycrm_validate_deliveries()
        self.filtered(lambda order: not order.keycrm_archived).keycrm_archived = True
        self.filtered(lambda order: order.state == "sale" and not order.locked).locked = True

    def _keycrm_reopen(self):
        """The order left the archive statuses: it comes back and can be changed again."""
        if self:
            self.write({"keycrm_archived": False, "locked": False})

    # === CANCEL ===#

    def _keycrm_cancel(self):
        """Cancel what KeyCRM cancelled.

        When goods or invoices are out the order stays: what was not shipped yet is taken off, what was
        is expected back, and a to-do tells a person. Once the goods are back, it is looked at again.
        """
        for order in self.filtered(lambda order: order.state != "cancel"):
            if not order._keycrm_is_out():
                order.locked = False
                order._action_cancel()
                continue
            delivered = order.order_line.filtered(lambda line: line.qty_delivered > 0)
            order._keycrm_expect_return(dict.fromkeys(delivered, 0.0))
            rows = []
            if delivered:
                rows.append(
                    self.env._("Goods are with the buyer or on their way: a return is expected.")
                )
            if order.order_line.filtered("qty_invoiced"):
                rows.append(self.env._("An invoice was made: decide about a credit note."))
            for other in order._keycrm_merged_into():
                rows.append(
                    self.env._(
                        "Its goods stand in %(other)s now (merged in KeyCRM), and were shipped with "
                        "%(this)s: do not ship them twice.",
                        other=other.display_name,
                        this=order.display_name,
                    )
                )
            order._keycrm_todo(self.env._("KeyCRM cancelled the order"), rows)

    def _keycrm_merged_into(self):
        """Give the orders that have this order's KeyCRM lines or payments now: KeyCRM merged them."""
        self.ensure_one()
        numbers = [number for number in self.order_line.mapped("keycrm_id") if number]
        return (
            self.env["sale.order.line"]
            .search(
                [
                    ("keycrm_id", "in", numbers),
                    ("order_id.keycrm_account_id", "=", self.keycrm_account_id.id),
                    ("order_id", "!=", self.id),
                ]
            )
            .order_id
        )

    def _keycrm_mark_deleted(self):
        """KeyCRM does not have the order any more; it stays here, and a person decides."""
        for order in self.filtered(lambda order: not order.keycrm_deleted):
            order.keycrm_deleted = True
            order._keycrm_holds_nothing()
            order._keycrm_todo(
                self.env._("The order was deleted in KeyCRM"),
                [self.env._("Cancel it here too, or keep it if the goods are really sold.")],
            )

    # === TELLING PEOPLE ===#

    def _keycrm_todo(self, summary, rows):
        """Leave a to-do for the salesperson; the same one is not left twice.

        :param summary: one line
        :param rows: list of sentences
        """
        self.ensure_one()
        user = self.user_id or self.keycrm_account_id._todo_user()
        todo.leave(self, user, summary, rows)
