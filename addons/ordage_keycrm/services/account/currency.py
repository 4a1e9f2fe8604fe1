"""The KeyCRM currency of an account and the currency of its company."""

from odoo import fields
from odoo.exceptions import AccessError, UserError

from ..common.concurrency import clear_caches_after_commit, retry_on_unique_violation
from ..common.service import Service


class AccountCurrency(Service):
    """Find and convert KeyCRM's currencies, and set the company's.

    Each source of orders has a currency (confirmed), in which its orders are imported. The KeyCRM
    currency is the currency of catalog prices, which Odoo stores in the company's currency.
    """

    def find(self, code):
        """Find the currency of KeyCRM's code, and activate it where it is inactive.

        :param code: KeyCRM's currency code, maybe empty
        :return: ``res.currency``; empty where Odoo does not have it. For an empty code the KeyCRM
            currency, or the company's where that is not set
        """
        code = code or (self.account.keycrm_currency_id or self.account.company_id.currency_id).name
        Currency = self.env["res.currency"].with_context(active_test=False)
        for currency_id, values in Currency.get_all_currencies().items():
            if values["name"] == code:
                return Currency.browse(currency_id)
        currency = Currency._keycrm_named([code])
        if currency and not currency.active:
            Currency._keycrm_activate([code])
        return currency

    def to_company_currency(self, amount, code):
        """Convert an amount of KeyCRM to the company's currency.

        :param amount: number, or None
        :param code: KeyCRM's currency code; empty for the KeyCRM currency
        :return: the amount; None where it is missing, its currency is unknown or no rate was entered
        """
        company = self.account.company_id
        if amount is None or not amount or code == company.currency_id.name:
            return None if amount is None else float(amount)
        if not (code or self.account.keycrm_currency_id) and self.account.keycrm_currency_ids:
            # There are several, and no user has chosen one.
            return None
        currency = self.find(code)
        if not currency:
            return None
        today = self.env.cr.now().date()
        return currency._keycrm_convert(float(amount), company.currency_id, company, today)

    def settle(self):
        """Set the KeyCRM currency to the one of all sources; a user's choice remains.

        ``account`` may hold several accounts here.
        """
        for account in self.account.sudo():
            account.invalidate_recordset(["keycrm_currency_ids"])
            named = account.keycrm_currency_ids
            if len(named) == 1:
                currency = named
            elif account.keycrm_currency_id in named or not named:
                currency = account.keycrm_currency_id
            else:
                currency = named.browse()
            if account.keycrm_currency_id != currency:
                account.keycrm_currency_id = currency

    def rate_pair(self):
        """Return the currencies of a rate in Ukrainian notation: 1 USD = 41.50 UAH.

        :return: ``(currency of which one unit is priced, currency of the price)``; the unit is the
            company's currency, unless the company's is the hryvnia
        """
        currency, company_currency = (
            self.account.keycrm_currency_id,
            self.account.company_id.currency_id,
        )
        if not currency:
            return currency, currency
        if company_currency.name == "UAH":
            return currency, company_currency
        return company_currency, currency

    def rate_text(self):
        """Format the rate as "1 USD = 41.50 UAH", with "…" where none was entered.

        :return: text; False where no rate is needed
        """
        unit, priced = self.rate_pair()
        if not unit or unit == priced:
            return False
        today = fields.Date.context_today(self.account)
        rate = unit._keycrm_convert(1.0, priced, self.account.company_id, today)
        if rate is not None:
            exact = unit._convert(1.0, priced, self.account.company_id, today, round=False)
            rate = f"{exact:.6f}".rstrip("0")
            rate += "0" * (2 - len(rate.partition(".")[2]))
        return f"1 {unit.name} = {rate or '…'} {priced.name}"

    def state(self):
        """Compare the currencies of the account and its company.

        :return: a value of ``currency_state``
        """
        company, currency = self.account.company_id.root_id, self.account.keycrm_currency_id
        if not currency:
            return "choose" if self.account.keycrm_currency_ids else "unknown"
        if currency == company.currency_id:
            return "same"
        if not company._existing_accounting():
            return "switch"
        return "rate_done" if currency._keycrm_has_rate(company) else "rate"

    def set_company_currency(self):
        """Make the KeyCRM currency the company's, while it has no journal items.

        :raise UserError: when journal items exist, no currency is chosen, or the user lacks the right
        """
        company, currency = self.account.company_id.root_id, self.account.keycrm_currency_id
        if not currency:
            raise UserError(self.env._("Choose the currency of KeyCRM first."))
        former = company.currency_id
        if former != currency:
            if company.sudo()._existing_accounting():
                raise UserError(
                    self.env._(
                        "%(company)s has journal items, so its currency stays %(currency)s. Enter an "
                        "exchange rate instead.",
                        company=company.name,
                        currency=former.name,
                    )
                )
            if not company.has_access("write"):
                raise UserError(
                    self.env._(
                        "Only a user who may change companies can change the currency of %(company)s. "
                        "Ask the administrator of Odoo.",
                        company=company.name,
                    )
                )
            self.env["res.currency"]._keycrm_activate([currency.name])
            company.currency_id = currency
            self._replace_currency(company, former)

    def set_rate(self):
        """Store the entered exchange rate as the company's rate of today.

        :raise UserError: when no rate was entered, none is needed, or the user lacks the right
        """
        unit, priced = self.rate_pair()
        if not unit or unit == priced:
            raise UserError(self.env._("No exchange rate is needed here."))
        if self.account.currency_rate <= 0:
            raise UserError(
                self.env._(
                    "Enter how many %(priced)s one %(unit)s costs.",
                    priced=priced.name,
                    unit=unit.name,
                )
            )
        company = self.account.company_id.root_id
        Rate = self.env["res.currency.rate"].with_company(company)
        currency = self.account.keycrm_currency_id
        entered = self.account.currency_rate
        per_company_unit = entered if priced == currency else 1.0 / entered
        day = fields.Date.context_today(self.account)
        try:
            rate = Rate.search(
                [
                    ("currency_id", "=", currency.id),
                    ("company_id", "=", company.id),
                    ("name", "=", day),
                ]
            )
            with retry_on_unique_violation("res.currency.rate"):
                if rate:
                    rate.company_rate = per_company_unit
                else:
                    Rate.create(
                        {
                            "currency_id": currency.id,
                            "company_id": company.id,
                            "name": day,
                            "company_rate": per_company_unit,
                        }
                    )
        except AccessError:
            raise UserError(
                self.env._(
                    "Only an accounting administrator or an administrator of Odoo can enter exchange "
                    "rates. Ask one of them."
                )
            ) from None
        self._invalidate_catalog(company)
        self.account.invalidate_recordset(["currency_state", "currency_rate_text"])

    def _replace_currency(self, company, former):
        """Remove references to the replaced currency, and archive it when unused.

        :param company: ``res.company`` whose currency was replaced
        :param former: ``res.currency`` that it had
        """
        Pricelist = self.env["product.pricelist"].sudo().with_context(active_test=False)
        # The default ones that Odoo creates when a second currency is activated.
        pricelists = Pricelist.search(
            [
                ("company_id", "child_of", company.id),
                ("currency_id", "=", former.id),
                ("item_ids", "=", False),
            ]
        )
        used = self.env["sale.order"].sudo().search([("pricelist_id", "in", pricelists.ids)])
        (pricelists - used.pricelist_id).currency_id = company.currency_id
        orders = self.env["sale.order"].sudo()
        orders.search(
            [("company_id", "child_of", company.id), ("keycrm_account_id", "!=", False)]
        )._keycrm_refresh_rate()
        company.currency_id._keycrm_rates_changed()
        self._invalidate_catalog(company)
        former = former.sudo()
        if not self._is_currency_used(former):
            former.active = False
            former._keycrm_remove_pricelists()
        clear_caches_after_commit(self.env)

    def _invalidate_catalog(self, company):
        """Mark the catalog as outdated, so that the next orders fill missing prices.

        :param company: ``res.company``
        """
        accounts = (
            self.env["keycrm.account"].sudo().search([("company_id", "child_of", company.id)])
        )
        offers = self.env["keycrm.offer"].sudo().search([("account_id", "in", accounts.ids)])
        offers.catalog_at = False

    def _is_currency_used(self, currency):
        """Return whether a record uses the currency: a company, a journal, an order, …

        Countries and exchange rates are ignored, since they refer to unused currencies too.

        :param currency: ``res.currency``
        """
        self.env.flush_all()
        if (
            self.env["keycrm.source"]
            .sudo()
            .search_count([("currency_code", "=", currency.name)], 1)
        ):
            return True
        for model_name, model in self.env.registry.items():
            if not model._auto or model._abstract or model._transient:
                continue
            if model_name in ("res.country", "res.currency.rate"):
                continue
            for field in model._fields.values():
                if field.type != "many2one" or field.comodel_name != "res.currency":
                    continue
                if not field.store or field.company_dependent:
                    continue
                Model = self.env[model_name].sudo().with_context(active_test=False)
                if Model.search_count([(field.name, "=", currency.id)], limit=1):
                    return True
        return False
