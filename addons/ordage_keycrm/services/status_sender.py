from ..keycrm.errors import KeyCrmError, is_outage
from ..keycrm.parsing import to_id, to_object
from .circuit_breaker import CircuitBreaker
from .service import Service
from .transactions import run_in_transaction


class StatusSender(Service):
    """Send the statuses that validated deliveries set in KeyCRM."""

    def process(self):
        """Send one status, unless KeyCRM's order has another status than at the delivery.

        :return: True when there was one
        """
        Update = self.env["keycrm.status.update"].sudo()
        update = Update.search(Update._due_domain(self.account), order="id", limit=1)
        if not update:
            return False
        expected = update.former_status_id.keycrm_id
        path = f"/order/{update.sale_order_id.keycrm_id}"
        wanted = update.status_id.keycrm_id
        # No transaction stays open during the requests.
        self.env.cr.commit()
        try:
            current = to_id(to_object(self.client.get(path)).get("status_id"))
            if current == expected and current != wanted:
                self.client.put(path, {"status_id": wanted})
                vals = update._done_vals()
            else:
                vals = update._done_vals(ignored=current != wanted)
        except KeyCrmError as error:
            if not self.part(CircuitBreaker).is_request_at_fault(error):
                raise
            vals = update._failed_vals(error.code, error.params, is_outage=is_outage(error))
        run_in_transaction(self.env.cr, lambda: update._end_try(vals))
        return True
