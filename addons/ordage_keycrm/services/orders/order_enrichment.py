import logging
from dataclasses import replace
from datetime import datetime, timedelta

from odoo import fields

from ...keycrm.catalog import Company, offers_by_id
from ...keycrm.client import PAGE_SIZE
from ...keycrm.errors import (
    KeyCrmError,
    Locked,
    MalformedAnswer,
    QuotaExceeded,
    RateLimited,
    Unauthorized,
)
from ...keycrm.orders import Order
from ...keycrm.parsing import to_object
from ..account.catalogs import Catalogs, by_keycrm_id
from ..common.circuit_breaker import CircuitBreaker
from ..common.concurrency import CONCURRENCY_ERRORS, STORAGE_ERRORS
from ..common.service import Service
from ..common.transactions import run_in_transaction

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
    transaction stays open during a request. What cannot be read is left out: no order waits for it,
    except for the lists of statuses and sources.
    """

    # === COMPANIES AND OFFERS ===#

    def enrich(self, orders, *, is_high_load=False):
        """Read what is needed to write these orders.

        :param orders: list of :class:`~.keycrm.orders.Order`
        :param is_high_load: whether many webhooks arrived: offers are read less often then
        :return: the orders, completed by what was read
        :raise KeyCrmError: when the request quota is used up or the key is wrong
        """
        self._read_companies(orders)
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
        self._read_companies(orders)
        wanted, are_mapped = self._offers_to_read(orders, is_high_load=is_high_load)
        if are_mapped:
            return orders, wanted
        return self._with_offers(orders, wanted), []

    def read_offers(self, numbers):
        """Read offers from the catalog.

        :param numbers: KeyCRM's
        :return: ``{number: Offer}`` of those that could be read
        :raise KeyCrmError: when the request quota is used up or the key is wrong
        """
        return offers_by_id(self._read_rows("/offers", "id", sorted(numbers), "product"))

    def _read_companies(self, orders):
        """Read the companies of buyers that are unknown or were read long ago."""
        buyers = {
            order.buyer.company_id: order.buyer.id
            for order in orders
            if order.buyer and order.buyer.company_id
        }
        if not buyers:
            return
        fresh = self.env["keycrm.company"].search(
            [
                ("account_id", "=", self.account.id),
                ("keycrm_id", "in", list(buyers)),
                ("read_at", ">", fields.Datetime.now() - COMPANY_FRESH),
            ]
        )
        wanted = sorted(set(buyers.values()) - {buyers[one.keycrm_id] for one in fresh})
        rows = self._read_rows("/buyer", "buyer_id", wanted, "company")
        companies = [company for row in rows if (company := _parse_company(row))]
        if not companies:
            return
        try:
            run_in_transaction(
                self.env.cr, lambda: self.env["keycrm.company"]._upsert(self.account, companies)
            )
        except STORAGE_ERRORS:
            raise
        except Exception:
            if self.env.cr.closed:
                raise
            _logger.exception(
                "KeyCRM account %s: companies of buyers are not updated", self.account.id
            )

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
        offers = self.read_offers(numbers)
        return [_with_offers(order, offers) for order in orders] if offers else orders

    def _is_fresh(self, mapping, order, offer, *, is_high_load):
        """Return whether an offer does not have to be read for this order.

        A change in the catalog that was made before the order changed is imported with the order.
        """
        if not mapping:
            return False
        if self.account.keep_product_info:
            return True
        read_at, now = mapping.catalog_at, fields.Datetime.now()
        if not read_at or read_at < now - CATALOG_FRESH:
            return False
        if offer.updated_at and offer.updated_at > (mapping.keycrm_updated_at or datetime.min):
            return False
        if is_high_load and read_at > now - HIGH_LOAD_FRESH:
            # Three hundred orders at once refer to the same offers; one request for each order would
            # exceed the limit of a minute.
            return True
        return bool(order.updated_at and order.updated_at + CLOCKS_APART < read_at)

    def _read_rows(self, path, filter_name, numbers, include):
        """Read rows of a list by their numbers, 50 a request.

        What cannot be read is left out.

        :raise KeyCrmError: when the request quota is used up or the key is wrong
        """
        rows = []
        for start in range(0, len(numbers), PAGE_SIZE):
            part = numbers[start : start + PAGE_SIZE]
            query = {
                f"filter[{filter_name}]": ",".join(map(str, part)),
                "include": include,
            }
            try:
                rows += self.client.page(path, query).rows
            except (QuotaExceeded, RateLimited, Unauthorized):
                raise
            except KeyCrmError as error:
                _logger.warning("KeyCRM account %s: %s: %s", self.account.id, path, error)
        return rows

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
            self.part(Catalogs).refresh()
            unlisted = dict.fromkeys(self._unknown_names(orders), self.env.cr.now().isoformat())
            self.account.sudo().unlisted = {**recent, **unlisted}

        try:
            run_in_transaction(self.env.cr, refresh)
        except (KeyCrmError, *CONCURRENCY_ERRORS) as error:
            if isinstance(error, CONCURRENCY_ERRORS):
                # A user edits the lists.
                error = Locked()
            elif not self.part(CircuitBreaker).is_request_at_fault(error):
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
            known = self.env[model].search(
                [("account_id", "=", self.account.id), ("keycrm_id", "in", list(named))]
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


def _parse_company(row):
    try:
        return Company.parse(to_object(row.get("company")))
    except MalformedAnswer:
        return None


def _with_offers(order, offers):
    lines = tuple(
        replace(line, offer=offers[line.offer.id])
        if line.offer and line.offer.id in offers
        else line
        for line in order.lines
    )
    return replace(order, lines=lines)
