from ast import literal_eval

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from ...services.bridge import is_bridge, is_changing_unit

#: What KeyCRM decides of a line. Its description, route, warehouse, lead time and place are Odoo's.
_KEYCRM_DECIDES = (
    "order_id",
    "display_type",
    "is_downpayment",
    "product_id",
    "product_uom_qty",
    "product_uom_id",
    "price_unit",
    "discount",
    "tax_ids",
    "extra_tax_data",
    "price_subtotal",
    "price_tax",
    "price_total",
)
#: What adds goods to an order.
_ADDS = (
    *("order_id", "display_type", "product_id", "product_uom_id", "product_uom_qty"),
    *("is_delivery", "is_expense"),
)
#: Marks of lines that Odoo's own modules add: expenses and rewards. The order shows the difference to
#: KeyCRM's total.
_ADDED_BY_ODOO = ("is_expense", "reward_id")


class SaleOrder(models.Model):
    """Who decides an order: what its form has to know, and what the server refuses."""

    _inherit = "sale.order"

    # === FIELDS ===#

    keycrm_is_locked = fields.Boolean(
        string="Managed by KeyCRM",
        compute="_compute_keycrm_is_locked",
        compute_sudo=True,
        help="KeyCRM determines the lines, prices, dates and contacts of the order. Changes made "
        "here would be lost at the next update.",
    )

    # === COMPUTE METHODS ===#

    @api.depends("keycrm_id", "keycrm_account_id.enabled", "keycrm_deleted")
    def _compute_keycrm_is_locked(self):
        """Return whether KeyCRM's next word about the order would overwrite what a person changes.

        An order that was deleted there will not arrive again; with the integration off, none will.
        """
        for order in self:
            order.keycrm_is_locked = bool(
                order.keycrm_id and order.keycrm_account_id.enabled and not order.keycrm_deleted
            )

    # === VIEWS ===#

    @api.model
    def _get_view(self, view_id=None, view_type="form", **options):
        """Let lines be added and removed only where KeyCRM does not determine them.

        A view could replace the options of the field only as a whole, with those of other modules.
        """
        arch, view = super()._get_view(view_id, view_type, **options)
        if view_type == "form":
            for node in arch.xpath("//page[@name='order_lines']/field[@name='order_line']"):
                node.set("options", _with_rules(node.get("options")))
        return arch, view


def _with_rules(text):
    """Add to the options of the lines when one may be added or removed; what is forbidden stays so.

    :param text: the options as a view has them; what cannot be read stays as it is, since the server
        refuses such lines too
    :return: the same with our rules
    """
    try:
        options = literal_eval((text or "").strip() or "{}")
    except (SyntaxError, ValueError):
        return text
    rule = [("keycrm_is_locked", "=", False)]
    for name in ("create", "delete"):
        present = options.get(name, True)
        if isinstance(present, list):
            options[name] = rule + present
        elif present:
            options[name] = rule
    return repr(options)


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    # === FIELDS ===#

    keycrm_is_locked = fields.Boolean(
        string="Managed by KeyCRM",
        compute="_compute_keycrm_is_locked",
        compute_sudo=True,
        help="Product, quantity and price of the line are changed in KeyCRM.",
    )

    # === COMPUTE METHODS ===#

    @api.depends("keycrm_id", "keycrm_extra", "order_id.keycrm_is_locked")
    def _compute_keycrm_is_locked(self):
        for line in self:
            line.keycrm_is_locked = bool(
                (line.keycrm_id or line.keycrm_extra) and line.order_id.keycrm_is_locked
            )

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        """Refuse goods that KeyCRM does not have in its order; down payments, sections and what a
        delivery or an expense adds with quantity 0 take nothing away from it.
        """
        lines = super().create(vals_list)
        if not is_bridge(self.env):
            for line in lines:
                line._keycrm_check_added()
        return lines

    def write(self, vals):
        """Refuse changes of what KeyCRM decides; the order would not equal its original any more."""
        if is_bridge(self.env):
            return super().write(vals)
        if is_changing_unit(self.env) and vals.keys() == {"product_uom_id"}:
            driven = self.filtered("keycrm_is_locked")
            for line in driven:
                super(SaleOrderLine, line).write({**vals, **line._keycrm_prices()})
            return super(SaleOrderLine, self - driven).write(vals)
        names = [name for name in _KEYCRM_DECIDES if name in vals]
        for line in self.filtered("keycrm_is_locked") if names else ():
            if any(line._keycrm_differs(name, vals[name]) for name in names):
                line._keycrm_refuse()
        if vals.keys().isdisjoint(_ADDS):
            return super().write(vals)
        before = {line: line._keycrm_added() for line in self}
        result = super().write(vals)
        for line, added in before.items():
            line._keycrm_check_added(added)
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_locked(self):
        if not is_bridge(self.env):
            for line in self.filtered("keycrm_is_locked"):
                line._keycrm_refuse()

    # === BUSINESS METHODS ===#

    def _keycrm_added(self):
        """Return what the line adds to an order that KeyCRM decides.

        :return: (order, product, quantity in the product's unit), empty where it adds nothing
        """
        self.ensure_one()
        if self.keycrm_is_locked or not self.order_id.keycrm_is_locked or self.display_type:
            return ()
        if not self.product_uom_qty or self._keycrm_is_added_by_odoo():
            return ()
        quantity = self.product_uom_qty
        if self.product_uom_id and self.product_id:
            quantity = self.product_uom_id._compute_quantity(quantity, self.product_id.uom_id)
        return self.order_id, self.product_id, quantity

    def _keycrm_is_added_by_odoo(self):
        """Tell whether a module of Odoo added the line. Its forms let no person mark lines like this.

        Parts of a repair are moves of the repair, not of a delivery.
        """
        if any(self[name] for name in _ADDED_BY_ODOO if name in self._fields):
            return True
        if "is_delivery" in self._fields and self.is_delivery:
            return self.product_id.type == "service"
        return "repair_id" in self.move_ids._fields and bool(self.move_ids.repair_id)

    def _keycrm_check_added(self, before=()):
        """Refuse what KeyCRM does not have in its order; lines that are there already may become fewer.

        :param before: what the line added before
        :raise UserError: when it adds more, or something else
        """
        added = self._keycrm_added()
        if added and (added[:2] != before[:2] or added[2] > before[2]):
            raise UserError(
                self.env._(
                    "Add “%(product)s” to order %(order)s in KeyCRM: KeyCRM determines "
                    "the content of the order, and the line will appear here "
                    "automatically.",
                    product=self.product_id.display_name,
                    order=self.order_id.display_name,
                )
            )

    def _keycrm_prices(self):
        """:return: values that keep KeyCRM's price where Odoo would take the list price for a new unit"""
        self.ensure_one()
        return {
            "price_unit": self.price_unit,
            "discount": self.discount,
            "tax_ids": [Command.set(self.tax_ids.ids)],
        }

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
