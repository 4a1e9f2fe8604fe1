import time

from ...const import WORKER_MAX_SLEEP
from ...keycrm.errors import QuotaExceeded
from ..common.circuit_breaker import CircuitBreaker
from ..common.service import Service
from ..orders.order_inbox import OrderInbox
from ..orders.order_polling import OrderPolling
from ..orders.order_priorities import InboxState
from ..orders.order_updates import OrderUpdates
from .bulk_jobs import BulkJobs

#: In one of so many turns polling and updates of orders come before the inbox.
OTHERS_TURN = 4
#: Seconds between two polls of the inbox while bulk work waits for KeyCRM's limit.
POLL_SECONDS = 0.2


class OrderQueue(Service):
    """Choose the most urgent work of the orders queue: the inbox, then polling and bulk jobs."""

    def process(self):
        """Process one piece of work.

        :return: True when there may be more
        """
        account = self.account
        if not account.enabled:
            return self.service(BulkJobs).process_setup()
        state = InboxState.for_account(account)
        state.turns += 1
        if not state.turns % OTHERS_TURN and self._process_others(state):
            # Polling and updates continue, however long the inbox is.
            return True
        return (
            bool(self.service(OrderInbox).process())
            or self._process_others(state)
            or self._process_bulk()
            # Webhooks are still debounced.
            or bool(self.env["keycrm.event"]._waiting(account, 1, state.skipped()))
        )

    def _process_bulk(self):
        """Process one page of bulk work; while KeyCRM's limit delays it, the inbox is polled.

        :return: True when there may be more
        """
        try:
            return self.service(BulkJobs).process()
        except QuotaExceeded as error:
            if error.wait > WORKER_MAX_SLEEP:
                raise
            self.env.cr.rollback()
            time.sleep(min(error.wait, POLL_SECONDS) + 0.005)
            return True

    def _process_others(self, state):
        """Send one update of an order, or read one page of updated orders: each comes first in turns.

        :param state: :class:`~.services.orders.order_priorities.InboxState`
        :return: True when there was one
        """
        works = [
            self.service(OrderUpdates).process,
            lambda: self.service(CircuitBreaker).run("polling", self.service(OrderPolling).process),
        ]
        state.polls_first = not state.polls_first
        if state.polls_first:
            works.reverse()
        return any(work() for work in works)
