from ...keycrm.stock_plan import Row
from ..common import activities
from ..common.language import company_language
from ..common.transactions import run_in_transaction
from .stock_exporter import StockExporter


class EndedMappings(StockExporter):
    """Send zero for offers whose mapping a user removed: KeyCRM would still sell their last quantity."""

    def send(self, changes):
        """Send zero for these offers, unless another product has them now or too many ended at once.

        :param changes: :class:`~.keycrm.outbox.WaitingChanges`
        :return: False when a request failed and the rest has to be sent with fewer rows
        """
        if not (changes.has_ended or self.account.stock_held_zeros):
            return True
        # No transaction is open during the requests.
        waiting = run_in_transaction(self.env.cr, self._choose)
        return all(self.put(warehouse, rows) for warehouse, rows in waiting.items())

    def _choose(self):
        """Delete rows that need no zero any more; put the others on hold where they are too many.

        So a user who deletes mappings to create them again does not set the whole shop to zero.

        :return: ``{keycrm.warehouse: rows}`` to be sent
        """
        ended = self.env["keycrm.ended.offer"].sudo()
        ended = ended.search([("account_id", "=", self.account.id)])
        warehouses = self.account.warehouse_ids._sending().grouped("keycrm_id")
        is_over = self.account.sudo().stock_when_ended != "zero"
        mapped = self._mapped_numbers(ended.mapped("offer_number"))
        needless = ended.filtered(
            lambda one: (
                is_over or one.offer_number in mapped or one.warehouse_number not in warehouses
            )
        )
        ended -= needless
        needless.unlink()
        dropping = ended.filtered(lambda one: one.quantity > 0 and not one.is_allowed)
        count = len(set(dropping.mapped("offer_number")))
        held = self.env["keycrm.stock.level"].sudo()._held(self.account).offer_id
        new = dropping.filtered(lambda one: not one.is_held)
        if new and self.is_too_much(count + len(held), count):
            new.is_held = True
        else:
            new = new.browse()
        self._record_held(is_new=bool(new))
        sent = ended.filtered(lambda one: not one.is_held).grouped("warehouse_number")
        return {
            warehouses[number]: [
                Row(0, offer, 0.0) for offer in sorted(set(same.mapped("offer_number")))
            ]
            for number, same in sent.items()
        }

    def _mapped_numbers(self, numbers):
        """Return which offers belong to a product that is sent.

        :param numbers: KeyCRM's
        :return: set of numbers
        """
        offers = self.env["keycrm.offer"]._with_numbers(self.account, numbers)
        calculator = self.env["keycrm.stock.calculator"]
        sent = set(calculator._counted_product_ids(self.account, offers.product_id.ids))
        return {offer.keycrm_id for offer in offers if offer.product_id.id in sent}

    def _store_accepted(self, warehouse, rows):
        self._finish(warehouse, rows)

    def _store_refused(self, warehouse, rows, reason):
        # An offer that KeyCRM does not have any more needs no zero.
        self._finish(warehouse, rows)

    def _store_failed(self, warehouse, row, reason):
        """Schedule an activity: a user has to set the offer to zero in KeyCRM."""
        self._finish(warehouse, [row])
        lang = company_language(self.account.company_id)
        account = self.account.with_context(lang=lang)
        text = account.env._(
            "Offer %(offer)s is not linked to a product any more, and KeyCRM did not accept that its "
            "stock in %(warehouse)s is zero: %(reason)s Set it to zero in KeyCRM.",
            offer=row.number,
            warehouse=warehouse.name,
            reason=reason,
        )
        summary = account.env._("KeyCRM: stock of an offer remains")
        code = f"stock_remains:{warehouse.keycrm_id}:{row.number}"
        activities.schedule(account, account, code, summary, [text])

    def _finish(self, warehouse, rows):
        """Delete these zeros: an interrupted run does not send them again.

        :param warehouse: ``keycrm.warehouse``, one
        :param rows: list of :class:`~.keycrm.stock_plan.Row`
        """
        self.env["keycrm.ended.offer"].sudo().search(
            [
                ("account_id", "=", self.account.id),
                ("warehouse_number", "=", warehouse.keycrm_id),
                ("offer_number", "in", [row.number for row in rows]),
                ("is_held", "=", False),
            ]
        ).unlink()
