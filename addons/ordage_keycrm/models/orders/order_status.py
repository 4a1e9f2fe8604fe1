from odoo import api, fields, models

from ...const import STATUS_GROUPS


class KeycrmOrderStatus(models.Model):
    """An order status of KeyCRM, and what an order in it becomes in Odoo."""

    _name = "keycrm.order.status"
    _inherit = "keycrm.account.mixin"
    _description = "KeyCRM order status"
    _order = "account_id, group, sequence, id"

    keycrm_id = fields.Integer(string="KeyCRM number", required=True, readonly=True)
    name = fields.Char(string="Name in KeyCRM", required=True, readonly=True)
    alias = fields.Char(readonly=True)
    sequence = fields.Integer(readonly=True)
    # Not Odoo's own "active": settings would lose a status that KeyCRM switches off.
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
        help="What happens in Odoo to an order in this status.",
    )
    is_archive = fields.Boolean(string="Archive status", compute="_compute_is_archive")

    _account_keycrm_id_unique = models.Constraint(
        "UNIQUE(account_id, keycrm_id)", "This KeyCRM status already exists."
    )

    # === COMPUTE METHODS ===#

    @api.depends("account_id.archive_status_ids")
    def _compute_is_archive(self):
        for status in self:
            status.is_archive = status in status.account_id.archive_status_ids

    # === CRUD METHODS ===#

    def write(self, vals):
        result = super().write(vals)
        if "order_action" in vals:
            self._keycrm_queue_changes()
        return result

    # === BUSINESS METHODS ===#

    def _keycrm_queue_changes(self):
        """Goods that KeyCRM holds for orders in these statuses count, or count no longer."""
        self.env["sale.order.line"].sudo().search(
            [
                ("order_id.keycrm_status_id", "in", self.ids),
                ("state", "in", ("draft", "sent")),
                ("keycrm_stock_status", "!=", False),
            ]
        )._keycrm_queue_changes()

    def _with_shipped_goods(self):
        """:return: those in which goods have left the shelf: in delivery, or completed"""
        return self.filtered(lambda status: status.group in ("4", "5"))
