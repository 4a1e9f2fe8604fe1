from datetime import timedelta

from odoo import fields
from odoo.tools import SQL

from ...const import RETRY_PAUSES
from ...keycrm.outbox import OUTBOX_BATCH, ChangeRow, WaitingChanges
from ..common import crons
from ..common.circuit_breaker import CircuitBreaker
from ..common.service import Service
from ..common.transactions import run_in_transaction
from ..sending.offer_export import OfferExport
from ..stock.echo_matcher import EchoMatcher
from ..stock.ended_mappings import EndedMappings
from ..stock.fault_isolation import FaultIsolation
from ..stock.stock_comparison import StockComparison
from ..stock.stock_exporter import StockExporter
from ..stock.stock_lookup import StockLookup

#: When a failed row is sent again if its retry was interrupted.
MAX_RETRY_PAUSE = timedelta(seconds=RETRY_PAUSES[-1])


class StockQueue(Service):
    """Process the stock queue of an account: the only place that sends quantities to KeyCRM.

    :class:`~.stock_lookup.StockLookup` reads from KeyCRM, :class:`~.stock_exporter.StockExporter`
    sends, :class:`~.echo_matcher.EchoMatcher` processes stock webhooks, and
    :class:`~.stock_comparison.StockComparison` compares the whole catalog.
    """

    def process(self):
        """Process one piece of work, the most urgent one.

        :return: True when there may be more
        """
        if self.account.stock_paused or not self.account.enabled:
            # A preview continues: it sends nothing.
            return self._process_offer_values() or self._process_comparison()
        return (
            self._enqueue_expired()
            or self._process_changes()
            or self.service(EchoMatcher).process()
            or self._process_unverified()
            or self._process_offer_values()
            or self._process_comparison()
        )

    def _process_offer_values(self):
        """Send values of offers, such as costs.

        :return: True when there was something
        """
        export = self.service(OfferExport)
        return self.account.enabled and self.service(CircuitBreaker).run("offers", export.process)

    def _process_comparison(self):
        comparison = self.service(StockComparison)
        return self.service(CircuitBreaker).run("comparison", comparison.process)

    # === OUTBOX ===#

    def _process_changes(self):
        """Process the outbox once: read quantities, send what differs, delete the rows.

        Exactly the rows that were read are deleted: later changes stay for the next run. Quantities are
        absolute and read after the rows, so a repeated or late run is still right (idempotent).

        :return: True when there was something
        """
        account = self.account
        if crons.scheduled_actions(account, crons.STOCK)._is_due_soon():
            return False
        changes = self._waiting_changes()
        if not changes:
            return False
        if account.push_stock and (warehouses := self._warehouses()):
            found = self._offers_to_send(changes, warehouses)
            if not found:
                return True
            offers, levels = found
            if not self.service(StockExporter).send_offers(offers, levels, changes):
                return True
            if not self.service(EndedMappings).send(changes):
                return True

        def finish():
            self.env["keycrm.stock.change"]._finish(account, changes.ids)
            self.service(FaultIsolation).end()
            self.env["keycrm.stock.export"]._count(account)

        run_in_transaction(self.env.cr, finish)
        return True

    def _waiting_changes(self):
        """Read the outbox, by SQL because a full export has a row for every product.

        :return: :class:`~.keycrm.outbox.WaitingChanges`; None when nothing waits
        """
        self.env.cr.execute(
            SQL(
                """SELECT id, product_id, refresh_first, changed_at, zero_allowed
                     FROM keycrm_stock_change
                    WHERE account_id = %s ORDER BY id LIMIT %s""",
                self.account.id,
                OUTBOX_BATCH,
            )
        )
        rows = self.env.cr.fetchall()
        if not rows:
            return None
        return WaitingChanges.coalesce(ChangeRow._make(row) for row in rows)

    def _warehouses(self):
        """Return the KeyCRM warehouses that are sent, found and read with one query."""
        Warehouse = self.env["keycrm.warehouse"]
        own = [("account_id", "=", self.account.id)]
        return Warehouse.search_fetch(own, ["account_id", "keycrm_id", "send_state"])._sending()

    def _offers_to_send(self, changes, warehouses):
        """Find the offers of changed products, and read the quantities that are not known.

        :param changes: :class:`~.keycrm.outbox.WaitingChanges`
        :param warehouses: ``keycrm.warehouse`` that are sent
        :return: ``(keycrm.offer, levels)`` with
            ``{keycrm.warehouse: {offer id: keycrm.stock.level}}``; None when the deadline passed before
            all were read
        """
        account, lookup = self.account, self.service(StockLookup)
        Offer = self.env["keycrm.offer"].sudo()
        calculator = self.env["keycrm.stock.calculator"]
        affected_ids = calculator._affected_product_ids(account, changes.product_ids)
        products = self.env["product.product"].browse(
            calculator._counted_product_ids(account, affected_ids)
        )
        offers = Offer._offers_for(account, products)
        unmapped = products - offers.product_id
        if unmapped:
            if not lookup.map_by_sku(unmapped):
                return None
            offers = Offer._offers_for(account, products)
            # A user may have unmatched one during the requests.
            warehouses = self._warehouses()
        levels = self._levels(warehouses, offers)
        to_read = lookup.offers_to_read(offers, levels, changes.refresh_ids)
        if to_read:
            if not lookup.read_levels(to_read, changes.ids):
                return None
            offers = Offer._offers_for(account, products)
            levels = self._levels(self._warehouses(), offers)
        return offers, levels

    def _levels(self, warehouses, offers):
        """Return the levels of offers in warehouses.

        :param warehouses: ``keycrm.warehouse``
        :param offers: ``keycrm.offer``
        :return: ``{keycrm.warehouse: {offer id: keycrm.stock.level}}``
        """
        Level = self.env["keycrm.stock.level"].sudo()
        return {warehouse: Level._levels_for(warehouse, offers) for warehouse in warehouses}

    # === WITHOUT A CHANGE ===#

    def _process_unverified(self):
        """Enqueue quantities that were read too soon after a write, and retries that are due.

        :return: True when there was something
        """
        # Before the settings: there are almost never any, and each pass checks.
        if not self.env["keycrm.stock.level"].sudo()._unverified(self.account):
            return False
        if not (self.account.push_stock and self.account.warehouse_ids._sending()):
            return False
        run_in_transaction(self.env.cr, self._enqueue_unverified)
        return True

    def _enqueue_unverified(self):
        unverified = self.env["keycrm.stock.level"].sudo()._unverified(self.account)
        self.env["keycrm.stock.change"].sudo()._enqueue_rows(
            [(self.account.id, product_id) for product_id in unverified.product_id.ids],
            refresh_first=True,
            zero_allowed=True,  # Sent before: a zero needs no confirmation.
        )
        # A product that is not sent any more is not read again.
        unverified.write({"read_at": False})
        # The retry itself sets the next one, also when it fails.
        unverified.filtered("retry_at").retry_at = fields.Datetime.now() + MAX_RETRY_PAUSE

    def _enqueue_expired(self):
        """Enqueue the products of lots whose removal date has passed since the last time, once a day.

        Only where the module for expiration dates is installed; days begin when they do for Odoo's own
        free quantity.

        :return: True when there was something
        """
        account, today = self.account, fields.Date.today()
        Quant = self.env["stock.quant"].sudo()
        if "removal_date" not in Quant._fields or account.stock_expiry_on == today:
            return False
        if not (account.push_stock and account.warehouse_ids._sending()):
            return False
        expired = [
            ("company_id", "=", account.company_id.id),
            ("quantity", ">", 0),
            ("removal_date", "<=", fields.Datetime.to_datetime(today)),
        ]
        if account.stock_expiry_on:
            since = fields.Datetime.to_datetime(account.stock_expiry_on)
            expired.append(("removal_date", ">", since))

        def enqueue():
            products = [product.id for (product,) in Quant._read_group(expired, ["product_id"])]
            # An expired lot is no mistake in the settings, so its zeros are sent without confirmation.
            rows = [(account.id, product_id) for product_id in products]
            self.env["keycrm.stock.change"].sudo()._enqueue_rows(rows, zero_allowed=True)
            account.sudo().stock_expiry_on = today
            return bool(products)

        return run_in_transaction(self.env.cr, enqueue)
