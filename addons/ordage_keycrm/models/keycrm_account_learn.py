import logging
from datetime import timedelta

from odoo import fields, models

from ..keycrm.client import PAGE_SIZE
from ..keycrm.errors import (
    BudgetSpent,
    KeyCrmError,
    MalformedAnswer,
    RateLimited,
    Unauthorized,
)
from ..keycrm.records import Company
from ..keycrm.values import to_object

_logger = logging.getLogger(__name__)

#: For so long what was read of a company is believed.
COMPANY_FRESH = timedelta(days=1)


class KeycrmAccount(models.Model):
    """What orders refer to and do not carry themselves: read before they are written.

    The importer never asks KeyCRM; nothing is held open while it is asked here. An order never
    waits for any of this: what cannot be read is done without.
    """

    _inherit = "keycrm.account"

    def _learn_for(self, client, orders):
        """Read what is needed to write these orders.

        :param orders: list of :class:`~..keycrm.records.Order`
        :return: the orders, with what was read put into them
        :raise KeyCrmError: when there is no room in the request budget or the key is wrong
        """
        self._learn_companies(client, orders)
        return orders

    def _learn_companies(self, client, orders):
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
        if companies:
            self._committed(lambda: self.env["keycrm.company"]._learn(self, companies))

    @staticmethod
    def _parsed_company(row):
        try:
            return Company.parse(to_object(row.get("company")))
        except MalformedAnswer:
            return None

    def _rows_by_number(self, client, path, filter_name, numbers, include):
        """Read rows of a list by their numbers, 50 a request; what cannot be read is left out.

        :raise KeyCrmError: when there is no room in the request budget or the key is wrong
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
            except (BudgetSpent, RateLimited, Unauthorized):
                raise
            except KeyCrmError as error:
                _logger.warning("KeyCRM account %s: %s: %s", self.id, path, error)
        return rows
