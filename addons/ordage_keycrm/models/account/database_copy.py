from odoo import api, fields, models
from odoo.tools import SQL, ormcache

from ...keycrm.errors import Refused
from ...services import crons
from ...services.circuit_breaker import CircuitBreaker

#: Error code of a copy or a restored backup that no user has confirmed.
OTHER_DATABASE = "other_database"


class KeycrmAccount(models.Model):
    """Keep a copy of the database from using KeyCRM until a user confirms it.

    The API key and the secret that decrypts it are copied with the database, and so is its UUID.
    PostgreSQL's oid of the database and the identifier of the server are not. A clone of the whole
    server has the same ones, so it cannot be detected.
    """

    _inherit = "keycrm.account"

    database_identity = fields.Char(
        string="Database of the key", readonly=True, copy=False, groups=fields.NO_ACCESS
    )

    # === ACTION METHODS ===#

    def action_confirm_database(self):
        """Let this database use KeyCRM, and compare stock: a backup has old quantities.

        :return: True
        """
        self._check_manager()
        self._record_database()
        for account in self:
            CircuitBreaker(account).reset()
            crons.trigger(account)
            if account.enabled and account.push_stock and account._sending_warehouses():
                self.env["keycrm.stock.comparison"]._start(account, "comparison")
        return True

    # === BUSINESS METHODS ===#

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
            # Not while demo data is installed: databases may be cloned from one that was prepared so.
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
