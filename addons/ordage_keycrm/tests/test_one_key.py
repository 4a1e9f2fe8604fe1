"""One API key is connected once per database, and only a key that KeyCRM takes can be enabled."""

from datetime import timedelta
from types import SimpleNamespace

from psycopg2 import IntegrityError, errors

from odoo.exceptions import ValidationError
from odoo.tests import new_test_user
from odoo.tools import format_datetime, mute_logger

from ..services.sending.tracking import TrackingKind
from .common import KEY, KeycrmCase


class TestOneKey(KeycrmCase):
    def second(self, **vals):
        vals = {"name": "Second", "api_url": self.sandbox.api_url, **vals}
        return self.env["keycrm.account"].create(vals)

    def test_the_same_key_in_a_second_account_is_refused_and_names_the_first(self):
        company = self.env["res.company"].create({"name": "Інша"})
        for enabled in (True, False):
            self.account.enabled = enabled
            for where in (self.company, company):
                with (
                    self.subTest(enabled=enabled, company=where.name),
                    self.assertRaisesRegex(ValidationError, "Shop"),
                ):
                    self.second(api_key=f" {KEY} ", company_id=where.id)
        second = self.second(api_key="another")
        for change in (
            {"api_key": KEY},
            {"api_key": KEY, "api_url": self.sandbox.api_url + "/"},
        ):
            with self.assertRaisesRegex(ValidationError, "Shop"), self.env.cr.savepoint():
                second.write(change)
        self.assertEqual(second._api_key(), "another")

    def test_the_same_key_pasted_in_the_settings_of_another_company_is_refused(self):
        company = self.env["res.company"].create({"name": "Інша"})
        second = self.second(company_id=company.id)
        Settings = self.env["res.config.settings"].with_company(company)
        for key in (KEY, f"  {KEY}\n"):
            with self.assertRaisesRegex(ValidationError, "Shop"), self.env.cr.savepoint():
                Settings.create({"keycrm_api_key": key}).execute()
        self.assertFalse(second.api_key)

    def test_rejected_key_cannot_be_enabled_in_the_settings(self):
        company = self.env["res.company"].create({"name": "Інша"})
        second = self.second(company_id=company.id)
        Settings = self.env["res.config.settings"].with_company(company)
        with self.assertRaises(ValidationError), self.env.cr.savepoint():
            Settings.create({"keycrm_api_key": "wrong", "keycrm_enabled": True}).execute()
        self.assertFalse(second.enabled)

    def test_a_copy_of_an_account_has_no_key(self):
        copy = self.account.copy()
        self.assertFalse(copy.api_key)
        self.assertFalse(copy.enabled)
        with self.assertRaisesRegex(ValidationError, "Shop"), self.env.cr.savepoint():
            copy.api_key = KEY

    def test_refusal_hides_an_account_that_the_user_may_not_see(self):
        company = self.env["res.company"].create({"name": "Інша"})
        outsider = new_test_user(
            self.env,
            "stranger",
            groups="ordage_keycrm.group_manager",
            company_id=company.id,
            company_ids=[(6, 0, company.ids)],
        )
        second = self.second(company_id=company.id)
        self.env.flush_all()
        with self.assertRaises(ValidationError) as refusal:
            second.with_user(outsider).with_company(company).api_key = KEY
        self.assertNotIn("Shop", str(refusal.exception))
        self.assertNotIn(self.company.name, str(refusal.exception))

    def test_key_may_be_used_after_the_first_account_removed_it(self):
        self.account.write({"enabled": False, "api_key": False})
        self.assertTrue(self.second(api_key=KEY, enabled=True).enabled)

    def test_two_processes_at_the_same_time_store_one_key(self):
        second = self.second()
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(errors.UniqueViolation),
            self.env.cr.savepoint(),
        ):
            self.env.cr.execute(
                """UPDATE keycrm_account SET api_key_digest =
                       (SELECT api_key_digest FROM keycrm_account WHERE id = %s) WHERE id = %s""",
                (self.account.id, second.id),
            )

    def test_a_key_that_keycrm_rejects_cannot_be_enabled(self):
        second = self.second(api_key="wrong")
        with self.assertRaises(ValidationError), self.env.cr.savepoint():
            second.enabled = True
        self.assertFalse(second.enabled)
        with self.assertRaises(ValidationError), self.env.cr.savepoint():
            self.second(api_key="wrong too", enabled=True)

    def test_an_account_is_enabled_while_keycrm_cannot_be_reached(self):
        away = self.second(api_key="x", api_url="http://127.0.0.1:9/v1", enabled=True)
        self.assertTrue(away.enabled)
        self.account.enabled = False
        self.keycrm.add_fault("status", path="/order/status", status=500, times=None)
        self.addCleanup(self.keycrm.clear_faults)
        self.account.enabled = True
        self.assertTrue(self.account.enabled)


class TestWhatAnAccountRefersTo(KeycrmCase):
    def test_deleted_scheduled_actions_are_created_again_by_enabling(self):
        for name in ("orders_cron_id", "stock_cron_id"):
            self.account[name].unlink()
            self.account.invalidate_recordset()
            self.assertEqual(self.account.overview_state, "problem")
            self.assertTrue(self.account.reference_text)
            self.account.enabled = False
            self.account.enabled = True
            self.account.invalidate_recordset()
            self.assertTrue(self.account[name].active)
            self.assertEqual(self.account.overview_state, "connected")

    def test_inactive_scheduled_actions_are_shown_and_activated(self):
        self.account.stock_cron_id.active = False
        self.account.invalidate_recordset()
        self.assertEqual(self.account.overview_state, "problem")
        self.account.write({"enabled": False})
        self.account.write({"enabled": True})
        self.account.invalidate_recordset()
        self.assertTrue(self.account.stock_cron_id.active)
        self.assertFalse(self.account.reference_text)

    def test_overdue_scheduled_actions_are_reported_until_they_run(self):
        cron = self.account.stock_cron_id
        for minutes, state in ((9, "connected"), (11, "problem"), (0, "connected")):
            since = self.env.cr.now() - timedelta(minutes=minutes)
            cron.write({"nextcall": since, "lastcall": since})
            self.account.invalidate_recordset()
            self.assertEqual(self.account.overview_state, state, minutes)
            text = format_datetime(self.env, since)
            self.assertEqual(text in (self.account.reference_text or ""), state == "problem")

    def test_overdue_scheduled_actions_of_a_disabled_account_are_no_problem(self):
        self.account.orders_cron_id.nextcall = self.env.cr.now() - timedelta(days=1)
        self.account.enabled = False
        self.account.invalidate_recordset()
        self.assertFalse(self.account.reference_text)

    def test_deleted_scheduled_actions_are_created_again_within_a_day(self):
        self.account.orders_cron_id.unlink()
        self.account.invalidate_recordset()
        self.env["keycrm.account"]._restore_references()
        self.assertTrue(self.account.orders_cron_id.active)

    def test_archived_reference_is_shown_on_the_account(self):
        user = new_test_user(self.env, "archived", groups="base.group_user")
        journal = self.env["account.journal"].create(
            {"name": "Старий банк", "type": "bank", "code": "OLD"}
        )
        group = self.env["account.tax.group"].create({"name": "Старі"})
        tax = self.env["account.tax"].create(
            {"name": "Старий податок", "amount": 7, "tax_group_id": group.id}
        )
        team = self.env["crm.team"].create({"name": "Стара команда"})
        other = self.env["stock.warehouse"].create({"name": "Старий склад", "code": "OLD"})
        self.env["keycrm.source"].create(
            {"account_id": self.account.id, "keycrm_id": 71, "name": "Сайт", "team_id": team.id}
        )
        self.account.write(
            {
                "user_id": user.id,
                "payment_journal_id": journal.id,
                "tax_id": tax.id,
                "warehouse_id": other.id,
            }
        )
        self.env["keycrm.warehouse"].create(
            {
                "account_id": self.account.id,
                "keycrm_id": 72,
                "name": "Склад",
                "warehouse_ids": [(6, 0, other.ids)],
            }
        )
        self.assertFalse(self.account.reference_text)
        (user | self.env["res.users"]).active = False
        for record in (journal, tax, team, other):
            record.active = False
        self.account.invalidate_recordset()
        text = self.account.reference_text
        for name in (user.name, "Старий банк", "Старий податок", "Стара команда", "Старий склад"):
            self.assertIn(name, text)
        self.assertEqual(self.account.overview_state, "problem")
        order = self.arrive(self.new_order([]))
        self.assertEqual(order.warehouse_id, self.warehouse, "the only one that is left")
        self.env["keycrm.account"]._restore_references()
        self.assertEqual(self.account.warehouse_id, self.warehouse)

    def test_every_archived_reference_of_the_settings_is_shown(self):
        prices = self.env["product.pricelist"].create({"name": "Роздріб"})
        journal = self.env["account.journal"].create(
            {"name": "Каса", "type": "cash", "code": "KAS"}
        )
        TrackingKind(self.account).record_page(self.custom_fields(1, 2))
        fields = self.env["keycrm.custom.field"].search([("account_id", "=", self.account.id)])
        own = {"account_id": self.account.id, "keycrm_id": 71, "name": "Готівка"}
        self.env["keycrm.payment.method"].create({**own, "sent_journal_ids": journal.ids})
        self.account.write(
            {
                "price_list_id": prices.id,
                "tracking_field_id": fields[0].id,
                "shown_field_ids": fields.ids,
            }
        )
        self.assertFalse(self.account.reference_text)
        prices.active = False
        journal.active = False
        TrackingKind(self.account).record_page(self.custom_fields(3))
        self.account.invalidate_recordset()
        text = self.account.reference_text
        for name in ("Роздріб", "Каса", "Поле 1", "Поле 2"):
            self.assertIn(name, text)
        self.assertEqual(len(text.splitlines()), 5)
        TrackingKind(self.account).record_page(self.custom_fields(1, 2))
        self.account.invalidate_recordset()
        self.assertNotIn("Поле", self.account.reference_text)

    def custom_fields(self, *numbers):
        """:return: what is read of KeyCRM's custom fields"""
        rows = [{"id": n, "name": f"Поле {n}", "uuid": f"OR_{n}", "type": "text"} for n in numbers]
        return SimpleNamespace(rows=[{"services": [], "custom_fields": rows}])

    def test_order_waits_until_a_user_chooses_its_warehouse(self):
        archived, _third = self.env["stock.warehouse"].create(
            [{"name": "Старий", "code": "OLD"}, {"name": "Третій", "code": "THR"}]
        )
        self.account.warehouse_id = archived
        archived.active = False
        order = self.arrive(self.new_order([], status_id=self.status(3).keycrm_id))
        self.assertEqual(order.state, "draft")
        self.assertIn("Старий", order.keycrm_problem)
        self.assertTrue(order.keycrm_needs_decision)
        self.assertIn("Старий", self.account.reference_text)
        self.account.warehouse_id = self.warehouse
        event = self.env["keycrm.event"].search([("keycrm_order_id", "=", order.keycrm_id)])
        self.assertEqual(event[:1].state, "pending", "it is read again automatically")
        self.arrive(order.keycrm_id)
        self.assertEqual((order.state, order.warehouse_id), ("sale", self.warehouse))
        self.assertFalse(order.keycrm_problem or order.activity_ids)

    def test_quotation_whose_warehouse_is_archived_later_waits(self):
        self.env["stock.warehouse"].create({"name": "Третій", "code": "THR"})
        archived = self.env["stock.warehouse"].create({"name": "Старий", "code": "OLD"})
        self.account.warehouse_id = archived
        order = self.arrive(self.new_order([{"name": "Річ", "price": 1}]))
        self.assertEqual(order.warehouse_id, archived)
        archived.active = False
        self.keycrm.set_status(order.keycrm_id, self.status(3).keycrm_id, webhook=False)
        self.arrive(order.keycrm_id)
        self.assertEqual(order.state, "draft")
        self.assertIn("Старий", order.keycrm_problem)
        archived.active = True
        self.arrive(order.keycrm_id)
        self.assertEqual((order.state, order.warehouse_id), ("sale", archived))

    def test_order_of_a_source_whose_warehouse_is_archived_waits(self):
        archived = self.env["stock.warehouse"].create({"name": "Старий", "code": "OLD"})
        source = self.env["keycrm.source"].search([("account_id", "=", self.account.id)], limit=1)
        source.warehouse_id = archived
        archived.active = False
        order = self.arrive(
            self.new_order(
                [{"name": "Річ", "price": 1}],
                status_id=self.status(3).keycrm_id,
                source_id=source.keycrm_id,
            )
        )
        self.assertEqual(order.state, "draft")
        self.assertIn("Старий", order.keycrm_problem)
        source.warehouse_id = self.warehouse
        self.arrive(order.keycrm_id)
        self.assertEqual((order.state, order.warehouse_id), ("sale", self.warehouse))

    def confirmed_in(self, warehouse):
        """:return: an order whose goods left the warehouse, which was archived then"""
        self.account.warehouse_id = warehouse
        product = {"name": "Річ", "price": 1, "quantity": 2}
        order = self.arrive(self.new_order([product], status_id=self.status(3).keycrm_id))
        picking = order.picking_ids
        self.assertEqual(picking.picking_type_id.warehouse_id, warehouse)
        quants = self.env["stock.quant"]
        quants._update_available_quantity(order.order_line.product_id, warehouse.lot_stock_id, 2)
        picking.move_ids.write({"quantity": 2, "picked": True})
        picking._action_done()
        warehouse.active = False
        self.arrive(order.keycrm_id)
        self.assertFalse(order.keycrm_problem or order.activity_ids, "nothing is to be shipped")
        return order

    def test_goods_added_to_a_confirmed_order_leave_its_archived_warehouse(self):
        archived = self.env["stock.warehouse"].create({"name": "Старий", "code": "OLD"})
        order = self.confirmed_in(archived)
        self.keycrm.add_line(order.keycrm_id, name="Друга", price=1, quantity=3)
        self.arrive(order.keycrm_id)
        open_ = order.picking_ids.filtered(lambda picking: picking.state != "done")
        self.assertEqual(open_.picking_type_id.warehouse_id, self.warehouse, "the only one left")
        self.assertEqual(open_.move_ids.product_uom_qty, 3)
        self.assertFalse(order.keycrm_problem or order.activity_ids)
        line = order.order_line.filtered(lambda line: line.product_id.name == "Річ")
        self.keycrm.patch_line(order.keycrm_id, line.keycrm_id, quantity=5)
        self.arrive(order.keycrm_id)
        self.assertEqual(line.move_ids.mapped("product_uom_qty"), [2, 3], "what is missing")

    def test_goods_back_in_an_archived_warehouse_are_not_shipped_again(self):
        archived = self.env["stock.warehouse"].create({"name": "Старий", "code": "OLD"})
        order = self.confirmed_in(archived)
        wizard = self.env["stock.return.picking"].create({"picking_id": order.picking_ids.id})
        wizard.product_return_moves.quantity = 2
        back = wizard._create_return()
        back.move_ids.write({"quantity": 2, "picked": True})
        back._action_done()
        self.assertEqual(order.order_line.qty_delivered, 0)
        self.arrive(order.keycrm_id)
        self.assertEqual(order.picking_ids.mapped("state"), ["done", "done"])

    def test_goods_added_to_confirmed_order_wait_for_a_warehouse(self):
        archived, _third = self.env["stock.warehouse"].create(
            [{"name": "Старий", "code": "OLD"}, {"name": "Третій", "code": "THR"}]
        )
        order = self.confirmed_in(archived)
        self.keycrm.add_line(order.keycrm_id, name="Друга", price=1, quantity=3)
        for _again in range(2):
            self.arrive(order.keycrm_id)
            self.assertEqual(order.order_line.mapped("product_uom_qty"), [2, 3])
            self.assertEqual(len(order.picking_ids), 1)
            self.assertIn("Старий", order.keycrm_problem)
            self.assertTrue(order.keycrm_needs_decision)
            self.assertEqual(len(order.activity_ids), 1)
        self.account.warehouse_id = self.warehouse
        event = self.env["keycrm.event"].search([("keycrm_order_id", "=", order.keycrm_id)])
        self.assertEqual(event[:1].state, "pending", "it is read again automatically")
        self.arrive(order.keycrm_id)
        open_ = order.picking_ids.filtered(lambda picking: picking.state != "done")
        self.assertEqual(open_.picking_type_id.warehouse_id, self.warehouse)
        self.assertEqual(open_.move_ids.product_uom_qty, 3)
        self.assertFalse(order.keycrm_problem or order.activity_ids or order.keycrm_needs_decision)

    def test_referenced_records_cannot_be_deleted(self):
        """Deleted, it would leave no trace, and orders would go on without it."""
        group = self.env["account.tax.group"].create({"name": "Старі"})
        other = self.env["stock.warehouse"].create({"name": "Старий склад", "code": "OLD"})
        journals = self.env["account.journal"].create(
            [
                {"name": f"Банк {code}", "type": kind, "code": code}
                for code, kind in (("OL1", "bank"), ("OL2", "bank"), ("OL3", "sale"))
            ]
        )
        tax = self.env["account.tax"].create({"name": "7", "amount": 7, "tax_group_id": group.id})
        team = self.env["crm.team"].create({"name": "Стара команда"})
        self.account.write(
            {"tax_id": tax.id, "payment_journal_id": journals[0].id, "warehouse_id": other.id}
        )
        own = {"account_id": self.account.id, "keycrm_id": 71, "name": "Сайт"}
        self.env["keycrm.payment.method"].create({**own, "journal_id": journals[1].id})
        self.env["keycrm.source"].create(
            {**own, "team_id": team.id, "journal_id": journals[2].id, "warehouse_id": other.id}
        )
        self.env.flush_all()
        for record in (tax, team, *journals):
            with (
                self.subTest(record=record.display_name),
                mute_logger("odoo.sql_db"),
                self.assertRaises(IntegrityError),
                self.env.cr.savepoint(),
            ):
                record.unlink()
        fields_of = self.env["keycrm.account"]._fields
        self.assertEqual(fields_of["warehouse_id"].ondelete, "restrict")
        self.assertFalse(self.account.reference_text)
        method = self.env["keycrm.payment.method"].search([("keycrm_id", "=", 71)])
        method.journal_id.active = False
        self.account.invalidate_recordset()
        self.assertIn("Банк OL2", self.account.reference_text)
        self.assertEqual(self.account.overview_state, "problem")
