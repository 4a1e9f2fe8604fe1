"""Decisions about an account itself: its problems, its key, its webhook, its previews."""

from functools import cached_property

from odoo import fields

from ...common.circuit_breaker import CircuitBreaker
from .kind import DecisionKind


class AccountKind(DecisionKind):
    """A decision about an account, with one row for each account that waits."""

    def rows(self):
        return [self.account_row(account) for account in self.waiting()]

    def account_row(self, account):
        """Describe what the account waits for.

        :param account: ``keycrm.account``, one
        """
        raise NotImplementedError

    def since(self, account):
        """Return since when the account has waited.

        :param account: ``keycrm.account``, one
        :return: naive UTC; None where it is not known
        """
        stored = account.sudo().decisions_since or {}
        return fields.Datetime.to_datetime(stored.get(self.key))

    def setup_row(self, account, kind, reason):
        """Return a row of what is solved in the setup.

        :param account: ``keycrm.account``, one
        :param kind: a word for it
        :param reason: a sentence
        """
        return self.row(
            account,
            account,
            account.display_name,
            kind=kind,
            reason=reason,
            since=self.since(account),
            buttons=[self.button(self.env._("Open setup"), "action_open_setup")],
        )


class Problem(AccountKind):
    """An account that does not synchronize, or not completely; shown, but not counted."""

    key = "problem"

    def rows(self):
        rows = []
        for account in self.account:
            is_interrupted = CircuitBreaker(account).is_interrupted()
            if is_interrupted or (account.enabled and account.reference_text):
                reason = account.circuit_error_text if is_interrupted else account.reference_text
                rows.append(self.setup_row(account, self.env._("Problem"), reason or ""))
        return rows

    def since(self, account):
        return super().since(account) or account.reference_since


class SharedKey(AccountKind):
    """An API key that another program uses too."""

    key = "shared_key"
    depends = ("enabled",)

    def waiting(self):
        return [
            account for account in self.account if account.enabled and self._lowered_at[account.id]
        ]

    def since(self, account):
        return self._lowered_at[account.id]

    @cached_property
    def _lowered_at(self):
        """Return since when the limit of each account's key has been lowered.

        :return: ``{account id: naive UTC, or False}``
        """
        usage = self.env["keycrm.rate.limit"]._usage(self.account)
        return {account_id: since for account_id, (_used, _limit, since) in usage.items()}

    def account_row(self, account):
        return self.setup_row(
            account,
            self.env._("API key"),
            self.env._(
                "Another program uses the same API key: KeyCRM refused requests although this Odoo had "
                "sent few."
            ),
        )


class LateOrders(AccountKind):
    """Statuses that KeyCRM's trigger does not have."""

    key = "late"
    depends = ("enabled", "missed_status_ids")

    def waiting(self):
        return [
            account
            for account in self.account
            if account.enabled and account.sudo().missed_status_ids
        ]

    def since(self, account):
        return min(account.sudo().missed_status_ids.mapped("missed_at"))

    def account_row(self, account):
        names = ", ".join(account.sudo().missed_status_ids.mapped("display_name"))
        return self.setup_row(
            account,
            self.env._("Webhook"),
            self.env._(
                "Orders in these statuses arrive late: %s. Add the statuses to KeyCRM's trigger.",
                names,
            ),
        )


class SendPreviews(AccountKind):
    """Previews of what would be sent to KeyCRM."""

    key = "previews"
    depends = ("kinds_to_preview",)

    def waiting(self):
        return [account for account in self.account if account.sudo().kinds_to_preview]

    def account_row(self, account):
        return self.row(
            account,
            account,
            self.env._("A preview waits for your choice"),
            kind=self.env._("Sending to KeyCRM"),
            reason=self.env._("Nothing is sent until you decide."),
            since=self.since(account),
            buttons=[self.button(self.env._("Open"), "action_open_send_previews")],
        )
