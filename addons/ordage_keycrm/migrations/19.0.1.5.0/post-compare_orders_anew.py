"""The comparison of orders holds more of each order now, so one that is under way begins anew; what is
canceled in Odoo alone was canceled by a person."""

from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    cr.execute("UPDATE keycrm_account SET open_sweep_page = 0, open_sweep_seen = NULL")
    env = api.Environment(cr, SUPERUSER_ID, {})
    env["sale.order"].search(
        [
            ("keycrm_account_id", "!=", False),
            ("state", "=", "cancel"),
            ("keycrm_status_id.order_action", "in", ("quotation", "confirm")),
        ]
    ).write({"keycrm_canceled_here": True})
