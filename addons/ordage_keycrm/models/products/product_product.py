from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import hmac

from ...keycrm.naming import sku_key
from ...services.common.bridge import changing_unit, is_bridge
from ...services.products import pictures
from ..common.field_guard import BRIDGE_FIELD


class ProductProduct(models.Model):
    _name = "product.product"
    _inherit = ["product.product", "keycrm.guard.mixin"]

    keycrm_offer_ids = fields.One2many(
        "keycrm.offer", "product_id", string="KeyCRM offers", groups="base.group_user"
    )
    keycrm_origin = fields.Selection(
        [("catalog", "Catalog product"), ("one_off", "One-off product")],
        string="From KeyCRM",
        copy=False,
        readonly=True,
        # The lines of an order's form show it: not in the prefetch group of the addon's other fields.
        groups="base.group_user",
    )
    # The same one-off line is matched to its product by it.
    keycrm_one_off_key = fields.Char(
        string="One-off product key",
        copy=False,
        index="btree_not_null",
        groups="base.group_user",
        prefetch="keycrm",
    )
    keycrm_sku_generated = fields.Boolean(
        string="Generated SKU", help="KeyCRM had no SKU, so Odoo generated one.", **BRIDGE_FIELD
    )
    # PostgreSQL's lower() does not change Cyrillic letters in databases with the C locale, as Odoo's.
    keycrm_sku_key = fields.Char(
        string="SKU lookup key",
        compute="_compute_keycrm_sku_key",
        store=True,
        index="btree_not_null",
        groups="base.group_user",
    )
    keycrm_level_ids = fields.One2many(
        "keycrm.stock.level", "product_id", string="Stock in KeyCRM", groups="base.group_user"
    )
    keycrm_push_state = fields.Selection(
        [
            ("waiting", "Waiting to send"),
            ("sent", "Sent"),
            ("refused", "Refused"),
            ("missing", "Not in KeyCRM"),
        ],
        string="Stock send state",
        compute="_compute_keycrm_push",
        groups="base.group_user",
    )
    keycrm_pushed_at = fields.Datetime(
        string="Last sent", compute="_compute_keycrm_push", groups="base.group_user"
    )
    keycrm_push_error = fields.Char(
        string="Refusal reason", compute="_compute_keycrm_push", groups="base.group_user"
    )

    @api.depends("default_code")
    def _compute_keycrm_sku_key(self):
        for product in self:
            product.keycrm_sku_key = sku_key(product.default_code or "") or False

    # === ACTION METHODS ===#

    def action_keycrm_choose(self):
        """Use this product for the SKU of the failed event in the context; its order is retried.

        :return: a notification
        :raise UserError: when the event does not wait for a product
        """
        self.ensure_one()
        self.check_access("read")
        event_id = self.env.context.get("keycrm_event_id")
        event = self.env["keycrm.event"].browse(event_id).exists()
        event.account_id._check_manager()
        sku = (event.error_params or {}).get("sku")
        if event.state != "failed" or not sku or self not in event.candidate_ids:
            raise UserError(self.env._("The order does not wait for this product any more."))
        event._choose_product(sku, self)
        return event.account_id._notification(
            self.env._(
                "%(sku)s is now %(product)s. The order is being imported.",
                sku=sku,
                product=self.display_name,
            )
        )

    def action_keycrm_create(self):
        """Show a preview of these products for KeyCRM, from which they are created there.

        :return: an action
        :raise UserError: when there is no account, or the user is no KeyCRM administrator
        """
        return self.env["keycrm.product.export"]._prepare_for(self)

    def action_open_keycrm_offers(self):
        """Open the KeyCRM offers of the variant, with their stock.

        :return: an action
        """
        action = self.env["ir.actions.act_window"]._for_xml_id("ordage_keycrm.keycrm_offer_action")
        return dict(action, domain=[("product_id", "in", self.ids)])

    # === BUSINESS METHODS ===#

    def _keycrm_picture_signature(self):
        """Return the signature in the address of the picture, by which KeyCRM may download it."""
        self.ensure_one()
        return hmac(self.env(su=True), "keycrm-picture", self.id)

    def _keycrm_picture_url(self, account):
        """Return the address of the picture for KeyCRM; empty without one, or where none is served.

        :param account: ``keycrm.account``, one
        """
        self.ensure_one()
        account = account.sudo()
        if not account.serves_pictures or not self.with_context(bin_size=True).image_128:
            return ""
        return f"{pictures.address(account)}/{self.id}/{self._keycrm_picture_signature()}.jpg"

    def _update_uom(self, to_uom_id):
        """Change the unit of KeyCRM's order lines together with the product's."""
        return super(ProductProduct, changing_unit(self))._update_uom(to_uom_id)

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        products = super().create(vals_list)
        if not is_bridge(self.env):
            # Costs that KeyCRM itself sent are not sent back.
            costed = [
                product.id
                for product, vals in zip(products, vals_list, strict=True)
                if vals.get("standard_price")
            ]
            self.env["keycrm.offer.change"]._enqueue("cost", costed)
        return products

    def write(self, vals):
        """Retry orders that failed because two products had the same SKU or barcode."""
        result = super().write(vals)
        if not vals.keys().isdisjoint(("default_code", "barcode", "active")):
            self._keycrm_retry_orders()
        if not vals.keys().isdisjoint(("default_code", "active")):
            self.env["keycrm.stock.change"]._enqueue_everywhere(self.ids)
        if "standard_price" in vals:
            for kind in ("cost", "price"):
                # A price rule may begin with the cost.
                self.env["keycrm.offer.change"]._enqueue(kind, self.ids)
        return result

    def unlink(self):
        # The database would delete the mappings itself, and KeyCRM would go on selling.
        self.sudo().keycrm_offer_ids.unlink()
        result = super().unlink()
        self._keycrm_retry_orders()
        return result

    def _keycrm_retry_orders(self):
        if not is_bridge(self.env):
            self.env["keycrm.event"]._retry_product_problems_after_commit()

    @api.depends(
        "keycrm_level_ids.sent_at",
        "keycrm_level_ids.error",
        "keycrm_offer_ids.send_error",
    )
    def _compute_keycrm_push(self):
        waiting = self.env["keycrm.stock.change"]._waiting(self)
        missing = (
            self.env["keycrm.missing.sku"]
            .sudo()
            ._read_group([("product_id", "in", self.ids)], ["product_id"])
        )
        missing = {product.id for (product,) in missing}
        for product in self:
            levels = product.sudo().keycrm_level_ids
            product.keycrm_pushed_at = max(
                (level.sent_at for level in levels if level.sent_at), default=False
            )
            product.keycrm_push_error = "; ".join(
                [
                    f"{level.keycrm_warehouse_id.name}: {level.error}"
                    for level in levels
                    if level.error
                ]
                + [
                    offer.send_error
                    for offer in product.sudo().keycrm_offer_ids
                    if offer.send_error
                ]
            )
            if product.id in waiting:
                product.keycrm_push_state = "waiting"
            elif any(level.error for level in levels):
                product.keycrm_push_state = "refused"
            elif levels:
                product.keycrm_push_state = "sent"
            else:
                product.keycrm_push_state = "missing" if product.id in missing else False
