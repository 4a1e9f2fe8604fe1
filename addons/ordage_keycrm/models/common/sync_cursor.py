from odoo import api, fields, models
from odoo.tools import SQL
from odoo.tools.sql import table_exists


class KeycrmSyncCursor(models.Model):
    """Store how far a list of KeyCRM was read, so that a restart continues at the same page.

    One row for each account and list, written by the workers in the transaction that stores a page.
    Not on the account: a worker that writes each page would conflict with users who save settings.
    """

    _name = "keycrm.sync.cursor"
    _description = "KeyCRM list position"
    _inherit = ["keycrm.account.mixin"]
    _order = "account_id, name"
    _log_access = False

    # === FIELDS ===#

    name = fields.Selection(
        [
            ("orders", "Updated orders"),
            ("open_orders", "Open orders"),
            ("closed_orders", "Completed orders"),
            ("new_orders", "New orders"),
            ("other_orders", "Orders in other statuses"),
            ("transactions", "Bank transactions"),
            ("warehouses", "Warehouses"),
        ],
        string="List",
        required=True,
        readonly=True,
    )
    page = fields.Integer(string="Next page", readonly=True, help="0 while the list is not read.")
    total = fields.Integer(string="Rows of the list", readonly=True)
    started_at = fields.Datetime(string="Reading started", readonly=True)
    read_until = fields.Datetime(string="Read until", readonly=True)
    seen = fields.Json(string="Result so far", readonly=True, groups=fields.NO_ACCESS)

    _name_unique = models.Constraint(
        "UNIQUE(account_id, name)", "Each list of an account can have only one position."
    )

    def init(self):
        """Create the rows of accounts that an earlier version made."""
        if table_exists(self.env.cr, "keycrm_account"):
            self.env.cr.execute(
                SQL(
                    """INSERT INTO keycrm_sync_cursor (account_id, name)
                       SELECT account.id, list FROM keycrm_account account, unnest(%s) list
                           ON CONFLICT DO NOTHING""",
                    self._names(),
                )
            )

    # === BUSINESS METHODS ===#

    @api.model
    def _names(self):
        return list(dict(self._fields["name"].selection))

    @api.model
    def _create_for(self, accounts):
        """Create the rows of new accounts.

        :param accounts: ``keycrm.account``
        """
        self.sudo().create(
            [
                {"account_id": account.id, "name": name}
                for account in accounts
                for name in self._names()
            ]
        )

    @api.model
    def _position(self, account, name):
        """Return the position in a list.

        :param account: ``keycrm.account``
        :param name: a value of ``name``
        :return: ``keycrm.sync.cursor``, one
        """
        # All lists of an account at once: a worker reads each of them.
        return account.sudo().cursor_ids.filtered(lambda cursor: cursor.name == name)
