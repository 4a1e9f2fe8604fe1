from odoo import api, models

from ..keycrm.goods import Goods


class KeycrmOrderImporter(models.AbstractModel):
    """Which product a line stands for."""

    _inherit = "keycrm.order.importer"

    @api.model
    def _products(self, batch):
        """Find or make the products of all lines.

        :return: ``{line id: product.product}``
        :raise ImportProblem: when a SKU or barcode belongs to several products
        """
        goods = {
            line.id: Goods.of_line(line, self._currency_code(order, batch.sources))
            for order in batch.orders
            for line in order.lines
        }
        of_line = {
            number: line.product_id
            for matches in batch.matches.values()
            for number, line in matches.items()
        }
        found, problems = self.env["keycrm.product.matcher"]._match(
            batch.account, list(goods.values()), of_line=of_line
        )
        for problem in problems.values():
            raise problem
        return {line_id: found[one.key] for line_id, one in goods.items()}
