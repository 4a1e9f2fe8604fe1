"""Orders in hryvnias in a company in dollars: to the cent, and nothing at a rate that no user entered."""

from odoo.exceptions import UserError
from odoo.tests import Form

from .common import KeycrmCase
from .product_common import ProductCase

LINES = [
    {"name": "Кухоль", "price": "100.10", "quantity": 3, "purchased_price": 40},
    {"name": "Тарілка", "price": "49.99", "quantity": 1},
]


class TestCurrencyOrders(ProductCase):
    """The account was connected and nothing else was done."""

    @classmethod
    def settle_currency(cls):
        cls.uah, cls.usd = cls.env.ref("base.UAH"), cls.env.ref("base.USD")
        assert cls.company.currency_id == cls.usd
        assert cls.uah.active

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.account.import_payments = True
        cls.account.keycrm_currency_id = cls.uah

    def enter_rate(self, rate=40):
        """Enter the rate as the setup does: 1 USD = 40 UAH."""
        self.account.currency_rate = rate
        self.account.action_set_currency_rate()

    def use_accounting(self):
        """Post payments, with the chart of accounts that Odoo installs: none of Ukraine."""
        if not self.company.chart_template:
            self.env["account.chart.template"].try_loading("generic_coa", self.company, False)
        self.assertEqual(self.company.currency_id, self.usd)
        journals = self.env["account.journal"]
        self.account.payment_journal_id = journals.search(
            [("type", "=", "bank"), ("company_id", "=", self.company.id)], limit=1
        ) or journals.create({"name": "Банк", "type": "bank", "code": "BNKK"})

    def reported(self, order):
        """:return: the order's total as Odoo's sales report counts it, in the company's currency"""
        self.env.flush_all()
        report = self.env["sale.report"]
        groups = report._read_group([("name", "=", order.name)], [], ["price_total:sum"])
        return groups[0][0] or 0.0

    def test_order_arrives_in_its_currency_to_the_cent(self):
        number = self.new_order(LINES)
        self.uah.active = False
        order = self.arrive(number)
        self.assertTrue(self.uah.active, "an order activates its currency again")
        self.assertEqual((order.currency_id, order.amount_total), (self.uah, 350.29))
        self.assertFalse(order.keycrm_total_differs)
        self.assertEqual(self.company.currency_id, self.usd)

    def use_pricelists(self, *, enabled):
        self.env["res.config.settings"].create({"group_product_pricelist": enabled}).execute()

    def test_pricelist_of_orders_is_not_given_to_other_customers(self):
        self.use_pricelists(enabled=True)
        own = self.env["product.pricelist"].search([("company_id", "=", self.company.id)])
        self.assertEqual(own.currency_id, self.usd)
        own.country_group_ids = self.env.ref("base.europe")
        self.arrive(self.new_order(LINES))
        customer = self.env["res.partner"].create({"name": "Клієнт"})
        quotation = self.env["sale.order"].create({"partner_id": customer.id})
        self.assertEqual(quotation.currency_id, self.usd)

    def test_orders_use_one_pricelist_though_odoo_archives_it(self):
        first = self.arrive(self.new_order(LINES))
        self.use_pricelists(enabled=False)
        second = self.arrive(self.new_order(LINES))
        self.use_pricelists(enabled=True)
        third = self.arrive(self.new_order(LINES))
        orders = first | second | third
        self.assertEqual(len(orders.pricelist_id), 1)
        self.assertFalse(orders.pricelist_id.active)
        self.assertEqual(orders.currency_id, self.uah)
        with Form(third) as form:
            form.note = "Подзвонити"
        self.assertEqual((third.currency_id, third.amount_total), (self.uah, 350.29))

    def test_price_without_a_rate_stays_empty_until_one_is_entered(self):
        offer = self.keycrm.create_offer(sku="CUP", price=200, purchased_price=80)["id"]
        number = self.new_order([{"offer_id": offer, "quantity": 1}])
        line = self.lines_of(number)
        product = line.product_id
        self.assertEqual((product.list_price, product.standard_price), (0, 0))
        self.assertEqual(line.order_id.amount_total, 200)
        one_off = self.arrive(self.new_order(LINES)).order_line.product_id
        self.assertEqual(one_off.mapped("list_price"), [0, 0])
        self.assertEqual(one_off.mapped("standard_price"), [0, 0])
        self.enter_rate()
        self.lines_of(number)
        self.assertEqual((product.list_price, product.standard_price), (5, 2))

    def test_sales_report_leaves_out_amounts_without_a_rate(self):
        order = self.arrive(self.new_order(LINES))
        self.assertTrue(order.keycrm_rate_missing)
        self.assertEqual(self.reported(order), 0)
        self.enter_rate()
        self.assertFalse(order.keycrm_rate_missing)
        self.assertAlmostEqual(self.reported(order), 350.29 / 40, 2)

    def test_rate_of_odoo_demo_data_is_no_entered_rate(self):
        rate = self.env["res.currency.rate"].create(
            {"currency_id": self.uah.id, "company_id": self.company.id, "name": "2010-01-01"}
        )
        order = self.arrive(self.new_order(LINES))
        self.assertFalse(order.keycrm_rate_missing)
        self.env["ir.model.data"].create(
            {"module": "base", "name": "rateUAH", "model": rate._name, "res_id": rate.id}
        )
        self.assertTrue(self.arrive(self.new_order(LINES)).keycrm_rate_missing)

    def test_payment_without_a_rate_waits_and_follows(self):
        self.use_accounting()
        order = self.arrive(
            self.new_order(LINES, payments=[{"amount": "350.29", "status": "paid"}])
        )
        payment = order.keycrm_payment_ids
        self.assertAlmostEqual(order.keycrm_amount_paid, 350.29, 2)
        self.assertAlmostEqual(order.keycrm_amount_due, 0, 2)
        self.assertFalse(payment.payment_id)
        self.assertIn("UAH", payment.problem)
        self.enter_rate()
        self.assertIn(payment.payment_id.state, ("in_process", "paid"))
        self.assertFalse(payment.problem)
        self.assertAlmostEqual(payment.payment_id.amount_company_currency_signed, 8.76, 2)

    def test_payment_in_third_currency_is_posted_once_its_rate_is_entered(self):
        self.use_accounting()
        row = {"amount": 100, "status": "paid"}
        order = self.arrive(self.new_order(LINES, payments=[row]))
        self.assertFalse(order.keycrm_payment_ids.payment_id)
        raw = self.keycrm.order(order.keycrm_id)["answer"]["payments"][0]
        raw.update(actual_amount=2, actual_currency="EUR", source_currency="UAH")
        self.keycrm.patch_order(order.keycrm_id, raw={"payments": [raw]}, webhook=False)
        self.arrive(order.keycrm_id)
        self.assertTrue(self.env.ref("base.EUR").active)
        # KeyCRM's own sum needs no rate.
        self.assertEqual(order.keycrm_amount_paid, 100)
        self.assertAlmostEqual(order.keycrm_amount_due, 250.29, 2)
        self.assertTrue(order.activity_ids)
        self.enter_rate()
        self.assertFalse(order.keycrm_payment_ids.payment_id)
        self.env["res.currency.rate"].create(
            {
                "currency_id": self.env.ref("base.EUR").id,
                "company_id": self.company.id,
                "company_rate": 0.8,
            }
        )
        posted = order.keycrm_payment_ids.payment_id
        self.assertEqual((posted.amount, posted.currency_id.name), (2, "EUR"))
        self.assertFalse(order.activity_ids)

    def test_invoice_without_a_rate_is_not_posted(self):
        self.use_accounting()
        order = self.arrive(self.new_order(LINES, status_id=self.status(3).keycrm_id))
        order.order_line.product_id.invoice_policy = "order"
        invoice = order._create_invoices()
        invoice.invoice_date = "2026-11-01"
        with self.assertRaisesRegex(UserError, "exchange rate"):
            invoice.action_post()
        self.assertEqual(invoice.state, "draft")
        self.enter_rate()
        invoice.action_post()
        self.assertEqual(invoice.amount_total, 350.29)
        self.assertAlmostEqual(invoice.amount_total_signed, 8.76, 2)

    def test_orders_are_reported_once_the_company_has_their_currency(self):
        offer = self.keycrm.create_offer(sku="BOWL", price=200)["id"]
        number = self.new_order([{"offer_id": offer, "quantity": 1}])
        order = self.lines_of(number).order_id
        self.account.action_set_company_currency()
        self.assertFalse(order.keycrm_rate_missing)
        self.assertEqual(self.reported(order), 200)
        self.lines_of(number)
        self.assertEqual(order.order_line.product_id.list_price, 200)
        self.assertEqual(order.currency_id, self.uah)


class TestQuantityDigits(KeycrmCase):
    """Odoo's two digits of quantities stay until a quantity of KeyCRM needs a third one."""

    def digits(self):
        return self.env["decimal.precision"].precision_get("Product Unit")

    def order_of(self, quantity):
        return self.arrive(self.new_order([{"name": "Кава", "price": 100, "quantity": quantity}]))

    def test_only_a_quantity_with_more_digits_raises_the_precision(self):
        self.assertEqual(self.digits(), 2)
        for quantity in (1, 2.5, 0.25, "3.100"):
            self.order_of(quantity)
            self.assertEqual(self.digits(), 2, quantity)
        self.assertNotIn("Кава", "".join(self.account.message_ids.mapped("body")))
        order = self.order_of("0.333")
        self.assertEqual(self.digits(), 3)
        self.assertEqual(order.order_line.product_uom_qty, 0.333)
        self.assertFalse(order.keycrm_total_differs)
        for record in (order, self.account):
            self.assertIn("0.333", record.message_ids[0].body)
            self.assertIn("Кава", record.message_ids[0].body)
        again = self.order_of("0.125")
        self.assertNotIn("Кава", "".join(again.message_ids.mapped("body")), "reported once")

    def test_quantity_of_an_edited_line_is_exact(self):
        order = self.order_of(1)
        answer = self.keycrm.order(order.keycrm_id)["answer"]
        (line,) = answer["products"]
        raw = {"products": [{**line, "quantity": "1.375"}], "grand_total": "137.5"}
        raw["products_total"] = "137.5"
        self.keycrm.patch_order(order.keycrm_id, raw=raw, webhook=False)
        self.arrive(order.keycrm_id)
        self.assertEqual(order.order_line.mapped("product_uom_qty"), [1.375])
        self.assertFalse(order.keycrm_total_differs)

    def test_other_precisions_are_not_changed(self):
        precisions = self.env["decimal.precision"].search([("name", "!=", "Product Unit")])
        before = precisions.mapped("digits")
        self.order_of("0.333")
        self.assertEqual(precisions.mapped("digits"), before)
