from odoo import models
from odoo.exceptions import UserError

from ...const import API_URL
from ...keycrm import rate_limit
from ...keycrm.client import KeyCrmClient, spelled_alike
from ...keycrm.errors import KeyCrmError, Refused

#: What a person who pressed a button waits for at the most: (connect, read) seconds.
BUTTON_TIMEOUT = (5, 15)
#: Seconds that a button may wait for room in the request quota.
BUTTON_MAX_WAIT = 8


class KeycrmAccount(models.Model):
    """The one gate to KeyCRM: the only place that reads the API key."""

    _inherit = "keycrm.account"

    def _client(self, queue=rate_limit.LIVE, *, timeout=None, tries=None, max_wait=None):
        """Open a client for this account.

        :param queue: ``live`` or ``bulk``: bulk work is paced and leaves room for live work
        :return: :class:`~..keycrm.client.KeyCrmClient`, to be used with ``with``
        :raise UserError: when no key is set
        :raise KeyCrmError: when the key cannot be opened
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
            gate=self.env["keycrm.rate.limit"]._gate(key, url, account.request_limit, **wait),
            queue=queue,
            is_proven=bool(account.key_checked_at) or spelled_alike(url) == spelled_alike(API_URL),
            **{name: value for name, value in options.items() if value is not None},
        )

    def _asked_by_person(self, ask):
        """Ask KeyCRM on behalf of a person who waits for the answer.

        :param ask: called with the client
        :return: what it returns
        :raise UserError: in the person's language, whatever went wrong with KeyCRM
        """
        self.ensure_one()
        try:
            with self._client(timeout=BUTTON_TIMEOUT, tries=1, max_wait=BUTTON_MAX_WAIT) as client:
                answer = ask(client)
        except KeyCrmError as error:
            raise UserError(
                self.env["keycrm.error.message"]._sentence(error.code, error.params)
            ) from None
        self.sudo()._mark_key_working()
        if self.trouble_count:
            # KeyCRM is available again; nobody has to wait for the next probe.
            self._reset_circuit()
            self._trigger_crons(self._crons())
        return answer
