from odoo import api, fields, models
from odoo.exceptions import ValidationError

from odoo.addons.ordage_keycrm.services.common.language import company_language
from odoo.addons.ordage_keycrm.services.sending.tracking import TrackingKind


class KeycrmDeliveryService(models.Model):
    _inherit = "keycrm.delivery.service"

    carrier_ids = fields.Many2many(
        "delivery.carrier",
        string="Odoo delivery methods",
        check_company=True,
        help="Tracking numbers of these delivery methods go to KeyCRM with this delivery service.",
    )

    @api.constrains("carrier_ids")
    def _check_one_service(self):
        """Keep a delivery method from having two services of one account."""
        for service in self:
            others = self.search(
                [
                    ("account_id", "=", service.account_id.id),
                    ("id", "!=", service.id),
                    ("carrier_ids", "in", service.carrier_ids.ids),
                ],
                limit=1,
            )
            if others:
                raise ValidationError(
                    self.env._(
                        "“%(carrier)s” already belongs to the delivery service “%(other)s” of KeyCRM.",
                        carrier=(others.carrier_ids & service.carrier_ids)[:1].name,
                        other=others.name,
                    )
                )

    def write(self, vals):
        """Enqueue the orders whose delivery methods are matched now: KeyCRM lacks their service."""
        before = {service: service.carrier_ids for service in self} if "carrier_ids" in vals else {}
        result = super().write(vals)
        for service, carriers in before.items():
            added, account = service.carrier_ids - carriers, service.account_id.sudo()
            if added and account._sends("tracking"):
                TrackingKind(account).enqueue_all([("picking_ids.carrier_id", "in", added.ids)])
        return result

    @api.model_create_multi
    def create(self, vals_list):
        """Match new services with the delivery methods of the same name."""
        services = super().create(vals_list)
        for service in services.filtered(lambda one: not one.carrier_ids):
            taken = self.search([("account_id", "=", service.account_id.id)]).carrier_ids
            translated = self.with_context(lang=company_language(service.company_id)).env
            carriers = translated["delivery.carrier"].search(
                [("company_id", "in", (service.company_id.id, False)), ("id", "not in", taken.ids)]
            )
            # In Python: with the C locale, PostgreSQL does not change the case of Cyrillic letters.
            name = service.name.casefold()
            same = carriers.filtered(lambda one, name=name: one.name.casefold() == name)
            if same:
                service.carrier_ids = same
        return services
