import logging
from dataclasses import replace

from psycopg2.errors import LockNotAvailable

from odoo.exceptions import ConcurrencyError
from odoo.tools import SQL

from ...const import CONFIRM_WEIGHT, IMPORT_BATCH, ROW_LOCKED_PAUSE, UNREADABLE_ORDER
from ...keycrm.errors import KeyCrmError, Locked
from ...keycrm.orders import Order
from ...keycrm.product_data import Goods
from ..common import crons
from ..common.concurrency import CONCURRENCY_ERRORS, ERRORS_OF_NO_RECORD, STORAGE_ERRORS
from ..common.service import Service
from ..common.transactions import company_lock, run_in_transaction
from . import contacts
from .order_enrichment import OrderEnrichment, with_offers
from .order_import import ImportOptions, ImportResult
from .order_priorities import InboxState

_logger = logging.getLogger(__name__)

#: How long each part of a bisected batch waits for a row lock.
ISOLATING_LOCK_TIMEOUT = "200ms"


class OrderWriter(Service):
    """Write orders that were read from KeyCRM, however they were found.

    A batch is one transaction and one savepoint. On failure it is bisected until the faulty order is
    isolated, so that it fails alone.
    """

    def write_orders(
        self, read, events, *, on_written=None, import_options=None, is_high_load=False
    ):
        """Write orders, and finish their events, in one transaction.

        Exactly the events that existed before the order was read are finished; one that was received
        since stays and is processed next. Where only the catalog is still to be read, for products that
        Odoo has, users see the order first; its events are finished when the products are updated, so
        an interruption in between is repeated.

        :param read: ``{number: Order or KeyCrmError}``
        :param events: ``keycrm.event`` records that were read from the inbox before; none for orders of a
            page, which were enriched all at once
        :param on_written: called with the results in the same transaction
        :param import_options: :class:`~.order_import.ImportOptions`
        :param is_high_load: see :meth:`~.order_enrichment.OrderEnrichment.enrich`
        :return: ``{number: ImportResult}``
        """
        enrichment = self.service(OrderEnrichment)
        read = enrichment.refresh_lists(read)
        orders = [order for order in read.values() if isinstance(order, Order)]
        unread = []
        if events:
            orders, unread = enrichment.enrich_or_defer(orders, is_high_load=is_high_load)

        def import_part(part, *, isolate_conflicts):
            results = self.import_orders(
                [order for order in orders if order.id in part],
                import_options,
                isolate_conflicts=isolate_conflicts,
            )
            for number, order in part.items():
                if isinstance(order, KeyCrmError):
                    results[number] = self.record_error(number, order)
            results.update(self._incomplete(results, orders))
            if not unread:
                finish(results)
            return results

        def finish(results):
            # Only the events of these orders: an error of another order must not be raised again.
            own = events.filtered(lambda event: event.keycrm_order_id in results)
            own._finish(results)
            self.env["keycrm.latency"]._record_orders(self.account, own)
            self.env["keycrm.order.status"]._record_received(self.account, own)
            if on_written:
                on_written(results)

        with company_lock(self.account):
            results = self._run_bisecting(read, import_part, events)
        if not unread:
            return results
        offers, errors = enrichment.read_offers(unread)
        incomplete = [with_offers(order, {}, errors) for order in orders]

        def update_products(part, **_options):
            failed = self._update_products(orders, offers)
            for number in failed.keys() & part.keys():
                failed[number].order_id = part[number].order_id
            merged = {
                number: one if one.code else failed.get(number, one) for number, one in part.items()
            }
            merged.update(self._incomplete(merged, incomplete))
            finish(merged)
            return merged

        with company_lock(self.account):
            return self._run_bisecting(results, update_products, events)

    def import_orders(self, orders, import_options=None, *, isolate_conflicts=False):
        """Write orders into Odoo in one savepoint; on failure the batch is bisected.

        :param orders: list of :class:`~.keycrm.orders.Order`
        :param import_options: :class:`~.order_import.ImportOptions`
        :param isolate_conflicts: whether a conflict with another transaction is taken for the fault of
            one order, because it occurs at each attempt
        :return: ``{number: ImportResult}``
        :raise psycopg2.Error: concurrency errors, so that the caller retries the transaction
        """
        if not orders:
            return {}
        import_options = import_options or ImportOptions()
        try:
            with self.env.cr.savepoint():
                return self._import_batch(orders, import_options)
        except LockNotAvailable as error:
            if len(orders) == 1:
                return {orders[0].id: ImportResult.failed(error)}
            # One timeout has passed already, so the other orders wait for a shorter time.
            self.env.cr.execute(SQL("SET LOCAL lock_timeout = %s", ISOLATING_LOCK_TIMEOUT))
        except Exception as error:  # the fault of one order does not affect the others
            is_order_at_fault = isolate_conflicts and isinstance(error, ConcurrencyError)
            if isinstance(error, ERRORS_OF_NO_RECORD) and not is_order_at_fault:
                raise
            if len(orders) == 1:
                return {orders[0].id: self._import_tolerantly(orders[0], import_options, error)}
            _logger.info(
                "KeyCRM account %s: batch fails (%r), bisecting it", self.account.id, error
            )
        middle = len(orders) // 2
        return {
            **self.import_orders(
                orders[:middle], import_options, isolate_conflicts=isolate_conflicts
            ),
            **self.import_orders(
                orders[middle:], import_options, isolate_conflicts=isolate_conflicts
            ),
        }

    def record_error(self, number, error):
        """Record why an order could not be read; nothing else of it is changed.

        An order that KeyCRM does not have is marked as deleted, and a malformed one displays the error.

        :param number: KeyCRM's
        :param error: :class:`~.keycrm.errors.KeyCrmError`
        :return: :class:`~.order_import.ImportResult`
        """
        if error.code not in ("order_not_found", *UNREADABLE_ORDER):
            return ImportResult.failed(error)
        order = self.env["sale.order"].search(
            [("keycrm_account_id", "=", self.account.id), ("keycrm_id", "=", number)]
        )
        if error.code != "order_not_found":
            params = {**error.params, "currency": order.currency_id.name}
            order._keycrm_set_problem(error.code, params)
            result = ImportResult.failed(error)
            result.order_id = order.id
            return result
        order._keycrm_mark_deleted()
        return ImportResult(order.id, skipped=True, code=error.code, params=error.params)

    def _incomplete(self, results, orders):
        """Return the results of orders that were written without rows that could not be read.

        One order of each row fails, and is read again: then the product or company is updated for all.

        :param results: ``{number: ImportResult}``
        :param orders: list of :class:`~.keycrm.orders.Order`
        :return: ``{number: ImportResult}`` of failures
        """
        written = [
            order
            for order in orders
            if order.unread
            and (result := results.get(order.id))
            and result.order_id
            and not result.code
        ]
        if not written:
            return {}
        numbers = [order.id for order in orders]
        reported = self.env["keycrm.event"]._unread_rows(self.account, numbers)
        failed = {}
        for order in written:
            rows = {(error.params["row"], error.params["number"]): error for error in order.unread}
            new = rows.keys() - reported
            if new:
                reported |= new
                error = next(error for row, error in rows.items() if row in new)
                failed[order.id] = ImportResult.failed(error, order)
                failed[order.id].order_id = results[order.id].order_id
        return failed

    # === PARTS ===#

    def parts(self, orders):
        """Split orders into parts.

        :param orders: ``{number: Order or KeyCrmError}``, emptied on the way
        :return: iterator over parts of the same kind
        """
        while orders:
            yield self.next_part(orders)

    def next_part(self, orders):
        """Take as many orders as are written in about a second.

        :param orders: ``{number: Order or KeyCrmError}``; those of the part are removed from it
        :return: the part, of the same kind
        """
        confirmed = set(
            self.account.status_ids.filtered(
                lambda status: status.order_action == "confirm"
            ).mapped("keycrm_id")
        )
        part, weight = {}, 0
        for number, order in list(orders.items()):
            is_heavy = isinstance(order, Order) and order.status_id in confirmed
            weight += CONFIRM_WEIGHT if is_heavy else 1
            if part and weight > IMPORT_BATCH:
                break
            part[number] = orders.pop(number)
        return part

    # === ISOLATION OF FAULTY ORDERS ===#

    def _run_bisecting(self, items, work, events):
        """Process orders in a transaction; on failure bisect them until the faulty one is isolated.

        :param items: by KeyCRM's order number
        :param work: called with a part of the items and ``isolate_conflicts``; must be idempotent
        :param events: ``keycrm.event`` records of the orders
        :return: ``{number: ImportResult}``
        """
        try:
            return self._run_isolating_conflicts(work, items)
        except Exception as error:
            if self.env.cr.closed or isinstance(error, (KeyCrmError, *STORAGE_ERRORS)):
                raise
            if len(items) == 1:
                (number,) = items
                return self._record_failure(number, error, events)
            _logger.info("KeyCRM account %s: %r, isolating the order", self.account.id, error)
        parts = list(items.items())
        middle = len(parts) // 2
        return {
            **self._run_bisecting(dict(parts[:middle]), work, events),
            **self._run_bisecting(dict(parts[middle:]), work, events),
        }

    def _run_isolating_conflicts(self, work, items):
        """Process orders in a transaction of their own.

        Where a unique violation is repeated at each attempt, one of the orders causes it and no other
        transaction: it is isolated, and fails alone.
        """
        cr = self.env.cr
        try:
            return run_in_transaction(cr, lambda: work(items, isolate_conflicts=False))
        except ConcurrencyError:
            return run_in_transaction(cr, lambda: work(items, isolate_conflicts=True))

    def _record_failure(self, number, error, events):
        """Record why an order could not be processed, with as few writes as possible.

        :param number: KeyCRM's
        :param error: the exception
        :param events: ``keycrm.event`` records, also of other orders
        :return: ``{number: ImportResult}``
        """
        result = ImportResult.failed(Locked() if isinstance(error, CONCURRENCY_ERRORS) else error)
        own = events.filtered(lambda event: event.keycrm_order_id == number)
        try:
            run_in_transaction(self.env.cr, lambda: own._finish({number: result}))
        except CONCURRENCY_ERRORS:
            # Another transaction has locked the events too.
            InboxState.for_account(self.account).skip(number)
            crons.trigger(self.account, crons.ORDERS, delay=ROW_LOCKED_PAUSE)
            self.env.cr.commit()
        return {number: result}

    def _import_tolerantly(self, order, import_options, error):
        """Write an order that Odoo refuses once more, without the values that it refuses.

        :param error: why it was refused
        :return: :class:`~.order_import.ImportResult`
        """
        if not contacts.is_refusal(error):
            return ImportResult.failed(error, order)
        try:
            with self.env.cr.savepoint():
                return self._import_batch([order], replace(import_options, is_tolerant=True))[
                    order.id
                ]
        except Exception as again:
            if isinstance(again, ERRORS_OF_NO_RECORD) and not isinstance(again, LockNotAvailable):
                raise
            return ImportResult.failed(again, order)

    # === MODELS ===#

    def _import_batch(self, orders, import_options):
        importer = self.env["keycrm.order.importer"].with_company(self.account.company_id)
        return importer._import_batch(self.account, orders, import_options)

    def _update_products(self, orders, offers):
        """Update the products of orders that are written already from the catalog.

        :param orders: list of :class:`~.keycrm.orders.Order`
        :param offers: ``{number: Offer}``
        :return: ``{order number: ImportResult}`` of the orders whose products could not be written
        """
        importer = self.env["keycrm.order.importer"]._with_import_context(self.account)
        matcher = importer.with_company(self.account.company_id).env["keycrm.product.matcher"]
        failed = {}
        everything = list(offers.values())
        # All at once; after a failure one by one, to isolate the faulty product.
        for parts in [everything] if everything else [], [[offer] for offer in everything]:
            failed = {}
            for some in parts:
                try:
                    with self.env.cr.savepoint():
                        matcher._match(
                            self.account, [Goods.of_offer(offer) for offer in some], make=False
                        )
                except Exception as error:  # the fault of one product does not affect the others
                    if isinstance(error, ERRORS_OF_NO_RECORD) and not isinstance(
                        error, LockNotAvailable
                    ):
                        raise
                    failed.update((offer.id, error) for offer in some)
            if not failed:
                break
        return {
            order.id: ImportResult.failed(failed[line.offer.id], order)
            for order in orders
            for line in order.lines
            if line.offer and line.offer.id in failed
        }
