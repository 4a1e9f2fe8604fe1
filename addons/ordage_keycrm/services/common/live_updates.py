"""Notify open screens of changes by the workers, through Odoo's bus."""


def notify_clients(accounts):
    """Notify clients that these accounts changed; they reload the data themselves.

    Sent when the transaction commits, to all users of KeyCRM, and contains only the account's id: access
    rights are checked when the client reads.

    :param accounts: ``keycrm.account``
    """
    readers = accounts.env.ref("ordage_keycrm.group_staff")
    for account in accounts:
        account.env["bus.bus"].sudo()._sendone(
            readers, "keycrm/changed", {"account_id": account.id}
        )
