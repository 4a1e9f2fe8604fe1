from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ...const import API_KEY_MASK, API_URL
from ...keycrm import addresses
from ...keycrm.rate_limit_rules import DEFAULT_LIMIT
from ...services.account.settings_change import SettingsChange
from ...services.common import crons, maintenance
from ...services.common.circuit_breaker import end_backoff
from ...services.common.reference_lists import ReferenceLists, check_key, request_for_user
from ...services.sending.kind import PreviewedKind
from ...services.sending.kinds import KINDS, kinds_of
from ...services.sending.tracking import TrackingKind
from ...services.stock.stock_settings import StockSettings
from ...services.workers.cron_runner import run_queue


class KeycrmAccount(models.Model):
    """Connect one KeyCRM account (a cabinet) with one company.

    This file holds the settings. The other files of this folder hold the key and the webhook link
    (``credentials``), the overview (``overview``) and the setup (``onboarding``). The queues are in
    ``services/workers/order_queue.py`` and ``services/workers/stock_queue.py``;
    ``services/workers/cron_runner.py`` runs them.
    """

    _name = "keycrm.account"
    _description = "KeyCRM account"
    _inherit = ["keycrm.readonly.mixin", "mail.thread", "mail.activity.mixin"]
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
    # Of ``keycrm.fault_isolation_rules.Isolation``
    offer_isolation = fields.Json(
        string="Isolation of a faulty value", readonly=True, copy=False, groups=fields.NO_ACCESS
    )
    # Where KeyCRM needs long for a full request; see ``keycrm.offer_values.rows_within``.
    offer_rows = fields.Integer(
        string="Values of one request", readonly=True, copy=False, groups=fields.NO_ACCESS
    )
    stock_expiry_on = fields.Date(string="Expired lots last checked", readonly=True, copy=False)
    stock_webhook_at = fields.Datetime(string="Last stock webhook", readonly=True, copy=False)
    compared_at = fields.Datetime(string="Last comparison", readonly=True, copy=False)
    compared_differences = fields.Integer(
        string="Differences found", readonly=True, copy=False, help="From the last comparison."
    )
    send_cost = fields.Boolean(
        string="Send cost to KeyCRM",
        copy=False,
        tracking=True,
        help="The cost of a product becomes the purchase price of its offer in KeyCRM whenever it changes, "
        "also by valuation. A cost of zero is never sent.",
    )
    send_price = fields.Boolean(
        string="Send prices to KeyCRM",
        copy=False,
        tracking=True,
        help="The prices of the chosen price list become the prices of offers in KeyCRM whenever they "
        "change. Only together with “Do not change product information”: prices go one way.",
    )
    price_list_id = fields.Many2one(
        "product.pricelist",
        string="Price list for KeyCRM",
        ondelete="restrict",
        check_company=True,
        domain="[('company_id', 'in', (company_id, False))]",
    )
    send_tracking = fields.Boolean(
        string="Send tracking numbers to KeyCRM",
        copy=False,
        tracking=True,
        help="The tracking number of a delivery goes to its order in KeyCRM, with the delivery service "
        "that is matched with the carrier. A number that KeyCRM has already is never replaced.",
    )
    tracking_others = fields.Selection(
        [("comment", "Manager's comment"), ("field", "Custom field")],
        string="Further tracking numbers",
        help="Where KeyCRM gets the numbers of an order's further parcels: an order has one tracking "
        "number there. Empty: they are not sent.",
    )
    tracking_field_id = fields.Many2one(
        "keycrm.custom.field",
        string="Field of further tracking numbers",
        ondelete="restrict",
        domain="[('account_id', '=', id), ('type', 'in', ('text', 'textarea'))]",
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
    send_payments = fields.Boolean(
        string="Send received payments to KeyCRM",
        copy=False,
        tracking=True,
        help="Money that Odoo reconciles with the invoice of an order becomes a payment of the order in "
        "KeyCRM, unless KeyCRM has it already. Nothing is ever taken back there.",
    )
    delivery_service_ids = fields.One2many(
        "keycrm.delivery.service", "account_id", string="Delivery services"
    )
    category_ids = fields.One2many("keycrm.category", "account_id", string="Product categories")
    values_checked_on = fields.Date(string="Values last compared", readonly=True, copy=False)
    # How far the comparison of this day has come.
    values_checked_id = fields.Integer(
        string="Offer last compared", readonly=True, copy=False, groups=fields.NO_ACCESS
    )
    creates_products = fields.Boolean(string="Product creation", readonly=True, copy=False)
    kinds_to_preview = fields.Char(
        string="Waits for a preview",
        readonly=True,
        copy=False,
        help="What is not sent until a user has seen a preview and decided.",
    )
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

    @api.depends("enabled", "push_stock", "warehouse_ids.send_state")
    def _compute_stock_to_preview(self):
        for account in self:
            states = account.warehouse_ids.mapped("send_state")
            account.stock_to_preview = (
                account.enabled and account.push_stock and "preview" in states
            )

    # === CONSTRAINT METHODS ===#

    @api.constrains("api_url", "public_url", "cabinet_url")
    def _check_addresses(self):
        for account in self.sudo():
            for address in (account.api_url, account.public_url, account.cabinet_url):
                if not address:
                    continue
                if not addresses.is_web_address(address):
                    raise ValidationError(
                        self.env._(
                            "“%s” is not a web address. It must start with https:// (or http://).",
                            address,
                        )
                    )

    @api.constrains("send_price", "keep_product_info", "price_list_id")
    def _check_prices_go_one_way(self):
        for account in self:
            if account.send_price and not (account.keep_product_info and account.price_list_id):
                raise ValidationError(
                    self.env._(
                        "To send prices to KeyCRM, choose a price list and turn on “Do not change product "
                        "information”: otherwise prices would go in both directions."
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

    def action_open_events(self):
        """Open the events that this account received from KeyCRM.

        :return: an action
        """
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("ordage_keycrm.keycrm_event_action")
        return dict(action, domain=[("account_id", "=", self.id)])

    def action_synchronize_orders(self):
        """Open "Synchronize orders" for this account.

        :return: an action
        """
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Synchronize orders"),
            "res_model": "keycrm.order.sync",
            "view_mode": "form",
            "context": {"default_account_id": self.id},
        }

    def action_refresh_delivery_services(self):
        """Read KeyCRM's delivery services and custom fields again.

        :return: a notification
        :raise UserError: when the request fails
        """
        self._check_manager()

        def refresh(client):
            service = TrackingKind(self, client)
            service.record_page(service.read_page(1))

        request_for_user(self, refresh)
        return self._notification(
            self.env._(
                "KeyCRM has %(services)s delivery services and %(fields)s custom fields of orders.",
                services=len(self.delivery_service_ids),
                fields=self.env["keycrm.custom.field"].search_count([("account_id", "=", self.id)]),
            )
        )

    def action_refresh_categories(self):
        """Read KeyCRM's categories of products again.

        :return: a notification
        :raise UserError: when the request fails
        """
        self._check_manager()
        request_for_user(self, lambda client: ReferenceLists(self, client).refresh_categories())
        return self._notification(
            self.env._("KeyCRM has %(count)s categories of products.", count=len(self.category_ids))
        )

    def action_open_send_previews(self):
        """Open the previews of what is sent to KeyCRM.

        :return: an action
        """
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "ordage_keycrm.keycrm_send_preview_action"
        )
        waiting = self.env["keycrm.send.preview"].search(
            [("account_id", "=", self.id), ("state", "in", ("running", "ready"))], limit=2
        )
        if len(waiting) == 1:
            return {**action, "views": [(False, "form")], "res_id": waiting.id}
        return dict(action, domain=[("account_id", "=", self.id)])

    def action_load_products(self):
        """Open "Load products from KeyCRM" for this account.

        :return: an action
        """
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Load products from KeyCRM"),
            "res_model": "keycrm.product.import",
            "view_mode": "form",
            "context": {"default_account_id": self.id},
        }

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

    # === BUSINESS METHODS ===#

    def _kinds_to_preview(self):
        """Return the kinds of data that are not sent until a user has decided about their preview.

        :return: set of names, keys of :data:`~.kinds.KINDS`
        """
        return set(filter(None, (self.sudo().kinds_to_preview or "").split(",")))

    def _sends(self, kind):
        """Return whether changes of a kind are sent now.

        :param kind: its name, a key of :data:`~.kinds.KINDS`
        """
        self.ensure_one()
        return bool(
            self.enabled and self[KINDS[kind].switch] and kind not in self._kinds_to_preview()
        )

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
