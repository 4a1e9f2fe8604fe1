from ...const import EVENT_REFRESH
from ..common import crons
from ..common.circuit_breaker import CircuitBreaker
from ..common.language import company_language
from ..sending.kinds import KINDS
from ..stock.stock_settings import StockSettings

#: Settings by which a user's transaction finds the accounts that receive its changes.
CACHED = {
    *("enabled", "push_stock", "stock_quantity", "company_id"),
    *(kind.switch for kind in KINDS.values()),
}


class SettingsChange:
    """Apply the effects of a write of settings to queues, orders and stock, in a fixed order.

    :param accounts: ``keycrm.account``, before the write
    :param vals: values that are written
    """

    def __init__(self, accounts, vals):
        self.accounts, self.vals, self.env = accounts, vals, accounts.env
        none = accounts.browse()
        #: The accounts that the write enables.
        self.disabled = (
            accounts.filtered(lambda account: not account.enabled) if vals.get("enabled") else none
        )
        self._new = self.disabled.filtered(lambda account: account._is_before_start())
        self._paused = self.disabled.filtered("push_stock")
        sends = vals.get("push_stock")
        self._silent = accounts.filtered(lambda account: not account.push_stock) if sends else none
        self._switched_off = {
            name: accounts.filtered(kind.switch)
            for name, kind in KINDS.items()
            if not vals.get(kind.switch, True)
        }

    def apply(self):
        """Apply the effects, after the write."""
        self._trigger_queues()
        if "archive_status_ids" in self.vals:
            for account in self.accounts:
                move_archived_orders(account)
        if "warehouse_id" in self.vals:
            release_waiting_for_warehouse(self.accounts)
        for account in self.disabled - self._new:
            self._enqueue_missed_changes(account)
        self._new._mark_started()
        for account in self._paused:
            StockSettings(account).compare_after_pause()
        for account in self._silent:
            StockSettings(account).reset_levels()
        self._silent.warehouse_ids._allow_sending()
        for account in self.accounts:
            StockSettings(account).apply(self.vals)
        self.env["keycrm.send.preview"]._switched_off(self._switched_off)
        self.env["keycrm.offer.change"]._enqueue_price_list(self.vals)

    def _enqueue_missed_changes(self, account):
        """Enqueue what users changed while the integration was disabled: nothing was recorded then.

        :param account: ``keycrm.account``, one, enabled again
        """
        for name, kind in KINDS.items():
            if account._sends(name):
                kind(account).enqueue_all()

    def _trigger_queues(self):
        names = self.vals.keys()
        if CACHED & names:
            self.env["keycrm.outbox.mixin"]._clear_sending_accounts()
        if self.vals.get("enabled"):
            crons.restore(self.accounts)
        if {"api_key", "api_url"} & names:
            # The change may solve the problem, so the next attempt is made at once.
            CircuitBreaker(self.accounts).reset()
        if {"enabled", "api_key", "api_url"} & names:
            crons.trigger(self.accounts.filtered("enabled"), crons.ORDERS)


def release_waiting_for_warehouse(accounts):
    """Read orders again that are not confirmed because their warehouse is archived.

    :param accounts: ``keycrm.account``
    """
    waiting = (
        accounts.env["sale.order"]
        .sudo()
        .search(
            [
                ("keycrm_account_id", "in", accounts.ids),
                ("keycrm_needs_decision", "=", True),
                ("keycrm_problem_code", "=", "warehouse_archived"),
            ]
        )
    )
    waiting._keycrm_enqueue_refresh(EVENT_REFRESH)


def domains_to_move(account):
    """Return the domains of the orders that the archive statuses archive, and of those that they reopen.

    :param account: ``keycrm.account``, one; may be changed and not saved
    """
    of_account = ("keycrm_account_id", "=", account._origin.id)
    archive = account.archive_status_ids.ids
    return (
        [of_account, ("keycrm_archived", "=", False), ("keycrm_status_id", "in", archive)],
        [of_account, ("keycrm_archived", "=", True), ("keycrm_status_id", "not in", archive)],
    )


def move_archived_orders(account):
    """Archive and reopen orders after the archive statuses changed.

    :param account: ``keycrm.account``, one
    """
    # Activities are scheduled in the company's language, as those of the worker.
    lang = company_language(account.company_id)
    Order = account.env["sale.order"].sudo().with_context(tracking_disable=True, lang=lang)
    to_archive, to_reopen = domains_to_move(account)
    Order.search(to_archive)._keycrm_archive()
    Order.search(to_reopen)._keycrm_reopen()
