from odoo import api, fields, models

from ...keycrm.errors import KeyCrmError
from ...services.api_gateway import open_user_client
from ...services.circuit_breaker import CircuitBreaker
from ...services.live_updates import notify_clients

#: States of a step of the set-up.
TICKS = [("todo", "To do"), ("waiting", "Waiting"), ("done", "Completed"), ("wrong", "Error")]
#: The steps in their order; each has a field ``setup_…`` with its state.
STEPS = ("key", "currency", "orders", "products", "webhook", "stock", "sync", "start")
#: Steps that a user may skip, or only reads.
OPTIONAL_STEPS = ("currency", "orders", "products", "webhook", "stock", "sync")


class KeycrmAccount(models.Model):
    """Guide through the set-up, step by step, with the state of each step."""

    _inherit = "keycrm.account"

    # === FIELDS ===#

    key_checked_at = fields.Datetime(string="Key last verified", readonly=True, copy=False)
    key_error_code = fields.Char(string="Key error type", readonly=True, copy=False)
    key_error_params = fields.Json(
        string="Key error details",
        readonly=True,
        copy=False,
        groups="ordage_keycrm.group_manager",
    )
    key_text = fields.Char(string="Key check result", compute="_compute_setup_key")
    setup_key = fields.Selection(TICKS, string="Step: API key", compute="_compute_setup_key")
    reviewed_steps = fields.Json(
        string="Reviewed steps",
        readonly=True,
        copy=False,
        groups="ordage_keycrm.group_manager",
        help="Setup steps that a user confirmed without changes.",
    )
    setup_done_text = fields.Char(string="Progress", compute="_compute_setup_done_text")
    setup_orders = fields.Selection(TICKS, string="Step: orders", compute="_compute_setup_orders")
    setup_load_id = fields.Many2one(
        "keycrm.product.import", string="Last product load", compute="_compute_setup_runs"
    )
    setup_load_progress = fields.Float(string="Loaded", compute="_compute_setup_runs")
    setup_products = fields.Selection(TICKS, string="Step: products", compute="_compute_setup_runs")
    offer_count = fields.Integer(string="Offers", compute="_compute_setup_runs")
    setup_stock = fields.Selection(TICKS, string="Step: stock", compute="_compute_setup_stock")
    setup_sync_id = fields.Many2one(
        "keycrm.order.sync", string="Last synchronization", compute="_compute_setup_runs"
    )
    setup_sync_progress = fields.Float(string="Synchronized", compute="_compute_setup_runs")
    setup_sync = fields.Selection(
        TICKS, string="Step: existing orders", compute="_compute_setup_runs"
    )
    company_currency_id = fields.Many2one(related="company_id.currency_id")
    setup_currency = fields.Selection(
        TICKS, string="Step: currency", compute="_compute_setup_currency"
    )
    quotation_statuses = fields.Char(string="Quotation", compute="_compute_status_names")
    confirm_statuses = fields.Char(string="Confirm", compute="_compute_status_names")
    cancel_statuses = fields.Char(string="Cancel", compute="_compute_status_names")
    skip_statuses = fields.Char(string="Skip (do not import)", compute="_compute_status_names")
    trigger_name = fields.Char(string="Name of the trigger", compute="_compute_status_names")
    trigger_statuses = fields.Char(
        string="Statuses of the trigger", compute="_compute_status_names"
    )

    # === COMPUTE METHODS ===#

    @api.depends(
        "api_key_secret",
        "key_checked_at",
        "key_error_code",
        "key_error_params",
        "status_ids",
        "trouble_code",
    )
    @api.depends_context("lang")
    def _compute_setup_key(self):
        explain = self.env["keycrm.error.message"]
        for account in self.sudo():
            if account.trouble_code == "unauthorized":
                account.setup_key = "wrong"
                account.key_text = account.trouble_text
            elif account.key_error_code:
                account.setup_key = "wrong"
                account.key_text = explain._sentence(
                    account.key_error_code, account.key_error_params
                )
            elif account.api_key_secret and account.key_checked_at:
                account.setup_key = "done"
                account.key_text = self.env._(
                    "Connected. KeyCRM has %(count)s order statuses.",
                    count=len(account._active_statuses()),
                )
            else:
                account.setup_key = "waiting" if account.api_key_secret else "todo"
                account.key_text = False

    @api.depends("currency_state", "reviewed_steps")
    def _compute_setup_currency(self):
        for account in self:
            is_done = account.currency_state in ("same", "rate_done")
            is_done = is_done or account._is_reviewed("currency")
            account.setup_currency = "done" if is_done else "todo"

    @api.depends("archive_status_ids", "reviewed_steps")
    def _compute_setup_orders(self):
        """Compute the optional step: done with an archive status, or when confirmed."""
        for account in self:
            is_done = account.archive_status_ids or account._is_reviewed("orders")
            account.setup_orders = "done" if is_done else "todo"

    @api.depends("push_stock", "stock_paused", "warehouse_ids.send_state", "reviewed_steps")
    def _compute_setup_stock(self):
        for account in self:
            states = account.warehouse_ids.mapped("send_state")
            if account.push_stock and "sending" in states:
                account.setup_stock = "done"
            elif "preview" in states:
                account.setup_stock = "waiting"
            else:
                account.setup_stock = "done" if account._is_reviewed("stock") else "todo"

    @api.depends("status_ids.name", "status_ids.order_action")
    @api.depends_context("lang")
    def _compute_status_names(self):
        """List the statuses by their action in Odoo, and the values for KeyCRM's trigger."""
        for account in self:
            names = dict.fromkeys(("quotation", "confirm", "cancel", "skip"), "")
            for action, statuses in account.status_ids.grouped("order_action").items():
                names[action] = ", ".join(statuses.mapped("display_name"))
            for action, text in names.items():
                account[f"{action}_statuses"] = text
            wanted = account._active_statuses().filtered(
                lambda status: status.order_action != "skip"
            )
            account.trigger_name = self.env._("Orders to Odoo")
            account.trigger_statuses = ", ".join(wanted.mapped("display_name"))

    @api.depends(*(f"setup_{step}" for step in STEPS))
    @api.depends_context("lang")
    def _compute_setup_done_text(self):
        for account in self:
            account.setup_done_text = self.env._(
                "Steps done: %(done)s of %(total)s",
                done=sum(account[f"setup_{step}"] == "done" for step in STEPS),
                total=len(STEPS),
            )

    @api.depends("reviewed_steps")
    def _compute_setup_runs(self):
        """Find the newest run of each kind, for all accounts at once."""
        loads = self._newest_runs("keycrm.product.import")
        syncs = self._newest_runs("keycrm.order.sync")
        offers = dict(
            self.env["keycrm.offer"]
            .sudo()
            ._read_group([("account_id", "in", self.ids)], ["account_id"], ["__count"])
        )
        for account in self:
            account.setup_load_id = loads.get(account.id)
            account.setup_sync_id = syncs.get(account.id)
            account.setup_products = account._run_tick("products", account.setup_load_id)
            account.setup_load_progress = account.setup_load_id.progress
            account.setup_sync = account._run_tick("sync", account.setup_sync_id)
            account.setup_sync_progress = account.setup_sync_id.progress
            account.offer_count = offers.get(account, 0)

    # === ACTION METHODS ===#

    def action_open_setup(self):
        """Open the set-up of this account.

        :return: an action
        """
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("ordage_keycrm.keycrm_setup_action")
        return dict(action, res_id=self.id)

    @api.model
    def action_open_first_setup(self):
        """Open the set-up of the company's first account, or of a new one.

        :return: an action
        """
        account = self.search([("company_id", "=", self.env.company.id)], order="id", limit=1)
        action = self.env["ir.actions.act_window"]._for_xml_id("ordage_keycrm.keycrm_setup_action")
        return dict(action, res_id=account.id)

    def action_open_account(self):
        """Open the account's own form, with all its fields.

        :return: an action
        """
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "ordage_keycrm.keycrm_account_action"
        )
        return dict(action, res_id=self.id, views=[[False, "form"]])

    def action_review_step(self):
        """Confirm or skip the step of the set-up that the context names.

        :return: True
        """
        self.ensure_one()
        self._check_manager()
        step = self.env.context.get("keycrm_step")
        if step in OPTIONAL_STEPS and not self._is_reviewed(step):
            self.sudo().reviewed_steps = [*(self.reviewed_steps or ()), step]
        return True

    def action_load_all_products(self):
        """Import all products from KeyCRM with the default options.

        :return: True
        :raise UserError: when the integration was disabled
        """
        self.ensure_one()
        self._check_manager()
        if self.setup_load_id.state == "running":
            return True
        return self.env["keycrm.product.import"].create({"account_id": self.id}).action_start()

    def action_open_offers(self):
        """Open the mapped products.

        :return: an action
        """
        return self._screen("ordage_keycrm.keycrm_offer_action", "account_id")

    def action_open_load(self):
        """Open the latest product import.

        :return: an action
        """
        return self._open_run(self.setup_load_id, self.env._("Load products from KeyCRM"))

    def action_open_sync(self):
        """Open the latest synchronization.

        :return: an action
        """
        return self._open_run(self.setup_sync_id, self.env._("Synchronize orders"))

    # === BUSINESS METHODS ===#

    def _test_key(self):
        """Test the key that was just pasted, and record the result.

        Nothing is raised: the key is kept, and the error is displayed beside it.
        """
        self.ensure_one()
        account = self.sudo()
        if not account.api_key_secret:
            return
        try:
            with open_user_client(account) as client:
                account._refresh_catalogs(client)
                account._mark_key_valid()
                # The next steps need them. If the request fails, "Refresh list" reads them.
                account._refresh_warehouses(client)
        except KeyCrmError as error:
            if not account.key_checked_at:
                account.write({"key_error_code": error.code, "key_error_params": error.params})

    def _mark_key_valid(self):
        """Record that KeyCRM accepted the key, and close the circuit breakers."""
        self._mark_key_checked(fields.Datetime.now())
        CircuitBreaker(self).reset()

    def _mark_key_working(self):
        """Record that the key works, after a successful request with it."""
        if self.key_error_code or not self.key_checked_at:
            self._mark_key_checked(fields.Datetime.now())
            notify_clients(self)

    def _reset_key_check(self):
        """Reset the result of the key check, since the key changed."""
        self._mark_key_checked(False)

    def _mark_key_checked(self, checked_at):
        self.sudo().write(
            {"key_checked_at": checked_at, "key_error_code": False, "key_error_params": False}
        )

    def _newest_runs(self, model):
        """Return the newest runs that were started.

        :param model: model of the runs
        :return: ``{account id: id of the run}``
        """
        groups = (
            self.env[model]
            .sudo()
            ._read_group(
                [("account_id", "in", self.ids), ("state", "!=", "draft")],
                ["account_id"],
                ["id:max"],
            )
        )
        return {account.id: newest for account, newest in groups}

    @api.model
    def _open_run(self, run, name):
        return {
            "type": "ir.actions.act_window",
            "name": name,
            "res_model": run._name,
            "res_id": run.id,
            "view_mode": "form",
            "views": [[False, "form"]],
        }

    def _run_tick(self, step, run):
        ticks = {"done": "done", "running": "waiting", "failed": "wrong"}
        tick = ticks.get(run.state, "todo")
        return "done" if tick == "todo" and self._is_reviewed(step) else tick

    def _is_reviewed(self, step):
        return step in (self.sudo().reviewed_steps or ())
