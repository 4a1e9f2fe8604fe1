from odoo import api, models

from ...services.common.concurrency import clear_caches_after_commit
from ...services.common.language import company_language

#: Odoo's feature of pricelists, which Odoo enables together with a second currency.
PRICELISTS = "product.group_product_pricelist"
#: Parameter that records that a currency of KeyCRM enabled them, not a user.
PRICELISTS_ADDED = "ordage_keycrm.pricelists_added"


class ResCurrency(models.Model):
    """Convert amounts from KeyCRM, only at a rate that a user entered.

    Without a rate, Odoo converts one to one: a price of 100 UAH would become 100 USD.
    """

    _inherit = "res.currency"

    # === BUSINESS METHODS ===#

    @api.model
    def _keycrm_named(self, codes):
        """Return the currencies of KeyCRM's codes, also inactive ones.

        :param codes: iterable of ISO codes; a code that Odoo does not have is skipped
        """
        # A longer code would be truncated to Odoo's three letters, and "USDT" found as dollars.
        names = [code for code in codes if code and len(code) == 3]
        return self.with_context(active_test=False).search([("name", "in", names)])

    @api.model
    def _keycrm_activate(self, codes):
        """Activate currencies, as a user does in the list of currencies.

        Odoo then grants all users the rights to several currencies and to pricelists, and creates a
        default pricelist for each company.

        :param codes: iterable of ISO codes; a code that Odoo does not have is skipped
        """
        # Written only if needed: of two concurrent transactions one fails with a conflict, and its
        # retry finds nothing left to activate.
        inactive = self.sudo()._keycrm_named(codes).filtered(lambda currency: not currency.active)
        if inactive:
            groups = self.env["res.groups"]
            had_pricelists = groups._is_feature_enabled(PRICELISTS)
            inactive.active = True
            if not had_pricelists and groups._is_feature_enabled(PRICELISTS):
                self.env["ir.config_parameter"].sudo().set_param(PRICELISTS_ADDED, "True")
            clear_caches_after_commit(self.env)

    @api.model
    def _keycrm_remove_pricelists(self):
        """Disable pricelists that only a second, now inactive, currency had enabled.

        As Odoo's settings do. Pricelists with rules, and those that orders use, remain.
        """
        parameters = self.env["ir.config_parameter"].sudo()
        pricelists = self.env["product.pricelist"].sudo().search([("id", "!=", False)])
        orders = self.env["sale.order"].sudo()
        if (
            not parameters.get_param(PRICELISTS_ADDED)
            or self.search_count([]) > 1
            or pricelists.item_ids
            or orders.search_count([("pricelist_id", "in", pricelists.ids)], limit=1)
        ):
            return
        users = self.env.ref("base.group_user").sudo()
        users._remove_group(self.env.ref(PRICELISTS).sudo())
        pricelists.action_archive()
        parameters.set_param(PRICELISTS_ADDED, False)

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

    def _keycrm_rates_changed(self):
        """Resume orders, payments and values of offers that wait for a rate of these currencies."""
        orders = (
            self.env["sale.order"]
            .sudo()
            .search([("keycrm_rate_missing", "=", True), ("currency_id", "in", self.ids)])
        )
        drafts = orders.invoice_ids.filtered(lambda move: move.state == "draft")
        drafts.invalidate_recordset(["expected_currency_rate"])
        drafts.refresh_invoice_currency_rate()
        payments = self.env["keycrm.payment"]._waiting_for_rate(self)
        (orders | payments.sale_order_id)._keycrm_refresh_rate()
        for company, waiting in payments.grouped("company_id").items():
            # Activities are scheduled in the company's language.
            lang = company_language(company)
            waiting.with_company(company).with_context(lang=lang)._synchronize()
        self.env["keycrm.offer"]._enqueue_without_rate()

    def _keycrm_convert(self, amount, currency, company, date):
        """Convert an amount where a rate was entered.

        :param amount: number in this currency
        :param currency: ``res.currency`` to convert to
        :param company: ``res.company`` whose rates count
        :param date: day of the rate
        :return: the amount; None without a rate
        """
        if self == currency:
            return amount
        rate = self._keycrm_rate(currency, company, date)
        return None if rate is None else currency.round(amount * rate)

    def _keycrm_rate(self, currency, company, date):
        """Return the rate to another currency where it was entered.

        :param currency: ``res.currency`` to convert to
        :param company: ``res.company`` whose rates count
        :param date: day of the rate
        :return: number; None without a rate
        """
        self.ensure_one()
        if not all(one._keycrm_has_rate(company) for one in (self, currency)):
            return None
        return self._get_conversion_rate(self, currency, company, date)


class ResCurrencyRate(models.Model):
    """Resume orders, payments and values of offers that wait for a rate when a user enters one."""

    _inherit = "res.currency.rate"

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        rates = super().create(vals_list)
        rates.currency_id._keycrm_rates_changed()
        return rates

    def unlink(self):
        currencies = self.currency_id
        result = super().unlink()
        currencies._keycrm_rates_changed()
        return result
