"""Base class of the tests of products."""

from ..services.common.api_gateway import open_client
from ..services.orders.order_enrichment import OrderEnrichment
from ..services.orders.order_writer import OrderWriter
from .common import KeycrmCase

SHIRT = [{"name": "Колір", "value": "біла"}, {"name": "Розмір", "value": "M"}]


class ProductCase(KeycrmCase):
    @classmethod
    def outcomes_by_worker(cls, *numbers):
        """Import orders as the worker does, with what it reads before.

        :return: ``{number: ImportResult}``
        """
        orders = [cls.read_order(number) for number in numbers]
        with open_client(cls.account) as client, cls.committing(cls):
            orders = OrderEnrichment(cls.account, client).enrich(orders)
        return OrderWriter(cls.account).import_orders(orders)

    @classmethod
    def line_of(cls, *lines, **fields):
        """Import an order with these lines.

        :return: its lines of goods
        """
        number = cls.new_order(list(lines), **fields)
        return cls.lines_of(number)

    @classmethod
    def lines_of(cls, number):
        outcome = cls.outcomes_by_worker(number)[number]
        assert not outcome.code, (outcome.code, outcome.params, outcome.details)
        order = cls.env["sale.order"].browse(outcome.order_id)
        return order.order_line.filtered("keycrm_id").sorted("keycrm_id")

    @classmethod
    def product(cls, **vals):
        return cls.env["product.product"].create({"name": "Товар", "is_storable": True, **vals})

    def offer(self, **fields):
        return self.keycrm.create_offer(**{"name": "Сорочка", "price": 500, **fields})
