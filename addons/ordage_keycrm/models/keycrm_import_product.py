from odoo import api, models

from ..keycrm.goods import Goods


class KeycrmOrderImporter(models.AbstractModel):
    """Which product a line stands for."""

    _inherit = "keycrm.order.importer"

    @api.model
    def _products(self, account, orders, known, sources):
        """Find or make the products of all lines.

        :param known: ``{number: sale.order}`` that Odoo has already
        :param sources: ``{number: keycrm.source}``
        :return: ``{line id: product.product}``
        :raise ImportProblem: when a SKU or barcode belongs to several products
        """
        goods = {
            line.id: Goods.of_line(line, self._currency_code(order, sources))
            for order in orders
            for line in order.lines
        }
        of_line = {
            line.keycrm_id: line.product_id
            for record in known.values()
            for line in record.order_line
            if line.keycrm_id
        }
        found, problems = self.env["keycrm.product.matcher"]._match(
            account, list(goods.values()), of_line=of_line
        )
        for problem in problems.values():
            raise problem
        return {line_id: found[one.key] for line_id, one in goods.items()}
