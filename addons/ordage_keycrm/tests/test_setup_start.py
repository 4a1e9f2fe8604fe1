"""The start of the integration: before it nothing flows, and what arrives meanwhile is not lost."""

import json

from odoo import fields
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, HttpCase, tagged

from ..services.common.api_gateway import open_client
from ..services.orders import webhook_inbox
from ..services.orders.order_inbox import OrderInbox
from ..services.workers.bulk_jobs import BulkJobs
from ..services.workers.order_queue import OrderQueue
from ..services.workers.stock_queue import StockQueue
from .common import KeycrmCase

SECOND_KEY = "the-second-key-of-this-shop"
LINE = {"name": "Кухоль", "price": 100, "quantity": 2}


class NewAccountCase(KeycrmCase):
    """A second account on the same KeyCRM, as a user makes it: with a key, and not enabled."""

    def setUp(self):
        super().setUp()
        # A key belongs to one account only; KeyCRM may have several.
        self.keycrm.add_key(SECOND_KEY)
        self.new = self.env["keycrm.account"].create(
            {"name": "Shop two", "api_url": self.sandbox.api_url, "request_limit": 100000}
        )
        self.new.web_save({"api_key": SECOND_KEY}, {"setup_key": {}})

    def work(self, service_class, account=None):
        """Process a queue until it is empty."""
        account = account or self.new
        with self.committing(), open_client(account) as client:
            for _ in range(50):
                if not service_class(account, client).process():
                    return


class TestCompany(NewAccountCase):
    def setUp(self):
        super().setUp()
        self.other = self.env["res.company"].create({"name": "Друга"})
        self.env.user.write(
            {
                "company_ids": [Command.link(self.other.id)],
                "group_ids": [Command.link(self.env.ref("base.group_multi_company").id)],
            }
        )

    def choose_company(self):
        """Choose the other company on the setup's form."""
        with Form(self.new, "ordage_keycrm.keycrm_account_view_form_setup") as form:
            form.company_id = self.other

    def test_company_can_be_chosen_before_the_start(self):
        self.choose_company()
        self.assertEqual(self.new.company_id, self.other)

    def test_started_account_keeps_its_company(self):
        self.new.enabled = True
        self.new.enabled = False
        with self.assertRaisesRegex(AssertionError, "readonly"):
            self.choose_company()
        with self.assertRaisesRegex(ValidationError, self.company.name):
            self.new.company_id = self.other
        self.new.company_id = self.company

    def test_account_with_products_keeps_its_company(self):
        product = self.env["product.product"].create({"name": "Кухоль"})
        self.env["keycrm.offer"].create(
            {"account_id": self.new.id, "keycrm_id": 5, "product_id": product.id}
        )
        with self.assertRaisesRegex(AssertionError, "readonly"):
            self.choose_company()
        with self.assertRaisesRegex(ValidationError, self.company.name):
            self.new.company_id = self.other


class TestStart(NewAccountCase):
    def orders(self):
        return self.env["sale.order"].search([("keycrm_account_id", "=", self.new.id)])

    def test_pasted_key_loads_statuses_and_warehouses(self):
        self.keycrm.create_offer(sku="CUP", name="Кухоль", stock={1: 3})
        self.new.web_save({"api_key": "no-such-key"}, {"setup_key": {}})
        self.new.web_save({"api_key": SECOND_KEY}, {"setup_key": {}})
        self.assertTrue(self.new.warehouse_ids)
        self.assertIn("New", self.new.quotation_statuses)
        self.assertIn("Delivering", self.new.confirm_statuses)
        self.assertIn("Canceled", self.new.cancel_statuses)

    def test_pasted_key_shows_the_currencies_of_the_sources(self):
        spec = {"currency_state": {}, "keycrm_currency_ids": {}}
        self.keycrm.add_key("key-of-shop-three")
        vals = {"name": "Three", "api_url": self.sandbox.api_url, "api_key": "key-of-shop-three"}
        (shown,) = self.env["keycrm.account"].web_save(vals, spec)
        self.assertNotEqual(shown["currency_state"], "unknown")
        self.assertTrue(shown["keycrm_currency_ids"])

    def test_stock_list_failure_does_not_refuse_the_key(self):
        self.keycrm.add_fault("status", path="/offers/stocks", status=503, times=5)
        self.new.web_save({"api_key": "no-such-key"}, {"setup_key": {}})
        self.new.web_save({"api_key": SECOND_KEY}, {"setup_key": {}})
        self.assertEqual((self.new.setup_key, self.new.key_error_code), ("done", False))

    def test_orders_are_not_imported_before_the_start(self):
        self.new_order([LINE])
        self.assertTrue(self.new._has_work_before_start())
        self.work(OrderQueue)
        self.assertFalse(self.orders())
        self.assertFalse(self.new.polled_at)

    def test_webhooks_that_arrive_before_the_start_are_processed_after_it(self):
        number = self.new_order([LINE])
        webhook_inbox.receive(
            self.new, {"event": "order.change_order_status", "context": {"id": number}}
        )
        self.work(OrderQueue)
        self.assertFalse(self.orders())
        self.new.enabled = True
        self.work(OrderInbox)
        self.assertEqual(self.orders().keycrm_id, number)

    def test_products_are_imported_before_the_start(self):
        self.keycrm.create_offer(sku="BOWL", name="Миска", stock={1: 3})
        self.assertTrue(self.new.action_load_all_products())
        self.new.invalidate_recordset()
        self.assertEqual(self.new.setup_products, "waiting")
        self.assertTrue(self.new.action_load_all_products())
        self.assertEqual(
            self.env["keycrm.product.import"].search_count([("account_id", "=", self.new.id)]), 1
        )
        self.assertFalse(self.new.setup_load_id.waiting_text)
        self.work(OrderQueue)
        self.new.invalidate_recordset()
        self.assertEqual(self.new.setup_products, "done")
        self.assertTrue(self.new.offer_count)

    def test_stock_is_previewed_before_the_start_and_sent_after_it(self):
        offer = self.keycrm.create_offer(sku="TRAY", name="Таця", stock={1: 3})["id"]
        product = self.env["product.product"].create(
            {"name": "Таця", "default_code": "TRAY", "is_storable": True}
        )
        self.env["stock.quant"]._update_available_quantity(product, self.warehouse.lot_stock_id, 8)
        self.work(OrderQueue)
        self.new.action_refresh_warehouses()
        theirs = self.new.warehouse_ids.filtered(lambda one: one.keycrm_id == 1)
        theirs.warehouse_ids = self.warehouse
        preview = self.env["keycrm.stock.comparison"].browse(
            self.new.action_preview_stock()["res_id"]
        )
        self.assertFalse(preview.waiting_text)
        self.work(StockQueue)
        self.assertEqual((preview.state, preview.higher_count), ("ready", 1))
        preview.action_send()
        self.work(StockQueue)
        self.assertEqual(float(self.keycrm.stock(offer)["warehouses"]["1"]["quantity"]), 3)
        self.assertEqual(self.new.check_stock, "waiting")
        self.new.enabled = True
        self.work(StockQueue)
        self.assertEqual(float(self.keycrm.stock(offer)["warehouses"]["1"]["quantity"]), 8)
        self.new.invalidate_recordset()
        self.assertEqual(self.new.check_stock, "done")
        self.assertIn("Таця", self.new.check_stock_text)

    def test_a_synchronization_begins_with_the_start(self):
        number = self.new_order([LINE])
        sync = self.env["keycrm.order.sync"].create(
            {"account_id": self.new.id, "status_ids": self.new.status_ids.ids}
        )
        sync.action_start()
        sync.started_at = fields.Datetime.subtract(sync.started_at, days=1)
        self.assertIn("Enable integration", sync.waiting_text)
        self.assertEqual(self.new.setup_sync, "waiting")
        self.work(OrderQueue)
        self.assertFalse(self.orders())
        self.new.enabled = True
        self.assertEqual(sync.started_at, self.new.enabled_since)
        self.assertFalse(sync.waiting_text)
        # All records of a test have the time at which its transaction began.
        self.new.enabled_since = self.env.cr.now()
        with self.committing():
            BulkJobs(self.new).process()
        self.assertIn(number, self.orders().mapped("keycrm_id"))
        self.new.invalidate_recordset()
        self.assertEqual((self.new.check_order, self.new.setup_sync), ("done", "done"))

    def test_account_without_a_key_cannot_start(self):
        bare = self.env["keycrm.account"].create({"name": "Without a key"})
        self.assertFalse(bare._has_work_before_start())
        with self.assertRaisesRegex(UserError, "API key"):
            bare.action_load_all_products()

    def test_disabled_account_does_no_work(self):
        self.new.enabled = True
        self.new.enabled = False
        self.assertFalse(self.new._has_work_before_start())
        with self.assertRaisesRegex(UserError, "Enable the integration"):
            self.new.action_load_all_products()
        self.env["keycrm.product.import"].create({"account_id": self.new.id, "state": "running"})
        with open_client(self.new) as client:
            self.assertFalse(OrderQueue(self.new, client).process())
            self.assertFalse(StockQueue(self.new, client).process())

    def test_start_waits_for_the_required_steps(self):
        self.assertEqual(self.new.start_blockers, "Order statuses, Products")
        for step in ("orders", "products"):
            self.new.action_review_step(step)
        self.assertFalse(self.new.start_blockers)
        self.new.enabled = True
        self.assertEqual((self.new.setup_start, self.new.check_order), ("done", "waiting"))

    def test_skipped_steps_count_as_done(self):
        self.assertEqual(self.new.setup_done_text, f"Steps done: 1 of {self.total()}")
        for step in ("orders", "products", "webhook", "stock", "sync", "key", "no such step"):
            self.new.action_review_step(step)
        for step in ("orders", "products", "webhook", "stock", "sync"):
            self.assertEqual(self.new[f"setup_{step}"], "done")
        self.assertEqual(len(self.new.reviewed_steps), 5)

    def total(self):
        return int(self.new.setup_done_text.split()[-1])


class TestAddresses(KeycrmCase):
    def test_address_without_a_scheme_gets_it_in_each_field(self):
        self.account.public_url = "odoo.example.com"
        self.assertTrue(
            self.account.webhook_url.startswith("https://odoo.example.com/keycrm/webhook/")
        )
        other = self.env["keycrm.account"].create(
            {"name": "Other", "api_url": "localhost:8099/v1", "cabinet_url": "shop.keycrm.app"}
        )
        self.assertEqual(
            (other.api_url, other.cabinet_url),
            ("http://localhost:8099/v1", "https://shop.keycrm.app"),
        )
        settings = self.env["res.config.settings"].create({})
        settings.keycrm_public_url = "shop.example.com/"
        settings.execute()
        self.assertEqual(self.account.public_url, "https://shop.example.com/")
        typed = self.account.onchange(
            {"public_url": "new.example.com"}, ["public_url"], {"public_url": {}}
        )
        self.assertEqual(typed["value"]["public_url"], "https://new.example.com")

    def test_invalid_address_is_refused(self):
        for wrong in ("shop", "not an address", "user@odoo.example.com", "ftp://odoo.example.com"):
            with self.assertRaises(ValidationError), self.env.cr.savepoint():
                self.account.public_url = wrong

    def test_same_host_without_its_scheme_needs_no_new_key(self):
        self.account.api_url = self.sandbox.api_url.removeprefix("http://")
        self.assertEqual(self.account.api_url, self.sandbox.api_url)


@tagged("post_install", "-at_install")
class TestWebhookBeforeStart(NewAccountCase, HttpCase):
    def test_the_link_works_and_a_webhook_is_stored_before_the_start(self):
        path = "/" + self.new.webhook_url.split("/", 3)[3]

        def post():
            return self.url_open(
                path,
                data=json.dumps({"event": "order.change_order_status", "context": {"id": 4}}),
                headers={"Content-Type": "application/json"},
            ).status_code

        self.assertEqual(self.new.setup_webhook, "todo")
        self.assertEqual(post(), 204)
        self.new.invalidate_recordset()
        self.assertEqual(self.new.setup_webhook, "done")
        event = self.env["keycrm.event"].search([("account_id", "=", self.new.id)])
        self.assertEqual((event.state, event.keycrm_order_id), ("pending", 4))
        self.new.enabled = True
        self.new.enabled = False
        self.assertEqual(post(), 404)
