"""Define the options and the result of an import of orders."""

import logging
import traceback
from dataclasses import dataclass

from psycopg2.errors import LockNotAvailable

from odoo.exceptions import AccessError, MissingError, UserError

from ...keycrm.errors import KeyCrmError, Locked, is_outage

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """Hold how orders are imported.

    :param shipped_status_ids: ids of ``keycrm.order.status`` whose new orders were shipped already, as
        chosen by the user who started the synchronization; None outside a synchronization
    :param shipped_if_written_off: whether new orders that KeyCRM has written off were shipped already
    :param is_tolerant: whether contacts and confirmations that Odoo refuses are skipped. Costs
        savepoints, so it is used for an order alone, after it was refused
    """

    shipped_status_ids: tuple[int, ...] | None = None
    shipped_if_written_off: bool = False
    is_tolerant: bool = False


class ImportResult:
    """Hold the result of one order.

    It is recorded on events and counted by synchronizations.

    :param order_id: id of the ``sale.order``; False when there is none
    :param created: True when it is new in Odoo
    :param skipped: True when its status is not imported
    :param code: error code; empty on success
    :param params: parameters of the code

    ``order_text``, ``order_facts``: buyer, sum and lines of an order that could not be written.
    ``is_outage``: KeyCRM was unavailable. ``is_deferred``: a user has locked the order in Odoo; it is
    imported again in some seconds, and this does not count as an attempt.
    """

    __slots__ = (
        "code",
        "created",
        "details",
        "is_deferred",
        "is_outage",
        "order_facts",
        "order_id",
        "order_text",
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
        self.order_text = ""
        self.order_facts = None
        self.is_outage = False
        self.is_deferred = False

    @property
    def is_failure(self):
        """Whether the order could not be written; a skipped order is no failure."""
        return bool(self.code) and not self.skipped

    @classmethod
    def failed(cls, error, order=None):
        """Return the result of an error; with its traceback where it is unexpected.

        :param error: the exception
        :param order: :class:`~.keycrm.orders.Order`; None where it could not be read
        """
        result = cls._of_error(error)
        result.order_text = order.text if order else ""
        result.order_facts = order.facts if order else None
        return result

    @classmethod
    def _of_error(cls, error):
        if isinstance(error, LockNotAvailable):
            error = Locked()
        if isinstance(error, KeyCrmError):
            result = cls(code=error.code, params=error.params)
            result.is_outage = is_outage(error)
            result.is_deferred = isinstance(error, Locked)
            return result
        if isinstance(error, UserError | AccessError | MissingError):
            return cls(code="odoo_refused", params={"reason": str(error.args[0])[:1000]})
        result = cls(code="unexpected", params={"kind": type(error).__name__})
        result.details = "".join(traceback.format_exception(error))[-8000:]
        _logger.error("KeyCRM: order not written", exc_info=error)
        return result
