from datetime import timedelta

from psycopg2.errors import LockNotAvailable

from ...const import ROW_LOCKED_PAUSE
from ...keycrm.errors import KeyCrmError, Refused, is_outage
from ...keycrm.order_updates import Decision
from ...keycrm.parsing import to_object
from ..common import crons
from ..common.circuit_breaker import CircuitBreaker
from ..common.concurrency import ERRORS_OF_NO_RECORD
from ..common.service import Service
from ..common.transactions import run_in_transaction
from .order_import import ImportResult

#: Kinds of updates that a user or a buyer waits for.
LIVE_KINDS = ("status", "tracking", "payment")
#: Kinds of which there may be many; their requests are paced.
BULK_KINDS = ("cost",)


class OrderUpdates(Service):
    """Send the updates of orders to KeyCRM (``keycrm.order.update``), one at a time."""

    #: Kinds of updates that are sent.
    kinds = LIVE_KINDS

    def process(self):
        """Send the update that waits longest.

        :return: True when there was one
        """
        account = self.account
        update = self.env["keycrm.order.update"]._next_due(account, self.kinds)
        if not update:
            return False
        if self.options.single_item:
            # The attempt counts also when it ends the process.
            died = update._failed_vals("worker_died", {})
            run_in_transaction(self.env.cr, lambda: update._end_try(died))
        try:
            self._process(update)
        except LockNotAvailable:
            # A user's transaction holds the order: the other updates do not wait for it.
            self.env.cr.rollback()
            self._defer(update)
        except (KeyCrmError, *ERRORS_OF_NO_RECORD):
            raise
        except Exception as error:  # the fault of one update does not affect the others
            if self.env.cr.closed:
                raise
            self.env.cr.rollback()
            result = ImportResult.failed(error)
            vals = update._failed_vals(result.code, result.params)
            run_in_transaction(self.env.cr, lambda: update._end_try(vals))
        return True

    def _process(self, update):
        # Changes from here on enqueue the update again.
        superseded = update._superseded()
        plan, number = update._plan(), update.sale_order_id.keycrm_id
        # No transaction is open during the requests.
        self.env.cr.commit()
        values = {}
        try:
            decision = self._send(f"/order/{number}", plan)
        except KeyCrmError as error:
            if not self.service(CircuitBreaker).is_request_at_fault(error):
                raise
            vals = update._failed_vals(error.code, error.params, is_outage=is_outage(error))
        else:
            values = decision.values
            if decision.code:
                vals = update._failed_vals(decision.code, decision.params, is_final=True)
            else:
                vals = update._done_vals(ignored=decision.ignored)
        run_in_transaction(self.env.cr, lambda: update._record(vals, superseded, values))

    def _defer(self, update):
        """Try an update again in some seconds; this is not counted as an attempt."""

        def defer():
            update.write(
                {
                    "next_try_at": self.env.cr.now() + timedelta(seconds=ROW_LOCKED_PAUSE),
                    "error_code": "row_locked",
                    "error_params": False,
                }
            )
            crons.trigger(self.account, crons.ORDERS, delay=ROW_LOCKED_PAUSE)

        run_in_transaction(self.env.cr, defer)

    def _send(self, path, plan) -> Decision:
        """Read an order, decide, and send what it lacks.

        :param path: path of the order
        :param plan: with ``includes`` and ``decide``
        """
        decision = self._decide(path, plan)
        if decision.body:
            try:
                send = self.client.post if decision.creates else self.client.put
                send(f"{path}{decision.path}", decision.body)
            except Refused:
                # The answer to an earlier attempt may have been lost: KeyCRM refuses what it has.
                decision = self._decide(path, plan)
                if decision.body:
                    raise
        return decision

    def _decide(self, path, plan) -> Decision:
        params = {"include": plan.includes} if plan.includes else None
        return plan.decide(to_object(self.client.get(path, params)))


class BulkOrderUpdates(OrderUpdates):
    """Send the updates that may be many, with a bulk client."""

    kinds = BULK_KINDS
