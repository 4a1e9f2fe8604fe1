"""Indexes that nothing asked, or that another one stood in for, are dropped; Odoo itself would keep them.

Those that have another form now are made anew by Odoo, since it knows them by their names alone.
"""

from odoo.tools.sql import drop_index, make_index_name

_NEEDLESS = (
    ("keycrm_buyer", "account_id"),
    ("keycrm_company", "account_id"),
    ("keycrm_delay", "account_id"),
    ("keycrm_missing_sku", "account_id"),
    ("keycrm_offer", "account_id"),
    ("keycrm_order_status", "account_id"),
    ("keycrm_payment", "account_id"),
    ("keycrm_payment_method", "account_id"),
    ("keycrm_product_tie", "account_id"),
    ("keycrm_source", "account_id"),
    ("keycrm_status_push", "account_id"),
    ("keycrm_stock_level", "offer_id"),
    ("keycrm_transaction", "account_id"),
    ("keycrm_warehouse", "account_id"),
    ("res_partner", "keycrm_recipient_key"),
    ("sale_order", "keycrm_account_id"),
)
_OF_ANOTHER_FORM = (
    ("sale_order", "keycrm_number"),
    ("sale_order", "keycrm_tracking_code"),
    ("sale_order_line", "keycrm_id"),
)


def migrate(cr, version):
    for table, column in _NEEDLESS + _OF_ANOTHER_FORM:
        drop_index(cr, make_index_name(table, column), table)
