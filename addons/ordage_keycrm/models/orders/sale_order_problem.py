from odoo import api, fields, models

from ...const import UNREADABLE_ORDER


class SaleOrder(models.Model):
    """Why an imported order is not updated, or waits for a person before it is confirmed."""

    _inherit = "sale.order"

    # === FIELDS ===#

    keycrm_problem_code = fields.Char(string="KeyCRM problem code", copy=False, readonly=True)
    keycrm_problem_params = fields.Json(
        string="KeyCRM problem parameters", copy=False, readonly=True
    )
    keycrm_problem = fields.Char(
        string="KeyCRM problem",
        compute="_compute_keycrm_problem",
        groups="base.group_user",
    )

    keycrm_needs_decision = fields.Boolean(
        string="Needs a decision",
        compute="_compute_keycrm_needs_decision",
        store=True,
        help="The order is not confirmed or not updated until a user decides or KeyCRM is corrected.",
    )

    # The overview counts them, however many orders there are; in the words in which Odoo asks.
    _keycrm_needs_decision_index = models.Index(
        "(keycrm_account_id) WHERE keycrm_needs_decision IS TRUE"
    )

    # === COMPUTE METHODS ===#

    @api.depends("keycrm_problem_code", "keycrm_problem_params", "state")
    @api.depends_context("lang")
    def _compute_keycrm_problem(self):
        """What only keeps an order from being confirmed is over once a person confirmed it."""
        self.env["keycrm.error.message"]._compute_sentences(
            self, "keycrm_problem", "keycrm_problem"
        )
        for order in self:
            if order.state == "sale" and order.keycrm_problem_code not in UNREADABLE_ORDER:
                order.keycrm_problem = False

    @api.depends(
        "state",
        "keycrm_problem_code",
        "keycrm_cancel_conflict",
        "keycrm_total_differs",
        "keycrm_status_id.order_action",
    )
    def _compute_keycrm_needs_decision(self):
        for order in self:
            is_waiting = (
                order.state in ("draft", "sent")
                and order.keycrm_status_id.order_action == "confirm"
                and (order.keycrm_problem_code or order.keycrm_total_differs)
            )
            order.keycrm_needs_decision = bool(
                order.keycrm_cancel_conflict
                or order.keycrm_problem_code in UNREADABLE_ORDER
                or is_waiting
            )

    # === BUSINESS METHODS ===#

    def _keycrm_set_problem(self, code, params):
        """Show on the orders what is wrong with KeyCRM's answer; the next good one removes it.

        :param code: see :meth:`~.keycrm_error_message.KeycrmErrorMessage._sentence`
        :param params: its parameters
        """
        for order in self.sudo():
            if (order.keycrm_problem_code, order.keycrm_problem_params) != (code, params):
                order.write({"keycrm_problem_code": code, "keycrm_problem_params": params})

    def _keycrm_request_decision(self, wanted):
        """Schedule an activity on orders that are not confirmed for their problem, and remove it from the
        others.

        :param wanted: those of the orders that KeyCRM wants confirmed
        """
        summary = self.env._("The order is waiting for your confirmation")
        for order in self:
            if order in wanted and order.keycrm_problem and order.state in ("draft", "sent"):
                order._keycrm_schedule_activity(summary, [order.keycrm_problem], lasting=True)
            else:
                order._keycrm_unlink_activity(summary)
