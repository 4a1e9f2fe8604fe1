"""What became of one order: the importer's answer, noted on events and counted by synchronizations."""

import logging
import traceback

from psycopg2.errors import LockNotAvailable

from odoo.exceptions import AccessError, MissingError, UserError

from ....keycrm.errors import KeyCrmError, Locked, is_outage

_logger = logging.getLogger(__name__)


class ImportResult:
    """What became of one order.

    :param order_id: id of the ``sale.order``; False when there is none
    :param created: True when it is new in Odoo
    :param skipped: True when its status says not to import it
    :param code: error code; empty when all went well
    :param params: parameters of the code

    ``is_outage``: KeyCRM could not answer. ``is_put_off``: somebody else works on the order in Odoo; it is
    worked again in some seconds, and this counts as no try.
    """

    __slots__ = (
        "code",
        "created",
        "details",
        "is_outage",
        "is_put_off",
        "order_id",
        "params",
        "skipped",
    )

    def __init__(self, order_id=False, *, created=False, skipped=False, code="", params=None):
        self.order_id = order_id
        self.created = created
        self.skipped = skipped
        self.code = code
        self.params = params or {}
        self.details = ""
        self.is_outage = False
        self.is_put_off = False

    @property
    def is_failure(self):
        """Whether the order could not be written; one that is not to be written is no failure."""
        return bool(self.code) and not self.skipped

    @classmethod
    def failed(cls, error):
        """Return what went wrong; the traceback is kept for administrators where it is a surprise."""
        if isinstance(error, LockNotAvailable):
            error = Locked()
        if isinstance(error, KeyCrmError):
            outcome = cls(code=error.code, params=error.params)
            outcome.is_outage = is_outage(error)
            outcome.is_put_off = isinstance(error, Locked)
            return outcome
        if isinstance(error, UserError | AccessError | MissingError):
            return cls(code="odoo_refused", params={"reason": str(error.args[0])[:1000]})
        outcome = cls(code="unexpected", params={"kind": type(error).__name__})
        outcome.details = "".join(traceback.format_exception(error))[-8000:]
        _logger.error("KeyCRM: order not written", exc_info=error)
        return outcome
