from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools.sql import escape_psql

from ...const import DELIVERY_CODES, EVENT_REFRESH
from ...services.sending.status import StatusKind


class StockPicking(models.Model):
    _name = "stock.picking"
    _inherit = ["stock.picking", "keycrm.guard.mixin"]

    # === FIELDS ===#

    keycrm_account_id = fields.Many2one(related="sale_id.keycrm_account_id")
    keycrm_order_number = fields.Integer(string="KeyCRM order", related="sale_id.keycrm_id")
    keycrm_number = fields.Char(related="sale_id.keycrm_number")
    currency_id = fields.Many2one(related="sale_id.currency_id")
    keycrm_amount_paid = fields.Monetary(related="sale_id.keycrm_amount_paid")
    keycrm_amount_expected = fields.Monetary(related="sale_id.keycrm_amount_expected")
    keycrm_payment_status = fields.Selection(related="sale_id.keycrm_payment_status")
    keycrm_amount_due = fields.Monetary(related="sale_id.keycrm_amount_due")
    keycrm_tracking_code = fields.Char(
        string="Tracking number (KeyCRM)", related="sale_id.keycrm_tracking_code"
    )
    keycrm_expected_return = fields.Boolean(
        string="Expected return",
        copy=False,
        readonly=True,
        help="The buyer refused the parcel, or the order was canceled or reduced in KeyCRM after "
        "shipping.",
        groups="base.group_user",
    )
    keycrm_needs_decision = fields.Boolean(related="sale_id.keycrm_needs_decision")
    keycrm_decision = fields.Selection(related="sale_id.keycrm_decision")
    keycrm_delivery_service = fields.Char(related="sale_id.keycrm_delivery_service")
    keycrm_recipient_id = fields.Many2one(
        string="Recipient", related="sale_id.partner_shipping_id", groups="base.group_user"
    )
    keycrm_recipient_phone = fields.Char(
        string="Recipient's phone", related="sale_id.keycrm_recipient_phone"
    )
    keycrm_recipient_address = fields.Char(
        string="Recipient's address", related="sale_id.keycrm_recipient_address"
    )
    keycrm_buyer_comment = fields.Text(related="sale_id.keycrm_buyer_comment")
    keycrm_is_gift = fields.Boolean(related="sale_id.keycrm_is_gift")
    keycrm_gift_message = fields.Text(related="sale_id.keycrm_gift_message")
    keycrm_gift_wrap = fields.Boolean(related="sale_id.keycrm_gift_wrap")
    keycrm_other_phones = fields.Char(related="sale_id.keycrm_other_phones")
    keycrm_buyer_note = fields.Text(related="sale_id.keycrm_buyer_note")
    keycrm_shipping_date = fields.Date(related="sale_id.keycrm_shipping_date")
    keycrm_shipping_status = fields.Selection(related="sale_id.keycrm_shipping_status")

    # === CRUD METHODS ===#

    @api.ondelete(at_uninstall=False)
    def _unlink_except_expected_return(self):
        """Refuse the deletion of returns that the next import would expect again.

        :raise UserError: when one would be: a user can cancel it instead
        """
        # Odoo has deleted the moves before this is called, so that what users declined is not known.
        kept = self.filtered("keycrm_expected_return")
        if kept:
            raise UserError(
                self.env._(
                    "Keep these returns, or cancel them if the goods do not come back: Odoo would create "
                    "deleted ones again. Returns: %(returns)s.",
                    returns=", ".join(kept.mapped("display_name")),
                )
            )

    # === ACTION METHODS ===#

    @api.model
    def action_keycrm_open_parcel(self, code=None):
        """Open the delivery that a scanned or typed number belongs to.

        :param code: tracking number, KeyCRM's number of the order, Odoo's number of the order or of the
            transfer; else barcode or SKU of a product that is still to be packed
        :return: an action; the list of the deliveries where there are several
        :raise UserError: when there is none
        """
        code = (code or "").strip()
        pickings = self._keycrm_find_parcels(code) if code else self.browse()
        if not pickings:
            raise UserError(self.env._("No delivery has the number “%(code)s”.", code=code))
        action = self.env["ir.actions.act_window"]._for_xml_id("ordage_keycrm.keycrm_pack_action")
        if len(pickings) == 1:
            return dict(
                action, res_id=pickings.id, views=[(False, "form")], view_mode="form", domain=[]
            )
        return dict(action, domain=[("id", "in", pickings.ids)], context={"create": False})

    def button_validate(self):
        """Validate without Odoo's question about an SMS that the buyers do not get."""
        pickings = self
        if self and all(picking._keycrm_is_silent() for picking in self):
            pickings = self.with_context(skip_sms=True)
        return super(StockPicking, pickings).button_validate()

    # === BUSINESS METHODS ===#

    @api.model
    def get_empty_list_help(self, help_message):
        """Keep the help of our own lists, in which no transfer is created."""
        odoo_help = super().get_empty_list_help(help_message)
        return help_message if self.env.context.get("keycrm_own_help") else odoo_help

    def _action_done(self):
        """Refresh the orders of returned goods; enqueue the status of shipped ones for KeyCRM."""
        result = super()._action_done()
        back = self.filtered(
            lambda picking: (
                picking.state == "done"
                and picking.return_id
                and picking.sale_id.keycrm_account_id.enabled
            )
        )
        back.sale_id._keycrm_enqueue_refresh(EVENT_REFRESH)
        done = self._keycrm_deliveries().filtered(
            lambda picking: (
                picking.state == "done"
                and picking.sale_id.keycrm_id
                and picking.sale_id.keycrm_account_id
            )
        )
        for account, pickings in done.grouped(lambda one: one.sale_id.keycrm_account_id).items():
            StatusKind(account).enqueue(pickings)
        return result

    def _create_backorder_picking(self):
        """Expect the rest of an expected return too."""
        backorder = super()._create_backorder_picking()
        backorder.sudo().keycrm_expected_return = self.keycrm_expected_return
        return backorder

    def message_post_with_source(self, source_ref, **kwargs):
        """Send no email about a delivery to a buyer whom Odoo does not notify."""
        template = self.company_id.sudo().stock_mail_confirmation_template_id
        if (
            self._keycrm_is_silent()
            and isinstance(source_ref, models.BaseModel)
            and source_ref == template
        ):
            return self.env["mail.message"]
        return super().message_post_with_source(source_ref, **kwargs)

    def _message_sms_with_template(self, *args, **kwargs):
        """Send no SMS either, where Odoo's module for them is installed."""
        if self._keycrm_is_silent():
            return self.env["mail.message"]
        return super()._message_sms_with_template(*args, **kwargs)

    @api.model
    def _keycrm_find_parcels(self, code):
        """Find the deliveries of KeyCRM orders that a number belongs to.

        :param code: see :meth:`action_keycrm_open_parcel`
        :return: ``stock.picking``: the open ones, where there are any
        """
        ours = Domain(
            [("picking_type_code", "=", "outgoing"), ("sale_id.keycrm_account_id", "!=", False)]
        )
        still_open = Domain("state", "not in", ("done", "cancel"))
        same = [
            ("sale_id.keycrm_tracking_code", "=ilike", escape_psql(code)),
            ("sale_id.keycrm_number", "=ilike", escape_psql(code)),
            ("origin", "=ilike", escape_psql(code)),
            ("name", "=ilike", escape_psql(code)),
        ]
        if code.isdecimal() and len(code) < 10:
            same.append(("sale_id.keycrm_id", "=", int(code)))
        numbered = ours & Domain.OR([[term] for term in same])
        found = self.search(numbered & still_open, limit=80) or self.search(numbered, limit=80)
        if found:
            return found
        products = self.env["product.product"].search(
            [
                *("|", "|", ("barcode", "=", code), ("product_uom_ids.barcode", "=", code)),
                ("default_code", "=ilike", escape_psql(code)),
            ]
        )
        # Canceled moves are goods that the parcel no longer has.
        packed = Domain(
            "move_ids",
            "any",
            [("product_id", "in", products.ids), ("state", "not in", ("done", "cancel"))],
        )
        return self.search(ours & still_open & packed, limit=80) if products else self.browse()

    def _keycrm_is_silent(self):
        """Return whether Odoo does not notify the recipient of the transfer automatically."""
        order = self.sale_id
        return len(order) == 1 and not order.sudo()._keycrm_mails_buyer()

    def _keycrm_deliveries(self):
        """Return the transfers to the buyer: from the warehouse, and from a vendor."""
        return self.filtered(lambda picking: picking.picking_type_code in DELIVERY_CODES)

    def _keycrm_still_to_ship(self):
        """Return the open transfers that lead to the buyer: picking and packing first."""
        still_open = self.filtered(lambda picking: picking.state not in ("done", "cancel"))
        outgoing = still_open.filtered(lambda picking: picking.picking_type_code == "outgoing")
        steps = (still_open - outgoing).filtered(
            lambda picking: (
                picking.picking_type_code == "internal"
                and any(move._keycrm_leads_to_buyer() for move in picking.move_ids)
            )
        )
        return steps + outgoing

    def _keycrm_validate_deliveries(self):
        """Ship the open quantity even without stock on hand: the parcel is already shipped."""
        for picking in self._keycrm_still_to_ship():
            for move in picking.move_ids:
                if move.state not in ("done", "cancel"):
                    move.quantity = move.product_uom_qty
                    move.picked = True
            picking._action_done()
