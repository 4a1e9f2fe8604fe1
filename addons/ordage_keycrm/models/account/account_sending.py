from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ...services.common.reference_lists import ReferenceLists, request_for_user
from ...services.sending.kinds import KINDS
from ...services.sending.tracking import TrackingKind


class KeycrmAccountSending(models.AbstractModel):
    """What an account sends to KeyCRM other than stock: costs, prices, tracking numbers, payments."""

    _name = "keycrm.account.sending"
    _inherit = "mail.thread"
    _description = "Sending settings of a KeyCRM account"

    # === FIELDS ===#

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
    send_payments = fields.Boolean(
        string="Send received payments to KeyCRM",
        copy=False,
        tracking=True,
        help="Money that Odoo reconciles with the invoice of an order becomes a payment of the order in "
        "KeyCRM, unless KeyCRM has it already. Nothing is ever taken back there.",
    )
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
    # Of ``keycrm.fault_isolation_rules.Isolation``
    offer_isolation = fields.Json(
        string="Isolation of a faulty value", readonly=True, copy=False, groups=fields.NO_ACCESS
    )
    # Where KeyCRM needs long for a full request; see ``keycrm.offer_values.rows_within``.
    offer_rows = fields.Integer(
        string="Values of one request", readonly=True, copy=False, groups=fields.NO_ACCESS
    )

    # === CONSTRAINT METHODS ===#

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

    # === ACTION METHODS ===#

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
