"""Generated orders go through KeyCRM and Odoo: whatever is in them, both show one total."""

import random
from decimal import Decimal

from .common import KeycrmCase

CENT = Decimal("0.01")
EXTRAS = ("shipping", "wrap", "taxes")
BATCHES = 40


def cents(rng, most):
    """:return: an amount, small and round ones more often than others"""
    return rng.choice((0, 1, rng.randint(0, 100), rng.randint(0, most))) * CENT


def percent(rng):
    return str(rng.choice((0, 100, rng.randint(0, 100), "3.33", "12.5", "99.99")))


def new_line(rng):
    price = cents(rng, 3_000_000)
    line = {
        "name": rng.choice(("Кухоль", "Тарілка", "Подарунок 🎁")),
        "price": rng.choice((str, float))(price),
        "quantity": rng.choice((rng.randint(1, 40), str(Decimal(rng.randint(1, 9999)) / 1000))),
        "discount_percent": percent(rng),
    }
    if rng.random() < 0.5:
        line["loyalty_discount"] = rng.randint(0, 10)
        line["discount_percent"] = str(min(Decimal(line["discount_percent"]), Decimal(90)))
    if price > 1 and rng.random() < 0.5:
        line["discount_amount"] = str(rng.randint(0, 99) * CENT)
    return line


def new_order(rng):
    prices = ("shipping_price", "wrap_price", "taxes")
    return {
        "lines": [new_line(rng) for _ in range(rng.randint(0, 5))],
        "discount_percent": percent(rng),
        "discount_amount": str(rng.choice((0, cents(rng, 30_000)))),
        **{name: rng.choice((None, str(cents(rng, 30_000)))) for name in prices},
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

    def test_any_mix_has_the_same_total_on_both_sides(self):
        for seed in range(BATCHES):
            with self.subTest(seed=seed):
                self.assert_totals_equal(random.Random(seed))

    def assert_totals_equal(self, rng):
        self.keycrm.set_switches(
            numbers=rng.choice(("json", "strings")),
            **{f"{name}_in_total": rng.choice(("yes", "no")) for name in EXTRAS},
        )
        self.account.tax_id = rng.choice(self.taxes)
        confirmed = rng.random() < 0.5
        status = self.status(3 if confirmed else 1).keycrm_id
        numbers = [
            self.new_order(status_id=status, **new_order(rng)) for _ in range(rng.randint(1, 3))
        ]
        for order in self.arrive(*numbers):
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
