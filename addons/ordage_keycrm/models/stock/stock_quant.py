from odoo import api, models

#: Fields that decide whether, and for which warehouse, the goods of a location count.
_LOCATION_FIELDS = ("location_id", "usage", "company_id", "active")


class StockQuant(models.Model):
    """Enqueue every change of a quantity on hand: each one is written to a quant."""

    _inherit = "stock.quant"

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        quants = super().create(vals_list)
        quants._keycrm_enqueue_changes()
        return quants

    def write(self, vals):
        if self._keycrm_moves_between(vals):
            self._keycrm_enqueue_changes()
        result = super().write(vals)
        if self._keycrm_changes(vals):
            self._keycrm_enqueue_changes()
        return result

    def unlink(self):
        # Deleting quants is no movement of goods: many resulting zeros are held until a user decides.
        self._keycrm_enqueue_changes(zero_allowed=False)
        return super().unlink()

    # === BUSINESS METHODS ===#

    @api.model
    def _keycrm_changes(self, vals):
        """Return whether values can change the quantity that KeyCRM is sent.

        :param vals: values to write
        """
        return not vals.keys().isdisjoint(("quantity", "reserved_quantity")) or (
            self._keycrm_moves_between(vals)
        )

    @api.model
    def _keycrm_moves_between(self, vals):
        return not vals.keys().isdisjoint(("location_id", "product_id", "company_id"))

    def _keycrm_enqueue_changes(self, *, zero_allowed=True):
        """Record the products of these quants, without a query: the stock operation has read them.

        Quants of locations that are no stock of the company (customers, suppliers) have no company.

        :param zero_allowed: whether a move or a count changed them, so that a zero needs no confirmation
        """
        Change = self.env["keycrm.stock.change"]
        if not Change._sending_accounts("push_stock"):
            return
        for quant in self.sudo():
            company_id = quant.company_id.id
            if company_id:
                Change._enqueue((quant.product_id.id,), company_id, zero_allowed=zero_allowed)


class StockLocation(models.Model):
    """Enqueue the goods of a location that moves to another warehouse: no quant is written then."""

    _inherit = "stock.location"

    # === COMPUTE METHODS ===#

    @api.depends("parent_path")
    def _compute_warehouse_id(self):
        """Compute the warehouse of the locations below a moved one too: their stock is summed by it."""
        return super()._compute_warehouse_id()

    # === CRUD METHODS ===#

    def write(self, vals):
        decides = not vals.keys().isdisjoint(_LOCATION_FIELDS)
        if decides:
            self._keycrm_enqueue_products_inside()
        result = super().write(vals)
        if decides:
            self._keycrm_enqueue_products_inside()
        return result

    # === BUSINESS METHODS ===#

    def _keycrm_enqueue_products_inside(self):
        """Record the products in these locations and below them."""
        Change = self.env["keycrm.stock.change"]
        if not self or not Change._sending_accounts("push_stock"):
            return
        for product, company in (
            self.env["stock.quant"]
            .sudo()
            ._read_group(
                [("location_id", "child_of", self.ids), ("company_id", "!=", False)],
                ["product_id", "company_id"],
            )
        ):
            Change._enqueue((product.id,), company.id)


class StockLot(models.Model):
    """Enqueue the goods of a lot whose expiration date changes: expired goods are not sold."""

    _inherit = "stock.lot"

    def write(self, vals):
        result = super().write(vals)
        if not vals.keys().isdisjoint(("expiration_date", "removal_date")):
            self.env["keycrm.stock.change"]._enqueue_everywhere(self.product_id.ids)
        return result
