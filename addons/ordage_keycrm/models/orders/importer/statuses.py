from odoo import api, models

from ....keycrm.order_states import Archiving, OrderState, Step, archiving, state_step
from ....keycrm.parcels import COMING_BACK
from ....services.orders import contacts


class KeycrmOrderImporter(models.AbstractModel):
    """Bring orders into the state of their status; ``keycrm/order_states.py`` decides."""

    _inherit = "keycrm.order.importer"

    @api.model
    def _apply_statuses(self, batch):
        """Bring each order into the state of its status, by groups."""
        SaleOrder = self.env["sale.order"]
        actions = {"quotation": SaleOrder, "confirm": SaleOrder, "cancel": SaleOrder}
        steps = dict.fromkeys(Step, SaleOrder)
        moves = dict.fromkeys(Archiving, SaleOrder)
        for order in batch.orders:
            record, status, action = batch.record(order), batch.status(order), batch.action(order)
            actions[action] |= record
            steps[self._state_step(action, record)] |= record
            is_archive = bool(status) and status in batch.account.archive_status_ids
            moves[archiving(bool(status), is_archive, record.keycrm_archived)] |= record
        (actions["quotation"] | actions["confirm"])._keycrm_clear_cancellation()
        actions["cancel"].filtered("keycrm_canceled_here")._keycrm_clear_conflict()
        steps[Step.SHOW_CONFLICT]._keycrm_show_conflict()
        moves[Archiving.REOPEN]._keycrm_reopen()
        self._reset_to_quotations(steps)
        confirmed = self._confirm(batch, steps[Step.CONFIRM] | steps[Step.RESET_AND_CONFIRM])
        for record in confirmed:
            record._keycrm_request_production(record.order_line.filtered("keycrm_to_make"))
        # KeyCRM returns reserved and written-off goods of a canceled order by itself.
        canceled = steps[Step.CANCEL]
        batch.affected_products.update(canceled.order_line.filtered("keycrm_id").product_id.ids)
        canceled._keycrm_cancel()
        self._report_shipped_elsewhere(batch)
        self._expect_refused(batch)
        moves[Archiving.ARCHIVE]._keycrm_archive()
        conflicts = steps[Step.SHOW_CONFLICT]
        followed = SaleOrder.union(*actions.values()) - conflicts
        followed._keycrm_request_decision(actions["confirm"] - conflicts)

    @api.model
    def _state_step(self, action, record):
        """Decide what is done with the state of an order.

        :param action: result of its status in Odoo
        :param record: ``sale.order``, one
        :return: :class:`~.keycrm.order_states.Step`
        """
        state = OrderState(
            record.state,
            is_canceled_here=record.keycrm_canceled_here,
            is_confirmable=not record.keycrm_total_differs and not record.keycrm_problem_code,
        )
        may_reset = action == "quotation" and record.state == "sale"
        return state_step(
            action, state, is_shipped=may_reset and record._keycrm_is_shipped_or_invoiced()
        )

    @api.model
    def _reset_to_quotations(self, steps):
        """Reset orders that KeyCRM moved back to quotations, unless delivered or invoiced.

        :param steps: ``{Step: sale.order}``
        """
        followed = self.env["sale.order"].union(*steps.values()) - steps[Step.STAY_CONFIRMED]
        for order in followed.filtered("keycrm_created_activities"):
            order._keycrm_unlink_activity("moved_back")
        canceled = steps[Step.RESET] | steps[Step.RESET_AND_CONFIRM]
        canceled.action_draft()
        canceled._keycrm_forget_declined_returns()
        for order in steps[Step.CANCEL_AND_RESET]:
            order.locked = False
            order._action_cancel()
            order.action_draft()
        for order in steps[Step.STAY_CONFIRMED]:
            order._keycrm_schedule_activity(
                "moved_back",
                self.env._("KeyCRM moved the confirmed order back"),
                [
                    self.env._(
                        "Its status is “%s”. It stays confirmed: goods were delivered or an invoice "
                        "was created.",
                        order.keycrm_status_id.display_name,
                    )
                ],
                facts=[],
            )

    @api.model
    def _confirm(self, batch, orders):
        """Confirm orders.

        In tolerant mode, an order that Odoo or another module refuses to confirm stays a quotation that
        displays the reason.

        :param orders: ``sale.order``
        :return: the confirmed ones
        """
        if not batch.options.is_tolerant:
            if orders:
                orders.action_confirm()
            return orders
        confirmed = orders.browse()
        for order in orders:
            try:
                with self.env.cr.savepoint():
                    order.action_confirm()
            except Exception as error:
                reason = contacts.refusal_reason(error)
                order._keycrm_set_problem("not_confirmed", {"reason": reason})
            else:
                confirmed |= order
        return confirmed

    @api.model
    def _expect_refused(self, batch):
        """Create returns for parcels that the buyer refused or that are on their way back."""
        for order in batch.orders:
            record = batch.record(order)
            if record.keycrm_shipping_status in COMING_BACK and record.state == "sale":
                record._keycrm_expect_return(dict.fromkeys(record.order_line, 0.0))

    @api.model
    def _report_shipped_elsewhere(self, batch):
        """Report goods that were shipped with an order before it was merged.

        The activity of the other order, which was canceled before, then names both.
        """
        numbers = [
            line.id
            for order in batch.orders
            for line in order.lines
            if order.id in batch.changed_orders
        ]
        shipped = self.env["sale.order.line"].search(
            [
                ("keycrm_id", "in", numbers),
                ("order_id", "not in", [batch.record(order).id for order in batch.orders]),
                ("order_id.keycrm_account_id", "=", batch.account.id),
                ("order_id.keycrm_status_id.order_action", "=", "cancel"),
                ("qty_delivered", ">", 0),
            ]
        )
        shipped.order_id._keycrm_cancel()
