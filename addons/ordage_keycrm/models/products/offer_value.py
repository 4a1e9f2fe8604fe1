from odoo import api, models

from ...keycrm.offer_values import to_money


class KeycrmOfferValue(models.AbstractModel):
    """Compute the values of products that are sent to KeyCRM; other addons extend it."""

    _name = "keycrm.offer.value"
    _description = "Values of products for KeyCRM"

    @api.model
    def _amounts(self, account, kind, products):
        """Return the values of products as they are sent.

        :param account: ``keycrm.account``, one
        :param kind: kind of value
        :param products: ``product.product``
        :return: ``{product id: Decimal}``; None where a user never entered the rate
        """
        found = self._converted(account, kind, products)
        return {
            product_id: None if amount is None else to_money(amount)
            for product_id, amount in found.items()
        }

    @api.model
    def _converted(self, account, kind, products, currency=None):
        """Return the values of products, not rounded.

        :param account: ``keycrm.account``, one
        :param kind: kind of value
        :param products: ``product.product``
        :param currency: ``res.currency``; KeyCRM's without it
        :return: ``{product id: number}``; None where a user never entered the rate
        """
        company = account.company_id
        currency = currency or account.keycrm_currency_id or company.currency_id
        products = products.with_company(company)
        if kind == "price":
            own = account.price_list_id.currency_id or currency
            found = self._prices(account, products)
        else:
            found, own = self._costs(products), company.currency_id
        if currency == own:
            return found
        # Read once, not for each product.
        rate = own._keycrm_rate(currency, company, self.env.cr.now().date())
        return {
            product_id: None if None in (rate, amount) else amount * rate
            for product_id, amount in found.items()
        }

    @api.model
    def _step(self, account, currency=None):
        """Return the smallest amount of the company's currency, to which the import rounds.

        :param account: ``keycrm.account``, one
        :param currency: ``res.currency`` in which it is returned; KeyCRM's without it
        :return: number; zero where the currency is the company's, or a user never entered the rate
        """
        company = account.company_id
        own, currency = company.currency_id, currency or account.keycrm_currency_id
        if not currency or currency == own:
            return 0.0
        rate = own._keycrm_rate(currency, company, self.env.cr.now().date())
        return own.rounding * (rate or 0.0)

    @api.model
    def _missing_rate(self, account, kind):
        """Return the parameters of the error ``value_rate_missing``.

        :param account: ``keycrm.account``, one
        :param kind: kind of value
        """
        company = account.company_id
        own = account.price_list_id.currency_id if kind == "price" else company.currency_id
        used = own | account.keycrm_currency_id
        lacking = used.filtered(lambda currency: not currency._keycrm_has_rate(company))
        return {"currency": ", ".join(lacking.mapped("name"))}

    @api.model
    def _prices(self, account, products):
        """Return the prices of one unit, in the currency of the account's price list.

        :param account: ``keycrm.account``, one
        :param products: ``product.product`` with their company
        :return: ``{product id: number}``; None where a user never entered the rate
        """
        pricelist, company = account.price_list_id, account.company_id
        if not pricelist:
            return dict.fromkeys(products.ids, 0.0)
        if not (
            pricelist.currency_id == company.currency_id
            or pricelist.currency_id._keycrm_has_rate(company)
        ):
            return dict.fromkeys(products.ids)
        return pricelist._get_products_price(products, 1.0)

    @api.model
    def _costs(self, products):
        """Return the cost of one unit, in the currency of the products' company.

        :param products: ``product.product`` with their company
        :return: ``{product id: number}``
        """
        return {product.id: product.standard_price for product in products}

    @api.model
    def _affected_products(self, account, kind, products):
        """Return the products whose value follows from those of changed products, these included.

        :param account: ``keycrm.account``, one
        :param kind: kind of value
        :param products: ``product.product``
        """
        return products
