import logging
import time
from datetime import timedelta

from odoo import fields, models
from odoo.exceptions import ConcurrencyError

from ..concurrency import OTHER_WAS_FASTER
from ..const import CONFIRM_WEIGHT, IMPORT_BATCH, READ_SINGLY_UP_TO
from ..keycrm.client import PAGE_SIZE
from ..keycrm.errors import (
    ImportProblem,
    KeyCrmError,
    MalformedAnswer,
    NotFound,
    Refused,
    ServerTrouble,
    TimedOut,
    Unreachable,
)
from ..keycrm.records import ORDER_INCLUDES, ORDER_INCLUDES_WITHOUT_PAYMENTS, Order
from ..keycrm.values import utc_text
from ..outcome import Outcome

_logger = logging.getLogger(__name__)

#: Events that one look at the inbox takes: more orders than a worker writes before it makes room for others.
INBOX_BATCH = 500
#: Orders that are read one by one before they are written: a backlog is seen to shrink.
READ_BATCH = 10
#: A burst of webhooks gathers as long as it grows: seconds between two looks, looks of one run, and
#: orders more that make it grow. A list of fifty then answers for more of them.
BURST_PAUSE = 0.5
BURST_LOOKS = 4
BURST_GROWTH = 5
#: Nobody waits longer than this for a burst to end: one of ten seconds is read once.
BURST_SECONDS = 15


class KeycrmAccount(models.Model):
    """The orders' worker: inbox first, then what is due of catch-up and bulk work."""

    _inherit = "keycrm.account"

    def _work_orders(self, client):
        """Do one piece of work, the most urgent one.

        :return: True when there may be more
        """
        self.ensure_one()
        if not self.enabled:
            return self._work_orders_before_start()
        return (
            self._work_inbox(client)
            or self.env["keycrm.status.push"]._work(self, client)
            or self._aside("catch_up", lambda: self._work_catch_up(client))
            or self._work_bulk()
            # A burst that is still gathering.
            or bool(self.env["keycrm.event"]._due(self, limit=1))
        )

    # === INBOX ===#

    def _work_inbox(self, client):
        """Take what lies in the inbox, read these orders from KeyCRM and write them.

        :return: KeyCRM's numbers of the orders that were worked; empty when the inbox is. What the time
            did not allow stays for the next run
        """
        Event = self.env["keycrm.event"]
        events = Event._due(self, limit=INBOX_BATCH)
        if not events:
            return set()
        if self.env.context.get("keycrm_careful"):
            events, grows = self._committed(events._one_order_begun), False
        else:
            events, grows = self._gathered(events)
        young = fields.Datetime.now() - timedelta(seconds=BURST_SECONDS)
        if grows and min(events.mapped("received_at")) > young:
            return set()
        # What failed before comes last: it may take long to fail again.
        by_tries = events.sorted(lambda event: (event.attempts, event.id))
        order_ids = list(dict.fromkeys(by_tries.mapped("keycrm_order_id")))
        hints = events._reading_hints()
        # Nothing is held open while KeyCRM is asked.
        self.env.cr.commit()
        account = self.with_context(keycrm_burst=len(order_ids) > READ_SINGLY_UP_TO)
        worked = set()
        for read in account._read_orders(client, order_ids, hints):
            worked.update(read)
            account._write_orders(client, read, events)
        return worked

    def _gathered(self, events):
        """Let a burst of webhooks gather for a moment.

        :param events: what was due a moment ago
        :return: what is due now; whether the burst goes on
        """
        for _ in range(BURST_LOOKS):
            before = len(set(events.mapped("keycrm_order_id")))
            # Also those that are worked: where each is worked before the next one comes, none would wait.
            if before <= READ_SINGLY_UP_TO and events._told_lately(self) <= READ_SINGLY_UP_TO:
                return events, False
            self.env.cr.commit()
            time.sleep(BURST_PAUSE)
            events = events._due(self, limit=INBOX_BATCH)
            if len(set(events.mapped("keycrm_order_id"))) < before + BURST_GROWTH:
                return events, False
        return events, True

    def _read_orders(self, client, order_ids, hints):
        """Read orders by number: singly when few, else from lists first, since there is no filter by id.

        :param order_ids: KeyCRM's numbers
        :param hints: see :meth:`~.keycrm_event.KeycrmEvent._reading_hints`
        :return: iterator of ``{number: Order or KeyCrmError}``, in parts that are written at once
        """
        missing = dict.fromkeys(order_ids)
        if len(missing) > READ_SINGLY_UP_TO:
            found = {}
            try:
                self._read_from_lists(client, hints, missing, found)
            except KeyCrmError:
                yield from self._parts(found)
                raise
            yield from self._parts(found)
        part = {}
        for order_id in missing:
            # What was read so far can be written without it.
            client.begins = True
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
            # One more page would cost as much as the last one singly, and may not hold it.
            if len(missing) <= 1 or self._is_time_up():
                break
        orders = [order for order in found.values() if isinstance(order, Order)]
        found.update((order.id, order) for order in self._learn_for(client, orders))

    def _read_order(self, client, order_id):
        """Read one order. An order that KeyCRM cannot give while it is well fails alone.

        :return: Order, or the error that says why there is none
        :raise KeyCrmError: when KeyCRM as a whole is in trouble
        """
        try:
            return self._parsed(client.get(f"/order/{order_id}", self._order_query()))
        except KeyCrmError as error:
            # Also "not found" counts only when KeyCRM is well: it may be the address that is wrong.
            if not self._is_of_this_request(error):
                raise
            if isinstance(error, NotFound):
                return ImportProblem("order_gone", order=order_id)
            return error

    def _hinted_pages(self, client, hints, count):
        """Give pages of the order list that most likely hold the orders of these events.

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
        except (MalformedAnswer, Refused, ServerTrouble, TimedOut, Unreachable):
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
        return ImportProblem("order_gone", order=order.id) if order.is_deleted else order

    def _parts(self, orders):
        while orders:
            yield self._next_part(orders)

    def _next_part(self, orders):
        """Take as many orders as are written in about a second.

        :param orders: ``{number: Order or KeyCrmError}``; what is taken is removed from it
        :return: the part, of the same kind
        """
        statuses = self.with_context(active_test=False).status_ids
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

    # === WRITING ===#

    def _write_orders(self, client, read, events, then=None):
        """Write orders that were read, and finish their events, in one transaction.

        Exactly the events that were there before the order was read are finished; one that came since
        stays and is worked next. Where only the catalogue is still to be asked about products that Odoo
        has, a person sees the order first; its events are finished when the products have followed, so
        whatever breaks off between is done again.

        :param read: ``{number: Order or KeyCrmError}``
        :param events: ``keycrm.event`` records that were read from the inbox before
        :param then: called with the outcomes in the same transaction
        :return: ``{number: Outcome}``
        """
        read = self._with_known_lists(client, read)
        orders = [order for order in read.values() if isinstance(order, Order)]
        unread = set()
        orders = self._learn_for(client, orders, unread if events else None)

        def write(account):
            outcomes = account._import_orders(orders)
            for number, order in read.items():
                if isinstance(order, KeyCrmError):
                    outcomes[number] = self._outcome_of_error(number, order)
            if not unread:
                finish(outcomes)
            return outcomes

        def finish(outcomes):
            events._finish(outcomes)
            self.env["keycrm.delay"]._note_orders(self, events)
            self.env["keycrm.order.status"]._note_told(self, events)
            if then:
                then(outcomes)

        with self._company_lock():
            outcomes = self._committed_blaming_orders(write)
        if not unread:
            return outcomes
        offers = self._offers_by_number(client, unread)

        def follow():
            failed = self._follow_offers(orders, offers)
            told = {
                number: one if one.code else failed.get(number, one)
                for number, one in outcomes.items()
            }
            finish(told)
            return told

        with self._company_lock():
            return self._committed(follow)

    def _committed_blaming_orders(self, write):
        """Write orders in a transaction of its own. Where something is said to be there already time and
        again, no other transaction is to blame but one of the orders: it is looked for, and fails alone.

        :param write: called with the account; has to be safe to repeat
        :return: what it returns
        """
        try:
            return self._committed(lambda: write(self))
        except ConcurrencyError:
            blaming = self.with_context(keycrm_blame_orders=True)
            return self._committed(lambda: write(blaming))

    def _outcome_of_error(self, number, error):
        """Say what becomes of an order that could not be read; one that is gone is marked."""
        if error.code != "order_gone":
            return Outcome.failed(error)
        order = self.env["sale.order"].search(
            [("keycrm_account_id", "=", self.id), ("keycrm_id", "=", number)]
        )
        order._keycrm_mark_deleted()
        return Outcome(order.id, skipped=True, code=error.code, params=error.params)

    def _import_orders(self, orders):
        """Write orders into Odoo: all in one savepoint; after a failure in halves, down to the one
        whose fault it is.

        :param orders: list of :class:`~..keycrm.records.Order`
        :return: ``{number: Outcome}``
        :raise psycopg2.Error: concurrency errors, for the caller to repeat the transaction
        """
        importer = self.env["keycrm.order.importer"].with_company(self.company_id)
        if not orders:
            return {}
        try:
            with self.env.cr.savepoint():
                return importer._import_batch(self, orders)
        except Exception as error:  # one order's fault never stops the others
            if isinstance(error, OTHER_WAS_FASTER) and not self._is_an_orders_fault(error):
                raise
            if len(orders) == 1:
                return {orders[0].id: Outcome.failed(error)}
            _logger.info("KeyCRM account %s: batch fails (%r), going on in halves", self.id, error)
        middle = len(orders) // 2
        return {**self._import_orders(orders[:middle]), **self._import_orders(orders[middle:])}

    def _is_an_orders_fault(self, error):
        """Tell whether what looks like another transaction is to be blamed on an order."""
        blame = self.env.context.get("keycrm_blame_orders")
        return bool(blame) and isinstance(error, ConcurrencyError)

    # === CATCH-UP ===#

    def _work_catch_up(self, client):
        """Ask what was updated since the last look, so that a lost webhook is made up for.

        What was updated is noted in the inbox like a webhook; the inbox reads and writes it.

        :return: True when something was noted
        """
        now = fields.Datetime.now()
        if not self.catch_up_page and self._was_asked_lately(now):
            return False
        return self.env["keycrm.catch.up"]._look(self, client, now)
