from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ...const import API_KEY_MASK, API_URL
from ...keycrm import addresses
from ...keycrm.rate_limit_rules import DEFAULT_LIMIT
from ...services.account.settings_change import SettingsChange
from ...services.common import activities, crons, maintenance
from ...services.common.reference_lists import check_key
from ...services.sending.kind import PreviewedKind
from ...services.sending.kinds import kinds_of
from ...services.workers.cron_runner import run_queue


class KeycrmAccount(models.Model):
    """Connect one KeyCRM account (a cabinet) with one company.

    This file holds the settings and what happens when they change. Settings of one subject, with their
    buttons, are abstract models of their own: ``account_stock``, ``account_sending``,
    ``account_currency``. Further files hold the key and the webhook link (``credentials``), the
    overview (``overview``) and the setup (``onboarding``). The queues are in
    ``services/workers/order_queue.py`` and ``services/workers/stock_queue.py``;
    ``services/workers/cron_runner.py`` runs them.
    """

    _name = "keycrm.account"
    _description = "KeyCRM account"
    _inherit = [
        "keycrm.account.stock",
        "keycrm.account.sending",
        "keycrm.account.currency",
        "keycrm.readonly.mixin",
        "mail.thread",
        "mail.activity.mixin",
    ]
    _order = "company_id, id"
    _check_company_auto = True

    # === FIELDS ===#

    name = fields.Char(required=True, default="KeyCRM")
    # Indexed for the access rules, which filter by a user's companies.
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    api_url = fields.Char(
        string="API address",
        required=True,
        default=API_URL,
        groups="ordage_keycrm.group_manager",
        help="Change it only to work with a test system.",
    )
    enabled = fields.Boolean(string="Enable integration", copy=False, tracking=True)
    public_url = fields.Char(
        string="Public address",
        groups="ordage_keycrm.group_manager",
        help="The address KeyCRM uses to reach this Odoo, for example https://odoo.example.com. "
        "If empty, Odoo's own address is used.",
    )
    cabinet_url = fields.Char(
        string="KeyCRM web address",
        help="The web address of your KeyCRM, for example https://myshop.keycrm.app. Orders in "
        "Odoo get a link that opens them in KeyCRM.",
    )
    import_payments = fields.Boolean(string="Receive bank transactions for order payments")
    archive_status_ids = fields.Many2many(
        "keycrm.order.status",
        "keycrm_account_archive_status_rel",
        "account_id",
        "status_id",
        string="Archive statuses",
        domain="[('account_id', '=', id)]",
        help="Orders in these statuses count as completed: they are locked and move to the order "
        "archive.",
    )
    keep_product_info = fields.Boolean(
        string="Do not change product information",
        help="When a product arrives again, Odoo does not change it.",
    )
    product_variants = fields.Boolean(
        string="Create product variants",
        help="New products with properties become variants of one product, with attributes. If "
        "off, each becomes a separate product: “Shirt, white, M”.",
    )
    picture_hosts = fields.Char(
        string="Allowed image hosts",
        groups="ordage_keycrm.group_manager",
        help="Product images are downloaded only from these hosts. Separate them with commas. If "
        "empty, no images are downloaded.",
    )
    weight_unit = fields.Selection(
        [("product_uom_gram", "g"), ("product_uom_kgm", "kg")],
        string="Unit of weight in KeyCRM",
        help="As in KeyCRM's settings; KeyCRM sends weights without it. Weights are imported once it is "
        "chosen.",
    )
    shown_field_ids = fields.Many2many(
        "keycrm.custom.field",
        "keycrm_account_shown_field_rel",
        "account_id",
        "field_id",
        string="Custom fields of orders",
        domain="[('account_id', '=', id)]",
        help="These custom fields of KeyCRM are shown on the orders in Odoo, and orders are found by them.",
    )
    delivery_service_ids = fields.One2many(
        "keycrm.delivery.service", "account_id", string="Delivery services"
    )
    category_ids = fields.One2many("keycrm.category", "account_id", string="Product categories")
    status_ids = fields.One2many("keycrm.order.status", "account_id", string="Order statuses")
    missed_status_ids = fields.Many2many(
        "keycrm.order.status",
        string="Statuses missing in trigger",
        compute="_compute_missed_status_ids",
    )
    warehouse_ids = fields.One2many("keycrm.warehouse", "account_id", string="KeyCRM warehouses")
    warehouse_id = fields.Many2one(
        "stock.warehouse",
        string="Warehouse of orders",
        compute="_compute_warehouse_id",
        store=True,
        readonly=False,
        precompute=True,
        check_company=True,
        ondelete="restrict",
        help="Imported orders are delivered from this Odoo warehouse.",
    )
    tax_id = fields.Many2one(
        "account.tax",
        string="Tax on imported lines",
        ondelete="restrict",
        check_company=True,
        domain="[('type_tax_use', '=', 'sale')]",
        help="KeyCRM's prices are what the buyer pays: the order total stays the same with any "
        "tax.",
    )
    archive_validates = fields.Boolean(
        string="Validate deliveries on archiving",
        help="When an order reaches an archive status, Odoo validates its open deliveries.",
    )
    notify_buyers = fields.Boolean(
        string="Odoo sends emails to buyers",
        help="Confirmed orders get the default quotation template and its email, and deliveries their "
        "email or SMS, as in Odoo's other orders. Otherwise Odoo sends nothing to KeyCRM's buyers "
        "automatically.",
    )
    delivered_status_id = fields.Many2one(
        "keycrm.order.status",
        string="KeyCRM status after delivery",
        domain="[('account_id', '=', id)]",
        help="A validated delivery sets this status in KeyCRM, unless a manager has set another "
        "one in the meantime. If empty, Odoo does not change the status.",
    )
    user_id = fields.Many2one(
        "res.users",
        string="Default assignee for activities",
        default=lambda self: self._default_user_id(),
        domain="[('share', '=', False)]",
        help="This user gets the activities of orders without a salesperson.",
    )
    payment_journal_id = fields.Many2one(
        "account.journal",
        string="Payment journal",
        ondelete="restrict",
        check_company=True,
        domain="[('type', 'in', ('bank', 'cash'))]",
    )
    poll_minutes = fields.Integer(
        string="Polling interval (minutes)",
        default=5,
        required=True,
        help="How often Odoo checks KeyCRM for updated orders, in case a webhook did not arrive.",
    )
    request_limit = fields.Integer(
        string="Requests per minute",
        default=DEFAULT_LIMIT,
        required=True,
        groups="ordage_keycrm.group_manager",
        help="KeyCRM allows 60 requests per minute for each key. A lower number leaves room for "
        "other programs that use the same key.",
    )
    keep_days = fields.Integer(
        string="Keep events for (days)",
        default=90,
        help="Processed events older than this are deleted; 0 keeps them all. Pending and failed "
        "events are never deleted.",
    )
    # Goods that were shipped before this time were shipped without Odoo, no matter when and
    # from which list the order is imported.
    enabled_since = fields.Datetime(string="Enabled since", readonly=True, copy=False)
    polled_at = fields.Datetime(string="Last polled", readonly=True, copy=False)
    # {"model,number": time at which KeyCRM's lists lacked the status or source of an order}
    unlisted = fields.Json(
        string="Missing in KeyCRM's lists", readonly=True, copy=False, groups=fields.NO_ACCESS
    )
    cursor_ids = fields.One2many(
        "keycrm.sync.cursor", "account_id", string="Positions in lists", groups=fields.NO_ACCESS
    )

    # Not accessible to users: they could set, and so run, any other scheduled action.
    orders_cron_id = fields.Many2one(
        "ir.cron",
        string="Scheduled action for orders",
        readonly=True,
        copy=False,
        ondelete="set null",
        groups=fields.NO_ACCESS,
    )
    stock_cron_id = fields.Many2one(
        "ir.cron",
        string="Scheduled action for stock",
        readonly=True,
        copy=False,
        ondelete="set null",
        groups=fields.NO_ACCESS,
    )

    _poll_minutes_positive = models.Constraint(
        "CHECK(poll_minutes >= 1)", "The polling interval must be at least one minute."
    )
    _request_limit_enough = models.Constraint(
        "CHECK(request_limit >= 5)", "At least 5 requests per minute are needed."
    )

    @api.model
    def _default_user_id(self):
        """Return the creating user, as assignee of activities, unless it is Odoo itself."""
        user = self.env.user
        return user if user.active and not user.share else user.browse()

    # === COMPUTE METHODS ===#

    @api.depends("company_id")
    def _compute_warehouse_id(self):
        """Default to the company's first warehouse, until a user selects another one."""
        for account in self:
            if account.warehouse_id.company_id != account.company_id:
                account.warehouse_id = self.env["stock.warehouse"].search(
                    [("company_id", "=", account.company_id.id)], limit=1
                )

    @api.depends("status_ids.missed_at")
    def _compute_missed_status_ids(self):
        for account in self:
            account.missed_status_ids = account.status_ids.filtered("missed_at")

    # === CONSTRAINT METHODS ===#

    @api.constrains("api_url", "public_url", "cabinet_url")
    def _check_addresses(self):
        for account in self.sudo():
            for address in (account.api_url, account.public_url, account.cabinet_url):
                if address and not addresses.is_web_address(address):
                    raise ValidationError(
                        self.env._(
                            "“%s” is not a web address. It must start with https:// (or http://).",
                            address,
                        )
                    )

    def _check_enabled_has_key(self):
        """Refuse to enable an account without a key.

        No ``@api.constrains``: those are checked before a key that is pasted in the same save is
        stored.

        :raise ValidationError: when an enabled account has no key
        """
        for account in self.sudo():
            if account.enabled and not account.api_key_secret:
                raise ValidationError(
                    self.env._("Paste the API key of “%s” before you enable it.", account.name)
                )

    def _check_company_stays(self, vals):
        """Check that an account is not moved away from its orders, products and stock.

        :param vals: values that are about to be written
        :raise ValidationError: when the company of a started account, or of one with products, changes
        """
        for account in self if "company_id" in vals else ():
            company = account.company_id
            if vals["company_id"] != company.id and (
                account.offer_count or not account._is_before_start()
            ):
                raise ValidationError(
                    self.env._(
                        "The orders, products and stock of “%(account)s” belong to %(company)s, so its "
                        "company cannot be changed. Connect another company with an account of its own.",
                        account=account.name,
                        company=company.name,
                    )
                )

    # === CRUD METHODS ===#

    # The only create, write and web_save of accounts, so that the order of their effects is in one
    # place.

    @api.model_create_multi
    def create(self, vals_list):
        accounts = super().create([self._complete_addresses(vals) for vals in vals_list])
        self.env["keycrm.sync.cursor"]._create_for(accounts)
        enabled = accounts.filtered("enabled")
        accounts._create_webhook_tokens()
        accounts._check_enabled_has_key()
        enabled._check_key_accepted()
        crons.ensure(accounts)
        self.env["keycrm.outbox.mixin"]._clear_sending_accounts()
        accounts._mask_key()
        enabled._mark_started()
        return accounts

    def write(self, vals):
        vals = self._complete_addresses(vals)
        self._check_key_stays(vals)
        self._check_company_stays(vals)
        change = SettingsChange(self, vals)
        result = super().write(vals)
        if {"enabled", "api_key", "api_key_secret"} & vals.keys():
            self._check_enabled_has_key()
        change.disabled._check_key_accepted()
        self._key_changed(vals)
        if "public_url" in vals:
            self._reset_link_check()
        change.apply()
        return result

    def web_save(self, vals, specification, next_id=None):
        """Save a user's changes on a form.

        A user who enables sending of stock gets a preview first. A pasted key is tested at once; an
        error is displayed next to it.
        """
        before = self.warehouse_ids._sent_matches()
        begun = [
            name
            for name, kind in kinds_of(PreviewedKind).items()
            if vals.get(kind.switch) and not (self and self[kind.switch])
        ]
        result = super().web_save(vals, specification, next_id)
        account = self or self.browse(result[0]["id"])
        self.env["keycrm.send.preview"]._start_all(account, begun)
        is_outdated = account.warehouse_ids._require_preview(before)
        if vals.get("api_key") and vals["api_key"] != API_KEY_MASK:
            check_key(account)
            # Values that were computed before KeyCRM's response are computed again.
            account.invalidate_recordset()
            is_outdated = True
        if not is_outdated:
            return result
        shown = self.browse(next_id) if next_id else account
        return shown.with_context(bin_size=True).web_read(specification)

    def unlink(self):
        self.env["keycrm.outbox.mixin"]._clear_sending_accounts()
        return super().unlink()

    def copy_data(self, default=None):
        vals_list = super().copy_data(default)
        return [
            dict(vals, name=self.env._("%s (copy)", account.name))
            for account, vals in zip(self, vals_list, strict=True)
        ]

    # === SCHEDULED ACTIONS ===#

    @api.model
    def _cron_orders(self, account_id):
        """Run the orders queue of an account: entry point of its scheduled action.

        :param account_id: id of the account
        """
        run_queue(self.env, account_id, crons.ORDERS)

    @api.model
    def _cron_stock(self, account_id):
        """Run the stock queue of an account: entry point of its scheduled action.

        :param account_id: id of the account
        """
        run_queue(self.env, account_id, crons.STOCK)

    @api.autovacuum
    def _gc_crons(self):
        """Delete the scheduled actions of deleted accounts."""
        crons.delete_unused(self.env)

    @api.autovacuum
    def _gc_finished(self):
        """Delete old finished records; pending and failed ones are kept at any age.

        :return: (deleted, whether there are more), so that the autovacuum calls again
        """
        return maintenance.delete_finished(self.env)

    @api.autovacuum
    def _restore_references(self):
        """Recreate deleted scheduled actions, and use the only warehouse that is left."""
        maintenance.restore_references(self.env)

    # === ACTION METHODS ===#

    # === BUSINESS METHODS ===#

    def _check_manager(self):
        """Check a button's access right on the server.

        :raise UserError: when the user is no KeyCRM administrator
        """
        if not self.env.su and not self.env.user.has_group("ordage_keycrm.group_manager"):
            raise UserError(self.env._("Only a KeyCRM administrator can do this."))
        self.check_access("write")

    def _warehouse_of_orders(self):
        """Return the account's warehouse; if archived, the company's only other one.

        :return: ``stock.warehouse``, maybe none
        """
        self.ensure_one()
        if self.warehouse_id.active:
            return self.warehouse_id
        own = [("company_id", "=", self.company_id.id)]
        left = self.env["stock.warehouse"].search(own, limit=2)
        if self.warehouse_id and len(left) > 1:
            # A user has to choose.
            return left.browse()
        return left[:1]

    def _time_zone(self):
        """Return the name of the company's time zone, else that of the user who is assigned activities."""
        self.ensure_one()
        return self.company_id.partner_id.tz or activities.assignee(self).tz or "UTC"

    def _check_can_work(self):
        """Check that the workers can process a job.

        :raise UserError: when the integration was disabled, or has no API key yet
        """
        self.ensure_one()
        if self.enabled:
            return
        if not self._is_before_start():
            raise UserError(self.env._("Enable the integration first."))
        if not self.sudo().api_key_secret:
            raise UserError(self.env._("Paste the API key of “%s” first.", self.name))

    def _is_before_start(self):
        """Return whether the integration was never enabled: the account is being set up."""
        self.ensure_one()
        return not (self.enabled or self.enabled_since or self.polled_at)

    def _notification(self, message, kind="success"):
        """Return an action that displays a notification.

        :param message: text
        :param kind: ``success``, ``warning``, ``danger`` or ``info``
        """
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "title": self.env._("KeyCRM"),
                "message": message,
                "type": kind,
                "next": {"type": "ir.actions.act_window_close"},
            },
        }
