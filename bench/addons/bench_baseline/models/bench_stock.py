import time

from odoo import Command, api, models


class BenchBaseline(models.Model):
    """Stock operations of users, timed inside Odoo."""

    _inherit = "bench.baseline"

    @api.model
    def make_products(self, count, prefix="BENCH", quantity=0):
        """Create storable products, optionally with stock in the first warehouse.

        :return: their ids
        """
        values = [{"name": f"{prefix} {n}", "default_code": f"{prefix}-{n}"} for n in range(count)]
        return self.make_products_like(values, quantity)

    @api.model
    def make_products_like(self, products, quantity=0):
        """Create storable products with given values, such as another database's.

        :param products: list of dict of fields
        :return: their ids
        """
        made = self.env["product.product"].create(
            [{**values, "is_storable": True} for values in products]
        )
        if quantity:
            self.count_products(made.ids, quantity)
        return made.ids

    @api.model
    def count_products(self, product_ids, quantity):
        """Apply one inventory of the products; the commit is stamped "count".

        :return: True
        """
        location = self._warehouse().lot_stock_id
        quants = self.env["stock.quant"].search(
            [("location_id", "=", location.id), ("product_id", "in", product_ids)]
        )
        counted = set(quants.product_id.ids)
        quants |= (
            self.env["stock.quant"]
            .with_context(inventory_mode=True)
            .create(
                [
                    {"product_id": p, "location_id": location.id, "inventory_quantity": quantity}
                    for p in product_ids
                    if p not in counted
                ]
            )
        )
        quants.inventory_quantity = quantity
        quants.action_apply_inventory()
        self._stamp("count")
        return True

    @api.model
    def make_receipts(self, product_ids, quantity=1, count=1):
        """Create equal receipts that are ready to be validated.

        :return: their ids
        """
        kind = self._warehouse().in_type_id
        locations = {
            "location_id": kind.default_location_src_id.id,
            "location_dest_id": kind.default_location_dest_id.id,
        }
        moves = [
            Command.create({"product_id": product, "product_uom_qty": quantity, **locations})
            for product in product_ids
        ]
        pickings = self.env["stock.picking"].create(
            [{"picking_type_id": kind.id, "move_ids": moves, **locations} for _ in range(count)]
        )
        pickings.action_confirm()
        pickings.move_ids.write({"quantity": quantity, "picked": True})
        return pickings.ids

    @api.model
    def merge_quants(self):
        """Merge quants to one per product and location, as Odoo's daily task does.

        Concurrent users leave several, and their number decides how often the next users conflict.

        :return: True
        """
        self.env["stock.quant"]._quant_tasks()
        return True

    @api.model
    def validate_timed(self, picking_id):
        """Validate a picking with its button's method, and commit.

        :return: seconds and queries
        """
        picking = self.env["stock.picking"].browse(picking_id)
        self.env.invalidate_all()
        queries, begun = self.env.cr.sql_log_count, time.monotonic()
        picking.button_validate()
        self.env.cr.flush()
        queries = self.env.cr.sql_log_count - queries
        self.env.cr.commit()
        return {
            "seconds": time.monotonic() - begun,
            "queries": queries,
            "done": picking.state == "done",
        }

    @api.model
    def _warehouse(self):
        return self.env["stock.warehouse"].search([], order="id", limit=1)
