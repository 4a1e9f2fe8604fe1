from odoo import api, fields, models
from odoo.exceptions import ValidationError


class KeycrmCategory(models.Model):
    """A category of products in KeyCRM; Odoo's categories are matched with it."""

    _name = "keycrm.category"
    _inherit = "keycrm.account.mixin"
    _description = "KeyCRM product category"
    _order = "account_id, name, id"

    keycrm_id = fields.Integer(string="KeyCRM number", required=True, readonly=True)
    name = fields.Char(required=True, readonly=True)
    product_category_ids = fields.Many2many(
        "product.category",
        string="Odoo categories",
        help="Products of these categories, and of those below them, are created in this category of KeyCRM.",
    )

    _account_keycrm_id_unique = models.Constraint(
        "UNIQUE(account_id, keycrm_id)", "This KeyCRM category already exists."
    )

    # === CONSTRAINT METHODS ===#

    @api.constrains("product_category_ids")
    def _check_one_category(self):
        """Keep a category of Odoo from having two of one account."""
        for category in self:
            others = self.search(
                [
                    ("account_id", "=", category.account_id.id),
                    ("id", "!=", category.id),
                    ("product_category_ids", "in", category.product_category_ids.ids),
                ],
                limit=1,
            )
            if others:
                raise ValidationError(
                    self.env._(
                        "“%(category)s” already belongs to the category “%(other)s” of KeyCRM.",
                        category=(others.product_category_ids & category.product_category_ids)[
                            :1
                        ].display_name,
                        other=others.name,
                    )
                )

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        """Match new categories with the categories of the same name in Odoo."""
        categories = super().create(vals_list)
        same = {}
        for own in self.env["product.category"].search([("name", "!=", False)]):
            # In Python: PostgreSQL leaves Cyrillic letters alone where a database has the C locale.
            same.setdefault(own.name.casefold(), own)
        for account, new in categories.grouped("account_id").items():
            taken = self.search([("account_id", "=", account.id)]).product_category_ids
            for category in new.filtered(lambda one: not one.product_category_ids):
                own = same.get(category.name.casefold())
                if own and own not in taken:
                    category.product_category_ids = own
                    taken |= own
        return categories

    # === BUSINESS METHODS ===#

    @api.model
    def _for_products(self, account, products):
        """Return the categories of products: that of the own category, else of the nearest one above.

        :param account: ``keycrm.account``, one
        :param products: ``product.product``
        :return: ``{product id: keycrm.category}``, one or empty
        """
        matched = {
            own.id: category
            for category in account.sudo().category_ids
            for own in category.product_category_ids
        }
        found = {}
        for product in products.sudo():
            own = product.categ_id
            while own and own.id not in matched:
                own = own.parent_id
            found[product.id] = matched.get(own.id, self.browse())
        return found
