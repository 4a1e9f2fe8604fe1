from odoo import api, models

from ...const import HELD_NOTHING

#: What decides how much an order that is not confirmed takes out: of lines that KeyCRM holds stock for.
_ORDER_DECIDES = ("state", "keycrm_status_id")
_LINE_DECIDES = ("product_id", "keycrm_stock_status", "keycrm_quantity", "keycrm_warehouse_id")
#: What decides whether the order's open moves count, whatever KeyCRM holds.
_MOVES_COUNT = ("keycrm_skip_delivery", "keycrm_account_id")


class SaleOrder(models.Model):
    """An order that a person confirms or cancels in Odoo frees or takes goods without any move."""

    _inherit = "sale.order"

    def write(self, vals):
        result = super().write(vals)
        if not vals.keys().isdisjoint(_MOVES_COUNT):
            self.order_line._keycrm_queue_products()
        elif not vals.keys().isdisjoint(_ORDER_DECIDES):
            self.order_line._keycrm_queue_changes()
        return result

    def unlink(self):
        # PostgreSQL deletes the lines, past their own hook.
        self.order_line._keycrm_queue_changes()
        return super().unlink()

    def _keycrm_holds_nothing(self):
        """KeyCRM does not have the order any more, and so holds none of its stock for it."""
        for account, orders in self.grouped("keycrm_account_id").items():
            held = orders.order_line.filtered("keycrm_stock_status")
            held.write(dict(HELD_NOTHING))
            self.env["keycrm.stock.change"]._record_orders(
                account, held.product_id.ids, from_move=True
            )


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines._keycrm_queue_changes()
        return lines

    def write(self, vals):
        decides = not vals.keys().isdisjoint(_LINE_DECIDES)
        if decides:
            # What is held no longer counts too.
            self._keycrm_queue_changes()
        result = super().write(vals)
        if decides:
            self._keycrm_queue_changes()
        return result

    def unlink(self):
        self._keycrm_queue_changes()
        return super().unlink()

    def _keycrm_queue_changes(self):
        """Record the products of lines that KeyCRM holds stock for.

        Other lines take nothing out but by their moves, which note themselves. A synchronization of
        quotations would otherwise fill the outbox with products of which nothing has changed.
        """
        self.filtered("keycrm_stock_status")._keycrm_queue_products()

    def _keycrm_queue_products(self):
        """Record the products of these lines, as far as they are KeyCRM's."""
        Change = self.env["keycrm.stock.change"]
        if not Change._accounts_by_company():
            return
        for line in self.sudo():
            if line.keycrm_id and line.product_id:
                Change._note((line.product_id.id,), line.company_id.id, from_move=True)
