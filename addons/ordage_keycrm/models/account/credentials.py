import hashlib
import hmac
from urllib.parse import urlsplit

from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError

from ...const import API_KEY_MASK, API_URL
from ...keycrm import encryption
from ...keycrm.errors import KeyCrmError, Unauthorized
from ...services.api_gateway import open_user_client


class KeycrmAccount(models.Model):
    """Store the API key: write-only for users, read by the API client alone.

    It is encrypted in the database, as the webhook's token is (see :mod:`..keycrm.encryption`).
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
    # Reading this requires superuser mode, which no user and no RPC call has: only the API client reads
    # it.
    api_key_secret = fields.Char(string="Stored API key", groups=fields.NO_ACCESS, copy=False)
    # A keyed hash: one API key is connected once, even if two processes store it at the same time.
    api_key_digest = fields.Char(
        string="API key digest", readonly=True, groups=fields.NO_ACCESS, copy=False
    )
    foreign_host = fields.Char(
        string="Server that receives the key",
        compute="_compute_foreign_host",
        groups="ordage_keycrm.group_manager",
        help="The API key is sent to this server.",
    )

    _api_key_digest_unique = models.Constraint(
        "UNIQUE(api_key_digest)", "This API key is already connected in this database."
    )

    # === COMPUTE METHODS ===#

    @api.depends("api_key_secret")
    def _compute_api_key(self):
        for account in self:
            account.api_key = API_KEY_MASK if account.sudo().api_key_secret else False

    def _inverse_api_key(self):
        for account in self:
            key = (account.api_key or "").strip()
            if key != API_KEY_MASK:
                account.sudo().api_key_secret = self._encrypted(key) if key else False
                account._store_key_digest(key)
                account._record_database()
                account._reset_key_check()

    @api.depends("api_url")
    def _compute_foreign_host(self):
        for account in self:
            origin = _origin(account.api_url)
            is_ours = origin == _origin(API_URL)
            account.foreign_host = False if is_ours else (origin and origin[1]) or account.api_url

    # === BUSINESS METHODS ===#

    def _check_key_stays(self, vals):
        """Check that a stored key is not sent to another server than it was entered for.

        :param vals: values that are about to be written
        :raise ValidationError: when only the address changes, to another server
        """
        key = vals.get("api_key", API_KEY_MASK)
        if "api_url" in vals and (key or "").strip() == API_KEY_MASK:
            self._check_key_stays_at(vals["api_url"])

    def _key_changed(self, vals):
        """Update the digest of the key, and restore its mask.

        :param vals: values that were written
        """
        if "api_url" in vals and "api_key" not in vals:
            for account in self:
                account._store_key_digest(account._api_key())
        if "api_key" in vals:
            self._mask_key()

    def _mask_key(self):
        """Restore the mask: the cache holds the entered key until the end of the request."""
        self.invalidate_recordset(["api_key"])

    @api.model
    def _is_guarded(self, name):
        """Return whether a user may not write a field.

        The address decides which server receives the key: only Odoo's administrators may change it.

        :param name: name of the field
        """
        if name == "api_url":
            return not (self.env.su or self.env.user.has_group("base.group_system"))
        return super()._is_guarded(name)

    @api.model
    def _check_guarded(self, names):
        if "api_url" in names and self._is_guarded("api_url"):
            raise AccessError(
                self.env._(
                    "Only an administrator of Odoo can change the API address: the API key is sent there."
                )
            )
        return super()._check_guarded(names)

    def _has_field_access(self, field, operation):
        # Forms show the address readonly.
        allowed = super()._has_field_access(field, operation)
        return allowed and not (
            operation == "write" and field.name == "api_url" and self._is_guarded("api_url")
        )

    def _store_key_digest(self, key):
        """Store the keyed hash of the API key and its server.

        :param key: the key, or an empty text
        :raise ValidationError: when another account of this database has the same key
        """
        self.ensure_one()
        account = self.sudo()
        digest = False
        if key:
            named = self.env["keycrm.rate.limit"]._digest(key, account.api_url or "")
            secret = self._encryption_secret().encode()
            digest = hmac.new(secret, named.encode(), hashlib.sha256).hexdigest()
            other = account.with_context(active_test=False).search(
                [("api_key_digest", "=", digest), ("id", "!=", account.id)], limit=1
            )
            if other:
                raise ValidationError(other.with_env(self.env)._key_is_taken_text())
        if account.api_key_digest != digest:
            account.api_key_digest = digest
            account.flush_recordset(["api_key_digest"])

    def _key_is_taken_text(self):
        """Return the error for a key that this account already has.

        The account's name is included only for a user who may read the account.
        """
        seen = self.with_context(allowed_company_ids=self.env.user._get_company_ids())
        if self.env.su or seen.has_access("read"):
            return self.env._(
                "This API key is already connected: by account “%(account)s” of %(company)s. "
                "One KeyCRM account is connected once per database.",
                account=self.sudo().name,
                company=self.sudo().company_id.name,
            )
        return self.env._("This API key is already connected in this database.")

    def _check_key_accepted(self):
        """Check that KeyCRM accepts the key.

        While KeyCRM is unreachable, the check is left to the workers.

        :raise ValidationError: when KeyCRM rejects the key
        """
        if not self.env.registry.ready:
            # Demo data: the table of the request quota is not yet visible to its own transaction.
            return
        for account in self:
            try:
                with open_user_client(account) as client:
                    client.get("/order/status", {"limit": 1})
            except Unauthorized as error:
                raise ValidationError(
                    self.env["keycrm.error.message"]._sentence(error.code, error.params)
                ) from None
            except KeyCrmError:
                continue

    def _check_key_stays_at(self, address):
        """Check that a stored key is sent only to the host for which it was entered.

        Otherwise a user who may change the address could send the key to a server of their own, and
        read there a value that no user can read here.

        :param address: the new ``api_url``
        :raise ValidationError: when the key has to be entered again
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
        """Decrypt the API key, for the API client alone.

        :return: the key; empty when none is set; None when this database cannot decrypt it, as in a
            copy that Odoo made of another database
        """
        encrypted = self.sudo().api_key_secret
        return self._decrypted(encrypted) if encrypted else ""

    @api.model
    def _encrypted(self, text):
        return encryption.encrypt(text, self._encryption_secret())

    @api.model
    def _decrypted(self, encrypted):
        return encryption.decrypted(encrypted, self._encryption_secret()) if encrypted else None

    @api.model
    def _encryption_secret(self):
        return self.env["ir.config_parameter"].sudo().get_param("database.secret")


def _origin(address):
    """Return the server of an address: scheme, host and port.

    :param address: URL
    :return: tuple; None for an invalid address
    """
    try:
        parts = urlsplit((address or "").strip())
        return parts.scheme, parts.hostname, parts.port
    except ValueError:
        return None
