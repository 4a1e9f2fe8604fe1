from odoo import api, fields, models
from odoo.fields import Domain


class StockWarehouseOrderpoint(models.Model):
    """Show in Odoo's replenishment what open KeyCRM orders need, and which orders."""

    _name = "stock.warehouse.orderpoint"
    _inherit = ["stock.warehouse.orderpoint", "keycrm.guard.mixin"]

    keycrm_demand = fields.Float(
        string="Ordered in KeyCRM",
        digits="Product Unit",
        compute="_compute_keycrm_demand",
        help="Quantity that is still to be shipped from here for KeyCRM orders.",
        groups="base.group_user",
    )
    keycrm_order_ids = fields.Many2many(
        "sale.order",
        string="KeyCRM orders",
        compute="_compute_keycrm_demand",
        groups="base.group_user",
    )
    keycrm_order_count = fields.Integer(
        string="Orders", compute="_compute_keycrm_demand", groups="base.group_user"
    )

    # === COMPUTE METHODS ===#

    @api.depends("product_id", "location_id")
    def _compute_keycrm_demand(self):
        moves = self.env["stock.move"].sudo()
        found = {}
        for product, location, line, quantity in moves._read_group(
            self._keycrm_move_domain() & Domain("product_id", "in", self.product_id.ids),
            ["product_id", "location_id", "sale_line_id"],
            ["product_qty:sum"],
        ):
            found.setdefault(product, []).append((location.parent_path, line.order_id, quantity))
        for orderpoint in self:
            path = orderpoint.location_id.parent_path
            rows = [
                (order, quantity)
                for place, order, quantity in found.get(orderpoint.product_id, ())
                if path and place.startswith(path)
            ]
            orders = self.env["sale.order"].union(*(order for order, _quantity in rows))
            orderpoint.keycrm_demand = sum(quantity for _order, quantity in rows)
            orderpoint.keycrm_order_ids = orders
            orderpoint.keycrm_order_count = len(orders)

    # === ACTION METHODS ===#

    def action_keycrm_orders(self):
        """Open the KeyCRM orders that need the product.

        :return: an action
        """
        self.ensure_one()
        name = "ordage_keycrm.keycrm_order_all_action"
        action = self.env["ir.actions.act_window"]._for_xml_id(name)
        return dict(action, domain=[("id", "in", self.keycrm_order_ids.ids)])

    # === BUSINESS METHODS ===#

    @api.model
    def _keycrm_replenishment(self):
        """Open Odoo's replenishment, only of products that open KeyCRM orders need.

        :return: an action
        """
        # Odoo computes what is missing, and makes the rows, whenever its own screen is opened.
        action = self.action_open_orderpoints()
        own = self.env["ir.actions.act_window"]._for_xml_id("ordage_keycrm.keycrm_replenish_action")
        moves = self._keycrm_move_domain()
        return dict(
            own,
            context=action["context"],
            domain=list(Domain("product_id.stock_move_ids", "any", moves)),
        )

    @api.model
    def _keycrm_move_domain(self):
        """Return the domain of open moves that ship KeyCRM orders.

        :return: ``Domain``
        """
        customer = Domain("location_dest_id.usage", "=", "customer") | Domain(
            "location_final_id.usage", "=", "customer"
        )
        return (
            Domain("state", "not in", ("draft", "done", "cancel"))
            & Domain("sale_line_id.order_id.keycrm_account_id", "!=", False)
            & customer
        )
