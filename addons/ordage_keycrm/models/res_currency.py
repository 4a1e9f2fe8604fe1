from odoo import api, models


class ResCurrency(models.Model):
    """Conversion for amounts from KeyCRM: only at a rate that a person entered.

    Without a rate, Odoo converts one to one: a price of 100 UAH would become 100 USD.
    """

    _inherit = "res.currency"

    # === BUSINESS METHODS ===#

    @api.model
    def _keycrm_activate(self, codes):
        """Activate currencies, as a person does in the list of currencies.

        Odoo then gives everybody the rights to several currencies and to pricelists, and each company
        its default pricelist.

        :param codes: iterable of ISO codes; a code that Odoo does not have is left out
        """
        # A longer code would be cut to Odoo's three letters, and "USDT" found as dollars.
        names = {code for code in codes if code and len(code) == 3}
        if not names:
            return
        currencies = self.sudo().with_context(active_test=False)
        # Written only once: two processes that do so at the same time conflict, and the one that
        # repeats its transaction finds nothing left to do.
        inactive = currencies.search([("name", "in", list(names)), ("active", "=", False)])
        if inactive:
            inactive.active = True
            self._keycrm_clear_caches_after_commit()

    @api.model
    def _keycrm_clear_caches_after_commit(self):
        """Clear Odoo's caches in all processes once the change is visible to them.

        Odoo clears them at the write. Until the commit, another thread of this process may read the
        former value again and keep it; a worker's other processes would learn it when its run ends.
        """
        registry = self.env.registry

        def clear():
            registry.clear_all_caches()
            registry.signal_changes()

        self.env.cr.postcommit.add(clear)

    def _keycrm_has_rate(self, company):
        """Check whether a rate between this currency and the company's was entered.

        :param company: ``res.company``
        :return: True for the company's own currency; a rate of Odoo's demo data does not count
        """
        self.ensure_one()
        root = company.root_id
        if self == root.currency_id:
            return True
        demo_rate = self.env.ref(f"base.rate{self.name}", raise_if_not_found=False)
        return bool(
            self.env["res.currency.rate"]
            .sudo()
            .search_count(
                [
                    ("currency_id", "=", self.id),
                    ("company_id", "in", (False, root.id)),
                    ("id", "not in", demo_rate.ids if demo_rate else []),
                ],
                limit=1,
            )
        )

    def _keycrm_convert(self, amount, currency, company, date):
        """Convert an amount, or nothing where no rate was entered.

        :param amount: number in this currency
        :param currency: ``res.currency`` to convert to
        :param company: ``res.company`` whose rates count
        :param date: day of the rate
        :return: the amount; None without a rate
        """
        self.ensure_one()
        if self == currency:
            return amount
        if not all(one._keycrm_has_rate(company) for one in (self, currency)):
            return None
        return self._convert(amount, currency, company, date)
