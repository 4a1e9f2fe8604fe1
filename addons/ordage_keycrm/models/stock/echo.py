from odoo import fields, models


class KeycrmStockEcho(models.Model):
    """A stock webhook that KeyCRM is expected to send about an own write: its echo.

    KeyCRM sends one after each write, with the sum over its warehouses. Each expected echo is matched
    once (``services/stock/echo_matcher.py``), so a manual edit back to a quantity that was sent before is not
    taken for one.
    """

    _name = "keycrm.stock.echo"
    _inherit = "keycrm.account.mixin"
    _description = "Expected echo of a stock write"
    _log_access = False
    _rec_name = "offer_id"

    # Found by the offer, and deleted by age.
    offer_id = fields.Many2one("keycrm.offer", required=True, ondelete="cascade", index=True)
    quantity = fields.Float(digits=(16, 3))
    sent_at = fields.Datetime(string="Sent on", required=True, index=True)
