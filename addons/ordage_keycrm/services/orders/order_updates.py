from ...keycrm.errors import KeyCrmError, Refused, is_outage
from ...keycrm.order_updates import Decision
from ...keycrm.parsing import to_object
from ..common.circuit_breaker import CircuitBreaker
from ..common.service import Service
from ..common.transactions import run_in_transaction

#: What a user or a buyer waits for.
LIVE_KINDS = ("status", "tracking", "payment")
#: What may be many, and is paced.
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
        # What changes after this line is enqueued again.
        superseded = update._superseded()
        plan, number = update._plan(), update.sale_order_id.keycrm_id
        # Nothing is held open during the requests.
        self.env.cr.commit()
        values = {}
        try:
            decision = self._send(f"/order/{number}", plan)
        except KeyCrmError as error:
            if not self.part(CircuitBreaker).is_request_at_fault(error):
                raise
            vals = update._failed_vals(error.code, error.params, is_outage=is_outage(error))
        else:
            values = decision.values
            if decision.code:
                vals = update._failed_vals(decision.code, decision.params, is_final=True)
            else:
                vals = update._done_vals(ignored=decision.ignored)
        run_in_transaction(self.env.cr, lambda: update._record(vals, superseded, values))
        return True

    def _send(self, path, plan) -> Decision:
        """Read an order, decide, and write what it lacks.

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
