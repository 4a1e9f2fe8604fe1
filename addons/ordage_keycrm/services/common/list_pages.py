import logging
import time

from ...keycrm.errors import KeyCrmError
from ...keycrm.list_parts import MAX_FAILURES, read_in_parts
from .api_gateway import open_client
from .circuit_breaker import CircuitBreaker
from .service import Service

_logger = logging.getLogger(__name__)

#: A page is read in parts at every so many failures of its work: an outage of the lists as a whole then
#: costs few requests.
FAILURES_BEFORE_PARTS = 2
PARTS_EVERY = 3
#: Timeout of a part: (connect, read) seconds.
PART_TIMEOUT = (5, 10)
#: Attempts of a part: a row is not left out because of a lost connection.
PART_TRIES = 2
#: Seconds after which an unreadable part is left out as a whole: the queue waits meanwhile.
PARTS_SECONDS = 40.0
#: Maximum number of pages of a short list, and of its failed requests in a row.
MAX_SHORT_PAGES = 40
MAX_SHORT_FAILURES = 3


class ListPages(Service):
    """Read pages of KeyCRM's lists, even if one row makes a page unreadable."""

    def read_page(self, work, path, query, number, *, is_flat=False):
        """Read one page.

        Where KeyCRM repeatedly cannot send it although it is available, the page is read in parts, so
        that one row does not keep the others from being found.

        :param work: name of the circuit breaker of the work, which counts its failures
        :param path: path of the list
        :param query: query of the list
        :param number: number of the page, from 1
        :param is_flat: whether parts are read without the includes
        :return: :class:`~.keycrm.client.Page`
        :raise KeyCrmError: when neither the page nor a part of it can be read
        """
        failures = self.service(CircuitBreaker).failures(work)
        if failures < FAILURES_BEFORE_PARTS or (failures - FAILURES_BEFORE_PARTS) % PARTS_EVERY:
            return self.client.page(path, query, number)
        is_flat = is_flat and "include" in query
        if is_flat:
            query = {name: value for name, value in query.items() if name != "include"}
        page = self._read_in_parts(path, query, number)
        page.is_flat = is_flat
        return page

    def short_list(self, path):
        """Read a short list; a page that cannot be read is read in parts at once.

        :param path: path of the list
        :return: ``(rows, whether they are all)``
        :raise KeyCrmError: when neither a page nor a part of it can be read
        """
        rows, is_complete = [], True
        for number in range(1, MAX_SHORT_PAGES + 1):
            try:
                page = self.client.page(path, number=number)
            except KeyCrmError as error:
                if not self.service(CircuitBreaker).is_request_at_fault(error):
                    raise
                page = self._read_in_parts(path, {}, number, MAX_SHORT_FAILURES)
            rows += page.rows
            is_complete = is_complete and not page.unread
            if page.is_last:
                break
        return rows, is_complete

    def _read_in_parts(self, path, query, number, most=MAX_FAILURES):
        """Read a page in parts; see :func:`~.keycrm.list_parts.read_in_parts`.

        :param most: failed requests in a row after which the list as a whole is unreadable
        """
        until = time.monotonic() + PARTS_SECONDS
        # Live: orders wait for it.
        with open_client(self.account, timeout=PART_TIMEOUT, tries=PART_TRIES) as client:

            def read(size, part):
                client.is_deferrable = False
                return client.page(path, {**query, "limit": size}, part)

            def is_at_fault(error):
                breaker = self.service(CircuitBreaker)
                return client.has_just_answered() or breaker.is_request_at_fault(error)

            page = read_in_parts(read, number, is_at_fault, lambda: time.monotonic() > until, most)
        _logger.warning(
            "KeyCRM account %s: page %s of %s was read in parts, %s rows left out",
            self.account.id,
            number,
            path,
            sum(rows.count for rows in page.unread),
        )
        return page
