from odoo import api, fields, models
from odoo.tools import SQL

from ...services.common import crons
from ...services.stock.stock_settings import StockSettings


class KeycrmStockExport(models.Model):
    """One run of "Send all": the stock of every product that was ever counted or moved.

    It only fills the outbox, which the stock queue processes, and counts the rows that are left.
    """

    _name = "keycrm.stock.export"
    _description = "Full stock export"
    _inherit = ["keycrm.job.mixin"]

    _pieces = ("stock",)

    # === FIELDS ===#

    total_count = fields.Integer(string="Products to send", readonly=True, copy=False)
    done_count = fields.Integer(string="Sent", readonly=True, copy=False)
    refused_count = fields.Integer(string="Refused", readonly=True, copy=False)

    # Workers search running exports at each run; finished ones are kept for a long time.
    _running_index = models.Index("(account_id) WHERE state = 'running'")

    # === COMPUTE METHODS ===#

    @api.depends("account_id.stock_paused")
    def _compute_waiting_text(self):
        return super()._compute_waiting_text()

    # === BUSINESS METHODS ===#

    def _check_can_start(self):
        StockSettings(self.account_id).check_can_send()

    def _start_vals(self):
        return {**super()._start_vals(), "refused_count": 0}

    def _begin(self):
        account = self.account_id
        self.env["keycrm.stock.level"].sudo().search([("account_id", "=", account.id)]).write(
            {"is_known": False, "read_at": False, "error": False, "sent_quantity": False}
        )
        product_ids = self.env["keycrm.stock.calculator"]._counted_product_ids(account)
        if not product_ids:
            self._end("done")
            return
        self.total_count = len(product_ids)
        self.env["keycrm.stock.change"].sudo()._enqueue_rows(
            [(account.id, product_id) for product_id in product_ids], export_id=self.id
        )
        crons.trigger(account, crons.STOCK)

    def _end(self, state, **vals):
        """Record the end; a stopped export deletes its rows that are not sent yet."""
        if state == "canceled":
            self.env.cr.execute(
                SQL("DELETE FROM keycrm_stock_change WHERE export_id = ANY(%s)", self.ids)
            )
        return super()._end(state, **vals)

    def _title(self):
        return self.env._("Full stock export")

    def _summary(self):
        return self.env._(
            "Finished: stock of %(done)s products sent to KeyCRM, %(refused)s refused.",
            done=self.done_count - self.refused_count,
            refused=self.refused_count,
        )

    def _waiting_reason(self):
        account = self.account_id
        if account.stock_paused:
            return self.env._("Stock sync is paused. The job continues after “Resume stock sync”.")
        return super()._waiting_reason()

    def _count(self, account):
        """Record the progress of an account's exports, within a transaction of the stock queue.

        :param account: ``keycrm.account``, one
        """
        running = self.sudo().search([("account_id", "=", account.id), ("state", "=", "running")])
        if not running:
            return
        self.env.cr.execute(
            SQL(
                """SELECT export_id, count(*) FROM keycrm_stock_change
                    WHERE export_id = ANY(%s) GROUP BY export_id""",
                running.ids,
            )
        )
        left = dict(self.env.cr.fetchall())
        for export in running:
            export.done_count = export.total_count - left.get(export.id, 0)
            if export.id not in left:
                refused = (
                    self.env["keycrm.stock.level"]
                    .sudo()
                    ._read_group(
                        [("account_id", "=", account.id), ("error", "!=", False)],
                        aggregates=["product_id:count_distinct"],
                    )
                )
                export._end("done", refused_count=refused[0][0])
