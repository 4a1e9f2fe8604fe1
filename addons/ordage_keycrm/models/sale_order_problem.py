from odoo import api, fields, models

from ..const import UNREADABLE_ORDER


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

    # === COMPUTE METHODS ===#

    @api.depends("keycrm_problem_code", "keycrm_problem_params", "state")
    @api.depends_context("lang")
    def _compute_keycrm_problem(self):
        """What only keeps an order from being confirmed is over once a person confirmed it."""
        self.env["keycrm.explain"]._tell(self, "keycrm_problem", "keycrm_problem")
        for order in self:
            if order.state == "sale" and order.keycrm_problem_code not in UNREADABLE_ORDER:
                order.keycrm_problem = False

    # === BUSINESS METHODS ===#

    def _keycrm_set_problem(self, code, params):
        """Show on the orders what is wrong with KeyCRM's answer; the next good one removes it.

        :param code: see :meth:`~.keycrm_explain.KeycrmExplain._sentence`
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
                order._keycrm_todo(summary, [order.keycrm_problem], lasting=True)
            else:
                order._keycrm_todo_is_over(summary)
