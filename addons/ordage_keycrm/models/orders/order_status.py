from odoo import api, fields, models
from odoo.fields import Domain

from ...const import STATUS_GROUPS
from ...keycrm.webhook import OrderHint


class KeycrmOrderStatus(models.Model):
    """An order status of KeyCRM, and the state of its orders in Odoo."""

    _name = "keycrm.order.status"
    _inherit = "keycrm.account.mixin"
    _description = "KeyCRM order status"
    _order = "account_id, group, sequence, id"

    keycrm_id = fields.Integer(string="KeyCRM number", required=True, readonly=True)
    name = fields.Char(string="Name in KeyCRM", required=True, readonly=True)
    alias = fields.Char(readonly=True)
    sequence = fields.Integer(readonly=True)
    # Not Odoo's own "active": settings would lose a status that KeyCRM disables.
    is_active = fields.Boolean(
        string="Active in KeyCRM",
        default=True,
        readonly=True,
        help="Whether KeyCRM still offers the status. Orders keep a status that was turned off or "
        "deleted.",
    )
    group = fields.Selection(STATUS_GROUPS, readonly=True, help="The six status groups of KeyCRM.")
    order_action = fields.Selection(
        [
            ("quotation", "Quotation"),
            ("confirm", "Confirm"),
            ("cancel", "Cancel"),
            ("skip", "Skip (do not import)"),
        ],
        string="In Odoo",
        required=True,
        default="quotation",
        help="What happens in Odoo to an order in this status. A new status begins with the action of its "
        "group: quotation for new and agreement, confirm for production, delivery and completed, cancel "
        "for canceled.",
    )
    is_archive = fields.Boolean(string="Archive status", compute="_compute_is_archive")
    missed_at = fields.Datetime(
        string="Missed by webhooks",
        readonly=True,
        help="When an order moved to this status without a webhook and was found by polling. "
        "Cleared by the next webhook.",
    )

    _account_keycrm_id_unique = models.Constraint(
        "UNIQUE(account_id, keycrm_id)", "This KeyCRM status already exists."
    )

    # === COMPUTE METHODS ===#

    @api.depends("account_id.archive_status_ids")
    def _compute_is_archive(self):
        for status in self:
            status.is_archive = status in status.account_id.archive_status_ids

    @api.depends("name", "alias")
    @api.depends_context("lang")
    def _compute_display_name(self):
        """Display the cabinet's word for a status that was not renamed.

        KeyCRM's name of such a status is its alias (confirmed). The stored name stays KeyCRM's.
        """
        words = self._words_by_alias()
        for status in self:
            is_untouched = status.name and status.name == status.alias
            status.display_name = (is_untouched and words.get(status.alias)) or status.name

    @api.model
    def _search_display_name(self, operator, value):
        """Search the displayed words too."""
        domain = super()._search_display_name(operator, value)
        if operator not in ("=", "ilike", "=ilike", "in") or not value:
            return domain
        values = [value] if isinstance(value, str) else list(value)
        aliases = [
            alias
            for alias, word in self._words_by_alias().items()
            if any(
                str(one).lower() in word.lower() if operator == "ilike" else str(one) == word
                for one in values
            )
        ]
        shown = Domain("alias", "in", aliases) & Domain("name", "in", aliases)
        return Domain(domain) | shown if aliases else domain

    # === CRUD METHODS ===#

    def write(self, vals):
        result = super().write(vals)
        if "order_action" in vals:
            self._keycrm_enqueue_changes()
        return result

    # === BUSINESS METHODS ===#

    def _keycrm_enqueue_changes(self):
        """Enqueue the products that KeyCRM holds for orders in these statuses."""
        self.env["sale.order.line"].sudo().search(
            [
                ("order_id.keycrm_status_id", "in", self.ids),
                ("state", "in", ("draft", "sent")),
                ("keycrm_stock_status", "!=", False),
            ]
        )._keycrm_enqueue_changes()

    def _with_shipped_goods(self):
        """Return the statuses whose goods are shipped: delivery and completed."""
        return self.filtered(lambda status: status.group in ("4", "5"))

    def _mark_missed(self):
        """Record since when orders have moved to these statuses without a webhook."""
        self.sudo().filtered(lambda status: not status.missed_at).missed_at = fields.Datetime.now()

    @api.model
    def _record_received(self, account, events):
        """Clear the mark of statuses that webhooks contain: KeyCRM's trigger has them.

        :param account: ``keycrm.account``, one
        :param events: ``keycrm.event`` records that were processed
        """
        missed = self.sudo().search([("account_id", "=", account.id), ("missed_at", "!=", False)])
        if not missed:
            return
        received = {
            OrderHint.parse(event.payload).status_id
            for event in events.sudo().exists()
            if event.from_webhook
        }
        missed.filtered(lambda status: status.keycrm_id in received).missed_at = False

    @api.model
    def _words_by_alias(self):
        """Return the words for KeyCRM's own aliases in the reader's language."""
        return {
            "new": self.env._("New"),
            "approval": self.env._("Agreement"),
            "agreement": self.env._("Agreement"),
            "prepayment": self.env._("Prepayment"),
            "waiting_for_prepayment": self.env._("Prepayment"),
            "production": self.env._("Production"),
            "ready": self.env._("Ready"),
            "delivering": self.env._("Delivering"),
            "delivered": self.env._("Delivered"),
            "completed": self.env._("Completed"),
            "incorrect_data": self.env._("Incorrect data"),
            "not_available": self.env._("Out of stock"),
            "duplicate": self.env._("Duplicate"),
            "canceled": self.env._("Canceled"),
        }
