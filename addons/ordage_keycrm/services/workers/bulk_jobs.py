from ...keycrm import rate_limit
from ..common.api_gateway import open_client
from ..common.circuit_breaker import CircuitBreaker
from ..common.reference_lists import ReferenceLists
from ..common.service import Service
from ..orders.bank_transactions import BankTransactions
from ..orders.order_reconciliation import OrderReconciliation
from ..orders.order_synchronization import OrderSynchronization
from ..orders.order_updates import BulkOrderUpdates, ManyOrderUpdates
from ..products.image_fetcher import ImageFetcher
from ..products.product_creation import ProductCreation
from ..products.product_import import ProductImport
from ..products.send_preview import SendPreview

#: Services by the name of their circuit breaker, the most urgent first.
JOBS = {
    "many_updates": ManyOrderUpdates,
    "sync": OrderSynchronization,
    "load": ProductImport,
    "create_products": ProductCreation,
    "send_preview": SendPreview,
    "warehouses": ReferenceLists,
    "reconciliation": OrderReconciliation,
    "transactions": BankTransactions,
    # Of thousands of orders where costs are switched on: nothing waits for them.
    "line_costs": BulkOrderUpdates,
    "pictures": ImageFetcher,
}
#: Seconds that a job waits for KeyCRM's limit before it begins; longer, the inbox is polled meanwhile.
FIRST_WAIT = 0.05
#: Jobs of the setup: they change nothing in KeyCRM.
SETUP_JOBS = ("load", "warehouses")


class BulkJobs(Service):
    """Process the bulk work of the orders queue, one page at a time, between polls of the inbox."""

    def process(self):
        """Process one page of the first job that has work.

        :return: True when there may be more
        """
        return self._process(JOBS)

    def process_setup(self):
        """Process one page of a job of the setup, before the integration is enabled.

        :return: True when there may be more
        """
        return self.account._is_before_start() and self._process(SETUP_JOBS)

    def _process(self, names):
        breaker = self.service(CircuitBreaker)
        # In single-item mode a job is marked as failed while it runs, so it is not deferred.
        first_wait = None if self.options.single_item else FIRST_WAIT
        with open_client(self.account, rate_limit.BULK, first_wait=first_wait) as client:
            return any(
                breaker.run(name, JOBS[name](self.account, client, self.options).process)
                for name in names
            )
