"""Find the account of a webhook, and store the webhook in the inbox."""

import hashlib
import hmac
from datetime import timedelta

from odoo import fields
from odoo.tools import SQL

from ...const import EVENT_STOCK, ORDER_EVENTS
from ...keycrm import webhook
from ..common import crons
from ..common.circuit_breaker import CircuitBreaker
from ..common.live_updates import notify_clients


def token_digest(token):
    """Return the digest by which an account is found.

    The timing of an index lookup reveals nothing about the token behind a digest.

    :param token: secret of the link
    """
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def find_account(env, token):
    """Find the account of a token by its digest, compared in constant time.

    A wrong token costs one index lookup. An account that is being set up receives webhooks too:
    they are processed after the start.

    :param env: Odoo's environment in superuser mode
    :param token: secret of the link
    :return: ``keycrm.account``, empty when there is none or it is disabled
    """
    Account = env["keycrm.account"]
    digest = token_digest(token)
    Account.flush_model(["webhook_token_digest", "enabled", "enabled_since", "polled_at"])
    # A search would also read the user, the company and its contact, for every unauthenticated
    # request.
    env.cr.execute(
        SQL(
            """SELECT id, webhook_token_digest FROM keycrm_account
                WHERE webhook_token_digest = %s
                  AND (enabled OR enabled_since IS NULL AND polled_at IS NULL)""",
            digest,
        )
    )
    for account_id, known in env.cr.fetchall():
        if hmac.compare_digest(known, digest):
            return Account.browse(account_id)
    return Account.browse()


def receive(account, payload):
    """Store a webhook in the inbox and trigger the worker.

    :param account: ``keycrm.account``, one
    :param payload: decoded JSON of any shape
    """
    account.ensure_one()
    vals = _event_vals(payload)
    if vals["state"] != "pending" or not account.last_webhook_at:
        # No worker processes an ignored event, and a user at the setup waits for the first webhook.
        notify_clients(account)
    account.env["keycrm.event"].create(
        {"account_id": account.id, "payload": payload, "from_webhook": True, **vals}
    )
    if CircuitBreaker(account).is_unavailable() or not account.enabled:
        # A worker would end at once; both are triggered when the backoff is over, or after the
        # start.
        return
    if vals["event"] == EVENT_STOCK:
        crons.trigger(account, crons.STOCK)
    elif vals["state"] == "pending":
        crons.trigger(account, crons.ORDERS)


def record_get(account):
    """Record a webhook by GET, which contains no order: the trigger is misconfigured.

    :param account: ``keycrm.account``, one
    """
    now = fields.Datetime.now()
    if not account.trigger_get_at or account.trigger_get_at < now - timedelta(minutes=1):
        account.trigger_get_at = now
        notify_clients(account)


def _event_vals(payload):
    """Return the values of an event: only the order's id is used, the rest is a hint.

    :param payload: decoded JSON of any shape
    :return: values of ``keycrm.event``
    """
    ignored = {"state": "ignored", "next_try_at": False}
    if webhook.is_stock(payload):
        # Without a due time the orders worker skips it: the stock worker processes it.
        return {"event": EVENT_STOCK, "state": "pending", "next_try_at": False}
    hint = webhook.OrderHint.parse(payload)
    if not hint.event.startswith(ORDER_EVENTS):
        return {"event": hint.event or "?", **ignored}
    if not hint.order_id:
        return {"event": hint.event, **ignored, "error_code": "no_order_number"}
    return {"event": hint.event, "state": "pending", "keycrm_order_id": hint.order_id}
