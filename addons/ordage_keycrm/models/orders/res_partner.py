from odoo import api, fields, models
from odoo.fields import Domain

from ...keycrm.naming import normalized_phone, phone_part
from ...services.common.bridge import is_bridge
from ...services.orders.contacts import ContactRules


class ResPartner(models.Model):
    _name = "res.partner"
    _inherit = ["res.partner", "keycrm.guard.mixin"]

    # === FIELDS ===#

    keycrm_buyer_ids = fields.One2many(
        "keycrm.buyer",
        "partner_id",
        string="KeyCRM buyers",
        readonly=True,
        groups="base.group_user",
    )
    # New buyers are matched to contacts by it.
    keycrm_phone_key = fields.Char(
        string="Normalized phone",
        compute="_compute_keycrm_phone_key",
        store=True,
        index="btree_not_null",
        help="The phone as +380…, regardless of its original format.",
        groups="base.group_user",
    )
    keycrm_phone_typed = fields.Char(
        string="Phone (any format)",
        compute="_compute_keycrm_phone_typed",
        search="_search_keycrm_phone_typed",
        groups="base.group_user",
    )
    keycrm_recipient_key = fields.Char(
        string="KeyCRM recipient",
        copy=False,
        # Odoo's merge of contacts writes the fields that its user can read.
        groups=fields.NO_ACCESS,
        help="Recipient data from KeyCRM. It identifies the contact, even after the contact is "
        "edited.",
    )

    # === COMPUTE METHODS ===#

    @api.depends("phone")
    def _compute_keycrm_phone_key(self):
        for partner in self:
            partner.keycrm_phone_key = normalized_phone(partner.phone or "") or False

    @api.depends("phone")
    def _compute_keycrm_phone_typed(self):
        for partner in self:
            partner.keycrm_phone_typed = partner.phone

    def _search_keycrm_phone_typed(self, operator, value):
        """Find 067-123-45-67 also by +38 067 1234567, and by a part of either."""
        found = Domain("phone", operator, value)
        digits = phone_part(value) if operator == "ilike" else ""
        return found | Domain("keycrm_phone_key", "ilike", digits) if digits else found

    # === CRUD METHODS ===#

    def write(self, vals):
        """Remove proposals of KeyCRM that a user has accepted."""
        result = super().write(vals)
        if not _FROM_KEYCRM.isdisjoint(vals) and not is_bridge(self.env):
            for model in ("keycrm.buyer", "keycrm.company"):
                mappings = self.env[model].sudo().search([("partner_id", "in", self.ids)])
                mappings._settle_proposals()
        return result

    # === BUSINESS METHODS ===#

    def _keycrm_short_address(self, home):
        """Return the address in one line, without a country that needs no mention.

        :param home: ``res.country`` of the sender
        :return: text; empty without an address
        """
        lines = self._display_address(without_company=True).split("\n")
        parts = [part for part in (" ".join(line.split()) for line in lines) if part]
        if parts and self.country_id == home and parts[-1] == home.name:
            parts.pop()
        return ", ".join(parts)

    def _keycrm_recipient_text(self, home):
        """Return name, phone and address in one line: recipients of a buyer may differ in one of them.

        :param home: ``res.country`` of the sender
        """
        texts = (self.name, self.phone, self._keycrm_short_address(home))
        return ", ".join(filter(None, texts))

    def _company_dependent_commercial_sync(self):
        """Skip copying a parent's terms to other companies while there is only one company.

        Odoo searches for companies at each address; an import does so once.
        """
        if ContactRules.in_context(self.env).is_only_company:
            return None
        return super()._company_dependent_commercial_sync()

    def _handle_first_contact_creation(self):
        """Protect contacts of Odoo users and companies of this database from a recipient's address."""
        if self.parent_id.id not in ContactRules.in_context(self.env).closed_parent_ids:
            return super()._handle_first_contact_creation()
        return None

    def _keycrm_value(self, name):
        """Return the value of a field in KeyCRM's form; an empty text for none."""
        value = self[name]
        if name == "phone":
            value = normalized_phone(value or "") or value
        return (value.id if name == "parent_id" else value) or ""

    def _keycrm_of_another_company(self, company):
        """Return the contacts that belong to another company and cannot be used in orders of this one.

        As in Odoo, a branch uses the contacts of the companies above it.
        """
        usable = company.sudo().parent_ids
        return self.filtered(lambda partner: partner.company_id - usable)

    # === PROTECTED CONTACTS ===#

    def _keycrm_closed(self):
        """Return the contacts that KeyCRM may not change: of Odoo users and companies of this database."""
        return self._keycrm_with_users() | self._keycrm_of_companies()

    def _keycrm_closed_fields(self, *, by_hand, is_own):
        """Return the fields that KeyCRM may not write.

        :param by_hand: whether a user mapped the contact to its record in KeyCRM
        :param is_own: whether the contact was created for its record in KeyCRM
        :return: set of names
        """
        self.ensure_one()
        if self._keycrm_closed() and not by_hand:
            return _FROM_KEYCRM
        # The owner of the address can reset the user's password.
        names = {"email"} if self._keycrm_with_users() else set()
        address = [self[name] for name in self._address_fields() if name != "country_id"]
        own_vat = self.vat if self.commercial_partner_id == self else False
        if own_vat or (not is_own and any((*address, self.vat))):
            # Odoo would replace the address and the tax number by those of the parent.
            names.add("parent_id")
        return names

    def _keycrm_with_users(self):
        """Return the contacts of Odoo users: active or not, internal or of the portal."""
        users = self.env["res.users"].sudo().with_context(active_test=False)
        return self & users.search([("partner_id", "in", self.ids)]).partner_id

    def _keycrm_of_companies(self):
        """Return the contacts of companies of this database, and those below them."""
        companies = self.env["res.company"].sudo().with_context(active_test=False)
        partners = companies.search([("partner_id", "!=", False)]).partner_id
        return self._keycrm_below(partners) if self else self

    def _keycrm_seen_by_users(self):
        """Return contacts whose orders an Odoo user sees in the portal, and those of own companies."""
        if not self:
            return self
        partners = self.sudo().with_context(active_test=False)
        above = partners.search([("id", "parent_of", self.ids)])
        users = partners.env["res.users"].search(
            [("partner_id.commercial_partner_id", "in", above.ids)]
        )
        roots = users.partner_id.commercial_partner_id | users.partner_id
        return self._keycrm_below(roots) | self._keycrm_of_companies()

    def _keycrm_below(self, roots):
        """Return the contacts that are one of the roots, or below one."""

        def is_below(partner):
            while partner and partner not in roots:
                partner = partner.parent_id
            return bool(partner)

        return self.filtered(is_below)


#: Fields of a contact that follow KeyCRM.
_FROM_KEYCRM = {"name", "phone", "email", "parent_id"}
