"""A copied database is silent, and an Odoo without the addon goes on working."""

from odoo.tools.misc import file_open

from ..hooks import uninstall_hook
from .common import KEY, KeycrmCase

LINE = {"name": "Кухоль", "price": 100, "quantity": 2}


class TestNeutralize(KeycrmCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.account.push_stock = True
        cls.other = cls.env["keycrm.account"].create({"name": "Other", "api_key": "another key"})
        cls.env.flush_all()
        with file_open("ordage_keycrm/data/neutralize.sql") as file:
            cls.env.cr.execute(file.read())
        # As Odoo's own part of neutralizing does.
        cls.env.cr.execute("UPDATE ir_cron SET active = false")
        cls.env.invalidate_all()

    def test_a_copy_sends_nothing(self):
        before = len(self.keycrm.requests())
        with self.committing():
            self.env["keycrm.account"]._cron_orders(self.account.id)
            self.env["keycrm.account"]._cron_stock(self.account.id)
        self.assertEqual(len(self.keycrm.requests()), before)
        self.assertFalse(self.account.enabled)
        self.assertFalse(self.account.push_stock)

    def test_a_copy_holds_no_secret(self):
        self.env.cr.execute("SELECT to_jsonb(keycrm_account)::text FROM keycrm_account")
        rows = " ".join(row for (row,) in self.env.cr.fetchall())
        self.assertNotIn(KEY, rows)
        self.assertNotIn("another key", rows)
        for account in self.account | self.other:
            secrets = account.sudo().read(
                ["api_key_secret", "webhook_token", "webhook_token_digest"], load=False
            )[0]
            self.assertEqual({v for k, v in secrets.items() if k != "id"}, {False})
            self.assertFalse(account.webhook_url)

    def test_copy_can_be_connected_to_a_test_account(self):
        self.account.action_new_webhook_token()
        self.account.write({"api_key": self.sandbox.key, "enabled": True})
        self.assertTrue(self.account.webhook_url)
        crons = self.account.orders_cron_id | self.account.stock_cron_id
        self.assertEqual(crons.mapped("active"), [True, True])
        self.account.action_test_connection()
        self.assertFalse(self.account.circuit_error_text)

    def test_copy_shows_that_it_is_a_copy(self):
        for lang, word in (("en_US", "copy"), ("uk_UA", "копія")):
            self.assertIn(word, self.account.with_context(lang=lang).circuit_error_text)
        self.assertIn("copy", self.env["res.config.settings"].create({}).keycrm_circuit_error_text)


class TestUninstall(KeycrmCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls.arrive(cls.new_order([LINE], shipping_price=60))
        cls.crons = cls.account.sudo().orders_cron_id | cls.account.sudo().stock_cron_id
        cls.account.enabled = False
        cls.crons[:1].active = False
        cls.products = cls.order.order_line.product_id
        uninstall_hook(cls.env)
        cls.env.flush_all()

    def test_no_scheduled_action_remains(self):
        self.assertFalse(self.crons.exists())
        crons = self.env["ir.cron"].with_context(active_test=False)
        self.assertFalse(crons.search([("code", "like", "_cron_orders")]))

    def test_orders_and_products_are_kept(self):
        self.assertTrue(self.order.exists())
        self.assertEqual(self.order.amount_total, 260)
        self.assertEqual(self.products.exists(), self.products)
        data = self.env["ir.model.data"].search([("module", "=", "ordage_keycrm")])
        self.assertFalse(set(data.mapped("model")) & {"product.product", "product.template"})

    def test_scheduled_actions_of_other_modules_are_kept(self):
        self.assertTrue(self.env.ref("base.autovacuum_job").exists())


class TestInstalledAgain(KeycrmCase):
    def test_orders_do_not_arrive_twice_after_installing_again(self):
        """Uninstalling to repair something would double all recent orders and their payments."""
        number, other = self.new_order([LINE]), self.new_order([LINE])
        order = self.arrive(number)
        # What uninstalling deletes.
        order.write({"keycrm_account_id": False, "keycrm_id": False})
        outcomes = self.outcomes(number, other)
        self.assertTrue(outcomes[other].created)
        failed = outcomes[number]
        self.assertEqual((failed.code, failed.order_id), ("imported_before", False))
        sentence = self.env["keycrm.error.message"]._sentence(failed.code, failed.params)
        self.assertIn(order.name, sentence)
        order._action_cancel()
        self.assertTrue(self.outcomes(number)[number].created)

    def test_copy_of_an_order_does_not_keep_another_accounts_order_out(self):
        number = self.new_order([LINE])
        order = self.arrive(number)
        copy = order.copy()
        self.assertFalse(copy.origin)
        self.assertEqual(order.copy({"origin": "S1"}).copy().origin, "S1")
        # As that of another account with the same number would be.
        order.keycrm_id = number + 1000
        self.assertTrue(self.outcomes(number)[number].created)
