from odoo import fields, models


class KeycrmStockComparisonLine(models.Model):
    """A product in a KeyCRM warehouse: quantities of Odoo and KeyCRM, and the difference."""

    _name = "keycrm.stock.comparison.line"
    _description = "Line of a stock comparison"
    _order = "comparison_id desc, id"
    _rec_name = "sku"

    # The report of a comparison.
    comparison_id = fields.Many2one(
        "keycrm.stock.comparison", required=True, ondelete="cascade", index=True
    )
    account_id = fields.Many2one(related="comparison_id.account_id")
    company_id = fields.Many2one(related="account_id.company_id")
    product_id = fields.Many2one("product.product", ondelete="set null")
    offer_id = fields.Many2one("keycrm.offer", ondelete="set null")
    keycrm_id = fields.Integer(string="KeyCRM offer", aggregator=None)
    sku = fields.Char(string="SKU")
    keycrm_warehouse_id = fields.Many2one(
        "keycrm.warehouse", string="KeyCRM warehouse", ondelete="cascade"
    )
    odoo_quantity = fields.Float(string="Odoo", digits=(16, 3))
    keycrm_quantity = fields.Float(string="KeyCRM", digits=(16, 3))
    difference = fields.Float(digits=(16, 3), help="Quantity in Odoo minus quantity in KeyCRM.")
    outcome = fields.Selection(
        [
            ("zero", "Drops to zero"),
            ("lower", "Decreases"),
            ("higher", "Increases"),
            ("same", "Unchanged"),
            ("uncounted", "Never counted in Odoo: not sent"),
            ("not_in_keycrm", "Not in KeyCRM"),
            ("unread", "KeyCRM could not return it"),
            ("not_in_odoo", "Not in Odoo"),
        ],
        required=True,
    )
    opening = fields.Selection(
        [
            ("taken", "Will be applied"),
            ("applied", "Applied"),
            ("undone", "Undone"),
            ("same", "Unchanged"),
            ("serials", "Skipped: serial numbers must be counted"),
            ("lots", "Skipped: lots must be counted"),
            ("not_stored", "Skipped: Odoo does not track its stock"),
            ("unread", "Skipped: KeyCRM could not return its quantity"),
            ("changed", "Skipped: it changed in Odoo after the preview; run the preview again"),
            ("refused", "Skipped: Odoo does not accept the inventory adjustment"),
        ],
        string="Opening quantity",
        readonly=True,
    )
    opening_change = fields.Float(
        string="Added in Odoo",
        digits=(16, 3),
        readonly=True,
        aggregator=None,
        help="What the opening quantity added to Odoo's stock; undoing takes it away again.",
    )
    was_sent = fields.Boolean(
        string="Sent before match removal",
        readonly=True,
        help="Sent after the preview, and cleared when the warehouse match was removed.",
    )
