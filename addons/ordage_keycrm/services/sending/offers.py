from ...keycrm import offer_values
from ...keycrm.catalog import Offer
from ...keycrm.order_update_rules import CostUpdate
from ...keycrm.parsing import parsed_rows
from ..common.list_pages import ListPages
from .kind import OrderKind, PreviewedKind
from .offer_export import OfferExport


class OfferKind(PreviewedKind):
    """A value of offers, see :data:`~.keycrm.offer_values.OFFER_FIELDS`; ``offer_export`` sends it."""

    def read_page(self, number):
        """Read a page of KeyCRM's catalog."""
        return self.service(ListPages).read_page("send_preview", "/offers", {"sort": "id"}, number)

    def record_page(self, page):
        read = {one.id: one for one in parsed_rows(Offer.parse, page.rows) if one}
        offers = self.records([("keycrm_id", "in", list(read))])
        for offer in offers:
            one = read[offer.keycrm_id]
            amount = getattr(one, offer_values.OFFER_FIELDS[self.name])
            # Without a value it is known, too.
            offer._record_read(self.name, amount or 0, one.updated_at)

    def records(self, domain=(), limit=None):
        """Return the offers of mapped products."""
        offers = self.env["keycrm.offer"].sudo()
        return offers.search(
            [("account_id", "=", self.account.id), *domain], order="id", limit=limit
        )

    def differences(self, offers, lang):
        values = self.env["keycrm.offer.value"]
        amounts = values._amounts(self.account, self.name, offers.product_id)
        step = values._step(self.account)
        missing_rate = values._missing_rate(self.account, self.name)
        company = self.account.company_id
        currency = self.account.keycrm_currency_id or company.currency_id
        currency = currency.with_context(lang=lang)
        for offer in offers:
            amount, known = amounts[offer.product_id.id], offer._known_value(self.name)
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
                    error_params=missing_rate,
                )
            elif offer_values.differs(amount, known, step):
                row["outcome"] = "change"
            yield row

    def enqueue_all(self):
        """Enqueue all mapped products: the worker sends what differs."""
        products = self.records().product_id
        self.env["keycrm.offer.change"].sudo()._enqueue_rows(self.account, self.name, products.ids)


class PriceKind(OfferKind):
    """The prices of a price list, which become prices of offers."""

    name = "price"
    label = "Prices"
    switch = "send_price"


class CostKind(OfferKind, OrderKind):
    """The costs of products, which become purchase prices of offers and of the lines of orders."""

    name = "cost"
    label = "Costs"
    switch = "send_cost"
    is_bulk = True

    def enqueue_all(self):
        """Enqueue all mapped products, and open orders: one-off products have no offer."""
        result = super().enqueue_all()
        OfferExport(self.account).enqueue_orders()
        return result

    def plan(self, update):
        order = update.sale_order_id
        lines = order.order_line.filtered("keycrm_id")
        values, currency = self.env["keycrm.offer.value"], order.currency_id
        costs = values._converted(self.account, "cost", lines.product_id, currency)
        step = values._step(self.account, currency)
        return CostUpdate(
            {line.id: cost for line in lines if (cost := line._keycrm_cost(costs)) is not None},
            tuple(line._keycrm_known_line() for line in lines),
            {line.id: line._keycrm_per_unit(step) for line in lines},
        )

    def summary(self, order_name):
        return self.env._("Could not send the costs of order %s to KeyCRM", order_name)
