from odoo import api, fields, models

from ...services.common.circuit_breaker import end_backoff
from ...services.stock.stock_settings import StockSettings


class KeycrmAccountStock(models.AbstractModel):
    """Stock settings of an account, and the buttons that send, pause or compare stock."""

    _name = "keycrm.account.stock"
    _inherit = "mail.thread"
    _description = "Stock settings of a KeyCRM account"

    # === FIELDS ===#

    push_stock = fields.Boolean(string="Send stock to KeyCRM", copy=False, tracking=True)
    stock_quantity = fields.Selection(
        [("on_hand", "On hand"), ("free", "Free"), ("available", "Available")],
        required=True,
        default="on_hand",
        string="Quantity to send",
        help="On hand: the physical stock. Free: without what is reserved in Odoo. Available: "
        "without what is reserved or ordered, plus KeyCRM's own reservations; choose it if "
        "KeyCRM reserves the goods of its orders and you sell from KeyCRM's stock.",
    )
    stock_when_ended = fields.Selection(
        [("zero", "Zero"), ("remaining", "What is still in stock")],
        required=True,
        default="zero",
        string="Archived products",
        help="What KeyCRM shows of a product that is archived in Odoo, no longer tracked or no longer "
        "of this company, if its stock was sent before. Once it is sold again, its quantity is sent.",
    )
    stock_paused = fields.Boolean(
        string="Stock sync is paused",
        readonly=True,
        copy=False,
        tracking=True,
        help="Changes are collected and sent together when stock sync is resumed.",
    )
    # After anything was sent, a new match of warehouses needs a preview first.
    stock_has_sent = fields.Boolean(string="Stock was sent", readonly=True, copy=False)
    stock_to_preview = fields.Boolean(string="Preview needed", compute="_compute_stock_to_preview")
    stock_whole_numbers = fields.Boolean(
        string="Whole numbers only",
        copy=False,
        help="This KeyCRM account does not accept fractions: they are rounded down. Detected "
        "automatically.",
    )
    stock_no_negatives = fields.Boolean(
        string="No negative quantities",
        copy=False,
        help="This KeyCRM account does not accept negative quantities: zero is sent instead. "
        "Detected automatically.",
    )
    stock_zero_limit = fields.Integer(
        string="Confirm zeroing above (products)",
        default=20,
        required=True,
        help="Zeros without a move, a count or an order, as after a change of locations: if there are "
        "more at once, they wait for confirmation. Everything else is sent.",
    )
    stock_zero_percent = fields.Float(
        string="Confirm zeroing above (% of products)", default=10.0, required=True
    )
    stock_held_zeros = fields.Integer(
        string="Would drop to zero",
        readonly=True,
        copy=False,
        help="Zeros that wait for confirmation: too many products would drop to zero in KeyCRM.",
    )
    # {kind of request: keycrm.fault_isolation_rules.Isolation, "deferred": [ids of offers]}
    stock_isolation = fields.Json(
        string="Isolation of a faulty row", readonly=True, copy=False, groups=fields.NO_ACCESS
    )
    stock_expiry_on = fields.Date(string="Expired lots last checked", readonly=True, copy=False)
    stock_webhook_at = fields.Datetime(string="Last stock webhook", readonly=True, copy=False)
    compared_at = fields.Datetime(string="Last comparison", readonly=True, copy=False)
    compared_differences = fields.Integer(
        string="Differences found", readonly=True, copy=False, help="From the last comparison."
    )

    # === COMPUTE METHODS ===#

    @api.depends("enabled", "push_stock", "warehouse_ids.send_state")
    def _compute_stock_to_preview(self):
        for account in self:
            states = account.warehouse_ids.mapped("send_state")
            account.stock_to_preview = (
                account.enabled and account.push_stock and "preview" in states
            )

    # === ACTION METHODS ===#

    def action_push_all_stock(self):
        """Send every product that was ever counted or moved, also those that KeyCRM has already.

        :return: an action that shows the progress
        :raise UserError: when sending stock is off or no warehouse is matched
        """
        self.ensure_one()
        StockSettings(self).check_can_send()
        end_backoff(self)
        export = self.env["keycrm.stock.export"].search(
            [("account_id", "=", self.id), ("state", "=", "running")], limit=1
        )
        if not export:
            export = export.create({"account_id": self.id})
            export.action_start()
        return self._open_run(export, self.env._("Send all"))

    def action_pause_stock(self):
        """Send nothing until a user resumes; changes are collected meanwhile.

        :return: True
        """
        self._check_manager()
        self.sudo().stock_paused = True
        return True

    def action_resume_stock(self):
        """Resume sending; collected changes are sent in one pass.

        :return: True
        """
        self._check_manager()
        self.sudo().stock_paused = False
        end_backoff(self)
        return True

    def action_allow_zeros(self):
        """Send the zeros on hold, this once.

        :return: True
        """
        self._check_manager()
        for account in self:
            StockSettings(account).enqueue_held(zero_allowed=True)
        end_backoff(self)
        return True

    def action_compare_stock(self):
        """Compare all stock with KeyCRM, send the differences, and keep the list of them.

        :return: an action that shows the comparison
        :raise UserError: when sending stock is off or no warehouse is matched
        """
        self.ensure_one()
        StockSettings(self).check_can_send()
        end_backoff(self)
        return self._open_run(
            self.env["keycrm.stock.comparison"]._start(self, "comparison"),
            self.env._("Compare with KeyCRM"),
        )

    def action_preview_stock(self):
        """Preview the changes in KeyCRM before anything is sent (dry run).

        :return: an action that shows the preview
        :raise UserError: when the integration was disabled or no warehouse is matched
        """
        self.ensure_one()
        self._check_manager()
        self._check_can_work()
        StockSettings(self).check_has_warehouse()
        end_backoff(self)
        return self._open_run(
            self.env["keycrm.stock.comparison"]._start(self, "preview"),
            self.env._("Send stock to KeyCRM"),
        )
