from decimal import Decimal

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from ...keycrm.line_matching import KnownLine
from ...keycrm.offer_values import to_money
from ...services.common.bridge import is_bridge, is_changing_unit
from ..common.field_guard import BRIDGE_FIELD

#: Fields by which modules of Odoo mark the lines that they add.
_MARKS_OF_ODOO = ("is_delivery", "is_expense", "reward_id")
#: Fields of a line that KeyCRM determines. Description, route, warehouse, lead time and position are Odoo's.
_DETERMINED_BY_KEYCRM = (
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
    *_MARKS_OF_ODOO,
)
#: Fields by which a line adds goods to an order.
_ADDING_FIELDS = (
    *("order_id", "display_type", "product_id", "product_uom_id", "product_uom_qty"),
    *_MARKS_OF_ODOO,
)


class SaleOrderLine(models.Model):
    _name = "sale.order.line"
    _inherit = ["sale.order.line", "keycrm.guard.mixin"]

    # === FIELDS ===#

    # Indexed for lines of orders that KeyCRM merged; lines of other sales are not in the index.
    keycrm_id = fields.Integer(
        string="KeyCRM line",
        copy=False,
        readonly=True,
        aggregator=None,
        index="btree_not_null",
        groups="base.group_user",
    )
    keycrm_extra = fields.Char(
        string="KeyCRM amount",
        help="Kind of an amount that is not a product: shipping, wrapping, taxes, discount, "
        "rounding.",
        **BRIDGE_FIELD,
    )
    keycrm_stock_status = fields.Char(
        string="Reservation in KeyCRM",
        copy=False,
        readonly=True,
        help="“reserved” or “fulfilled” (written off), as received from KeyCRM.",
        groups="base.group_user",
    )
    keycrm_warehouse_id = fields.Many2one(
        "keycrm.warehouse",
        string="KeyCRM warehouse",
        copy=False,
        readonly=True,
        ondelete="set null",
        groups="base.group_user",
    )
    keycrm_quantity = fields.Float(
        string="Quantity in KeyCRM",
        digits="Product Unit",
        help="The quantity KeyCRM reserves or writes off for this line; the quantity in Odoo may "
        "differ.",
        **BRIDGE_FIELD,
    )
    keycrm_excess = fields.Float(
        string="Not ordered any more",
        digits="Product Unit",
        help="The part of the quantity that KeyCRM has removed. The line keeps it because it was already "
        "delivered or invoiced. Odoo ships nothing more for it.",
        **BRIDGE_FIELD,
    )
    keycrm_name = fields.Text(
        string="Description in KeyCRM",
        help="The last name of the line in KeyCRM. A description edited in Odoo is kept until "
        "this name changes.",
        **BRIDGE_FIELD,
    )
    keycrm_sku = fields.Char(string="SKU in KeyCRM", **BRIDGE_FIELD)
    keycrm_product_origin = fields.Selection(related="product_id.keycrm_origin")
    keycrm_to_make = fields.Boolean(
        string="To manufacture",
        help="According to KeyCRM, this item is made to order instead of taken from stock.",
        **BRIDGE_FIELD,
    )
    keycrm_is_locked = fields.Boolean(
        string="Managed by KeyCRM",
        compute="_compute_keycrm_is_locked",
        compute_sudo=True,
        help="Product, quantity and price of the line are changed in KeyCRM.",
        groups="base.group_user",
    )

    # === COMPUTE METHODS ===#

    @api.depends("order_id.keycrm_skip_delivery")
    def _compute_invoice_status(self):
        """Expect no invoice of an order that was shipped before its first import."""
        result = super()._compute_invoice_status()
        for line in self:
            if line.order_id.keycrm_skip_delivery and line.invoice_status != "invoiced":
                line.invoice_status = "no"
        return result

    @api.depends("keycrm_warehouse_id")
    def _compute_warehouse_id(self):
        """Ship a line from the warehouse that is mapped to its KeyCRM warehouse.

        Where several Odoo warehouses are mapped to it, the account's warehouse has priority. A route from
        other warehouses overrides it. An archived one is replaced by that of new orders.
        """
        result = super()._compute_warehouse_id()
        for line in self:
            former = line.warehouse_id
            if former and not former.active and line.order_id.keycrm_id:
                line.warehouse_id = line.order_id._keycrm_new_warehouse() or former
            matched = line.keycrm_warehouse_id.warehouse_ids
            if not matched:
                continue
            main = line.order_id.keycrm_account_id.warehouse_id
            wanted = main if main in matched else matched[0]
            if not line.route_ids or wanted in line.route_ids.rule_ids.location_src_id.warehouse_id:
                line.warehouse_id = wanted
        return result

    @api.depends("keycrm_id", "keycrm_extra", "order_id.keycrm_is_locked")
    def _compute_keycrm_is_locked(self):
        for line in self:
            line.keycrm_is_locked = bool(
                line.order_id.keycrm_is_locked and (line.keycrm_id or line.keycrm_extra)
            )

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        """Refuse goods that KeyCRM does not have in its order.

        Down payments, sections and lines that a delivery or an expense adds with quantity 0 are allowed.
        """
        lines = super().create(vals_list)
        if not is_bridge(self.env):
            for line in lines:
                line._keycrm_check_added()
        return lines

    def write(self, vals):
        """Refuse changes of values that KeyCRM determines.

        A warehouse that is written together with other values is kept. Odoo computes the warehouse,
        also from the route, and would discard the written one.
        """
        is_user = not is_bridge(self.env)
        if is_user and is_changing_unit(self.env) and vals.keys() == {"product_uom_id"}:
            locked = self.filtered("keycrm_is_locked")
            for line in locked:
                super(SaleOrderLine, line).write({**vals, **line._keycrm_prices()})
            return super(SaleOrderLine, self - locked).write(vals)
        before = self._keycrm_check_changes(vals) if is_user else {}
        result = super().write(vals)
        if vals.keys() > {"warehouse_id"}:
            chosen = vals["warehouse_id"]
            lines = self.filtered(lambda line: line.keycrm_id and line.warehouse_id.id != chosen)
            if lines:
                super(SaleOrderLine, lines).write({"warehouse_id": chosen})
        for line, added in before.items():
            line._keycrm_check_added(added)
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_locked(self):
        if not is_bridge(self.env):
            for line in self.filtered("keycrm_is_locked"):
                line._keycrm_refuse()

    # === ACTION METHODS ===#

    def action_keycrm_choose_product(self):
        """Open the choice of the product for this line of KeyCRM; it is stored.

        :return: an action
        """
        self.ensure_one()
        # Without the manager's comment below the name.
        name = (self.keycrm_name or self.name or "").partition("\n")[0]
        names = {"sku": self.keycrm_sku} if self.keycrm_sku else {"name": name}
        account = self.order_id.keycrm_account_id
        return self.env["keycrm.product.mapping"]._open_choice(account, **names)

    # === BUSINESS METHODS ===#

    def _update_line_quantity(self, values):
        """Log no quantity that KeyCRM changed: the import logs all its changes of an order at once.

        The import never decreases a quantity below the delivered one, which Odoo would refuse here.
        """
        if is_bridge(self.env):
            return None
        return super()._update_line_quantity(values)

    def _action_launch_stock_rule(self, *, previous_product_uom_qty=False):
        """Move no stock for orders that were shipped before their import.

        The same applies to expenses that are invoiced again: KeyCRM determines which goods its orders
        ship. An import that adds goods to an order whose warehouse is archived succeeds, and the goods
        wait for another warehouse; see ``_keycrm_leave_archived_warehouse``.
        """
        moving = self.filtered(lambda line: not line.order_id.keycrm_skip_delivery)
        moving -= moving.filtered(lambda line: line.is_expense and line.order_id.keycrm_is_locked)
        if is_bridge(self.env):
            moving -= moving._keycrm_waiting_for_warehouse()
        return super(SaleOrderLine, moving)._action_launch_stock_rule(
            previous_product_uom_qty=previous_product_uom_qty
        )

    def _keycrm_waiting_for_warehouse(self):
        """Return lines of confirmed orders that are still to be shipped from an archived warehouse.

        Lines whose transfer a user canceled, or whose goods came back, are excluded.

        :return: ``sale.order.line``
        """
        return self.filtered(
            lambda line: (
                line.keycrm_id
                and line.state == "sale"
                and line.warehouse_id
                and not line.warehouse_id.active
                and line.product_id.type == "consu"
                and line.product_uom_qty > line.qty_delivered
                and not line.order_id.keycrm_skip_delivery
                and "cancel" not in line.move_ids.mapped("state")
                and not line.move_ids.origin_returned_move_id
            )
        )

    def _get_qty_procurement(self, previous_product_uom_qty=False):
        """Procure no quantity that a line keeps only because it was delivered or invoiced.

        Odoo counts expected returns as not delivered and would ship the same quantity again.
        """
        quantity = super()._get_qty_procurement(previous_product_uom_qty)
        # For kits, sale_mrp may return without calling this method: ordage_keycrm_mrp adds it.
        is_counted = self.keycrm_excess and not self._keycrm_components()
        return quantity + (self._keycrm_not_to_procure() if is_counted else 0.0)

    def _keycrm_not_to_procure(self):
        """Return the part of the line's quantity that is neither ordered nor kept by the buyer."""
        wanted = self.product_uom_qty - self.keycrm_excess
        stays_out = self.qty_delivered - self._keycrm_expected_back()
        return self.product_uom_qty - max(wanted, stays_out)

    def _create_procurements(self, product_qty, procurement_uom, values):
        """Take what KeyCRM removed from the open transfers of the line, whatever they are.

        Odoo takes it only from a transfer from the same warehouse with the same deadline, which KeyCRM or a
        user may have changed since, and expects a return from the buyer otherwise.
        """
        if is_bridge(self.env) and product_qty < 0:
            product_qty += self._keycrm_reduce_open_moves(-product_qty, procurement_uom)
        if procurement_uom.is_zero(product_qty):
            return []
        return super()._create_procurements(product_qty, procurement_uom, values)

    def _keycrm_reduce_open_moves(self, quantity, uom):
        """Reduce the demand of open moves that take the goods from stock, the last one first.

        Transfers whose slip was printed are left to Odoo, as the goods may be packed, and so are those that
        others supply.

        :param quantity: quantity by which the line was reduced
        :param uom: unit of the quantity
        :return: the part of it by which the moves were reduced
        """
        moves = self._get_outgoing_incoming_moves(strict=False)[0].filtered(
            lambda move: (
                move.state not in ("done", "cancel")
                and move.location_id.usage == "internal"
                and move.procure_method == "make_to_stock"
                and not move.move_orig_ids
                and move.product_uom == uom
                and not move.picking_id.printed
            )
        )
        left = quantity
        for move in moves.sorted("id", reverse=True):
            part = min(left, move.product_uom_qty)
            if uom.is_zero(part):
                break
            left -= part
            is_reserved = move.quantity
            move.product_uom_qty -= part
            if not move.product_uom_qty and not move.picked:
                move._action_cancel()
            elif is_reserved:
                move._action_assign()
        return quantity - left

    def _keycrm_expected_back(self):
        """Return the quantity of this line whose return is expected."""
        self.ensure_one()
        return max(
            (
                moves._keycrm_expected_back() / per_unit
                for moves, _delivered, per_unit in self._keycrm_goods()
                if per_unit
            ),
            default=0.0,
        )

    def _keycrm_goods(self):
        """Return the delivered goods of the line: its product, or the components of a kit.

        :return: list of (``stock.move``, delivered quantity, quantity for one unit of the line)
        """
        self.ensure_one()
        if not self.move_ids or self.product_id in self.move_ids.product_id:
            return [(self.move_ids, self.qty_delivered, 1.0)]
        components = self._keycrm_components()
        goods = []
        for product, moves in self.move_ids.grouped("product_id").items():
            delivered, kits = moves._keycrm_delivered(), self.qty_delivered
            shipped = delivered / kits if kits else 0.0
            goods.append((moves, delivered, components.get(product, shipped)))
        return goods

    def _keycrm_components(self):
        """Return the components of one unit of a kit; overridden for Odoo's manufacturing.

        :return: ``{product.product: quantity in the product's unit}``
        """
        return {}

    def _keycrm_known_line(self):
        """Describe the line for :func:`~.keycrm.line_matching.match_lines`.

        :return: :class:`~.keycrm.line_matching.KnownLine`
        """
        account = self.order_id.keycrm_account_id
        offers = self.product_id.keycrm_offer_ids.filtered(
            lambda offer: offer.account_id == account
        )
        return KnownLine(
            key=self.id,
            id=self.keycrm_id,
            offer_ids=frozenset(offers.mapped("keycrm_id")),
            sku=self.keycrm_sku or "",
            name=self._keycrm_goods_name(),
            price=Decimal(f"{self.price_reduce_taxinc:.6f}"),
            quantity=Decimal(f"{self.keycrm_quantity:.3f}"),
            fixed=Decimal(f"{max(self.qty_delivered, self.qty_invoiced):.3f}"),
        )

    def _keycrm_goods_name(self):
        """Return the name in KeyCRM, without the manager's comment below it."""
        return (self.keycrm_name or "").partition("\n")[0]

    # === GUARDS ===#

    def _keycrm_added(self):
        """Return the goods that the line adds to an order that KeyCRM determines.

        :return: (order, product, quantity in the product's unit), empty where it adds none
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
        """Return whether a module of Odoo added the line; the order shows the difference to KeyCRM.

        Over RPC, users can mark any line so. Nothing is shipped for expenses and for parts of a repair,
        which are moves of the repair.
        """
        if self.is_expense:
            return True
        if "reward_id" in self._fields and self.reward_id:
            reward = self.reward_id.sudo()
            return self.product_id in reward.reward_product_ids | reward.discount_line_product_id
        if "is_delivery" in self._fields and self.is_delivery:
            return self.product_id.type == "service"
        return "repair_id" in self.move_ids._fields and bool(self.move_ids.repair_id)

    def _keycrm_check_changes(self, vals):
        """Refuse changes of values that KeyCRM determines.

        :param vals: values that a user writes
        :return: ``{line: goods that it adds}`` where the values may add goods to an order
        :raise UserError: when a line is determined by KeyCRM
        """
        names = [name for name in _DETERMINED_BY_KEYCRM if name in vals]
        for line in self.filtered("keycrm_is_locked") if names else ():
            if any(line._keycrm_differs(name, vals[name]) for name in names):
                line._keycrm_refuse()
        if vals.keys().isdisjoint(_ADDING_FIELDS):
            return {}
        return {line: line._keycrm_added() for line in self}

    def _keycrm_check_added(self, before=()):
        """Refuse goods that KeyCRM does not have in its order; quantities may be reduced.

        :param before: goods that the line added before
        :raise UserError: when it adds more, or others
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
        """Return values that keep KeyCRM's price, which Odoo would replace for a new unit."""
        self.ensure_one()
        return {
            "price_unit": self.price_unit,
            "discount": self.discount,
            "tax_ids": [Command.set(self.tax_ids.ids)],
        }

    def _keycrm_cost(self, costs):
        """Return the cost of one unit of the line.

        :param costs: ``{product id: cost of one unit of the product}``
        :return: Decimal; None where it is not known
        """
        cost = costs.get(self.product_id.id)
        return None if cost is None else to_money(self._keycrm_per_unit(cost))

    def _keycrm_per_unit(self, amount):
        """Return the amount of one unit of the line, given that of one unit of its product."""
        return self.product_id.uom_id._compute_price(amount, self.product_uom_id)

    def _keycrm_refuse(self):
        """Refuse a change of the line.

        :raise UserError: always
        """
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
