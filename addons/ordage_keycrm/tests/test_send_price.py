"""The prices of a price list become the prices of offers in KeyCRM, one way."""

from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import ValidationError
from odoo.fields import Command

from ..services.common.api_gateway import open_client
from ..services.sending import offer_export
from ..services.sending.offer_export import OfferExport
from ..services.sending.preview_job import PreviewJob
from .common import KeycrmCase


class TestSendPrice(KeycrmCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.pricelist = cls.env["product.pricelist"].create(
            {"name": "Роздріб", "currency_id": cls.company.currency_id.id}
        )
        cls.account.write(
            {
                "keep_product_info": True,
                "price_list_id": cls.pricelist.id,
                "send_price": True,
            }
        )
        cls.enterClassContext(patch.object(offer_export, "DEBOUNCE_SECONDS", 0.0))

    def setUp(self):
        super().setUp()
        self.account.sudo().values_checked_on = fields.Date.today()

    def mapped(self, price=100, **values):
        """Make a product with an offer of the same price."""
        number = self.keycrm.create_offer(sku=f"P-{self.id()}", price=price)["id"]
        product = self.env["product.product"].create(
            {"name": f"P{number}", "list_price": price, **values}
        )
        self.env["keycrm.offer"].create(
            {
                "account_id": self.account.id,
                "keycrm_id": number,
                "product_id": product.id,
                "price": price,
                "price_at": fields.Datetime.now() - timedelta(hours=1),
            }
        )
        self.send()
        return product

    def send(self):
        """Let the worker send what waits; return the prices that it sent."""
        self.env.cr.flush()
        self.keycrm.clear_log()
        with self.committing():
            while OfferExport(self.account).process():
                pass
        puts = self.keycrm.requests(method="PUT")
        return [row["price"] for put in puts for row in put["body"]["offers"]]

    def test_switched_off_sends_no_request(self):
        product = self.mapped()
        self.account.send_price = False
        product.list_price = 120
        self.send()
        self.assertFalse(self.keycrm.requests())

    def test_changed_price_is_sent_once(self):
        product = self.mapped()
        product.list_price = 120.5
        self.assertEqual(self.send(), [120.5])
        self.assertEqual(self.send(), [])
        self.assertEqual(product.keycrm_offer_ids.price, 120.5)

    def test_price_list_rule_is_sent_and_reverted(self):
        product = self.mapped()
        self.pricelist.item_ids = [
            Command.create(
                {"compute_price": "percentage", "percent_price": 10, "applied_on": "3_global"}
            )
        ]
        self.assertEqual(self.send(), [90])
        self.pricelist.item_ids.percent_price = 20
        self.assertEqual(self.send(), [80])
        self.pricelist.item_ids.unlink()
        self.assertEqual(self.send(), [100])
        self.assertEqual(product.keycrm_offer_ids.price, 100)

    def test_rule_that_begins_today_is_found_by_the_daily_comparison(self):
        self.mapped()
        self.pricelist.item_ids = [
            Command.create(
                {
                    "compute_price": "fixed",
                    "fixed_price": 70,
                    "applied_on": "3_global",
                    "date_start": fields.Datetime.now() + timedelta(days=1),
                }
            )
        ]
        self.assertEqual(self.send(), [])
        # As tomorrow: the rule is in force, and no record changed.
        self.env.cr.execute(
            "UPDATE product_pricelist_item SET date_start = date_start - interval '2 days'"
        )
        self.pricelist.item_ids.invalidate_recordset()
        self.account.sudo().values_checked_on = False
        self.assertEqual(self.send(), [70])

    def test_price_that_follows_the_cost_is_sent_with_it(self):
        product = self.mapped()
        self.pricelist.item_ids = [
            Command.create(
                {
                    "compute_price": "formula",
                    "base": "standard_price",
                    "price_markup": 50,
                    "applied_on": "3_global",
                }
            )
        ]
        product.standard_price = 40
        self.assertEqual(self.send(), [60])

    def test_another_price_list_sends_its_prices(self):
        self.mapped()
        self.account.price_list_id = self.env["product.pricelist"].create(
            {
                "name": "Опт",
                "currency_id": self.company.currency_id.id,
                "item_ids": [Command.create({"compute_price": "fixed", "fixed_price": 55})],
            }
        )
        self.assertEqual(self.send(), [55])

    def test_stock_is_sent_between_the_parts_of_a_price_rule(self):
        """A rule stands for all products, whose comparison may take long."""
        products = self.env["product.product"].union(
            *(self.mapped(default_code=f"PART-{number}") for number in range(5))
        )
        self.account.push_stock = True
        self.env["keycrm.stock.change"]._enqueue_rows([(self.account.id, products[0].id)])
        self.pricelist.item_ids = [Command.create({"compute_price": "fixed", "fixed_price": 70})]
        # After each part stock is more urgent.
        self.enterContext(patch.multiple(offer_export, PART=2, CHECK_SECONDS=-1.0))
        self.assertEqual(self.send(), [70] * 5)
        self.assertGreaterEqual(len(self.keycrm.requests(method="PUT")), 3)
        self.assertFalse(self.env["keycrm.offer.change"].search([]))

    def test_price_list_in_a_currency_without_a_rate_names_it(self):
        product = self.mapped()
        self.pricelist.currency_id = self.env.ref("base.PLN")
        product.list_price = 120
        self.assertEqual(self.send(), [])
        self.assertIn("PLN", product.keycrm_offer_ids.send_error)

    def test_price_in_a_currency_without_a_rate_is_not_sent(self):
        product = self.mapped()
        self.account.keycrm_currency_id = self.env.ref("base.PLN")
        product.list_price = 10
        self.assertEqual(self.send(), [])
        self.assertIn("PLN", product.keycrm_offer_ids.send_error)

    def test_imported_price_is_not_sent_back_rounded(self):
        currency = self.account.keycrm_currency_id = self.env.ref("base.PLN")
        currency.active = True
        self.env["res.currency.rate"].create(
            {"currency_id": currency.id, "company_rate": 41.5, "company_id": self.company.id}
        )
        product = self.mapped()
        # 0.30 was imported as 0.01.
        product.keycrm_offer_ids.sudo().price = 0.3
        product.list_price = 0.01
        self.assertEqual(self.send(), [])
        self.pricelist.currency_id = currency
        self.account.sudo().values_checked_on = False
        self.assertEqual(self.send(), [])
        product.list_price = 0.02
        self.assertEqual(self.send(), [0.83])

    def test_user_transaction_costs_one_query_more(self):
        product, other = self.mapped(), self.mapped()

        def count(one, value):
            return self.queries_of(one.write, {"list_price": value})

        count(product, 5)
        self.account.send_price = False
        off = count(product, 6)
        self.account.send_price = True
        self.env["keycrm.offer.change"]._sending_accounts("send_price")
        count(other, 5)
        self.assertLessEqual(count(other, 6) - off, 1)

    def test_prices_are_never_synchronized_in_both_directions(self):
        with self.assertRaises(ValidationError):
            self.account.keep_product_info = False
        with self.assertRaises(ValidationError):
            self.account.price_list_id = False

    def test_import_of_an_order_changes_no_price_and_no_echo_is_sent(self):
        product = self.mapped()
        product.list_price = 120
        self.send()
        offer = product.keycrm_offer_ids
        self.arrive(self.new_order([{"offer_id": offer.keycrm_id, "price": 5}]))
        self.assertEqual(self.send(), [])
        self.assertEqual(product.list_price, 120)

    def test_switching_on_shows_a_preview_and_sends_nothing_before_the_choice(self):
        product = self.mapped()
        self.account.send_price = False
        product.list_price = 130
        self.env.user.lang = "uk_UA"
        self.account.web_save({"send_price": True}, {})
        preview = self.env["keycrm.send.preview"].search([("kind", "=", "price")], limit=1)
        with self.committing(), open_client(self.account) as client:
            while preview.state == "running":
                PreviewJob(self.account, client).process()
        line = preview.line_ids.filtered(lambda one: one.product_id == product)
        currency = self.account.keycrm_currency_id or self.company.currency_id
        currency = currency.with_context(lang="uk_UA")
        self.assertIn("130,00", line.odoo_value)
        self.assertEqual(
            (line.keycrm_value, line.odoo_value), (currency.format(100), currency.format(130))
        )
        self.assertEqual(self.send(), [])
        preview.action_send()
        self.assertEqual(self.send(), [130])
