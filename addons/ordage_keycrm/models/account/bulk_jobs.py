from odoo import models

from ...keycrm import rate_limit
from ...services.api_gateway import open_client
from ...services.bank_transactions import BankTransactions
from ...services.catalogs import Catalogs
from ...services.circuit_breaker import CircuitBreaker
from ...services.image_fetcher import ImageFetcher
from ...services.order_reconciliation import OrderReconciliation
from ...services.order_synchronization import OrderSynchronization
from ...services.product_import import ProductImport


class KeycrmAccount(models.Model):
    """Process bulk work of the orders queue, polling the inbox between pages."""

    _inherit = "keycrm.account"

    def _work_bulk(self, options=None):
        """Process one page of the first bulk job that has work.

        :param options: :class:`~...services.service.Options` of the worker
        :return: True when there may be more
        """
        run = CircuitBreaker(self, options=options).run
        with open_client(self, rate_limit.BULK) as client:
            return (
                run("sync", OrderSynchronization(self, client, options).process)
                or run("load", ProductImport(self, client, options).process)
                or run("warehouses", Catalogs(self, client).process_warehouse_list)
                or run("sweep", OrderReconciliation(self, client, options).process)
                or run("transactions", BankTransactions(self, client, options).process)
                or run("pictures", ImageFetcher(self).process)
            )
