import hashlib
import hmac
import secrets
from urllib.parse import urlsplit

from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError
from odoo.tools import SQL, ormcache

from ...const import API_KEY_MASK, API_URL
from ...keycrm import addresses, encryption, webhook_check
from ...keycrm.errors import KeyCrmError, Refused, Unauthorized
from ...services.common import crons, key_check
from ...services.common.api_gateway import open_user_client
from ...services.common.circuit_breaker import CircuitBreaker
from ...services.orders.webhook_inbox import token_digest
from ...services.products import pictures

#: Fields with a web address: one that is entered without its scheme is completed.
ADDRESSES = ("api_url", "public_url", "cabinet_url")
#: Error code of a copy or a restored backup that no user has confirmed.
OTHER_DATABASE = "other_database"


class KeycrmAccount(models.Model):
    """Store the secrets of an account: the API key, and the webhook link.

    The key is write-only for users and read by the API client alone. Both are encrypted in the database
    (see :mod:`.keycrm.encryption`).

    A copy of the database cannot use KeyCRM until a user confirms it: the API key and the secret that
    decrypts it are copied with the database, and so is its UUID. PostgreSQL's oid of the database and
    the identifier of the server are not. A clone of the whole server has the same ones, so it cannot be
    detected.
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
    api_key_secret = fields.Char(
        string="Stored API key", readonly=True, groups=fields.NO_ACCESS, copy=False
    )
    # A keyed hash: one API key is connected once, even if two processes store it at the same time.
    api_key_digest = fields.Char(
        string="API key digest", readonly=True, groups=fields.NO_ACCESS, copy=False
    )
    other_host = fields.Char(
        string="Server that receives the key",
        compute="_compute_other_host",
        groups="ordage_keycrm.group_manager",
        help="The API key is sent to this server.",
    )
    database_identity = fields.Char(
        string="Database of the key", readonly=True, copy=False, groups=fields.NO_ACCESS
    )
    webhook_token = fields.Char(
        string="Webhook secret", readonly=True, groups=fields.NO_ACCESS, copy=False
    )
    # The account of a webhook is found by it.
    webhook_token_digest = fields.Char(
        string="Webhook secret digest",
        readonly=True,
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
    link_checked_at = fields.Datetime(string="Link last checked", readonly=True, copy=False)
    link_code = fields.Char(string="Link error type", readonly=True, copy=False)
    link_params = fields.Json(
        string="Link error details",
        readonly=True,
        copy=False,
        groups="ordage_keycrm.group_manager",
    )
    serves_pictures = fields.Boolean(
        string="Pictures reachable from outside",
        readonly=True,
        copy=False,
        help="“Check link” found that KeyCRM can download pictures of products from the public address. "
        "Products that are created in KeyCRM get their picture only then.",
    )
    link_text = fields.Char(string="Link problem", compute="_compute_link_text")
    link_lines = fields.Text(string="Configuration lines to add", compute="_compute_link_text")
    trigger_get_at = fields.Datetime(
        string="Received by GET",
        readonly=True,
        copy=False,
        help="When KeyCRM last called the link with the wrong method: its trigger is set to GET.",
    )

    _api_key_digest_unique = models.Constraint(
        "UNIQUE(api_key_digest)", "This API key is already connected in this database."
    )
    _webhook_token_digest_unique = models.UniqueIndex("(webhook_token_digest)")

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
                key_check.mark_checked(account, False)

    @api.depends("api_url")
    def _compute_other_host(self):
        for account in self:
            origin = addresses.origin(account.api_url)
            is_ours = origin == addresses.origin(API_URL)
            account.other_host = False if is_ours else (origin and origin[1]) or account.api_url

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

    @api.depends("link_code", "link_params", "trigger_get_at")
    @api.depends_context("lang")
    def _compute_link_text(self):
        explain = self.env["keycrm.error.message"]
        for account in self.sudo():
            code, params = account._link_fault()
            account.link_text = explain._sentence(code, params)
            account.link_lines = code == "link_several_databases" and (
                webhook_check.lines_for_several_databases(account.webhook_url, self.env.cr.dbname)
            )

    @api.onchange(*ADDRESSES)
    def _onchange_addresses(self):
        for name in filter(self.__getitem__, ADDRESSES):
            self[name] = addresses.with_scheme(self[name])

    # === ACTION METHODS ===#

    def action_new_webhook_token(self):
        """Create a new webhook link; the old one is invalid at once.

        :return: True
        """
        self._check_manager()
        self._create_webhook_tokens()
        return True

    def action_check_link(self):
        """Send a challenge to the webhook link, as KeyCRM would, and report the result.

        :return: a notification; an error is also stored and displayed next to the link
        """
        self.ensure_one()
        self._check_manager()
        account = self.sudo()
        vals = {"link_checked_at": fields.Datetime.now(), "link_code": False, "link_params": False}
        if not account.webhook_url:
            # There is no secret yet, or a copy of the database cannot decrypt it.
            account._create_webhook_tokens()
        try:
            webhook_check.check(account.webhook_url, account._decrypted(account.webhook_token))
        except webhook_check.LinkProblem as problem:
            vals.update(link_code=problem.code, link_params=problem.params)
        vals["serves_pictures"] = not vals["link_code"] and pictures.are_served(account)
        account.write(vals)
        if vals["link_code"]:
            text = self.env["keycrm.error.message"]._sentence(
                vals["link_code"], vals["link_params"]
            )
            return self._notification(text, "warning")
        return self._notification(
            self.env._(
                "The link works: this Odoo responds at %(host)s.",
                host=urlsplit(self.webhook_url).netloc,
            )
        )

    def action_confirm_database(self):
        """Let this database use KeyCRM, and compare stock: a backup has old quantities.

        :return: True
        """
        self._check_manager()
        self._record_database()
        for account in self:
            CircuitBreaker(account).reset()
            crons.trigger(account)
            if account.enabled and account.push_stock and account.warehouse_ids._sending():
                self.env["keycrm.stock.comparison"]._restart(account)
        return True

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

        Otherwise a user who may change the address could send the key to their own server and read it
        there.

        :param address: the new ``api_url``
        :raise ValidationError: when the key has to be entered again
        """
        for account in self.sudo():
            if account.api_key_secret and addresses.origin(account.api_url) != addresses.origin(
                address
            ):
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

    def _check_database(self):
        """Check that the key was entered in this database.

        :raise Refused: when it was entered in another one, of which this one is a copy
        """
        known = self.sudo().database_identity
        if known and known != self._database_identity():
            raise Refused(OTHER_DATABASE, account=self.sudo().name)

    def _record_database(self):
        """Record this database as the one that uses KeyCRM."""
        if self.env.registry.ready:
            # Not while demo data is installed: such a database may be the template of others.
            self.sudo().database_identity = self._database_identity()

    @api.model
    @ormcache()
    def _database_identity(self):
        """Return the identifiers that PostgreSQL does not copy with the database, as text."""
        cr = self.env.cr
        cr.execute(
            SQL(
                """SELECT oid, has_function_privilege('pg_control_system()', 'EXECUTE')
                     FROM pg_database WHERE datname = current_database()"""
            )
        )
        oid, may_read = cr.fetchone()
        server = None
        if may_read:
            cr.execute(SQL("SELECT system_identifier FROM pg_control_system()"))
            (server,) = cr.fetchone()
        return f"{server or ''}/{oid}"

    def _create_webhook_tokens(self):
        """Create a new secret for each account; the former one becomes invalid."""
        for account in self.sudo():
            token = secrets.token_urlsafe(32)
            account.write(
                {
                    "webhook_token": self._encrypted(token),
                    "webhook_token_digest": token_digest(token),
                }
            )

    @api.model
    def _complete_addresses(self, vals):
        """Complete the web addresses in the values of an account.

        :param vals: values of ``create`` or ``write``
        :return: values with complete addresses
        """
        typed = {name: addresses.with_scheme(vals[name]) for name in ADDRESSES if vals.get(name)}
        return {**vals, **typed}

    def _reset_link_check(self):
        """Reset the check of the link, which does not apply to a new public address."""
        self.sudo().write({"link_code": False, "link_params": False, "serves_pictures": False})

    def _link_fault(self):
        """Return why webhooks do not arrive; a webhook received since clears it.

        :return: (code, parameters), empty when no fault is known
        """
        self.ensure_one()
        last = self.last_webhook_at
        if self.trigger_get_at and not (last and last >= self.trigger_get_at):
            return "link_trigger_get", {}
        if self.link_code and not (last and last >= self.link_checked_at):
            return self.link_code, {**(self.link_params or {}), "database": self.env.cr.dbname}
        return "", {}
