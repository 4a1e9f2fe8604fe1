from odoo import api, models

from ....keycrm.product_data import Goods


class KeycrmOrderImporter(models.AbstractModel):
    """Find or create the products of lines."""

    _inherit = "keycrm.order.importer"

    @api.model
    def _products(self, batch):
        """Find or create the products of all lines.

        :return: ``{line id: product.product}``
        :raise ImportProblem: when a SKU or barcode belongs to several products
        """
        goods = {
            line.id: Goods.of_line(line, self._currency_code(order, batch.sources))
            for order in batch.orders
            for line in order.lines
        }
        of_line = self._products_of_lines(batch)
        matched, problems = self.env["keycrm.product.matcher"]._match(
            batch.account, list(goods.values()), of_line=of_line
        )
        for problem in problems.values():
            raise problem
        products = {line_id: matched[line.key] for line_id, line in goods.items()}
        for number, product in of_line.items():
            # Confirmed lines keep an archived product; new orders get the one that replaced it.
            if (
                products[number] != product
                and not product.active
                and product.keycrm_sku_key == products[number].keycrm_sku_key
                and self._is_confirmed(batch, number)
            ):
                products[number] = product
        return products

    @api.model
    def _is_confirmed(self, batch, number):
        """Return whether a line of KeyCRM belongs to an order that is confirmed in Odoo."""
        return any(
            number in matches and batch.known[order].state == "sale"
            for order, matches in batch.matches.items()
        )

    @api.model
    def _products_of_lines(self, batch):
        """Return the products of lines that Odoo has, also of lines that a merge in KeyCRM moved.

        :return: ``{line id: product.product}``
        """
        lines = {
            line.keycrm_id: line
            for record in batch.known.values()
            for line in record.order_line
            if line.keycrm_id
        }
        of_line = {}
        for order in batch.orders:
            matches = batch.matches.get(order.id, {})
            for number in (line.id for line in order.lines):
                record = matches.get(number) or lines.get(number)
                # An id of this order may belong to other goods now.
                if record and (number in matches or record.order_id.keycrm_id != order.id):
                    of_line[number] = record.product_id
        return of_line
