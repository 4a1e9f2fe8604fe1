import time

from odoo import Command, api, models


class BenchFloor(models.Model):
    """Stock operations as users do them, timed inside of Odoo."""

    _inherit = "bench.floor"

    @api.model
    def make_products(self, count, prefix="BENCH", quantity=0):
        """Make storable products, with stock in the first warehouse where it is wished.

        :return: their ids
        """
        values = [{"name": f"{prefix} {n}", "default_code": f"{prefix}-{n}"} for n in range(count)]
        return self.make_products_like(values, quantity)

    @api.model
    def make_products_like(self, products, quantity=0):
        """Make storable products with given values, such as those of another database's products.

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
        """Count products in one inventory; the commit is stamped "count".

        :return: True
        """
        place = self._warehouse().lot_stock_id
        quants = self.env["stock.quant"].search(
            [("location_id", "=", place.id), ("product_id", "in", product_ids)]
        )
        known = set(quants.product_id.ids)
        quants |= (
            self.env["stock.quant"]
            .with_context(inventory_mode=True)
            .create(
                [
                    {"product_id": p, "location_id": place.id, "inventory_quantity": quantity}
                    for p in product_ids
                    if p not in known
                ]
            )
        )
        quants.inventory_quantity = quantity
        quants.action_apply_inventory()
        self._stamp("count")
        return True

    @api.model
    def make_receipts(self, product_ids, quantity=1, count=1):
        """Make receipts that are ready to be validated, all of the same.

        :return: their ids
        """
        kind = self._warehouse().in_type_id
        places = {
            "location_id": kind.default_location_src_id.id,
            "location_dest_id": kind.default_location_dest_id.id,
        }
        moves = [
            Command.create({"product_id": product, "product_uom_qty": quantity, **places})
            for product in product_ids
        ]
        pickings = self.env["stock.picking"].create(
            [{"picking_type_id": kind.id, "move_ids": moves, **places} for _ in range(count)]
        )
        pickings.action_confirm()
        pickings.move_ids.write({"quantity": quantity, "picked": True})
        return pickings.ids

    @api.model
    def merge_quants(self):
        """Let each product have one quant a place again, as Odoo's own daily task does.

        Users who work at the same time leave several; how many decides how often the next ones clash.

        :return: True
        """
        self.env["stock.quant"]._quant_tasks()
        return True

    @api.model
    def validate_timed(self, picking_id):
        """Validate a picking as its button does, and commit.

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
