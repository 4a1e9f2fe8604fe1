"""Rights: users see, administrators act, users of another company do neither, and others nothing."""

import inspect
import json
from pathlib import Path

from odoo import models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.service.model import get_public_method
from odoo.tests import new_test_user

from .common import KeycrmCase

LINE = {"name": "Кухоль", "price": 100, "quantity": 2, "sku": "CUP"}

#: What each role may do with the records of each model: create, read, write, unlink.
#: A model that is not named here fails the test; so does a right that is.
RIGHTS = {
    "keycrm.account": ("r", "crwu"),
    "keycrm.order.status": ("r", "rw"),
    "keycrm.source": ("r", "rw"),
    "keycrm.payment.method": ("r", "rw"),
    "keycrm.warehouse": ("r", "crwu"),
    "keycrm.offer": ("r", "crwu"),
    "keycrm.buyer": ("r", "crwu"),
    "keycrm.company": ("r", "rw"),
    "keycrm.product.import": ("r", "crwu"),
    "keycrm.product.import.line": ("r", "r"),
    "keycrm.product.mapping": ("r", "crwu"),
    "keycrm.event": ("r", "r"),
    "keycrm.order.sync": ("r", "crwu"),
    "keycrm.payment": ("r", "r"),
    "keycrm.stock.change": ("r", "r"),
    "keycrm.ended.offer": ("", "r"),
    "keycrm.stock.level": ("r", "r"),
    "keycrm.stock.report": ("r", "r"),
    "keycrm.missing.sku": ("r", "ru"),
    "keycrm.rate.limit": ("", "r"),
    "keycrm.transaction": ("r", "r"),
    "keycrm.stock.echo": ("", "r"),
    "keycrm.stock.comparison": ("r", "r"),
    "keycrm.stock.snapshot": ("", "r"),
    "keycrm.stock.comparison.line": ("r", "r"),
    "keycrm.order.update": ("r", "r"),
    "keycrm.offer.change": ("r", "r"),
    "keycrm.product.export": ("r", "r"),
    "keycrm.product.export.line": ("r", "r"),
    "keycrm.delivery.service": ("r", "rw"),
    "keycrm.category": ("r", "rw"),
    "keycrm.custom.field": ("r", "r"),
    "keycrm.send.preview": ("r", "r"),
    "keycrm.send.preview.line": ("", "r"),
    "keycrm.stock.export": ("r", "crwu"),
    "keycrm.latency": ("r", "r"),
    "keycrm.sync.cursor": ("", "r"),
    # A user's own screen: in Odoo no user sees a transient record of another user.
    "keycrm.stock.explanation": ("crwu", "crwu"),
    "keycrm.stock.explanation.line": ("crwu", "crwu"),
}
#: Belong to no company, and show nothing but counts.
WITHOUT_COMPANY = ("keycrm.rate.limit",)

#: Each method that can be called from outside and is not Odoo's own: who may, and what it is called on.
MANAGER, USER = "manager", "user"
METHODS = {
    ("keycrm.account", "action_test_connection"): MANAGER,
    ("keycrm.account", "action_refresh_statuses"): MANAGER,
    ("keycrm.account", "action_refresh_warehouses"): MANAGER,
    ("keycrm.account", "action_push_all_stock"): MANAGER,
    ("keycrm.account", "action_compare_stock"): MANAGER,
    ("keycrm.account", "action_preview_stock"): MANAGER,
    ("keycrm.account", "action_pause_stock"): MANAGER,
    ("keycrm.account", "action_resume_stock"): MANAGER,
    ("keycrm.account", "action_allow_zeros"): MANAGER,
    ("keycrm.account", "action_new_webhook_token"): MANAGER,
    ("keycrm.account", "action_check_link"): MANAGER,
    ("keycrm.account", "action_confirm_database"): MANAGER,
    ("keycrm.account", "action_review_step"): MANAGER,
    ("keycrm.account", "action_set_company_currency"): MANAGER,
    ("keycrm.account", "action_set_currency_rate"): MANAGER,
    ("keycrm.account", "action_switch_to_ukrainian"): MANAGER,
    ("keycrm.account", "action_load_all_products"): MANAGER,
    ("keycrm.account", "action_open_orders_today"): USER,
    ("keycrm.account", "action_open_waiting_events"): USER,
    ("keycrm.account", "action_open_stock_waiting"): USER,
    ("keycrm.account", "action_open_stock_refused"): USER,
    ("keycrm.account", "action_open_stock_held"): USER,
    ("keycrm.account", "action_open_missing"): USER,
    ("keycrm.account", "action_open_returns"): USER,
    ("keycrm.account", "action_open_activities"): USER,
    ("keycrm.account", "action_open_failed_updates"): USER,
    ("keycrm.account", "get_overview"): USER,
    ("keycrm.account", "get_overview_figures"): USER,
    ("keycrm.account", "action_open_delays"): USER,
    ("keycrm.account", "action_open_setup"): USER,
    ("keycrm.account", "action_open_first_setup"): USER,
    ("keycrm.account", "action_open_account"): USER,
    ("keycrm.account", "action_open_offers"): USER,
    ("keycrm.account", "action_open_load"): USER,
    ("keycrm.account", "action_open_sync"): USER,
    ("keycrm.stock.export", "action_start"): MANAGER,
    ("keycrm.stock.export", "action_cancel"): MANAGER,
    ("keycrm.event", "action_open_order"): USER,
    ("keycrm.event", "action_open_in_keycrm"): USER,
    ("product.product", "action_open_keycrm_offers"): USER,
    ("product.template", "action_open_keycrm_offers"): USER,
    ("res.config.settings", "action_keycrm_check_link"): "settings",
    ("res.config.settings", "action_keycrm_open_setup"): "settings",
    ("keycrm.account", "action_open_events"): USER,
    ("keycrm.account", "action_open_failed_events"): USER,
    ("keycrm.account", "action_open_failed_orders"): USER,
    ("keycrm.account", "action_open_orders"): USER,
    ("keycrm.account", "action_open_decisions"): USER,
    ("keycrm.account", "action_open_unshipped"): USER,
    ("keycrm.account", "action_open_statuses"): USER,
    ("keycrm.warehouse", "action_open_setup"): USER,
    ("keycrm.account", "action_load_products"): USER,
    ("keycrm.account", "action_synchronize_orders"): USER,
    ("keycrm.event", "action_retry"): MANAGER,
    ("keycrm.event", "action_choose_product"): USER,
    ("keycrm.payment", "action_post_again"): "accountant",
    ("keycrm.order.sync", "action_start"): MANAGER,
    ("keycrm.order.sync", "action_cancel"): MANAGER,
    ("keycrm.product.import", "action_start"): MANAGER,
    ("keycrm.product.import", "action_cancel"): MANAGER,
    ("keycrm.product.import", "action_open_rows"): USER,
    ("keycrm.order.update", "action_retry"): MANAGER,
    ("keycrm.order.update", "action_send_anyway"): MANAGER,
    ("keycrm.order.update", "action_ignore"): MANAGER,
    ("keycrm.account", "action_refresh_delivery_services"): MANAGER,
    ("keycrm.account", "action_refresh_categories"): MANAGER,
    ("keycrm.account", "action_open_send_previews"): USER,
    ("keycrm.product.export", "action_start"): MANAGER,
    ("keycrm.product.export", "action_cancel"): MANAGER,
    ("keycrm.product.export", "action_check_again"): MANAGER,
    ("keycrm.missing.sku", "action_create"): MANAGER,
    ("keycrm.missing.sku", "action_accept"): MANAGER,
    ("product.product", "action_keycrm_choose"): MANAGER,
    ("product.product", "action_keycrm_create"): MANAGER,
    ("product.template", "action_keycrm_create"): MANAGER,
    ("keycrm.send.preview", "action_start"): MANAGER,
    ("keycrm.send.preview", "action_cancel"): MANAGER,
    ("keycrm.send.preview", "action_send"): MANAGER,
    ("keycrm.send.preview", "action_not_now"): MANAGER,
    ("keycrm.stock.comparison", "action_start"): MANAGER,
    ("keycrm.stock.comparison", "action_cancel"): MANAGER,
    ("keycrm.stock.comparison", "action_send"): MANAGER,
    ("keycrm.stock.comparison", "action_take_opening"): MANAGER,
    ("keycrm.stock.comparison", "action_not_now"): MANAGER,
    ("keycrm.stock.comparison", "action_write_back"): MANAGER,
    ("keycrm.stock.comparison", "action_undo_opening"): MANAGER,
    ("keycrm.stock.explanation.line", "action_open"): USER,
    ("keycrm.stock.report", "action_explain"): USER,
    ("keycrm.stock.report", "action_send"): MANAGER,
    ("keycrm.stock.report", "action_compare"): MANAGER,
    ("product.product", "action_keycrm_explain"): USER,
    ("product.template", "action_keycrm_explain"): USER,
    ("sale.order", "action_keycrm_refresh"): USER,
    ("sale.order", "action_keycrm_restore"): USER,
    ("sale.order", "action_keycrm_keep_canceled"): USER,
    ("sale.order", "action_keycrm_accept"): USER,
    ("sale.order.line", "action_keycrm_choose_product"): USER,
    ("stock.picking", "action_keycrm_open_parcel"): USER,
    ("stock.warehouse.orderpoint", "action_keycrm_orders"): USER,
    ("sale.order", "action_open_in_keycrm"): USER,
    ("sale.order", "action_keycrm_merge_contacts"): USER,
    # Only Odoo's administrators may change its settings.
    ("res.config.settings", "action_keycrm_test_connection"): "settings",
    ("res.config.settings", "action_keycrm_refresh_statuses"): "settings",
    ("res.config.settings", "action_keycrm_refresh_warehouses"): "settings",
    ("res.config.settings", "action_keycrm_synchronize_orders"): "settings",
    ("res.config.settings", "action_keycrm_push_all_stock"): "settings",
    ("res.config.settings", "action_keycrm_open_statuses"): "settings",
    ("res.config.settings", "action_keycrm_open_accounts"): "settings",
}
#: Only open a screen with records of the user's companies: they change and reveal nothing.
SCREENS = {
    "action_open_orders_today",
    "action_open_waiting_events",
    "action_open_stock_waiting",
    "action_open_stock_refused",
    "action_open_stock_held",
    "action_open_missing",
    "action_open_returns",
    "action_open_activities",
    "action_open_failed_updates",
    "action_open_delays",
    "action_open_setup",
    "action_open_first_setup",
    "action_open_account",
    "action_open_offers",
    "action_open_load",
    "action_open_sync",
    "action_open_order",
    "action_open_keycrm_offers",
    "action_open_orders",
    "action_open_decisions",
    "action_open_unshipped",
    "action_open_events",
    "action_open_failed_events",
    "action_open_failed_orders",
    "action_open_statuses",
    "action_open_rows",
    "action_keycrm_orders",
    "action_load_products",
    "action_synchronize_orders",
    "action_open_send_previews",
}


def is_of_this_addon(klass):
    """Return whether a class stands in a file of ours; tests do not count."""
    module = klass.__module__
    return module.startswith("odoo.addons.ordage_keycrm") and ".tests" not in module


class RightsCase(KeycrmCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other_company = cls.env["res.company"].create({"name": "Інша"})
        cls.user = cls.new_user("keycrm-user", "ordage_keycrm.group_user")
        cls.seller = cls.new_user("keycrm-seller", "sales_team.group_sale_salesman_all_leads")
        cls.manager = cls.new_user(
            "keycrm-boss", "ordage_keycrm.group_manager,sales_team.group_sale_manager"
        )
        cls.outsider = cls.new_user("keycrm-none", "base.group_user")
        cls.other_company_user = cls.new_user(
            "keycrm-other-company",
            "ordage_keycrm.group_manager,sales_team.group_sale_manager,stock.group_stock_manager",
            cls.other_company,
        )
        cls.records = cls._one_of_each()

    @classmethod
    def new_user(cls, login, groups, company=None):
        company = company or cls.company
        return new_test_user(
            cls.env,
            login,
            groups=groups,
            company_id=company.id,
            company_ids=[Command.set(company.ids)],
        )

    @classmethod
    def models(cls):
        """Our models that have a table."""
        found = (
            name
            for name, model in cls.env.registry.items()
            if not model._abstract and name.startswith("keycrm.")
        )
        return sorted(found)

    @classmethod
    def _one_of_each(cls):
        """One record of each model, of the first company.

        :return: ``{model: record}``
        """
        env, account = cls.env, cls.account
        order = cls.arrive(cls.new_order([LINE], status_id=cls.status(3).keycrm_id))
        product = order.order_line.filtered("keycrm_id").product_id
        keycrm_warehouse = env["keycrm.warehouse"].create(
            {
                "account_id": account.id,
                "keycrm_id": 91,
                "name": "Склад",
                "warehouse_ids": [Command.set(cls.warehouse.ids)],
            }
        )
        offer = env["keycrm.offer"].search([("account_id", "=", account.id)], limit=1)
        offer = offer or env["keycrm.offer"].create(
            {"account_id": account.id, "keycrm_id": 5, "sku": "CUP", "product_id": product.id}
        )
        comparison = env["keycrm.stock.comparison"].create(
            {"account_id": account.id, "kind": "preview", "state": "ready"}
        )
        load = env["keycrm.product.import"].create({"account_id": account.id})
        preview = env["keycrm.send.preview"].create(
            {"account_id": account.id, "kind": "tracking", "state": "ready"}
        )
        export = env["keycrm.product.export"].create(
            {"account_id": account.id, "line_ids": [Command.create({"product_id": product.id})]}
        )
        why = env["keycrm.stock.explanation"].create({"product_id": product.id})
        known = {
            "keycrm.account": account,
            "sale.order": order,
            "sale.order.line": order.order_line.filtered("keycrm_id")[:1],
            "stock.picking": order.picking_ids[:1],
            "stock.warehouse.orderpoint": env["stock.warehouse.orderpoint"].create(
                {
                    "product_id": product.id,
                    "warehouse_id": cls.warehouse.id,
                    "location_id": cls.warehouse.lot_stock_id.id,
                }
            ),
            "product.product": product,
            "product.template": product.product_tmpl_id,
            "keycrm.warehouse": keycrm_warehouse,
            "keycrm.offer": offer,
            "keycrm.stock.comparison": comparison,
            "keycrm.product.import": load,
            "keycrm.stock.explanation": why,
            "keycrm.send.preview": preview,
            "keycrm.product.export": export,
            "keycrm.product.export.line": export.line_ids,
        }
        values = {
            "account_id": account.id,
            "keycrm_id": 77,
            "name": "X",
            "sku": "CUP-1",
            "event": "order.change_order_status",
            "keycrm_order_id": order.keycrm_id,
            "payload": {"secret": "of the payload"},
            "state": "failed",
            "sale_order_id": order.id,
            "order_id": order.id,
            "picking_id": order.picking_ids.id,
            "product_id": product.id,
            "offer_id": offer.id,
            "warehouse_id": keycrm_warehouse.id,
            "keycrm_warehouse_id": keycrm_warehouse.id,
            "comparison_id": comparison.id,
            "load_id": load.id,
            "preview_id": preview.id,
            "explanation_id": why.id,
            "partner_id": order.partner_id.id,
            "buyer_id": 1,
            "status_id": cls.status(2).id,
            "amount": 1,
            "currency_id": order.currency_id.id,
            "quantity": 1,
            "sent_at": "2026-01-01 00:00:00",
        }
        for name in cls.models():
            if name in known:
                continue
            Model = env[name]
            found = Model.search([], limit=1)
            known[name] = found or Model.create(
                {key: value for key, value in values.items() if cls._takes(Model, key)}
                | cls._required(Model, values)
            )
        env.flush_all()
        return known

    @staticmethod
    def _takes(model, name):
        field = model._fields.get(name)
        if not field or not field.store or field.related:
            return False
        if field.type == "selection":
            return "failed" in field.get_values(model.env)
        return True

    @staticmethod
    def _required(model, values):
        """Fill what the model demands and the values do not name."""
        plain = {"char": "x", "integer": 1, "float": 1.0, "datetime": "2026-01-01 00:00:00"}
        vals = {}
        for name, field in model._fields.items():
            if not field.required or not field.store or name in values or name == "id":
                continue
            if field.type == "selection":
                vals[name] = field.get_values(model.env)[0]
            elif field.type in plain and not field.default:
                vals[name] = plain[field.type]
        return vals

    def seen_by(self, user, model):
        return self.records[model].with_user(user).with_company(user.company_id)


class TestRights(RightsCase):
    def test_every_model_has_access_rules_and_a_company_rule(self):
        for name in self.models():
            model = self.env["ir.model"]._get(name)
            with self.subTest(name):
                self.assertTrue(model.access_ids, "no access rule")
                self.assertNotIn(False, model.access_ids.mapped("group_id.id"), "for all users")
                self.assertFalse(model.access_ids.filtered(lambda access: not access.group_id))
                if name in WITHOUT_COMPANY or self.env[name]._transient:
                    continue
                text = " ".join(
                    model.rule_ids.filtered(lambda r: not r.groups).mapped("domain_force")
                )
                self.assertIn("company_ids", text, "no company rule")

    def test_each_role_has_exactly_the_listed_rights(self):
        letters = {"create": "c", "read": "r", "write": "w", "unlink": "u"}
        self.assertEqual(set(self.models()), set(RIGHTS))
        for name, (user, manager) in RIGHTS.items():
            for person, rights in ((self.user, user), (self.manager, manager), (self.outsider, "")):
                model = self.env[name].with_user(person)
                got = "".join(letter for mode, letter in letters.items() if model.has_access(mode))
                self.assertEqual(got, rights, f"{person.login} on {name}")

    def test_another_company_sees_writes_and_removes_nothing(self):
        for name in self.models():
            if name in WITHOUT_COMPANY or self.env[name]._transient:
                continue
            record = self.seen_by(self.other_company_user, name)
            with self.subTest(name):
                self.assertTrue(self.records[name].exists())
                self.assertFalse(record.search([("id", "=", record.id)]))
                self.assertFalse(record.search_count([]))
                for ask in (
                    lambda r: r.read(["id", "display_name"]),
                    lambda r: r.web_read({"display_name": {}}),
                    lambda r: r.export_data(["id", "display_name"]),
                    lambda r: r.write({"display_name": "x"}),
                    lambda r: r.unlink(),
                    lambda r: r.copy(),
                ):
                    self.assertRefused(ask, record)

    def test_nothing_can_be_added_to_an_account_of_another_company(self):
        account = self.account.id
        for name, vals in (
            ("keycrm.warehouse", {"account_id": account, "keycrm_id": 8, "name": "x"}),
            ("keycrm.offer", {"account_id": account, "keycrm_id": 8, "sku": "x"}),
            ("keycrm.product.mapping", {"account_id": account, "sku": "x"}),
            ("keycrm.order.sync", {"account_id": account}),
            ("keycrm.product.import", {"account_id": account}),
            ("keycrm.account", {"company_id": self.company.id, "name": "x"}),
        ):
            Model = (
                self.env[name].with_user(self.other_company_user).with_company(self.other_company)
            )
            if "product_id" in Model._fields and Model._fields["product_id"].required:
                vals["product_id"] = self.records["product.product"].id
            with self.subTest(name):
                self.assertRefused(Model.create, vals)

    def test_shared_product_hides_mappings_of_another_company(self):
        self.records["product.template"].company_id = False
        # Each user's request reads with rights of its own.
        self.env.invalidate_all()
        product = self.seen_by(self.other_company_user, "product.product")
        self.assertFalse(product.keycrm_offer_ids)
        self.assertFalse(product.keycrm_level_ids)
        action = product.action_keycrm_explain()
        why = (
            self.env["keycrm.stock.explanation"]
            .with_user(self.other_company_user)
            .browse(action["res_id"])
        )
        self.assertFalse(why.line_ids)

    def test_inbox_and_outbox_cannot_be_written_from_outside(self):
        boxes = ("keycrm.event", "keycrm.stock.change", "keycrm.payment", "keycrm.stock.level")
        for name in boxes:
            for person in (self.user, self.seller, self.manager):
                record = self.seen_by(person, name)
                with self.subTest(model=name, person=person.login):
                    with self.assertRaises(AccessError):
                        record.write({"account_id": self.account.id})
                    with self.assertRaises(AccessError):
                        record.create({"account_id": self.account.id})
                    with self.assertRaises(AccessError):
                        record.unlink()

    def test_users_see_events_without_keycrms_payload(self):
        event = self.records["keycrm.event"]
        event.sudo().write({"payload": {"secret": "of the payload"}, "details": "Traceback"})
        self.env.flush_all()
        for person in (self.user, self.seller):
            seen = self.seen_by(person, "keycrm.event")
            names = list(seen.fields_get())
            self.assertFalse({"payload", "details"} & set(names))
            self.assertNotIn("of the payload", json.dumps(seen.read(names), default=str))
            for ask in (
                lambda e: e.read(["payload"]),
                lambda e: e.read(["details"]),
                lambda e: e.search([("payload", "ilike", "secret")]),
                lambda e: e.search([("details", "ilike", "Traceback")]),
                lambda e: e.search([], order="details"),
                lambda e: e.formatted_read_group([], ["details"]),
                lambda e: e.export_data(["payload"]),
            ):
                self.assertRefused(ask, seen)
        seen = self.seen_by(self.manager, "keycrm.event")
        self.assertIn("of the payload", json.dumps(seen.read(["payload"])))

    def test_portal_buyer_sees_nothing_internal(self):
        order = self.records["sale.order"]
        order.keycrm_manager_comment = "Складний клієнт"
        buyer = new_test_user(self.env, "keycrm-buyer", groups="base.group_portal")
        order.sudo().partner_id = buyer.partner_id
        self.env.flush_all()
        seen = order.with_user(buyer)
        names = list(seen.fields_get())
        self.assertIn("amount_total", names)
        secret = {"keycrm_manager_comment", "keycrm_manager_name", "keycrm_url"}
        self.assertFalse(secret & set(names))
        with self.assertRaises(AccessError):
            seen.read(["keycrm_manager_comment"])
        for name in self.models():
            with self.subTest(name), self.assertRaises(AccessError):
                self.env[name].with_user(buyer).search([])

    def test_scheduled_action_of_an_account_cannot_be_changed(self):
        cron = self.env.ref("base.autovacuum_job")
        for person in (self.manager, self.env.ref("base.user_admin")):
            account = self.seen_by(person, "keycrm.account")
            for name in ("orders_cron_id", "stock_cron_id"):
                with self.assertRaises(AccessError):
                    account.write({name: cron.id})


class TestButtons(RightsCase):
    """Each method that can be called from outside checks who calls, whatever the screen shows."""

    def public_methods(self):
        """Find the methods of ours that RPC lets through, and are not Odoo's own.

        :return: ``{(model, method)}``
        """
        found = set()
        base = {name for name, _value in inspect.getmembers(models.Model)}
        for name, Model in self.env.registry.items():
            if Model._abstract:
                continue
            ours = [klass for klass in Model.mro() if is_of_this_addon(klass)]
            others = [klass for klass in Model.mro() if not is_of_this_addon(klass)]
            for method in {m for klass in ours for m, v in vars(klass).items() if callable(v)}:
                if method in base or method.startswith("_"):
                    continue
                if any(method in vars(klass) for klass in others if klass is not Model):
                    continue
                try:
                    get_public_method(self.env[name], method)
                except (AccessError, AttributeError):
                    continue
                # A method of ours may be inherited by models that others made of ours.
                found.add((name, method))
        return found

    def test_every_method_callable_from_outside_is_listed(self):
        found = {key for key in self.public_methods() if "ordage_keycrm_mrp" not in key}
        self.assertEqual(found - set(METHODS), set(), "callable from outside, and not judged here")
        self.assertEqual(set(METHODS) - found, set(), "written down, and not there")

    def called(self, person, model, method):
        if model == "res.config.settings":
            record = self.env[model].with_user(person).with_company(person.company_id)
            return getattr(record.create({}), method)()
        return getattr(self.seen_by(person, model), method)()

    def test_user_without_a_role_can_call_nothing(self):
        for model, method in METHODS:
            if method in SCREENS or model == "keycrm.stock.explanation.line":
                continue
            with self.subTest(model=model, method=method):
                self.assertRefused(self.called, self.outsider, model, method)

    def test_users_cannot_call_methods_of_administrators(self):
        for (model, method), who in METHODS.items():
            if who == USER:
                continue
            for person in (self.user, self.seller):
                with self.subTest(model=model, method=method, person=person.login):
                    self.assertRefused(self.called, person, model, method)

    def test_an_administrator_of_another_company_can_do_nothing_here(self):
        for model, method in METHODS:
            if method in SCREENS or model in ("product.product", "product.template"):
                continue
            if model in ("keycrm.stock.explanation.line", "res.config.settings"):
                continue
            with self.subTest(model=model, method=method):
                self.assertRefused(self.called, self.other_company_user, model, method)

    def test_screens_opened_by_another_company_are_empty(self):
        for model, method in METHODS:
            if method not in SCREENS:
                continue
            with self.subTest(model=model, method=method):
                try:
                    action = self.called(self.other_company_user, model, method)
                except (AccessError, UserError):
                    continue
                domain = action.get("domain") or []
                shown = self.env[action["res_model"]].with_user(self.other_company_user)
                if not isinstance(domain, str):
                    self.assertFalse(shown.with_company(self.other_company).search_count(domain))
                self.assertNotIn("Shop", json.dumps(action, default=str))

    def test_administrator_can_use_the_buttons_of_an_account(self):
        self.account.push_stock = True
        for method in (
            "action_test_connection",
            "action_refresh_statuses",
            "action_refresh_warehouses",
            "action_pause_stock",
            "action_resume_stock",
            "action_preview_stock",
            "action_new_webhook_token",
            "action_review_step",
            "action_switch_to_ukrainian",
        ):
            self.assertTrue(self.called(self.manager, "keycrm.account", method))
        self.assertTrue(self.called(self.manager, "keycrm.event", "action_retry"))
        self.assertTrue(self.called(self.manager, "keycrm.order.update", "action_retry"))
        self.assertTrue(self.called(self.seller, "sale.order", "action_keycrm_refresh"))

    def test_buttons_of_the_views_call_listed_methods(self):
        folder = Path(__file__).parents[1]
        # Odoo's own methods check the rights themselves.
        known = {method for _model, method in METHODS} | {
            "action_replenish",
            "action_view_delivery",
        }
        for file in [*folder.glob("views/*.xml"), *folder.glob("wizards/*.xml")]:
            text = file.read_text()
            for part in text.split("<button")[1:]:
                tag = part.split(">")[0]
                if 'type="object"' not in tag:
                    continue
                name = tag.split('name="')[1].split('"')[0]
                self.assertIn(name, known, file.name)
