from odoo import api, models
from odoo.fields import Domain


class KeycrmOrderStatus(models.Model):
    """Readable names of statuses that nobody has renamed.

    KeyCRM calls an untouched status by its alias (confirmed: ``name`` equals ``alias``). The stored
    name stays KeyCRM's; people read the words that its cabinet shows.
    """

    _inherit = "keycrm.order.status"

    @api.depends("name", "alias")
    @api.depends_context("lang")
    def _compute_display_name(self):
        words = self._keycrm_words()
        for status in self:
            untouched = status.name and status.name == status.alias
            status.display_name = (untouched and words.get(status.alias)) or status.name

    @api.model
    def _search_display_name(self, operator, value):
        """Find a status by the words that are shown, too."""
        domain = super()._search_display_name(operator, value)
        if operator not in ("=", "ilike", "=ilike", "in") or not value:
            return domain
        asked = [value] if isinstance(value, str) else list(value)
        aliases = [
            alias
            for alias, word in self._keycrm_words().items()
            if any(
                str(one).lower() in word.lower() if operator == "ilike" else str(one) == word
                for one in asked
            )
        ]
        shown = Domain("alias", "in", aliases) & Domain("name", "in", aliases)
        return Domain(domain) | shown if aliases else domain

    @api.model
    def _keycrm_words(self):
        """Return the words for KeyCRM's own aliases in the reader's language."""
        return {
            "new": self.env._("New"),
            "approval": self.env._("Agreement"),
            "agreement": self.env._("Agreement"),
            "prepayment": self.env._("Prepayment"),
            "waiting_for_prepayment": self.env._("Prepayment"),
            "production": self.env._("Production"),
            "ready": self.env._("Ready"),
            "delivering": self.env._("Delivering"),
            "delivered": self.env._("Delivered"),
            "completed": self.env._("Completed"),
            "incorrect_data": self.env._("Incorrect data"),
            "not_available": self.env._("Out of stock"),
            "duplicate": self.env._("Duplicate"),
            "canceled": self.env._("Canceled"),
        }
