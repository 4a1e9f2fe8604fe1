from ...const import DELIVERY_CODES
from ...keycrm.order_update_rules import StatusUpdate
from ..common import crons
from ..orders.open_orders import open_orders_domain
from .kind import OrderKind


class StatusKind(OrderKind):
    """The status that a validated delivery sets."""

    name = "status"
    label = "Statuses"
    switch = "delivered_status_id"
    is_combined = False

    def enqueue(self, pickings):
        """Enqueue the statuses that validated deliveries set, in the user's transaction.

        :param pickings: ``stock.picking`` of orders of the account
        """
        account, status = self.account, self.account.delivered_status_id
        if not account._sends(self.name):
            return
        vals_list = [
            {
                "account_id": account.id,
                "sale_order_id": picking.sale_id.id,
                "picking_id": picking.id,
                "status_id": status.id,
                "former_status_id": picking.sale_id.keycrm_status_id.id,
            }
            for picking in pickings
            if self._is_progress(picking.sale_id, status)
        ]
        if vals_list:
            updates = self.env["keycrm.order.update"].sudo().create(vals_list)
            crons.trigger(updates.account_id, crons.ORDERS)

    def enqueue_all(self):
        """Enqueue the statuses of deliveries that were validated after the last polling."""
        if not self.account.polled_at:
            return
        validated = [
            ("sale_id", "any", open_orders_domain(self.account)),
            ("picking_type_code", "in", DELIVERY_CODES),
            ("date_done", ">=", self.account.polled_at),
        ]
        pickings = self.env["stock.picking"].sudo().search(validated)
        updates = self.env["keycrm.order.update"].sudo()
        self.enqueue(pickings - updates.search([("picking_id", "in", pickings.ids)]).picking_id)

    def plan(self, update):
        return StatusUpdate(update.former_status_id.keycrm_id, update.status_id.keycrm_id)

    def summary(self, order_name):
        return self.env._("Could not send the status of order %s to KeyCRM", order_name)

    @staticmethod
    def _is_progress(order, wanted):
        """Return whether a status is later than the order's current one.

        A manager may have set a later one before the delivery was validated: no order returns from the
        archive, from a later group, or from a cancellation.

        :param order: ``sale.order``, one
        :param wanted: ``keycrm.order.status``, one
        """
        current = order.keycrm_status_id
        if current == wanted or order.keycrm_archived or current.is_archive:
            return False
        if current.order_action == "cancel":
            return False
        return not (current.group and wanted.group) or current.group <= wanted.group
