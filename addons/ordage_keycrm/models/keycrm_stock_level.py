from odoo import fields, models


class KeycrmStockLevel(models.Model):
    """What KeyCRM is known to have of an offer in a warehouse: what was last sent or read."""

    _name = "keycrm.stock.level"
    _description = "Stock known in KeyCRM"
    _order = "sent_at desc, id desc"
    _rec_name = "offer_id"

    offer_id = fields.Many2one("keycrm.offer", required=True, ondelete="cascade", index=True)
    keycrm_warehouse_id = fields.Many2one(
        "keycrm.warehouse", string="KeyCRM warehouse", required=True, ondelete="cascade", index=True
    )
    account_id = fields.Many2one(related="offer_id.account_id", store=True, index=True)
    company_id = fields.Many2one(related="account_id.company_id")
    product_id = fields.Many2one(related="offer_id.product_id", store=True, index=True)
    is_known = fields.Boolean(help="Off: it has to be sent again, whatever it was.")
    quantity = fields.Float(string="In KeyCRM", digits="Product Unit")
    sent_at = fields.Datetime(string="Last sent")
    error = fields.Char(string="Refused because")

    _offer_warehouse_unique = models.Constraint(
        "UNIQUE(offer_id, keycrm_warehouse_id)", "One level an offer and warehouse."
    )
