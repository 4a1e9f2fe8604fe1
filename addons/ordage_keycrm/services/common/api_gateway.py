"""Open API clients for an account: the only place that reads the API key."""

from odoo.exceptions import UserError

from ...const import API_URL
from ...keycrm import rate_limit_rules
from ...keycrm.client import KeyCrmClient, normalized_address
from ...keycrm.errors import Refused

#: Timeout of a request for a waiting user: (connect, read) seconds.
BUTTON_TIMEOUT = (5, 15)
#: Seconds that a button may wait for the request quota.
BUTTON_MAX_WAIT = 8


def open_client(
    account,
    queue=rate_limit_rules.LIVE,
    *,
    timeout=None,
    tries=None,
    max_wait=None,
    first_wait=None,
):
    """Open an API client for an account.

    :param account: ``keycrm.account``, one
    :param queue: ``live`` or ``bulk``: bulk work is paced and leaves quota for live work
    :param timeout: (connect, read) seconds; None for a worker's
    :param tries: attempts of one request; None for a worker's
    :param max_wait: seconds that a request may wait for the quota; None for a worker's
    :param first_wait: the same of a request that begins work; None: as ``max_wait``
    :return: :class:`~.keycrm.client.KeyCrmClient`, to be used with ``with``
    :raise UserError: when no key is set
    :raise KeyCrmError: when the key cannot be decrypted
    """
    account.ensure_one()
    account = account.sudo()
    key, url = account._api_key(), (account.api_url or "").strip()
    if key is None:
        raise Refused("key_not_decryptable", account=account.name)
    if not key:
        raise UserError(account.env._("Paste the API key of “%s” first.", account.name))
    account._check_database()
    options = {"timeout": timeout, "tries": tries}
    return KeyCrmClient(
        key,
        url,
        rate_limiter=account.env["keycrm.rate.limit"]._rate_limiter(
            key, url, account.request_limit, max_wait, first_wait
        ),
        queue=queue,
        is_proven=bool(account.key_checked_at)
        or normalized_address(url) == normalized_address(API_URL),
        **{name: value for name, value in options.items() if value is not None},
    )


def open_user_client(account):
    """Open an API client for a user who waits for the result.

    :param account: ``keycrm.account``, one
    :return: as :func:`open_client`
    """
    return open_client(account, timeout=BUTTON_TIMEOUT, tries=1, max_wait=BUTTON_MAX_WAIT)
