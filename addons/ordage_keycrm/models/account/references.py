from odoo import api, fields, models

from ...const import EVENT_REFRESH
from ...services import crons


class KeycrmAccount(models.Model):
    """Report archived or deleted records of the settings; restore unambiguous ones."""

    _inherit = "keycrm.account"

    # === FIELDS ===#

    reference_text = fields.Text(
        string="Settings to review", compute="_compute_reference_text", compute_sudo=True
    )

    # === COMPUTE METHODS ===#

    @api.depends_context("lang")
    def _compute_reference_text(self):
        accounts = self.with_context(active_test=False)
        own = [("account_id", "in", self.ids)]
        sources = accounts.env["keycrm.source"].search(own).grouped("account_id")
        methods = accounts.env["keycrm.payment.method"].search(own).grouped("account_id")
        for account in accounts:
            rows = account._missing_actions()
            rows += account._archived_references(sources.get(account), methods.get(account))
            account.reference_text = "\n".join(rows)

    # === BUSINESS METHODS ===#

    def _release_waiting_for_warehouse(self):
        """Read orders again that are not confirmed because their warehouse is archived."""
        waiting = (
            self.env["sale.order"]
            .sudo()
            .search(
                [
                    ("keycrm_account_id", "in", self.ids),
                    ("keycrm_needs_decision", "=", True),
                    ("keycrm_problem_code", "=", "warehouse_archived"),
                ]
            )
        )
        waiting._keycrm_ask_refresh(EVENT_REFRESH)

    def _missing_actions(self):
        """Return sentences about missing scheduled actions, without which nothing runs."""
        if not self.enabled:
            return []
        queues = (
            (self.orders_cron_id, self.env._("orders")),
            (self.stock_cron_id, self.env._("stock")),
        )
        return [
            self.env._(
                "The scheduled action for %(queue)s was deleted or archived. Disable and enable the "
                "integration to restore it.",
                queue=name,
            )
            for cron, name in queues
            if not cron.active
        ]

    def _archived_references(self, sources, methods):
        """Return sentences about the archived records in the settings of the account.

        :param sources: its ``keycrm.source`` or None
        :param methods: its ``keycrm.payment.method`` or None
        :return: list of sentences
        """
        names = ("warehouse_id", "payment_journal_id", "tax_id", "user_id", "delivered_status_id")
        used = [
            (self, names),
            (self.warehouse_ids, ("warehouse_ids",)),
            (sources or self.env["keycrm.source"], ("team_id", "warehouse_id", "journal_id")),
            (methods or self.env["keycrm.payment.method"], ("journal_id",)),
        ]
        rows = []
        for records, names in used:
            labels = records.fields_get(names, ["string"]) if records else {}
            rows += [
                self.env._(
                    "%(field)s of “%(record)s”: “%(value)s” is archived. Choose another one.",
                    field=labels[name]["string"],
                    record=record.display_name,
                    value=value.display_name,
                )
                for record in records
                for name in names
                for value in record[name]
                # A status is deactivated in KeyCRM, not archived here.
                if not value["is_active" if "is_active" in value._fields else "active"]
            ]
        return rows

    @api.autovacuum
    def _restore_references(self):
        """Recreate deleted scheduled actions, and use the only warehouse that is left."""
        for account in self.sudo().search([("enabled", "=", True)]):
            crons.ensure(account)
            if not account.database_identity:
                account._record_database()
            warehouse = account._warehouse_of_orders()
            if warehouse and warehouse != account.warehouse_id:
                account.warehouse_id = warehouse

    def _warehouse_of_orders(self):
        """Return the account's warehouse; if archived, the company's only other one.

        :return: ``stock.warehouse``, maybe none
        """
        self.ensure_one()
        if self.warehouse_id.active:
            return self.warehouse_id
        own = [("company_id", "=", self.company_id.id)]
        left = self.env["stock.warehouse"].search(own, limit=2)
        if self.warehouse_id and len(left) > 1:
            # A user has to choose.
            return left.browse()
        return left[:1]
