from odoo import api, models


class IrFilters(models.Model):
    _inherit = "ir.filters"

    @api.model
    def get_filters(self, *args, **kwargs):
        """Name the addon's favorites in the user's language: Odoo stores one name for everybody."""
        found = super().get_filters(*args, **kwargs)
        names = {
            "Paid, to deliver": self.env._("Paid, to deliver"),
            "To collect, by status": self.env._("To collect, by status"),
            "By source and week": self.env._("By source and week"),
            "Planned for today or earlier": self.env._("Planned for today or earlier"),
            "With tracking number, by day": self.env._("With tracking number, by day"),
            "Differs from KeyCRM": self.env._("Differs from KeyCRM"),
            "Refused or on hold": self.env._("Refused or on hold"),
        }
        return [
            row if row["user_ids"] else {**row, "name": names.get(row["name"], row["name"])}
            for row in found
        ]
