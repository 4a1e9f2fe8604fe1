from odoo import api, fields, models

from ...services.concurrency import clear_caches_after_commit

UKRAINIAN = "uk_UA"


class KeycrmAccount(models.Model):
    """Ukrainian for the person who sets up: the language, and the person's choice of it."""

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
        """Install Ukrainian where it is missing, and make it the language of the current user.

        Installing needs an administrator of Odoo. A KeyCRM administrator may do it here (``sudo``): it
        adds a language and overwrites no term that a person changed, and nobody else's language changes.
        Notes that the workers write follow the language of the company's contact, which still has the
        language that Odoo was installed in: it is switched too.

        :return: an action that reloads the page
        """
        self.ensure_one()
        self._check_manager()
        if self.ukrainian_state == "missing":
            self.env["res.lang"].sudo()._activate_and_install_lang(UKRAINIAN)
            clear_caches_after_commit(self.env)
        self.env.user.sudo().lang = UKRAINIAN
        self.company_id.sudo().partner_id.lang = UKRAINIAN
        return {"type": "ir.actions.client", "tag": "reload_context"}
