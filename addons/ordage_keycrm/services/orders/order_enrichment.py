import logging
from collections import deque
from dataclasses import replace
from datetime import datetime, timedelta

from odoo import fields

from ...keycrm.catalog import Company, Offer
from ...keycrm.client import PAGE_SIZE
from ...keycrm.errors import (
    ImportProblem,
    KeyCrmError,
    Locked,
    MalformedAnswer,
    QuotaExceeded,
    RateLimited,
    Unauthorized,
    of_row,
)
from ...keycrm.orders import Order
from ..common.api_gateway import open_client
from ..common.circuit_breaker import CircuitBreaker
from ..common.concurrency import CONCURRENCY_ERRORS, STORAGE_ERRORS
from ..common.list_pages import PART_TIMEOUT
from ..common.reference_lists import ReferenceLists
from ..common.service import Service
from ..common.transactions import run_in_transaction
from ..common.values import by_keycrm_id
from .order_import import ImportResult
from .order_priorities import InboxState

_logger = logging.getLogger(__name__)

#: How long a company is not read again.
COMPANY_FRESH = timedelta(days=1)
#: How long an offer is not read again for orders that did not change since.
CATALOG_FRESH = timedelta(days=1)
#: The same under high load, whether or not its orders changed.
HIGH_LOAD_FRESH = timedelta(minutes=1)
#: Maximum difference between KeyCRM's clock and Odoo's.
CLOCKS_APART = timedelta(minutes=2)
#: How long KeyCRM's lists are not read again for a status or source that they lacked.
UNLISTED_FRESH = timedelta(hours=1)


class OrderEnrichment(Service):
    """Read companies, offers, statuses and sources that orders refer to.

    The importer sends no request, so all of it is read before the orders are written, and no
    transaction stays open during a request. No order waits for what cannot be read, except for the
    lists of statuses and sources: it is written without it, and its ``unread`` states why.
    """

    # === COMPANIES AND OFFERS ===#

    def enrich(self, orders, *, is_high_load=False):
        """Read what is needed to write these orders.

        :param orders: list of :class:`~.keycrm.orders.Order`
        :param is_high_load: whether many webhooks arrived: offers are read less often then
        :return: the orders, completed by what was read
        :raise KeyCrmError: when the request quota is used up or the key is wrong
        """
        orders = self._with_companies(orders)
        wanted, _are_mapped = self._offers_to_read(orders, is_high_load=is_high_load)
        return self._with_offers(orders, wanted)

    def enrich_or_defer(self, orders, *, is_high_load=False):
        """Do the same, but defer offers where Odoo has the products of all of them.

        Such orders can be written before their products follow the catalog.

        :param orders: list of :class:`~.keycrm.orders.Order`
        :param is_high_load: see :meth:`enrich`
        :return: ``(orders, numbers of the offers that are still to be read)``
        :raise KeyCrmError: when the request quota is used up or the key is wrong
        """
        orders = self._with_companies(orders)
        wanted, are_mapped = self._offers_to_read(orders, is_high_load=is_high_load)
        if are_mapped:
            return orders, wanted
        return self._with_offers(orders, wanted), []

    def read_offers(self, numbers):
        """Read offers from the catalog.

        :param numbers: KeyCRM's
        :return: ``({number: Offer}, {number: KeyCrmError})``; an offer that KeyCRM does not have is in
            neither
        :raise KeyCrmError: when the request quota is used up or the key is wrong
        """
        query = {"include": "product"}
        return self._read_rows("/offers", "id", sorted(numbers), query, "offer", Offer.parse)

    def _with_companies(self, orders):
        """Read the companies of buyers that are unknown or were read long ago.

        :param orders: list of :class:`~.keycrm.orders.Order`
        :return: the same orders, with the errors of companies that could not be read
        """
        buyers = {
            order.buyer.company_id: order.buyer.id
            for order in orders
            if order.buyer and order.buyer.company_id
        }
        if not buyers:
            return orders
        fresh = self.env["keycrm.company"].search(
            [
                ("account_id", "=", self.account.id),
                ("keycrm_id", "in", list(buyers)),
                ("read_at", ">", fields.Datetime.now() - COMPANY_FRESH),
            ]
        )
        wanted = set(buyers.values()) - {buyers[one.keycrm_id] for one in fresh}
        wanted -= _unread(orders, "buyer")
        companies, errors = self._read_rows(
            "/buyer",
            "buyer_id",
            sorted(wanted),
            {"include": "company"},
            "buyer",
            lambda row: Company.parse(row.get("company")),
        )
        errors.update(self._store_companies(companies))
        of_company = {
            company: errors[buyer] for company, buyer in buyers.items() if buyer in errors
        }
        return [
            _with_errors(order, [of_company[order.buyer.company_id]])
            if order.buyer and order.buyer.company_id in of_company
            else order
            for order in orders
        ]

    def _store_companies(self, companies):
        """Store companies: all at once, after a failure one by one.

        :param companies: ``{buyer's number: Company}``
        :return: ``{buyer's number: KeyCrmError}`` of those that could not be stored
        """
        errors = {}
        parts = [companies, *({buyer: one} for buyer, one in companies.items())]
        for part in parts if companies else ():
            try:
                run_in_transaction(
                    self.env.cr,
                    lambda part=part: self.env["keycrm.company"]._upsert(
                        self.account, list(part.values())
                    ),
                )
            except STORAGE_ERRORS:
                raise
            except Exception as error:
                if self.env.cr.closed:
                    raise
                result = ImportResult.failed(error)
                problem = (
                    Locked() if result.is_deferred else ImportProblem(result.code, **result.params)
                )
                errors.update((buyer, of_row(problem, "buyer", buyer)) for buyer in part)
            else:
                if part is companies:
                    break
                errors = {buyer: one for buyer, one in errors.items() if buyer not in part}
        return errors

    def _offers_to_read(self, orders, *, is_high_load):
        """Choose the offers that are not up to date.

        An order contains its offers without the product's name; the name of a line may be a
        marketplace's title.

        :return: ``(numbers of the offers, whether Odoo has the products of all of them)``
        """
        uses = {}
        for order in orders:
            for line in order.lines:
                if line.offer and not line.offer.name:
                    uses.setdefault(line.offer.id, []).append((order, line.offer))
        if not uses:
            return [], True
        for number in _unread(orders, "offer"):
            uses.pop(number, None)
        mappings = by_keycrm_id(
            self.env["keycrm.offer"].search_fetch(
                [("account_id", "=", self.account.id), ("keycrm_id", "in", list(uses))],
                ["keycrm_id", "catalog_at", "keycrm_updated_at"],
            )
        )
        wanted = [
            number
            for number, places in uses.items()
            if not all(
                self._is_fresh(mappings.get(number), *place, is_high_load=is_high_load)
                for place in places
            )
        ]
        return wanted, mappings.keys() >= set(wanted)

    def _with_offers(self, orders, numbers):
        offers, errors = self.read_offers(numbers)
        return [with_offers(order, offers, errors) for order in orders]

    def _is_fresh(self, mapping, order, offer, *, is_high_load):
        """Return whether an offer does not have to be read for this order.

        A change in the catalog that was made before the order changed is imported with the order.
        """
        if not mapping:
            return False
        if self.account.keep_product_info:
            return True
        read_at, now = mapping.catalog_at, self.env.cr.now()
        if not read_at or read_at < now - CATALOG_FRESH:
            return False
        if offer.updated_at and offer.updated_at > (mapping.keycrm_updated_at or datetime.min):
            return False
        if is_high_load and read_at > now - HIGH_LOAD_FRESH:
            # Three hundred orders at once refer to the same offers; one request for each order would
            # exceed the limit of a minute.
            return True
        return bool(order.updated_at and order.updated_at + CLOCKS_APART < read_at)

    def _read_rows(self, path, filter_name, numbers, query, kind, parse):
        """Read rows of a list by their numbers, 50 a request; isolate those that cannot be read.

        :param path: the list's
        :param filter_name: filter by numbers
        :param numbers: KeyCRM's
        :param query: of the list, without the filter
        :param kind: kind of the rows, for their errors; see :func:`~.keycrm.errors.of_row`
        :param parse: called with a row; returns a record or None
        :return: ``({number: record}, {number: KeyCrmError})``
        :raise KeyCrmError: when the request quota is used up or the key is wrong
        """
        suspects = InboxState.for_account(self.account).suspects(path)
        records, errors = {}, {}
        parts = deque(suspects.parts(numbers, PAGE_SIZE))
        failures, most = 0, suspects.max_failures
        while parts:
            part = parts.popleft()
            list_query = {**query, f"filter[{filter_name}]": ",".join(map(str, part))}
            try:
                rows = self._read_part(path, list_query, is_suspect=suspects.has(part)).numbered
            except (QuotaExceeded, RateLimited, Unauthorized):
                raise
            except KeyCrmError as error:
                _logger.warning(
                    "KeyCRM account %s: %s, %s rows: %s", self.account.id, path, len(part), error
                )
                failures += 1
                halves = suspects.failed(part)
                # The first failure alone is followed by a probe.
                breaker = self.service(CircuitBreaker)
                is_request_at_fault = failures > 1 or breaker.is_request_at_fault(error)
                if is_request_at_fault and failures < most and not self.options.is_time_up():
                    parts.extendleft(reversed(halves))
                    unread = () if halves else part
                else:
                    unread = [*part, *(number for rest in parts for number in rest)]
                    parts.clear()
                errors.update((number, of_row(error, kind, number)) for number in unread)
                continue
            suspects.answered(part)
            for number, row in rows.items():
                try:
                    record = parse(row)
                except MalformedAnswer as error:
                    errors[number] = of_row(error, kind, number)
                else:
                    records.update({number: record} if record else {})
        return records, errors

    def _read_part(self, path, query, *, is_suspect):
        """Read one page; rows that failed before with a short timeout and without a second attempt."""
        if not is_suspect:
            return self.client.page(path, query)
        with open_client(self.account, self.client.queue, timeout=PART_TIMEOUT, tries=1) as client:
            client.is_deferrable = False
            return client.page(path, query)

    # === STATUSES AND SOURCES ===#

    def refresh_lists(self, read):
        """Read KeyCRM's lists where orders have unknown statuses or sources.

        Names that the lists lack are remembered for an hour: KeyCRM deleted them, and old orders
        still have them.

        :param read: ``{number: Order or KeyCrmError}``
        :return: the same; when KeyCRM cannot send its lists, with the error in place of those orders
        :raise KeyCrmError: when KeyCRM as a whole is unavailable
        """
        orders = [order for order in read.values() if isinstance(order, Order)]
        recent = self._recently_unlisted()
        if self._unknown_names(orders) <= recent.keys():
            return read

        def refresh():
            self.service(ReferenceLists).refresh()
            unlisted = dict.fromkeys(self._unknown_names(orders), self.env.cr.now().isoformat())
            self.account.sudo().unlisted = {**recent, **unlisted}

        try:
            run_in_transaction(self.env.cr, refresh)
        except (KeyCrmError, *CONCURRENCY_ERRORS) as error:
            if isinstance(error, CONCURRENCY_ERRORS):
                # A user edits the lists.
                error = Locked()
            elif not self.service(CircuitBreaker).is_request_at_fault(error):
                raise
            held = [
                order.id for order in orders if not self._unknown_names([order]) <= recent.keys()
            ]
            return {**read, **dict.fromkeys(held, error)}
        return read

    def _unknown_names(self, orders):
        """Return the statuses and sources of these orders that Odoo does not have.

        :return: set of ``model,number``
        """
        numbers = {
            # The status that an order contains needs no list.
            "keycrm.order.status": {order.status_id for order in orders if not order.status},
            "keycrm.source": {order.source_id for order in orders},
        }
        unknown = set()
        for model, named in numbers.items():
            known = self.env[model].search_fetch(
                [("account_id", "=", self.account.id), ("keycrm_id", "in", list(named))],
                ["keycrm_id"],
            )
            missing = named - {None, 0} - set(known.mapped("keycrm_id"))
            unknown |= {f"{model},{number}" for number in missing}
        return unknown

    def _recently_unlisted(self):
        """Return the names that KeyCRM's lists lacked within the last hour.

        :return: ``{name: time in ISO format}``
        """
        since = self.env.cr.now() - UNLISTED_FRESH
        unlisted = self.account.sudo().unlisted or {}
        return {name: at for name, at in unlisted.items() if datetime.fromisoformat(at) > since}


def with_offers(order, offers, errors):
    """Return an order with offers from the catalog, and the errors of those that are missing.

    :param order: :class:`~.keycrm.orders.Order`
    :param offers: ``{number: Offer}``
    :param errors: ``{number: KeyCrmError}``
    """
    numbers = dict.fromkeys(line.offer.id for line in order.lines if line.offer)
    lines = tuple(
        replace(line, offer=offers.get(line.offer.id, line.offer)) if line.offer else line
        for line in order.lines
    )
    failed = [errors[number] for number in numbers if number in errors]
    return _with_errors(replace(order, lines=lines), failed)


def _with_errors(order, errors):
    return replace(order, unread=(*order.unread, *errors))


def _unread(orders, kind):
    """Return the numbers of the rows of one kind that could not be read for these orders."""
    return {
        error.params["number"]
        for order in orders
        for error in order.unread
        if error.params["row"] == kind
    }
