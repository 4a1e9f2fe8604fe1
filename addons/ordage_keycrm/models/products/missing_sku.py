from odoo import api, fields, models

from ...services.common.bridge import as_bridge, is_bridge


class KeycrmMissingSku(models.Model):
    """An Odoo product that KeyCRM does not have, so that it is not searched again."""

    _name = "keycrm.missing.sku"
    _inherit = "keycrm.account.mixin"
    _description = "Product not in KeyCRM"
    _order = "asked_at desc, id desc"
    _rec_name = "sku"

    # Indexed for the deletion of products, since the unique index begins with the account.
    product_id = fields.Many2one("product.product", required=True, ondelete="cascade", index=True)
    sku = fields.Char(string="SKU")
    asked_at = fields.Datetime(string="Requested on", default=fields.Datetime.now)
    reason = fields.Char(
        readonly=True, help="Why the lookup of this SKU failed; empty if it did not."
    )

    is_accepted = fields.Boolean(
        string="Not sold in KeyCRM",
        readonly=True,
        help="A user decided that KeyCRM does not need this product. Another SKU is a new decision.",
    )

    _account_product_unique = models.Constraint(
        "UNIQUE(account_id, product_id)", "This product is already listed."
    )

    # === ACTION METHODS ===#

    def action_create(self):
        """Show a preview of these products for KeyCRM.

        :return: an action
        """
        account = self.account_id[:1]
        own = self.filtered(lambda missing: missing.account_id == account)
        return self.env["keycrm.product.export"]._prepare_for(own.product_id, account)

    def action_accept(self):
        """Accept that KeyCRM does not have the products: they need no decision any more.

        :return: a notification
        """
        self.account_id._check_manager()
        self.sudo().is_accepted = True
        return self.account_id[:1]._notification(
            self.env._("Products that stay out of KeyCRM: %s.", len(self))
        )

    # === CRUD METHODS ===#

    def unlink(self):
        """Search the products in KeyCRM again when a user deletes the rows."""
        if not is_bridge(self.env):
            for account in self.account_id:
                mine = self.filtered(lambda missing, account=account: missing.account_id == account)
                self.env["keycrm.stock.change"].sudo()._enqueue_refresh(
                    account, mine.product_id.ids
                )
        return super().unlink()

    # === BUSINESS METHODS ===#

    @api.model
    def _requested(self, account, products):
        """Return the SKUs that KeyCRM did not have.

        :param account: ``keycrm.account``, one
        :param products: ``product.product``
        :return: ``{product id: SKU}``
        """
        found = self.search([("account_id", "=", account.id), ("product_id", "in", products.ids)])
        return {missing.product_id.id: missing.sku or "" for missing in found}

    @api.model
    def _record(self, account, products, reason=False):
        """Record products whose SKU KeyCRM does not have, or not exactly once.

        :param account: ``keycrm.account``, one
        :param products: ``product.product``
        :param reason: why the search failed, if it did
        """
        found = self.search([("account_id", "=", account.id), ("product_id", "in", products.ids)])
        for missing in found:
            sku = (missing.product_id.default_code or "").strip()
            missing.write(
                {
                    "sku": sku,
                    "is_accepted": missing.is_accepted and sku == (missing.sku or ""),
                    "asked_at": fields.Datetime.now(),
                    "reason": reason,
                }
            )
        self.create(
            [
                {
                    "account_id": account.id,
                    "product_id": product.id,
                    "sku": (product.default_code or "").strip(),
                    "reason": reason,
                }
                for product in products - found.product_id
            ]
        )

    @api.model
    def _clear(self, account, products):
        """Remove the rows of products that KeyCRM has meanwhile.

        :param account: ``keycrm.account``, one
        :param products: ``product.product``
        """
        domain = [("account_id", "=", account.id), ("product_id", "in", products.ids)]
        as_bridge(self).search(domain).unlink()
