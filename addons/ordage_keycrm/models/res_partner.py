from odoo import fields, models


class ResPartner(models.Model):
    _inherit = "res.partner"

    keycrm_buyer_ids = fields.One2many("keycrm.buyer", "partner_id", string="KeyCRM buyers")
