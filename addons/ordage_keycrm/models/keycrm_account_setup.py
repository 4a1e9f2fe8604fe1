from odoo import api, fields, models

from ..const import API_KEY_MASK
from ..keycrm.errors import KeyCrmError
from .keycrm_account_gate import BUTTON_MAX_WAIT, BUTTON_TIMEOUT

#: What the tick before a step of the set-up says.
TICKS = [("todo", "To do"), ("waiting", "Waiting"), ("done", "Done"), ("wrong", "Wrong")]


class KeycrmAccount(models.Model):
    """Set-up in one place, step by step: what is done, what is still to do, and what is wrong."""

    _inherit = "keycrm.account"

    # === FIELDS ===#

    key_checked_at = fields.Datetime(string="Key accepted", readonly=True, copy=False)
    key_error_code = fields.Char(string="Kind of fault of the key", readonly=True, copy=False)
    key_error_params = fields.Json(
        string="Details of the fault of the key",
        readonly=True,
        copy=False,
        groups="ordage_keycrm.group_manager",
    )
    key_text = fields.Char(string="What KeyCRM says of the key", compute="_compute_setup_key")
    setup_key = fields.Selection(TICKS, string="Step: API key", compute="_compute_setup_key")
    orders_settled = fields.Boolean(
        string="Orders are set up", readonly=True, copy=False, help="A person has seen the step."
    )
    setup_orders = fields.Selection(TICKS, string="Step: orders", compute="_compute_setup_orders")
    setup_load_id = fields.Many2one(
        "keycrm.product.load", string="Latest loading", compute="_compute_setup_runs"
    )
    setup_load_progress = fields.Float(string="Loaded", compute="_compute_setup_runs")
    setup_products = fields.Selection(TICKS, string="Step: products", compute="_compute_setup_runs")
    offer_count = fields.Integer(string="Offers", compute="_compute_setup_runs")
    setup_stock = fields.Selection(TICKS, string="Step: stock", compute="_compute_setup_stock")
    setup_sync_id = fields.Many2one(
        "keycrm.order.sync", string="Latest synchronisation", compute="_compute_setup_runs"
    )
    setup_sync_progress = fields.Float(string="Synchronised", compute="_compute_setup_runs")
    setup_sync = fields.Selection(
        TICKS, string="Step: first synchronisation", compute="_compute_setup_runs"
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
        explain = self.env["keycrm.explain"]
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
                    "Connected. KeyCRM has %(count)s order statuses.", count=len(account.status_ids)
                )
            else:
                account.setup_key = "waiting" if account.api_key_secret else "todo"
                account.key_text = False

    @api.depends("archive_status_ids", "orders_settled")
    def _compute_setup_orders(self):
        """Nothing here is required: decided it is by an archive status, or by a person who needs none."""
        for account in self:
            settled = account.archive_status_ids or account.orders_settled
            account.setup_orders = "done" if settled else "todo"

    @api.depends("push_stock", "stock_paused", "warehouse_ids.send_state")
    def _compute_setup_stock(self):
        for account in self:
            states = account.warehouse_ids.mapped("send_state")
            if account.push_stock and "sending" in states:
                account.setup_stock = "done"
            else:
                account.setup_stock = "waiting" if "rehearse" in states else "todo"

    def _compute_setup_runs(self):
        """Of each kind the newest run, found for all accounts at once."""
        loads = self._newest_runs("keycrm.product.load")
        syncs = self._newest_runs("keycrm.order.sync")
        offers = dict(
            self.env["keycrm.offer"]
            .sudo()
            ._read_group([("account_id", "in", self.ids)], ["account_id"], ["__count"])
        )
        for account in self:
            account.setup_load_id = loads.get(account.id)
            account.setup_sync_id = syncs.get(account.id)
            account.setup_products = self._run_tick(account.setup_load_id)
            account.setup_load_progress = account.setup_load_id.progress
            account.setup_sync = self._run_tick(account.setup_sync_id)
            account.setup_sync_progress = account.setup_sync_id.progress
            account.offer_count = offers.get(account, 0)

    # === CRUD METHODS ===#

    def web_save(self, vals, specification, next_id=None):
        """A key that a person pastes is tested at once; what is wrong stands beside it."""
        result = super().web_save(vals, specification, next_id)
        if vals.get("api_key") and vals["api_key"] != API_KEY_MASK:
            account = self or self.browse(result[0]["id"])
            account._try_key()
            shown = self.browse(next_id) if next_id else account
            return shown.with_context(bin_size=True).web_read(specification)
        return result

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
        """Open the set-up of the company's first account; of a new one where there is none.

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

    def action_settle_orders(self):
        """The step of the orders is right as it is, also without an archive status.

        :return: True
        """
        self._check_manager()
        self.orders_settled = True
        return True

    def action_open_offers(self):
        """Show the products that are tied.

        :return: an action
        """
        return self._screen("ordage_keycrm.keycrm_offer_action", "account_id")

    def action_open_load(self):
        """Open the latest loading of products.

        :return: an action
        """
        return self._open_run(self.setup_load_id, self.env._("Load products from KeyCRM"))

    def action_open_sync(self):
        """Open the latest synchronisation.

        :return: an action
        """
        return self._open_run(self.setup_sync_id, self.env._("Synchronise orders"))

    # === BUSINESS METHODS ===#

    def _try_key(self):
        """Ask KeyCRM with the key that was just pasted, and note in what way it answered.

        Nothing is raised: the key is kept, and what is wrong with it is said beside it.
        """
        self.ensure_one()
        account = self.sudo()
        if not account.api_key_secret:
            return
        try:
            with account._client(
                timeout=BUTTON_TIMEOUT, tries=1, max_wait=BUTTON_MAX_WAIT
            ) as client:
                account._refresh_catalogs(client)
        except KeyCrmError as error:
            account.write({"key_error_code": error.code, "key_error_params": error.params})
        else:
            account._note_key_well()

    def _note_key_well(self):
        """KeyCRM took the key: what was wrong with it is over."""
        self._note_key_checked(fields.Datetime.now())
        self._forget_trouble()

    def _note_key_works(self):
        """KeyCRM answered a worker: what kept a person from seeing that the key works is over."""
        if self.key_error_code or not self.key_checked_at:
            self._note_key_checked(fields.Datetime.now())
            self._tell_screens()

    def _forget_key_checked(self):
        """The key is another one, or gone: what KeyCRM said of the former one says nothing of it."""
        self._note_key_checked(False)

    def _note_key_checked(self, moment):
        self.sudo().write(
            {"key_checked_at": moment, "key_error_code": False, "key_error_params": False}
        )

    def _newest_runs(self, model):
        """:return: ``{account id: id of the newest run}`` that is more than a draft"""
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

    @api.model
    def _run_tick(self, run):
        if not run:
            return "todo"
        return {"done": "done", "running": "waiting", "failed": "wrong"}.get(run.state, "todo")
