"""A copy that was not neutralized and a restored backup work once a user confirms them."""

from odoo.exceptions import UserError

from .common import KEY, KeycrmCase

LINE = {"name": "Кухоль", "price": 100, "quantity": 2}


class TestCopies(KeycrmCase):
    def become_a_copy(self):
        """Let the account find itself in another database than the one in which its key was entered."""
        self.account.sudo().database_identity = "7713484994330972635/1"
        self.env.flush_all()

    def run_workers(self):
        """:return: number of requests that both workers send, in two runs"""
        before = len(self.keycrm.requests())
        with self.committing():
            for _run in range(2):
                self.account.sudo().circuit_open_until = False
                self.account._cron_orders(self.account.id)
                self.account._cron_stock(self.account.id)
        self.account.invalidate_recordset()
        return len(self.keycrm.requests()) - before

    def test_every_postgresql_user_may_read_the_database_identity(self):
        self.env.cr.execute(
            "SELECT has_function_privilege('public', 'pg_control_system()', 'EXECUTE')"
        )
        self.assertTrue(self.env.cr.fetchone()[0])
        self.assertRegex(self.account._database_identity(), r"^\d{15,}/\d+$")
        self.assertEqual(self.account.sudo().database_identity, self.account._database_identity())

    def test_copy_sends_and_imports_nothing_and_shows_why(self):
        self.account.push_stock = True
        number = self.new_order([LINE])
        self.receive_webhook(number)
        self.become_a_copy()
        self.assertEqual(self.run_workers(), 0)
        self.assertEqual(self.account.circuit_error_code, "other_database")
        self.assertEqual(self.account.overview_state, "problem")
        for lang, word in (("en_US", "is a copy or a restored backup"), ("uk_UA", "копія")):
            self.assertIn(word, self.account.with_context(lang=lang).circuit_error_text)
        for button in ("action_test_connection", "action_refresh_statuses"):
            with self.assertRaisesRegex(UserError, "production database"):
                getattr(self.account, button)()

    def test_confirming_the_database_resumes_work_and_compares_stock(self):
        number = self.new_order([LINE])
        self.receive_webhook(number)
        self.become_a_copy()
        self.run_workers()
        self.account.action_confirm_database()
        self.assertFalse(self.account.circuit_error_text)
        self.assertGreater(self.run_workers(), 0)
        self.assertTrue(self.env["sale.order"].search([("keycrm_id", "=", number)]))
        self.assertEqual(self.account.overview_state, "connected")

    def test_a_confirmed_backup_compares_the_stock_of_all_products(self):
        self.env["keycrm.warehouse"].create(
            {
                "account_id": self.account.id,
                "keycrm_id": 1,
                "name": "Склад",
                "warehouse_ids": [(6, 0, self.warehouse.ids)],
            }
        )
        self.account.push_stock = True
        self.assertTrue(self.account.warehouse_ids._sending())
        self.become_a_copy()
        self.account.action_confirm_database()
        comparison = self.env["keycrm.stock.comparison"].search(
            [("account_id", "=", self.account.id)]
        )
        self.assertEqual(comparison.kind, "comparison")

    def test_enabling_does_not_confirm_the_database_but_a_pasted_key_does(self):
        self.become_a_copy()
        self.account.enabled = False
        self.account.enabled = True
        self.assertEqual(self.run_workers(), 0)
        self.account.write({"api_key": KEY})
        self.assertGreater(self.run_workers(), 0)

    def test_an_account_of_an_earlier_version_is_recorded_within_a_day(self):
        self.account.sudo().database_identity = False
        self.assertGreater(self.run_workers(), 0)
        self.account._restore_references()
        self.assertEqual(self.account.sudo().database_identity, self.account._database_identity())
