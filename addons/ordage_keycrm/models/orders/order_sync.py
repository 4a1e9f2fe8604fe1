from odoo import api, fields, models
from odoo.exceptions import UserError


class KeycrmOrderSync(models.Model):
    """One run of "Synchronize orders".

    ``services/orders/order_synchronization.py`` processes it.
    """

    _name = "keycrm.order.sync"
    _description = "KeyCRM order synchronization"
    _inherit = ["keycrm.job.mixin"]
    _check_company_auto = True

    _pieces = ("sync", "orders")

    # === FIELDS ===#

    status_ids = fields.Many2many(
        "keycrm.order.status", string="Statuses", domain="[('account_id', '=', account_id)]"
    )
    shipped_status_ids = fields.Many2many(
        "keycrm.order.status",
        "keycrm_order_sync_shipped_status_rel",
        "sync_id",
        "status_id",
        string="Already shipped in these statuses",
        domain="[('id', 'in', status_ids)]",
        compute="_compute_shipped_status_ids",
        store=True,
        readonly=False,
        help="New orders in these statuses are imported completely but do not affect stock: they "
        "do not have to be shipped again.",
    )
    shipped_if_written_off = fields.Boolean(
        string="Also orders KeyCRM has already written off",
        default=True,
        help="New orders whose lines KeyCRM has completely written off do not affect stock in "
        "Odoo.",
    )
    date_from = fields.Datetime(string="Ordered from")
    date_to = fields.Datetime(string="Ordered until")
    page = fields.Integer(readonly=True, copy=False, default=1)
    # Pass over the list, and different rows of it that were read so far.
    pass_number = fields.Integer(string="Pass", readonly=True, copy=False, default=1)
    seen_count = fields.Integer(string="Rows checked", readonly=True, copy=False)
    last_seen = fields.Integer(string="Last order read", readonly=True, copy=False)
    total_count = fields.Integer(string="Orders in KeyCRM", readonly=True, copy=False)
    created_count = fields.Integer(string="New in Odoo", readonly=True, copy=False)
    updated_count = fields.Integer(string="Already in Odoo", readonly=True, copy=False)
    failed_count = fields.Integer(string="With errors", readonly=True, copy=False)
    event_ids = fields.One2many("keycrm.event", "sync_id", string="Failed orders", copy=False)

    # For the workers' query for running jobs; finished ones are kept for long.
    _running_index = models.Index("(account_id) WHERE state = 'running'")

    # === COMPUTE METHODS ===#

    @api.depends("status_ids")
    def _compute_shipped_status_ids(self):
        """Preset the statuses whose goods are shipped: delivery and completed."""
        for sync in self:
            sync.shipped_status_ids = sync.status_ids._with_shipped_goods()

    # === BUSINESS METHODS ===#

    def _check_can_start(self):
        if not self.status_ids:
            raise UserError(self.env._("Choose the statuses to import."))

    def _start_vals(self):
        counts = ("created_count", "updated_count", "failed_count")
        begin = {"page": 1, "pass_number": 1, "seen_count": 0, "last_seen": 0}
        return {**super()._start_vals(), **begin, **dict.fromkeys(counts, 0)}

    def _waiting_reason(self):
        if self.account_id._is_before_start():
            return self.env._(
                "The orders are loaded as soon as “Enable integration” is turned on in the setup."
            )
        return super()._waiting_reason()

    def _title(self):
        return self.env._("Order synchronization")

    def _summary(self):
        return self.env._(
            "Finished: %(created)s new orders, %(updated)s already in Odoo, %(failed)s failed.",
            created=self.created_count,
            updated=self.updated_count,
            failed=self.failed_count,
        )
