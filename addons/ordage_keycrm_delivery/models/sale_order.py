from odoo import api, models
from odoo.fields import Domain

from odoo.addons.ordage_keycrm.const import DELIVERY_CODES
from odoo.addons.ordage_keycrm.keycrm.order_update_rules import Parcel


class SaleOrder(models.Model):
    _inherit = "sale.order"

    @api.model
    def _keycrm_domain_with_parcels(self):
        return Domain("picking_ids", "any", self._keycrm_parcel_domain())

    @api.model
    def _keycrm_parcel_domain(self):
        """Return the domain of deliveries whose tracking numbers go to KeyCRM."""
        return [
            ("carrier_tracking_ref", "!=", False),
            ("picking_type_code", "in", DELIVERY_CODES),
            ("state", "!=", "cancel"),
        ]

    def _keycrm_parcels(self):
        """Return the parcels of all deliveries, the oldest delivery first."""
        self.ensure_one()
        services = self.keycrm_account_id.sudo().delivery_service_ids
        parcels = {}
        for picking in self.picking_ids.filtered_domain(self._keycrm_parcel_domain()).sorted("id"):
            service = services.filtered(lambda one, p=picking: p.carrier_id in one.carrier_ids)
            number = service[:1].keycrm_id or None
            for parcel in Parcel.parse_list(picking.carrier_tracking_ref, number):
                parcels.setdefault(parcel.code.casefold(), parcel)
        return list(parcels.values())
