from odoo import models


class ResConfigSettings(models.TransientModel):
    """Open the stock preview when "Send stock to KeyCRM" is enabled in the settings.

    Nothing is sent before the preview is confirmed.
    """

    _inherit = "res.config.settings"

    def web_save(self, vals, specification, next_id=None):
        # Users without rights to KeyCRM save the settings of other modules here too.
        Account = self.env["keycrm.account"].sudo()
        ours = [("company_id", "in", self.env.companies.ids)]
        before = Account.search(ours).warehouse_ids._sent_matches()
        result = super().web_save(vals, specification, next_id)
        Account.search(ours).warehouse_ids._require_preview(before)
        return result

    def execute(self):
        action = super().execute()
        account = self.keycrm_account_id
        waiting = account.warehouse_ids.filtered(lambda w: w.send_state == "preview")
        if account.enabled and account.push_stock and waiting and not self._keycrm_is_previewed():
            return account.action_preview_stock()
        return action

    def _keycrm_is_previewed(self):
        """Return whether the user has already seen a preview; later there is a button.

        After a preview that chose to send, sending was disabled or matching changed, so a new preview
        is shown.
        """
        newest = self.env["keycrm.stock.comparison"].search(
            [("account_id", "=", self.keycrm_account_id.id), ("kind", "=", "preview")], limit=1
        )
        return bool(newest) and newest.choice not in ("send", "opening")
