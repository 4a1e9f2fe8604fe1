from odoo import api, fields, models

from ...keycrm.errors import KeyCrmError, is_outage
from ...keycrm.parsing import to_id, to_object
from ...services import crons
from ...services.circuit_breaker import CircuitBreaker
from ...services.transactions import run_in_transaction


class KeycrmStatusUpdate(models.Model):
    """ "Delivered" for KeyCRM: the status that a validated delivery sets there.

    Optional. At most once for an order and delivery, and never over a status that a manager set
    meanwhile: KeyCRM is asked before it is told. A failed one is tried again and retried like an event.
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
    # The worker's look at what is to be set, however many are done.
    _due_index = models.Index("(account_id, id) WHERE next_try_at IS NOT NULL")

    # === BUSINESS METHODS ===#

    @api.model
    def _ask(self, pickings):
        """Remember that validated deliveries are to set a status; called in the user's transaction."""
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
            and self._leads_on(picking.sale_id, account.delivered_status_id)
        ]
        if vals_list:
            crons.trigger(self.sudo().create(vals_list).account_id, crons.ORDERS)

    @api.model
    def _leads_on(self, order, wanted):
        """Return whether a status leads an order on. What a manager set before the delivery was validated
        here is further on: no order goes back from the archive, a later group, or a cancellation.
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

    @api.model
    def _work(self, account, client):
        """Tell KeyCRM one status.

        :return: True when there was one
        """
        push = self.sudo().search(self._due_domain(account), order="id", limit=1)
        if not push:
            return False
        known = push.former_status_id.keycrm_id
        path = f"/order/{push.sale_order_id.keycrm_id}"
        wanted = push.status_id.keycrm_id
        # Nothing is held open while KeyCRM is asked.
        self.env.cr.commit()
        try:
            current = to_id(to_object(client.get(path)).get("status_id"))
            if current == known and current != wanted:
                client.put(path, {"status_id": wanted})
                vals = push._done_vals()
            else:
                vals = push._done_vals(ignored=current != wanted)
        except KeyCrmError as error:
            if not CircuitBreaker(account).is_request_at_fault(error):
                raise
            vals = push._failed_vals(error.code, error.params, is_outage=is_outage(error))
        run_in_transaction(account.env.cr, lambda: push._end_try(vals))
        return True
