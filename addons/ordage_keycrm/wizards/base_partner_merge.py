from odoo import api, models

from ..models.orders.importer.addresses import recipient_keys
from ..services.common.bridge import as_bridge


class MergePartnerAutomatic(models.TransientModel):
    _inherit = "base.partner.merge.automatic.wizard"

    @api.model
    def _update_values(self, src_partners, dst_partner):
        """Keep all recipients of merged addresses on the remaining one, and end the question to merge.

        Otherwise the next order would create a recipient again. Buyers and companies of KeyCRM follow
        by their foreign keys.
        """
        addresses = as_bridge(src_partners | dst_partner)
        keys = {key for address in addresses for key in recipient_keys(address)}
        known = any(address.keycrm_recipient_key for address in addresses)
        result = super()._update_values(src_partners, dst_partner)
        if known:
            as_bridge(dst_partner).keycrm_recipient_key = "\n".join(sorted(keys))
        asked = [
            ("partner_id", "=", dst_partner.id),
            ("keycrm_former_partner_id", "=", dst_partner.id),
        ]
        for order in self.env["sale.order"].sudo().search(asked):
            order._keycrm_unlink_activity("buyers_merged")
        return result
