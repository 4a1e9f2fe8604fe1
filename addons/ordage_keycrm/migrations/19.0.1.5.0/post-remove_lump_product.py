"""The product "Order without lines" is gone: an answer without lines is malformed and changes no order."""

from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    env = api.Environment(cr, SUPERUSER_ID, {})
    product = env.ref("ordage_keycrm.product_lump", raise_if_not_found=False)
    if not product:
        return
    if env["sale.order.line"].search_count([("product_id", "=", product.id)], limit=1):
        product.action_archive()
    else:
        product.product_tmpl_id.unlink()
