from odoo import models


class KeycrmAccount(models.Model):
    """Notify open screens of changes by the workers, through Odoo's bus."""

    _inherit = "keycrm.account"

    def _notify_clients(self):
        """Notify clients that these accounts changed; they reload the data themselves.

        Sent when the transaction commits, to all users of KeyCRM, and contains only the account's id:
        access rights are checked when the client reads.
        """
        readers = self.env.ref("ordage_keycrm.group_staff")
        for account in self:
            self.env["bus.bus"].sudo()._sendone(
                readers, "keycrm/changed", {"account_id": account.id}
            )
