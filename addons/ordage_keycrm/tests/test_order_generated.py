"""Generated orders go through KeyCRM and Odoo: whatever is in them, both show one total."""

from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .common import KeycrmCase

CENT = Decimal("0.01")
EXTRAS = ("shipping", "wrap", "taxes")
prices = st.integers(min_value=0, max_value=3_000_000).map(lambda n: Decimal(n) * CENT)
small = st.integers(min_value=0, max_value=30_000).map(lambda n: Decimal(n) * CENT)
percents = st.one_of(st.just(0), st.integers(0, 100), st.sampled_from(["3.33", "12.5", "99.99"]))
quantities = st.one_of(
    st.integers(1, 40), st.integers(1, 9999).map(lambda n: str(Decimal(n) / 1000))
)


@st.composite
def lines(draw):
    price = draw(prices)
    line = {
        "name": draw(st.sampled_from(["Кухоль", "Тарілка", "Подарунок 🎁"])),
        "price": str(price) if draw(st.booleans()) else float(price),
        "quantity": draw(quantities),
        "discount_percent": str(draw(percents)),
    }
    if draw(st.booleans()):
        line["loyalty_discount"] = draw(st.integers(0, 10))
        line["discount_percent"] = str(min(Decimal(line["discount_percent"]), Decimal(90)))
    if price > 1 and draw(st.booleans()):
        line["discount_amount"] = str(draw(st.integers(0, 99)) * CENT)
    return line


@st.composite
def orders(draw):
    return {
        "lines": draw(st.lists(lines(), min_size=0, max_size=5)),
        "discount_percent": str(draw(percents)),
        "discount_amount": str(draw(st.one_of(st.just(0), small))),
        "shipping_price": draw(st.one_of(st.none(), small.map(str))),
        "wrap_price": draw(st.one_of(st.none(), small.map(str))),
        "taxes": draw(st.one_of(st.none(), small.map(str))),
    }


class TestGeneratedOrders(KeycrmCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        country = cls.company.account_fiscal_country_id
        group = cls.env["account.tax.group"].create(
            {"name": "Generated", "company_id": cls.company.id, "country_id": country.id}
        )
        cls.taxes = [cls.env["account.tax"]] + [
            cls.env["account.tax"].create(
                {
                    "name": f"{amount} {kind}",
                    "amount": amount,
                    "type_tax_use": "sale",
                    "price_include_override": kind,
                    "tax_group_id": group.id,
                    "country_id": country.id,
                    "company_id": cls.company.id,
                }
            )
            for amount, kind in ((20, "tax_included"), (7, "tax_excluded"), (20, "tax_excluded"))
        ]

    @settings(
        max_examples=40,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.differing_executors],
    )
    @given(
        batch=st.lists(orders(), min_size=1, max_size=3),
        inside=st.fixed_dictionaries({name: st.sampled_from(["yes", "no"]) for name in EXTRAS}),
        numbers=st.sampled_from(["json", "strings"]),
        tax=st.integers(0, 3),
        confirmed=st.booleans(),
    )
    def test_any_mix_has_one_total_on_both_sides(self, batch, inside, numbers, tax, confirmed):
        self.keycrm.set_switches(
            numbers=numbers, **{f"{name}_in_total": answer for name, answer in inside.items()}
        )
        self.account.tax_id = self.taxes[tax]
        status = self.status(3 if confirmed else 1).keycrm_id
        told = [self.new_order(status_id=status, **order) for order in batch]
        for order in self.arrive(*told):
            answer = self.keycrm.order(order.keycrm_id)["answer"]
            self.assertEqual(
                f"{order.amount_total:.2f}", f"{float(answer['grand_total']):.2f}", answer
            )
            self.assertFalse(order.keycrm_total_differs)
            # Discounts that exceed the goods wait for a person.
            goods = Decimal(str(answer["products_total"])) - Decimal(str(answer["total_discount"]))
            self.assertEqual(order.state, "sale" if confirmed and goods >= 0 else "draft")
            self.assertLines(order, answer)

    def assertLines(self, order, answer):
        """Each line costs ``price_sold × quantity``, to the cent, whatever its tax."""
        lines = order.order_line.filtered("keycrm_id").sorted("keycrm_id")
        self.assertEqual(len(lines), len(answer["products"]))
        for line, row in zip(lines, answer["products"], strict=True):
            self.assertAlmostEqual(line.product_uom_qty, float(row["quantity"]), places=3)
            wanted = Decimal(str(row["price_sold"])) * Decimal(str(row["quantity"]))
            # With a tax on top, the cent that no price can say stands on a line of its own.
            self.assertAlmostEqual(line.price_total, float(wanted), delta=0.0151)
