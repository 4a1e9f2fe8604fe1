"""Record whether KeyCRM accepts the API key of an account."""

from odoo import fields

from .circuit_breaker import CircuitBreaker
from .live_updates import notify_clients


def mark_valid(account):
    """Record that KeyCRM accepted the key, and close the circuit breakers.

    :param account: ``keycrm.account``
    """
    mark_checked(account, fields.Datetime.now())
    CircuitBreaker(account).reset()


def mark_working(account):
    """Record that the key works, after a successful request with it.

    :param account: ``keycrm.account``, one, in superuser mode
    """
    if account.key_error_code or not account.key_checked_at:
        mark_checked(account, fields.Datetime.now())
        notify_clients(account)


def mark_checked(account, checked_at):
    """Record when the key was checked, without an error.

    :param account: ``keycrm.account``
    :param checked_at: naive UTC; False for a key that was not checked yet
    """
    account.sudo().write(
        {"key_checked_at": checked_at, "key_error_code": False, "key_error_params": False}
    )
