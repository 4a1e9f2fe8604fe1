import time

from ...const import WORKER_MAX_SLEEP
from ...keycrm.errors import QuotaExceeded
from ..common.circuit_breaker import CircuitBreaker
from ..common.service import Service
from ..orders.order_inbox import OrderInbox
from ..orders.order_polling import OrderPolling
from ..orders.order_priorities import InboxState
from ..sending.order_update_sender import OrderUpdateSender
from .bulk_jobs import BulkJobs

#: In one of so many turns polling and updates of orders come before the inbox.
OTHERS_TURN = 4
#: In one of so many turns bulk work comes before the inbox.
BULK_TURN = 20
#: Seconds between two polls of the inbox while bulk work waits for KeyCRM's limit.
POLL_SECONDS = 0.2
#: Seconds that bulk work waits for KeyCRM's limit before it begins; longer, it is deferred.
FIRST_WAIT = 0.05
#: Seconds for which it is deferred at most.
DEFER_SECONDS = 2.0


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
        if not state.turns % BULK_TURN and self._process_bulk_in_between(state):
            return True
        more = (
            bool(self.service(OrderInbox).process())
            or self._process_others(state)
            or self._process_bulk(state)
            # Webhooks are still debounced.
            or bool(self.env["keycrm.event"]._waiting(account, 1, state.skipped()))
        )
        if not more:
            # Nothing waits: the next webhook comes first.
            state.turns = 0
        return more

    def _process_bulk(self, state):
        """Process one page of bulk work; while KeyCRM's limit delays it, the inbox is polled.

        Live orders that use up the limit alone would defer it forever, so after some seconds it waits for
        its request as live work does.

        :param state: :class:`~.services.orders.order_priorities.InboxState`
        :return: True when there may be more
        """
        now = time.monotonic()
        is_late = state.bulk_since is not None and now - state.bulk_since > DEFER_SECONDS
        # In single-item mode a job is marked as failed while it runs, so it is not deferred.
        first_wait = None if is_late or self.options.single_item else FIRST_WAIT
        try:
            more = self.service(BulkJobs).process(first_wait)
        except QuotaExceeded as error:
            if state.bulk_since is None:
                state.bulk_since = now
            if error.wait > WORKER_MAX_SLEEP:
                raise
            self.env.cr.rollback()
            time.sleep(min(error.wait, POLL_SECONDS) + 0.005)
            return True
        state.bulk_since = None
        return more

    def _process_bulk_in_between(self, state):
        """Process one page of bulk work while the inbox is full, unless KeyCRM's limit is used up.

        :param state: :class:`~.services.orders.order_priorities.InboxState`
        :return: True when there was some
        """
        try:
            return self._process_bulk(state)
        except QuotaExceeded:
            self.env.cr.rollback()
            return False

    def _process_others(self, state):
        """Send one update of an order, or read one page of updated orders.

        Each of the two comes first in every second pass.

        :param state: :class:`~.services.orders.order_priorities.InboxState`
        :return: True when there was one
        """
        works = [
            self.service(OrderUpdateSender).process,
            lambda: self.service(CircuitBreaker).run("polling", self.service(OrderPolling).process),
        ]
        state.polls_first = not state.polls_first
        if state.polls_first:
            works.reverse()
        return any(work() for work in works)
