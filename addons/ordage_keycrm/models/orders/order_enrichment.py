import logging
from dataclasses import replace
from datetime import datetime, timedelta

from psycopg2.errors import LockNotAvailable

from odoo import api, fields, models

from ...keycrm.catalog import Company, Offer
from ...keycrm.client import PAGE_SIZE
from ...keycrm.errors import (
    KeyCrmError,
    MalformedAnswer,
    QuotaExceeded,
    RateLimited,
    Unauthorized,
)
from ...keycrm.parsing import parsed_rows, to_object
from ...keycrm.product_data import Goods
from ...services.catalogs import by_keycrm_id
from ...services.concurrency import CONCURRENCY_ERRORS
from ...services.transactions import run_in_transaction
from .importer.result import ImportResult

_logger = logging.getLogger(__name__)

#: For so long what was read of a company is believed.
COMPANY_FRESH = timedelta(days=1)
#: For so long what was read of an offer is believed, for orders that were not touched since.
CATALOG_FRESH = timedelta(days=1)
#: In a burst of orders an offer that was read so short ago is believed.
BURST_FRESH = timedelta(minutes=1)
#: So far KeyCRM's clock and ours may be apart.
CLOCKS_APART = timedelta(minutes=2)


class KeycrmAccount(models.Model):
    """What orders refer to and do not carry themselves: read before they are written.

    The importer never asks KeyCRM; nothing is held open while it is asked here. An order never
    waits for any of this: what cannot be read is done without.
    """

    _inherit = "keycrm.account"

    def _enrich(self, client, orders, unread=None):
        """Read what is needed to write these orders.

        :param orders: list of :class:`~..keycrm.orders.Order`
        :param unread: see :meth:`_with_catalog`
        :return: the orders, with what was read put into them
        :raise KeyCrmError: when there is no room in the request quota or the key is wrong
        """
        self._read_companies(client, orders)
        return self._with_catalog(client, orders, unread)

    def _read_companies(self, client, orders):
        """Read the companies of buyers that are not known or were read long ago."""
        buyers = {
            order.buyer.company_id: order.buyer.id
            for order in orders
            if order.buyer and order.buyer.company_id
        }
        if not buyers:
            return
        fresh = self.env["keycrm.company"].search(
            [
                ("account_id", "=", self.id),
                ("keycrm_id", "in", list(buyers)),
                ("read_at", ">", fields.Datetime.now() - COMPANY_FRESH),
            ]
        )
        wanted = sorted(set(buyers.values()) - {buyers[one.keycrm_id] for one in fresh})
        rows = self._rows_by_number(client, "/buyer", "buyer_id", wanted, "company")
        companies = [self._parsed_company(row) for row in rows]
        companies = [company for company in companies if company]
        if not companies:
            return
        try:
            run_in_transaction(
                self.env.cr, lambda: self.env["keycrm.company"]._learn(self, companies)
            )
        except Exception:
            if self.env.cr.closed:
                raise
            _logger.exception("KeyCRM account %s: companies of buyers are not updated", self.id)

    # === CATALOGUE ===#

    def _with_catalog(self, client, orders, unread=None):
        """Put the offers as the catalog has them into the lines, where they are not known fresh.

        An order carries its offers without the product's name; a line's own name may be a
        marketplace's title.

        :param unread: a set that takes the numbers of the offers instead, where Odoo knows the products
            of all of them: the orders can be written then, and the products follow afterwards
        :return: list of :class:`~..keycrm.orders.Order`
        """
        asked_for = {}
        for order in orders:
            for line in order.lines:
                if line.offer and not line.offer.name:
                    asked_for.setdefault(line.offer.id, []).append((order, line.offer))
        if not asked_for:
            return orders
        mappings = by_keycrm_id(
            self.env["keycrm.offer"].search_fetch(
                [("account_id", "=", self.id), ("keycrm_id", "in", list(asked_for))],
                ["keycrm_id", "catalog_at", "keycrm_updated_at"],
            )
        )
        wanted = [
            number
            for number, places in asked_for.items()
            if not all(self._is_fresh(mappings.get(number), *place) for place in places)
        ]
        if unread is not None and mappings.keys() >= set(wanted):
            unread.update(wanted)
            return orders
        offers = self._offers_by_number(client, wanted)
        return [_with_offers(order, offers) for order in orders] if offers else orders

    def _offers_by_number(self, client, numbers):
        """Read offers as the catalog has them.

        :return: ``{number: Offer}`` of those that could be read
        """
        return self._parsed_offers(
            self._rows_by_number(client, "/offers", "id", sorted(numbers), "product")
        )

    @api.model
    def _parsed_offers(self, rows):
        """Read rows of the catalog; one that says nothing that can be used is left out.

        :return: ``{number: Offer}``
        """
        return {offer.id: offer for offer in parsed_rows(Offer.parse, rows) if offer}

    def _follow_offers(self, orders, offers):
        """Let the products of orders that are written already follow the catalog.

        :param offers: ``{number: Offer}``
        :return: ``{order number: ImportResult}`` of the orders whose products could not be written
        """
        quiet = self.env["keycrm.order.importer"]._quiet(self).with_company(self.company_id)
        failed = {}
        everything = list(offers.values())
        # All at once; after a failure one by one, to find whose fault it is.
        for parts in [everything] if everything else [], [[offer] for offer in everything]:
            failed = {}
            for some in parts:
                try:
                    with self.env.cr.savepoint():
                        quiet.env["keycrm.product.matcher"]._match(
                            self, [Goods.of_offer(offer) for offer in some], make=False
                        )
                except Exception as error:  # one product's fault never stops the others
                    if isinstance(error, CONCURRENCY_ERRORS) and not isinstance(
                        error, LockNotAvailable
                    ):
                        raise
                    failed.update((offer.id, error) for offer in some)
            if not failed:
                break
        return {
            order.id: ImportResult.failed(failed[line.offer.id])
            for order in orders
            for line in order.lines
            if line.offer and line.offer.id in failed
        }

    def _is_fresh(self, mapping, order, offer):
        """Return whether an offer need not be read for this order.

        Whatever the shop changed before it touched the order is to be seen with the order.
        """
        if not mapping:
            return False
        if self.keep_product_info:
            return True
        read_at = mapping.catalog_at
        if not read_at or read_at < fields.Datetime.now() - CATALOG_FRESH:
            return False
        if offer.updated_at and offer.updated_at > (mapping.keycrm_updated_at or datetime.min):
            return False
        if self.env.context.get("keycrm_burst") and read_at > fields.Datetime.now() - BURST_FRESH:
            # Three hundred orders at once name the same offers; one request for each order would be
            # more than a minute allows.
            return True
        return bool(order.updated_at and order.updated_at + CLOCKS_APART < read_at)

    # === READING ===#

    @staticmethod
    def _parsed_company(row):
        try:
            return Company.parse(to_object(row.get("company")))
        except MalformedAnswer:
            return None

    def _rows_by_number(self, client, path, filter_name, numbers, include):
        """Read rows of a list by their numbers, 50 a request; what cannot be read is left out.

        :raise KeyCrmError: when there is no room in the request quota or the key is wrong
        """
        rows = []
        for start in range(0, len(numbers), PAGE_SIZE):
            part = numbers[start : start + PAGE_SIZE]
            query = {
                f"filter[{filter_name}]": ",".join(map(str, part)),
                "include": include,
            }
            try:
                rows += client.page(path, query).rows
            except (QuotaExceeded, RateLimited, Unauthorized):
                raise
            except KeyCrmError as error:
                _logger.warning("KeyCRM account %s: %s: %s", self.id, path, error)
        return rows


def _with_offers(order, offers):
    lines = tuple(
        replace(line, offer=offers[line.offer.id])
        if line.offer and line.offer.id in offers
        else line
        for line in order.lines
    )
    return replace(order, lines=lines)
