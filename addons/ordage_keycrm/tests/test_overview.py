"""The overview: what waits for a decision, today's orders, sales and money."""

import json
from collections import defaultdict
from datetime import timedelta

from odoo.exceptions import UserError
from odoo.service.model import call_kw
from odoo.tests import new_test_user

from ..services.account.decisions.orders import FailedEvents, FailedUpdates
from ..services.account.decisions.stock import Returns, Unshipped
from ..services.account.overview import Overview
from .order_common import OrderCase
from .stock_common import StockCase


class TestDecisions(OrderCase):
    def overview(self, user=None):
        self.env.flush_all()
        Account = self.env["keycrm.account"].with_user(user or self.env.user)
        return {**Account.get_overview(), **Account.get_overview_figures()}

    def rows(self, user=None):
        return self.overview(user)["decisions"]

    def state(self):
        self.account.invalidate_recordset()
        return self.account.overview_state

    def test_overview_without_decisions_is_empty_and_green(self):
        self.make(self.made)
        self.assertEqual((self.rows(), self.state()), ([], "connected"))

    def test_differing_total_is_shown_with_buyer_reason_and_buttons(self):
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

    def test_confirmed_total_needs_no_decision_until_it_changes(self):
        order = self.make(self.made, grand_total=777)
        order.action_confirm()
        self.assertFalse(self.rows())
        self.keycrm.patch_order(order.keycrm_id, grand_total=778, webhook=False)
        self.arrive(order.keycrm_id)
        (row,) = self.rows()
        self.assertIn("action_keycrm_accept", [one["method"] for one in row["buttons"]])
        order.action_keycrm_accept()
        self.assertEqual((self.rows(), self.state()), ([], "connected"))

    def test_a_deleted_order_waits_until_it_is_canceled_or_kept(self):
        kept, canceled = self.make(self.made), self.make(self.made)
        (kept | canceled)._keycrm_mark_deleted()
        self.assertEqual({row["id"] for row in self.rows()}, {kept.id, canceled.id})
        kept.action_keycrm_accept()
        canceled._action_cancel()
        self.assertEqual((self.rows(), self.state()), ([], "connected"))

    def test_payments_that_do_not_add_up_wait_for_a_decision(self):
        order = self.make(self.made)
        order.keycrm_payments_differ = True
        (row,) = self.rows()
        self.assertEqual(row["kind"], "Payments differ")
        order.action_keycrm_accept()
        self.assertFalse(self.rows())

    def test_decision_keeps_the_date_on_which_it_began(self):
        order = self.make(self.made, grand_total=777)
        begun = order.keycrm_decision_since = order.keycrm_decision_since - timedelta(days=1)
        self.env.flush_all()
        self.keycrm.patch_order(order.keycrm_id, manager_comment="Дзвонити", webhook=False)
        self.arrive(order.keycrm_id)
        self.assertEqual(order.keycrm_decision_since, begun)

    def test_failed_event_shows_buyer_total_and_line(self):
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
        self.assertEqual((self.rows(), self.state()), ([], "connected"))

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

    def share_key(self):
        """Let KeyCRM refuse a request although this Odoo has sent few."""
        limit = self.env["keycrm.rate.limit"]._rate_limiter(
            self.sandbox.key, self.sandbox.api_url, self.account.request_limit
        )
        # The quota has transactions of its own.
        self.addCleanup(limit._apply_to_row, lambda quota, now: (type(quota)(), None))
        limit.refused(1)

    def press(self, row):
        """Press each button of a row, as the client does."""
        record = self.env[row["model"]].browse(row["id"])
        for button in row["buttons"]:
            action = button["method"] and call_kw(record, button["method"], [record.ids], {})
            if isinstance(action, dict) and action["type"] == "ir.actions.act_window":
                self.env[action["res_model"]].get_views(action["views"])

    def test_a_shared_key_and_late_orders_are_not_green(self):
        self.share_key()
        late = self.account.status_ids[:2]
        late.missed_at = "2026-01-01"
        rows = {row["kind"]: row for row in self.rows()}
        self.assertEqual(set(rows), {"API key", "Webhook"})
        self.assertIn(", ".join(late.mapped("display_name")), rows["Webhook"]["reason"])
        self.assertEqual(self.state(), "decision")
        late.missed_at = False
        self.assertEqual([row["kind"] for row in self.rows()], ["API key"])

    def test_each_row_of_an_account_has_the_button_that_solves_it(self):
        account = self.account
        self.share_key()
        account.status_ids[0].missed_at = "2026-01-01"
        account.write({"push_stock": True, "stock_held_zeros": 3, "kinds_to_preview": "price"})
        account.action_pause_stock()
        account.orders_cron_id.active = False
        rows = self.rows()
        self.assertEqual(len({row["key"] for row in rows}), 6)
        self.assertTrue(all(row["since"] for row in rows), rows)
        solved_by = {
            "API key": {"action_open_setup"},
            "Webhook": {"action_open_setup"},
            "Problem": {"action_open_setup"},
            "Stock": {"action_resume_stock", "action_open_stock_held", "action_allow_zeros"},
            "Sending to KeyCRM": {"action_open_send_previews"},
        }
        offered = defaultdict(set)
        for row in rows:
            offered[row["kind"]] |= {button["method"] for button in row["buttons"]}
        self.assertEqual(offered, solved_by)
        for row in rows:
            self.press(row)
        self.assertFalse(account.stock_paused)
        self.assertNotIn("action_resume_stock", str(self.rows()))

    def test_since_is_when_an_account_began_to_wait(self):
        def since():
            rows = self.rows()
            return {row["key"].split("-")[-1]: row["since"] for row in rows}

        self.account.push_stock = True
        self.account.action_pause_stock()
        began = {"paused": "2026-01-01 10:00:00"}
        self.account.sudo().decisions_since = began
        self.account.write({"stock_held_zeros": 3, "circuit_error_code": "unauthorized"})
        found = since()
        self.assertEqual(found["paused"], "2026-01-01T10:00:00")
        self.assertEqual(found.keys(), {"paused", "zeros", "problem"})
        self.assertNotIn(found["paused"], (found["zeros"], found["problem"]))
        self.account.circuit_error_code = False
        self.account.action_resume_stock()
        self.assertNotIn("paused", since())
        self.account.action_pause_stock()
        again = since()
        self.assertEqual(again.keys(), {"paused", "zeros"})
        self.assertEqual(again["zeros"], found["zeros"])
        self.assertNotEqual(again["paused"], found["paused"])
        # Orders arrived late before, and still do.
        late = self.account.status_ids[:2]
        late[0].missed_at = "2026-01-01 10:00:00"
        late._mark_missed()
        self.assertEqual(since()["late"], "2026-01-01T10:00:00")

    def test_settings_to_review_say_since_when(self):
        account = self.account.sudo()
        account.polled_at = "2026-01-01 10:00:00"
        account.orders_cron_id.unlink()
        (row,) = self.rows()
        self.assertEqual(row["since"], "2026-01-01T10:00:00")

    def test_each_button_of_a_row_opens_what_exists(self):
        self.make(self.made, grand_total=777)._action_cancel()
        for count in range(10):
            self.make(self.made, grand_total=700 + count)
        archived, back = self.make(self.made), self.make(self.made)
        archived.keycrm_archived = True
        self.deliver(back)
        back._keycrm_expect_return(dict.fromkeys(back.order_line, 0.0))
        self.env["keycrm.event"].create(
            {"account_id": self.account.id, "event": "x", "keycrm_order_id": 5, "state": "failed"}
        )
        self.env["keycrm.order.update"].create(
            {
                "account_id": self.account.id,
                "sale_order_id": archived.id,
                "kind": "tracking",
                "state": "failed",
            }
        )
        shirt = self.env["product.product"].create({"name": "Shirt", "default_code": "SHIRT"})
        self.env["keycrm.missing.sku"]._record(self.account, shirt)
        rows = self.rows()
        self.assertEqual(
            {row["model"] for row in rows},
            {
                "sale.order",
                "stock.picking",
                "keycrm.event",
                "keycrm.order.update",
                "keycrm.account",
            },
        )
        for row in rows:
            with self.subTest(row["title"]):
                self.assertTrue(row["buttons"])
                self.press(row)

    def test_further_records_are_reached_by_the_list_of_their_kind(self):
        for kind in (FailedEvents, FailedUpdates, Returns, Unshipped):
            with self.subTest(kind.key):
                counts = {self.account.id: {kind.key: 9}}
                (row,) = kind(self.account).more([], lambda counts=counts: counts)
                self.assertEqual((row["title"], row["count"]), ("9 more", 9))
                self.assertTrue(row["kind"])
                self.press(row)

    def test_row_that_a_user_may_not_solve_has_no_button(self):
        self.account.push_stock = True
        self.account.action_pause_stock()
        reader = new_test_user(self.env, "reader", groups="ordage_keycrm.group_user")
        (row,) = self.rows(reader)
        self.assertEqual(row["buttons"], [])

    def test_disabled_account_shows_no_decision_and_is_not_green(self):
        self.make(self.made, grand_total=777)
        self.assertTrue(self.overview()["is_enabled"])
        self.account.enabled = False
        overview = self.overview()
        self.assertEqual((overview["decisions"], overview["is_enabled"]), ([], False))

    def test_decisions_of_other_users_are_counted(self):
        mine, other = self.make(self.made), self.make(self.made, grand_total=777)
        seller = new_test_user(self.env, "seller", groups="sales_team.group_sale_salesman")
        mine.user_id, other.user_id = seller, self.env.user
        overview = self.overview(seller)
        self.assertEqual((overview["decisions"], overview["others_decide"]), ([], 1))
        self.assertEqual(self.overview()["others_decide"], 0)

    def test_further_records_are_counted_for_each_account(self):
        other = self.env["keycrm.account"].create({"name": "Other shop"})
        orders = self.env["sale.order"]
        for count in range(12):
            orders |= self.make(self.made, grand_total=700 + count)
        # They are the oldest, so none of them is shown.
        theirs = orders[:2]
        theirs.keycrm_account_id = other
        theirs.keycrm_decision_since = "2026-01-01"
        self.env.flush_all()
        content = Overview(self.account | other).content()
        # A disabled account shows no decision.
        self.assertEqual(content["decision_count"], 10)
        self.env.cr.execute("UPDATE keycrm_account SET enabled = TRUE WHERE id = %s", [other.id])
        self.env.invalidate_all()
        content = Overview(self.account | other).content()
        more = {row["account_name"]: row for row in content["decisions"] if row["count"] != 1}
        self.assertEqual(
            {name: (row["title"], row["count"]) for name, row in more.items()},
            {self.account.name: ("2 more", 2), "Other shop": ("2 more", 2)},
        )
        self.assertEqual(content["decision_count"], 12)
        seller = new_test_user(self.env, "seller", groups="sales_team.group_sale_salesman")
        orders[:9].user_id, orders[9:].user_id = seller, self.env.user
        self.assertEqual(self.overview(seller)["decision_count"], 9)

    def test_an_archived_order_of_several_transfers_is_one_row(self):
        order = self.make(self.made)
        order.keycrm_archived = True
        order.picking_ids.copy({"sale_id": order.id})
        self.assertEqual(len(order.picking_ids), 2)
        self.assertEqual(self.overview()["decision_count"], 1)

    def test_order_is_shown_with_its_number_of_keycrm(self):
        order = self.make(self.made, grand_total=777, source_uuid="LM-1042")
        (row,) = self.rows()
        self.assertEqual(
            (row["title"], row["source_number"]), (f"Order {order.keycrm_id}", "LM-1042")
        )
        ((card,),) = [column["cards"] for column in self.overview()["columns"]]
        self.assertEqual((card["number"], card["source_number"]), (str(order.keycrm_id), "LM-1042"))
        order.keycrm_number = str(order.keycrm_id)
        self.assertEqual(self.rows()[0]["source_number"], "")

    def test_overview_can_show_a_single_account(self):
        other = self.env["keycrm.account"].create({"name": "Other shop"})
        self.make(self.made, grand_total=777)
        overview = other.get_overview()
        self.assertEqual((overview["decisions"], overview["columns"]), ([], []))
        self.assertEqual(len(self.overview()["columns"]), 1)

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

    def test_buyers_are_hidden_without_the_right_to_orders(self):
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
        overview = self.overview(reader)
        self.assertNotIn("Коваль", json.dumps(overview, ensure_ascii=False))
        self.assertNotIn("columns", overview)
        self.assertEqual(len(overview["decisions"]), 1)

    def test_a_seller_of_own_orders_sees_own_orders(self):
        mine, other = self.make(self.made, grand_total=777), self.make(self.made, grand_total=778)
        seller = new_test_user(self.env, "seller", groups="sales_team.group_sale_salesman")
        mine.user_id, other.user_id = seller, self.env.user
        overview = self.overview(seller)
        self.assertEqual([row["id"] for row in overview["decisions"]], [mine.id])
        self.assertEqual([column["count"] for column in overview["columns"]], [1])
        self.assertEqual(overview["sales"]["measures"][0]["sum"], "1")
        storekeeper = new_test_user(self.env, "storekeeper", groups="stock.group_stock_user")
        self.assertEqual(len(self.overview(storekeeper)["decisions"]), 2)

    # === TODAY, SALES, MONEY ===

    def test_todays_orders_are_in_columns_with_counts_and_sums(self):
        first, second = self.make(self.new), self.make(self.new, quantity=2)
        third = self.make(self.made, shipping={"tracking_code": "20450001"})
        columns = self.overview()["columns"]
        self.assertEqual([one["count"] for one in columns], [2, 1])
        self.assertIn("700", columns[0]["sums"][0]["total"])
        self.assertEqual({one["id"] for one in columns[0]["cards"]}, {first.id, second.id})
        (card,) = columns[1]["cards"]
        self.assertEqual((card["id"], card["tracking"]), (third.id, "20450001"))
        self.assertIn("500", card["due"])
        self.assertEqual(card["payment"], "not_paid")

    def test_sales_have_a_series_for_each_source_with_its_total(self):
        made = [
            self.make(self.made, quantity, source_id=source)
            for source, quantity in ((1, 5), (2, 2), (2, 1))
        ]
        shop, fair, _fair = (order.keycrm_source_id for order in made)
        orders, revenue = self.overview()["sales"]["measures"]
        for measure, totals in (
            (orders, {fair.name: "2", shop.name: "1"}),
            (revenue, {shop.name: "500", fair.name: "300"}),
        ):
            series = {one["name"]: one for one in measure["series"]}
            self.assertEqual(list(series), list(totals), "the largest is first")
            for name, total in totals.items():
                self.assertIn(total, series[name]["total"])
                self.assertEqual(sum(series[name]["values"]), float(total))

    def test_revenue_leaves_out_canceled_orders(self):
        order, canceled = self.make(self.made), self.make(self.made)
        canceled._action_cancel()
        overview = self.overview()
        orders, revenue = overview["sales"]["measures"]
        self.assertEqual(orders["sum"], "2")
        self.assertIn("500", revenue["sum"])
        self.assertEqual([one["value"] for one in revenue["scale"]], [0, 300, 600])
        (product,) = overview["products"]
        self.assertEqual(product["quantity"], "5")
        (money,) = overview["money"]
        self.assertEqual((money["place"], money["count"]), ("to_ship", 1))
        order.keycrm_shipping_status = "transit"
        self.assertEqual(self.overview()["money"][0]["place"], "on_the_way")

    def test_the_overview_costs_the_same_queries_for_many_orders(self):
        def queries():
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.env["keycrm.account"].get_overview()
            self.env["keycrm.account"].get_overview_figures()
            return self.env.cr.sql_log_count - before

        self.make(self.made, grand_total=777)
        queries()
        few = queries()
        for number in range(12):
            self.make(self.made, grand_total=777 + number, buyer={"full_name": f"Buyer {number}"})
        self.assertLessEqual(queries(), few + 2)
        self.assertLessEqual(few, 45)


class TestStockDecisions(StockCase):
    def test_refused_and_missing_goods_wait_until_accepted(self):
        shirt = self.goods("SHIRT")
        self.env["keycrm.missing.sku"]._record(self.account, shirt)
        (row,) = self.env["keycrm.account"].get_overview()["decisions"]
        self.assertEqual(row["buttons"][0]["method"], "action_open_missing")
        missing = self.env["keycrm.missing.sku"].search(
            self.account.action_open_missing()["domain"]
        )
        missing.action_accept()
        self.assertDecisions()
        shirt.default_code = "SHIRT-2"
        self.env["keycrm.missing.sku"]._record(self.account, shirt)
        self.assertFalse(missing.is_accepted)

    def test_refused_quantities_say_since_when(self):
        shirt = self.goods("SHIRT")
        self.count(shirt, 5)
        self.work()
        level = self.env["keycrm.stock.level"].search([("product_id", "=", shirt.id)])[:1]
        refuse = {level.offer_id.id: 5.0}
        level._mark_refused(level.keycrm_warehouse_id, refuse, "Refused")
        self.assertDecisions(self.account)
        level.refused_at = "2026-01-01 10:00:00"
        self.env.flush_all()
        level._mark_refused(level.keycrm_warehouse_id, refuse, "Refused again")
        (row,) = self.account.get_overview()["decisions"]
        self.assertEqual(row["since"], "2026-01-01T10:00:00")
        level._mark_confirmed(level.keycrm_warehouse_id, refuse)
        self.assertDecisions()
        level._mark_refused(level.keycrm_warehouse_id, refuse, "Refused later")
        (row,) = self.account.get_overview()["decisions"]
        self.assertNotEqual(row["since"], "2026-01-01T10:00:00")
