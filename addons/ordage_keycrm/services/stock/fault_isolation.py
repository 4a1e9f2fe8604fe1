from dataclasses import asdict

from ...keycrm.fault_isolation_rules import Isolation
from ..common.circuit_breaker import CircuitBreaker
from ..common.language import company_language
from ..common.service import Service
from ..common.transactions import run_in_transaction

#: Kinds of stock requests: offers by SKU, quantities, sending. Faults of each kind are isolated
#: separately.
LOOKUP = "lookup"
READ = "read"
SEND = "send"


class FaultIsolation(Service):
    """Isolate the rows that make stock requests fail while KeyCRM itself is available.

    A failed request is bisected: the next ones have half as many rows, until the faulty row is alone
    and deferred with its reason. The state is stored on the account, so that a run that ends, as after
    a time-out, continues from there; rows that were accepted meanwhile are not sent again.
    """

    def request_parts(self, items, most, kind, cut=None):
        """Split rows into requests; their size follows from the results of earlier requests.

        :param items: a list or recordset
        :param most: rows that one request may have
        :param kind: kind of the requests
        :param cut: returns the first ones of a part that fit into one request; at least one
        :return: iterator over parts
        """
        first, last = 0, len(items)
        while first < last:
            start, end = self._state(kind).bounds(first, last, most)
            part = items[start:end]
            if cut:
                part = cut(part)
            yield part
            if start > first:
                last = start
            else:
                first = start + len(part)

    def is_single_fault(self, error, items, kind, *, is_known=False):
        """Decide whether the failure of a stock request is the fault of one row.

        :param error: the :class:`~.keycrm.errors.KeyCrmError` of the request
        :param items: its rows
        :param kind: kind of the request
        :param is_known: whether its one row had failed alone before
        :return: True when the one row is at fault: the caller has to defer it and then to call
            :meth:`raise_if_all_fail`; False when the caller has to try again with fewer rows
        :raise KeyCrmError: the same one, when KeyCRM as a whole is unavailable
        """
        if not self.service(CircuitBreaker).is_request_at_fault(error):
            raise error
        state = self._state(kind).after_failure(len(items), is_known=is_known)
        run_in_transaction(self.env.cr, lambda: self._store(kind, state))
        return len(items) == 1

    def raise_if_all_fail(self, error, kind):
        """End the run after a row was deferred, when no single row is at fault.

        Each further run tries one more row, so that faulty rows never stop the others for good.

        :param error: the :class:`~.keycrm.errors.KeyCrmError` of its request
        :param kind: kind of the request
        :raise KeyCrmError: the same one
        """
        if self._state(kind).is_all_failing:
            raise error

    def defer(self, ids):
        """Defer rows until the end of the pass, within a transaction of the stock worker.

        :param ids: ids of records
        """
        self._store("deferred", [*self.deferred_ids(), *ids])

    def deferred_ids(self):
        """Return the ids of the records that were deferred in this pass."""
        return set((self.account.sudo().stock_isolation or {}).get("deferred") or ())

    def accepted(self, kind):
        """Record that a request succeeded, within a transaction of the stock worker.

        :param kind: kind of the request
        """
        if kind in (self.account.sudo().stock_isolation or {}):
            self._store(kind, self._state(kind).after_success())

    def end(self):
        """Record that a whole pass ended, within a transaction of the stock worker."""
        if self.account.sudo().stock_isolation:
            self.account.sudo().stock_isolation = False

    def reason_of(self, error):
        """Return the sentence of an error for users, in the company's language.

        :param error: :class:`~.keycrm.errors.KeyCrmError`
        """
        if error.params.get("message"):
            return error.params["message"]
        lang = company_language(self.account.company_id)
        explain = self.env["keycrm.error.message"].with_context(lang=lang)
        return explain._sentence(error.code, error.params)

    def _state(self, kind):
        return Isolation(**(self.account.sudo().stock_isolation or {}).get(kind) or {})

    def _store(self, kind, value):
        """Store the state of a kind of requests, or the rows that were deferred.

        :param kind: kind of the requests, or ``deferred``
        :param value: :class:`~.keycrm.fault_isolation_rules.Isolation`, or ids
        """
        stored = dict(self.account.sudo().stock_isolation or {})
        stored[kind] = asdict(value) if isinstance(value, Isolation) else value
        self.account.sudo().stock_isolation = stored
