from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import new_test_user

from .stock_common import StockCase

NEW, DELIVERY = 1, 6


class TestStockReport(StockCase):
    """Stock side by side: Odoo's and KeyCRM's quantity of each product, and why they differ."""

    def setUp(self):
        super().setUp()
        self.hat, self.scarf, self.cap, self.belt = (
            self.goods(sku, keycrm={1: 5}) for sku in ("R-HAT", "R-SCARF", "R-CAP", "R-BELT")
        )
        self.Report = self.env["keycrm.stock.report"]

    def rows(self, domain=()):
        """:return: the rows of the first KeyCRM warehouse by product"""
        self.env.flush_all()
        self.env.invalidate_all()
        found = self.Report.search([("sku", "=like", "R-%"), *domain])
        self.assertEqual(found.keycrm_warehouse_id, self.kw1 if found else self.kw2.browse())
        return {row.product_id: row for row in found}

    def test_rows_show_both_quantities_and_the_reason(self):
        self.count(self.hat, 5)
        self.count(self.scarf, 8)
        self.work()
        self.move(self.scarf, 3, self.warehouse.lot_stock_id, self.customers)
        self.env.cr.flush()
        rows = self.rows()
        self.assertEqual(
            {
                product: (row.odoo_quantity, row.keycrm_quantity, row.difference, row.reason)
                for product, row in rows.items()
            },
            {
                self.hat: (5, 5, 0, "same"),
                self.scarf: (5, 8, -3, "waiting"),
                # Never counted, and not read: nothing is known of KeyCRM.
                self.cap: (0, 0, 0, "uncounted"),
                self.belt: (0, 0, 0, "uncounted"),
            },
        )
        self.assertTrue(rows[self.scarf].moved_at)
        self.assertFalse(rows[self.cap].moved_at)
        self.assertEqual(list(self.rows([("is_different", "=", True)])), [self.scarf])
        self.assertNotIn(self.scarf, self.rows([("is_different", "=", False)]))

    def test_product_and_its_offer_show_both_quantities(self):
        self.count(self.scarf, 8)
        self.work()
        self.move(self.scarf, 3, self.warehouse.lot_stock_id, self.customers)
        self.env.flush_all()
        self.env.invalidate_all()
        reader = new_test_user(self.env, "side-reader", groups="stock.group_stock_user")
        reader.company_ids = [Command.set(self.company.ids)]
        reader.company_id = self.company
        level = self.scarf.with_user(reader).keycrm_level_ids
        self.assertEqual((level.odoo_quantity, level.quantity, level.difference), (5, 8, -3))
        for model in ("product.product", "keycrm.offer"):
            fields = self.env[model].get_view(view_type="form")["arch"]
            self.assertIn('name="odoo_quantity"', fields)

    def test_rows_show_why_nothing_is_sent(self):
        for product in (self.hat, self.scarf, self.cap, self.belt):
            self.count(product, 5)
        self.work()
        level = {product: product.keycrm_level_ids for product in (self.hat, self.scarf, self.cap)}
        for product in level:
            self.count(product, 3)
        self.env["keycrm.stock.change"].search([]).unlink()
        level[self.hat].error = "The warehouse is closed"
        level[self.scarf].is_held = True
        self.belt.keycrm_offer_ids.is_missing_in_keycrm = True
        reasons = {product: row.reason for product, row in self.rows().items()}
        self.assertEqual(
            reasons,
            {
                self.hat: "refused",
                self.scarf: "held",
                self.cap: "differs",
                self.belt: "missing",
            },
        )
        for state, reason in (("preview", "preview"), ("off", "unmatched")):
            self.kw1.send_state = state
            self.assertEqual(self.rows()[self.cap].reason, reason)
        self.kw1.send_state = "sending"
        self.account.push_stock = False
        self.assertEqual(self.rows()[self.cap].reason, "off")

    def assert_filter_finds_what_differs(self):
        self.env.flush_all()
        self.env.invalidate_all()
        rows = self.Report.search([])
        for differs in (True, False):
            self.assertEqual(
                self.Report.search([("is_different", "=", differs)]),
                rows.filtered(lambda row, differs=differs: row.is_different == differs),
            )
        return rows.filtered("is_different").product_id

    def test_filter_finds_exactly_what_differs_for_each_choice_of_quantity(self):
        """Most products are left out by a query: none of those may differ."""
        self.keycrm.set_switches(status_reserve="on", status_write_off="on")
        ended, fraction = self.goods("R-ENDED"), self.goods("R-FRACTION")
        for product in (self.hat, self.scarf, self.cap, self.belt, ended):
            self.count(product, 10)
        self.env["decimal.precision"].search([("name", "=", "Product Unit")]).digits = 3
        self.count(fraction, 2.5)
        self.work()
        self.assertFalse(self.assert_filter_finds_what_differs())
        # Reserved for another order, reserved by KeyCRM, written off by it, and no longer sold.
        other = self.env["sale.order"].create(
            {
                "partner_id": self.env["res.partner"].create({"name": "Neighbor"}).id,
                "order_line": [Command.create({"product_id": self.hat.id, "product_uom_qty": 3})],
            }
        )
        other.action_confirm()
        other.picking_ids.action_assign()
        for product, status in ((self.scarf, NEW), (self.cap, DELIVERY)):
            line = {"offer_id": self.number(product), "price": 10, "quantity": 2}
            self.arrive(self.new_order([line], status_id=status))
        ended.active = False
        self.account.stock_whole_numbers = True
        found = set()
        for choice in ("on_hand", "free", "available"):
            self.account.stock_quantity = choice
            found |= set(self.assert_filter_finds_what_differs())
        self.assertLessEqual({self.hat, self.cap, ended, fraction}, found)

    def test_filter_costs_the_same_queries_for_any_number_of_rows(self):
        def queries():
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.Report.search([("is_different", "=", True)])
            return self.env.cr.sql_log_count - before

        self.count_all(self.many(2, "FEW"), 3)
        self.env["keycrm.stock.change"].search([]).unlink()
        self.assertTrue(self.assert_filter_finds_what_differs())
        few = queries()
        self.count_all(self.many(40, "MANY"), 3)
        self.assertEqual(queries(), few)

    def test_chosen_rows_are_read_and_sent(self):
        self.count(self.hat, 7)
        self.sent()
        self.keycrm.set_stock(self.number(self.hat), 1, 2, webhook=False)
        rows = self.rows()[self.hat]
        self.assertEqual(rows.action_send()["tag"], "display_notification")
        self.assert_sent((self.hat, 7))
        self.account.push_stock = False
        with self.assertRaises(UserError):
            rows.action_send()

    def test_the_button_compares_the_account(self):
        self.count(self.hat, 7)
        self.work()
        action = self.Report.action_compare()
        comparison = self.env[action["res_model"]].browse(action["res_id"])
        self.assertEqual(comparison.account_id, self.account)
        self.assertEqual(comparison.kind, "comparison")

    def test_staff_reads_rows_and_only_administrators_send(self):
        self.count(self.hat, 7)
        keeper = new_test_user(self.env, "report-keeper", groups="stock.group_stock_user")
        row = self.rows()[self.hat].with_user(keeper)
        self.assertEqual(row.odoo_quantity, 7)
        self.assertEqual(row.action_explain()["res_model"], "keycrm.stock.explanation")
        with self.assertRaisesRegex(UserError, "Only a KeyCRM administrator"):
            row.action_send()

    def test_a_page_costs_the_same_queries_for_any_number_of_rows(self):
        def queries(products):
            self.env.flush_all()
            self.env.invalidate_all()
            rows = self.Report.search([("product_id", "in", products.ids)])
            before = self.env.cr.sql_log_count
            rows.read(["product_id", "odoo_quantity", "difference", "reason", "moved_at"])
            return self.env.cr.sql_log_count - before

        few, many = self.many(2, "FEW"), self.many(40, "MANY")
        self.count_all(few | many, 3)
        self.work()
        queries(few)
        self.assertEqual(queries(many), queries(few))
