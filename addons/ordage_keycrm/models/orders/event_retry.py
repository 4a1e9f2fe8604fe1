import logging

from odoo import api, models

from ...const import EVENT_REFRESH
from ...services import crons

_logger = logging.getLogger(__name__)

#: What keeps an order out until somebody tells products apart or chooses one.
PRODUCT_PROBLEMS = ("sku_ambiguous", "barcode_ambiguous")


class KeycrmEvent(models.Model):
    """Orders that failed for their products come by themselves once the products are put right."""

    _inherit = "keycrm.event"

    # After each change of a SKU or barcode, the failed orders that waited for it are searched.
    _failed_index = models.Index("(error_code) WHERE state = 'failed'")

    # === ACTION METHODS ===#

    def action_choose_product(self):
        """Open the choice of a product for the SKU that several have; it is remembered.

        :return: an action
        """
        self.ensure_one()
        sku = (self.error_params or {}).get("sku") or False
        return self.env["keycrm.product.mapping"]._choice(self.account_id, sku=sku)

    # === BUSINESS METHODS ===#

    @api.model
    def _retry_for_products_after_commit(self):
        """Retry orders that failed for their products once this transaction is committed.

        Odoo writes products in many places, one at a time: a query for each of these writes would slow
        users down, as there is hardly ever such an order.
        """
        postcommit = self.env.cr.postcommit
        if "keycrm_retry_for_products" not in postcommit.data:
            postcommit.data["keycrm_retry_for_products"] = True
            postcommit.add(self._retry_for_products_in_new_transaction)

    @api.model
    def _retry_for_products_in_new_transaction(self):
        try:
            with self.env.registry.cursor() as cr:
                # The user waits for it, and an upgrade may lock the table.
                cr.execute("SET LOCAL lock_timeout = '1s'")
                self.with_env(self.env(cr=cr))._work_again_for_products()
        except Exception:
            # What the user did is committed, and the orders are retried with backoff anyway.
            _logger.info("KeyCRM: failed orders are not retried now", exc_info=True)

    @api.model
    def _work_again_for_products(self, accounts=None):
        """Put orders that failed for their products into the inbox once more.

        A new event is appended, the failed ones are not touched: a person who edits a product never
        meets the worker over a row. Worked well, the order finishes the failed ones too.

        :param accounts: ``keycrm.account``; None for all
        """
        Event = self.sudo()
        domain = [
            ("state", "=", "failed"),
            ("error_code", "in", PRODUCT_PROBLEMS),
            ("account_id.enabled", "=", True),
        ]
        if accounts is not None:
            domain.append(("account_id", "in", accounts.ids))
        failed = Event.search(domain)
        if not failed:
            return
        waiting = Event.search(
            [
                ("state", "=", "pending"),
                ("account_id", "in", failed.account_id.ids),
                ("keycrm_order_id", "in", failed.mapped("keycrm_order_id")),
            ]
        )
        there = {(event.account_id.id, event.keycrm_order_id) for event in waiting}
        wanted = {(event.account_id.id, event.keycrm_order_id) for event in failed} - there
        Event.create(
            [
                {"account_id": account_id, "event": EVENT_REFRESH, "keycrm_order_id": order_id}
                for account_id, order_id in sorted(wanted)
            ]
        )
        crons.trigger(failed.account_id, crons.ORDERS)
