from http import HTTPStatus

from odoo import SUPERUSER_ID, http
from odoo.http import request

from ..const import WEBHOOK_MAX_BYTES
from ..keycrm import link
from ..keycrm.values import clean_json


class KeycrmWebhook(http.Controller):
    """What KeyCRM calls. A webhook is a hint: it is stored and answered; the worker does the rest.

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
        """Store what KeyCRM tells and answer at once.

        404 for an unknown token and for an account that is off: from outside they look alike. 413 above
        1 MiB, 400 for what is not JSON, else 204.
        """
        env = request.env(user=SUPERUSER_ID, su=True)
        account = env["keycrm.account"]._of_webhook_token(token)
        if not account:
            return self._answer(HTTPStatus.NOT_FOUND)
        body = self._body()
        if body is None:
            return self._answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        try:
            payload = clean_json(body)
        except (ValueError, RecursionError):
            return self._answer(HTTPStatus.BAD_REQUEST)
        if isinstance(payload, dict) and payload.get("event") == link.CHECK_EVENT:
            # "Check link" came all the way round: nothing is stored, and the right Odoo is proven.
            return request.make_json_response(
                {"proof": link.proof(token, str(payload.get("nonce"))[:64])}
            )
        account._receive(payload)
        return self._answer(HTTPStatus.NO_CONTENT)

    @http.route(
        "/keycrm/webhook/<string:token>",
        type="http",
        auth="none",
        methods=["GET"],
        save_session=False,
    )
    def refuse_get(self, token, **_query):
        """A trigger set to GET carries no order: say so on the account, answer 405.

        A person who opens the link in a browser is no trigger. 404 as for POST.
        """
        env = request.env(user=SUPERUSER_ID, su=True)
        account = env["keycrm.account"]._of_webhook_token(token)
        if not account:
            return self._answer(HTTPStatus.NOT_FOUND)
        headers = request.httprequest.headers
        if request.httprequest.method == "GET" and "text/html" not in headers.get("Accept", ""):
            account._note_get()
        return request.make_response(
            "This link is for KeyCRM's webhooks: POST only.\n",
            headers=[("Content-Type", "text/plain; charset=utf-8"), ("Allow", "POST")],
            status=HTTPStatus.METHOD_NOT_ALLOWED,
        )

    @staticmethod
    def _body():
        """:return: the body, or None when it is larger than allowed"""
        # Without a length (chunked) Odoo's server gives an empty body, which is no JSON.
        if (request.httprequest.content_length or 0) > WEBHOOK_MAX_BYTES:
            return None
        # Kept, since Odoo calls again with the same request after a serialization failure.
        return request.httprequest.get_data()

    @staticmethod
    def _answer(status):
        return request.make_response("", status=status)
