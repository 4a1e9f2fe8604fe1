from odoo.tools import SQL

from ...keycrm.stock_plan import Row
from ..common import activities
from .stock_exporter import StockExporter


class EndedMappings(StockExporter):
    """Send zero for offers whose mapping a user removed: KeyCRM would still sell their last quantity."""

    def send(self, changes):
        """Send zero for these offers, unless another product has them now.

        :param changes: :class:`~..keycrm.outbox.WaitingChanges`
        :return: False when a request failed and the rest has to be sent with fewer rows
        """
        if not changes.ended:
            return True
        numbers = [number for number, _warehouse in changes.ended]
        offers = self.env["keycrm.offer"].sudo()
        offers = offers.search([("account_id", "=", self.account.id), ("keycrm_id", "in", numbers)])
        sent = set(
            self.env["keycrm.stock.calculator"]._counted_product_ids(
                self.account, offers.product_id.ids
            )
        )
        kept = {offer.keycrm_id for offer in offers if offer.product_id.id in sent}
        # No transaction is open during the requests.
        self.env.cr.commit()
        return all(
            self.put(
                warehouse,
                [
                    Row(0, number, 0.0)
                    for number in sorted(set(numbers) - kept)
                    if (number, warehouse.keycrm_id) in changes.ended
                ],
            )
            for warehouse in self.account.warehouse_ids._sending()
        )

    def _store_accepted(self, warehouse, rows):
        self._finish(warehouse, rows)

    def _store_refused(self, warehouse, rows, reason):
        # An offer that KeyCRM does not have any more needs no zero.
        self._finish(warehouse, rows)

    def _store_failed(self, warehouse, row, reason):
        """Schedule an activity: a user sets the offer to zero in KeyCRM, which Odoo could not."""
        self._finish(warehouse, [row])
        lang = self.account.company_id.partner_id.lang or self.env.lang
        account = self.account.with_context(lang=lang)
        text = account.env._(
            "Offer %(offer)s is not linked to a product any more, and KeyCRM did not accept that its "
            "stock in %(warehouse)s is zero: %(reason)s Set it to zero in KeyCRM.",
            offer=row.number,
            warehouse=warehouse.name,
            reason=reason,
        )
        user = activities.assignee(account)
        summary = account.env._("KeyCRM: stock of an offer remains")
        activities.schedule(account, user, summary, [text])

    def _finish(self, warehouse, rows):
        """Delete the outbox rows of these zeros: an interrupted run does not send them again.

        :param warehouse: ``keycrm.warehouse``, one
        :param rows: list of :class:`~...keycrm.stock_plan.Row`
        """
        self.env.cr.execute(
            SQL(
                """DELETE FROM keycrm_stock_change
                    WHERE account_id = %s AND ended_warehouse = %s AND ended_offer = ANY(%s)""",
                self.account.id,
                warehouse.keycrm_id,
                [row.number for row in rows],
            )
        )
