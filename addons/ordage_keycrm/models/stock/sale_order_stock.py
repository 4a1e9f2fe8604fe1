from odoo import api, models

from ...const import NOTHING_RESERVED

#: Fields that decide the outgoing quantity of an unconfirmed order: of lines for which KeyCRM holds stock.
_ORDER_DECIDES = ("state", "keycrm_status_id")
_LINE_DECIDES = ("product_id", "keycrm_stock_status", "keycrm_quantity", "keycrm_warehouse_id")
#: Fields that decide whether the order's open moves count, whether KeyCRM holds stock or not.
_MOVES_COUNT = ("keycrm_skip_delivery", "keycrm_account_id")


class SaleOrder(models.Model):
    """Enqueue the goods of an order that is confirmed or canceled in Odoo: no quant is written then."""

    _inherit = "sale.order"

    def write(self, vals):
        result = super().write(vals)
        if not vals.keys().isdisjoint(_MOVES_COUNT):
            self.order_line._keycrm_enqueue_products()
        elif not vals.keys().isdisjoint(_ORDER_DECIDES):
            self.order_line._keycrm_enqueue_changes()
        return result

    def unlink(self):
        # PostgreSQL deletes the lines without their own hook.
        self.order_line._keycrm_enqueue_changes()
        return super().unlink()

    def _keycrm_release_reserves(self):
        """Release KeyCRM's reserves of orders that it does not have any more."""
        for account, orders in self.grouped("keycrm_account_id").items():
            reserved = orders.order_line.filtered("keycrm_stock_status")
            reserved.write(dict(NOTHING_RESERVED))
            self.env["keycrm.stock.change"]._enqueue_refresh(
                account, reserved.product_id.ids, zero_allowed=True
            )


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines._keycrm_enqueue_changes()
        return lines

    def write(self, vals):
        decides = not vals.keys().isdisjoint(_LINE_DECIDES)
        if decides:
            # Also the products of lines that are no longer reserved afterwards.
            self._keycrm_enqueue_changes()
        result = super().write(vals)
        if decides:
            self._keycrm_enqueue_changes()
        return result

    def unlink(self):
        self._keycrm_enqueue_changes()
        return super().unlink()

    def _keycrm_enqueue_changes(self):
        """Record the products of lines for which KeyCRM holds stock.

        The outgoing quantity of other lines is that of their moves, which are recorded themselves.
        Otherwise a synchronization of quotations would fill the outbox with unchanged products.
        """
        self.filtered("keycrm_stock_status")._keycrm_enqueue_products()

    def _keycrm_enqueue_products(self):
        """Record the products of those lines that come from KeyCRM."""
        Change = self.env["keycrm.stock.change"]
        if not Change._sending_accounts("push_stock"):
            return
        for line in self.sudo():
            if line.keycrm_id and line.product_id:
                Change._enqueue((line.product_id.id,), line.company_id.id, zero_allowed=True)
