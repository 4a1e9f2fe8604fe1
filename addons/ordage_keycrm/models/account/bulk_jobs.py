from odoo import models

from ...keycrm import rate_limit
from ...keycrm.orders import Order
from ...services.api_gateway import open_client
from ...services.catalogs import Catalogs
from ...services.image_fetcher import ImageFetcher


class KeycrmAccount(models.Model):
    """Process bulk work of the orders queue, polling the inbox between pages."""

    _inherit = "keycrm.account"

    def _work_bulk(self):
        """Process one page of the first bulk job that has work.

        :return: True when there may be more
        """
        with open_client(self, rate_limit.BULK) as client:
            return (
                self._run_guarded("sync", lambda: self._work_running("keycrm.order.sync", client))
                or self._run_guarded(
                    "load", lambda: self._work_running("keycrm.product.import", client)
                )
                or self._run_guarded("warehouses", Catalogs(self, client).process_warehouse_list)
                or self._run_guarded(
                    "sweep",
                    lambda: self.env["keycrm.order.reconciliation"]._work_page(self, client),
                )
                or self._run_guarded(
                    "transactions", lambda: self.env["keycrm.transaction"]._work_page(self, client)
                )
                or self._run_guarded("pictures", ImageFetcher(self).process)
            )

    def _work_running(self, model, client):
        """Process one page of the run that was started first.

        :param model: ``keycrm.order.sync`` or ``keycrm.product.import``
        :param client: bulk client
        :return: True when there was one
        """
        run = (
            self.env[model]
            .sudo()
            .search([("account_id", "=", self.id), ("state", "=", "running")], order="id", limit=1)
        )
        if run:
            run._work(client)
        return bool(run)

    def _write_page(self, client, live_client, read, then):
        """Write the orders of a page in small parts; live orders go first.

        An order that the inbox imported meanwhile was read later than the page, so the page's older
        copy is dropped: newer data is never overwritten.

        :param client: bulk client
        :param live_client: client for the inbox
        :param read: ``{number: Order or KeyCrmError}``, emptied on the way
        :param then: called with the outcomes of a part, in its transaction
        """

        def finish(outcomes):
            self.env["keycrm.event"]._resolve_failures(self, outcomes)
            then(outcomes)

        live = self.with_context(
            keycrm_shipped_status_ids=None, keycrm_shipped_if_written_off=False
        )
        # The records that the page's orders refer to are read for all of them at once.
        enriched = self._enrich(client, [one for one in read.values() if isinstance(one, Order)])
        read.update((order.id, order) for order in enriched)
        while read:
            for number in live._work_inbox(live_client):
                read.pop(number, None)
            part = self._next_part(read)
            if part:
                self._write_orders(client, part, self.env["keycrm.event"], finish)
