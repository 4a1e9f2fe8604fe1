from odoo import api, fields, models

from ..keycrm.naming import shortened


class KeycrmCompany(models.Model):
    """A company of KeyCRM's buyers, and the Odoo contact that stands for it."""

    _name = "keycrm.company"
    _inherit = "keycrm.account.record"
    _description = "KeyCRM company"
    _order = "account_id, name, id"
    _check_company_auto = True

    # === FIELDS ===#

    keycrm_id = fields.Integer(string="KeyCRM number", required=True)
    name = fields.Char(required=True)
    # Indexed for PostgreSQL, which looks here when a contact is deleted or merged.
    partner_id = fields.Many2one("res.partner", string="Contact", ondelete="set null", index=True)
    read_at = fields.Datetime(string="Read at", help="When KeyCRM was last asked for it.")

    _account_keycrm_id_unique = models.Constraint(
        "UNIQUE(account_id, keycrm_id)", "This company of KeyCRM is already known."
    )

    # === BUSINESS METHODS ===#

    @api.model
    def _learn(self, account, companies):
        """Note what KeyCRM says of companies; a new name goes to the contact that has the old one.

        :param companies: list of :class:`~..keycrm.catalogue.Company`
        """
        Company = self.sudo()
        wanted = {company.id: company for company in companies}
        known = Company.search([("account_id", "=", account.id), ("keycrm_id", "in", list(wanted))])
        now = fields.Datetime.now()
        for record in known:
            name = shortened(wanted.pop(record.keycrm_id).name, 120)
            if record.name != name and record.partner_id.name == record.name:
                record.partner_id.name = name
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

    def _make_contacts(self):
        """Give each company its contact."""
        missing = self.filtered(lambda company: not company.partner_id)
        partners = self.env["res.partner"].create(
            [
                {
                    "name": company.name,
                    "is_company": True,
                    "company_id": company.account_id.company_id.id,
                    "country_id": company.account_id.company_id.country_id.id,
                    "lang": company.account_id.company_id.partner_id.lang or self.env.lang,
                }
                for company in missing
            ]
        )
        for company, partner in zip(missing, partners, strict=True):
            company.partner_id = partner
