from odoo import api, fields, models
from odoo.exceptions import UserError

from ...const import EVENT_REFRESH, UNREADABLE_ORDER
from ...keycrm.order_decisions import DecisionFacts
from ...services.common.bridge import is_bridge
from ...services.common.circuit_breaker import end_backoff
from ..common.field_guard import BRIDGE_FIELD


class SaleOrder(models.Model):
    """Orders that wait for a decision of a user.

    A user's cancellation in Odoo stands, also where KeyCRM has not canceled the order. An order with a
    problem is not confirmed, or not updated.
    """

    _inherit = "sale.order"

    # === FIELDS ===#

    keycrm_canceled_here = fields.Boolean(
        string="Canceled in Odoo",
        copy=False,
        readonly=True,
        help="A user canceled the order in Odoo: KeyCRM does not confirm it again.",
        groups="base.group_user",
    )
    keycrm_kept_status_id = fields.Many2one(
        "keycrm.order.status",
        string="Kept canceled in status",
        ondelete="set null",
        help="A user decided that the order stays canceled as long as KeyCRM has it in this status.",
        **BRIDGE_FIELD,
    )
    keycrm_cancel_conflict = fields.Boolean(
        string="Canceled in Odoo only",
        compute="_compute_keycrm_cancel_conflict",
        store=True,
        help="The order was canceled in Odoo, but not in KeyCRM.",
        **BRIDGE_FIELD,
    )

    keycrm_problem_code = fields.Char(string="KeyCRM problem code", **BRIDGE_FIELD)
    keycrm_problem_params = fields.Json(string="KeyCRM problem parameters", **BRIDGE_FIELD)
    keycrm_problem = fields.Char(
        string="KeyCRM problem",
        compute="_compute_keycrm_problem",
        groups="base.group_user",
    )

    keycrm_needs_decision = fields.Boolean(
        string="Needs a decision",
        compute="_compute_keycrm_needs_decision",
        store=True,
        help="The order needs a decision, or a correction in KeyCRM.",
        **BRIDGE_FIELD,
    )
    keycrm_decision = fields.Selection(
        [
            ("conflict", "Canceled in Odoo only"),
            ("unreadable", "Not updated"),
            ("deleted", "Deleted in KeyCRM"),
            ("problem", "Not confirmed"),
            ("total_differs", "Total differs"),
            ("payments_differ", "Payments differ"),
        ],
        string="Decision needed",
        compute="_compute_keycrm_needs_decision",
        store=True,
        **BRIDGE_FIELD,
    )
    keycrm_decision_since = fields.Datetime(
        string="Needs a decision since",
        compute="_compute_keycrm_needs_decision",
        store=True,
        **BRIDGE_FIELD,
    )
    keycrm_may_accept = fields.Boolean(
        string="May be left as it is",
        compute="_compute_keycrm_may_accept",
        groups="base.group_user",
    )
    keycrm_accepted = fields.Char(
        string="Accepted differences",
        help="What a user decided to leave as it is. With other amounts it needs a new decision.",
        **BRIDGE_FIELD,
    )

    # For the overview's count, independent of the number of orders. Written as Odoo's ORM writes it.
    _keycrm_needs_decision_index = models.Index(
        "(keycrm_account_id) WHERE keycrm_needs_decision IS TRUE"
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

    @api.depends("keycrm_problem_code", "keycrm_problem_params", "state")
    @api.depends_context("lang")
    def _compute_keycrm_problem(self):
        """Hide a problem that prevents the confirmation once a user has confirmed the order."""
        shown = (*UNREADABLE_ORDER, "warehouse_archived")
        self.env["keycrm.error.message"]._compute_sentences(
            self, "keycrm_problem", "keycrm_problem"
        )
        for order in self:
            if order.state == "sale" and order.keycrm_problem_code not in shown:
                order.keycrm_problem = False

    @api.depends(
        "state",
        "keycrm_account_id",
        "keycrm_problem_code",
        "keycrm_cancel_conflict",
        "keycrm_total_differs",
        "keycrm_payments_differ",
        "keycrm_deleted",
        "keycrm_archived",
        "keycrm_accepted",
        "keycrm_total",
        "amount_total",
        "keycrm_amount_paid",
        "keycrm_status_id.order_action",
    )
    def _compute_keycrm_needs_decision(self):
        now = self.env.cr.now()
        for order in self:
            # Odoo computes this for its own orders too, of which nothing more is read.
            facts = order.keycrm_account_id and order._keycrm_decision_facts()
            reason = (facts and facts.reason()) or False
            if not reason or reason != order.keycrm_decision:
                order.keycrm_decision_since = reason and now
            order.keycrm_decision = reason
            order.keycrm_needs_decision = bool(reason)

    @api.depends("keycrm_decision", "state", "keycrm_status_id.order_action")
    def _compute_keycrm_may_accept(self):
        for order in self:
            order.keycrm_may_accept = bool(
                order.keycrm_decision
                and order._keycrm_decision_facts().may_accept(order.keycrm_decision)
            )

    # === CRUD METHODS ===#

    def write(self, vals):
        if "state" in vals and not is_bridge(self.env):
            self._keycrm_record_cancellation(vals["state"] == "cancel")
            if vals["state"] == "sale":
                # The form has asked for confirmation: see ``lock_form``.
                differing = self.sudo().filtered(lambda order: order.keycrm_id)
                differing._keycrm_accept("total_differs")
        return super().write(vals)

    # === ACTION METHODS ===#

    def action_keycrm_restore(self):
        """Synchronize the order again although a user canceled it in Odoo.

        :return: a notification
        :raise UserError: when the integration is disabled
        """
        self._keycrm_check_decision()
        if not all(self.keycrm_account_id.mapped("enabled")):
            raise UserError(self.env._("The integration with KeyCRM is disabled."))
        self.sudo().write({"keycrm_canceled_here": False, "keycrm_kept_status_id": False})
        self._keycrm_clear_conflict()
        self._keycrm_enqueue_refresh(EVENT_REFRESH)
        end_backoff(self.keycrm_account_id)
        return self.keycrm_account_id[:1]._notification(
            self.env._(
                "Being read from KeyCRM: %s. The page shows the result automatically.", len(self)
            )
        )

    def action_keycrm_keep_canceled(self):
        """Keep the order canceled as long as KeyCRM has it in its current status.

        :return: True
        """
        self._keycrm_check_decision()
        for order in self.sudo():
            order.keycrm_kept_status_id = order.keycrm_status_id
        self._keycrm_clear_conflict()
        return True

    def action_keycrm_accept(self):
        """Accept the difference: the orders stay as they are.

        Orders of the selection that wait for another decision, or for none, are not changed.

        :return: True for one order; for several a notification with the result
        :raise UserError: when none of the orders can be left as it is
        """
        self.check_access("write")
        accepted = self.sudo().filtered("keycrm_may_accept")
        if not accepted:
            raise UserError(self.env._("The order cannot be left as it is. Open it to decide."))
        for order in accepted:
            order._keycrm_accept(order.keycrm_decision)
        if len(self) == 1:
            return True
        message = self.env._("Left as they are: %s.", len(accepted))
        others = self - accepted.with_env(self.env)
        if others:
            message += " " + self.env._(
                "Not changed: %s. They need a different decision, or no decision.", len(others)
            )
        return self.keycrm_account_id[:1]._notification(message, "warning" if others else "success")

    # === BUSINESS METHODS ===#

    def _keycrm_decision_facts(self):
        """Return the facts that decide whether the order waits for a user.

        :return: :class:`~.keycrm.order_decisions.DecisionFacts`
        """
        self.ensure_one()
        is_unconfirmed = (
            self.state in ("draft", "sent") and self.keycrm_status_id.order_action == "confirm"
        )
        # Goods that were added after the confirmation are not shipped.
        is_short = self.state == "sale" and self.keycrm_problem_code == "warehouse_archived"
        return DecisionFacts(
            has_conflict=self.keycrm_cancel_conflict,
            is_unreadable=self.keycrm_problem_code in UNREADABLE_ORDER,
            is_canceled=self.state == "cancel",
            is_unconfirmed=is_unconfirmed,
            problem=(self.keycrm_problem_code or "") if is_unconfirmed or is_short else "",
            is_deleted=self.keycrm_deleted,
            is_archived=self.keycrm_archived,
            total_differs=self.keycrm_total_differs,
            payments_differ=self.keycrm_payments_differ,
            amounts=(self.keycrm_total, self.amount_total, self.keycrm_amount_paid),
            accepted=tuple((self.keycrm_accepted or "").split()),
        )

    def _keycrm_accept(self, reason):
        """Record that a user leaves something as it is.

        :param reason: one of :data:`~.keycrm.order_decisions.ACCEPTABLE`
        """
        for order in self:
            state = order._keycrm_decision_facts()
            if not getattr(state, {"deleted": "is_deleted"}.get(reason, reason)):
                continue
            keys = dict.fromkeys((*state.accepted, state.key(reason)))
            order.keycrm_accepted = " ".join(keys)

    def _keycrm_check_decision(self):
        """Check that the orders wait for a decision, so that no other order is changed.

        :raise UserError: when one does not
        """
        self.check_access("write")
        if not self or not all(self.sudo().mapped("keycrm_cancel_conflict")):
            raise UserError(self.env._("The order has no cancellation conflict."))

    def _keycrm_record_cancellation(self, is_canceled):
        """Record that a user or another module canceled orders in Odoo, or reverted it.

        :param is_canceled: False when it is reverted
        """
        orders = self.sudo().filtered(
            lambda order: (
                order.keycrm_id
                and order.keycrm_canceled_here != is_canceled
                and (order.state != "cancel") == is_canceled
            )
        )
        if orders:
            orders.write({"keycrm_canceled_here": is_canceled, "keycrm_kept_status_id": False})

    def _keycrm_show_conflict(self):
        """Schedule an activity on orders that were canceled in Odoo, but not in KeyCRM."""
        for order in self:
            if order.keycrm_cancel_conflict:
                order._keycrm_schedule_activity(
                    "canceled_here",
                    self.env._("The order was canceled in Odoo, but not in KeyCRM"),
                    [
                        self.env._(
                            "In KeyCRM its status is “%(status)s”. Cancel it in KeyCRM too, or restore "
                            "it here.",
                            status=order.keycrm_status_id.display_name,
                        )
                    ],
                    facts=[],
                    is_decision=False,
                )

    def _keycrm_clear_conflict(self):
        """Remove the activity."""
        for order in self:
            order._keycrm_unlink_activity("canceled_here")

    def _keycrm_set_problem(self, code, params):
        """Display the problem of KeyCRM's answer on the orders.

        The next valid answer removes it.

        :param code: see :meth:`~.error_message.KeycrmErrorMessage._sentence`
        :param params: parameters of the code
        """
        for order in self.sudo():
            if (order.keycrm_problem_code, order.keycrm_problem_params) != (code, params):
                order.write({"keycrm_problem_code": code, "keycrm_problem_params": params})

    def _keycrm_request_decision(self, wanted):
        """Schedule an activity on orders whose problem prevents confirmation; remove it from others.

        :param wanted: those of the orders that are confirmed by their status
        """
        summary = self.env._("The order is waiting for your confirmation")
        confirmed = {
            "combo_product": self.env._("A combo of the order is not delivered"),
            "warehouse_archived": self.env._("Products of the order are not delivered"),
        }
        for order in self:
            for code, not_delivered in confirmed.items():
                if order.state == "sale" and order.keycrm_problem_code == code:
                    params = order.keycrm_problem_params
                    sentence = self.env["keycrm.error.message"]._sentence(code, params)
                    order._keycrm_schedule_activity(
                        code, not_delivered, [sentence], facts=params, lasting=True
                    )
                else:
                    order._keycrm_unlink_activity(code)
            if order in wanted and order.keycrm_problem and order.state in ("draft", "sent"):
                order._keycrm_schedule_activity(
                    "unconfirmed",
                    summary,
                    [order.keycrm_problem],
                    facts=[order.keycrm_problem_code, order.keycrm_problem_params],
                    lasting=True,
                    is_decision=False,
                )
            else:
                order._keycrm_unlink_activity("unconfirmed")

    def _keycrm_report_new_problem(self, before):
        """Report a problem that a change in KeyCRM causes in a confirmed order.

        :param before: code of the order's problem before
        """
        summary = self.env._("KeyCRM changed the confirmed order: check it")
        problem = [self.keycrm_problem_code, self.keycrm_problem_params]
        if problem[0] in ("discount_exceeds_goods", "unit_differs"):
            sentence = self.env["keycrm.error.message"]._sentence(*problem)
            self._keycrm_schedule_activity(
                "confirmed_changed", summary, [sentence], facts=problem, lasting=True
            )
        elif before:
            self._keycrm_unlink_activity("confirmed_changed")
