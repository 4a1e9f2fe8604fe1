from odoo import fields
from odoo.tests import TransactionCase, tagged
from odoo.tools import SQL

from ..const import OPEN_TRANSFERS
from ..services.account.decisions.activities import Activities


@tagged("post_install", "-at_install")
class TestIndexes(TransactionCase):
    """Growing tables are searched by an index: with 100,000 orders a search reads its own rows alone.

    PostgreSQL explains the statements that Odoo sends. Tables of a test are too small for it to choose an
    index, so sequential scans are disabled.
    """

    def search_plan(self, model, domain, **options):
        """:return: the plan of a search"""
        query = self.env[model].sudo()._search(domain, **options)
        # Rows of other tests, though rolled back, make one index larger and costlier than another.
        table = SQL.identifier(self.env[model]._table)
        self.env.cr.execute(SQL("REINDEX TABLE %s", table))
        return self.plan(query.select())

    def plan(self, statement):
        self.env.cr.execute("SET LOCAL enable_seqscan = off")
        self.env.cr.execute(SQL("EXPLAIN %s", statement))
        return "\n".join(line for (line,) in self.env.cr.fetchall())

    def test_an_order_is_found_by_a_part_of_a_number(self):
        # Neither by reading all orders in the order of their ids.
        self.env.cr.execute("SET LOCAL enable_indexscan = off")
        for field in ("keycrm_number", "keycrm_tracking_code"):
            plan = self.search_plan("sale.order", [(field, "ilike", "2045")])
            self.assertIn(f"sale_order__{field}_index", plan)

    def test_orders_of_an_account_are_found_by_the_index_of_numbers(self):
        # Sorted rows of another index would be good enough for PostgreSQL here.
        self.env.cr.execute("SET LOCAL enable_sort = off")
        plan = self.search_plan("sale.order", [("keycrm_account_id", "=", 1)], order="keycrm_id")
        self.assertIn("sale_order_keycrm_id_unique", plan)

    def test_orders_that_need_a_decision_are_found_by_an_index(self):
        # What answers with all orders of the account would be good enough for PostgreSQL here.
        for name in ("keycrm_date_index", "keycrm_id_unique", "keycrm_rate_missing_index"):
            self.env.cr.execute(SQL("DROP INDEX %s", SQL.identifier(f"sale_order_{name}")))
        domain = [("keycrm_account_id", "in", [1, 2]), ("keycrm_needs_decision", "=", True)]
        self.assertIn("keycrm_needs_decision_index", self.search_plan("sale.order", domain))

    def test_orders_from_before_an_uninstall_are_found_by_an_index(self):
        domain = [
            ("company_id", "=", 1),
            ("keycrm_account_id", "=", False),
            ("state", "!=", "cancel"),
            ("origin", "in", ["KeyCRM #1", "KeyCRM #2"]),
        ]
        self.assertIn("keycrm_former_index", self.search_plan("sale.order", domain))

    def test_open_activities_are_found_among_all(self):
        ids = {"ids": [1, 2], "open": list(OPEN_TRANSFERS)}
        plan = self.plan(SQL(Activities.count_sql, **ids))
        self.assertIn("mail_activity_keycrm_open_index", plan)
        for table in ("sale_order", "stock_picking", "keycrm_order_update", "keycrm_event"):
            self.assertNotIn(f"Seq Scan on {table}", plan)

    def test_workers_find_due_rows_by_an_index(self):
        mine, due = ("account_id", "=", 1), ("next_try_at", "<=", fields.Datetime.now())
        for model in ("keycrm.event", "keycrm.order.update"):
            plan = self.search_plan(model, [mine, due], order="id")
            self.assertIn(f"{model.replace('.', '_')}_due_index", plan)

    def test_webhooks_of_an_account_are_found_by_an_index(self):
        domain = [("account_id", "=", 1), ("from_webhook", "=", True)]
        plan = self.search_plan("keycrm.event", domain, order="id", limit=1)
        self.assertIn("keycrm_event_webhook_index", plan)

    def test_unverified_quantities_are_found_by_an_index(self):
        # What answers with all numbers of the account would be good enough for PostgreSQL here.
        self.env.cr.execute("DROP INDEX keycrm_stock_level__account_id_index")
        domain = [
            ("account_id", "=", 1),
            ("is_known", "=", False),
            ("read_at", "!=", False),
            ("sent_at", "<", fields.Datetime.now()),
        ]
        plan = self.search_plan("keycrm.stock.level", domain)
        self.assertIn("keycrm_stock_level_unverified_index", plan)
