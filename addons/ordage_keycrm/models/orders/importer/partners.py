from odoo import api, models
from odoo.tools import email_normalize

from ....keycrm.naming import normalized_phone, shortened
from ....keycrm.orders import Buyer
from ....services.common.language import company_language
from ....services.common.values import by_keycrm_id, changed_values
from ....services.orders import contacts


class KeycrmOrderImporter(models.AbstractModel):
    """Map buyers to contacts: by KeyCRM's number, by phone or email, or to new ones.

    A buyer in KeyCRM is always a person, who may buy for a company. So the person is the order's customer
    (for phone calls and parcels), below the company's contact, and the company is invoiced, as for Odoo's
    own contacts of companies.
    """

    _inherit = "keycrm.order.importer"

    @api.model
    def _partners(self, batch):
        """Find or create the contacts of the orders.

        Values of contacts that Odoo refuses are reported; the order is imported without them.

        :return: ``{number: (buyer, delivery address)}``, both ``res.partner``
        """
        orders = batch.orders
        buyers = self._buyers(batch)
        anonymous = None
        without = [order for order in orders if order.client_id not in buyers]
        if without:
            anonymous = self._anonymous(batch, without)
        partners = {order.id: buyers.get(order.client_id) or anonymous for order in orders}
        addresses = self._delivery_addresses(batch, partners)
        return {order.id: (partners[order.id], addresses[order.id]) for order in orders}

    @api.model
    def _buyers(self, batch):
        """Return the contacts of the buyers; match or create new ones.

        :return: ``{KeyCRM's number of the buyer: res.partner}``
        """
        account, orders, received = batch.account, batch.orders, {}
        for order in orders:
            before = received.get(order.client_id)
            if order.client_id and order.buyer and not _is_older(order.buyer, before):
                received[order.client_id] = order.buyer
        mappings = self.env["keycrm.buyer"].search(
            [
                ("account_id", "=", account.id),
                ("keycrm_id", "in", [order.client_id for order in orders if order.client_id]),
            ]
        )
        companies = self._companies_of(batch, received.values())
        unusable = mappings._with_unusable_contact()
        if unusable:
            self._replace_contacts(batch, unusable, received, companies)
        for mapping in mappings - unusable:
            if mapping.keycrm_id in received:
                self._update_buyer(batch, mapping, received[mapping.keycrm_id], companies)
        partners = {
            mapping.keycrm_id: mapping.partner_id
            for mapping in mappings - unusable._with_unusable_contact()
        }
        known = set(mappings.mapped("keycrm_id"))
        new = {number: buyer for number, buyer in received.items() if number not in known}
        if new:
            partners.update(self._new_buyers(batch, new, companies))
        for order in orders:
            if order.client_id in received and order.client_id not in partners:
                batch.remark(
                    order,
                    f"buyer:{order.client_id}",
                    self.env._(
                        "Odoo did not accept the contact of the buyer %s. Create it and choose it on "
                        "the order and in “Buyers and contacts”.",
                        _buyer_line(received[order.client_id]),
                    ),
                )
        return partners

    @api.model
    def _invoice_addresses(self, account, partners):
        """Search addresses for invoices that users entered in Odoo.

        :param partners: ``{number: (buyer, delivery address)}``
        :return: ``{company or person: res.partner}``, only of those that have one
        """
        payers = self.env["res.partner"].union(
            *(buyer.commercial_partner_id for buyer, _delivery in partners.values())
        )
        Partner = self.env["res.partner"]
        addresses = Partner.search(
            [
                ("parent_id", "in", payers.ids),
                ("type", "=", "invoice"),
                *Partner._check_company_domain(account.company_id),
            ],
            order="id desc",
        )
        return {address.parent_id: address for address in addresses}

    @api.model
    def _companies_of(self, batch, buyers):
        """Return the companies of buyers, with their contacts.

        :return: ``{KeyCRM's number: keycrm.company}``
        """
        numbers = [buyer.company_id for buyer in buyers if buyer.company_id]
        if not numbers:
            return {}
        companies = self.env["keycrm.company"].search(
            [("account_id", "=", batch.account.id), ("keycrm_id", "in", numbers)]
        )
        companies._create_contacts(is_tolerant=batch.options.is_tolerant)
        return by_keycrm_id(companies)

    # === KNOWN BUYERS ===#

    @api.model
    def _update_buyer(self, batch, mapping, buyer, companies):
        """Import the values of a buyer that changed in KeyCRM since it was last read."""
        if (
            mapping.keycrm_updated_at
            and buyer.updated_at
            and buyer.updated_at < mapping.keycrm_updated_at
        ):
            return
        now = _buyer_vals(buyer)
        # A user mapped the buyer before any order of it was read.
        is_new = not (mapping.name or mapping.phone or mapping.email)
        changed = {name: value for name, value in now.items() if value != (mapping[name] or "")}
        company = companies.get(buyer.company_id)
        if company != mapping.keycrm_company_id and (company or not buyer.company_id):
            changed.update(self._changed_parent(mapping, company))
            now["keycrm_company_id"] = company.id if company else False
        if changed:
            mapping._update_contact(
                changed, propose=not is_new, is_tolerant=batch.options.is_tolerant
            )
        if buyer.updated_at:
            now["keycrm_updated_at"] = buyer.updated_at
        now = changed_values(mapping, now)
        if now:
            mapping.write(now)

    @api.model
    def _changed_parent(self, mapping, company):
        """Return ``{"parent_id": id}`` where the contact's company changed."""
        partner = mapping.partner_id
        parent = company.buyers_parent_id if company else partner.browse()
        if partner.parent_id - mapping.keycrm_company_id.partner_id or parent == partner:
            # A user chose another company, or the contact is the company's own.
            return {}
        return {"parent_id": parent.id or ""}

    # === NEW BUYERS ===#

    @api.model
    def _new_buyers(self, batch, buyers, companies):
        """Match new buyers to contacts, and create contacts for the others.

        :param buyers: ``{KeyCRM's number: Buyer}``
        :return: ``{KeyCRM's number: res.partner}``
        """
        account, is_tolerant = batch.account, batch.options.is_tolerant
        partners = self._matching_contacts(account, buyers)
        matched = set(partners)
        vals = {
            n: self._prepare_contact_values(account, buyer, companies)
            for n, buyer in buyers.items()
        }
        new = [number for number in buyers if number not in matched]
        created = self._create_contacts(batch, [vals[number] for number in new])
        refused = {}
        for number, (partner, reasons) in zip(new, created, strict=True):
            if partner:
                partners[number], refused[number] = partner, reasons
        buyers = {number: buyer for number, buyer in buyers.items() if number in partners}
        mappings = self.env["keycrm.buyer"].create(
            [
                {
                    "account_id": account.id,
                    "keycrm_id": number,
                    "partner_id": partners[number].id,
                    "keycrm_company_id": (
                        companies[buyer.company_id].id if buyer.company_id in companies else False
                    ),
                    "keycrm_updated_at": buyer.updated_at or False,
                    "given": {} if number in matched else _given(vals[number], refused[number]),
                    **_buyer_vals(buyer),
                }
                for number, buyer in buyers.items()
            ]
        )
        for mapping in mappings:
            self._propose_refused(mapping, vals[mapping.keycrm_id], refused.get(mapping.keycrm_id))
        for mapping in mappings.filtered(lambda mapping: mapping.keycrm_id in matched):
            # A contact that a user created keeps its values.
            now = {name: vals[mapping.keycrm_id][name] or "" for name in _GIVEN}
            now = {name: value for name, value in now.items() if value}
            mapping._update_contact(now, propose=False, is_tolerant=is_tolerant)
        return partners

    @api.model
    def _create_contacts(self, batch, vals_list):
        """Create contacts of buyers; see :func:`~.contacts.create`."""
        return contacts.create(
            self.env["res.partner"],
            vals_list,
            ("parent_id", "email", "phone", "lang"),
            is_tolerant=batch.options.is_tolerant,
        )

    @api.model
    def _replace_contacts(self, batch, mappings, received, companies):
        """Create contacts for buyers whose orders cannot have their present ones any more."""
        buyers = [
            received.get(mapping.keycrm_id)
            or Buyer(
                mapping.keycrm_id,
                mapping.name or "",
                mapping.phone or "",
                mapping.email or "",
                None,
                "",
            )
            for mapping in mappings
        ]
        vals_list = [
            self._prepare_contact_values(batch.account, buyer, companies) for buyer in buyers
        ]
        created = self._create_contacts(batch, vals_list)
        for mapping, vals, (partner, refused) in zip(mappings, vals_list, created, strict=True):
            if partner:
                mapping._replace_contact(partner, _given(vals, refused))
                self._propose_refused(mapping, vals, refused)

    @api.model
    def _propose_refused(self, mapping, vals, refused):
        """Propose the values of a new contact that Odoo refused."""
        proposed = {name: vals[name] for name in refused or () if name in _GIVEN}
        if proposed:
            mapping._write_proposals(mapping.given, proposed, refused)

    @api.model
    def _prepare_contact_values(self, account, buyer, companies):
        """Return the values of a new contact.

        :param account: ``keycrm.account``, one
        :param buyer: :class:`~.keycrm.orders.Buyer`
        :param companies: ``{KeyCRM's number: keycrm.company}``
        """
        values = _buyer_vals(buyer)
        company = companies.get(buyer.company_id)
        name = values["name"] or values["phone"] or values["email"] or f"KeyCRM {buyer.id}"
        return {
            "name": name,
            "phone": values["phone"] or False,
            "email": values["email"] or False,
            "parent_id": company.buyers_parent_id.id if company else False,
            "company_id": account.company_id.id,
            "lang": company_language(account.company_id),
        }

    @api.model
    def _matching_contacts(self, account, buyers):
        """Match buyers to contacts where exactly one has the phone or email.

        If one contact has the phone and another one the email, neither is used. A contact of another
        buyer of the account is not used: two buyers with one phone are two contacts. A contact is not
        used either if an Odoo user has access to its orders, if a visitor of the website or the portal
        created it, or if it belongs to a company of this database: each can enter the phone or email of
        another person.

        :param buyers: ``{KeyCRM's number: Buyer}``
        :return: ``{KeyCRM's number: res.partner}``, only of those that match
        """
        phones = {number: normalized_phone(buyer.phone) for number, buyer in buyers.items()}
        emails = {number: email_normalize(buyer.email) or "" for number, buyer in buyers.items()}
        Partner = self.env["res.partner"]
        candidates = Partner.search(
            [
                "|",
                ("keycrm_phone_key", "in", [phone for phone in phones.values() if phone]),
                ("email_normalized", "in", [email for email in emails.values() if email]),
                *Partner._check_company_domain(account.company_id),
                ("type", "not in", ("delivery", "invoice", "other")),
            ]
        )
        # A visitor of the website can enter the phone of another person, then sign up.
        candidates = candidates.filtered(lambda partner: not partner.create_uid.share)
        candidates -= candidates._keycrm_seen_by_users()
        taken = (
            self.env["keycrm.buyer"]
            .search([("account_id", "=", account.id), ("partner_id", "in", candidates.ids)])
            .partner_id
        )
        matched = {}
        for number in sorted(buyers):
            by_phone = candidates.filtered(
                lambda partner, key=phones[number]: key and partner.keycrm_phone_key == key
            )
            by_email = candidates.filtered(
                lambda partner, key=emails[number]: key and partner.email_normalized == key
            )
            partner = by_phone & by_email if by_phone and by_email else by_phone | by_email
            if len(partner) == 1 and partner not in taken:
                matched[number] = partner
                taken |= partner
        return matched

    @api.model
    def _anonymous(self, batch, orders):
        """Return the account's contact for orders without a buyer.

        Where Odoo refuses to create it, the orders have the company's own contact, which is reported.

        :param orders: list of :class:`~.keycrm.orders.Order` without a buyer
        """
        account = batch.account
        mapping = self.env["keycrm.buyer"].search(
            [("account_id", "=", account.id), ("keycrm_id", "=", 0)]
        )
        elsewhere = mapping.partner_id._keycrm_of_another_company(account.company_id)
        if (
            mapping
            and not elsewhere
            and (mapping.by_hand or not mapping.partner_id._keycrm_seen_by_users())
        ):
            return mapping.partner_id
        ((partner, refused),) = contacts.create(
            self.env["res.partner"],
            [
                {
                    "name": self.env._("KeyCRM: order without a buyer"),
                    "company_id": account.company_id.id,
                }
            ],
            (),
            is_tolerant=batch.options.is_tolerant,
        )
        if not partner:
            for order in orders:
                batch.remark(
                    order,
                    "no_buyer",
                    self.env._(
                        "Odoo did not accept a contact for orders without a buyer: %s The order has your "
                        "company's own contact until you choose another one.",
                        refused[""],
                    ),
                )
            return account.company_id.partner_id
        if mapping:
            mapping.partner_id = partner
        else:
            mapping.create({"account_id": account.id, "keycrm_id": 0, "partner_id": partner.id})
        return partner


#: Fields of a contact that are written from KeyCRM.
_GIVEN = ("name", "phone", "email", "parent_id")


def _given(vals, refused):
    return {name: "" if name in refused else vals[name] or "" for name in _GIVEN}


def _buyer_vals(buyer):
    """Return the values of a buyer in the form of contacts.

    Missing ones are empty texts.
    """
    return {
        "name": shortened(buyer.name, 120) if buyer.name else "",
        "phone": normalized_phone(buyer.phone) or buyer.phone,
        "email": buyer.email,
    }


def _buyer_line(buyer):
    """Format a buyer in one line."""
    vals = _buyer_vals(buyer)
    return ", ".join(
        filter(None, (vals["name"], vals["phone"], vals["email"], f"KeyCRM {buyer.id}"))
    )


def _is_older(buyer, other):
    return bool(
        other and buyer.updated_at and other.updated_at and buyer.updated_at < other.updated_at
    )
