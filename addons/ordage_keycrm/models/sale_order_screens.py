from odoo import api, fields, models
from odoo.exceptions import UserError

#: What KeyCRM decides of a line. Its description, route, warehouse, lead time and place are Odoo's.
_KEYCRM_DECIDES = (
    "product_id",
    "product_uom_qty",
    "product_uom_id",
    "price_unit",
    "discount",
    "tax_ids",
)


class SaleOrder(models.Model):
    """Who decides an order: what its form has to know, and what the server refuses."""

    _inherit = "sale.order"

    # === FIELDS ===#

    keycrm_is_driven = fields.Boolean(
        string="Managed by KeyCRM",
        compute="_compute_keycrm_is_driven",
        compute_sudo=True,
        help="KeyCRM determines the lines, prices, dates and contacts of the order. Changes made "
        "here would be lost at the next update.",
    )

    # === COMPUTE METHODS ===#

    @api.depends("keycrm_id", "keycrm_account_id.enabled", "keycrm_deleted")
    def _compute_keycrm_is_driven(self):
        """Tell whether KeyCRM's next word about the order would overwrite what a person changes.

        An order that was deleted there will not arrive again; with the integration off, none will.
        """
        for order in self:
            order.keycrm_is_driven = bool(
                order.keycrm_id and order.keycrm_account_id.enabled and not order.keycrm_deleted
            )


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    # === FIELDS ===#

    keycrm_is_driven = fields.Boolean(
        string="Managed by KeyCRM",
        compute="_compute_keycrm_is_driven",
        compute_sudo=True,
        help="Product, quantity and price of the line are changed in KeyCRM.",
    )

    # === COMPUTE METHODS ===#

    @api.depends("keycrm_id", "keycrm_extra", "order_id.keycrm_is_driven")
    def _compute_keycrm_is_driven(self):
        for line in self:
            line.keycrm_is_driven = bool(
                (line.keycrm_id or line.keycrm_extra) and line.order_id.keycrm_is_driven
            )

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        """Refuse goods that KeyCRM does not have in its order; down payments, sections and what a
        delivery or an expense adds with quantity 0 take nothing away from it.
        """
        lines = super().create(vals_list)
        if not self._keycrm_may_change():
            for line in lines:
                counts = line.product_uom_qty and not (line.display_type or line.is_downpayment)
                if counts and line.order_id.keycrm_is_driven:
                    raise UserError(
                        self.env._(
                            "Add “%(product)s” to order %(order)s in KeyCRM: KeyCRM determines "
                            "the content of the order, and the line will appear here "
                            "automatically.",
                            product=line.product_id.display_name,
                            order=line.order_id.display_name,
                        )
                    )
        return lines

    def write(self, vals):
        """Refuse changes of what KeyCRM decides; the order would not equal its original any more."""
        names = [name for name in _KEYCRM_DECIDES if name in vals]
        if names and not self._keycrm_may_change():
            for line in self.filtered("keycrm_is_driven"):
                if any(line._keycrm_differs(name, vals[name]) for name in names):
                    line._keycrm_refuse()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_driven(self):
        if not self._keycrm_may_change():
            for line in self.filtered("keycrm_is_driven"):
                line._keycrm_refuse()

    # === BUSINESS METHODS ===#

    @api.model
    def _keycrm_may_change(self):
        """Tell whether the importer is at work; a user cannot say so by a context alone."""
        return self.env.su and bool(self.env.context.get("keycrm_import"))

    def _keycrm_differs(self, name, value):
        field = self._fields[name]
        return field.convert_to_cache(value, self) != field.convert_to_cache(self[name], self)

    def _keycrm_refuse(self):
        """:raise UserError: saying where the line is changed"""
        raise UserError(
            self.env._(
                "“%(product)s” of order %(order)s comes from KeyCRM: its product, quantity, "
                "price and discount are changed there, and the changes arrive here "
                "automatically. You can edit the description, the route and the warehouse of the "
                "line here.",
                product=self.product_id.display_name,
                order=self.order_id.display_name,
            )
        )
