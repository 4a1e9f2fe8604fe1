"""What only the bridge writes: the server refuses it to every role, whatever the forms offer."""

import contextlib
import json
from datetime import datetime

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import new_test_user

from .test_rights import LINE, RightsCase

#: The roles that may write something of what KeyCRM fills.
ROLES = {
    "seller": "sales_team.group_sale_salesman_all_leads",
    "sales manager": "sales_team.group_sale_manager",
    "storekeeper": "stock.group_stock_user",
    "stock manager": "stock.group_stock_manager",
    "accountant": "account.group_account_manager",
    "contacts": "base.group_partner_manager",
    "KeyCRM user": "ordage_keycrm.group_user",
    "KeyCRM administrator": "ordage_keycrm.group_manager,sales_team.group_sale_manager",
    "administrator": "base.group_system,sales_team.group_sale_manager,stock.group_stock_manager",
    "portal": "base.group_portal",
}
VALUES = {
    "char": "x",
    "text": "x",
    "integer": 77,
    "float": 77.0,
    "monetary": 77.0,
    "boolean": True,
    "datetime": "2026-01-01 00:00:00",
    "date": "2026-01-01",
    "json": {"x": 1},
    "one2many": [Command.clear()],
    "many2many": [Command.clear()],
}


class GuardCase(RightsCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.people = {
            role: new_test_user(cls.env, f"role-{place}", groups=groups)
            for place, (role, groups) in enumerate(ROLES.items())
        }
        cls.order = cls.records["sale.order"]
        cls.line = cls.records["sale.order.line"]
        cls.goods = cls.env["product.product"].create({"name": "Інше"})

    def value(self, field):
        if field.type == "many2one":
            return self.env[field.comodel_name].sudo().search([], limit=1).id or 1
        if field.type == "selection":
            return field.get_values(self.env)[0]
        return VALUES[field.type]

    def assertGuarded(self, change, *args):
        # It has a savepoint of its own.
        with self.assertRaises(AccessError):
            change(*args)


class TestGuardedFields(GuardCase):
    def fields_of_odoos_models(self):
        """:return: ``{model: fields of ours}`` of all models of Odoo that have some and have a table"""
        found = {}
        for name, Model in self.env.registry.items():
            # The settings are for people: what they may not set there, the account refuses.
            if name.startswith("keycrm.") or Model._abstract or Model._transient:
                continue
            ours = [field for key, field in Model._fields.items() if key.startswith("keycrm_")]
            if ours and Model._auto:
                found[name] = ours
        return found

    def test_fields_on_models_of_odoo_are_for_internal_users_and_seldom_fetched(self):
        """A buyer reads none of them in the portal, and Odoo's own reads of a record stay fast."""
        for name, ours in self.fields_of_odoos_models().items():
            with self.subTest(model=name):
                self.assertFalse([field.name for field in ours if not field.groups])
                # Those that the hooks of Odoo's methods look at, whatever order or product it is.
                prefetched = [field.name for field in ours if field.prefetch is True]
                self.assertLessEqual(len(prefetched), 4, prefetched)

    def test_no_role_writes_a_field_of_keycrm_on_a_model_of_odoo(self):
        found = self.fields_of_odoos_models()
        self.assertLessEqual(
            {
                "sale.order",
                "sale.order.line",
                "res.partner",
                "product.product",
                "product.template",
                "stock.move",
                "stock.picking",
            },
            set(found),
        )
        for name, ours in found.items():
            record = self.records.get(name) or self.env[name].search([], limit=1)
            for role, person in self.people.items():
                seen = record.with_user(person)
                for field in ours:
                    value = self.value(field)
                    with self.subTest(model=name, role=role, field=field.name):
                        if field.inherited:
                            self.assert_without_effect(seen, field, value)
                            continue
                        self.assertGuarded(seen.write, {field.name: value})
                        self.assertGuarded(seen.create, {field.name: value})
                        sent = seen.with_context(**{f"default_{field.name}": value})
                        self.assertGuarded(sent.create, {})

    def assert_without_effect(self, record, field, value):
        """A field that a user or a variant shows of its contact or template is refused or ignored."""
        source = record.sudo().mapped(field.related.rpartition(".")[0])
        before = source[field.name]
        try:
            with self.env.cr.savepoint():
                record.write({field.name: value})
                record.flush_recordset()
        except AccessError:
            return
        source.invalidate_recordset()
        self.assertEqual(source[field.name], before)

    def test_no_role_writes_what_a_model_of_keycrm_shows_readonly(self):
        for name in self.models():
            Model = self.env[name]
            guarded = [
                field
                for key, field in Model._fields.items()
                if field.readonly and field.store and str(field._module).startswith("ordage_keycrm")
            ]
            if Model._transient or not guarded:
                continue
            for role, person in self.people.items():
                seen = self.records[name].with_user(person)
                for field in guarded:
                    with self.subTest(model=name, role=role, field=field.name):
                        value = self.value(field)
                        self.assertGuarded(seen.write, {field.name: value})
                        self.assertGuarded(seen.create, {field.name: value})

    def test_editable_fields_write_no_guarded_field(self):
        manager = self.people["KeyCRM administrator"]
        tried = 0
        for name in self.models():
            Model = self.env[name]
            if Model._transient or not hasattr(Model, "_is_guarded"):
                continue
            seen = self.records[name].with_user(manager)
            for field in Model._fields.values():
                ours = str(field._module).startswith("ordage_keycrm")
                if not ours or field.readonly or seen._is_guarded(field.name):
                    continue
                with self.subTest(model=name, field=field.name):
                    tried += 1
                    try:
                        with self.env.cr.savepoint() as savepoint:
                            seen.write({field.name: self.value(field)})
                            savepoint.rollback()
                    except (UserError, AccessError) as refusal:
                        self.assertNotIn("cannot be edited in Odoo", str(refusal))
        self.assertGreater(tried, 40)

    def test_context_of_rpc_does_not_disable_the_field_guard(self):
        seller = self.people["seller"]
        for marker in (
            {"keycrm_marks": True},
            {"keycrm_marks": ["<KeyCRM bridge>"]},
        ):
            seen = self.order.with_user(seller).with_context(**marker)
            self.assertGuarded(seen.write, {"keycrm_deleted": True})
            self.assertRefused(seen.order_line.write, {"price_unit": 1})
            # Superuser mode of Odoo's own code, with the context that the user sent.
            self.assertRefused(seen.sudo().order_line.write, {"price_unit": 1})

    def test_defaults_of_a_context_set_nothing_in_superuser_mode(self):
        sent = {
            "default_keycrm_id": self.order.keycrm_id,
            "default_keycrm_account_id": self.account.id,
        }
        made = (
            self.env["sale.order"]
            .with_context(**sent)
            .create({"partner_id": self.order.partner_id.id})
        )
        self.assertFalse(made.keycrm_id or made.keycrm_account_id)

    def assert_defaults_kept(self, model, names, people):
        """Store defaults of users for fields, and compare Odoo's defaults with those before.

        :param model: name of a model
        :param names: names of its guarded fields
        :param people: users who store a default of their own; False: one for all users
        """
        fields = [self.env["ir.model.fields"]._get(model, name) for name in names]
        text = {name: self.value(self.env[model]._fields[name]) for name in names}
        seen = [self.env[model].with_user(person) for person in self.people.values()]
        seen += [one.sudo() for one in seen]
        before = [one.default_get(names) for one in seen]
        self.env["ir.default"].create(
            [
                {
                    "field_id": field.id,
                    "user_id": person and person.id,
                    "json_value": json.dumps(text[field.name]),
                }
                for field in fields
                for person in people
            ]
        )
        for one, known in zip(seen, before, strict=True):
            # A default of the code may be the present time.
            kept = {n: v for n, v in one.default_get(names).items() if not isinstance(v, datetime)}
            known = {n: v for n, v in known.items() if not isinstance(v, datetime)}
            self.assertEqual(kept, known, (model, one.env.user.login))

    def test_no_default_of_a_user_sets_a_guarded_field(self):
        found = {
            name: [field.name for field in ours if field.type not in ("one2many", "many2many")]
            for name, ours in self.fields_of_odoos_models().items()
        }
        for name in self.models():
            Model = self.env[name]
            if Model._transient or not hasattr(Model, "_is_guarded"):
                continue
            found[name] = [
                field.name
                for field in Model._fields.values()
                if Model._is_guarded(field.name) and field.type not in ("one2many", "many2many")
            ]
        self.assertGreater(sum(map(len, found.values())), 300)
        for name, names in found.items():
            for people in ((False,), self.people.values()):
                with (
                    self.subTest(model=name, own=len(people)),
                    self.env.cr.savepoint() as savepoint,
                ):
                    self.assert_defaults_kept(name, names, people)
                    savepoint.rollback()
                    self.env.registry.clear_cache()

    def test_no_default_of_a_seller_adds_goods_or_makes_an_order_of_keycrm(self):
        seller = self.people["seller"]
        own = self.env["ir.default"].with_user(seller)
        own.set("sale.order.line", "keycrm_id", 999, True)
        own.set("sale.order.line", "keycrm_extra", "shipping", True)
        lines = self.order.with_user(seller).order_line
        vals = {"order_id": self.order.id, "product_id": self.goods.id, "product_uom_qty": 5}
        self.assertRefused(lines.create, vals)
        own.set("sale.order", "keycrm_account_id", self.account.id, True)
        own.set("sale.order", "keycrm_id", 999, True)
        orders = self.order.with_user(seller)
        made = orders.create({"partner_id": self.order.partner_id.id}).sudo()
        made |= orders.sudo().create({"partner_id": self.order.partner_id.id})
        self.assertFalse(any(made.mapped("keycrm_id")) or made.keycrm_account_id)

    def test_order_with_a_keycrm_number_cannot_be_created_or_copied(self):
        seller = self.people["seller"]
        seen = self.order.with_user(seller)
        vals = {
            "partner_id": self.order.partner_id.id,
            "keycrm_account_id": self.account.id,
            "keycrm_id": self.order.keycrm_id + 1,
        }
        self.assertGuarded(seen.create, vals)
        self.assertGuarded(seen.copy, {"keycrm_id": self.order.keycrm_id + 1})
        copied = seen.copy()
        stored = [
            name
            for name, field in copied._fields.items()
            if name.startswith("keycrm_") and field.store and not field.compute
        ]
        self.assertFalse([name for name in stored if copied.sudo()[name]])
        lines = copied.order_line.sudo()
        self.assertFalse(any(lines.mapped("keycrm_id")) or any(lines.mapped("keycrm_extra")))

    def test_settings_of_users_are_not_guarded(self):
        manager = self.people["KeyCRM administrator"]
        for name, vals in (
            ("keycrm.order.status", {"order_action": "skip"}),
            ("keycrm.account", {"keep_product_info": True, "poll_minutes": 7}),
            ("keycrm.warehouse", {"name": "Новий", "warehouse_ids": [Command.clear()]}),
            ("keycrm.offer", {"sku": "NEW"}),
        ):
            with self.subTest(name):
                self.assertTrue(self.records[name].with_user(manager).write(vals))
        self.line.with_user(self.people["seller"]).write({"name": "Опис", "customer_lead": 3})


class TestLinesOfKeycrmsOrders(GuardCase):
    def refused(self, change, *args):
        with self.assertRaises(UserError) as refusal, self.env.cr.savepoint():
            change(*args)
        self.assertIn("KeyCRM", str(refusal.exception))

    def test_no_way_changes_what_keycrm_decides_of_a_line(self):
        tax = self.env["account.tax"].search([("company_id", "=", self.company.id)], limit=1)
        other = self.order.copy()
        for role in ("seller", "sales manager", "administrator"):
            line = self.line.with_user(self.people[role])
            for vals in (
                {"product_uom_qty": 9},
                {"price_unit": 1},
                {"discount": 50},
                {"tax_ids": [Command.set((tax - line.tax_ids).ids)]},
                {"product_id": self.goods.id},
                {"is_downpayment": True},
                {"order_id": other.id},
                {"price_subtotal": 1},
                {"keycrm_id": 0},
                {"keycrm_id": 0, "price_unit": 1},
            ):
                with self.subTest(role=role, vals=vals):
                    self.refused(line.write, vals)
                    self.refused(
                        line.order_id.write, {"order_line": [Command.update(line.id, vals)]}
                    )

    def test_no_way_changes_amount_or_currency_of_an_order_of_keycrm(self):
        dollars = self.env.ref("base.USD")
        dollars.active = True
        pricelist = self.env["product.pricelist"].create(
            {"name": "USD", "currency_id": dollars.id, "company_id": self.company.id}
        )
        company = self.env["res.company"].create({"name": "Other"})
        draft = self.arrive(self.new_order([LINE], status_id=self.status(1).keycrm_id))
        self.company.sale_discount_product_id = self.env["product.product"].create(
            {"name": "Знижка", "type": "service", "invoice_policy": "order"}
        )
        for role in ("seller", "sales manager", "administrator"):
            person = self.people[role]
            person.company_ids += company
            order = draft.with_user(person)
            before = (order.amount_total, order.currency_id)
            self.refused(self.order.with_user(person).write, {"amount_total": 1})
            for vals in (
                {"pricelist_id": pricelist.id},
                {"currency_id": dollars.id},
                {"company_id": company.id},
                {"amount_total": 1},
                {"amount_untaxed": 1, "amount_tax": 0},
            ):
                with self.subTest(role=role, vals=vals):
                    self.refused(order.write, vals)
            for change in (order.action_update_prices, order.action_update_taxes):
                with self.subTest(role=role, change=change.__name__):
                    with contextlib.suppress(UserError), self.env.cr.savepoint():
                        change()
                    self.assertEqual((order.amount_total, order.currency_id), before)
            discount = self.env["sale.order.discount"].with_user(person)
            discount = discount.create(
                {"sale_order_id": order.id, "discount_type": "amount", "discount_amount": 10}
            )
            self.refused(discount.action_apply_discount)
            order.write({"pricelist_id": order.pricelist_id.id, "note": "kept"})
            self.assertIn("kept", order.note)

    def test_no_way_adds_goods_to_an_order_of_keycrm(self):
        seller = self.people["seller"]
        order = self.order.with_user(seller)
        goods = {"order_id": order.id, "product_id": self.goods.id}
        for vals in (
            {"product_uom_qty": 5},
            {"product_uom_qty": 5, "is_downpayment": True},
            {"product_uom_qty": 5, "is_delivery": True},
            {"product_uom_qty": -5},
        ):
            known = {name: v for name, v in vals.items() if name in order.order_line._fields}
            with self.subTest(vals=vals):
                self.refused(order.order_line.create, {**goods, **known})
        extra = order.order_line.create({**goods, "product_uom_qty": 0})
        for vals in ({"product_uom_qty": 5}, {"product_uom_qty": 5, "is_downpayment": True}):
            self.refused(extra.write, vals)
        down = order.order_line.create({**goods, "product_uom_qty": 0, "is_downpayment": True})
        self.refused(down.write, {"product_uom_qty": 5})

    def test_no_line_moves_into_an_order_of_keycrm(self):
        seller = self.people["seller"]
        own = (
            self.env["sale.order"]
            .with_user(seller)
            .create(
                {
                    "partner_id": self.order.partner_id.id,
                    "order_line": [
                        Command.create({"product_id": self.goods.id, "product_uom_qty": 5})
                    ],
                }
            )
        )
        self.refused(own.order_line.write, {"order_id": self.order.id})
        own.order_line.write({"product_uom_qty": 7, "price_unit": 3})

    def test_quantity_of_an_existing_line_may_be_reduced(self):
        self.account.enabled = False
        extra = self.env["sale.order.line"].create(
            {"order_id": self.order.id, "product_id": self.goods.id, "product_uom_qty": 5}
        )
        self.account.enabled = True
        extra = extra.with_user(self.people["seller"])
        self.refused(extra.write, {"product_uom_qty": 6})
        extra.write({"product_uom_qty": 2})
        extra.write({"product_uom_qty": 0})

    def test_lines_of_odoos_own_modules_are_allowed(self):
        seller = self.people["sales manager"]
        seller.group_ids += self.env.ref("account.group_account_invoice")
        order = self.order.with_user(seller)
        wizard = self.env["sale.advance.payment.inv"].with_user(seller)
        wizard = wizard.with_context(active_model="sale.order", active_ids=order.ids)
        wizard.create({"advance_payment_method": "percentage", "amount": 10}).create_invoices()
        self.assertTrue(order.order_line.filtered("is_downpayment"))
        service = self.env["product.product"].create({"name": "Доставка", "type": "service"})
        added = order.order_line.create(
            {
                "order_id": order.id,
                "product_id": service.id,
                "product_uom_qty": 1,
                "price_unit": 50,
                "is_expense": True,
            }
        )
        self.assertTrue(order.keycrm_total_differs)
        added.write({"price_unit": 0})
        self.assertFalse(order.keycrm_total_differs)

    def test_order_that_exists_in_keycrm_cannot_be_deleted(self):
        manager = self.people["sales manager"]
        draft = self.arrive(self.new_order([LINE], status_id=self.status(1).keycrm_id))
        self.assertEqual(draft.state, "draft")
        self.order._action_cancel()
        orders = self.order | draft
        for order in orders:
            self.refused(order.with_user(manager).unlink)
            self.refused(order.unlink)
        # Not by KeyCRM's data, but with it where KeyCRM does not have the order.
        self.order.keycrm_deleted = True
        self.order.with_user(manager).unlink()
        self.account.enabled = False
        draft.with_user(manager).unlink()
        self.assertFalse(orders.exists())

    def test_merging_recipients_in_odoo_is_not_refused(self):
        person = self.people["administrator"]
        addresses = self.env["res.partner"].create(
            [
                {"name": "Адреса", "keycrm_recipient_key": key, "email": "a@example.com"}
                for key in ("one", "two")
            ]
        )
        wizard = self.env["base.partner.merge.automatic.wizard"].with_user(person).create({})
        wizard._merge(addresses.ids, addresses[0].with_user(person))
        self.assertEqual(addresses.exists(), addresses[0])
