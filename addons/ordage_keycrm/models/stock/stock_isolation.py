from odoo import fields, models

from ...services.circuit_breaker import CircuitBreaker
from ...services.transactions import run_in_transaction

#: Rows that fail one after another, with no request of their kind accepted in between, after which
#: nothing is isolated any more: then it is no single row's fault.
MOST_FAULTS = 3


class KeycrmAccount(models.Model):
    """Isolate the one row that makes a stock request fail while KeyCRM itself is available.

    A failed request is bisected: the next ones have half as many rows, until the faulty row is alone
    and set aside with its reason. The size is stored, so that a run that ends, as after a time-out, goes
    on from there; rows that were accepted meanwhile are not sent again.
    """

    _inherit = "keycrm.account"

    # {"rows": rows of the next request, "GET" or "PUT": faulty rows one after another}
    stock_isolation = fields.Json(
        string="Isolation of a faulty row", readonly=True, copy=False, groups=fields.NO_ACCESS
    )

    def _request_rows(self, most):
        """:return: rows of the next stock request"""
        return min(most, (self.sudo().stock_isolation or {}).get("rows") or most)

    def _request_parts(self, items, most):
        """Cut rows into requests; their size follows what the requests before came to.

        :param items: a list or recordset
        :param most: rows that one request may have
        """
        start = 0
        while start < len(items):
            part = items[start : start + self._request_rows(most)]
            yield part
            start += len(part)

    def _is_single_fault(self, error, items, method="GET"):
        """Decide what the failure of one stock request means.

        :param error: the :class:`~..keycrm.errors.KeyCrmError` of the request
        :param items: its rows
        :param method: ``GET`` or ``PUT``
        :return: True when the one row is at fault and the caller has to set it aside; False when the
            caller has to try again with fewer rows
        :raise KeyCrmError: the same one, when KeyCRM as a whole is unavailable or refuses everything
        """
        state = dict(self.sudo().stock_isolation or {})
        if (
            not CircuitBreaker(self).is_request_at_fault(error)
            or state.get(method, 0) >= MOST_FAULTS
        ):
            raise error
        is_alone = len(items) == 1
        if is_alone:
            state[method] = state.get(method, 0) + 1
        state["rows"] = 0 if is_alone else len(items) // 2
        run_in_transaction(self.env.cr, lambda: self.sudo().write({"stock_isolation": state}))
        return is_alone

    def _end_isolation(self, method=None):
        """Requests succeed again; called within a transaction of the stock worker.

        :param method: the kind of request that was accepted; None after a whole pass
        """
        state = self.sudo().stock_isolation
        if state and (method in state or not method):
            kept = {key: count for key, count in state.items() if key != (method or "rows")}
            self.sudo().stock_isolation = kept or False

    def _reason_of(self, error):
        """:return: what a user reads of an error, in the company's language"""
        if error.params.get("message"):
            return error.params["message"]
        lang = self.company_id.partner_id.lang or self.env.lang
        explain = self.env["keycrm.error.message"].with_context(lang=lang)
        return explain._sentence(error.code, error.params)
