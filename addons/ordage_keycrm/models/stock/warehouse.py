from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ...services.common import activities
from ...services.common.language import company_language


class KeycrmWarehouse(models.Model):
    """A warehouse of KeyCRM, and the Odoo warehouses whose summed stock it shows.

    KeyCRM has no list of warehouses (confirmed): they are created from stock rows and orders, or entered
    by number.
    """

    _name = "keycrm.warehouse"
    _inherit = "keycrm.account.mixin"
    _description = "KeyCRM warehouse"
    _order = "account_id, name, id"
    _check_company_auto = True

    account_id = fields.Many2one(default=lambda self: self._default_account())
    company_id = fields.Many2one(store=True)
    keycrm_id = fields.Integer(string="KeyCRM number", required=True)
    name = fields.Char(required=True)
    warehouse_ids = fields.Many2many(
        "stock.warehouse",
        "keycrm_warehouse_stock_warehouse_rel",
        "keycrm_warehouse_id",
        "warehouse_id",
        string="Odoo warehouses",
        domain="[('company_id', '=', company_id)]",
        check_company=True,
        help="Their stock is summed and sent to this KeyCRM warehouse.",
    )

    send_state = fields.Selection(
        [
            ("off", "Not matched"),
            ("preview", "Preview needed"),
            ("sending", "Sending stock"),
        ],
        string="Send state",
        required=True,
        readonly=True,
        copy=False,
        default="off",
        help="Preview needed: nothing is sent until a user has seen what would change.",
    )

    _account_keycrm_id_unique = models.Constraint(
        "UNIQUE(account_id, keycrm_id)", "This KeyCRM warehouse already exists."
    )
    _keycrm_id_positive = models.Constraint(
        "CHECK(keycrm_id > 0)", "Enter the KeyCRM ID of this warehouse."
    )

    @api.constrains("warehouse_ids", "account_id")
    def _check_one_keycrm_warehouse(self):
        for warehouse in self:
            others = self.search(
                [
                    ("account_id", "=", warehouse.account_id.id),
                    ("id", "!=", warehouse.id),
                    ("warehouse_ids", "in", warehouse.warehouse_ids.ids),
                ]
            )
            for other in others:
                twice = (other.warehouse_ids & warehouse.warehouse_ids)[:1]
                raise ValidationError(
                    self.env._(
                        "The stock of “%(odoo)s” is already sent to the KeyCRM warehouse "
                        "“%(other)s”. An Odoo warehouse can feed only one KeyCRM warehouse, "
                        "otherwise its goods would be offered twice.",
                        odoo=twice.name,
                        other=other.name,
                    )
                )

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        warehouses = super().create(vals_list)
        warehouses.filtered("warehouse_ids")._matching_changed()
        return warehouses

    def write(self, vals):
        before = {warehouse: warehouse.warehouse_ids for warehouse in self}
        result = super().write(vals)
        if "warehouse_ids" in vals:
            self.filtered(lambda w: w.warehouse_ids != before[w])._matching_changed()
        return result

    def unlink(self):
        self._record_has_sent()
        self.sudo()._notify_of_remaining()
        return super().unlink()

    def web_save(self, vals, specification, next_id=None):
        """Save a user's changes on a form: a new match needs a preview first."""
        before = self._sent_matches()
        result = super().web_save(vals, specification, next_id)
        warehouse = self or self.browse(result[0]["id"])
        if not warehouse._require_preview(before):
            return result
        shown = self.browse(next_id) if next_id else warehouse
        return shown.with_context(bin_size=True).web_read(specification)

    # === ACTION METHODS ===#

    def action_open_setup(self):
        """Open the step of the setup in which warehouses are matched.

        :return: an action
        """
        account = self[:1].account_id
        if account:
            return account.action_open_setup("stock")
        return account.action_open_first_setup("stock")

    # === BUSINESS METHODS ===#

    def _matching_changed(self):
        """Set the send state after the matched Odoo warehouses changed.

        A match that a program writes while it sets up an account is sent at once. After something was
        sent, a new one needs a preview first, as one that a user saves on a form.
        """
        Level = self.env["keycrm.stock.level"].sudo()
        for warehouse in self.sudo():
            account = warehouse.account_id
            warehouse._record_has_sent()
            warehouse._notify_of_remaining(is_matched=bool(warehouse.warehouse_ids))
            levels = Level.search([("keycrm_warehouse_id", "=", warehouse.id)])
            self.env["keycrm.stock.comparison"].sudo()._record_sent(levels)
            levels.unlink()
            if not warehouse.warehouse_ids:
                warehouse.send_state = "off"
            elif account.push_stock and not account.stock_has_sent:
                warehouse.send_state = "sending"
            else:
                warehouse.send_state = "preview"

    def _notify_of_remaining(self, *, is_matched=False):
        """Schedule an activity: KeyCRM keeps the last quantities of warehouses without a match.

        :param is_matched: whether they are matched again: then the activity is removed
        """
        Level = self.env["keycrm.stock.level"].sudo()
        for warehouse in self:
            account, code = warehouse.account_id, f"stock_remains:{warehouse.keycrm_id}"
            if is_matched:
                activities.unlink(account, code)
                continue
            if not (account.enabled and account.push_stock and warehouse.send_state == "sending"):
                continue
            sent = [("keycrm_warehouse_id", "=", warehouse.id), ("quantity", ">", 0)]
            count = Level.search_count([*sent, ("sent_at", "!=", False)])
            if count:
                account = account.with_context(lang=company_language(account.company_id))
                summary = account.env._(
                    "KeyCRM: stock in %(warehouse)s remains", warehouse=warehouse.name
                )
                text = account.env._(
                    "The KeyCRM warehouse %(warehouse)s is not matched any more. KeyCRM keeps the last "
                    "quantities of %(count)s offers there and sells them. Match it again, or set them to "
                    "zero in KeyCRM.",
                    warehouse=warehouse.name,
                    count=count,
                )
                activities.schedule(account, account, code, summary, [text])

    def _sending(self):
        """Return the KeyCRM warehouses that are matched and previewed."""
        return self.filtered(lambda w: w.send_state == "sending" and w.warehouse_ids)

    def _record_has_sent(self):
        """Record on the accounts whether stock was sent, before their levels are deleted."""
        Level = self.env["keycrm.stock.level"].sudo()
        for account in self.account_id.sudo().filtered(lambda account: not account.stock_has_sent):
            sent = [("account_id", "=", account.id), ("sent_at", "!=", False)]
            account.stock_has_sent = bool(Level.search_count(sent, limit=1))

    def _allow_sending(self):
        """Send Odoo's quantities to the matched of these warehouses from now on."""
        self.sudo().filtered("warehouse_ids").send_state = "sending"

    def _sent_matches(self):
        """Return the matches that are sent now.

        :return: ``{keycrm.warehouse: stock.warehouse}``
        """
        return {
            warehouse: warehouse.warehouse_ids
            for warehouse in self._sending()
            if warehouse.account_id.push_stock
        }

    def _require_preview(self, before):
        """Require a preview of the matches that a user's changes on a form would send.

        :param before: result of :meth:`_sent_matches` before the changes
        :return: whether there are any
        """
        new = self.browse(
            warehouse.id
            for warehouse, match in self._sent_matches().items()
            if before.get(warehouse) != match
        )
        new.sudo().send_state = "preview"
        return bool(new)
