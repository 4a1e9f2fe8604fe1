from odoo import fields, models


class KeycrmAccount(models.Model):
    """How an account wants its products, and the work that goes on with them."""

    _inherit = "keycrm.account"

    # === FIELDS ===#

    product_variants = fields.Boolean(
        string="Make real variants",
        help="New products with properties become variants of one product, with attributes. "
        "Left off, each is a product of its own: “Shirt, white, M”.",
    )
    picture_hosts = fields.Char(
        string="Take pictures from",
        groups="ordage_keycrm.group_manager",
        help="Hosts from which pictures of products may be fetched, with commas between them. "
        "Left empty, no pictures are fetched.",
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
            "res_model": "keycrm.product.load",
            "view_mode": "form",
            "context": {"default_account_id": self.id},
        }
