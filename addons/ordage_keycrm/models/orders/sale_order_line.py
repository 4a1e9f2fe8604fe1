from odoo import api, fields, models


class SaleOrderLine(models.Model):
    _name = "sale.order.line"
    _inherit = ["sale.order.line", "keycrm.guard.mixin"]

    # === FIELDS ===#

    # Indexed for lines that came from an order that was merged into another; lines of other sales, which
    # are none of KeyCRM's, take no place in it.
    keycrm_id = fields.Integer(
        string="KeyCRM line",
        copy=False,
        readonly=True,
        aggregator=None,
        index="btree_not_null",
    )
    keycrm_extra = fields.Char(
        string="KeyCRM amount",
        copy=False,
        readonly=True,
        help="Kind of an amount that is not a product: shipping, wrapping, taxes, discount, "
        "rounding.",
    )
    keycrm_stock_status = fields.Char(
        string="Reservation in KeyCRM",
        copy=False,
        readonly=True,
        help="“reserved” or “fulfilled” (written off), as received from KeyCRM.",
    )
    keycrm_warehouse_id = fields.Many2one(
        "keycrm.warehouse",
        string="KeyCRM warehouse",
        copy=False,
        readonly=True,
        ondelete="set null",
    )
    keycrm_quantity = fields.Float(
        string="Quantity in KeyCRM",
        digits="Product Unit",
        copy=False,
        readonly=True,
        help="The quantity KeyCRM reserves or writes off for this line; the quantity in Odoo may "
        "differ.",
    )
    keycrm_name = fields.Text(
        string="Description in KeyCRM",
        copy=False,
        readonly=True,
        help="The last name of the line in KeyCRM. A description edited in Odoo is kept until "
        "this name changes.",
    )
    keycrm_sku = fields.Char(string="SKU in KeyCRM", copy=False, readonly=True)
    keycrm_product_origin = fields.Selection(related="product_id.keycrm_origin")
    keycrm_to_make = fields.Boolean(
        string="To manufacture",
        copy=False,
        readonly=True,
        help="According to KeyCRM, this item is made to order instead of taken from stock.",
    )

    # === COMPUTE METHODS ===#

    @api.depends("order_id.keycrm_skip_delivery")
    def _compute_invoice_status(self):
        """An order whose goods had left before it was first seen waits for no invoice."""
        result = super()._compute_invoice_status()
        for line in self:
            if line.order_id.keycrm_skip_delivery and line.invoice_status != "invoiced":
                line.invoice_status = "no"
        return result

    @api.depends("keycrm_warehouse_id")
    def _compute_warehouse_id(self):
        """A line ships from the warehouse that is matched to its KeyCRM warehouse.

        Where several Odoo warehouses are summed into one of KeyCRM, it is the account's main one. A
        route that leads from other warehouses alone counts more.
        """
        result = super()._compute_warehouse_id()
        for line in self:
            matched = line.keycrm_warehouse_id.warehouse_ids
            if not matched:
                continue
            main = line.order_id.keycrm_account_id.warehouse_id
            wanted = main if main in matched else matched[0]
            if not line.route_ids or wanted in line.route_ids.rule_ids.location_src_id.warehouse_id:
                line.warehouse_id = wanted
        return result

    # === CRUD METHODS ===#

    def write(self, vals):
        """Keep the warehouse that a person chose for a line of KeyCRM together with something else: for
        Odoo the field is computed, also from the route, and nobody chooses it.
        """
        result = super().write(vals)
        if vals.keys() > {"warehouse_id"}:
            chosen = vals["warehouse_id"]
            lines = self.filtered(lambda line: line.keycrm_id and line.warehouse_id.id != chosen)
            if lines:
                super(SaleOrderLine, lines).write({"warehouse_id": chosen})
        return result

    # === ACTION METHODS ===#

    def action_keycrm_choose_product(self):
        """Open the choice of the product for what KeyCRM sends in this line; it is remembered.

        :return: an action
        """
        self.ensure_one()
        # What the line is called, without the manager's comment below it.
        name = (self.keycrm_name or self.name or "").partition("\n")[0]
        told = {"sku": self.keycrm_sku} if self.keycrm_sku else {"name": name}
        account = self.order_id.keycrm_account_id
        return self.env["keycrm.product.mapping"]._choice(account, **told)

    # === BUSINESS METHODS ===#

    def _action_launch_stock_rule(self, *, previous_product_uom_qty=False):
        """Orders whose goods had left before they were first seen never move stock, also after editing."""
        moving = self.filtered(lambda line: not line.order_id.keycrm_skip_delivery)
        return super(SaleOrderLine, moving)._action_launch_stock_rule(
            previous_product_uom_qty=previous_product_uom_qty
        )

    def _get_qty_procurement(self, previous_product_uom_qty=False):
        """A line that keeps more than KeyCRM wants, because it was delivered, ships no more for it.

        Odoo takes goods that are expected back for gone and would send the same number anew.
        """
        quantity = super()._get_qty_procurement(previous_product_uom_qty)
        wanted = self.env.context.get("keycrm_wanted", {}).get(self.id)
        if wanted is None:
            return quantity
        stays_out = self.qty_delivered - self._keycrm_expected_back()
        return quantity + self.product_uom_qty - max(wanted, stays_out)

    def _keycrm_expected_back(self):
        """:return: quantity of this line that is expected back from the buyer"""
        self.ensure_one()
        return max(
            (
                moves._keycrm_expected_back() / per_unit
                for moves, per_unit in self._keycrm_goods()
                if per_unit
            ),
            default=0.0,
        )

    def _keycrm_goods(self):
        """Return in what goods the line is delivered: its product, or the components of a kit, each of
        which goes out and comes back in a number of its own.

        :return: list of (``stock.move``, how many of them were delivered for one of the line)
        """
        self.ensure_one()
        if self.product_id in self.move_ids.product_id:
            return [(self.move_ids, 1.0)]
        kits = self.qty_delivered
        return [
            (moves, moves._keycrm_delivered() / kits if kits else 0.0)
            for moves in self.move_ids.grouped("product_id").values()
        ]
