from ...keycrm import rate_limit_rules
from ..common.api_gateway import open_client
from ..common.circuit_breaker import CircuitBreaker
from ..common.reference_lists import ReferenceLists
from ..common.service import Service
from ..orders.bank_transactions import BankTransactions
from ..orders.order_priorities import InboxState
from ..orders.order_reconciliation import OrderReconciliation
from ..orders.order_synchronization import OrderSynchronization
from ..products.image_fetcher import ImageFetcher
from ..products.product_creation import ProductCreation
from ..products.product_import import ProductImport
from ..sending.order_update_sender import BacklogSender, BulkUpdateSender
from ..sending.preview_job import PreviewJob

#: Services by the name of their circuit breaker, the most urgent first.
JOBS = {
    "many_updates": BacklogSender,
    "sync": OrderSynchronization,
    "load": ProductImport,
    "create_products": ProductCreation,
    "send_preview": PreviewJob,
    "warehouses": ReferenceLists,
    "reconciliation": OrderReconciliation,
    "transactions": BankTransactions,
    # Of thousands of orders where costs are switched on: nothing waits for them.
    "line_costs": BulkUpdateSender,
    "pictures": ImageFetcher,
}
#: Jobs of the setup: they change nothing in KeyCRM.
SETUP_JOBS = ("load", "warehouses")
#: In one of so many turns the jobs alternate, so that thousands of updates hold up no other job.
ALTERNATE_TURN = 4


class BulkJobs(Service):
    """Process the bulk work of the orders queue, one page at a time, between polls of the inbox."""

    def process(self, first_wait=None):
        """Process one page of the first job that has work.

        :param first_wait: seconds that its first request may wait for the quota; None for a worker's
        :return: True when there may be more
        :raise QuotaExceeded: when it would take longer
        """
        return self._process(JOBS, first_wait)

    def process_setup(self):
        """Process one page of a job of the setup, before the integration is enabled.

        :return: True when there may be more
        """
        return self.account._is_before_start() and self._process(SETUP_JOBS)

    def _process(self, names, first_wait=None):
        breaker, state = self.service(CircuitBreaker), InboxState.for_account(self.account)
        names = list(names)
        alternates = not (state.bulk_turns + 1) % ALTERNATE_TURN
        if alternates and state.last_bulk in names:
            first = names.index(state.last_bulk) + 1
            names = names[first:] + names[:first]
        with open_client(self.account, rate_limit_rules.BULK, first_wait=first_wait) as client:
            for name in names:
                if breaker.run(name, JOBS[name](self.account, client, self.options).process):
                    state.bulk_turns += 1
                    if alternates:
                        state.last_bulk = name
                    return True
        return False
