from odoo import api, fields, models

from ...keycrm.naming import shortened
from ...services.common.bridge import as_bridge
from ...services.common.language import company_language
from ...services.orders import contacts


class KeycrmCompany(models.Model):
    """A company of KeyCRM's buyers, and the Odoo contact that represents it."""

    _name = "keycrm.company"
    _inherit = "keycrm.contact.mapping.mixin"
    _description = "KeyCRM company"
    _order = "account_id, name, id"
    _check_company_auto = True

    # === FIELDS ===#

    keycrm_id = fields.Integer(string="KeyCRM number", required=True, readonly=True)
    name = fields.Char(required=True, readonly=True)
    partner_id = fields.Many2one(ondelete="set null")
    read_at = fields.Datetime(
        string="Read on", readonly=True, help="When it was last requested from KeyCRM."
    )

    buyers_parent_id = fields.Many2one(
        "res.partner", string="Parent of buyers", compute="_compute_buyers_parent_id"
    )

    _account_keycrm_id_unique = models.Constraint(
        "UNIQUE(account_id, keycrm_id)", "This KeyCRM company already exists."
    )

    # === COMPUTE METHODS ===#

    @api.depends("partner_id.company_id", "by_hand")
    def _compute_buyers_parent_id(self):
        """Compute the parent of buyers' contacts: no Odoo user, and no company of this database."""
        closed = self.partner_id._keycrm_closed()
        for company in self:
            allowed = company.by_hand or company.partner_id not in closed
            company.buyers_parent_id = company.partner_id if allowed else False

    # === BUSINESS METHODS ===#

    @api.model
    def _upsert(self, account, companies):
        """Upsert KeyCRM's companies.

        Contacts that still have KeyCRM's former name are renamed. A name that Odoo refuses is proposed to
        a user, so that it does not keep the other companies from being read.

        :param account: ``keycrm.account``, one
        :param companies: list of :class:`~.keycrm.catalog.Company`
        """
        Company = as_bridge(self)
        wanted = {company.id: company for company in companies}
        known = Company.search([("account_id", "=", account.id), ("keycrm_id", "in", list(wanted))])
        now = fields.Datetime.now()
        for record in known:
            name = shortened(wanted.pop(record.keycrm_id).name, 120)
            if record.name != name and record.partner_id:
                record._update_contact({"name": name}, is_tolerant=True)
            record.write({"name": name, "read_at": now})
        Company.create(
            [
                {
                    "account_id": account.id,
                    "keycrm_id": company.id,
                    "name": shortened(company.name, 120),
                    "read_at": now,
                }
                for company in wanted.values()
            ]
        )

    def _create_contacts(self, *, is_tolerant=False):
        """Create the missing contacts of companies.

        Where Odoo refuses it (for example, another module requires a tax number), the next order retries
        it.

        :param is_tolerant: whether refused values are skipped
        """
        missing = self.filtered(
            lambda company: (
                not company.partner_id
                or company.partner_id._keycrm_of_another_company(company.company_id)
            )
        )
        if not missing:
            return
        created = contacts.create(
            self.env["res.partner"],
            [
                {
                    "name": company.name,
                    "is_company": True,
                    "company_id": company.account_id.company_id.id,
                    "country_id": company.account_id.company_id.country_id.id,
                    "lang": company_language(company.account_id.company_id),
                }
                for company in missing
            ],
            ("country_id", "lang"),
            is_tolerant=is_tolerant,
        )
        for company, (partner, _refused) in zip(missing, created, strict=True):
            if partner:
                company._replace_contact(partner, {"name": partner.name})
