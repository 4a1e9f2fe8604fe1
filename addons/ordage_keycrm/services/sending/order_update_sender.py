from datetime import timedelta

from psycopg2.errors import LockNotAvailable

from ...const import ROW_LOCKED_PAUSE
from ...keycrm.errors import KeyCrmError, Refused, is_outage, may_have_taken_effect
from ...keycrm.order_update_rules import Decision
from ...keycrm.parsing import to_object
from ..common import crons
from ..common.circuit_breaker import CircuitBreaker
from ..common.concurrency import ERRORS_OF_NO_RECORD
from ..common.service import Service
from ..common.transactions import run_in_transaction
from ..orders.order_import import ImportResult
from .kind import OrderKind
from .kinds import kinds_of

#: Updates that are sent like live orders. The requests of more of them are paced too.
MOST_LIVE = 20


class OrderUpdateSender(Service):
    """Send the updates of orders to KeyCRM (``keycrm.order.update``), one at a time.

    Users may delete an update at any time: they switch its kind off, or delete its delivery.
    """

    #: Whether it sends the kinds that no user waits for, rather than the others.
    is_bulk = False

    @property
    def kinds(self):
        """Return the names of the kinds that are sent."""
        kinds = kinds_of(OrderKind).items()
        return [name for name, kind in kinds if kind.is_bulk == self.is_bulk]

    def next_update(self):
        """Return the update that waits longest; none where there are many: their requests are paced."""
        due = self.env["keycrm.order.update"]._due(self.account, self.kinds, MOST_LIVE + 1)
        return due[:1] if len(due) <= MOST_LIVE else due[:0]

    def process(self):
        """Send one update.

        :return: True when there was one
        """
        update = self.next_update()
        if not update:
            return False
        if self.options.single_item:
            # The attempt counts also when it ends the process.
            died = update._failed_vals("worker_died", {})
            self._change(update, lambda: update._end_try(died))
        try:
            self._process(update)
        except LockNotAvailable:
            # A user's transaction holds the order: the other updates do not wait for it.
            self.env.cr.rollback()
            self._defer(update, "row_locked", ROW_LOCKED_PAUSE)
        except (KeyCrmError, *ERRORS_OF_NO_RECORD):
            raise
        except Exception as error:  # the fault of one update does not affect the others
            if self.env.cr.closed:
                raise
            self.env.cr.rollback()
            result = ImportResult.failed(error)
            self._change(
                update, lambda: update._end_try(update._failed_vals(result.code, result.params))
            )
        return True

    def _process(self, update):
        # Changes from here on enqueue the update again.
        superseded = update._superseded()
        plan, path = update._plan(), f"/order/{update.sale_order_id.keycrm_id}"
        unclear_until = update._unclear_until()
        # No transaction is open during the requests.
        self.env.cr.commit()
        decision, error = Decision(), None
        try:
            decision = self._decide(path, plan)
            if decision.body and unclear_until:
                pause = (unclear_until - self.env.cr.now()).total_seconds()
                self._defer(update, "payment_requested", max(0.0, pause))
                return
            if decision.body:
                decision = self._send(update, path, plan, decision)
        except KeyCrmError as failure:
            if not self.service(CircuitBreaker).is_request_at_fault(failure):
                raise
            error = failure

        def record():
            values = {}
            if error:
                vals = update._failed_vals(error.code, error.params, is_outage=is_outage(error))
            elif decision.code:
                vals = update._failed_vals(decision.code, decision.params, is_final=True)
            else:
                vals, values = update._done_vals(ignored=decision.ignored), decision.values
            update._record(vals, superseded, values)

        self._change(update, record)

    def _change(self, update, change):
        """Change an update in a transaction of its own, unless a user has deleted it.

        :param update: ``keycrm.order.update``, one
        :param change: called without arguments
        :return: whether it still exists
        """

        def change_existing():
            exists = bool(update.exists())
            if exists:
                change()
            return exists

        return run_in_transaction(self.env.cr, change_existing)

    def _defer(self, update, code, pause):
        """Try an update again later; this is not counted as an attempt.

        :param update: ``keycrm.order.update``, one
        :param code: why
        :param pause: seconds
        """

        def defer():
            later = self.env.cr.now() + timedelta(seconds=pause)
            update.write({"next_try_at": later, "error_code": code, "error_params": False})
            crons.trigger(self.account, crons.ORDERS, delay=pause)

        self._change(update, defer)

    def _send(self, update, path, plan, decision) -> Decision:
        """Send what an order lacks.

        :param update: ``keycrm.order.update``, one
        :param path: path of the order
        :param plan: with ``includes`` and ``decide``
        :param decision: of the plan
        :return: the decision that holds afterwards
        """
        try:
            if decision.creates:
                return self._create(update, path, decision)
            self.client.put(f"{path}{decision.path}", decision.body)
        except Refused:
            # The answer to an earlier attempt may have been lost: KeyCRM refuses what it has.
            decision = self._decide(path, plan)
            if decision.body:
                raise
        return decision

    def _create(self, update, path, decision) -> Decision:
        """Create a record. The intent is committed before: after a crash it may exist already."""

        def mark(requested):
            def change():
                update.requested_at = requested and self.env.cr.now()

            return self._change(update, change)

        if not mark(True):
            return Decision(ignored=True)
        try:
            self.client.post(f"{path}{decision.path}", decision.body)
        except KeyCrmError as error:
            mark(may_have_taken_effect(error))
            raise
        return decision

    def _decide(self, path, plan) -> Decision:
        params = {"include": plan.includes} if plan.includes else None
        return plan.decide(to_object(self.client.get(path, params)))


class BacklogSender(OrderUpdateSender):
    """Send the updates that a user waits for while they are many, with a bulk client.

    The newest first: a number that is typed now does not wait for a thousand older ones.
    """

    def next_update(self):
        """Return the newest update; none where they are few."""
        updates = self.env["keycrm.order.update"]
        due = updates._due(self.account, self.kinds, MOST_LIVE + 1, "id desc")
        return due[:1] if len(due) > MOST_LIVE else due[:0]


class BulkUpdateSender(OrderUpdateSender):
    """Send the updates that no user waits for, with a bulk client."""

    is_bulk = True

    def next_update(self):
        """Return the update that waits longest."""
        return self.env["keycrm.order.update"]._due(self.account, self.kinds, 1)
