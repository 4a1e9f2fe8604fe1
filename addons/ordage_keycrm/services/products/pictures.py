"""Pictures of products at the public address, from which KeyCRM downloads them."""

import secrets

from odoo.tools import hmac

from ...keycrm import webhook_check


def address(account):
    """Return the address below which the pictures of products are served.

    :param account: ``keycrm.account``, one
    """
    return f"{(account.webhook_url or '').partition('/keycrm/webhook/')[0]}/keycrm/picture"


def proof(env, nonce):
    """Return the answer to the check of the address, which requires the database's secret.

    :param env: an environment
    :param nonce: random text of the check
    """
    return hmac(env(su=True), "keycrm-picture-check", nonce)


def are_served(account):
    """Check whether the public address serves pictures: a proxy may let only webhooks through.

    :param account: ``keycrm.account``, one
    """
    nonce = secrets.token_hex(16)
    url = f"{address(account)}/check/{nonce}"
    return webhook_check.answers(url, proof(account.env, nonce))
