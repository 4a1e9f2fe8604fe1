from odoo import api, fields, models
from odoo.exceptions import UserError

from ...const import EVENT_REFRESH, PAYMENT_READERS
from ...services import crons
from ...services.circuit_breaker import end_backoff


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
    )
    keycrm_id = fields.Integer(string="KeyCRM order", copy=False, readonly=True, aggregator=None)
    # People look for a part of it, as they do for Odoo's own number.
    keycrm_number = fields.Char(
        string="KeyCRM number",
        copy=False,
        readonly=True,
        index="trigram",
        help="Order number at the source, for example at the marketplace.",
    )
    keycrm_status_id = fields.Many2one(
        "keycrm.order.status", string="KeyCRM status", copy=False, readonly=True
    )
    keycrm_total = fields.Monetary(string="Total in KeyCRM", copy=False, readonly=True)
    keycrm_total_differs = fields.Boolean(
        string="Total differs", compute="_compute_keycrm_total_differs", store=True
    )
    keycrm_archived = fields.Boolean(string="Archived", copy=False, readonly=True)
    keycrm_skip_delivery = fields.Boolean(
        string="Never affects stock",
        copy=False,
        readonly=True,
        help="The order was already completed when first imported; its goods were shipped earlier.",
    )
    keycrm_updated_at = fields.Datetime(
        string="Updated in KeyCRM",
        copy=False,
        readonly=True,
        help="The time of the last change in KeyCRM.",
    )
    keycrm_read_fresh = fields.Boolean(
        string="Read right after its change",
        copy=False,
        readonly=True,
        help="The order was read within seconds of its last change and may have changed again in "
        "the same second.",
    )
    keycrm_payment_status = fields.Selection(
        [
            ("not_paid", "Not paid"),
            ("part_paid", "Partly paid"),
            ("paid", "Paid"),
            ("overpaid", "Overpaid"),
        ],
        string="Payment in KeyCRM",
        copy=False,
        readonly=True,
    )
    keycrm_source_id = fields.Many2one(
        "keycrm.source", string="KeyCRM source", copy=False, readonly=True, ondelete="set null"
    )
    keycrm_parent_id = fields.Integer(
        string="Copied from KeyCRM order", copy=False, readonly=True, aggregator=None
    )
    keycrm_parent_order_id = fields.Many2one(
        "sale.order", string="Copied from", compute="_compute_keycrm_parent_order_id"
    )
    keycrm_deleted = fields.Boolean(string="Deleted in KeyCRM", copy=False, readonly=True)
    keycrm_manager_name = fields.Char(
        string="KeyCRM manager", copy=False, readonly=True, groups="base.group_user"
    )
    keycrm_promocode = fields.Char(string="Promo code", copy=False, readonly=True)
    keycrm_delivery_service = fields.Char(string="Delivery service", copy=False, readonly=True)
    # Looked for by its last digits.
    keycrm_tracking_code = fields.Char(
        string="Tracking number", copy=False, readonly=True, index="trigram"
    )
    keycrm_buyer_comment = fields.Text(string="Buyer's comment", copy=False, readonly=True)
    keycrm_is_gift = fields.Boolean(
        string="Gift",
        copy=False,
        readonly=True,
        help="No payment documents are to be put into the parcel.",
    )
    keycrm_gift_message = fields.Text(string="Gift message", copy=False, readonly=True)
    keycrm_gift_wrap = fields.Boolean(string="Gift wrap", copy=False, readonly=True)
    keycrm_other_phones = fields.Char(
        string="Other phones",
        copy=False,
        readonly=True,
        help="Phones of the buyer or the recipient that KeyCRM has besides those of the contacts.",
    )
    keycrm_buyer_note = fields.Text(
        string="Note about the buyer",
        copy=False,
        readonly=True,
        # The buyer can see the order in the portal, and read it over RPC.
        groups="base.group_user",
    )
    keycrm_shipping_date = fields.Date(
        string="Planned shipping date",
        copy=False,
        readonly=True,
        help="From KeyCRM. It becomes the delivery date of the order whenever it changes there.",
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
        copy=False,
        readonly=True,
        help="From the delivery service, by KeyCRM. For a refused parcel, a return is expected.",
    )
    keycrm_manager_comment = fields.Text(
        string="Manager's comment",
        copy=False,
        readonly=True,
        # The buyer can see the order in the portal, and read it over RPC.
        groups="base.group_user",
    )
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
        copy=False,
        readonly=True,
        help="KeyCRM's own sum of the payments, in the currency of the order.",
    )
    keycrm_payments_differ = fields.Boolean(
        string="Payments differ",
        copy=False,
        readonly=True,
        help="The payments of the order do not add up to KeyCRM's own sum, which decides what is to be "
        "collected.",
    )
    keycrm_amount_expected = fields.Monetary(
        string="Expected payments",
        compute="_compute_keycrm_amount_expected",
        compute_sudo=True,
        help="Payments planned in KeyCRM that have not been made yet.",
    )
    keycrm_amount_due = fields.Monetary(
        string="To collect on delivery",
        compute="_compute_keycrm_amount_due",
        store=True,
        help="Amount still to be paid of the KeyCRM total.",
    )

    # Also how the orders of an account are found.
    _keycrm_id_unique = models.UniqueIndex(
        "(keycrm_account_id, keycrm_id) WHERE keycrm_account_id IS NOT NULL"
    )
    # The overview counts the orders of the last days, however many there are.
    _keycrm_date_index = models.Index(
        "(keycrm_account_id, date_order) WHERE keycrm_account_id IS NOT NULL"
    )

    # === COMPUTE METHODS ===#

    @api.depends(
        "keycrm_account_id",
        "keycrm_total",
        "amount_total",
        "currency_id",
        "keycrm_status_id.order_action",
    )
    def _compute_keycrm_total_differs(self):
        """Compare to the cent; what KeyCRM cancelled has no total to be kept."""
        for order in self:
            order.keycrm_total_differs = bool(
                order.keycrm_account_id
                and order.currency_id
                and order.keycrm_status_id.order_action != "cancel"
                and order.currency_id.compare_amounts(order.keycrm_total, order.amount_total)
            )

    def _compute_keycrm_url(self):
        for order in self:
            order.keycrm_url = order.keycrm_account_id._order_url(order.keycrm_id)

    @api.depends("keycrm_parent_id", "keycrm_account_id")
    def _compute_keycrm_parent_order_id(self):
        copies = self.filtered("keycrm_parent_id")
        parents = self.search(
            [
                ("keycrm_account_id", "in", copies.keycrm_account_id.ids),
                ("keycrm_id", "in", copies.mapped("keycrm_parent_id")),
            ]
        )
        found = {(p.keycrm_account_id, p.keycrm_id): p for p in parents}
        for order in self:
            key = (order.keycrm_account_id, order.keycrm_parent_id)
            order.keycrm_parent_order_id = found.get(key, self.browse())

    @api.depends(
        "keycrm_payment_ids.amount",
        "keycrm_payment_ids.status",
        "keycrm_payment_ids.currency_id",
        "currency_id",
    )
    def _compute_keycrm_amount_expected(self):
        """Sum the payments in the order's currency; one that cannot be converted does not count."""
        for order in self:
            expected = order.keycrm_payment_ids.filtered(lambda one: one.status == "not_paid")
            order.keycrm_amount_expected = sum(
                payment._amount_for_order() or 0.0 for payment in expected
            )

    @api.depends("keycrm_amount_paid", "keycrm_total", "keycrm_status_id.order_action")
    def _compute_keycrm_amount_due(self):
        """What KeyCRM's own sum of payments leaves of its total; nothing of a canceled order."""
        for order in self:
            is_cancelled = order.keycrm_status_id.order_action == "cancel"
            order.keycrm_amount_due = (
                0.0 if is_cancelled else max(0.0, order.keycrm_total - order.keycrm_amount_paid)
            )

    @api.depends("keycrm_skip_delivery")
    def _compute_invoice_status(self):
        """An order that was over when it was first seen waits for no invoice."""
        result = super()._compute_invoice_status()
        for order in self:
            if order.keycrm_skip_delivery and order.invoice_status in ("to invoice", "upselling"):
                order.invoice_status = "no"
        return result

    # === ACTION METHODS ===#

    def action_keycrm_refresh(self):
        """Read the order from KeyCRM anew.

        :return: a notification
        :raise UserError: when the integration is off
        """
        # What arrives is written to the order: users who can only read it cannot start that.
        self.check_access("write")
        orders = self.filtered("keycrm_id")
        if not orders.keycrm_account_id.filtered("enabled"):
            raise UserError(self.env._("The integration with KeyCRM is disabled."))
        orders._keycrm_ask_refresh(EVENT_REFRESH)
        end_backoff(orders.keycrm_account_id)
        return orders.keycrm_account_id[:1]._notification(
            self.env._("The order is being read from KeyCRM. Reload the page in a moment.")
        )

    def action_open_in_keycrm(self):
        """Open the order in KeyCRM's cabinet."""
        self.ensure_one()
        self.check_access("read")
        return {"type": "ir.actions.act_url", "url": self.keycrm_url, "target": "new"}

    # === BUSINESS METHODS ===#

    def _prepare_confirmation_values(self):
        """An imported order keeps KeyCRM's order date."""
        vals = super()._prepare_confirmation_values()
        if self.env.context.get("keycrm_import"):
            vals.pop("date_order", None)
        return vals

    def _keycrm_ask_refresh(self, event):
        """Put the orders into the inbox: the worker reads them from KeyCRM anew.

        :param event: kind of the event, for people to see why
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
