from collections import defaultdict
from typing import NamedTuple

from odoo import api, models, tools

from ...services.common.concurrency import clear_caches_after_commit


class SendingAccount(NamedTuple):
    """An account that sends a kind of data, and its scheduled actions."""

    account_id: int
    orders_cron_id: int
    stock_cron_id: int


class KeycrmOutboxMixin(models.AbstractModel):
    """Find the accounts to which a change in a user's transaction has to be sent."""

    _name = "keycrm.outbox.mixin"
    _description = "Outbox for KeyCRM"

    @api.model
    @tools.ormcache("switch", cache="stable")
    def _sending_accounts(self, switch):
        """Return the enabled accounts that send a kind of data.

        Cached, since each transaction of a user that changes stock reads it; see
        :meth:`_clear_sending_accounts`. Odoo clears its default cache whenever it creates or archives a
        product.

        :param switch: the account's field that turns the kind on
        :return: ``{company id: (SendingAccount, …)}``
        """
        found = defaultdict(list)
        accounts = (
            self.env["keycrm.account"]
            .sudo()
            .search_fetch(
                [("enabled", "=", True), (switch, "=", True)],
                ["company_id", "orders_cron_id", "stock_cron_id"],
            )
        )
        for account in accounts:
            found[account.company_id.id].append(
                SendingAccount(account.id, account.orders_cron_id.id, account.stock_cron_id.id)
            )
        return {company_id: tuple(sending) for company_id, sending in found.items()}

    @api.model
    def _clear_sending_accounts(self):
        """Clear the cached accounts after one changed, now and once the change is visible to others."""
        self.env.registry.clear_cache("stable")
        clear_caches_after_commit(self.env, "stable")

    @api.model
    def _insert_and_trigger(self, statement, cron_ids):
        """Insert rows, and trigger scheduled actions, with one statement.

        Under load each answer of the database waits for the threads of other users.

        :param statement: the insert, as ``SQL``
        :param cron_ids: ids of ``ir.cron``; False for a deleted one
        """
        crons = self.env["ir.cron"].sudo().browse(sorted(filter(None, set(cron_ids))))
        crons._keycrm_trigger(coalesce=True, along_with=statement)
