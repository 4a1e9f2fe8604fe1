from odoo import models


class Base(models.AbstractModel):
    # Names and comments from KeyCRM are text in an exported spreadsheet too, never a formula. No docstring:
    # Odoo would store it as the description of every model.

    _inherit = "base"

    def export_data(self, fields_to_export):
        """Put an apostrophe before what a spreadsheet would work out.

        Odoo does so itself in CSV files, but its Excel files turn a contact's name that begins with
        ``=`` into a formula. Names from KeyCRM come along in exports of any model, hence here.
        """
        result = super().export_data(fields_to_export)
        result["datas"] = [[as_text(value) for value in row] for row in result["datas"]]
        return result


def as_text(value):
    """:return: the value, with an apostrophe before what a spreadsheet would work out"""
    is_formula = isinstance(value, str) and value.startswith(("=", "{="))
    return f"'{value}" if is_formula else value
