from odoo import api, fields, models

from ...const import QUANTITY_DIGITS

#: Fields that decide the outgoing quantity of orders.
_DECIDES = (
    "state",
    "product_uom_qty",
    "product_id",
    "location_id",
    "location_dest_id",
    "sale_line_id",
)


class StockMove(models.Model):
    _name = "stock.move"
    _inherit = ["stock.move", "keycrm.guard.mixin"]

    # === FIELDS ===#

    keycrm_state = fields.Selection(
        [("waiting", "Waiting to send"), ("refused", "Refused"), ("sent", "In KeyCRM")],
        string="KeyCRM",
        compute="_compute_keycrm_state",
        help="Whether the change made by this move has been sent to KeyCRM.",
        groups="base.group_user",
    )
    keycrm_sent_at = fields.Datetime(
        string="Sent to KeyCRM on", compute="_compute_keycrm_state", groups="base.group_user"
    )

    # The outgoing quantity of orders is summed at every change of stock.
    _keycrm_open_index = models.Index(
        "(product_id) WHERE sale_line_id IS NOT NULL AND state NOT IN ('draft', 'done', 'cancel')"
    )

    # === COMPUTE METHODS ===#

    @api.depends("state", "product_id", "date")
    def _compute_keycrm_state(self):
        """Show a done move as sent once KeyCRM has had Odoo's quantity since, and nothing waits."""
        self.keycrm_state = False
        self.keycrm_sent_at = False
        done = self.filtered(lambda move: move.state == "done")
        levels = (
            self.env["keycrm.stock.level"]
            .sudo()
            .search(
                [
                    ("product_id", "in", done.product_id.ids),
                    ("keycrm_warehouse_id.send_state", "=", "sending"),
                ]
            )
        )
        if not levels:
            return
        waiting = self.env["keycrm.stock.change"]._waiting(done.product_id)
        by_product = levels.grouped("product_id")
        for move in done:
            found = by_product.get(move.product_id)
            if not found:
                continue
            if move.product_id.id in waiting:
                move.keycrm_state = "waiting"
            elif any(level.error for level in found):
                move.keycrm_state = "refused"
            elif all(level.checked_at and level.checked_at >= move.date for level in found):
                move.keycrm_state = "sent"
                move.keycrm_sent_at = min(found.mapped("checked_at"))

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        moves = super().create(vals_list)
        moves._keycrm_enqueue_changes()
        return moves

    def write(self, vals):
        decides = not vals.keys().isdisjoint(_DECIDES)
        if "product_id" in vals:
            self._keycrm_enqueue_changes()
        result = super().write(vals)
        if decides:
            # An order whose supply ends or shrinks takes its goods from stock.
            is_supply = "product_uom_qty" in vals or vals.get("state") == "cancel"
            self._keycrm_enqueue_changes(is_supply=is_supply)
        return result

    def unlink(self):
        self._keycrm_enqueue_changes()
        return super().unlink()

    # === BUSINESS METHODS ===#

    def _keycrm_enqueue_changes(self, *, is_supply=False):
        """Record products whose open moves change, and with them the outgoing quantity of orders.

        Other moves without a sale change nothing by themselves: the quants that they change are recorded.

        :param is_supply: whether moves that supply others, which may be those of orders, are recorded
        """
        Change = self.env["keycrm.stock.change"]
        if not Change._sending_accounts("push_stock"):
            return
        for move in self.sudo():
            if move.sale_line_id or (is_supply and move.move_dest_ids):
                Change._enqueue((move.product_id.id,), move.company_id.id, zero_allowed=True)

    def _keycrm_leads_to_buyer(self):
        """Return whether the goods continue to the buyer, in any number of steps."""
        self.ensure_one()
        places = self.location_dest_id | self.location_final_id
        return "customer" in places.mapped("usage") or any(
            move._keycrm_leads_to_buyer() for move in self.move_dest_ids
        )

    def _keycrm_continue(self):
        """Create the next step of picked goods whose way to the buyer was canceled."""
        self.filtered(
            lambda move: (
                move.state == "done"
                and move.location_dest_usage == "internal"
                and move.location_final_id.usage == "customer"
                and not move.move_dest_ids | move.returned_move_ids
            )
        )._push_apply()

    def _keycrm_delivered(self):
        """Return the quantity that was delivered to the buyer, without what was returned."""
        done = self.filtered(lambda move: move.state == "done")
        out = done.filtered(lambda move: move.location_dest_usage == "customer")
        back = done.filtered(lambda move: move.location_usage == "customer")
        return sum(out.mapped("quantity")) - sum(back.mapped("quantity"))

    def _keycrm_expected_back(self):
        """Return the quantity of expected returns from the buyer."""
        return sum(
            move.product_uom_qty
            for move in self
            if move.state not in ("done", "cancel") and move.location_usage == "customer"
        )

    def _keycrm_declined(self):
        """Return the quantity of expected returns that a user canceled, or received without the rest."""
        return sum(
            max(0.0, move.product_uom_qty - move.quantity)
            for move in self
            if move.state in ("done", "cancel")
            and move.origin_returned_move_id
            and move.picking_id.keycrm_expected_return
        )

    def _keycrm_parts_to_return(self, quantity):
        """Divide a quantity to be returned among deliveries of the same goods, the last one first.

        :param quantity: quantity to be returned
        :return: ``{stock.move: part of the quantity}``
        """
        parts = {}
        for move in self.sorted("id", reverse=True):
            part = min(quantity - sum(parts.values()), move._keycrm_still_out())
            if round(part, QUANTITY_DIGITS) > 0:
                parts[move] = part
        return parts

    def _keycrm_return_at_most(self, quantity):
        """Reduce expected returns, also what users declined of them, the last one first.

        :param quantity: the most that they expect together; 0 cancels them
        """
        left = round(quantity, QUANTITY_DIGITS)
        for move in self.sorted("id"):
            is_over = move.state in ("done", "cancel")
            received = move.quantity if is_over else 0.0
            expected = max(0.0, move.product_uom_qty - received)
            kept = min(expected, left)
            left = round(left - kept, QUANTITY_DIGITS)
            if round(expected - kept, QUANTITY_DIGITS) <= 0:
                continue
            if not kept and not is_over:
                move._action_cancel()
            # Without a demand, a canceled move is no decision of a user.
            move.product_uom_qty = received + kept

    def _keycrm_still_out(self):
        """Return the delivered quantity without returns: done, expected, or declined by a user.

        :return: quantity in the move's unit; 0 for moves that delivered nothing
        """
        self.ensure_one()
        if self.state != "done" or self.location_dest_usage != "customer":
            return 0.0
        back = sum(
            move.quantity if move.state == "done" else move.product_uom_qty
            for move in self.returned_move_ids
            if move.state != "cancel"
        )
        return max(0.0, self.quantity - back - self.returned_move_ids._keycrm_declined())
