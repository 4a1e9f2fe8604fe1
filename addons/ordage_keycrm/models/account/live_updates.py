from odoo import models


class KeycrmAccount(models.Model):
    """What open screens are told while the workers work, through Odoo's bus."""

    _inherit = "keycrm.account"

    def _notify_clients(self):
        """Tell open screens that something of these accounts changed; they read it themselves.

        Sent when the transaction commits, to whoever may use KeyCRM, and says nothing but the number of
        the account: what a person may read is decided when the screen asks.
        """
        readers = self.env.ref("ordage_keycrm.group_staff")
        for account in self:
            self.env["bus.bus"].sudo()._sendone(
                readers, "keycrm/changed", {"account_id": account.id}
            )
