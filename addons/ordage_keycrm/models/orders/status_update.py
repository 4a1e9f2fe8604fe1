from odoo import api, fields, models

from ...services import crons


class KeycrmStatusUpdate(models.Model):
    """A status that a validated delivery sets in KeyCRM.

    Optional. At most once for an order and delivery, and never over a status that a manager set
    meanwhile: the order is read before its status is sent. Failed ones are retried like events.
    """

    _name = "keycrm.status.update"
    _inherit = ["keycrm.retry.mixin"]
    _description = "Status to set in KeyCRM"
    _order = "id desc"
    _rec_name = "sale_order_id"

    # === FIELDS ===#

    sale_order_id = fields.Many2one(required=True, ondelete="cascade")
    picking_id = fields.Many2one(
        "stock.picking", string="Delivery order", required=True, ondelete="cascade"
    )
    status_id = fields.Many2one(
        "keycrm.order.status", string="Status to set", required=True, ondelete="cascade"
    )
    former_status_id = fields.Many2one(
        "keycrm.order.status",
        string="Status at delivery",
        ondelete="set null",
        help="The status is changed only from this one: if a manager has set another one in the "
        "meantime, it is kept.",
    )

    _picking_unique = models.Constraint(
        "UNIQUE(account_id, sale_order_id, picking_id)",
        "A delivery sets its status in KeyCRM only once.",
    )
    # For the worker's query for due ones, independent of the number of finished ones.
    _due_index = models.Index("(account_id, id) WHERE next_try_at IS NOT NULL")

    # === BUSINESS METHODS ===#

    @api.model
    def _enqueue(self, pickings):
        """Enqueue the statuses that validated deliveries set, in the user's transaction.

        :param pickings: ``stock.picking``
        """
        vals_list = [
            {
                "account_id": account.id,
                "sale_order_id": picking.sale_id.id,
                "picking_id": picking.id,
                "status_id": account.delivered_status_id.id,
                "former_status_id": picking.sale_id.keycrm_status_id.id,
            }
            for picking in pickings
            if (account := picking.sale_id.keycrm_account_id).enabled
            and account.delivered_status_id
            and self._is_progress(picking.sale_id, account.delivered_status_id)
        ]
        if vals_list:
            crons.trigger(self.sudo().create(vals_list).account_id, crons.ORDERS)

    @api.model
    def _is_progress(self, order, wanted):
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

    def _activity_summary(self):
        return self.env._(
            "Could not send the status of order %s to KeyCRM", self.sale_order_id.name
        )
