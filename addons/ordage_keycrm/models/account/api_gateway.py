from odoo import models
from odoo.exceptions import UserError

from ...const import API_URL
from ...keycrm import rate_limit
from ...keycrm.client import KeyCrmClient, normalized_address
from ...keycrm.errors import KeyCrmError, Refused
from ...services import crons

#: Timeout of a request for a waiting user: (connect, read) seconds.
BUTTON_TIMEOUT = (5, 15)
#: Seconds that a button may wait for the request quota.
BUTTON_MAX_WAIT = 8


class KeycrmAccount(models.Model):
    """Create API clients: the only place that reads the API key."""

    _inherit = "keycrm.account"

    def _client(self, queue=rate_limit.LIVE, *, timeout=None, tries=None, max_wait=None):
        """Create a client for this account.

        :param queue: ``live`` or ``bulk``: bulk work is paced and leaves quota for live work
        :param timeout: (connect, read) seconds; None for a worker's
        :param tries: attempts of one request; None for a worker's
        :param max_wait: seconds that a request may wait for the quota; None for a worker's
        :return: :class:`~..keycrm.client.KeyCrmClient`, to be used with ``with``
        :raise UserError: when no key is set
        :raise KeyCrmError: when the key cannot be decrypted
        """
        self.ensure_one()
        account = self.sudo()
        key, url = account._api_key(), (account.api_url or "").strip()
        if key is None:
            raise Refused("key_sealed", account=account.name)
        if not key:
            raise UserError(self.env._("Paste the API key of “%s” first.", account.name))
        account._check_database()
        wait = {} if max_wait is None else {"max_wait": max_wait}
        options = {"timeout": timeout, "tries": tries}
        return KeyCrmClient(
            key,
            url,
            rate_limiter=self.env["keycrm.rate.limit"]._rate_limiter(
                key, url, account.request_limit, **wait
            ),
            queue=queue,
            is_proven=bool(account.key_checked_at)
            or normalized_address(url) == normalized_address(API_URL),
            **{name: value for name, value in options.items() if value is not None},
        )

    def _request_for_user(self, request):
        """Send requests on behalf of a user who waits for the result.

        :param request: called with the client
        :return: its result
        :raise UserError: in the user's language, for any error of KeyCRM
        """
        self.ensure_one()
        try:
            with self._client(timeout=BUTTON_TIMEOUT, tries=1, max_wait=BUTTON_MAX_WAIT) as client:
                answer = request(client)
        except KeyCrmError as error:
            raise UserError(
                self.env["keycrm.error.message"]._sentence(error.code, error.params)
            ) from None
        self.sudo()._mark_key_working()
        if self.trouble_count:
            # KeyCRM is available again; no work has to wait for the next probe.
            self._reset_circuit()
            crons.trigger(self)
        return answer
