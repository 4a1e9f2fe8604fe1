from dataclasses import replace

from odoo import api, models
from odoo.tools import ormcache

from ....keycrm.countries import country_code
from ....keycrm.naming import normalized_phone, shortened
from ....services.orders import contacts
from ....services.sending.tracking import TrackingKind


class KeycrmOrderImporter(models.AbstractModel):
    """Create delivery addresses of recipients and parcel offices, each once."""

    _inherit = "keycrm.order.importer"

    @api.model
    def _delivery_addresses(self, batch, partners):
        """Find or create the addresses of the recipients.

        The buyer's own address is used where nothing differs, and where Odoo refuses the address, which
        is then reported.

        :param partners: ``{number: res.partner}`` of the buyers
        :return: ``{number: res.partner}``
        """
        Partner = self.env["res.partner"]
        account, addresses, wanted = batch.account, {}, {}
        home = account.company_id.country_id.id
        for order in batch.orders:
            partner = partners[order.id]
            vals = self._prepare_recipient_values(account, order.shipping, partner)
            if vals:
                wanted[order.id] = (partner.id, _recipient_key(vals, home)), vals
            else:
                addresses[order.id] = partner
        if not wanted:
            return addresses
        known = self._known_addresses(account, {key[0] for key, _vals in wanted.values()})
        missing = {key: vals for key, vals in wanted.values() if key not in known}
        # An address gets its parent's terms; Odoo would read each parent separately.
        parents = Partner.browse({parent for parent, _key in missing})
        parents.commercial_partner_id.fetch(Partner._commercial_fields())
        rules = contacts.ContactRules.in_context(self.env)
        closed = frozenset(parents._keycrm_closed().ids)
        created = contacts.create(
            Partner.with_context(keycrm_contact_rules=replace(rules, closed_parent_ids=closed)),
            [{**vals, "keycrm_recipient_key": key} for (_parent, key), vals in missing.items()],
            ("zip", "phone", "country_id", "street2", "city", "street"),
            is_tolerant=batch.options.is_tolerant,
        )
        refused = {}
        for key, (address, reasons) in zip(missing, created, strict=True):
            known[key], refused[key] = address or Partner.browse(key[0]), reasons
        addresses.update((number, known[key]) for number, (key, _vals) in wanted.items())
        for order in batch.orders:
            key, vals = wanted.get(order.id, (None, None))
            if refused.get(key):
                batch.remark(
                    order,
                    "|".join(map(str, key)),
                    self.env._(
                        "Odoo did not accept this delivery address: %(address)s. Reason: %(reason)s",
                        address=", ".join(vals[name] for name in _KEY_FIELDS if vals[name]),
                        reason=next(iter(refused[key].values())),
                    ),
                )
        return addresses

    @api.model
    def _known_addresses(self, account, parent_ids):
        """Search the addresses of buyers by recipient.

        They are found by the recipient in KeyCRM and by the address's own values. Companies may share a
        contact, but an address of another company cannot be used.

        :return: ``{(buyer's id, key): res.partner}``
        """
        known = {}
        Partner = self.env["res.partner"].with_context(active_test=False)
        children = Partner.search(
            [
                ("parent_id", "in", list(parent_ids)),
                ("type", "=", "delivery"),
                *Partner._check_company_domain(account.company_id),
            ],
            order="active, id desc",
        )
        for child in children - children._keycrm_with_users():
            known.update(((child.parent_id.id, key), child) for key in recipient_keys(child))
        return known

    @api.model
    def _prepare_recipient_values(self, account, shipping, partner):
        """Return the values of the recipient's address; None where it is the buyer's own.

        :param account: ``keycrm.account``, one
        :param shipping: :class:`~.keycrm.orders.Shipping`, or None
        :param partner: ``res.partner`` of the buyer
        """
        if not shipping:
            return None
        phone = normalized_phone(shipping.recipient_phone) or shipping.recipient_phone
        street, street2, country = self._place(account, shipping)
        city = shipping.city
        if shipping.region and city and shipping.region.lower() not in city.lower():
            # Many villages of Ukraine have the same name: the region distinguishes them.
            city = f"{city}, {shipping.region}"
        vals = {
            "name": shortened(shipping.recipient_name or partner.name or "", 120),
            "phone": phone or False,
            "street": shortened(street, 200) or False,
            "street2": shortened(street2, 200) or False,
            "city": shortened(city, 120) or False,
            "zip": shipping.zip or False,
        }
        same_person = _plain(vals["name"]) == _plain(partner.name) and (
            not phone or normalized_phone(phone) == (partner.keycrm_phone_key or "")
        )
        place = [name for name in ("street", "street2", "city", "zip") if vals[name]]
        is_here = country in (account.company_id.country_id, partner.country_id)
        if (
            same_person
            and is_here
            and all(_plain(vals[name]) == _plain(partner[name]) for name in place)
        ):
            return None
        return {
            **vals,
            "type": "delivery",
            "parent_id": partner.id,
            "company_id": account.company_id.id,
            "country_id": country.id,
        }

    @api.model
    def _place(self, account, shipping):
        """Return the address lines of a parcel: parcel office, street, and further lines.

        :return: (first line, second line, ``res.country``); the name or code of an unknown country is in the
            second line
        """
        lines = [shipping.receive_point, shipping.address, shipping.secondary_line]
        if not shipping.receive_point and not shipping.address:
            lines.insert(0, shipping.full_address)
        first, *others = [line for line in lines if line] or [""]
        others = [line for line in others if _plain(line) not in _plain(first)]
        country = account.company_id.country_id
        code, named = shipping.country_code.upper(), shipping.country or shipping.country_code
        if not code or (code != country.code and not self._country_id(code)):
            code = country_code(shipping.country)
        if code != country.code and named:
            country = country.browse((code and self._country_id(code)) or ())
            if not country:
                others.append(named)
        return first, ", ".join(others), country

    @api.model
    @ormcache("code", cache="stable")
    def _country_id(self, code):
        """Return the id of a country, cached: otherwise each order would search for it.

        :param code: ISO code
        :return: False where Odoo does not have it
        """
        return self.env["res.country"].search([("code", "=", code)], limit=1).id

    # === KNOWN ORDERS ===#

    @api.model
    def _update_header(self, record, vals):
        """Update buyer and recipient of a known order, also on open transfers.

        Odoo itself would only schedule an activity about the recipient of open transfers.
        """
        buyer, address, client = (
            record.partner_id,
            record.partner_shipping_id,
            record.keycrm_client_id,
        )
        planned, former = record.keycrm_shipping_date, record.commitment_date
        code = record.keycrm_tracking_code
        result = super()._update_header(
            record.with_context(mail_activity_automation_skip=True), vals
        )
        if record.keycrm_shipping_date != planned:
            if record.keycrm_shipping_date:
                self._follow_shipping_date(record)
            elif record.commitment_date != former:
                self._follow_shipping_date(record, former)
        if record.keycrm_tracking_code != code:
            TrackingKind(record.keycrm_account_id).retry_conflict(record)
        if record.partner_shipping_id != address:
            self._update_recipient(record, address)
        if client and vals.get("keycrm_client_id", client) != client and record.partner_id != buyer:
            self._report_other_buyer(record, buyer)
        return result

    @api.model
    def _follow_shipping_date(self, record, removed=None):
        """Move open deliveries to the day that KeyCRM set; the addon for Manufacturing extends this.

        Odoo itself would only move the deadline.

        :param record: ``sale.order``, one
        :param removed: date that KeyCRM removed: only what is planned for it moves, to Odoo's own date
        """
        planned = record.commitment_date or record.expected_date
        waiting = record.picking_ids._keycrm_deliveries().filtered(
            lambda picking: (
                picking.state not in ("done", "cancel")
                and picking.scheduled_date != planned
                and (not removed or picking.scheduled_date == removed)
            )
        )
        if waiting and planned:
            waiting.scheduled_date = planned

    @api.model
    def _update_recipient(self, record, former):
        """Write the new recipient on open transfers, or report that the goods are shipped.

        The contact of a dropship is the vendor, who has the former address already.
        """
        deliveries = record.picking_ids._keycrm_deliveries().filtered(
            lambda picking: picking.state != "cancel"
        )
        outgoing = deliveries.filtered(lambda picking: picking.picking_type_code == "outgoing")
        waiting = outgoing.filtered(lambda picking: picking.state != "done")
        if waiting:
            waiting.partner_id = record.partner_shipping_id
        if deliveries and not (waiting and outgoing == deliveries):
            home = record.company_id.country_id
            record._keycrm_schedule_activity(
                "recipient_changed",
                self.env._("KeyCRM changed the recipient of shipped goods"),
                [
                    self.env._(
                        "The goods go to %(former)s, but the recipient in KeyCRM is now "
                        "%(new)s. Redirect the parcel if necessary.",
                        former=former._keycrm_recipient_text(home),
                        new=record.partner_shipping_id._keycrm_recipient_text(home),
                    )
                ],
            )

    @api.model
    def _report_other_buyer(self, record, former):
        """Report another buyer, most likely because KeyCRM merged two."""
        record.keycrm_former_partner_id = former
        record._keycrm_schedule_activity(
            "buyers_merged",
            self.env._("Merge two contacts?"),
            [
                self.env._(
                    "The order belonged to %(former)s and now belongs to %(new)s in KeyCRM. If "
                    "KeyCRM merged the two buyers, click “Merge contacts” on the order.",
                    former=former._get_html_link(),
                    new=record.partner_id._get_html_link(),
                )
            ],
        )


#: Fields that identify a recipient.
_KEY_FIELDS = ("name", "phone", "street", "street2", "city", "zip")


def recipient_keys(address):
    """Return the keys of the recipients that an address represents; after a merge several.

    :param address: ``res.partner``, one
    """
    values = {name: address[name] for name in _KEY_FIELDS}
    values["country_id"] = address.country_id.id
    company = address.company_id or address.env.company
    key = _recipient_key(values, company.country_id.id)
    return [key, *(address.keycrm_recipient_key or "").splitlines()]


def _plain(text):
    return " ".join((text or "").lower().split())


def _recipient_key(vals, home):
    """Return the key by which recipients and places are distinguished.

    :param vals: values of an address
    :param home: id of the company's country, which addresses in Odoo often lack
    """
    phone = vals["phone"] or ""
    parts = [
        normalized_phone(phone) or _plain(phone) if name == "phone" else _plain(vals[name])
        for name in _KEY_FIELDS
    ]
    if vals["country_id"] and vals["country_id"] != home:
        parts.append(str(vals["country_id"]))
    return "|".join(parts)
