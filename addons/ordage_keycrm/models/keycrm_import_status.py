from odoo import api, models


class KeycrmOrderImporter(models.AbstractModel):
    """What the status of an order makes of it: quotation, confirmed, cancelled, archived."""

    _inherit = "keycrm.order.importer"

    @api.model
    def _apply_statuses(self, account, orders, records, statuses, created):
        """Bring each order into the state that its status asks for.

        :param records: ``{number: sale.order}``
        :param created: ``{number: sale.order}`` of those that are new
        """
        SaleOrder = self.env["sale.order"]
        wanted = {"quotation": SaleOrder, "confirm": SaleOrder, "cancel": SaleOrder}
        archived = reopened = SaleOrder
        for order in orders:
            record, status = records[order.id], statuses.get(order.status_id)
            action = status.order_action if status else "quotation"
            if action in wanted:
                wanted[action] |= record
            if status in account.archive_status_ids:
                archived |= record
            elif record.keycrm_archived:
                reopened |= record
        self._reopen(reopened)
        self._to_quotation(wanted["quotation"])
        self._to_confirmed(wanted["confirm"])
        self._to_cancelled(wanted["cancel"])
        self._archive(archived)

    @api.model
    def _to_quotation(self, orders):
        """Back to a quotation, unless goods or invoices are out."""
        cancelled = orders.filtered(lambda order: order.state == "cancel")
        cancelled.action_draft()
        for order in orders.filtered(lambda order: order.state == "sale"):
            if order._keycrm_is_out():
                order._keycrm_todo(
                    self.env._("KeyCRM put the order back to “%s”", order.keycrm_status_id.name),
                    [self.env._("It stays confirmed: goods were delivered or an invoice was made.")],
                )
                continue
            order.locked = False
            order._action_cancel()
            order.action_draft()

    @api.model
    def _to_confirmed(self, orders):
        """Confirm what equals its original; the order date stays KeyCRM's.

        An order whose total differs stays a quotation and says so on its form.
        """
        orders.filtered(lambda order: order.state == "cancel").action_draft()
        ready = orders.filtered(
            lambda order: order.state in ("draft", "sent") and not order.keycrm_total_differs
        )
        if ready:
            ready.action_confirm()

    @api.model
    def _to_cancelled(self, orders):
        for order in orders.filtered(lambda order: order.state != "cancel"):
            if order._keycrm_is_out():
                order._keycrm_todo(
                    self.env._("KeyCRM cancelled the order"),
                    [
                        self.env._(
                            "Goods were delivered or an invoice was made, so it is not cancelled in "
                            "Odoo. Decide about the return and the credit note."
                        )
                    ],
                )
                continue
            order.locked = False
            order._action_cancel()

    @api.model
    def _archive(self, orders):
        """An order in an archive status counts as done: locked, and in the archive."""
        for order in orders:
            if not order.keycrm_archived:
                order.keycrm_archived = True
            if order.state == "sale" and not order.locked:
                order.locked = True

    @api.model
    def _reopen(self, orders):
        """An order that left the archive statuses comes back."""
        orders.write({"keycrm_archived": False, "locked": False})
