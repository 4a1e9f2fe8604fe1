from odoo import api, fields, models

from ...services import activities, contacts
from ...services.bridge import as_bridge, is_bridge


class KeycrmContactMappingMixin(models.AbstractModel):
    """The mapping of a buyer or a company of KeyCRM to an Odoo contact.

    The contact takes a change from KeyCRM only where it still has the value that KeyCRM gave before, and
    where no Odoo user and no company of this database stands behind it: a new e-mail address would let its
    owner reset that user's password. What it does not take, and what Odoo refuses, is proposed to a person.
    """

    _name = "keycrm.contact.mapping.mixin"
    _inherit = "keycrm.account.mixin"
    _description = "KeyCRM contact mapping"

    # === FIELDS ===#

    # Indexed for the contact's form, and for PostgreSQL, when a contact is deleted or merged.
    partner_id = fields.Many2one("res.partner", string="Contact", index=True)
    by_hand = fields.Boolean(
        string="Mapped manually",
        readonly=True,
        copy=False,
        help="A user chose the contact. Only then can it be the contact of an Odoo user.",
    )
    # {field: value} that KeyCRM gave to the contact.
    given = fields.Json(string="Values from KeyCRM", readonly=True, copy=False)
    # {field: value} that the contact did not take.
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
        result = super().write(vals)
        if "partner_id" in vals:
            mappings = as_bridge(self)
            mappings.activity_id.filtered("active").unlink()
            mappings.write(
                {
                    "by_hand": bool(vals["partner_id"]) and not is_bridge(self.env),
                    # Nothing of another contact was given by KeyCRM.
                    "given": vals.get("given", False),
                    "proposed": False,
                }
            )
        return result

    # === BUSINESS METHODS ===#

    def _follow(self, values, *, propose=True):
        """Let the contact take changed values; propose those that it does not take.

        :param values: ``{field of the contact: value}`` that changed in KeyCRM; an empty value was removed
        :param propose: False for a contact that is met for the first time: it only gets what it lacks, and
            is proposed nothing but the company that is to be invoiced
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
            refused = contacts.write(partner, {name: v or False for name, v in changes.items()})
        for name in refused:
            given[name] = (self.given or {}).get(name, "")
            proposed[name] = changes[name]
        self._write_proposals(given, proposed, refused)

    def _replace_contact(self, partner, given):
        """Map to another contact; where the former one belongs to another company, a person is told.

        :param partner: ``res.partner`` that was created for it
        :param given: values that it has from KeyCRM
        """
        self.ensure_one()
        former = self.partner_id
        self.write({"partner_id": partner.id, "given": given})
        if former:
            activities.schedule(
                partner,
                self.account_id._activity_user(partner.user_id),
                self.env._("KeyCRM contact of another company"),
                [
                    self.env._(
                        "%(former)s belongs to the company %(company)s, so orders of KeyCRM cannot "
                        "have it any more: they have this new contact.",
                        former=former.display_name,
                        company=former.company_id.display_name,
                    )
                ],
            )

    def _settle_proposals(self):
        """Drop proposals that the contact has taken meanwhile."""
        for mapping in self.filtered("proposed"):
            partner = mapping.partner_id
            left = {
                name: value
                for name, value in mapping.proposed.items()
                if partner._keycrm_value(name) != value
            }
            mapping._write_proposals(mapping.given, left)

    def _write_proposals(self, given, proposed, refused=()):
        """Store what was given and proposed; the activity follows the proposals.

        :param refused: ``{field: reason}`` of what Odoo refused
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
        mapping = self.with_context(lang=account.company_id.partner_id.lang or self.env.lang)
        rows = mapping._proposal_rows(dict(refused))
        if self.activity_id.active:
            self.activity_id.note = activities.note_html(rows)
            return
        self.activity_id = mapping.partner_id.activity_schedule(
            "mail.mail_activity_data_todo",
            summary=mapping.env._("KeyCRM has other contact data"),
            note=activities.note_html(rows),
            user_id=account._activity_user(self.partner_id.user_id).id,
        )

    def _proposal_rows(self, refused):
        """:return: list of sentences: one for each proposed value, and why Odoo refused some"""
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
        """:return: the value as people read it"""
        if name == "parent_id":
            return self.env["res.partner"].browse(value or ()).display_name or ""
        return value or ""
