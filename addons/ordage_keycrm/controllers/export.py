import json

from odoo import http

from odoo.addons.web.controllers.export import ExcelExport
from odoo.addons.web.controllers.pivot import TableExporter

from ..models.base import as_text


class KeycrmExport(ExcelExport):
    """Names of groups are text in an exported spreadsheet too: a buyer may be called ``=…``."""

    def from_group_data(self, fields, columns_headers, groups):
        _name_groups_as_text(groups)
        return super().from_group_data(fields, columns_headers, groups)


class KeycrmPivot(TableExporter):
    """Names of a pivot table's columns and rows are text in its spreadsheet too."""

    @http.route()
    def export_xlsx(self, data, **kw):
        text = data if isinstance(data, str) else data.read()
        return super().export_xlsx(json.dumps(_with_titles_as_text(json.loads(text))), **kw)


def _name_groups_as_text(node):
    """Rename the groups of an export, and those in them.

    :param node: ``GroupsTreeNode``; a group's key is its value, or ``(id, name)``, of which the name is shown
    """
    for key in list(node.children):
        child = node.children.pop(key)
        _name_groups_as_text(child)
        # Two groups may come out with one name: what they were told apart by stays.
        named = key if isinstance(key, tuple) else (key, key)
        node.children[(named[0], *map(as_text, named[1:]))] = child


def _with_titles_as_text(found):
    """Rewrite whatever is shown of a pivot table, at any depth.

    :param found: decoded JSON
    :return: the same, with text where a spreadsheet would see a formula
    """
    if isinstance(found, dict):
        return {name: _with_titles_as_text(value) for name, value in found.items()}
    if isinstance(found, list):
        return [_with_titles_as_text(value) for value in found]
    return as_text(found)
