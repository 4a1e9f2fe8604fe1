from odoo import api, fields, models
from odoo.exceptions import UserError

from ...const import EVENT_REFRESH
from ...services.bridge import is_bridge
from ...services.circuit_breaker import end_backoff


class SaleOrder(models.Model):
    """A person's cancellation in Odoo stands: where KeyCRM wants the order all the same, a person decides."""

    _inherit = "sale.order"

    # === FIELDS ===#

    keycrm_canceled_here = fields.Boolean(
        string="Canceled in Odoo",
        copy=False,
        readonly=True,
        help="A user canceled the order in Odoo: KeyCRM does not confirm it again.",
    )
    keycrm_kept_status_id = fields.Many2one(
        "keycrm.order.status",
        string="Kept canceled in status",
        copy=False,
        readonly=True,
        ondelete="set null",
        help="A user decided that the order stays canceled as long as KeyCRM has it in this status.",
    )
    keycrm_cancel_conflict = fields.Boolean(
        string="Canceled in Odoo only",
        compute="_compute_keycrm_cancel_conflict",
        store=True,
        help="The order was canceled in Odoo, but not in KeyCRM.",
    )

    # === COMPUTE METHODS ===#

    @api.depends(
        "state",
        "keycrm_canceled_here",
        "keycrm_kept_status_id",
        "keycrm_status_id.order_action",
        "keycrm_deleted",
    )
    def _compute_keycrm_cancel_conflict(self):
        for order in self:
            order.keycrm_cancel_conflict = (
                order.keycrm_canceled_here
                and order.state == "cancel"
                and not order.keycrm_deleted
                and order.keycrm_status_id.order_action in ("quotation", "confirm")
                and order.keycrm_status_id != order.keycrm_kept_status_id
            )

    # === CRUD METHODS ===#

    def write(self, vals):
        if "state" in vals and not is_bridge(self.env):
            self._keycrm_record_cancellation(vals["state"] == "cancel")
        return super().write(vals)

    # === ACTION METHODS ===#

    def action_keycrm_restore(self):
        """Let the order follow KeyCRM again although a person canceled it here.

        :return: a notification
        :raise UserError: when the integration is off
        """
        self._keycrm_check_decision()
        if not all(self.keycrm_account_id.mapped("enabled")):
            raise UserError(self.env._("The integration with KeyCRM is disabled."))
        self.sudo().write({"keycrm_canceled_here": False, "keycrm_kept_status_id": False})
        self._keycrm_conflict_is_over()
        self._keycrm_ask_refresh(EVENT_REFRESH)
        end_backoff(self.keycrm_account_id)
        return self.keycrm_account_id[:1]._notification(
            self.env._("The order is being read from KeyCRM. Reload the page in a moment.")
        )

    def action_keycrm_keep_canceled(self):
        """Keep the order canceled as long as KeyCRM has it in its present status.

        :return: True
        """
        self._keycrm_check_decision()
        for order in self.sudo():
            order.keycrm_kept_status_id = order.keycrm_status_id
        self._keycrm_conflict_is_over()
        return True

    # === BUSINESS METHODS ===#

    def _keycrm_check_decision(self):
        """:raise UserError: when there is nothing to decide, so that no other order is changed"""
        self.check_access("write")
        if not self or not all(self.sudo().mapped("keycrm_cancel_conflict")):
            raise UserError(self.env._("The order is not canceled in Odoo only."))

    def _keycrm_record_cancellation(self, is_cancelled):
        """Record that a person, or another module, cancels orders or takes the cancellation back.

        :param is_cancelled: which of them
        """
        orders = self.sudo().filtered(
            lambda order: (
                order.keycrm_id
                and order.keycrm_canceled_here != is_cancelled
                and (order.state != "cancel") == is_cancelled
            )
        )
        if orders:
            orders.write({"keycrm_canceled_here": is_cancelled, "keycrm_kept_status_id": False})

    def _keycrm_show_conflict(self):
        """Schedule an activity on orders that were canceled here and that KeyCRM wants all the same."""
        for order in self:
            if order.keycrm_cancel_conflict:
                order._keycrm_schedule_activity(
                    order._keycrm_conflict_summary(),
                    [
                        self.env._(
                            "In KeyCRM its status is “%(status)s”. Cancel it in KeyCRM too, or restore "
                            "it here.",
                            status=order.keycrm_status_id.display_name,
                        )
                    ],
                )

    def _keycrm_conflict_is_over(self):
        """Remove the activity: in the language of the worker that scheduled it."""
        for order in self:
            company = order.company_id.sudo()
            said = order.with_context(lang=company.partner_id.lang or self.env.lang)
            said._keycrm_unlink_activity(said._keycrm_conflict_summary())

    def _keycrm_conflict_summary(self):
        return self.env._("The order was canceled in Odoo, but not in KeyCRM")
