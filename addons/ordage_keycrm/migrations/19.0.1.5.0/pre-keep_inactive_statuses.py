"""A status that KeyCRM switched off is no archived record any more: settings keep it."""

from odoo.tools.sql import column_exists, rename_column


def migrate(cr, version):
    if column_exists(cr, "keycrm_order_status", "active"):
        rename_column(cr, "keycrm_order_status", "active", "is_active")
