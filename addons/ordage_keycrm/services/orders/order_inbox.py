import logging
import time
from datetime import timedelta

from odoo import fields

from ...const import READ_SINGLY_UP_TO
from ...keycrm.client import PAGE_SIZE
from ...keycrm.errors import (
    ImportProblem,
    KeyCrmError,
    MalformedAnswer,
    NotFound,
    QuotaExceeded,
    Refused,
    ServerTrouble,
    TimedOut,
    Unreachable,
)
from ...keycrm.orders import ORDER_INCLUDES, ORDER_INCLUDES_WITHOUT_PAYMENTS, Order
from ...keycrm.parsing import utc_text
from ..common.circuit_breaker import CircuitBreaker
from ..common.service import Service
from ..common.transactions import check_company_is_free, run_in_transaction
from .order_enrichment import OrderEnrichment
from .order_priorities import FAR, FEW_NEW, NEW_ORDER, WEBHOOK, InboxState
from .order_writer import OrderWriter

_logger = logging.getLogger(__name__)

#: Orders that are taken from the inbox at once. A list begins with the newest update, so all orders of a
#: burst are read from the same pages, eight here.
INBOX_BATCH = 8 * PAGE_SIZE
#: Orders that are read one by one before the inbox is polled again, from each end of a long queue. So a
#: new order waits for at most these requests and the lists.
MOST_SINGLES = 2
#: Orders that are read one by one before they are written.
READ_BATCH = 10
#: Webhooks are debounced while many arrive: seconds between two polls of the inbox, polls of one run, and
#: orders that have to be reported between two polls. A list of fifty then contains more of them.
DEBOUNCE_PAUSE = 0.5
DEBOUNCE_POLLS = 4
DEBOUNCE_ORDERS = 5
#: Seconds after which an event is processed although the inbox still grows.
DEBOUNCE_SECONDS = 15
#: Errors of a list, after which single orders may still be readable.
LIST_ERRORS = (MalformedAnswer, Refused, ServerTrouble, TimedOut, Unreachable)


class OrderInbox(Service):
    """Read the orders of the inbox with few requests, and write them."""

    # === INBOX ===#

    def process(self):
        """Read and write the most urgent orders of the inbox.

        Few requests are sent before the inbox is polled again: a new order arrives soon, however long
        the inbox is.

        :return: KeyCRM's numbers of the orders that were processed; empty when the inbox is empty. The
            next run processes what the deadline did not allow
        """
        Event, state = self.env["keycrm.event"], InboxState.for_account(self.account)
        waiting = Event._waiting(self.account, INBOX_BATCH, state.skipped())
        if not waiting:
            state.unread_list = None
            return set()
        if self.options.single_item:
            events = Event._unfinished(self.account, [order.number for order in waiting])
            events = run_in_transaction(self.env.cr, events._begin_one_order)
            return self._process_numbers(events.mapped("keycrm_order_id")[:1], events)
        grows = False
        if len(waiting) < INBOX_BATCH:
            waiting, grows = self._debounce(waiting)
            if not waiting:
                return set()
        missing = [
            order.number
            for order in waiting
            if order.is_missing_in_keycrm and not order.is_above_known
        ]
        if missing:
            run_in_transaction(self.env.cr, lambda: Event._ignore_missing(self.account, missing))
            return set(missing)
        events = Event._unfinished(self.account, [order.number for order in waiting])
        latest = fields.Datetime.now() - timedelta(seconds=DEBOUNCE_SECONDS)
        if grows and min(events.mapped("received_at")) > latest:
            return set()
        check_company_is_free(self.account)
        # No transaction stays open during the requests.
        self.env.cr.commit()
        return self._process_waiting(waiting, events)

    def _process_waiting(self, waiting, events):
        """Read and write the most urgent of the waiting orders.

        :param waiting: list of :class:`~.order_priorities.WaitingOrder`
        :param events: ``keycrm.event`` records of these orders
        :return: numbers of the orders that were processed
        """
        is_high_load = len(waiting) > READ_SINGLY_UP_TO
        processed = set()
        above = [order for order in waiting if order.is_above_known]
        doubtful = {
            order.number for order in above if order.rank == FAR or order.is_missing_in_keycrm
        }
        if len(above) > FEW_NEW or doubtful:
            if InboxState.for_account(self.account).may_read_newest():
                processed = self._process_newest(waiting, events, is_high_load=is_high_load)
            elif doubtful:
                run_in_transaction(
                    self.env.cr, lambda: self.env["keycrm.event"]._defer(self.account, doubtful)
                )
                processed = doubtful
            waiting = [order for order in waiting if order.number not in processed]
        received = [order.number for order in waiting if order.rank in (NEW_ORDER, WEBHOOK)]
        others = [order for order in waiting if order.rank not in (NEW_ORDER, WEBHOOK)]
        # Alternate between the newest and the oldest: both are read soon if the lists lack them.
        processed |= self._process_numbers(
            received, events, 2 * MOST_SINGLES, is_high_load=is_high_load
        )
        if others and not (received and self.options.is_time_up()):
            others = others[: 1 if received else 2 * MOST_SINGLES]
            processed |= self._process_retries(others, events, is_high_load=is_high_load)
        return processed

    def _process_numbers(self, numbers, events, singles=None, *, is_high_load=False):
        """Read and write some orders.

        :param numbers: KeyCRM's
        :param events: ``keycrm.event`` records, also of other orders
        :param singles: maximum number of orders that are read one by one
        :param is_high_load: whether many orders wait
        :return: numbers of the orders that were processed
        """
        processed, event_ids = set(), {}
        own = events.filtered(lambda event: event.keycrm_order_id in set(numbers))
        if not own:
            return processed
        hints = own._time_hints()
        for read in self.read_orders(numbers, hints, event_ids, singles, is_high_load=is_high_load):
            processed.update(read)
            ids = [event_id for number in read for event_id in event_ids.get(number, ())]
            self.service(OrderWriter).write_orders(
                read, own | own.browse(ids), is_high_load=is_high_load
            )
        return processed

    def _process_retries(self, orders, events, *, is_high_load):
        """Read orders that Odoo enqueued or that failed before, one by one.

        After an outage of KeyCRM a single one of those that failed is read: if it fails again, the
        others are deferred.

        :param orders: list of :class:`~.order_priorities.WaitingOrder`
        :return: numbers of the orders that were processed
        """
        processed = set()
        for order in orders:
            self.client.is_deferrable = self.client.is_deferrable or bool(processed)
            read = {order.number: self.read_order(order.number)}
            processed.add(order.number)
            own = events.filtered(lambda event, order=order: event.keycrm_order_id == order.number)
            results = self.service(OrderWriter).write_orders(read, own, is_high_load=is_high_load)
            result = results.get(order.number)
            if order.is_outage and result and result.is_outage:
                run_in_transaction(
                    self.env.cr, lambda: self.env["keycrm.event"]._defer_outage(self.account)
                )
                break
            if self.options.is_time_up():
                break
        return processed

    def _process_newest(self, waiting, events, *, is_high_load):
        """Read KeyCRM's newest orders from lists.

        They contain the new ones among the waiting orders; numbers above the first order do not exist,
        however many webhooks with invented numbers were received.

        :return: numbers of the orders that were processed, and of those that do not exist
        """
        numbers = {order.number for order in waiting}
        found, newest = {}, None
        try:
            for rows in self._newest_pages(waiting):
                newest = newest or next(iter(rows))
                found.update(
                    (number, parse_order(row)) for number, row in rows.items() if number in numbers
                )
        except QuotaExceeded:
            if not found:
                raise
        if not newest:
            return set()
        found.update(self._enriched(found, is_high_load=is_high_load))
        processed = set(found)
        writer = self.service(OrderWriter)
        for part in writer.parts(found):
            writer.write_orders(part, events, is_high_load=is_high_load)
        run_in_transaction(
            self.env.cr, lambda: self.env["keycrm.event"]._ignore_above(self.account, newest)
        )
        return processed | {number for number in numbers if number > newest}

    def _newest_pages(self, waiting):
        """Read the lists of KeyCRM's newest orders, while most orders on them are waiting.

        :param waiting: list of :class:`~.order_priorities.WaitingOrder`
        :return: iterator over ``{number: row}``, the newest order first
        """
        numbers = {order.number for order in waiting}
        try:
            for page in self.client.pages("/order", {**order_query(self.account), "sort": "-id"}):
                rows = page.numbered
                if not rows or list(rows) != sorted(rows, reverse=True):
                    return
                yield rows
                is_useful = len(numbers & rows.keys()) * 2 >= len(rows)
                numbers -= rows.keys()
                if not is_useful or not numbers or self.options.is_time_up():
                    return
        except LIST_ERRORS:
            return

    def _debounce(self, waiting):
        """Wait for a moment while many webhooks arrive.

        :param waiting: orders that were due a moment ago
        :return: ``(orders that are due now, whether webhooks still arrive)``
        """
        Event = self.env["keycrm.event"]
        skipped = InboxState.for_account(self.account).skipped()
        for _ in range(DEBOUNCE_POLLS):
            # Processed webhooks count too: if each one is processed before the next arrives, none
            # waits.
            if (
                len(waiting) <= READ_SINGLY_UP_TO
                and Event._recent_count(self.account) <= READ_SINGLY_UP_TO
            ):
                return waiting, False
            self.env.cr.commit()
            last_event_id = max((order.last_event_id for order in waiting), default=0)
            time.sleep(DEBOUNCE_PAUSE)
            waiting = Event._waiting(self.account, INBOX_BATCH, skipped)
            # Webhooks of orders that wait already count too: KeyCRM still changes many orders.
            reported = [order for order in waiting if order.last_event_id > last_event_id]
            if len(reported) < DEBOUNCE_ORDERS:
                return waiting, False
        return waiting, True

    # === READING ===#

    def read_orders(self, numbers, hints, event_ids, singles=None, *, is_high_load=False):
        """Read orders by number: few singly, many from lists first.

        There is no filter by id.

        :param numbers: KeyCRM's
        :param hints: see :meth:`~.event.KeycrmEvent._time_hints`
        :param event_ids: filled with the events of other orders that are read too, as they are before the
            first request; see :meth:`_received_events`
        :param singles: maximum number of orders that are read one by one; None for all
        :param is_high_load: whether many orders wait
        :return: iterator over ``{number: Order or KeyCrmError}``, in parts that are written at once
        """
        missing = dict.fromkeys(numbers)
        parts = self.service(OrderWriter).parts
        state = InboxState.for_account(self.account)
        if len(missing) > READ_SINGLY_UP_TO and state.are_lists_useful():
            found, unread_list = {}, state.unread_list
            try:
                unread_list = self._read_from_lists(hints, missing, found, event_ids)
                found.update(self._enriched(found, is_high_load=is_high_load))
            except KeyCrmError:
                yield from parts(found)
                state.unread_list = unread_list
                raise
            # While webhooks just begin to arrive, the first page of a list may lack the few orders.
            if not found and not state.unread_list and len(numbers) >= PAGE_SIZE:
                state.record_useless_list()
            yield from parts(found)
            # All of them are written.
            state.unread_list = unread_list
        part = {}
        for count, number in enumerate(list(missing)[:singles]):
            # If the quota is used up, the orders read so far are written and the next one is deferred.
            # The first one waits for the quota: otherwise only lists would be read under a low limit.
            self.client.is_deferrable = self.client.is_deferrable or count > 0
            try:
                part[number] = self.read_order(number)
            except KeyCrmError:
                yield from parts(part)
                raise
            if self.options.is_time_up():
                break
            if len(part) == READ_BATCH:
                yield part
                part = {}
        yield from parts(part)

    def _read_from_lists(self, hints, missing, found, event_ids):
        """Read orders from lists.

        Of a long inbox, all waiting orders of a page are taken, not only the most urgent ones, and the
        next call continues after the last page: the list still begins with what was just read.

        :param hints: see :meth:`read_orders`
        :param missing: numbers of the orders; those that are found are removed
        :param found: ``{number: Order or KeyCrmError}``, filled also when reading is interrupted
        :param event_ids: see :meth:`read_orders`
        :return: where the next call continues, see :class:`~.order_priorities.InboxState`
        """
        state, page = InboxState.for_account(self.account), None
        is_long = len(missing) >= INBOX_BATCH or bool(state.unread_list)
        if is_long:
            event_ids.update(self._received_events())
        wanted = missing.keys() | event_ids.keys()
        hints, first = state.unread_list or (hints, 1)
        # Other orders are updated too, or were just read. Those of a long inbox are on each page.
        full = -(-len(missing) // PAGE_SIZE)
        most = full + 2 if is_long else 2 * full + 1
        try:
            for page in self._hinted_pages(hints, first, most):
                read = {n: parse_order(row) for n, row in page.numbered.items() if n in wanted}
                found.update(read)
                for number in read:
                    missing.pop(number, None)
                # One more page costs as much as reading the last order singly, and may lack it. The
                # first page may hold only orders that were just read; after a later page with less than
                # two of these orders, further pages are not worth a request.
                is_useful = len(read) > 1
                if (
                    len(missing) <= 1
                    or self.options.is_time_up()
                    or (page.number > first and not is_useful)
                ):
                    break
        except QuotaExceeded:
            if not found:
                raise
        is_continued = is_long and page and is_useful and not page.is_last
        return (hints, page.number + 1) if is_continued else None

    def _received_events(self):
        """Return the events of all orders that webhooks reported and that are due.

        Only their ids: there may be thousands.

        :return: ``{KeyCRM's number: ids of keycrm.event}``, without orders that are skipped
        """
        Event = self.env["keycrm.event"]
        waiting = Event._waiting(self.account, None, InboxState.for_account(self.account).skipped())
        numbers = [order.number for order in waiting if order.rank in (NEW_ORDER, WEBHOOK)]
        return Event._unfinished_ids(self.account, numbers)

    def _enriched(self, found, *, is_high_load):
        """Read what orders refer to, for all of them at once.

        :param found: ``{number: Order or KeyCrmError}``
        :return: ``{number: Order}``, completed
        """
        orders = [order for order in found.values() if isinstance(order, Order)]
        orders = self.service(OrderEnrichment).enrich(orders, is_high_load=is_high_load)
        return {order.id: order for order in orders}

    def read_order(self, number):
        """Read one order.

        An order that KeyCRM cannot send, although KeyCRM is available, fails alone.

        :param number: KeyCRM's
        :return: Order, or the :class:`~.keycrm.errors.KeyCrmError` that states why there is none
        :raise KeyCrmError: when KeyCRM as a whole is unavailable
        """
        try:
            return parse_order(self.client.get(f"/order/{number}", order_query(self.account)))
        except KeyCrmError as error:
            if (
                isinstance(error, NotFound)
                and self.client.has_just_answered()
                and self._is_new(number)
            ):
                # Send no probe for each of many invented numbers.
                return ImportProblem("order_not_found", order=number)
            # "Not found" too counts only while KeyCRM is available: the address may be wrong.
            if not self.service(CircuitBreaker).is_request_at_fault(error):
                raise
            if isinstance(error, NotFound):
                return ImportProblem("order_not_found", order=number)
            return error

    def _is_new(self, number):
        """Return whether Odoo does not have an order."""
        domain = [("keycrm_account_id", "=", self.account.id), ("keycrm_id", "=", number)]
        return not self.env["sale.order"].search_count(domain, limit=1)

    def _hinted_pages(self, hints, first, most):
        """Read the pages that most likely contain the orders of these events.

        Sorted by the last update, newest first: webhooks are sent a moment after it.

        :param hints: see :meth:`read_orders`
        :param first: number of the first page
        :param most: maximum number of pages
        :return: iterator over pages
        """
        query = {
            **order_query(self.account),
            "filter[updated_between]": f"{utc_text(hints['since'])},{utc_text(hints['until'])}",
            "sort": "-updated_at",
        }
        try:
            for page in self.client.pages("/order", query, first):
                yield page
                if page.number >= first + most - 1:
                    return
        except LIST_ERRORS:
            # One order may make the page unreadable: it is found when orders are read singly.
            return


def order_query(account):
    """Return the query that reads orders with everything that they contain.

    :param account: ``keycrm.account``, one
    """
    includes = ORDER_INCLUDES if account.import_payments else ORDER_INCLUDES_WITHOUT_PAYMENTS
    if account.shown_field_ids:
        includes += ",custom_fields"
    return {"include": includes}


def parse_order(row):
    """Parse an order.

    :param row: the decoded answer
    :return: Order, or the :class:`~.keycrm.errors.KeyCrmError` that states what is wrong with it
    """
    try:
        order = Order.parse(row)
    except MalformedAnswer as error:
        return error
    except Exception as error:
        _logger.exception("KeyCRM: an order cannot be parsed")
        return ImportProblem("unexpected", kind=type(error).__name__)
    return ImportProblem("order_not_found", order=order.id) if order.is_deleted else order
