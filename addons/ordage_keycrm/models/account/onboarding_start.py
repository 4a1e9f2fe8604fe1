from odoo import api, fields, models
from odoo.exceptions import UserError

from ...keycrm import rate_limit
from ...services.api_gateway import open_client
from .onboarding import TICKS


class KeycrmAccount(models.Model):
    """Handle the last step of the set-up: the start of the integration.

    Before the start KeyCRM is only read, and only for actions of the user in the set-up: importing
    products, reading warehouses, previewing stock. Webhooks are stored and processed after the start.
    """

    _inherit = "keycrm.account"

    # === FIELDS ===#

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
            since = not account._is_before_start() and (
                account.enabled_since or account.create_date
            )
            order = account._newest_order_since(since)
            account.check_order = "done" if order else "waiting"
            account.check_order_text = order.display_name
            level = account._newest_level_since(since)
            sends = account.push_stock and account._sending_warehouses()
            account.check_stock = "done" if level else ("waiting" if sends else "todo")
            account.check_stock_text = level and self.env._(
                "%(product)s: %(quantity)s in “%(warehouse)s”",
                product=level.product_id.display_name,
                quantity=f"{level.quantity:g}",
                warehouse=level.keycrm_warehouse_id.name,
            )

    # === BUSINESS METHODS ===#

    def _is_before_start(self):
        """Return whether the integration was never enabled: the account is being set up."""
        self.ensure_one()
        return not (self.enabled or self.enabled_since or self.polled_at)

    def _check_can_work(self):
        """Check that the workers process the jobs that a user starts.

        :raise UserError: when the integration was disabled, or has no API key yet
        """
        self.ensure_one()
        if self.enabled:
            return
        if not self._is_before_start():
            raise UserError(self.env._("Enable the integration first."))
        if not self.sudo().api_key_secret:
            raise UserError(self.env._("Paste the API key of “%s” first.", self.name))

    def _mark_started(self):
        """Record the time at which the integration was enabled.

        Orders whose goods were shipped earlier were shipped without Odoo. A synchronization that was
        requested in the set-up starts now, so it includes orders placed meanwhile.
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

    def _work_orders_before_start(self):
        """Process one page of a job of the set-up; it changes nothing in KeyCRM.

        :return: True when there may be more
        """
        if not self._is_before_start():
            return False
        with open_client(self, rate_limit.BULK) as client:
            return self._run_guarded(
                "load", lambda: self._work_running("keycrm.product.import", client)
            ) or self._run_guarded("warehouses", lambda: self._work_warehouse_list(client))

    def _newest_order_since(self, since):
        """Return the newest order imported since the start.

        :param since: naive UTC, or a false value before the start
        :return: ``sale.order``, maybe none
        """
        Order = self.env["sale.order"]
        if not since:
            return Order
        return Order.search(
            [("keycrm_account_id", "=", self.id), ("create_date", ">=", since)],
            order="id desc",
            limit=1,
        )

    def _newest_level_since(self, since):
        """Return the newest quantity that KeyCRM accepted since the start.

        :param since: naive UTC, or a false value before the start
        :return: ``keycrm.stock.level``, maybe none
        """
        Level = self.env["keycrm.stock.level"]
        if not since:
            return Level
        return Level.search(
            [
                ("account_id", "=", self.id),
                ("is_known", "=", True),
                ("sent_at", ">=", since),
                ("error", "=", False),
            ],
            order="sent_at desc, id desc",
            limit=1,
        )
