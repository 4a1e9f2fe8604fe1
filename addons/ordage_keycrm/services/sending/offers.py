from ...keycrm import offer_values
from ...keycrm.catalog import Offer
from ...keycrm.parsing import parsed_rows
from ..common.service import Service
from .offer_export import OfferExport


class OfferKind(Service):
    """Preview and enqueue the values of offers of one kind; ``offer_export`` sends them."""

    #: Kind of value, see :data:`~.keycrm.offer_values.OFFER_FIELDS`.
    kind = ""

    def read_page(self, number):
        """Read a page of KeyCRM's catalog.

        :param number: of the page
        :return: :class:`~.keycrm.client.Page`
        """
        return self.client.page("/offers", {"sort": "id"}, number)

    def record_page(self, page):
        """Record the values of the page.

        :param page: of :meth:`read_page`
        """
        read = {one.id: one for one in parsed_rows(Offer.parse, page.rows) if one}
        offers = self.records([("keycrm_id", "in", list(read))])
        for offer in offers:
            one = read[offer.keycrm_id]
            amount = getattr(one, offer_values.OFFER_FIELDS[self.kind])
            # Without a value it is known, too.
            offer._record_read(self.kind, amount or 0, one.updated_at)

    def records(self, domain=(), limit=None):
        """Return the offers of mapped products.

        :param domain: which ones
        :param limit: their number at most
        """
        offers = self.env["keycrm.offer"].sudo()
        return offers.search(
            [("account_id", "=", self.account.id), *domain], order="id", limit=limit
        )

    def differences(self, offers, lang):
        """Compare mapped products.

        :param offers: of :meth:`records`
        :param lang: language of the amounts
        :return: iterator over values of ``keycrm.send.preview.line``
        """
        amounts = self.env["keycrm.offer.value"]._amounts(
            self.account, self.kind, offers.product_id
        )
        company = self.account.company_id
        currency = self.account.keycrm_currency_id or company.currency_id
        currency = currency.with_context(lang=lang)
        for offer in offers:
            amount, known = amounts[offer.product_id.id], offer._known_value(self.kind)
            row = {
                "product_id": offer.product_id.id,
                "keycrm_value": "" if known is None else currency.format(float(known)),
                "odoo_value": "" if amount is None else currency.format(float(amount)),
                "outcome": "same",
                "error_code": False,
                "error_params": False,
            }
            if amount is None:
                row.update(
                    outcome="problem",
                    error_code="value_rate_missing",
                    error_params={"currency": self.account.keycrm_currency_id.name or ""},
                )
            elif offer_values.differs(amount, known):
                row["outcome"] = "change"
            yield row

    def enqueue_all(self):
        """Enqueue all mapped products: the worker sends what differs."""
        products = self.records().product_id
        self.env["keycrm.offer.change"].sudo()._enqueue_rows(self.account, self.kind, products.ids)


class PriceKind(OfferKind):
    """Preview and enqueue the prices of a price list, which become prices of offers."""

    kind = "price"


class CostKind(OfferKind):
    """Preview and enqueue costs of products, which become purchase prices of offers."""

    kind = "cost"

    def enqueue_all(self):
        """Enqueue all mapped products, and open orders: one-off products have no offer."""
        result = super().enqueue_all()
        OfferExport(self.account).enqueue_orders()
        return result
