from odoo import api, fields, models


class KeycrmOrderImporter(models.AbstractModel):
    """Decide whether a new order was shipped before its first import: then it moves no stock."""

    _inherit = "keycrm.order.importer"

    @api.model
    def _is_already_shipped(self, batch, order):
        """Return whether a new order was shipped already.

        It was shipped if its status is an archive status or one that a user chose for a
        synchronization, or, if the user chose so, if KeyCRM has written off all its lines. Without a
        user's choice, the defaults of a synchronization apply to orders that are older than the
        integration.
        """
        status = batch.status(order)
        runs = batch.shipped_syncs.get(order.id, self.env["keycrm.order.sync"])
        shipped_ids = {
            *batch.account.archive_status_ids.ids,
            *runs.shipped_status_ids.ids,
            *(batch.options.shipped_status_ids or ()),
        }
        if status and status.id in shipped_ids:
            return True
        answers = runs.filtered(lambda run: status and status in run.status_ids)
        is_older = not answers and self._is_older_than_integration(batch, order)
        if status and is_older and status._with_shipped_goods():
            return True
        if_written_off = (
            is_older
            or batch.options.shipped_if_written_off
            or any(answers.mapped("shipped_if_written_off"))
        )
        return bool(
            if_written_off
            and order.lines
            and all(line.stock_status == "fulfilled" for line in order.lines)
        )

    @api.model
    def _is_older_than_integration(self, batch, order):
        """Return whether an order moved to its status before the integration was enabled.

        The time of enabling counts, not the first polling: a webhook may arrive before that, and KeyCRM
        may have been unavailable for hours. Not for a synchronization's own pages: there a user has
        chosen.
        """
        if batch.options.shipped_status_ids is not None:
            return False
        first = batch.account.enabled_since
        # The status of an order may never have changed since it was placed.
        moment = order.status_changed_at or order.created_at or order.updated_at
        return bool(first and moment and moment < first)

    @api.model
    def _shipped_syncs(self, account, orders):
        """Find the synchronizations whose "Already shipped" applies to orders.

        They apply to new orders of the inbox too. A webhook may arrive before the synchronization reads
        the order; and an order that failed in a synchronization is retried by the inbox.

        :return: ``{number: keycrm.order.sync}``
        """
        Sync = self.env["keycrm.order.sync"]
        running = Sync.search([("account_id", "=", account.id), ("state", "=", "running")])
        failed_in = self._failed_syncs(account, orders)
        return {
            order.id: running.filtered(lambda run, order=order: _is_older(order, run))
            | failed_in.get(order.id, Sync).filtered(
                lambda run, order=order: not _has_moved_since(order, run)
            )
            for order in orders
        }

    @api.model
    def _failed_syncs(self, account, orders):
        """Return the synchronizations in which orders failed.

        :return: ``{number: keycrm.order.sync}``
        """
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
    """Return whether an order moved to its status after a run, whose setting then does not apply."""
    over = run.finished_at or fields.Datetime.now()
    return bool(order.status_changed_at) and order.status_changed_at > over
