import json

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..const import API_KEY_MASK
from ..services.common.reference_lists import check_key

#: Fields of ``keycrm.account`` that the settings show, prefixed there with ``keycrm_``.
ACCOUNT_FIELDS = (
    "api_key",
    "enabled",
    "public_url",
    "import_payments",
    "archive_status_ids",
    "archive_validates",
    "keep_product_info",
    "warehouse_id",
    "push_stock",
    "stock_quantity",
)


def _compute_for(name):
    """Build the compute method of one field of the settings.

    Each field has its own, since Odoo treats fields with a common compute method as empty while one of
    them is being written.

    :param name: field of ``keycrm.account``
    :return: the compute method
    """

    @api.depends("company_id")
    def compute(self):
        for settings in self:
            settings[f"keycrm_{name}"] = self._keycrm_values_of(settings.company_id)[name]

    return compute


class ResConfigSettings(models.TransientModel):
    """Show and edit the company's first account, created on the first input.

    The fields are written to the account as soon as the form is stored, which Odoo also does before a
    button's method runs: paste a key, click "Test connection", and the pasted key is tested. A typed
    key is never stored in the table of this wizard.
    """

    _inherit = "res.config.settings"

    # === FIELDS ===#

    keycrm_account_id = fields.Many2one(
        "keycrm.account", string="KeyCRM account", compute="_compute_keycrm_account"
    )
    keycrm_account_count = fields.Integer(
        string="KeyCRM accounts", compute="_compute_keycrm_account"
    )
    keycrm_api_key = fields.Char(
        string="API key", compute=_compute_for("api_key"), inverse="_inverse_keycrm"
    )
    keycrm_enabled = fields.Boolean(
        string="Enable integration", compute=_compute_for("enabled"), inverse="_inverse_keycrm"
    )
    keycrm_webhook_url = fields.Char(related="keycrm_account_id.webhook_url")
    keycrm_last_webhook_at = fields.Datetime(related="keycrm_account_id.last_webhook_at")
    keycrm_circuit_error_text = fields.Char(related="keycrm_account_id.circuit_error_text")
    keycrm_setup_key = fields.Selection(related="keycrm_account_id.setup_key")
    keycrm_key_text = fields.Char(related="keycrm_account_id.key_text")
    keycrm_other_host = fields.Char(related="keycrm_account_id.other_host")
    keycrm_link_text = fields.Char(related="keycrm_account_id.link_text")
    keycrm_public_url = fields.Char(
        string="Public address of Odoo",
        compute=_compute_for("public_url"),
        inverse="_inverse_keycrm",
    )
    keycrm_import_payments = fields.Boolean(
        string="Receive bank transactions for order payments",
        compute=_compute_for("import_payments"),
        inverse="_inverse_keycrm",
    )
    keycrm_archive_status_ids = fields.Many2many(
        "keycrm.order.status",
        string="Archive statuses",
        domain="[('account_id', '=', keycrm_account_id)]",
        compute=_compute_for("archive_status_ids"),
        inverse="_inverse_keycrm",
    )
    keycrm_archive_validates = fields.Boolean(
        string="Validate deliveries on archiving",
        compute=_compute_for("archive_validates"),
        inverse="_inverse_keycrm",
    )
    keycrm_keep_product_info = fields.Boolean(
        string="Do not change product information",
        compute=_compute_for("keep_product_info"),
        inverse="_inverse_keycrm",
    )
    keycrm_warehouse_id = fields.Many2one(
        "stock.warehouse",
        string="Warehouse of orders",
        domain="[('company_id', '=', company_id)]",
        compute=_compute_for("warehouse_id"),
        inverse="_inverse_keycrm",
    )
    keycrm_push_stock = fields.Boolean(
        string="Send stock to KeyCRM", compute=_compute_for("push_stock"), inverse="_inverse_keycrm"
    )
    keycrm_stock_quantity = fields.Selection(
        selection="_keycrm_stock_quantities",
        string="Quantity to send",
        compute=_compute_for("stock_quantity"),
        inverse="_inverse_keycrm",
    )
    keycrm_status_count = fields.Integer(
        string="KeyCRM statuses", compute="_compute_keycrm_account"
    )
    keycrm_seen = fields.Char(
        string="Form snapshot", default=lambda self: self._keycrm_snapshot_of(self.env.company)
    )

    # === COMPUTE METHODS ===#

    @api.depends("company_id")
    def _compute_keycrm_account(self):
        for settings in self:
            accounts = self._keycrm_accounts_of(settings.company_id)
            settings.keycrm_account_id = accounts[:1]
            settings.keycrm_account_count = len(accounts)
            settings.keycrm_status_count = len(accounts[:1]._active_statuses())

    def _inverse_keycrm(self):
        for settings in self:
            settings._keycrm_store()

    # === ACTION METHODS ===#

    def action_keycrm_test_connection(self):
        """Test the API key that was just entered.

        :return: a notification
        :raise UserError: with the reason, when the test fails
        """
        return self._keycrm_account().action_test_connection()

    def action_keycrm_check_link(self):
        """Send a challenge to the webhook link, as KeyCRM would, and report the result.

        :return: a notification
        """
        return self._keycrm_account().action_check_link()

    def action_keycrm_open_setup(self, step=None):
        """Open the setup.

        :param step: name of the step to unfold; by default the first that is not done
        :return: an action
        """
        return self.env["keycrm.account"].action_open_first_setup(step)

    def action_keycrm_refresh_statuses(self):
        """Read the statuses, so that archive statuses can be selected.

        :return: a notification
        :raise UserError: with the reason, when the request fails
        """
        return self._keycrm_account().action_refresh_statuses()

    def action_keycrm_synchronize_orders(self):
        """Open "Synchronize orders".

        :return: an action
        """
        return self._keycrm_account().action_synchronize_orders()

    def action_keycrm_refresh_warehouses(self):
        """Read KeyCRM's warehouses.

        :return: a notification
        :raise UserError: with the reason, when the request fails
        """
        return self._keycrm_account().action_refresh_warehouses()

    def action_keycrm_push_all_stock(self):
        """Send the stock of all products.

        :return: a notification
        :raise UserError: when sending is disabled or no warehouse is matched
        """
        return self._keycrm_account().action_push_all_stock()

    def action_keycrm_open_statuses(self):
        """Open the list that assigns an action in Odoo to each status.

        :return: an action
        """
        return self._keycrm_account().action_open_statuses()

    def action_keycrm_open_accounts(self):
        """Open the list of accounts, where further ones are set up.

        :return: an action
        """
        return self.env["ir.actions.act_window"]._for_xml_id("ordage_keycrm.keycrm_account_action")

    # === BUSINESS METHODS ===#

    @api.model
    def _keycrm_stock_quantities(self):
        """Return the selection of the account's field."""
        Account = self.env["keycrm.account"]
        return Account.fields_get(["stock_quantity"])["stock_quantity"]["selection"]

    @api.model
    def _keycrm_accounts_of(self, company):
        return self.env["keycrm.account"].search([("company_id", "=", company.id)], order="id")

    @api.model
    def _keycrm_values_of(self, company):
        """Return the values of a company's account, by fields of ``keycrm.account``.

        Without an account, the defaults of a new one.

        :param company: ``res.company``
        :return: ids for relations, plain values else
        """
        account = self._keycrm_accounts_of(company)[:1]
        if not account:
            Account = self.env["keycrm.account"].with_company(company)
            account = Account.new(Account.default_get([*ACCOUNT_FIELDS, "company_id"]))
        return {name: _plain(account, name) for name in ACCOUNT_FIELDS}

    @api.model
    def _keycrm_snapshot_of(self, company):
        """Return a snapshot of the values when the form is opened, with the key masked.

        :param company: ``res.company``
        :return: JSON
        """
        return json.dumps({**self._keycrm_values_of(company), "company": company.id})

    def _keycrm_entered(self):
        """Return the values of this form, in the shape of :meth:`_keycrm_values_of`."""
        self.ensure_one()
        return {name: _plain(self, f"keycrm_{name}") for name in ACCOUNT_FIELDS}

    def _keycrm_store(self):
        """Write the changed values of this form to the account.

        Unchanged values are not written: another user may have changed them since the form was opened.
        If there is no account, one is created once a value is entered.
        """
        self.ensure_one()
        entered = self._keycrm_entered()
        company = self.company_id
        present = self._keycrm_values_of(company)
        seen = json.loads(self.keycrm_seen or "{}")
        if seen.get("company") != company.id:
            seen = present
        vals = {
            name: value
            for name, value in entered.items()
            if _differs(value, present[name]) and _differs(value, seen.get(name))
        }
        if vals.get("api_key") == API_KEY_MASK:
            del vals["api_key"]
        if not vals:
            return
        account = self._keycrm_accounts_of(company)[:1]
        # The key first: the account cannot be enabled without one.
        vals = {"api_key": vals.pop("api_key"), **vals} if "api_key" in vals else vals
        if account:
            account.write(_as_commands(vals))
        else:
            account = self._keycrm_new_account(vals)
        if "api_key" in vals:
            check_key(account)
        self.invalidate_recordset()
        self.keycrm_seen = self._keycrm_snapshot_of(company)

    def _keycrm_new_account(self, vals):
        """Create the company's first account.

        Two concurrent first saves would create two. Updating the company's row makes the second one
        fail on serialization; Odoo retries that request, which then finds the account.

        :param vals: values of the account
        :return: ``keycrm.account``
        """
        self.env.cr.execute(
            SQL("UPDATE res_company SET write_date = write_date WHERE id = %s", self.company_id.id)
        )
        return (
            self.env["keycrm.account"]
            .with_company(self.company_id)
            .create({"company_id": self.company_id.id, **_as_commands(vals)})
        )

    def _keycrm_account(self):
        """Return the account of a button; entered values are stored by then.

        :raise UserError: when nothing was entered yet
        """
        self.ensure_one()
        if not self.keycrm_account_id:
            raise UserError(self.env._("First paste the API key from KeyCRM."))
        return self.keycrm_account_id


def _plain(record, name):
    """Return the id or ids of a relational field, else its value.

    :param record: one record
    :param name: name of the field
    """
    value = record[name]
    kind = record._fields[name].type
    if kind == "many2many":
        return value.ids
    return value.id if kind == "many2one" else value


def _differs(value, other):
    if isinstance(value, list) or isinstance(other, list):
        return set(value or ()) != set(other or ())
    return (value or False) != (other or False)


def _as_commands(vals):
    """Convert lists of ids to commands of ``write``.

    :param vals: values of :func:`_plain`
    :return: values for ``write``
    """
    return {
        name: [fields.Command.set(value)] if isinstance(value, list) else value
        for name, value in vals.items()
    }
