from odoo import api, fields, models
from odoo.fields import Domain

from ..keycrm.naming import normalised_phone, phone_part


class ResPartner(models.Model):
    _inherit = "res.partner"

    # === FIELDS ===#

    keycrm_buyer_ids = fields.One2many("keycrm.buyer", "partner_id", string="KeyCRM buyers")
    # A new buyer is looked for among the contacts by it.
    keycrm_phone_key = fields.Char(
        string="Phone to compare",
        compute="_compute_keycrm_phone_key",
        store=True,
        index="btree_not_null",
        help="The phone as +380…, however it was typed.",
    )
    keycrm_phone_typed = fields.Char(
        string="Phone, however typed",
        compute="_compute_keycrm_phone_typed",
        search="_search_keycrm_phone_typed",
    )
    keycrm_recipient_key = fields.Char(
        string="KeyCRM recipient",
        copy=False,
        help="What KeyCRM said of this recipient; it is found again by it, also once corrected.",
    )

    # === COMPUTE METHODS ===#

    @api.depends("phone")
    def _compute_keycrm_phone_key(self):
        for partner in self:
            partner.keycrm_phone_key = normalised_phone(partner.phone or "") or False

    @api.depends("phone")
    def _compute_keycrm_phone_typed(self):
        for partner in self:
            partner.keycrm_phone_typed = partner.phone

    def _search_keycrm_phone_typed(self, operator, value):
        """Find 067-123-45-67 also by +38 067 1234567, the other way round, and by a part of either."""
        found = Domain("phone", operator, value)
        digits = phone_part(value) if operator == "ilike" else ""
        return found | Domain("keycrm_phone_key", "ilike", digits) if digits else found

    # === BUSINESS METHODS ===#

    def _company_dependent_commercial_sync(self):
        """Carry a parent's terms to its addresses in other companies, where there are any.

        Odoo looks for them at each address; an import asks once.
        """
        if self.env.context.get("keycrm_one_company"):
            return None
        return super()._company_dependent_commercial_sync()
