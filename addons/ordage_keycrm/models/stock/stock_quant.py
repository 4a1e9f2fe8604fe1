from odoo import api, models


class StockQuant(models.Model):
    """Whatever changes a quantity goes through a quant: here it is noted for KeyCRM."""

    _inherit = "stock.quant"

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        quants = super().create(vals_list)
        quants._keycrm_queue_changes()
        return quants

    def write(self, vals):
        if self._keycrm_moves_between(vals):
            self._keycrm_queue_changes()
        result = super().write(vals)
        if self._keycrm_changes(vals):
            self._keycrm_queue_changes()
        return result

    def unlink(self):
        # Deleting quants is no movement of goods: many zeros of it wait for a person.
        self._keycrm_queue_changes(from_move=False)
        return super().unlink()

    # === BUSINESS METHODS ===#

    @api.model
    def _keycrm_changes(self, vals):
        """Return whether these values can change what KeyCRM is sent."""
        return not vals.keys().isdisjoint(("quantity", "reserved_quantity")) or (
            self._keycrm_moves_between(vals)
        )

    @api.model
    def _keycrm_moves_between(self, vals):
        return not vals.keys().isdisjoint(("location_id", "product_id", "company_id"))

    def _keycrm_queue_changes(self, *, from_move=True):
        """Record the products of these quants; what is read here the stock operation has in memory.

        Quants of places that are nobody's stock (customers, suppliers) have no company.

        :param from_move: whether a move or a count changed them
        """
        Change = self.env["keycrm.stock.change"]
        if not Change._accounts_by_company():
            return
        for quant in self.sudo():
            company_id = quant.company_id.id
            if company_id:
                Change._note((quant.product_id.id,), company_id, from_move=from_move)
