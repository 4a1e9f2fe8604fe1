import logging
import time
from datetime import timedelta

from odoo import fields, models

from ...const import CONFIRM_WEIGHT, IMPORT_BATCH, READ_SINGLY_UP_TO
from ...keycrm.client import PAGE_SIZE
from ...keycrm.errors import (
    ImportProblem,
    KeyCrmError,
    MalformedAnswer,
    NotFound,
    Refused,
    ServerTrouble,
    TimedOut,
    Unreachable,
    is_outage,
)
from ...keycrm.orders import ORDER_INCLUDES, ORDER_INCLUDES_WITHOUT_PAYMENTS, Order
from ...keycrm.parsing import utc_text
from ...services.circuit_breaker import CircuitBreaker
from ...services.order_priorities import FAR, FEW_NEW, NEW_ORDER, WEBHOOK, InboxState
from ...services.transactions import run_in_transaction

_logger = logging.getLogger(__name__)

#: Orders that one look at the inbox takes: two lists hold them.
INBOX_BATCH = 2 * PAGE_SIZE
#: Orders that are read one by one before the inbox is looked at again, of each end of a long queue. A new
#: order waits for no more requests than these and two lists.
MOST_SINGLES = 2
#: Orders that are read one by one before they are written.
READ_BATCH = 10
#: A burst of webhooks gathers as long as it grows: seconds between two looks, looks of one run, and
#: orders more that make it grow. A list of fifty then answers for more of them.
BURST_PAUSE = 0.5
BURST_LOOKS = 4
BURST_GROWTH = 5
#: Nobody waits longer than this for a burst to end: one of ten seconds is read once.
BURST_SECONDS = 15
#: What a list fails with while single orders may well be read.
LIST_ERRORS = (MalformedAnswer, Refused, ServerTrouble, TimedOut, Unreachable)


class KeycrmAccount(models.Model):
    """The inbox: which orders are read from KeyCRM, and how, with few requests."""

    _inherit = "keycrm.account"

    # === INBOX ===#

    def _work_inbox(self, client):
        """Take what lies in the inbox, read these orders from KeyCRM and write them.

        Few requests are sent before the inbox is looked at again: whatever the backlog is, a new order
        comes soon.

        :return: KeyCRM's numbers of the orders that were worked; empty when the inbox is. What the time
            did not allow stays for the next run
        """
        Event, inbox = self.env["keycrm.event"], InboxState.of(self)
        waiting = Event._waiting(self, INBOX_BATCH, inbox.put_off())
        if not waiting:
            return set()
        if self.env.context.get("keycrm_single_item"):
            events = Event._unfinished(self, [order.number for order in waiting])
            events = run_in_transaction(self.env.cr, events._one_order_begun)
            return self._work_numbers(client, events.mapped("keycrm_order_id")[:1], events)
        if len(waiting) < INBOX_BATCH:
            waiting, grows = self._debounced(waiting)
            if not waiting:
                return set()
        else:
            grows = False
        gone = [
            order.number
            for order in waiting
            if order.is_missing_in_keycrm and not order.is_above_known
        ]
        if gone:
            run_in_transaction(self.env.cr, lambda: Event._ignore_gone(self, gone))
            return set(gone)
        events = Event._unfinished(self, [order.number for order in waiting])
        young = fields.Datetime.now() - timedelta(seconds=BURST_SECONDS)
        if grows and min(events.mapped("received_at")) > young:
            return set()
        # Nothing is held open while KeyCRM is asked.
        self.env.cr.commit()
        account = self.with_context(keycrm_burst=len(waiting) > READ_SINGLY_UP_TO)
        return account._work_waiting(client, waiting, events)

    def _work_waiting(self, client, waiting, events):
        """Read and write the most urgent of the orders that wait.

        :param waiting: list of :class:`~...services.order_priorities.WaitingOrder`
        :param events: ``keycrm.event`` records of these orders
        :return: numbers of the orders that were worked
        """
        worked = set()
        above = [order for order in waiting if order.is_above_known]
        doubtful = {
            order.number for order in above if order.rank == FAR or order.is_missing_in_keycrm
        }
        if len(above) > FEW_NEW or doubtful:
            if InboxState.of(self).may_read_newest():
                worked = self._work_newest(client, waiting, events)
            elif doubtful:
                run_in_transaction(
                    self.env.cr, lambda: self.env["keycrm.event"]._put_off(self, doubtful)
                )
                worked = doubtful
            waiting = [order for order in waiting if order.number not in worked]
        told = [order.number for order in waiting if order.rank in (NEW_ORDER, WEBHOOK)]
        others = [order for order in waiting if order.rank not in (NEW_ORDER, WEBHOOK)]
        # They are in turns, the newest and the oldest first: where lists lack them, both come soon.
        worked |= self._work_numbers(client, told, events, 2 * MOST_SINGLES)
        if others and not (told and self._is_time_up()):
            worked |= self._work_retries(client, others[: 1 if told else 2 * MOST_SINGLES], events)
        return worked

    def _work_numbers(self, client, numbers, events, singles=None):
        """Read and write some orders.

        :param singles: how many are read one by one at the most
        :return: numbers of the orders that were worked
        """
        worked = set()
        own = events.filtered(lambda event: event.keycrm_order_id in set(numbers))
        if not own:
            return worked
        for read in self._read_orders(client, numbers, own._time_hints(), singles):
            worked.update(read)
            self._write_orders(client, read, own)
        return worked

    def _work_retries(self, client, orders, events):
        """Read what Odoo itself enqueued and what failed before; one by one, since no list tells of them.

        While KeyCRM cannot give orders, a single one of those that failed for it is read: what fails
        again puts off the others.

        :param orders: list of :class:`~...services.order_priorities.WaitingOrder`
        """
        worked = set()
        for order in orders:
            client.begins = client.begins or bool(worked)
            read = {order.number: self._read_order(client, order.number)}
            worked.add(order.number)
            own = events.filtered(lambda event, order=order: event.keycrm_order_id == order.number)
            self._write_orders(client, read, own)
            error = read[order.number]
            if order.is_outage and isinstance(error, KeyCrmError) and is_outage(error):
                run_in_transaction(
                    self.env.cr, lambda: self.env["keycrm.event"]._put_off_outage(self)
                )
                break
            if self._is_time_up():
                break
        return worked

    def _work_newest(self, client, waiting, events):
        """Read KeyCRM's newest orders with one list: the new ones among those that wait are in it, and
        numbers above the first of them are of no order, however many somebody made up.

        :return: numbers of the orders that were worked, and of those that do not exist
        """
        try:
            page = client.page("/order", {**self._order_query(), "sort": "-id"})
        except LIST_ERRORS:
            return set()
        rows = page.numbered
        if not rows or list(rows) != sorted(rows, reverse=True):
            return set()
        numbers = {order.number for order in waiting}
        found = {number: self._parsed(row) for number, row in rows.items() if number in numbers}
        self._enrich_all(client, found)
        worked = set(found)
        for part in self._parts(found):
            self._write_orders(client, part, events)
        newest = next(iter(rows))
        run_in_transaction(
            self.env.cr, lambda: self.env["keycrm.event"]._ignore_above(self, newest)
        )
        return worked | {number for number in numbers if number > newest}

    def _debounced(self, waiting):
        """Let a burst of webhooks gather for a moment.

        :param waiting: what was due a moment ago
        :return: what is due now; whether the burst goes on
        """
        Event, put_off = self.env["keycrm.event"], InboxState.of(self).put_off()
        for _ in range(BURST_LOOKS):
            before = len(waiting)
            # Also those that are worked: where each is worked before the next one comes, none would wait.
            if before <= READ_SINGLY_UP_TO and Event._recent_count(self) <= READ_SINGLY_UP_TO:
                return waiting, False
            self.env.cr.commit()
            time.sleep(BURST_PAUSE)
            waiting = Event._waiting(self, INBOX_BATCH, put_off)
            if len(waiting) < before + BURST_GROWTH:
                return waiting, False
        return waiting, True

    # === READING ===#

    def _read_orders(self, client, order_ids, hints, singles=None):
        """Read orders by number: singly when few, else from lists first, since there is no filter by id.

        :param order_ids: KeyCRM's numbers
        :param hints: see :meth:`~.keycrm_event.KeycrmEvent._time_hints`
        :param singles: how many are read one by one at the most; None for all
        :return: iterator of ``{number: Order or KeyCrmError}``, in parts that are written at once
        """
        missing = dict.fromkeys(order_ids)
        if len(missing) > READ_SINGLY_UP_TO and InboxState.of(self).are_lists_useful():
            found = {}
            try:
                self._read_from_lists(client, hints, missing, found)
            except KeyCrmError:
                yield from self._parts(found)
                raise
            # Of a burst that has just begun, the first page of a list may miss the few that wait.
            if not found and len(order_ids) >= PAGE_SIZE:
                InboxState.of(self).record_useless_list()
            yield from self._parts(found)
        part = {}
        for count, order_id in enumerate(list(missing)[:singles]):
            # What was read so far can be written without it. The first one is waited for: or under a low
            # limit nothing but lists would be read.
            client.begins = client.begins or count > 0
            try:
                part[order_id] = self._read_order(client, order_id)
            except KeyCrmError:
                yield from self._parts(part)
                raise
            if self._is_time_up():
                break
            if len(part) == READ_BATCH:
                yield part
                part = {}
        yield from self._parts(part)

    def _read_from_lists(self, client, hints, missing, found):
        """Read orders from lists, then what they refer to, for all of them at once.

        :param missing: numbers of the orders; what is found is taken out
        :param found: ``{number: Order or KeyCrmError}``, to be filled, also when reading breaks off
        """
        for page in self._hinted_pages(client, hints, len(missing)):
            for number, row in page.numbered.items():
                if number in missing:
                    found[number] = self._parsed(row)
                    del missing[number]
            # One more page would cost as much as the last one singly, and may not hold it. After a page
            # without any of them, neither.
            if len(missing) <= 1 or self._is_time_up() or page.numbered.keys().isdisjoint(found):
                break
        self._enrich_all(client, found)

    def _enrich_all(self, client, found):
        """Read what orders refer to, for all of them at once.

        :param found: ``{number: Order or KeyCrmError}``, to be completed
        """
        orders = [order for order in found.values() if isinstance(order, Order)]
        found.update((order.id, order) for order in self._enrich(client, orders))

    def _read_order(self, client, order_id):
        """Read one order. An order that KeyCRM cannot give while it is well fails alone.

        :return: Order, or the error that says why there is none
        :raise KeyCrmError: when KeyCRM as a whole is in trouble
        """
        try:
            return self._parsed(client.get(f"/order/{order_id}", self._order_query()))
        except KeyCrmError as error:
            if (
                isinstance(error, NotFound)
                and client.has_just_answered()
                and self._is_new(order_id)
            ):
                # No probe for each of many that somebody made up.
                return ImportProblem("order_gone", order=order_id)
            # Also "not found" counts only when KeyCRM is well: it may be the address that is wrong.
            if not CircuitBreaker(self).is_request_at_fault(error):
                raise
            if isinstance(error, NotFound):
                return ImportProblem("order_gone", order=order_id)
            return error

    def _is_new(self, order_id):
        """Return whether Odoo does not have an order."""
        domain = [("keycrm_account_id", "=", self.id), ("keycrm_id", "=", order_id)]
        return not self.env["sale.order"].search_count(domain, limit=1)

    def _hinted_pages(self, client, hints, count):
        """Return pages of the order list that most likely hold the orders of these events.

        Sorted by the last update, newest first: what a webhook told of was updated a moment ago. Ends
        after a page that holds nothing that is wanted would be too early (others are updated too), so
        it ends by number: one page for every fifty orders, and two more.
        """
        query = {
            **self._order_query(),
            "filter[updated_between]": f"{utc_text(hints['since'])},{utc_text(hints['until'])}",
            "sort": "-updated_at",
        }
        try:
            for page in client.pages("/order", query):
                yield page
                if page.number >= -(-count // PAGE_SIZE) + 2:
                    return
        except LIST_ERRORS:
            # One order may spoil the page: read singly, it is found.
            return

    def _order_query(self):
        includes = ORDER_INCLUDES if self.import_payments else ORDER_INCLUDES_WITHOUT_PAYMENTS
        return {"include": includes}

    @staticmethod
    def _parsed(row):
        """:return: Order, or the error that says what is wrong with it"""
        try:
            order = Order.parse(row)
        except MalformedAnswer as error:
            return error
        except Exception as error:
            _logger.exception("KeyCRM: an order cannot be parsed")
            return ImportProblem("unexpected", kind=type(error).__name__)
        return ImportProblem("order_gone", order=order.id) if order.is_deleted else order

    def _parts(self, orders):
        while orders:
            yield self._next_part(orders)

    def _next_part(self, orders):
        """Take as many orders as are written in about a second.

        :param orders: ``{number: Order or KeyCrmError}``; what is taken is removed from it
        :return: the part, of the same kind
        """
        statuses = self.status_ids
        confirmed = set(
            statuses.filtered(lambda s: s.order_action == "confirm").mapped("keycrm_id")
        )
        part, weight = {}, 0
        for number, order in list(orders.items()):
            heavy = isinstance(order, Order) and order.status_id in confirmed
            weight += CONFIRM_WEIGHT if heavy else 1
            if part and weight > IMPORT_BATCH:
                break
            part[number] = orders.pop(number)
        return part
