from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ...const import EVENT_REFRESH, PAYMENT_READERS
from ...keycrm import addresses
from ...services.common import crons
from ...services.common.bridge import is_bridge
from ...services.common.circuit_breaker import end_backoff
from ...services.orders.order_form import lock_form
from ..common.field_guard import BRIDGE_FIELD

#: Fields that change the amounts of an order or their currency.
_DETERMINED_BY_KEYCRM = {
    "amount_tax",
    "amount_total",
    "amount_untaxed",
    "company_id",
    "currency_id",
    "pricelist_id",
}


class SaleOrder(models.Model):
    _name = "sale.order"
    _inherit = ["sale.order", "keycrm.guard.mixin"]

    # === FIELDS ===#

    keycrm_account_id = fields.Many2one(
        "keycrm.account",
        string="KeyCRM account",
        copy=False,
        readonly=True,
        ondelete="restrict",
        groups="base.group_user",
    )
    keycrm_id = fields.Integer(
        string="KeyCRM order", copy=False, readonly=True, aggregator=None, groups="base.group_user"
    )
    # Users search for a part of it, as for Odoo's own number.
    keycrm_number = fields.Char(
        string="Number at the source",
        index="trigram",
        help="For example at the marketplace. KeyCRM's own number where the source has none.",
        **BRIDGE_FIELD,
    )
    keycrm_status_id = fields.Many2one(
        "keycrm.order.status", string="KeyCRM status", **BRIDGE_FIELD
    )
    keycrm_total = fields.Monetary(string="Total in KeyCRM", **BRIDGE_FIELD)
    keycrm_odoo_total = fields.Monetary(
        string="Total in Odoo", compute="_compute_keycrm_odoo_total", groups="base.group_user"
    )
    keycrm_total_differs = fields.Boolean(
        string="Total differs",
        compute="_compute_keycrm_total_differs",
        store=True,
        **BRIDGE_FIELD,
    )
    keycrm_archived = fields.Boolean(string="Archived", **BRIDGE_FIELD)
    keycrm_skip_delivery = fields.Boolean(
        string="Never affects stock",
        copy=False,
        readonly=True,
        help="The order was already completed when first imported; its goods were shipped earlier.",
        groups="base.group_user",
    )
    keycrm_updated_at = fields.Datetime(
        string="Updated in KeyCRM", help="The time of the last change in KeyCRM.", **BRIDGE_FIELD
    )
    keycrm_read_fresh = fields.Boolean(
        string="Read right after its change",
        help="The order was read within seconds of its last change and may have changed again in "
        "the same second.",
        **BRIDGE_FIELD,
    )
    keycrm_payment_status = fields.Selection(
        [
            ("not_paid", "Not paid"),
            ("part_paid", "Partly paid"),
            ("paid", "Paid"),
            ("overpaid", "Overpaid"),
        ],
        string="Payment in KeyCRM",
        **BRIDGE_FIELD,
    )
    keycrm_source_id = fields.Many2one(
        "keycrm.source", string="KeyCRM source", ondelete="set null", **BRIDGE_FIELD
    )
    keycrm_parent_id = fields.Integer(
        string="Copied from KeyCRM order", aggregator=None, **BRIDGE_FIELD
    )
    keycrm_parent_order_id = fields.Many2one(
        "sale.order",
        string="Copied from",
        compute="_compute_keycrm_parent_order_id",
        groups="base.group_user",
    )
    keycrm_deleted = fields.Boolean(string="Deleted in KeyCRM", **BRIDGE_FIELD)
    keycrm_manager_name = fields.Char(string="KeyCRM manager", **BRIDGE_FIELD)
    keycrm_promocode = fields.Char(string="Promo code", **BRIDGE_FIELD)
    keycrm_delivery_service = fields.Char(string="Delivery service", **BRIDGE_FIELD)
    # Users search by the last digits.
    keycrm_tracking_code = fields.Char(string="Tracking number", index="trigram", **BRIDGE_FIELD)
    keycrm_recipient_phone = fields.Char(
        string="Recipient's phone",
        help="The buyer's phone where the recipient has none.",
        compute="_compute_keycrm_recipient",
        compute_sudo=True,
        groups="base.group_user",
    )
    keycrm_recipient_address = fields.Char(
        string="Recipient's address",
        compute="_compute_keycrm_recipient",
        compute_sudo=True,
        groups="base.group_user",
    )
    keycrm_buyer_comment = fields.Text(string="Buyer's comment", **BRIDGE_FIELD)
    keycrm_is_gift = fields.Boolean(
        string="Gift", help="No payment documents are to be put into the parcel.", **BRIDGE_FIELD
    )
    keycrm_gift_message = fields.Text(string="Gift message", **BRIDGE_FIELD)
    keycrm_custom_fields = fields.Text(
        string="Custom fields",
        help="The custom fields of KeyCRM that are chosen on the account.",
        **BRIDGE_FIELD,
    )
    keycrm_gift_wrap = fields.Boolean(string="Gift wrap", **BRIDGE_FIELD)
    keycrm_other_phones = fields.Char(
        string="Other phones",
        help="Phones of the buyer or the recipient that KeyCRM has besides those of the contacts.",
        **BRIDGE_FIELD,
    )
    keycrm_buyer_note = fields.Text(string="Note about the buyer", **BRIDGE_FIELD)
    keycrm_shipping_date = fields.Date(
        string="Planned shipping date",
        help="From KeyCRM. It becomes the delivery date of the order whenever it changes there.",
        **BRIDGE_FIELD,
    )
    keycrm_shipping_status = fields.Selection(
        [
            ("invoice", "Waybill created"),
            ("transit", "In transit"),
            ("pickup", "Ready for pickup"),
            ("delivered", "Delivered"),
            ("cash_on_delivery", "Cash on delivery"),
            ("cash_received", "Cash received"),
            ("refused", "Refused by the buyer"),
            ("return", "Being returned"),
            ("returned", "Returned to the sender"),
            ("disposal", "Disposed of"),
        ],
        string="Parcel status",
        help="From the delivery service, by KeyCRM. For a refused parcel, a return is expected.",
        **BRIDGE_FIELD,
    )
    keycrm_manager_comment = fields.Text(string="Manager's comment", **BRIDGE_FIELD)
    keycrm_url = fields.Char(
        string="KeyCRM link",
        compute="_compute_keycrm_url",
        compute_sudo=True,
        groups="base.group_user",
    )
    keycrm_payment_ids = fields.One2many(
        "keycrm.payment",
        "sale_order_id",
        string="KeyCRM payments",
        readonly=True,
        groups=PAYMENT_READERS,
    )
    keycrm_amount_paid = fields.Monetary(
        string="Paid in KeyCRM",
        help="KeyCRM's own sum of the payments, in the currency of the order.",
        **BRIDGE_FIELD,
    )
    keycrm_payments_differ = fields.Boolean(
        string="Payments differ",
        help="The payments of the order do not add up to KeyCRM's own sum, which decides what is to be "
        "collected.",
        **BRIDGE_FIELD,
    )
    keycrm_amount_expected = fields.Monetary(
        string="Expected payments",
        compute="_compute_keycrm_amount_expected",
        compute_sudo=True,
        help="Payments planned in KeyCRM that have not been made yet.",
        groups="base.group_user",
    )
    keycrm_amount_due = fields.Monetary(
        string="To collect on delivery",
        compute="_compute_keycrm_amount_due",
        store=True,
        help="Amount still to be paid of the KeyCRM total.",
        **BRIDGE_FIELD,
    )

    keycrm_client_id = fields.Integer(string="KeyCRM buyer", aggregator=None, **BRIDGE_FIELD)
    keycrm_former_partner_id = fields.Many2one(
        "res.partner", string="Previous buyer", ondelete="set null", **BRIDGE_FIELD
    )
    keycrm_rate_missing = fields.Boolean(
        string="No exchange rate",
        compute="_compute_keycrm_rate_missing",
        store=True,
        help="No exchange rate to the company's currency was entered: sales reports leave the order's "
        "amounts out, and its invoice cannot be posted.",
        **BRIDGE_FIELD,
    )
    keycrm_is_locked = fields.Boolean(
        string="Managed by KeyCRM",
        compute="_compute_keycrm_is_locked",
        compute_sudo=True,
        help="KeyCRM determines the lines, prices, dates and contacts of the order. Changes made "
        "here would be lost at the next update.",
        groups="base.group_user",
    )

    # Used for queries of an account's orders too.
    _keycrm_id_unique = models.UniqueIndex(
        "(keycrm_account_id, keycrm_id) WHERE keycrm_account_id IS NOT NULL"
    )
    # The overview counts the orders of the last days, however many there are.
    _keycrm_date_index = models.Index(
        "(keycrm_account_id, date_order) WHERE keycrm_account_id IS NOT NULL"
    )
    # Each new order is searched among those from before the addon was uninstalled: almost always none.
    _keycrm_former_index = models.Index(
        "(origin) WHERE keycrm_account_id IS NULL AND origin IS NOT NULL"
    )
    # A new exchange rate finds the orders that wait for it.
    _keycrm_rate_missing_index = models.Index("(currency_id) WHERE keycrm_rate_missing")

    # === COMPUTE METHODS ===#

    @api.depends(
        "keycrm_account_id",
        "keycrm_total",
        "amount_total",
        "currency_id",
        "keycrm_status_id.order_action",
    )
    def _compute_keycrm_total_differs(self):
        """Compare to the cent; canceled orders are not compared."""
        for order in self:
            order.keycrm_total_differs = bool(
                order.keycrm_account_id
                and order.currency_id
                and order.keycrm_status_id.order_action != "cancel"
                and order.currency_id.compare_amounts(order.keycrm_total, order.amount_total)
            )

    def _compute_keycrm_url(self):
        for order in self:
            order.keycrm_url = addresses.order_url(
                order.keycrm_account_id.cabinet_url, order.keycrm_id
            )

    @api.depends(
        "partner_id.phone",
        "partner_shipping_id.phone",
        "partner_shipping_id.contact_address_inline",
        "company_id.country_id",
        "keycrm_account_id",
    )
    def _compute_keycrm_recipient(self):
        """Take the buyer's phone where the recipient has none, and an address for a label."""
        orders = self.filtered("keycrm_account_id")
        others = self - orders
        others.keycrm_recipient_phone = others.keycrm_recipient_address = False
        for order in orders:
            recipient = order.partner_shipping_id
            order.keycrm_recipient_phone = recipient.phone or order.partner_id.phone
            order.keycrm_recipient_address = recipient._keycrm_short_address(
                order.company_id.country_id
            )

    @api.depends("keycrm_total_differs", "amount_total")
    def _compute_keycrm_odoo_total(self):
        """Read only totals that are shown: an order's form computes its fields at each edit."""
        for order in self:
            order.keycrm_odoo_total = order.amount_total if order.keycrm_total_differs else 0.0

    @api.depends("keycrm_parent_id", "keycrm_account_id")
    def _compute_keycrm_parent_order_id(self):
        copies = self.filtered("keycrm_parent_id")
        parents = self.search(
            [
                ("keycrm_account_id", "in", copies.keycrm_account_id.ids),
                ("keycrm_id", "in", copies.mapped("keycrm_parent_id")),
            ]
        )
        parent_by_id = {(parent.keycrm_account_id, parent.keycrm_id): parent for parent in parents}
        for order in self:
            key = (order.keycrm_account_id, order.keycrm_parent_id)
            order.keycrm_parent_order_id = parent_by_id.get(key, self.browse())

    @api.depends(
        "keycrm_account_id",
        "keycrm_payment_ids.amount",
        "keycrm_payment_ids.status",
        "keycrm_payment_ids.currency_id",
        "currency_id",
    )
    def _compute_keycrm_amount_expected(self):
        """Sum the payments in the order's currency, without those that cannot be converted."""
        orders = self.filtered("keycrm_account_id")
        (self - orders).keycrm_amount_expected = 0.0
        for order in orders:
            expected = order.keycrm_payment_ids.filtered(
                lambda payment: payment.status == "not_paid"
            )
            order.keycrm_amount_expected = sum(
                payment._amount_for_order() or 0.0 for payment in expected
            )

    @api.depends("keycrm_amount_paid", "keycrm_total", "keycrm_status_id.order_action")
    def _compute_keycrm_amount_due(self):
        """Subtract KeyCRM's own sum of payments from its total; 0 for a canceled order."""
        for order in self:
            is_canceled = order.keycrm_status_id.order_action == "cancel"
            order.keycrm_amount_due = (
                0.0 if is_canceled else max(0.0, order.keycrm_total - order.keycrm_amount_paid)
            )

    @api.depends("keycrm_skip_delivery")
    def _compute_invoice_status(self):
        """Expect no invoice of an order that was completed at its first import."""
        result = super()._compute_invoice_status()
        for order in self:
            if order.keycrm_skip_delivery and order.invoice_status in ("to invoice", "upselling"):
                order.invoice_status = "no"
        return result

    @api.depends("keycrm_account_id", "currency_id", "company_id.currency_id")
    def _compute_keycrm_rate_missing(self):
        for order in self:
            order.keycrm_rate_missing = bool(
                order.keycrm_account_id
                and order.currency_id
                and not order.currency_id._keycrm_has_rate(order.company_id)
            )

    @api.depends("keycrm_id", "keycrm_account_id.enabled", "keycrm_deleted")
    def _compute_keycrm_is_locked(self):
        """Compute whether the next import of the order would overwrite a user's changes.

        An order that was deleted in KeyCRM is not imported again, nor any order while the integration is
        disabled.
        """
        for order in self:
            order.keycrm_is_locked = bool(
                order.keycrm_id and order.keycrm_account_id.enabled and not order.keycrm_deleted
            )

    # === CRUD METHODS ===#

    def copy_data(self, default=None):
        """Leave out the source document, by which an order of KeyCRM is recognized."""
        return [
            {**vals, "origin": (default or {}).get("origin")} if order.keycrm_id else vals
            for order, vals in zip(self, super().copy_data(default), strict=True)
        ]

    def write(self, vals):
        """Refuse another amount or currency than KeyCRM's, which forms show readonly.

        :raise UserError: when KeyCRM determines one of the orders
        """
        names = _DETERMINED_BY_KEYCRM & vals.keys()
        if names and not is_bridge(self.env):
            for order in self.filtered("keycrm_is_locked"):
                if any(order._keycrm_differs(name, vals[name]) for name in names):
                    raise UserError(
                        self.env._(
                            "KeyCRM determines the amounts and the currency of order %s. Change them "
                            "there; the order follows automatically.",
                            order.display_name,
                        )
                    )
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_locked(self):
        """Refuse the deletion of orders that the next import would create and confirm again.

        :raise UserError: when KeyCRM still manages one of them
        """
        locked = self.filtered("keycrm_is_locked")
        if locked and not is_bridge(self.env):
            raise UserError(
                self.env._(
                    "Orders that KeyCRM still has cannot be deleted, since it would create them here "
                    "again: %(orders)s. Cancel them instead, here and in KeyCRM. An order that was "
                    "deleted in KeyCRM can be deleted here too.",
                    orders=", ".join(locked.mapped("display_name")),
                )
            )

    # === VIEWS ===#

    @api.model
    def _get_view(self, view_id=None, view_type="form", **options):
        """Make fields read-only that KeyCRM determines, and ask before actions that contradict KeyCRM.

        Odoo's form reads invoices. A user who may not, such as a storekeeper, gets a form without them.
        """
        if view_type == "form" and not view_id and not self._keycrm_may_read_invoices():
            view_id = self.env.ref("ordage_keycrm.keycrm_order_view_form_stock").id
        arch, view = super()._get_view(view_id, view_type, **options)
        if view_type == "form":
            lock_form(self.env, arch)
        return arch, view

    @api.model
    def _get_view_cache_key(self, view_id=None, view_type="form", **options):
        key = super()._get_view_cache_key(view_id, view_type, **options)
        return (*key, self._keycrm_may_read_invoices()) if view_type == "form" else key

    @api.model
    def _keycrm_may_read_invoices(self):
        return self.env["account.move.line"].has_access("read")

    # === ACTION METHODS ===#

    def action_confirm(self):
        """Confirm orders of KeyCRM separately: they keep their date, and others get that of today."""
        imported = self.filtered("keycrm_id")
        if imported and imported != self:
            return super(SaleOrder, imported).action_confirm() and (
                super(SaleOrder, self - imported).action_confirm()
            )
        return super().action_confirm()

    def action_keycrm_refresh(self):
        """Read the order from KeyCRM again.

        :return: a notification
        :raise UserError: when the integration is disabled
        """
        # The import writes to the order: users who can only read it cannot start that.
        self.check_access("write")
        orders = self.filtered("keycrm_id")
        if not orders.keycrm_account_id.filtered("enabled"):
            raise UserError(self.env._("The integration with KeyCRM is disabled."))
        orders._keycrm_enqueue_refresh(EVENT_REFRESH)
        end_backoff(orders.keycrm_account_id)
        return orders.keycrm_account_id[:1]._notification(
            self.env._(
                "Being read from KeyCRM: %s. The page shows the result automatically.", len(orders)
            )
        )

    def action_open_in_keycrm(self):
        """Open the order in KeyCRM's cabinet."""
        self.ensure_one()
        self.check_access("read")
        return {"type": "ir.actions.act_url", "url": self.keycrm_url, "target": "new"}

    def action_keycrm_merge_contacts(self):
        """Open Odoo's merge of contacts with the former buyer and the current one.

        :return: an action
        :raise UserError: when there is nothing to merge
        """
        self.ensure_one()
        partners = self.keycrm_former_partner_id.exists() | self.partner_id
        if len(partners) < 2:
            raise UserError(self.env._("There are no longer two contacts to merge."))
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Merge contacts"),
            "res_model": "base.partner.merge.automatic.wizard",
            "view_mode": "form",
            "target": "new",
            "context": {
                "active_model": "res.partner",
                "active_ids": partners.ids,
                "default_dst_partner_id": self.partner_id.id,
            },
        }

    # === BUSINESS METHODS ===#

    def _prepare_confirmation_values(self):
        """Keep the order date of KeyCRM, also where a person confirms."""
        vals = super()._prepare_confirmation_values()
        if any(self.mapped("keycrm_id")):
            vals.pop("date_order", None)
        return vals

    @api.model
    def _keycrm_domain_with_parcels(self):
        """Return the domain of orders whose deliveries have tracking numbers.

        Tracking numbers are fields of Odoo's module for carriers: without it there is no such order.

        """
        return Domain.FALSE

    def _keycrm_parcels(self):
        """Return the parcels of the order.

        :return: list of :class:`~.keycrm.order_update_rules.Parcel`, the first one first
        """
        return []

    def _keycrm_enqueue_refresh(self, event):
        """Enqueue the orders: the worker reads them from KeyCRM again.

        :param event: kind of the event, which shows users the reason
        """
        orders = self.filtered("keycrm_id")
        self.env["keycrm.event"].sudo().create(
            [
                {
                    "account_id": order.keycrm_account_id.id,
                    "event": event,
                    "keycrm_order_id": order.keycrm_id,
                    "sale_order_id": order.id,
                }
                for order in orders
            ]
        )
        crons.trigger(orders.sudo().keycrm_account_id, crons.ORDERS)

    def _keycrm_refresh_rate(self):
        """Recompute the fields that depend on exchange rates."""
        self.invalidate_recordset(["keycrm_amount_expected"])
        for name in ("keycrm_rate_missing", "currency_rate"):
            self.env.add_to_compute(self._fields[name], self)


class SaleReport(models.Model):
    _inherit = "sale.report"

    # === BUSINESS METHODS ===#

    def _case_value_or_one(self, value):
        """Leave the amounts of an order without an exchange rate empty."""
        rate = super()._case_value_or_one(value)
        if value != "s.currency_rate":
            return rate
        return f"CASE WHEN s.keycrm_rate_missing THEN NULL ELSE {rate} END"
