"""Orders of KeyCRM that may still change."""

from ...const import OPEN_GROUPS


def open_orders_domain(accounts, groups=OPEN_GROUPS):
    """Return the domain of orders that are neither archived nor deleted in KeyCRM.

    :param accounts: ``keycrm.account``
    :param groups: groups of KeyCRM's statuses; None for all
    :return: list of conditions on ``sale.order``
    """
    domain = [
        ("keycrm_account_id", "in", accounts.ids),
        ("keycrm_archived", "=", False),
        ("keycrm_deleted", "=", False),
    ]
    return domain if groups is None else [*domain, ("keycrm_status_id.group", "in", groups)]
