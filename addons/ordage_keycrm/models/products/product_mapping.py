from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ...const import EVENT_REFRESH
from ...keycrm.naming import one_off_key, sku_key


class KeycrmProductMapping(models.Model):
    """A user's choice of the product for a SKU or name that KeyCRM sends.

    For SKUs that Odoo does not have (marketplaces send their own) and for one-off lines such as
    "Доставка" or "Пакування". Any product is possible, services too.
    """

    _name = "keycrm.product.mapping"
    _inherit = "keycrm.account.mixin"
    _description = "Product mapping"
    _order = "account_id, sku, name, id"
    _check_company_auto = True

    # === FIELDS ===#

    account_id = fields.Many2one(default=lambda self: self._default_account())
    company_id = fields.Many2one(store=True)
    sku = fields.Char(
        string="SKU in KeyCRM", help="Upper/lower case and surrounding spaces are ignored."
    )
    name = fields.Char(
        string="Name in KeyCRM",
        help="For lines without a SKU: the full name including properties.",
    )
    sku_key = fields.Char(string="SKU lookup key", compute="_compute_keys", store=True)
    name_key = fields.Char(string="Name lookup key", compute="_compute_keys", store=True)
    # Indexed for the deletion of products.
    product_id = fields.Many2one(
        "product.product",
        string="Product in Odoo",
        required=True,
        ondelete="cascade",
        index=True,
        check_company=True,
    )

    _sku_unique = models.UniqueIndex(
        "(account_id, sku_key) WHERE sku_key IS NOT NULL",
        "This SKU already has a product.",
    )
    _name_unique = models.UniqueIndex(
        "(account_id, name_key) WHERE name_key IS NOT NULL",
        "This name already has a product.",
    )

    # === COMPUTE METHODS ===#

    @api.depends("sku", "name")
    def _compute_keys(self):
        for mapping in self:
            mapping.sku_key = sku_key(mapping.sku or "") or False
            mapping.name_key = one_off_key(mapping.name or "", ()) or False

    @api.depends("sku", "name", "product_id")
    def _compute_display_name(self):
        for mapping in self:
            mapping.display_name = (
                f"{mapping.sku or mapping.name} → {mapping.product_id.display_name}"
            )

    # === CONSTRAINT METHODS ===#

    @api.constrains("sku", "name")
    def _check_sku_or_name(self):
        for mapping in self:
            if not mapping.sku_key and not mapping.name_key:
                raise ValidationError(self.env._("Enter the SKU or the name that KeyCRM sends."))

    # === CRUD METHODS ===#

    @api.model
    def default_get(self, fields_list):
        """Preset the SKU and name in KeyCRM of a one-off product."""
        vals = super().default_get(fields_list)
        context = self.env.context
        model, record_id = context.get("active_model"), context.get("active_id")
        if record_id and model in ("product.product", "product.template"):
            product = self.env[model].browse(record_id)
            if model == "product.template":
                product = product.product_variant_id
            if product.keycrm_origin == "one_off":
                vals.setdefault("name", product.keycrm_one_off_key)
                if not product.keycrm_sku_generated:
                    vals.setdefault("sku", product.default_code)
                account = (
                    self.env["sale.order.line"]
                    .search([("product_id", "=", product.id), ("keycrm_id", "!=", False)], limit=1)
                    .order_id.keycrm_account_id
                )
                if account:
                    vals["account_id"] = account.id
        return {name: value for name, value in vals.items() if name in fields_list}

    @api.model_create_multi
    def create(self, vals_list):
        mappings = super().create(vals_list)
        mappings._apply()
        return mappings

    def write(self, vals):
        result = super().write(vals)
        if {"sku", "name", "product_id", "account_id"} & vals.keys():
            self._apply()
        return result

    # === BUSINESS METHODS ===#

    @api.model
    def _open_choice(self, account, **names):
        """Open the choice of a product, which is stored.

        :param account: ``keycrm.account``
        :param names: ``sku`` or ``name`` in KeyCRM
        :return: an action
        """
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Choose product"),
            "res_model": self._name,
            "view_mode": "form",
            "target": "new",
            "context": {
                "default_account_id": account.id,
                **{f"default_{name}": value for name, value in names.items()},
            },
        }

    def _apply(self):
        """Enqueue the orders that the choice affects.

        They failed because of the SKU, or are open and have a one-off product instead of the chosen
        one.
        """
        Event, Line = self.env["keycrm.event"].sudo(), self.env["sale.order.line"].sudo()
        for mapping in self:
            account = mapping.account_id
            Event._retry_product_problems(account)
            keys = []
            if mapping.sku_key:
                keys.append(("product_id.keycrm_sku_key", "=", mapping.sku_key))
            if mapping.name_key:
                keys.append(("product_id.keycrm_one_off_key", "=", mapping.name_key))
            lines = Line.search(
                [
                    ("order_id.keycrm_account_id", "=", account.id),
                    ("order_id.keycrm_archived", "=", False),
                    ("order_id.state", "in", ("draft", "sent", "sale")),
                    ("keycrm_id", "!=", False),
                    ("product_id.keycrm_origin", "=", "one_off"),
                    ("product_id", "!=", mapping.product_id.id),
                    *["|"] * (len(keys) - 1),
                    *keys,
                ]
            )
            lines.order_id._keycrm_enqueue_refresh(EVENT_REFRESH)

    @api.model
    def _lookup(self, account, goods):
        """Return the products that users chose for these goods.

        :param goods: list of :class:`~.keycrm.product_data.Goods`
        :return: ``({sku key: product}, {name key: product})``
        """
        found = self.search(
            [
                ("account_id", "=", account.id),
                "|",
                ("sku_key", "in", [one.sku_key for one in goods if one.sku_key]),
                ("name_key", "in", [one.name_key for one in goods if not one.offer_id]),
            ]
        )
        return (
            {mapping.sku_key: mapping.product_id for mapping in found if mapping.sku_key},
            {mapping.name_key: mapping.product_id for mapping in found if mapping.name_key},
        )
