import hmac

from odoo import api, models

from ..const import EVENT_STOCK, ORDER_EVENTS
from ..keycrm.errors import MalformedAnswer
from ..keycrm.values import to_int, to_object, to_text

#: Integers of PostgreSQL end here; a number beyond names no order of ours.
MAX_INTEGER = 2**31 - 1


class KeycrmAccount(models.Model):
    """What the webhook's controller needs: find the account of a token, store what was told."""

    _inherit = "keycrm.account"

    @api.model
    def _of_webhook_token(self, token):
        """Find the enabled account of a token; looked up by digest, compared in constant time.

        :return: ``keycrm.account``, empty when there is none or it is off
        """
        account = self.search(
            [("webhook_token_digest", "=", self._token_digest(token)), ("enabled", "=", True)],
            limit=1,
        )
        if account and hmac.compare_digest(account.webhook_token.encode(), token.encode()):
            return account
        return self.browse()

    def _receive(self, payload):
        """Put what KeyCRM told into the inbox and wake the worker.

        :param payload: decoded JSON of any shape
        """
        self.ensure_one()
        vals = self._event_vals(payload)
        self.env["keycrm.event"].create(
            {"account_id": self.id, "payload": payload, "from_webhook": True, **vals}
        )
        if vals["event"] == EVENT_STOCK:
            self._wake_stock()
        elif vals["state"] == "pending":
            self._wake_orders()

    @staticmethod
    def _event_vals(payload):
        """Say what an event is: only the order's number is taken from it, everything else is a
        hint."""
        ignored = {"state": "ignored", "next_try_at": False}
        if isinstance(payload, list) or "offer_id" in to_object(payload):
            # No time for the orders' worker to look at it: the stock worker does.
            return {"event": EVENT_STOCK, "state": "pending", "next_try_at": False}
        payload = to_object(payload)
        event = to_text(payload.get("event"))[:64] or "?"
        if event not in ORDER_EVENTS:
            return {"event": event, **ignored}
        try:
            number = to_int(to_object(payload.get("context")).get("id")) or 0
        except MalformedAnswer:
            number = 0
        if not 0 < number <= MAX_INTEGER:
            return {"event": event, **ignored, "error_code": "no_order_number"}
        return {"event": event, "state": "pending", "keycrm_order_id": number}
