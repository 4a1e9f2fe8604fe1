from odoo import api, models

from ..keycrm.naming import normalised_phone, shortened
from ..keycrm.records import Order


class KeycrmOrderImporter(models.AbstractModel):
    """Buyers become contacts, recipients delivery addresses."""

    _inherit = "keycrm.order.importer"

    @api.model
    def _partners(self, account, orders):
        """Find or make the contacts of the orders.

        :return: ``{number: (buyer, delivery address)}``, both ``res.partner``
        """
        buyers = self._buyers(account, orders)
        nobody = self.env["res.partner"]
        found = {}
        for order in orders:
            partner = buyers.get(order.client_id, nobody)
            if not partner:
                partner = self._anonymous(account)
            found[order.id] = (partner, self._delivery_address(account, order, partner))
        return found

    @api.model
    def _buyers(self, account, orders):
        """Find the contacts of the buyers by KeyCRM's number, and make those that are new.

        :return: ``{KeyCRM's number of the buyer: res.partner}``
        """
        wanted = {
            order.client_id: order.buyer
            for order in orders
            if order.client_id and order.buyer
        }
        Buyer = self.env["keycrm.buyer"]
        ties = Buyer.search(
            [("account_id", "=", account.id), ("keycrm_id", "in", list(wanted))]
        )
        partners = {tie.keycrm_id: tie.partner_id for tie in ties}
        for number, partner in partners.items():
            vals = self._buyer_vals(account, wanted[number])
            changed = {
                name: value
                for name, value in vals.items()
                if value and name in ("name", "phone", "email") and partner[name] != value
            }
            if changed:
                partner.write(changed)
        new = [number for number in wanted if number not in partners]
        created = self.env["res.partner"].create(
            [self._buyer_vals(account, wanted[number]) for number in new]
        )
        Buyer.create(
            [
                {"account_id": account.id, "keycrm_id": number, "partner_id": partner.id}
                for number, partner in zip(new, created, strict=True)
            ]
        )
        partners.update(zip(new, created, strict=True))
        return partners

    @api.model
    def _buyer_vals(self, account, buyer):
        phone = normalised_phone(buyer.phone) or buyer.phone
        return {
            "name": shortened(buyer.name or phone or buyer.email or f"KeyCRM {buyer.id}", 120),
            "phone": phone or False,
            "email": buyer.email or False,
            "company_id": account.company_id.id,
            "lang": account.company_id.partner_id.lang or self.env.lang,
        }

    @api.model
    def _anonymous(self, account):
        """Give the contact for orders without a buyer; one for each account."""
        tie = self.env["keycrm.buyer"].search(
            [("account_id", "=", account.id), ("keycrm_id", "=", 0)]
        )
        if tie:
            return tie.partner_id
        partner = self.env["res.partner"].create(
            {
                "name": self.env._("KeyCRM: order without a buyer"),
                "company_id": account.company_id.id,
            }
        )
        self.env["keycrm.buyer"].create(
            {"account_id": account.id, "keycrm_id": 0, "partner_id": partner.id}
        )
        return partner

    @api.model
    def _delivery_address(self, account, order: Order, partner):
        """Find or make the address of the recipient; the buyer's own where nothing differs."""
        shipping = order.shipping
        if not shipping:
            return partner
        phone = normalised_phone(shipping.recipient_phone) or shipping.recipient_phone
        vals = {
            "name": shortened(shipping.recipient_name or partner.name, 120),
            "phone": phone or False,
            "street": shortened(shipping.receive_point or shipping.address, 200) or False,
            "street2": shortened(shipping.secondary_line, 200) or False,
            "city": shipping.city or False,
            "zip": shipping.zip or False,
        }
        if not any((vals["street"], vals["city"])) and vals["name"] == partner.name:
            return partner
        same = partner.child_ids.filtered(
            lambda child: child.type == "delivery"
            and all((child[name] or False) == value for name, value in vals.items())
        )
        if same:
            return same[0]
        country = self.env["res.country"].search(
            [("code", "=", shipping.country_code)], limit=1
        )
        return self.env["res.partner"].create(
            {
                **vals,
                "type": "delivery",
                "parent_id": partner.id,
                "company_id": account.company_id.id,
                "country_id": country.id or account.company_id.country_id.id,
            }
        )
