from datetime import datetime, timedelta

from odoo import fields, models

from ...keycrm.errors import KeyCrmError, Locked
from ...keycrm.orders import Order
from ...services.catalogs import Catalogs
from ...services.circuit_breaker import CircuitBreaker
from ...services.concurrency import CONCURRENCY_ERRORS
from ...services.transactions import run_in_transaction

#: For so long KeyCRM is not asked again for what its lists did not name.
UNLISTED_FRESH = timedelta(hours=1)


class KeycrmAccount(models.Model):
    """Statuses and sources that orders name: learnt when they are met, and remembered where KeyCRM's lists
    lack them, since it deleted them and old orders still have them.
    """

    _inherit = "keycrm.account"

    # === FIELDS ===#

    unlisted = fields.Json(
        string="Missing in KeyCRM's lists", readonly=True, copy=False, groups=fields.NO_ACCESS
    )

    # === BUSINESS METHODS ===#

    def _with_known_lists(self, client, read):
        """Learn statuses and sources that orders name and we do not know yet.

        :param read: ``{number: Order or KeyCrmError}``
        :return: the same; where KeyCRM cannot give its lists, with the error in the place of those orders
        :raise KeyCrmError: when KeyCRM as a whole is in trouble
        """
        orders = [order for order in read.values() if isinstance(order, Order)]
        lately = self._lately_unlisted()
        if self._unknown_names(orders) <= lately.keys():
            return read

        def learn():
            Catalogs(self, client).refresh()
            asked = dict.fromkeys(self._unknown_names(orders), self.env.cr.now().isoformat())
            self.sudo().unlisted = {**lately, **asked}

        try:
            run_in_transaction(self.env.cr, learn)
        except (KeyCrmError, *CONCURRENCY_ERRORS) as error:
            if isinstance(error, CONCURRENCY_ERRORS):
                # A person works on the lists.
                error = Locked()
            elif not CircuitBreaker(self).is_request_at_fault(error):
                raise
            held = [
                order.id for order in orders if not self._unknown_names([order]) <= lately.keys()
            ]
            return {**read, **dict.fromkeys(held, error)}
        return read

    def _unknown_names(self, orders):
        """:return: names of the statuses and sources of these orders that are not known here"""
        numbers = {
            # What an order tells of its own status needs no list.
            "keycrm.order.status": {order.status_id for order in orders if not order.status},
            "keycrm.source": {order.source_id for order in orders},
        }
        unknown = set()
        for model, named in numbers.items():
            known = self.env[model].search(
                [("account_id", "=", self.id), ("keycrm_id", "in", list(named))]
            )
            missing = named - {None, 0} - set(known.mapped("keycrm_id"))
            unknown |= {f"{model},{number}" for number in missing}
        return unknown

    def _lately_unlisted(self):
        """:return: ``{name: when KeyCRM was asked}``, of those that need not be asked for again yet"""
        since = self.env.cr.now() - UNLISTED_FRESH
        asked = self.sudo().unlisted or {}
        return {name: at for name, at in asked.items() if datetime.fromisoformat(at) > since}
