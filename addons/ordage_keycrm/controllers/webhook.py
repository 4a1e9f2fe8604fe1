from http import HTTPStatus

from odoo import SUPERUSER_ID, http
from odoo.http import request

from ..const import WEBHOOK_MAX_BYTES
from ..keycrm import webhook_check
from ..keycrm.parsing import clean_json
from ..services.orders import webhook_inbox


class KeycrmWebhook(http.Controller):
    """Receive KeyCRM's webhooks. A webhook is a hint: the worker reads the content.

    KeyCRM signs nothing and sets no header (confirmed): the secret is in the address.
    """

    @http.route(
        "/keycrm/webhook/<string:token>",
        type="http",
        auth="none",
        methods=["POST"],
        csrf=False,
        save_session=False,
    )
    def receive(self, token, **_query):
        """Store a webhook and respond at once.

        A body that is too large or was not received in time does not reach this method, see
        :mod:`~.webhook_body`.

        :param token: secret of the webhook link
        :return: 404 for an unknown token and for a disabled account, indistinguishable from outside;
            400 for a body that is not JSON; else 204
        """
        env = request.env(user=SUPERUSER_ID, su=True)
        account = webhook_inbox.find_account(env, token)
        if not account:
            return self._answer(HTTPStatus.NOT_FOUND)
        # Applies where the body was not read ahead, on another server than Odoo's own.
        request.httprequest.max_content_length = WEBHOOK_MAX_BYTES
        try:
            # Werkzeug caches the data, since Odoo calls again with the same request after a
            # serialization failure.
            payload = clean_json(request.httprequest.get_data())
        except (ValueError, RecursionError):
            return self._answer(HTTPStatus.BAD_REQUEST)
        if isinstance(payload, dict) and payload.get("event") == webhook_check.CHECK_EVENT:
            # The challenge of "Check link" was received: nothing is stored, and the proof shows that
            # the link leads to this Odoo.
            return request.make_json_response(
                {"proof": webhook_check.proof(token, str(payload.get("nonce"))[:64])}
            )
        webhook_inbox.receive(account, payload)
        return self._answer(HTTPStatus.NO_CONTENT)

    @http.route(
        "/keycrm/webhook/<string:token>",
        type="http",
        auth="none",
        methods=["GET"],
        save_session=False,
    )
    def refuse_get(self, token, **_query):
        """Refuse a trigger set to GET, which carries no order, and record it.

        Opening the link in a browser is not recorded.

        :param token: secret of the webhook link
        :return: 404 as for POST, else 405
        """
        env = request.env(user=SUPERUSER_ID, su=True)
        account = webhook_inbox.find_account(env, token)
        if not account:
            return self._answer(HTTPStatus.NOT_FOUND)
        headers = request.httprequest.headers
        if request.httprequest.method == "GET" and "text/html" not in headers.get("Accept", ""):
            webhook_inbox.record_get(account)
        return request.make_response(
            "This link is for KeyCRM's webhooks: POST only.\n",
            headers=[("Content-Type", "text/plain; charset=utf-8"), ("Allow", "POST")],
            status=HTTPStatus.METHOD_NOT_ALLOWED,
        )

    @staticmethod
    def _answer(status):
        return request.make_response("", status=status)
