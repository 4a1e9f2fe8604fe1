from odoo import api, fields, models
from odoo.exceptions import ConcurrencyError

from ...services.concurrency import clear_caches_after_commit

UKRAINIAN = "uk_UA"
#: Attempts of loading the terms, where another thread restores the former list of languages.
TRIES = 3


class KeycrmAccount(models.Model):
    """Install Ukrainian, and select it for the user who sets up the account."""

    _inherit = "keycrm.account"

    # === FIELDS ===#

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

    @api.depends_context("uid")
    def _compute_ukrainian_state(self):
        installed = self.env["res.lang"]._get_data(code=UKRAINIAN).code == UKRAINIAN
        state = "available" if installed else "missing"
        if installed and self.env.user.lang == UKRAINIAN:
            state = "done"
        self.ukrainian_state = state

    # === ACTION METHODS ===#

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
            self._install_ukrainian()
            clear_caches_after_commit(self.env)
        self.env.user.sudo().lang = UKRAINIAN
        self.company_id.sudo().partner_id.lang = UKRAINIAN
        return {"type": "ir.actions.client", "tag": "reload_context"}

    # === BUSINESS METHODS ===#

    @api.model
    def _install_ukrainian(self):
        """Activate Ukrainian and load the terms of all installed modules.

        All threads share one list of active languages. A thread that does not see this transaction yet
        may restore the former list, and Odoo then skips terms without an error: half of the screens
        would stay English for good.

        :raise ConcurrencyError: when the terms could not be loaded; Odoo retries the request
        """
        Lang = self.env["res.lang"].sudo()
        Lang._activate_lang(UKRAINIAN)
        modules = self.env["ir.module.module"].sudo().search([("state", "=", "installed")])
        for _try in range(TRIES):
            self.env.registry.clear_cache("stable")
            Lang._get_data(
                code=UKRAINIAN
            )  # caches the new list for all threads while terms are loaded
            modules._update_translations(UKRAINIAN)
            if Lang._get_data(code=UKRAINIAN).code == UKRAINIAN:
                return
        raise ConcurrencyError(f"{UKRAINIAN}: another thread hides the new language")
