from odoo import api, fields, models


class KeycrmOrderImporter(models.AbstractModel):
    """Whether the goods of a new order left before Odoo first saw it: then it never moves stock."""

    _inherit = "keycrm.order.importer"

    @api.model
    def _is_already_shipped(self, batch, order):
        """Return whether the goods of a new order have already left.

        So it is in an archive status, in the statuses that a person named when starting a
        synchronization, and, where that was wished, when KeyCRM has written all its lines off. Without
        an answer of a person, orders that came to their status before Odoo first asked are judged by
        what a synchronization proposes.
        """
        status = batch.status(order)
        runs = batch.runs_about_gone.get(order.id, self.env["keycrm.order.sync"])
        gone_ids = {
            *batch.account.archive_status_ids.ids,
            *runs.shipped_status_ids.ids,
            *(self.env.context.get("keycrm_shipped_status_ids") or ()),
        }
        if status and status.id in gone_ids:
            return True
        answers = runs.filtered(lambda run: status and status in run.status_ids)
        is_from_before = not answers and self._is_from_before(batch.account, order)
        if status and is_from_before and status._with_shipped_goods():
            return True
        if_written_off = (
            is_from_before
            or self.env.context.get("keycrm_shipped_if_written_off")
            or any(answers.mapped("shipped_if_written_off"))
        )
        return bool(
            if_written_off
            and order.lines
            and all(line.stock_status == "fulfilled" for line in order.lines)
        )

    @api.model
    def _is_from_before(self, account, order):
        """Decide whether an order came to its status before the integration was enabled.

        The moment of enabling counts, not the first polling: a webhook may come before that, and KeyCRM
        may have been unavailable for hours. A synchronization's own page is left out: there a person
        has answered.
        """
        if self.env.context.get("keycrm_shipped_status_ids") is not None:
            return False
        first = account.enabled_since
        # An order that was made in its status may never have changed it.
        moment = order.status_changed_at or order.created_at or order.updated_at
        return bool(first and moment and moment < first)

    @api.model
    def _syncs_with_shipped_statuses(self, account, orders):
        """Find the synchronizations whose answer to "the goods have already left" counts for new orders,
        whatever way they come.

        A webhook or a payment may bring an order before the run's page does; and what failed in a run is
        tried again through the inbox.

        :return: ``{number: keycrm.order.sync}``
        """
        Sync = self.env["keycrm.order.sync"]
        running = Sync.search([("account_id", "=", account.id), ("state", "=", "running")])
        failed_in = self._runs_that_failed(account, orders)
        return {
            order.id: running.filtered(lambda run, order=order: _is_older(order, run))
            | failed_in.get(order.id, Sync).filtered(
                lambda run, order=order: not _has_moved_since(order, run)
            )
            for order in orders
        }

    @api.model
    def _runs_that_failed(self, account, orders):
        """:return: ``{number: keycrm.order.sync}`` in which the order could not be written"""
        events = self.env["keycrm.event"].search(
            [
                ("account_id", "=", account.id),
                ("keycrm_order_id", "in", [order.id for order in orders]),
                ("sync_id", "!=", False),
            ]
        )
        return {number: some.sync_id for number, some in events.grouped("keycrm_order_id").items()}


def _is_older(order, run):
    return bool(order.created_at) and order.created_at < run.started_at


def _has_moved_since(order, run):
    """Return whether an order came to its status after a run: the answer was not about that."""
    over = run.finished_at or fields.Datetime.now()
    return bool(order.status_changed_at) and order.status_changed_at > over
