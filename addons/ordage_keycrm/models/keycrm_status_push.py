from datetime import timedelta

from odoo import api, fields, models

from ..const import RETRY_PAUSES
from ..keycrm.errors import KeyCrmError, NotFound, Refused
from ..keycrm.values import to_int


class KeycrmStatusPush(models.Model):
    """ "Delivered" for KeyCRM: the status that a validated delivery sets there.

    Optional. At most once for an order and delivery, and never over a status that a manager set
    meanwhile: KeyCRM is asked before it is told. A failed one is tried again and retried like an event.
    """

    _name = "keycrm.status.push"
    _description = "Status to be set in KeyCRM"
    _order = "id desc"
    _rec_name = "sale_order_id"

    # === FIELDS ===#

    account_id = fields.Many2one(
        "keycrm.account", string="KeyCRM account", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="account_id.company_id")
    sale_order_id = fields.Many2one(
        "sale.order", string="Sales order", required=True, ondelete="cascade"
    )
    picking_id = fields.Many2one(
        "stock.picking", string="Delivery", required=True, ondelete="cascade"
    )
    status_id = fields.Many2one(
        "keycrm.order.status", string="Status to set", required=True, ondelete="cascade"
    )
    state = fields.Selection(
        [
            ("pending", "Pending"),
            ("done", "Done"),
            ("ignored", "Ignored"),
            ("failed", "Failed"),
        ],
        required=True,
        default="pending",
    )
    attempts = fields.Integer(string="Tries")
    next_try_at = fields.Datetime(string="Next try", default=fields.Datetime.now)
    error_code = fields.Char(string="Kind of error")
    error_params = fields.Json(string="Details of the error")
    error = fields.Char(compute="_compute_error")

    _picking_unique = models.Constraint(
        "UNIQUE(account_id, sale_order_id, picking_id)", "A delivery sets a status once."
    )
    _due_index = models.Index("(account_id, id) WHERE next_try_at IS NOT NULL")

    # === COMPUTE METHODS ===#

    @api.depends("error_code", "error_params")
    @api.depends_context("lang")
    def _compute_error(self):
        explain = self.env["keycrm.explain"]
        for push in self:
            push.error = explain._sentence(push.error_code, push.error_params)

    # === ACTION METHODS ===#

    def action_retry(self):
        """Try again at once.

        :return: True
        """
        self.account_id._check_manager()
        pushes = self.sudo().filtered(lambda push: push.state != "done")
        pushes.write({"state": "pending", "attempts": 0, "next_try_at": fields.Datetime.now()})
        pushes.account_id._wake_orders()
        return True

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
            }
            for picking in pickings
            if (account := picking.sale_id.keycrm_account_id).enabled
            and account.delivered_status_id
            and picking.sale_id.keycrm_status_id != account.delivered_status_id
        ]
        if vals_list:
            self.sudo().create(vals_list).account_id._wake_orders()

    @api.model
    def _work(self, account, client):
        """Tell KeyCRM one status.

        :return: True when there was one
        """
        push = self.sudo().search(
            [
                ("account_id", "=", account.id),
                ("next_try_at", "!=", False),
                ("next_try_at", "<=", fields.Datetime.now()),
            ],
            order="id",
            limit=1,
        )
        if not push:
            return False
        known = push.sale_order_id.keycrm_status_id.keycrm_id
        path = f"/order/{push.sale_order_id.keycrm_id}"
        wanted = push.status_id.keycrm_id
        # Nothing is held open while KeyCRM is asked.
        self.env.cr.commit()
        try:
            current = to_int((client.get(path) or {}).get("status_id"))
            if current == known and current != wanted:
                client.put(path, {"status_id": wanted})
                vals = {"state": "done"}
            else:
                vals = {"state": "done" if current == wanted else "ignored"}
        except (NotFound, Refused) as error:
            vals = push._failure_vals(error)
        account._committed(
            lambda: push.write({"next_try_at": False, "attempts": push.attempts + 1, **vals})
        )
        return True

    def _failure_vals(self, error: KeyCrmError):
        attempts = self.attempts + 1
        pause = RETRY_PAUSES[attempts - 1] if attempts <= len(RETRY_PAUSES) else None
        return {
            "state": "failed",
            "error_code": error.code,
            "error_params": error.params,
            "next_try_at": fields.Datetime.now() + timedelta(seconds=pause) if pause else False,
        }
