from odoo import models

from ...keycrm import rate_limit as rules
from ...keycrm.orders import Order


class KeycrmAccount(models.Model):
    """Bulk work of the orders' lane: one page at a time, and the inbox is looked at in between."""

    _inherit = "keycrm.account"

    def _work_bulk(self):
        """Do one page of what runs longest.

        :return: True when there may be more
        """
        with self._client(rules.BULK) as client:
            return (
                self._aside("sync", lambda: self._work_running("keycrm.order.sync", client))
                or self._aside("load", lambda: self._work_running("keycrm.product.import", client))
                or self._aside("warehouses", lambda: self._work_warehouse_sweep(client))
                or self._aside(
                    "sweep",
                    lambda: self.env["keycrm.order.reconciliation"]._work_page(self, client),
                )
                or self._aside(
                    "transactions", lambda: self.env["keycrm.transaction"]._work_page(self, client)
                )
                or self._aside("pictures", self._work_picture)
            )

    def _work_running(self, model, client):
        """Do one page of the run that was started first.

        :param model: ``keycrm.order.sync`` or ``keycrm.product.import``
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

        An order that the inbox brought meanwhile was read later than the page, so the page's older
        copy is dropped: what was read earlier never overwrites what was read later.

        :param read: ``{number: Order or KeyCrmError}``, emptied on the way
        :param then: called with the outcomes of a part, in its transaction
        """

        def told(outcomes):
            self.env["keycrm.event"]._make_up(self, outcomes)
            then(outcomes)

        live = self.with_context(keycrm_gone_status_ids=None, keycrm_gone_if_written_off=False)
        # What the page's orders refer to is read for all of them at once.
        learnt = self._learn_for(client, [one for one in read.values() if isinstance(one, Order)])
        read.update((order.id, order) for order in learnt)
        while read:
            for number in live._work_inbox(live_client):
                read.pop(number, None)
            part = self._next_part(read)
            if part:
                self._write_orders(client, part, self.env["keycrm.event"], told)

    def _work_warehouse_sweep(self, client):
        """Read one more page of the stock list to learn warehouses; started by "Refresh list".

        :return: True when there was one to be read
        """
        number = self.warehouse_sweep_page
        if not number:
            return False
        page = client.page("/offers/stocks", {"filter[details]": "true"}, number)

        def note():
            self._learn_warehouses_from_stock(page.rows)
            self.sudo().warehouse_sweep_page = 0 if page.is_last else number + 1

        self._committed(note)
        return True
