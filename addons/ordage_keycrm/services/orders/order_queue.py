from ..common.bulk_jobs import BulkJobs
from ..common.circuit_breaker import CircuitBreaker
from ..common.service import Service
from .order_inbox import OrderInbox
from .order_polling import OrderPolling
from .order_priorities import InboxState
from .order_updates import OrderUpdates

#: In one of so many turns polling and status updates come before the inbox.
OTHERS_TURN = 4


class OrderQueue(Service):
    """Choose the most urgent work of the orders queue.

    The inbox first, then polling and bulk jobs.
    """

    def process(self):
        """Process one piece of work.

        :return: True when there may be more
        """
        account = self.account
        if not account.enabled:
            return self.part(BulkJobs).process_setup()
        state = InboxState.of(account)
        state.turns += 1
        if not state.turns % OTHERS_TURN and self._process_others():
            # Polling and status updates continue, however long the inbox is.
            return True
        return (
            bool(self.part(OrderInbox).process())
            or self._process_others()
            or self.part(BulkJobs).process()
            # Webhooks that are still debounced.
            or bool(self.env["keycrm.event"]._waiting(account, 1, state.skipped()))
        )

    def _process_others(self):
        """Send one update of an order, or read one page of updated orders.

        :return: True when there was one
        """
        return self.part(OrderUpdates).process() or self.part(CircuitBreaker).run(
            "polling", self.part(OrderPolling).process
        )
