"""The overview as a desk: what waits for a decision, today's orders, sales and money."""

import json
from datetime import timedelta

from odoo.exceptions import UserError
from odoo.tests import new_test_user

from .order_common import OrderCase
from .stock_common import StockCase


class TestDecisions(OrderCase):
    def desk(self, user=None):
        self.env.flush_all()
        Account = self.env["keycrm.account"].with_user(user or self.env.user)
        return {**Account.get_desk(), **Account.get_desk_figures()}

    def rows(self, user=None):
        return self.desk(user)["decisions"]

    def state(self):
        self.account.invalidate_recordset()
        return self.account.overview_state

    def test_nothing_to_decide_is_an_empty_list_and_green(self):
        self.make(self.made)
        self.assertEqual((self.rows(), self.state()), ([], "well"))

    def test_a_differing_total_names_buyer_sum_reason_and_its_buttons(self):
        order = self.make(self.made, grand_total=777, buyer={"full_name": "Олена Коваль"})
        (row,) = self.rows()
        self.assertEqual((row["model"], row["id"]), ("sale.order", order.id))
        self.assertEqual((row["buyer"], row["kind"]), ("Олена Коваль", "Total differs"))
        self.assertIn("777", row["amount"])
        self.assertIn("500", row["reason"])
        self.assertTrue(row["since"])
        self.assertEqual([one["method"] for one in row["buttons"]], [None])
        self.assertEqual(self.state(), "decision")
        with self.assertRaisesRegex(UserError, "cannot be left"):
            order.action_keycrm_accept()

    def test_a_total_that_a_user_confirms_is_decided_until_it_changes(self):
        order = self.make(self.made, grand_total=777)
        order.action_confirm()
        self.assertFalse(self.rows())
        self.keycrm.patch_order(order.keycrm_id, grand_total=778, webhook=False)
        self.arrive(order.keycrm_id)
        (row,) = self.rows()
        self.assertIn("action_keycrm_accept", [one["method"] for one in row["buttons"]])
        order.action_keycrm_accept()
        self.assertEqual((self.rows(), self.state()), ([], "well"))

    def test_a_deleted_order_waits_until_it_is_canceled_or_kept(self):
        kept, canceled = self.make(self.made), self.make(self.made)
        (kept | canceled)._keycrm_mark_deleted()
        self.assertEqual({row["id"] for row in self.rows()}, {kept.id, canceled.id})
        kept.action_keycrm_accept()
        canceled._action_cancel()
        self.assertEqual((self.rows(), self.state()), ([], "well"))

    def test_payments_that_do_not_add_up_wait_for_a_decision(self):
        order = self.make(self.made)
        order.keycrm_payments_differ = True
        (row,) = self.rows()
        self.assertEqual(row["kind"], "Payments differ")
        order.action_keycrm_accept()
        self.assertFalse(self.rows())

    def test_since_is_when_the_reason_began_not_when_it_was_written(self):
        order = self.make(self.made, grand_total=777)
        begun = order.keycrm_decision_since = order.keycrm_decision_since - timedelta(days=1)
        self.env.flush_all()
        self.keycrm.patch_order(order.keycrm_id, manager_comment="Дзвонити", webhook=False)
        self.arrive(order.keycrm_id)
        self.assertEqual(order.keycrm_decision_since, begun)

    def test_a_failed_event_names_buyer_sum_and_line(self):
        for name in ("А", "Б"):
            self.env["product.product"].create({"name": name, "default_code": "TWICE"})
        number = self.new_order(
            [{"name": "Чашка", "sku": "TWICE", "price": 10, "quantity": 3}],
            buyer={"full_name": "Олена Коваль"},
        )
        results = self.outcomes(number)
        self.env["keycrm.event"]._enqueue_failed(self.account, "odoo.refresh", results)
        (row,) = self.rows()
        currency = self.account.keycrm_currency_id or self.env.company.currency_id
        self.assertEqual((row["buyer"], row["amount"]), ("Олена Коваль", currency.format(30)))
        event = self.env["keycrm.event"].browse(row["id"])
        self.assertEqual(event.problem_line, "Чашка × 3 (TWICE)")
        self.assertEqual(sorted(event.candidate_ids.mapped("name")), ["А", "Б"])
        chosen = event.candidate_ids[0]
        chosen.with_context(keycrm_event_id=event.id).action_keycrm_choose()
        mapping = self.env["keycrm.product.mapping"].search([("sku_key", "=", "twice")])
        self.assertEqual(mapping.product_id, chosen)
        self.assertEqual(self.arrive(number).order_line.product_id, chosen)
        self.env["keycrm.event"]._resolve_failures(self.account, self.outcomes(number))
        with self.assertRaisesRegex(UserError, "does not wait"):
            chosen.with_context(keycrm_event_id=event.id).action_keycrm_choose()

    def test_an_archived_order_that_is_not_shipped_opens_its_delivery(self):
        order = self.make(self.made)
        order.keycrm_archived = True
        (row,) = self.rows()
        self.assertEqual((row["model"], row["id"]), ("stock.picking", order.picking_ids.id))
        self.deliver(order)
        self.assertEqual((self.rows(), self.state()), ([], "well"))

    def test_a_refused_parcel_waits_until_its_goods_are_received(self):
        order = self.make(self.made)
        self.deliver(order)
        order.keycrm_shipping_status = "refused"
        back = order._keycrm_expect_return(dict.fromkeys(order.order_line, 0.0))
        (row,) = self.rows()
        self.assertEqual((row["id"], row["kind"]), (back.id, "Parcel refused"))
        back.move_ids.picked = True
        back._action_done()
        self.assertFalse(self.rows())

    def test_paused_stock_and_a_waiting_preview_are_not_green(self):
        self.account.push_stock = True
        self.account.action_pause_stock()
        self.account.kinds_to_preview = "price"
        self.assertEqual(len(self.rows()), 2)
        self.assertEqual(self.state(), "decision")

    def test_a_disabled_account_asks_for_nothing(self):
        self.make(self.made, grand_total=777)
        self.account.enabled = False
        self.assertEqual(self.rows(), [])

    def test_an_account_is_shown_alone(self):
        other = self.env["keycrm.account"].create({"name": "Other shop"})
        self.make(self.made, grand_total=777)
        desk = other.get_desk()
        self.assertEqual((desk["decisions"], desk["columns"]), ([], []))
        self.assertEqual(len(self.desk()["columns"]), 1)

    def test_amounts_in_sentences_are_written_as_the_reader_writes_them(self):
        sentence = self.env["keycrm.error.message"]._sentence
        hryvnia = self.env["res.currency"]._keycrm_named(["UAH"])
        for currency, amount in (("UAH", hryvnia.format(-1234.5)), ("USDT", "-1,234.50\xa0USDT")):
            params = {"total": "-1234.50", "currency": currency}
            self.assertIn(f"({amount})", sentence("discount_exceeds_goods", params))
        params = {"order": 5, "total": "1234.5"}
        self.assertIn("cost 1,234.50.", sentence("lines_missing", params))
        for unreadable in ("?", "NaN", "1e999"):
            text = sentence("lines_missing", {**params, "total": unreadable})
            self.assertIn(f"cost {unreadable}.", text)

    # === WHO READS WHAT ===

    def test_nobody_reads_buyers_without_the_right_to_orders(self):
        self.make(self.made, grand_total=777, buyer={"full_name": "Олена Коваль"})
        self.env["keycrm.event"].create(
            {
                "account_id": self.account.id,
                "event": "x",
                "keycrm_order_id": 5,
                "state": "failed",
                "order_facts": {"buyer": "Олена Коваль", "total": "5.00", "lines": []},
            }
        )
        reader = new_test_user(self.env, "reader", groups="ordage_keycrm.group_user")
        desk = self.desk(reader)
        self.assertNotIn("Коваль", json.dumps(desk, ensure_ascii=False))
        self.assertNotIn("columns", desk)
        self.assertEqual(len(desk["decisions"]), 1)

    def test_a_seller_of_own_orders_sees_own_orders(self):
        mine, other = self.make(self.made, grand_total=777), self.make(self.made, grand_total=778)
        seller = new_test_user(self.env, "seller", groups="sales_team.group_sale_salesman")
        mine.user_id, other.user_id = seller, self.env.user
        desk = self.desk(seller)
        self.assertEqual([row["id"] for row in desk["decisions"]], [mine.id])
        self.assertEqual([column["count"] for column in desk["columns"]], [1])
        self.assertEqual(desk["sales"]["measures"][0]["sum"], "1")
        storekeeper = new_test_user(self.env, "storekeeper", groups="stock.group_stock_user")
        self.assertEqual(len(self.desk(storekeeper)["decisions"]), 2)

    # === TODAY, SALES, MONEY ===

    def test_todays_orders_stand_in_columns_with_counts_and_sums(self):
        first, second = self.make(self.new), self.make(self.new, quantity=2)
        third = self.make(self.made, shipping={"tracking_code": "20450001"})
        columns = self.desk()["columns"]
        self.assertEqual([one["count"] for one in columns], [2, 1])
        self.assertIn("700", columns[0]["sums"][0]["total"])
        self.assertEqual({one["id"] for one in columns[0]["cards"]}, {first.id, second.id})
        (card,) = columns[1]["cards"]
        self.assertEqual((card["id"], card["tracking"]), (third.id, "20450001"))
        self.assertIn("500", card["due"])
        self.assertEqual(card["payment"], "not_paid")

    def test_revenue_leaves_out_canceled_orders(self):
        order, canceled = self.make(self.made), self.make(self.made)
        canceled._action_cancel()
        desk = self.desk()
        orders, revenue = desk["sales"]["measures"]
        self.assertEqual(orders["sum"], "2")
        self.assertIn("500", revenue["sum"])
        self.assertEqual([one["value"] for one in revenue["scale"]], [0, 300, 600])
        (product,) = desk["products"]
        self.assertEqual(product["quantity"], "5")
        (money,) = desk["money"]
        self.assertEqual((money["place"], money["count"]), ("to_ship", 1))
        order.keycrm_shipping_status = "transit"
        self.assertEqual(self.desk()["money"][0]["place"], "on_the_way")

    def test_the_desk_costs_the_same_queries_for_many_orders(self):
        def queries():
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.env["keycrm.account"].get_desk()
            self.env["keycrm.account"].get_desk_figures()
            return self.env.cr.sql_log_count - before

        self.make(self.made, grand_total=777)
        queries()
        few = queries()
        for number in range(12):
            self.make(self.made, grand_total=777 + number, buyer={"full_name": f"Buyer {number}"})
        self.assertLessEqual(queries(), few + 2)
        self.assertLessEqual(few, 45)


class TestStockDecisions(StockCase):
    def test_refused_and_missing_goods_wait_and_may_be_accepted(self):
        shirt = self.goods("SHIRT")
        self.env["keycrm.missing.sku"]._record(self.account, shirt)
        (row,) = self.env["keycrm.account"].get_desk()["decisions"]
        self.assertEqual(row["buttons"][0]["method"], "action_open_missing")
        missing = self.env["keycrm.missing.sku"].search(
            self.account.action_open_missing()["domain"]
        )
        missing.action_accept()
        self.assertFalse(self.env["keycrm.account"].get_desk()["decisions"])
        shirt.default_code = "SHIRT-2"
        self.env["keycrm.missing.sku"]._record(self.account, shirt)
        self.assertFalse(missing.is_accepted)
