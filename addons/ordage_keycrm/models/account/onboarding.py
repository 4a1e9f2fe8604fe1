from odoo import api, fields, models

from ...const import TO_SHIP
from ...services.account.settings_change import domains_to_move
from ...services.account.setup import Setup
from ...services.common import key_check
from ...services.common.reference_lists import ReferenceLists, request_for_user

#: States of a step of the setup.
TICKS = [("todo", "To do"), ("waiting", "Waiting"), ("done", "Completed"), ("wrong", "Error")]
#: The steps in their order; each has a field ``setup_…`` with its state.
STEPS = ("key", "currency", "orders", "products", "webhook", "stock", "sync", "start")
#: Steps that a user may skip, or only reads.
OPTIONAL_STEPS = ("currency", "orders", "products", "webhook", "stock", "sync")


class KeycrmAccount(models.Model):
    """Guide through the setup, step by step, with the state of each step.

    Before the start KeyCRM is only read, and only for actions of the user in the setup: importing
    products, reading warehouses, previewing stock. Webhooks are stored and processed after the start.
    """

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
    archive_effect = fields.Char(
        string="Effect of the archive statuses", compute="_compute_archive_effect"
    )
    setup_load_id = fields.Many2one(
        "keycrm.product.import", string="Last product import", compute="_compute_setup_runs"
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
    setup_webhook = fields.Selection(
        TICKS, string="Step: webhook", compute="_compute_setup_webhook"
    )
    setup_start = fields.Selection(TICKS, string="Step: start", compute="_compute_setup_start")
    start_blockers = fields.Char(string="To do before the start", compute="_compute_setup_start")
    check_order = fields.Selection(
        TICKS, string="First order", compute="_compute_checks", compute_sudo=True
    )
    check_order_text = fields.Char(
        string="Order that arrived", compute="_compute_checks", compute_sudo=True
    )
    check_stock = fields.Selection(
        TICKS, string="First quantity", compute="_compute_checks", compute_sudo=True
    )
    check_stock_text = fields.Char(
        string="Quantity that KeyCRM has", compute="_compute_checks", compute_sudo=True
    )

    # === COMPUTE METHODS ===#

    @api.depends(
        "api_key_secret",
        "key_checked_at",
        "key_error_code",
        "key_error_params",
        "status_ids",
        "circuit_error_code",
    )
    @api.depends_context("lang")
    def _compute_setup_key(self):
        explain = self.env["keycrm.error.message"]
        for account in self.sudo():
            if account.circuit_error_code == "unauthorized":
                account.setup_key = "wrong"
                account.key_text = account.circuit_error_text
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

    @api.depends("archive_status_ids", "archive_validates")
    @api.depends_context("lang")
    def _compute_archive_effect(self):
        """Count the orders that archive statuses move when they are saved."""
        count = self.env["sale.order"].sudo().search_count
        open_ones = [("state", "=", "sale"), ("picking_ids", "any", list(TO_SHIP))]
        for account in self:
            account.archive_effect = False
            if account.archive_status_ids._origin == account._origin.archive_status_ids:
                continue
            to_archive, to_reopen = domains_to_move(account)
            archived, reopened = count(to_archive), count(to_reopen)
            if archived or reopened:
                account.archive_effect = self.env._(
                    "Orders that move to the archive: %(archived)s. Of these, Odoo ships: "
                    "%(shipped)s. Orders that return from the archive: %(reopened)s.",
                    archived=archived,
                    shipped=count(to_archive + open_ones) if account.archive_validates else 0,
                    reopened=reopened,
                )

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
        loads = Setup(self).newest_runs("keycrm.product.import")
        syncs = Setup(self).newest_runs("keycrm.order.sync")
        offers = dict(
            self.env["keycrm.offer"]
            .sudo()
            ._read_group([("account_id", "in", self.ids)], ["account_id"], ["__count"])
        )
        for account in self:
            account.setup_load_id = loads.get(account._origin.id)
            account.setup_sync_id = syncs.get(account._origin.id)
            account.setup_products = account._run_tick("products", account.setup_load_id)
            account.setup_load_progress = account.setup_load_id.progress
            account.setup_sync = account._run_tick("sync", account.setup_sync_id)
            account.setup_sync_progress = account.setup_sync_id.progress
            account.offer_count = offers.get(account._origin, 0)

    @api.depends("enabled", "link_code", "trigger_get_at", "reviewed_steps")
    def _compute_setup_webhook(self):
        """Compute the step; a user may confirm that polling without a webhook is enough."""
        for account in self:
            if account._is_reviewed("webhook"):
                account.setup_webhook = "done"
            elif account.sudo()._link_fault()[0]:
                account.setup_webhook = "wrong"
            elif account.last_webhook_at:
                account.setup_webhook = "done"
            else:
                account.setup_webhook = "waiting" if account.enabled else "todo"

    @api.depends("enabled", "setup_key", "setup_orders", "setup_products")
    @api.depends_context("lang")
    def _compute_setup_start(self):
        """List the steps to review before the start: key, statuses, products."""
        steps = {
            "setup_key": self.env._("API key"),
            "setup_orders": self.env._("Order statuses"),
            "setup_products": self.env._("Products"),
        }
        for account in self:
            account.setup_start = "done" if account.enabled else "todo"
            missing = [title for name, title in steps.items() if account[name] == "todo"]
            if account.setup_key == "wrong":
                missing.insert(0, steps["setup_key"])
            account.start_blockers = False if account.enabled else ", ".join(missing)

    @api.depends("enabled", "push_stock", "enabled_since", "warehouse_ids.send_state")
    @api.depends_context("lang")
    def _compute_checks(self):
        """Find the newest order and the newest quantity synchronized since the start."""
        for account in self:
            setup = Setup(account._origin)
            order, level = setup.newest_order(), setup.newest_level()
            account.check_order = "done" if order else "waiting"
            account.check_order_text = order.display_name
            sends = account.push_stock and account.warehouse_ids._sending()
            account.check_stock = "done" if level else ("waiting" if sends else "todo")
            account.check_stock_text = level and self.env._(
                "%(product)s: %(quantity)s in “%(warehouse)s”",
                product=level.product_id.display_name,
                quantity=f"{level.quantity:g}",
                warehouse=level.keycrm_warehouse_id.name,
            )

    # === ACTION METHODS ===#

    def action_open_setup(self, step=None):
        """Open the setup of this account.

        :param step: name of the step to unfold; by default the first that is not done
        :return: an action
        """
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("ordage_keycrm.keycrm_setup_action")
        return dict(action, res_id=self.id, context={"keycrm_step": step} if step else {})

    @api.model
    def action_open_first_setup(self, step=None):
        """Open the setup of the company's first account, or of a new one.

        :param step: name of the step to unfold; by default the first that is not done
        :return: an action
        """
        account = self.search([("company_id", "=", self.env.company.id)], order="id", limit=1)
        if account:
            return account.action_open_setup(step)
        action = self.env["ir.actions.act_window"]._for_xml_id("ordage_keycrm.keycrm_setup_action")
        return dict(action, res_id=False)

    def action_open_account(self):
        """Open the account's own form, with all its fields.

        :return: an action
        """
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "ordage_keycrm.keycrm_account_action"
        )
        return dict(action, res_id=self.id, views=[[False, "form"]])

    def action_review_step(self, step=""):
        """Confirm or skip a step of the setup.

        :param step: name of the step, as the view's button passes it
        :return: True
        """
        self.ensure_one()
        self._check_manager()
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

    def action_load_products(self):
        """Open "Load products from KeyCRM" for this account.

        :return: an action
        """
        return self._open_new("keycrm.product.import", self.env._("Load products from KeyCRM"))

    def action_synchronize_orders(self):
        """Open "Synchronize orders" for this account.

        :return: an action
        """
        return self._open_new("keycrm.order.sync", self.env._("Synchronize orders"))

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

    def action_test_connection(self):
        """Read KeyCRM's lists, store them, and report the result.

        :return: a notification
        :raise UserError: when the request fails
        """
        self._check_manager()
        request_for_user(self, lambda client: ReferenceLists(self, client).refresh())
        key_check.mark_valid(self)
        return self._notification(
            self.env._(
                "Connected. KeyCRM has %(count)s order statuses.",
                count=len(self._active_statuses()),
            )
        )

    def action_refresh_statuses(self):
        """Read statuses, sources and payment methods again.

        :return: a notification
        :raise UserError: when the request fails
        """
        self._check_manager()
        request_for_user(self, lambda client: ReferenceLists(self, client).refresh())
        return self._notification(
            self.env._("KeyCRM has %(count)s order statuses.", count=len(self._active_statuses()))
        )

    def action_refresh_warehouses(self):
        """Read the warehouses of the stock list's first page; the worker reads the rest.

        KeyCRM has no list of warehouses (confirmed): their names are in stock rows and orders.

        :return: a notification
        :raise UserError: when the request fails
        """
        self._check_manager()
        request_for_user(self, lambda client: ReferenceLists(self, client).refresh_warehouses())
        return self._notification(
            self.env._(
                "KeyCRM has %(count)s warehouses with stock. You can add a warehouse without "
                "stock by its number.",
                count=len(self.warehouse_ids),
            )
        )

    # === BUSINESS METHODS ===#

    def _open_new(self, model, name):
        """Return an action that opens the form of a new job of this account."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": name,
            "res_model": model,
            "view_mode": "form",
            "context": {"default_account_id": self.id},
        }

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

    def _mark_started(self):
        """Record the time at which the integration was enabled.

        Orders whose goods were shipped earlier were shipped without Odoo. A synchronization that was
        requested in the setup starts now, so it includes orders placed meanwhile.
        """
        now = fields.Datetime.now()
        for account in self.sudo():
            account.enabled_since = now
        self.env["keycrm.order.sync"].sudo().search(
            [("account_id", "in", self.ids), ("state", "=", "running")]
        ).write({"started_at": now})

    def _has_work_before_start(self):
        """Return whether the workers may run although the integration is not enabled."""
        return self._is_before_start() and bool(self.sudo().api_key_secret)

    def _active_statuses(self):
        """Return the statuses that KeyCRM's list contains."""
        return self.status_ids.filtered("is_active")
