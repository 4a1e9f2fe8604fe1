from odoo import api, fields, models

from ...services.account.currency import AccountCurrency
from ...services.common.concurrency import clear_caches_after_commit
from ...services.common.language import UKRAINIAN, install_ukrainian


class KeycrmAccountCurrency(models.AbstractModel):
    """Currency of an account other than its company's, and the language, as the setup offers them."""

    _name = "keycrm.account.currency"
    _inherit = "mail.thread"
    _description = "Currency of a KeyCRM account"

    # === FIELDS ===#

    keycrm_currency_id = fields.Many2one(
        "res.currency",
        string="KeyCRM currency",
        copy=False,
        tracking=True,
        context={"active_test": False},
        help="The currency of the KeyCRM catalog. Where all sources share one currency, it is filled "
        "in automatically.",
    )
    keycrm_currency_ids = fields.Many2many(
        "res.currency",
        string="Currencies of the sources",
        compute="_compute_keycrm_currency_ids",
        context={"active_test": False},
    )
    currency_state = fields.Selection(
        [
            ("unknown", "Sources not read yet"),
            ("choose", "Currency to be chosen"),
            ("same", "Same as the company's"),
            ("switch", "Company currency can be changed"),
            ("rate", "Exchange rate missing"),
            ("rate_done", "Exchange rate entered"),
        ],
        string="Currency of the company",
        compute="_compute_currency_state",
    )
    currency_rate = fields.Float(
        string="Exchange rate",
        digits=(16, 6),
        copy=False,
        help="In the direction shown next to the field, for example 1 USD = 41.50 UAH.",
    )
    currency_rate_text = fields.Char(
        string="Exchange rate in words", compute="_compute_currency_rate_text"
    )
    ukrainian_state = fields.Selection(
        [
            ("missing", "Not installed"),
            ("available", "Installed, not chosen"),
            ("done", "Chosen"),
        ],
        string="Ukrainian",
        compute="_compute_ukrainian_state",
    )

    # === COMPUTE METHODS ===#

    def _compute_keycrm_currency_ids(self):
        currencies = self.env["res.currency"].with_context(active_test=False)
        sources = self.env["keycrm.source"].sudo().search([("account_id", "in", self.ids)])
        for account in self:
            ours = sources.filtered(lambda source, a=account._origin: source.account_id == a)
            codes = ours.mapped("currency_code")
            account.keycrm_currency_ids = currencies.search(
                [("name", "in", [code for code in codes if code and len(code) == 3])]
            )

    @api.depends("keycrm_currency_id", "company_id.currency_id")
    def _compute_currency_state(self):
        for account in self.sudo():
            account.currency_state = AccountCurrency(account).state()

    @api.depends("keycrm_currency_id", "company_id.currency_id")
    @api.depends_context("lang")
    def _compute_currency_rate_text(self):
        """Format the rate as "1 USD = 41.50 UAH", with "…" where none was entered."""
        for account in self.sudo():
            account.currency_rate_text = AccountCurrency(account).rate_text()

    @api.depends_context("uid")
    def _compute_ukrainian_state(self):
        installed = self.env["res.lang"]._get_data(code=UKRAINIAN).code == UKRAINIAN
        state = "available" if installed else "missing"
        if installed and self.env.user.lang == UKRAINIAN:
            state = "done"
        self.ukrainian_state = state

    # === ACTION METHODS ===#

    def action_set_company_currency(self):
        """Make the KeyCRM currency the company's, while it has no journal items.

        :return: an action that reloads the page: the browser caches the currencies of its session
        :raise UserError: when journal items exist, no currency is chosen, or the user lacks the right
        """
        self.ensure_one()
        self._check_manager()
        AccountCurrency(self).set_company_currency()
        return {"type": "ir.actions.client", "tag": "reload_context"}

    def action_set_currency_rate(self):
        """Store the entered exchange rate as the company's rate of today.

        :return: True
        :raise UserError: when no rate was entered, none is needed, or the user lacks the right
        """
        self.ensure_one()
        self._check_manager()
        AccountCurrency(self).set_rate()
        return True

    def action_switch_to_ukrainian(self):
        """Install Ukrainian if missing, and select it for the current user.

        Installing requires an administrator of Odoo. A KeyCRM administrator may do it here (``sudo``):
        it adds a language and overwrites no term that a user changed, and no other user's language
        changes. Notes of the workers follow the language of the company's contact, which still has the
        language that Odoo was installed in: it is changed too.

        :return: an action that reloads the page
        """
        self.ensure_one()
        self._check_manager()
        if self.ukrainian_state == "missing":
            install_ukrainian(self.env)
            clear_caches_after_commit(self.env)
        self.env.user.sudo().lang = UKRAINIAN
        self.company_id.sudo().partner_id.lang = UKRAINIAN
        return {"type": "ir.actions.client", "tag": "reload_context"}
