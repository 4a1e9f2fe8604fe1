from odoo import api, fields, models

from ...const import EVENT_POLLING, EVENT_RECONCILIATION, EVENT_REFRESH, EVENT_STOCK, EVENT_SYNC


class KeycrmEvent(models.Model):
    """Events in people's words: what came, instead of KeyCRM's name for it."""

    _inherit = "keycrm.event"

    event_name = fields.Char(string="Event type", compute="_compute_event_name")
    keycrm_url = fields.Char(string="KeyCRM link", compute="_compute_keycrm_url")

    @api.depends("event")
    @api.depends_context("lang")
    def _compute_event_name(self):
        names = self._event_names()
        for event in self:
            event.event_name = names.get(event.event, event.event)

    @api.depends("event", "keycrm_order_id")
    @api.depends_context("lang")
    def _compute_display_name(self):
        for event in self:
            event.display_name = (
                self.env._(
                    "%(event)s: order %(order)s",
                    event=event.event_name,
                    order=event.keycrm_order_id,
                )
                if event.keycrm_order_id
                else event.event_name
            )

    def _compute_keycrm_url(self):
        for event in self:
            event.keycrm_url = event.account_id._order_url(event.keycrm_order_id)

    # === ACTION METHODS ===#

    def action_open_order(self):
        """Open the order that the event made or changed.

        :return: an action
        """
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "sale.order",
            "res_id": self.sale_order_id.id,
            "view_mode": "form",
            "views": [[False, "form"]],
        }

    def action_open_in_keycrm(self):
        """Open the order in KeyCRM's cabinet.

        :return: an action
        """
        self.ensure_one()
        return {"type": "ir.actions.act_url", "url": self.keycrm_url, "target": "new"}

    # === BUSINESS METHODS ===#

    @api.model
    def _event_names(self):
        return {
            "order.change_order_status": self.env._("Order status changed"),
            "order.change_payment_status": self.env._("Payment status changed"),
            "lead.change_lead_status": self.env._("Lead status changed"),
            EVENT_STOCK: self.env._("Stock changed in KeyCRM"),
            EVENT_REFRESH: self.env._("Refreshed by a user"),
            EVENT_SYNC: self.env._("Synchronization"),
            EVENT_POLLING: self.env._("Found by polling"),
            EVENT_RECONCILIATION: self.env._("Found by open-order check"),
            "?": self.env._("Unknown message"),
        }
