from urllib.parse import urlsplit

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..const import API_KEY_MASK
from ..keycrm import sealing


class KeycrmAccount(models.Model):
    """The API key: typed in, never shown again, read by the gate to KeyCRM alone.

    It lies sealed in the database, as the webhook's token does (see :mod:`..keycrm.sealing`).
    """

    _inherit = "keycrm.account"

    # === FIELDS ===#

    api_key = fields.Char(
        string="API key",
        compute="_compute_api_key",
        inverse="_inverse_api_key",
        groups="ordage_keycrm.group_manager",
        help="In KeyCRM: Settings → General → API key. Copy the existing key; if you have none, "
        "click “Generate API key”. A new key may stop your other integrations. The saved key "
        "is never shown again.",
    )
    # Reading this needs superuser mode, which no user and no RPC call has: only the gate reads it.
    api_key_secret = fields.Char(string="Stored API key", groups=fields.NO_ACCESS, copy=False)

    # === COMPUTE METHODS ===#

    @api.depends("api_key_secret")
    def _compute_api_key(self):
        for account in self:
            account.api_key = API_KEY_MASK if account.sudo().api_key_secret else False

    def _inverse_api_key(self):
        for account in self:
            key = (account.api_key or "").strip()
            if key != API_KEY_MASK:
                account.sudo().api_key_secret = self._sealed(key) if key else False
                account._forget_key_checked()

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        accounts = super().create(vals_list)
        accounts.invalidate_recordset(["api_key"])
        return accounts

    def write(self, vals):
        key = vals.get("api_key", API_KEY_MASK)
        if "api_url" in vals and (key or "").strip() == API_KEY_MASK:
            self._check_key_stays_at(vals["api_url"])
        result = super().write(vals)
        if "api_key" in vals:
            # Or what was typed in would be read instead of the mask to the end of this request.
            self.invalidate_recordset(["api_key"])
        return result

    # === BUSINESS METHODS ===#

    def _check_key_stays_at(self, address):
        """A stored key is sent to the host for which it was typed in, and to no other.

        Whoever may change the address could else let the key be sent to a server of their own, and read
        there what nobody is shown here.

        :param address: the new ``api_url``
        :raise ValidationError: when the key has to be typed in again
        """
        for account in self.sudo():
            if account.api_key_secret and _origin(account.api_url) != _origin(address):
                raise ValidationError(
                    self.env._(
                        "Paste the API key of “%s” together with the new address: the stored key "
                        "is not sent to another server.",
                        account.name,
                    )
                )

    def _api_key(self):
        """Open the API key: for the gate to KeyCRM alone.

        :return: the key; empty when none is set; None when this database cannot open it, which is so
            in a copy that Odoo made of another database
        """
        sealed = self.sudo().api_key_secret
        return self._unsealed(sealed) if sealed else ""

    @api.model
    def _sealed(self, text):
        return sealing.seal(text, self._sealing_secret())

    @api.model
    def _unsealed(self, sealed):
        return sealing.unsealed(sealed, self._sealing_secret()) if sealed else None

    @api.model
    def _sealing_secret(self):
        return self.env["ir.config_parameter"].sudo().get_param("database.secret")


def _origin(address):
    """Name the server of an address: scheme, host and port."""
    try:
        parts = urlsplit((address or "").strip())
        return parts.scheme, parts.hostname, parts.port
    except ValueError:
        return None
