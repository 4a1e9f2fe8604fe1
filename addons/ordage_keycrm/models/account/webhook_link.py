import hashlib
import hmac
import secrets

from odoo import api, fields, models
from odoo.tools import SQL

from ...const import EVENT_STOCK, ORDER_EVENTS
from ...keycrm import webhook
from ...services import crons
from ...services.circuit_breaker import CircuitBreaker
from ...services.live_updates import notify_clients


class KeycrmAccount(models.Model):
    """Manage the webhook link: its secret, and the storage of received webhooks."""

    _inherit = "keycrm.account"

    # === FIELDS ===#

    webhook_token = fields.Char(string="Webhook secret", groups=fields.NO_ACCESS, copy=False)
    # The account of a webhook is found by it.
    webhook_token_digest = fields.Char(
        string="Webhook secret digest",
        groups=fields.NO_ACCESS,
        copy=False,
        index="btree_not_null",
    )
    webhook_url = fields.Char(
        string="Webhook link",
        compute="_compute_webhook_url",
        groups="ordage_keycrm.group_manager",
        help="KeyCRM sends a notification to this link when an order changes. The link is secret: "
        "anyone who has it can make Odoo reload an order.",
    )
    last_webhook_at = fields.Datetime(
        string="Last webhook",
        compute="_compute_last_webhook_at",
        help="When the last webhook from KeyCRM arrived.",
    )

    _webhook_token_digest_unique = models.UniqueIndex("(webhook_token_digest)")

    # === COMPUTE METHODS ===#

    @api.depends("webhook_token", "public_url")
    def _compute_webhook_url(self):
        default = self[:1].get_base_url() if self else ""
        for account in self:
            base = (account.public_url or default or "").rstrip("/")
            token = self._decrypted(account.sudo().webhook_token)
            account.webhook_url = f"{base}/keycrm/webhook/{token}" if token else False

    def _compute_last_webhook_at(self):
        """Read the last webhook of all accounts with one query, from the index."""
        self.env["keycrm.event"].flush_model(["account_id", "from_webhook", "received_at"])
        self.env.cr.execute(
            SQL(
                """SELECT a.id, last.received_at FROM unnest(%s::int[]) AS a(id)
                    CROSS JOIN LATERAL (SELECT received_at FROM keycrm_event
                                         WHERE account_id = a.id AND from_webhook IS TRUE
                                         ORDER BY id DESC LIMIT 1) AS last""",
                self.ids,
            )
        )
        found = dict(self.env.cr.fetchall())
        for account in self:
            account.last_webhook_at = found.get(account.id)

    # === ACTION METHODS ===#

    def action_new_webhook_token(self):
        """Create a new webhook link; the old one is invalid at once.

        :return: True
        """
        self._check_manager()
        self._create_webhook_tokens()
        return True

    # === BUSINESS METHODS ===#

    def _create_webhook_tokens(self):
        """Create a new secret for each account; the former one becomes invalid."""
        for account in self.sudo():
            token = secrets.token_urlsafe(32)
            account.write(
                {
                    "webhook_token": self._encrypted(token),
                    "webhook_token_digest": self._token_digest(token),
                }
            )

    @api.model
    def _token_digest(self, token):
        """Return the digest by which an account is found.

        The timing of an index lookup reveals nothing about the token behind a digest.

        :param token: secret of the link
        """
        return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()

    @api.model
    def _find_by_webhook_token(self, token):
        """Find the account of a token by its digest, compared in constant time.

        A wrong token costs one index lookup. An account that is being set up receives webhooks too:
        they are processed after the start.

        :param token: secret of the link
        :return: ``keycrm.account``, empty when there is none or it is disabled
        """
        digest = self._token_digest(token)
        self.flush_model(["webhook_token_digest", "enabled", "enabled_since", "polled_at"])
        # A search would also read the user, the company and its contact, for every unauthenticated
        # request.
        self.env.cr.execute(
            SQL(
                """SELECT id, webhook_token_digest FROM keycrm_account
                    WHERE webhook_token_digest = %s
                      AND (enabled OR enabled_since IS NULL AND polled_at IS NULL)""",
                digest,
            )
        )
        for account_id, known in self.env.cr.fetchall():
            if hmac.compare_digest(known, digest):
                return self.browse(account_id)
        return self.browse()

    def _receive(self, payload):
        """Store a webhook in the inbox and trigger the worker.

        :param payload: decoded JSON of any shape
        """
        self.ensure_one()
        vals = self._event_vals(payload)
        if vals["state"] != "pending" or not self.last_webhook_at:
            # No worker will notify clients of it, or a user at the set-up waits for the very first one.
            notify_clients(self)
        self.env["keycrm.event"].create(
            {"account_id": self.id, "payload": payload, "from_webhook": True, **vals}
        )
        if CircuitBreaker(self).is_unavailable() or not self.enabled:
            # A worker would end at once; both are triggered when the backoff is over, or after the
            # start.
            return
        if vals["event"] == EVENT_STOCK:
            crons.trigger(self, crons.STOCK)
        elif vals["state"] == "pending":
            crons.trigger(self, crons.ORDERS)

    @staticmethod
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
