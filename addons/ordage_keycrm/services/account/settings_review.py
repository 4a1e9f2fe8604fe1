from datetime import timedelta

from odoo.tools import format_datetime

from ..common.service import Service

#: A scheduled action, due each minute, is reported when it is overdue by this long.
CRON_IS_LATE = timedelta(minutes=10)


class SettingsReview(Service):
    """Find what a user has to repair for an account to work: actions, archived records."""

    def missing_actions(self):
        """Return sentences about missing scheduled actions, without which nothing runs."""
        if not self.account.enabled:
            return []
        queues = (
            (self.account.orders_cron_id, self.env._("orders")),
            (self.account.stock_cron_id, self.env._("stock")),
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

    def late_actions(self):
        """Return a sentence about active scheduled actions that are overdue.

        Without worker processes Odoo's scheduler threads end for good when PostgreSQL restarts.
        """
        late = (self.account.orders_cron_id | self.account.stock_cron_id).filtered(
            lambda cron: cron.active and cron.nextcall < self.env.cr.now() - CRON_IS_LATE
        )
        if not self.account.enabled or not late:
            return []
        since = min(cron.lastcall or cron.nextcall for cron in late)
        return [
            self.env._(
                "Scheduled actions have not run since %(time)s. Restart Odoo, or ask its "
                "administrator to.",
                time=format_datetime(self.env, since),
            )
        ]

    def archived_references(self, sources, methods):
        """Return sentences about the archived records in the settings of the account.

        :param sources: its ``keycrm.source`` or None
        :param methods: its ``keycrm.payment.method`` or None
        :return: list of sentences
        """
        names = ("warehouse_id", "payment_journal_id", "tax_id", "user_id", "delivered_status_id")
        used = [
            (self.account, names),
            (self.account.warehouse_ids, ("warehouse_ids",)),
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
