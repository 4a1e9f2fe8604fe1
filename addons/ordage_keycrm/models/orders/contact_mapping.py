from odoo import api, fields, models

from ...services.common import activities
from ...services.common.bridge import as_bridge, is_bridge
from ...services.common.language import company_language
from ...services.orders import contacts


class KeycrmContactMappingMixin(models.AbstractModel):
    """The mapping of a buyer or a company of KeyCRM to an Odoo contact.

    A change in KeyCRM is written to the contact only where it still has KeyCRM's former value, and is not
    the contact of an Odoo user or a company of this database: the owner of a new email address could
    reset that user's password. Other changes, and those that Odoo refuses, are proposed to a user.
    """

    _name = "keycrm.contact.mapping.mixin"
    _inherit = "keycrm.account.mixin"
    _description = "KeyCRM contact mapping"

    # === FIELDS ===#

    # Indexed for the contact's form, and for the deletion and merge of contacts.
    partner_id = fields.Many2one("res.partner", string="Contact", index=True)
    by_hand = fields.Boolean(
        string="Mapped manually",
        readonly=True,
        copy=False,
        help="A user chose the contact. Only then can it be the contact of an Odoo user.",
    )
    # {field: value} that was written to the contact from KeyCRM.
    given = fields.Json(string="Values from KeyCRM", readonly=True, copy=False)
    # {field: value} that was not written to the contact.
    proposed = fields.Json(string="Values to review", readonly=True, copy=False)
    activity_id = fields.Many2one(
        "mail.activity", string="Review activity", readonly=True, copy=False, ondelete="set null"
    )

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        mappings = super().create(vals_list)
        if not is_bridge(self.env):
            as_bridge(mappings.filtered("partner_id")).by_hand = True
        return mappings

    def write(self, vals):
        if "partner_id" in vals:
            for mapping in self.sudo():
                activities.unlink(mapping.partner_id, mapping._replacement_code())
        result = super().write(vals)
        if "partner_id" in vals:
            mappings = as_bridge(self)
            mappings.activity_id.filtered("active").unlink()
            mappings.write(
                {
                    "by_hand": bool(vals["partner_id"]) and not is_bridge(self.env),
                    # Another contact has no values from KeyCRM.
                    "given": vals.get("given", False),
                    "proposed": False,
                }
            )
        return result

    # === BUSINESS METHODS ===#

    def _update_contact(self, values, *, propose=True, is_tolerant=False):
        """Write changed values to the contact; propose those that are not written.

        :param values: ``{field of the contact: value}`` that changed in KeyCRM; an empty value was removed
        :param propose: False for a contact that is mapped for the first time: only missing values are
            written, and nothing is proposed but the company that is to be invoiced
        :param is_tolerant: whether values that Odoo refuses are skipped
        """
        self.ensure_one()
        partner, given, changes = self.partner_id, dict(self.given or {}), {}
        proposed = {n: value for n, value in (self.proposed or {}).items() if n not in values}
        differing = {
            name: value for name, value in values.items() if value != partner._keycrm_value(name)
        }
        closed = differing and partner._keycrm_closed_fields(
            by_hand=self.by_hand, is_own="name" in given
        )
        for name, value in differing.items():
            if (name == "name" and not value) or (name == "parent_id" and value == partner.id):
                continue
            if partner._keycrm_value(name) == given.get(name, "") and name not in closed:
                changes[name] = given[name] = value
            elif value and (propose or (name == "parent_id" and name in closed)):
                proposed[name] = value
        refused = {}
        if changes:
            refused = contacts.write(
                partner, {name: v or False for name, v in changes.items()}, is_tolerant=is_tolerant
            )
        for name in refused:
            given[name] = (self.given or {}).get(name, "")
            proposed[name] = changes[name]
        self._write_proposals(given, proposed, refused)

    def _replace_contact(self, partner, given):
        """Map to another contact, and report why orders cannot have the former one any more.

        :param partner: ``res.partner`` that was created for it
        :param given: values that it has from KeyCRM
        """
        self.ensure_one()
        former = self.partner_id
        self.write({"partner_id": partner.id, "given": given})
        if not former:
            return
        is_elsewhere = former._keycrm_of_another_company(self.account_id.company_id)
        if is_elsewhere:
            code, summary = "of_company", self.env._("KeyCRM contact of another company")
            reason = self.env._(
                "%(former)s belongs to the company %(company)s, so orders of KeyCRM cannot have it any "
                "more: they have this new contact.",
                former=former.display_name,
                company=former.company_id.display_name,
            )
        else:
            code = self._replacement_code()
            summary = self.env._("KeyCRM contact with an Odoo user")
            reason = self.env._(
                "%(former)s was matched by phone or email, and an Odoo user sees its orders now. Orders "
                "of KeyCRM have this new contact. If both are the same person, choose %(former)s for "
                "buyer %(buyer)s in “Buyers and contacts”.",
                former=former.display_name,
                buyer=self.display_name,
            )
        activities.schedule(
            self.account_id,
            partner,
            code,
            summary,
            [reason],
            salesperson=partner.user_id,
            is_decision=not is_elsewhere,
        )

    def _replacement_code(self):
        """Return the code of the activity about a contact that has an Odoo user."""
        return f"replaced:{self._name}:{self.id}"

    def _settle_proposals(self):
        """Remove proposed values that the contact has now."""
        for mapping in self.filtered("proposed"):
            partner = mapping.partner_id
            left = {
                name: value
                for name, value in mapping.proposed.items()
                if partner._keycrm_value(name) != value
            }
            mapping._write_proposals(mapping.given, left)

    def _write_proposals(self, given, proposed, refused=()):
        """Store the values that were written and proposed, and update the activity.

        :param given: ``{field: value}`` that the contact has from KeyCRM
        :param proposed: ``{field: value}`` that was not written
        :param refused: ``{field: reason}`` of the values that Odoo refused
        """
        if (given or {}) != (self.given or {}):
            self.given = given
        if proposed == (self.proposed or {}):
            return
        self.proposed = proposed
        if not proposed:
            self.activity_id.filtered("active").unlink()
            return
        account = self.account_id
        mapping = self.with_context(lang=company_language(account.company_id))
        rows = mapping._proposal_rows(dict(refused))
        if self.activity_id.active:
            self.activity_id.note = activities.note_html(rows)
            return
        self.activity_id = activities.schedule(
            account,
            mapping.partner_id,
            f"proposed:{self._name}:{self.id}",
            mapping.env._("KeyCRM has other contact data"),
            rows,
            salesperson=self.partner_id.user_id,
        )

    def _proposal_rows(self, refused):
        """Return a sentence for each proposed value, and for each reason of a refusal."""
        Partner = self.env["res.partner"]
        labels = Partner.fields_get(list(self.proposed), ["string"])
        rows = [
            self.env._(
                "%(field)s: “%(now)s” in Odoo, “%(new)s” in KeyCRM (%(record)s). If KeyCRM is "
                "right, change it here.",
                field=labels[name]["string"],
                now=self._shown(name, self.partner_id._keycrm_value(name)),
                new=self._shown(name, value),
                record=self.display_name,
            )
            for name, value in sorted(self.proposed.items())
        ]
        reasons = dict.fromkeys(reason for name, reason in refused.items() if name in self.proposed)
        return rows + [self.env._("Odoo refused it: %s", reason) for reason in reasons]

    def _shown(self, name, value):
        """Return the readable form of a value."""
        if name == "parent_id":
            return self.env["res.partner"].browse(value or ()).display_name or ""
        return value or ""


class KeycrmBuyer(models.Model):
    """The mapping of a buyer of KeyCRM to an Odoo contact; several buyers may have one contact.

    It stores the buyer's last values in KeyCRM: only changes of them are imported.
    """

    _name = "keycrm.buyer"
    _inherit = "keycrm.contact.mapping.mixin"
    _description = "KeyCRM buyer"
    _order = "account_id, keycrm_id"
    _rec_name = "keycrm_id"
    _check_company_auto = True

    # === FIELDS ===#

    account_id = fields.Many2one(default=lambda self: self._default_account())
    keycrm_id = fields.Integer(string="KeyCRM number", required=True, aggregator=None)
    partner_id = fields.Many2one(required=True, ondelete="cascade")
    name = fields.Char(string="Full name in KeyCRM", readonly=True)
    phone = fields.Char(string="Phone in KeyCRM", readonly=True)
    email = fields.Char(string="Email in KeyCRM", readonly=True)
    # Indexed for the deletion of companies.
    keycrm_company_id = fields.Many2one(
        "keycrm.company",
        string="Company in KeyCRM",
        readonly=True,
        ondelete="set null",
        index="btree_not_null",
    )
    keycrm_updated_at = fields.Datetime(string="Updated in KeyCRM", readonly=True)

    _account_keycrm_id_unique = models.Constraint(
        "UNIQUE(account_id, keycrm_id)", "This KeyCRM buyer is already linked to a contact."
    )

    # === COMPUTE METHODS ===#

    @api.depends("keycrm_id", "name")
    def _compute_display_name(self):
        for buyer in self:
            buyer.display_name = " ".join(filter(None, (f"#{buyer.keycrm_id}", buyer.name)))

    # === BUSINESS METHODS ===#

    def _with_unusable_contact(self):
        """Return the buyers whose orders cannot have their contact any more.

        The contact belongs to another company. Or it was matched by a phone or email, which may be of
        another person, and an Odoo user has access to its orders now.
        """
        matched = self.filtered(lambda buyer: not (buyer.by_hand or "name" in (buyer.given or {})))
        seen = matched.partner_id._keycrm_seen_by_users()
        return self.filtered(
            lambda buyer: (
                buyer.partner_id._keycrm_of_another_company(buyer.account_id.company_id)
                or (buyer in matched and buyer.partner_id in seen)
            )
        )
