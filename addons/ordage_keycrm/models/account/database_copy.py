from odoo import api, fields, models
from odoo.tools import SQL, ormcache

from ...keycrm.errors import Refused

#: A copy or a restored backup that nobody has confirmed.
OTHER_DATABASE = "other_database"


class KeycrmAccount(models.Model):
    """A copy of the database that runs beside the original works with KeyCRM only once a user confirms it.

    The API key and the secret that opens it are copied with the database, and so is its UUID. PostgreSQL's
    number of the database and the identifier of the server are not. A clone of the whole server has the
    same ones: it cannot be told apart.
    """

    _inherit = "keycrm.account"

    database_identity = fields.Char(
        string="Database of the key", readonly=True, copy=False, groups=fields.NO_ACCESS
    )

    # === ACTION METHODS ===#

    def action_confirm_database(self):
        """Let this database work with KeyCRM; stock is compared, since a backup knows older quantities.

        :return: True
        """
        self._check_manager()
        self._record_database()
        for account in self:
            account._reset_circuit()
            account._trigger_crons(account._crons())
            if account.enabled and account.push_stock and account._sending_warehouses():
                self.env["keycrm.stock.comparison"]._start(account, "comparison")
        return True

    # === BUSINESS METHODS ===#

    def _check_database(self):
        """:raise Refused: when the key was entered in another database, of which this one is a copy"""
        known = self.sudo().database_identity
        if known and known != self._database_identity():
            raise Refused(OTHER_DATABASE, account=self.sudo().name)

    def _record_database(self):
        """Take this database for the one that works with KeyCRM: a user enters the key in it, or says so."""
        if self.env.registry.ready:
            # Not while demo data is installed: databases are copied from one that was prepared so.
            self.sudo().database_identity = self._database_identity()

    @api.model
    @ormcache()
    def _database_identity(self):
        """:return: what PostgreSQL gives no copy of this database, as text"""
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
