from odoo import api, fields, models


class StockMove(models.Model):
    _inherit = "stock.move"

    keycrm_state = fields.Selection(
        [("waiting", "Waiting to send"), ("sent", "In KeyCRM")],
        string="KeyCRM",
        compute="_compute_keycrm_state",
        help="Whether the effect of this move has reached KeyCRM.",
    )
    keycrm_sent_at = fields.Datetime(string="Sent to KeyCRM", compute="_compute_keycrm_state")

    @api.depends("state", "product_id", "date")
    def _compute_keycrm_state(self):
        """A done move has arrived once nothing of its product waits and its offer was told since."""
        self.keycrm_state = False
        self.keycrm_sent_at = False
        done = self.filtered(lambda move: move.state == "done")
        levels = (
            self.env["keycrm.stock.level"]
            .sudo()
            ._read_group(
                [("product_id", "in", done.product_id.ids), ("sent_at", "!=", False)],
                ["product_id"],
                ["sent_at:max"],
            )
        )
        if not levels:
            return
        sent_at = {product: moment for product, moment in levels}
        waiting = {
            product
            for (product,) in self.env["keycrm.stock.change"]
            .sudo()
            ._read_group([("product_id", "in", done.product_id.ids)], ["product_id"])
        }
        for move in done:
            if move.product_id in waiting:
                move.keycrm_state = "waiting"
            elif sent_at.get(move.product_id) and sent_at[move.product_id] >= move.date:
                move.keycrm_state = "sent"
                move.keycrm_sent_at = sent_at[move.product_id]

    def _keycrm_still_out(self):
        """Say how much of a delivery is with the buyer: delivered, less what came or is expected back.

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
        return max(0.0, self.quantity - back)
