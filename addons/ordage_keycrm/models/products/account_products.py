from odoo import fields, models


class KeycrmAccount(models.Model):
    """How an account wants its products, and the work that goes on with them."""

    _inherit = "keycrm.account"

    # === FIELDS ===#

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

    # === ACTION METHODS ===#

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
