from odoo import fields, models


class KeycrmAccount(models.Model):
    """Provide the counts and linked lists of an account's screens."""

    _inherit = "keycrm.account"

    # === FIELDS ===#

    order_count = fields.Integer(string="Orders", compute="_compute_order_count")
    event_count = fields.Integer(string="Events", compute="_compute_event_counts")
    failed_event_count = fields.Integer(string="Failed", compute="_compute_event_counts")

    unshipped_count = fields.Integer(
        string="Archived, not shipped",
        compute="_compute_unshipped_count",
        help="Archived orders whose deliveries are still open.",
    )
    decision_count = fields.Integer(
        string="Orders that need a decision",
        compute="_compute_decision_count",
        help="Orders that are not confirmed or not updated until a user decides.",
    )

    # === COMPUTE METHODS ===#

    def _compute_decision_count(self):
        counts = dict(
            self.env["sale.order"]
            .sudo()
            ._read_group(self._decision_domain(), ["keycrm_account_id"], ["__count"])
        )
        for account in self:
            account.decision_count = counts.get(account, 0)

    def _decision_domain(self):
        return [("keycrm_account_id", "in", self.ids), ("keycrm_needs_decision", "=", True)]

    def _compute_unshipped_count(self):
        counts = dict(
            self.env["sale.order"]
            .sudo()
            ._read_group(self._unshipped_domain(), ["keycrm_account_id"], ["__count"])
        )
        for account in self:
            account.unshipped_count = counts.get(account, 0)

    def _unshipped_domain(self):
        """Return the domain of archived orders with open deliveries, without returns."""
        to_ship = [
            ("state", "in", ("draft", "waiting", "confirmed", "assigned")),
            ("picking_type_id.code", "!=", "incoming"),
        ]
        return [
            ("keycrm_account_id", "in", self.ids),
            ("keycrm_archived", "=", True),
            ("picking_ids", "any", to_ship),
        ]

    def _compute_order_count(self):
        counts = dict(
            self.env["sale.order"]
            .sudo()
            ._read_group(
                [("keycrm_account_id", "in", self.ids)], ["keycrm_account_id"], ["__count"]
            )
        )
        for account in self:
            account.order_count = counts.get(account, 0)

    def _compute_event_counts(self):
        rows = self.env["keycrm.event"]._read_group(
            [("account_id", "in", self.ids)], ["account_id", "state"], ["__count"]
        )
        total, failed = dict.fromkeys(self, 0), dict.fromkeys(self, 0)
        for account, state, count in rows:
            total[account] += count
            if state == "failed":
                failed[account] += count
        for account in self:
            account.event_count = total.get(account, 0)
            account.failed_event_count = failed.get(account, 0)

    # === ACTION METHODS ===#

    def action_open_orders(self):
        """Open the orders of this account, archived ones too.

        :return: an action
        """
        return self._screen("ordage_keycrm.keycrm_order_all_action", "keycrm_account_id")

    def action_open_decisions(self):
        """Open the orders that need a user's decision.

        :return: an action
        """
        action = self._screen("ordage_keycrm.keycrm_order_all_action", "keycrm_account_id")
        return dict(
            action, name=self.env._("Orders that need a decision"), domain=self._decision_domain()
        )

    def action_open_unshipped(self):
        """Open archived orders whose deliveries are still open.

        :return: an action
        """
        action = self._screen("ordage_keycrm.keycrm_order_all_action", "keycrm_account_id")
        return dict(action, domain=self._unshipped_domain())

    def action_open_failed_events(self):
        """Open the failed events.

        :return: an action
        """
        action = self._screen("ordage_keycrm.keycrm_event_action", "account_id")
        return dict(action, context={"search_default_failed": 1})

    def action_open_warehouses(self):
        """Open the warehouses of this account, to match them.

        :return: an action
        """
        action = self._screen("ordage_keycrm.keycrm_warehouse_action", "account_id")
        return dict(action, context={"default_account_id": self.id})

    def action_open_statuses(self):
        """Open the statuses of this account, to choose their actions in Odoo.

        :return: an action
        """
        return self._screen("ordage_keycrm.keycrm_order_status_action", "account_id")

    # === BUSINESS METHODS ===#

    def _screen(self, action_id, field_name):
        """Return an action filtered by this account.

        :param action_id: external id of the action
        :param field_name: field with the account
        """
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(action_id)
        return dict(action, domain=[(field_name, "=", self.id)], context={})
