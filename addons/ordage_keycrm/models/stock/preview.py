from collections import Counter
from datetime import timedelta

from odoo import fields, models
from odoo.exceptions import UserError

from ...services import crons
from ...services.circuit_breaker import end_backoff

#: Under which heading lines of a preview are counted, the gravest first.
_COUNTED = {
    "zero": "zero_count",
    "lower": "lower_count",
    "higher": "higher_count",
    "not_in_keycrm": "unmatched_count",
    "not_in_odoo": "unmatched_count",
    "uncounted": "unmatched_count",
    "same": "same_count",
}
#: Sending chosen later than this after the reading is followed by a comparison.
STALE = timedelta(minutes=1)


class KeycrmAccount(models.Model):
    """The preview's table."""

    _inherit = "keycrm.account"

    def _store_preview(self, comparison, readings, offers, counted):
        """Write what would become of every product; nothing is sent."""
        lines = []
        for warehouse in comparison.keycrm_warehouse_ids:
            everything = set(offers.product_id.ids)
            for offer, odoo, keycrm in self._side_by_side(warehouse, offers, everything, readings):
                outcome = None if offer.product_id.id in counted else "uncounted"
                if keycrm is None:
                    keycrm, outcome = 0.0, "not_in_keycrm"
                lines.append(self._line_vals(comparison, offer, warehouse, odoo, keycrm, outcome))
        mapped = set(offers.mapped("keycrm_id"))
        lines += [
            {
                "comparison_id": comparison.id,
                "keycrm_id": number,
                "sku": sku,
                "keycrm_quantity": sum(stock.values()),
                "outcome": "not_in_odoo",
            }
            for number, (sku, stock) in readings.items()
            if number not in mapped
        ]
        unmapped = set(self._counted_product_ids()) - set(offers.product_id.ids)
        products = self.env["product.product"].browse(sorted(unmapped))
        lines += [
            {
                "comparison_id": comparison.id,
                "product_id": product.id,
                "sku": product.default_code,
                "outcome": "not_in_keycrm",
            }
            for product in products
        ]
        # What people have to look at comes first.
        lines.sort(key=lambda line: list(_COUNTED).index(line["outcome"]))
        records = self.env["keycrm.stock.comparison.line"].sudo().create(lines)
        for record in records:
            record.opening = record._opening_kind()
        counts = Counter(_COUNTED[line["outcome"]] for line in lines)
        comparison._replace_earlier()
        comparison._end(
            "ready",
            compared_count=len(lines),
            left_out_count=len(comparison._left_out()),
            **counts,
        )


class KeycrmStockComparison(models.Model):
    """What a person chooses after a preview."""

    _inherit = "keycrm.stock.comparison"

    # === ACTION METHODS ===#

    def action_send(self):
        """Odoo is right: send what differs, and from now on every change.

        :return: True
        :raise UserError: when a choice was made already
        """
        self._check_ready()
        self._begin_sending("send")
        differing = self.line_ids.filtered(lambda line: line.outcome in ("zero", "lower", "higher"))
        # The user who chose this has just seen how many become zero.
        self._enqueue(differing.product_id, from_move=True)
        end_backoff(self.account_id)
        if self.finished_at < fields.Datetime.now() - STALE:
            # KeyCRM went on selling while the person thought about it.
            self._start(self.account_id, "comparison")
        return True

    def action_not_now(self):
        """Change nothing, send nothing.

        :return: True
        """
        self._check_ready()
        self.sudo().write({"state": "cancelled", "choice": "not_now"})
        return True

    # === BUSINESS METHODS ===#

    def _replace_earlier(self):
        """Close previews that still wait for a choice: their numbers are not those of today."""
        earlier = self.search(
            [
                ("account_id", "=", self.account_id.id),
                ("kind", "=", "preview"),
                ("state", "=", "ready"),
                ("id", "!=", self.id),
            ]
        )
        earlier.write({"state": "cancelled", "choice": "not_now"})

    def _check_ready(self):
        self.ensure_one()
        self.account_id._check_manager()
        if self.kind != "preview" or self.state != "ready":
            raise UserError(
                self.env._("There is nothing to choose, or the choice was already made.")
            )

    def _check_enabled(self):
        """Make sure that the stock worker runs: what was chosen would wait unseen.

        :raise UserError: when the integration is off
        """
        if not self.account_id.enabled:
            raise UserError(self.env._("Enable the integration first."))

    def _begin_sending(self, choice):
        """From now on each change is sent to the warehouses that were previewed."""
        account = self.account_id.sudo().with_context(keycrm_from_screen=False)
        self.sudo().write({"state": "done", "choice": choice})
        if not account.push_stock:
            others = account.warehouse_ids - self.keycrm_warehouse_ids
            account.push_stock = True
            others.filtered("warehouse_ids").send_state = "preview"
        self.keycrm_warehouse_ids.with_context(keycrm_from_screen=False)._allow_sending()
        Level = self.env["keycrm.stock.level"].sudo()
        for warehouse in self.keycrm_warehouse_ids:
            lines = self.line_ids.filtered(
                lambda line, warehouse=warehouse: (
                    line.keycrm_warehouse_id == warehouse
                    and line.offer_id
                    and line.outcome != "not_in_keycrm"
                )
            )
            Level._record_read(
                warehouse, {line.offer_id.id: line.keycrm_quantity for line in lines}
            )

    def _enqueue(self, products, from_move=False):
        account = self.account_id
        self.env["keycrm.stock.change"].sudo()._append(
            [(account.id, product_id) for product_id in products.ids], from_move=from_move
        )
        crons.trigger(account, crons.STOCK)
