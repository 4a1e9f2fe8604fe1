from odoo import api, models

from ....const import COMING_BACK
from ....services import contacts


class KeycrmOrderImporter(models.AbstractModel):
    """What the status of an order makes of it: quotation, confirmed, cancelled, archived."""

    _inherit = "keycrm.order.importer"

    @api.model
    def _apply_statuses(self, batch):
        """Bring each order into the state that its status asks for; each kind at once."""
        SaleOrder = self.env["sale.order"]
        wanted = {"quotation": SaleOrder, "confirm": SaleOrder, "cancel": SaleOrder}
        archived = reopened = SaleOrder
        for order in batch.orders:
            record, status = batch.record(order), batch.status(order)
            wanted[batch.action(order)] |= record
            if status and status in batch.account.archive_status_ids:
                archived |= record
            elif status and record.keycrm_archived:
                reopened |= record
        (wanted["quotation"] | wanted["confirm"])._keycrm_is_wanted()
        self._leave_cancelled(wanted)
        reopened._keycrm_reopen()
        self._to_quotation(wanted["quotation"])
        self._to_confirmed(wanted["confirm"])
        self._queue_canceled(batch, wanted["cancel"])
        wanted["cancel"]._keycrm_cancel()
        self._report_shipped_elsewhere(batch)
        self._expect_refused(batch)
        archived._keycrm_archive()
        SaleOrder.union(*wanted.values())._keycrm_request_decision(wanted["confirm"])

    @api.model
    def _leave_cancelled(self, wanted):
        """Take orders that a person canceled here out of those that become quotations or are confirmed.

        :param wanted: ``{action: sale.order}``, changed
        """
        wanted["cancel"].filtered("keycrm_canceled_here")._keycrm_conflict_is_over()
        for action in ("quotation", "confirm"):
            stays = wanted[action].filtered(
                lambda order: order.state == "cancel" and order.keycrm_canceled_here
            )
            stays._keycrm_show_conflict()
            wanted[action] -= stays

    @api.model
    def _to_quotation(self, orders):
        """Back to a quotation, unless goods or invoices are out."""
        orders.filtered(lambda order: order.state == "cancel").action_draft()
        for order in orders.filtered(lambda order: order.state == "sale"):
            if order._keycrm_is_out():
                order._keycrm_schedule_activity(
                    self.env._(
                        "KeyCRM moved the order back to “%s”", order.keycrm_status_id.display_name
                    ),
                    [
                        self.env._(
                            "It stays confirmed: goods were delivered or an invoice was created."
                        )
                    ],
                )
                continue
            order.locked = False
            order._action_cancel()
            order.action_draft()

    @api.model
    def _to_confirmed(self, orders):
        """Confirm what equals its original; an order whose total differs, or that a person has to look
        at first, stays a quotation.
        """
        orders.filtered(lambda order: order.state == "cancel").action_draft()
        ready = orders.filtered(
            lambda order: (
                order.state in ("draft", "sent")
                and not order.keycrm_total_differs
                and not order.keycrm_problem_code
            )
        )
        for order in self._confirm(ready):
            order._keycrm_request_production(order.order_line.filtered("keycrm_to_make"))

    @api.model
    def _confirm(self, orders):
        """Confirm orders. In tolerant mode one that Odoo or another module refuses to confirm stays a
        quotation, which says so.

        :return: those that were confirmed
        """
        if not self.env.context.get("keycrm_tolerant"):
            if orders:
                orders.action_confirm()
            return orders
        confirmed = orders.browse()
        for order in orders:
            try:
                with self.env.cr.savepoint():
                    order.action_confirm()
            except contacts.REFUSALS as error:
                order._keycrm_set_problem("not_confirmed", {"reason": contacts.reason(error)})
            else:
                confirmed |= order
        return confirmed

    @api.model
    def _expect_refused(self, batch):
        """Expect the goods of parcels back that the buyer refused or that are on their way back."""
        for order in batch.orders:
            record = batch.record(order)
            if record.keycrm_shipping_status in COMING_BACK and record.state == "sale":
                delivered = record.order_line.filtered(lambda line: line.qty_delivered > 0)
                record._keycrm_expect_return(dict.fromkeys(delivered, 0.0))

    @api.model
    def _report_shipped_elsewhere(self, batch):
        """Goods that came into an order by a merge may have been shipped with the other one, which was
        cancelled before: its to-do names both then.
        """
        numbers = [
            line.id for order in batch.orders for line in order.lines if order.id in batch.grown
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

    @api.model
    def _queue_canceled(self, batch, orders):
        """KeyCRM gives reserves and written-off goods of a cancelled order back by itself."""
        for order in orders.filtered(lambda order: order.state != "cancel"):
            batch.touched.update(order.order_line.filtered("keycrm_id").product_id.ids)
