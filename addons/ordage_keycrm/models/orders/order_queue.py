import logging

from psycopg2.errors import LockNotAvailable

from odoo import fields, models
from odoo.exceptions import ConcurrencyError
from odoo.tools import SQL

from ...const import ROW_LOCKED_PAUSE, UNREADABLE_ORDER
from ...keycrm.errors import (
    KeyCrmError,
    Locked,
)
from ...keycrm.orders import Order
from ...services import contacts, crons
from ...services.concurrency import CONCURRENCY_ERRORS
from ...services.order_priorities import InboxState
from ...services.transactions import company_lock, run_in_transaction
from .importer.result import ImportResult

_logger = logging.getLogger(__name__)

#: In one of so many turns polling and status updates come before the inbox.
OTHERS_TURN = 4
#: How long each part of a batch waits for a row, while the order that somebody works on is looked for.
ISOLATING_LOCK_TIMEOUT = "200ms"


class KeycrmAccount(models.Model):
    """The orders' worker: inbox first, then what is due of catch-up and bulk work."""

    _inherit = "keycrm.account"

    def _work_orders(self, client, options=None):
        """Do one piece of work, the most urgent one.

        :param client: live client
        :param options: :class:`~...services.service.Options` of the worker
        :return: True when there may be more
        """
        self.ensure_one()
        self = self._with_options(options)
        if not self.enabled:
            return self._work_orders_before_start()
        inbox = InboxState.of(self)
        inbox.turns += 1
        if not inbox.turns % OTHERS_TURN and self._work_others(client):
            # However long the inbox is, polling and status updates go on.
            return True
        return (
            self._work_inbox(client)
            or self._work_others(client)
            or self._work_bulk()
            # A burst that is still gathering.
            or bool(self.env["keycrm.event"]._waiting(self, 1, inbox.put_off()))
        )

    def _work_others(self, client):
        """Send one status update, or read one page of what was updated.

        :return: True when there was something
        """
        return self.env["keycrm.status.update"]._work(self, client) or self._run_guarded(
            "catch_up", lambda: self._work_polling(client)
        )

    # === WRITING ===#

    def _write_orders(self, client, read, events, then=None):
        """Write orders that were read, and finish their events, in one transaction.

        Exactly the events that were there before the order was read are finished; one that came since
        stays and is worked next. Where only the catalog is still to be asked about products that Odoo
        has, a person sees the order first; its events are finished when the products have followed, so
        whatever breaks off between is done again.

        :param read: ``{number: Order or KeyCrmError}``
        :param events: ``keycrm.event`` records that were read from the inbox before
        :param then: called with the outcomes in the same transaction
        :return: ``{number: ImportResult}``
        """
        read = self._with_known_lists(client, read)
        orders = [order for order in read.values() if isinstance(order, Order)]
        unread = set()
        orders = self._enrich(client, orders, unread if events else None)

        def write(account, part):
            outcomes = account._import_orders([order for order in orders if order.id in part])
            for number, order in part.items():
                if isinstance(order, KeyCrmError):
                    outcomes[number] = self._outcome_of_error(number, order)
            if not unread:
                finish(outcomes)
            return outcomes

        def finish(outcomes):
            # Of these orders alone: another one's fault is not met again.
            own = events.filtered(lambda event: event.keycrm_order_id in outcomes)
            own._finish(outcomes)
            self.env["keycrm.latency"]._record_orders(self, own)
            self.env["keycrm.order.status"]._record_received(self, own)
            if then:
                then(outcomes)

        with company_lock(self):
            outcomes = self._isolated(read, write, events)
        if not unread:
            return outcomes
        offers = self._offers_by_number(client, unread)

        def follow(_account, part):
            failed = self._follow_offers(orders, offers)
            told = {
                number: one if one.code else failed.get(number, one) for number, one in part.items()
            }
            finish(told)
            return told

        with company_lock(self):
            return self._isolated(outcomes, follow, events)

    def _isolated(self, items, work, events):
        """Work on orders in a transaction of its own. Whatever fails of it, at any stage, is bisected until
        the faulty order is isolated; that one fails alone.

        :param items: by KeyCRM's order number
        :param work: called with the account and a part of the items; has to be safe to repeat
        :param events: ``keycrm.event`` records of the orders
        :return: ``{number: ImportResult}``
        """
        try:
            return self._run_isolating_conflicts(lambda account: work(account, items))
        except Exception as error:
            if self.env.cr.closed or isinstance(error, KeyCrmError):
                raise
            if len(items) == 1:
                (number,) = items
                return self._record_unfinished(number, error, events)
            _logger.info("KeyCRM account %s: %r, isolating the order", self.id, error)
        parts = list(items.items())
        middle = len(parts) // 2
        return {
            **self._isolated(dict(parts[:middle]), work, events),
            **self._isolated(dict(parts[middle:]), work, events),
        }

    def _record_unfinished(self, number, error, events):
        """Record what kept an order from being finished, with as little as can be written.

        :param error: what was raised
        :return: ``{number: ImportResult}``
        """
        outcome = ImportResult.failed(Locked() if isinstance(error, CONCURRENCY_ERRORS) else error)
        own = events.filtered(lambda event: event.keycrm_order_id == number)
        try:
            run_in_transaction(self.env.cr, lambda: own._finish({number: outcome}))
        except CONCURRENCY_ERRORS:
            # Somebody holds the events too.
            InboxState.of(self).put_off(number)
            crons.trigger(self, crons.ORDERS, delay=ROW_LOCKED_PAUSE)
            self.env.cr.commit()
        return {number: outcome}

    def _run_isolating_conflicts(self, write):
        """Write orders in a transaction of its own. Where something is said to be there already time and
        again, no other transaction is to blame but one of the orders: it is looked for, and fails alone.

        :param write: called with the account; has to be safe to repeat
        :return: what it returns
        """
        try:
            return run_in_transaction(self.env.cr, lambda: write(self))
        except ConcurrencyError:
            blaming = self.with_context(keycrm_isolate_conflicts=True)
            return run_in_transaction(self.env.cr, lambda: write(blaming))

    def _outcome_of_error(self, number, error):
        """Return what becomes of an order that could not be read; one that is gone is marked, and one whose
        answer is malformed shows so: nothing of it is changed.
        """
        if error.code not in ("order_gone", *UNREADABLE_ORDER):
            return ImportResult.failed(error)
        order = self.env["sale.order"].search(
            [("keycrm_account_id", "=", self.id), ("keycrm_id", "=", number)]
        )
        if error.code != "order_gone":
            order._keycrm_set_problem(error.code, error.params)
            outcome = ImportResult.failed(error)
            outcome.order_id = order.id
            return outcome
        order._keycrm_mark_deleted()
        return ImportResult(order.id, skipped=True, code=error.code, params=error.params)

    def _import_orders(self, orders):
        """Write orders into Odoo: all in one savepoint; after a failure in halves, down to the one
        whose fault it is.

        :param orders: list of :class:`~..keycrm.orders.Order`
        :return: ``{number: ImportResult}``
        :raise psycopg2.Error: concurrency errors, for the caller to repeat the transaction
        """
        importer = self.env["keycrm.order.importer"].with_company(self.company_id)
        if not orders:
            return {}
        try:
            with self.env.cr.savepoint():
                return importer._import_batch(self, orders)
        except LockNotAvailable as error:
            if len(orders) == 1:
                return {orders[0].id: ImportResult.failed(error)}
            # It was waited for; the others do not wait as long again while the order is looked for.
            self.env.cr.execute(SQL("SET LOCAL lock_timeout = %s", ISOLATING_LOCK_TIMEOUT))
        except Exception as error:  # one order's fault never stops the others
            if isinstance(error, CONCURRENCY_ERRORS) and not self._is_order_conflict(error):
                raise
            if len(orders) == 1:
                return {orders[0].id: self._import_tolerantly(importer, orders[0], error)}
            _logger.info("KeyCRM account %s: batch fails (%r), going on in halves", self.id, error)
        middle = len(orders) // 2
        return {**self._import_orders(orders[:middle]), **self._import_orders(orders[middle:])}

    def _import_tolerantly(self, importer, order, error):
        """Write an order that Odoo refuses once more, without what it refuses of its contacts.

        :param error: why it was refused
        :return: :class:`~..outcome.ImportResult`
        """
        if not isinstance(error, contacts.REFUSALS):
            return ImportResult.failed(error)
        try:
            with self.env.cr.savepoint():
                return contacts.tolerant(importer)._import_batch(self, [order])[order.id]
        except Exception as again:
            if isinstance(again, CONCURRENCY_ERRORS) and not isinstance(again, LockNotAvailable):
                raise
            return ImportResult.failed(again)

    def _is_order_conflict(self, error):
        """Return whether what looks like another transaction is to be blamed on an order."""
        blame = self.env.context.get("keycrm_isolate_conflicts")
        return bool(blame) and isinstance(error, ConcurrencyError)

    # === CATCH-UP ===#

    def _work_polling(self, client):
        """Ask what was updated since the last look, so that a lost webhook is made up for.

        What was updated is noted in the inbox like a webhook; the inbox reads and writes it.

        :return: True when something was noted
        """
        now = fields.Datetime.now()
        if not self.polling_page and self._was_polled_recently(now):
            return False
        return self.env["keycrm.order.polling"]._look(self, client, now)
