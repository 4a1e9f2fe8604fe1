"""Base class of the tests of buyers, companies and recipients."""

from ..services.common.api_gateway import open_client
from ..services.orders.order_enrichment import OrderEnrichment
from ..services.orders.order_writer import OrderWriter
from .common import KeycrmCase

#: A recipient at a parcel office.
OFFICE = {
    "recipient_full_name": "Марія Коваль",
    "recipient_phone": "0509998877",
    "shipping_address_city": "Львів",
    "shipping_receive_point": "Відділення №5: вул. Данилишина, 6",
}


class BuyerCase(KeycrmCase):
    def arrive_by_worker(self, *numbers):
        """Import orders as the worker does, with what it reads before."""
        orders = [self.read_order(number) for number in numbers]
        with open_client(self.account) as client, self.committing():
            orders = OrderEnrichment(self.account, client).enrich(orders)
        outcomes = OrderWriter(self.account).import_orders(orders)
        self.assertFalse([outcome.code for outcome in outcomes.values() if outcome.code])
        return self.env["sale.order"].browse([outcomes[number].order_id for number in numbers])

    def buyer(self, **fields):
        return self.keycrm.create_buyer(**{"full_name": "Іван Петренко", **fields})["id"]
