import logging

from ...keycrm.client import PAGE_SIZE, Page
from ...keycrm.errors import KeyCrmError, QuotaExceeded, RateLimited
from ..common.api_gateway import open_client
from ..common.circuit_breaker import CircuitBreaker
from ..common.service import Service

_logger = logging.getLogger(__name__)

#: A page is read in parts at every so many failures of its work: an outage of the lists as a whole then
#: costs few requests.
FAILURES_BEFORE_PARTS = 2
PARTS_EVERY = 3
#: Rows of a part, and of the parts of an unreadable one; each divides the one before.
PART_SIZES = (10, 1)
#: Parts of a page that may be unreadable; with more, the list as a whole is.
MAX_FAULTY_PARTS = 2
#: Timeout of a part: (connect, read) seconds. It has a few rows without includes.
PART_TIMEOUT = (5, 10)


class OrderLists(Service):
    """Read pages of KeyCRM's order list, even if one order makes a page unreadable."""

    def read_page(self, work, query, number):
        """Read one page.

        Where KeyCRM repeatedly cannot send it although it is available, the page is read in parts and
        without includes, so that one order does not keep the others from being found.

        :param work: name of the circuit breaker of the work, which counts its failures
        :param query: query of the list
        :param number: number of the page, from 1
        :return: ``(Page, whether its rows have the includes)``
        :raise KeyCrmError: when the page, or too many of its parts, cannot be read
        """
        failures = self.service(CircuitBreaker).failures(work)
        if failures < FAILURES_BEFORE_PARTS or (failures - FAILURES_BEFORE_PARTS) % PARTS_EVERY:
            return self.client.page("/order", query, number), True
        flat = {name: value for name, value in query.items() if name != "include"}
        with open_client(self.account, self.client.queue, timeout=PART_TIMEOUT, tries=1) as client:
            parts = self._read_parts(client, flat, PAGE_SIZE, number)
        rows = [row for part in parts for row in part.rows]
        total = parts[-1].total
        _logger.warning(
            "KeyCRM account %s: page %s of %s was read in parts", self.account.id, number, work
        )
        last = -(-total // PAGE_SIZE)
        return Page(rows, number, total, last, parts[-1].has_next), "include" not in query

    def _read_parts(self, client, query, size, number, sizes=PART_SIZES):
        """Read a page as smaller pages; a row that cannot be read alone is left out.

        :param size: rows of the page
        :param number: its number
        :param sizes: sizes of the parts
        :return: list of :class:`~.keycrm.client.Page`, at least one
        """
        part_size, *smaller = sizes
        count = size // part_size
        parts, errors = [], []
        for part_number in range((number - 1) * count + 1, number * count + 1):
            client.is_deferrable = False
            try:
                part = client.page("/order", {**query, "limit": part_size}, part_number)
            except (QuotaExceeded, RateLimited):
                raise
            except KeyCrmError as error:
                errors.append(error)
                is_at_fault = self.service(CircuitBreaker).is_request_at_fault
                if len(errors) > MAX_FAULTY_PARTS or not is_at_fault(error):
                    raise
                if smaller:
                    parts += self._read_parts(client, query, part_size, part_number, smaller)
                continue
            parts.append(part)
            if part.is_last:
                break
        if not parts:
            raise errors[-1]
        return parts
