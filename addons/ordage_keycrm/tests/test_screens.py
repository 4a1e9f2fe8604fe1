"""Screens say who decides: what KeyCRM decides cannot be changed here and lost again."""

from ast import literal_eval
from datetime import date, datetime, timedelta

from lxml import etree

from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, new_test_user

from .common import KeycrmCase

LINE = {"name": "Кухоль", "price": 100, "quantity": 2}


class TestOrderForm(KeycrmCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # What is hidden without these groups would be read-only for another reason.
        groups = (
            "base.group_no_one,sales_team.group_sale_manager,product.group_product_pricelist,"
            "account.group_delivery_invoice_address,sale_management.group_sale_order_template,"
            "stock.group_stock_multi_warehouses,stock.group_stock_user,uom.group_uom,"
            "sale.group_discount_per_so_line"
        )
        cls.salesperson = new_test_user(cls.env, "seller", groups=f"base.group_user,{groups}")
        cls.env["product.pricelist"].create({"name": "Wholesale"})

    def setUp(self):
        super().setUp()
        self.order = self.arrive(self.new_order([LINE])).with_user(self.salesperson)

    def assertReadOnly(self, order, field, value):
        form = Form(order)
        with self.assertRaisesRegex(AssertionError, f"can't write on readonly field '?{field}"):
            form[field] = value

    def test_fields_of_keycrm_are_read_only(self):
        other = self.env["res.partner"].create({"name": "Somebody else"})
        pricelist = self.env["product.pricelist"].search([], limit=1)
        for field, value in (
            ("partner_id", other),
            ("partner_invoice_id", other),
            ("partner_shipping_id", other),
            ("date_order", datetime(2020, 1, 1)),
            ("pricelist_id", pricelist),
            ("client_order_ref", "X"),
        ):
            with self.subTest(field):
                self.assertReadOnly(self.order, field, value)

    def test_line_fields_of_keycrm_are_read_only(self):
        tax = self.env["account.tax"].search([("company_id", "=", self.company.id)], limit=1)
        other = self.env["product.product"].create({"name": "Other"})
        for state in ("draft", "sale"):
            if state == "sale":
                self.keycrm.set_status(
                    self.order.keycrm_id, self.status(3).keycrm_id, webhook=False
                )
                self.arrive(self.order.keycrm_id)
            self.assertEqual(self.order.state, state)
            form = Form(self.order)
            with form.order_line.edit(0) as line:
                for field, value in (
                    ("product_id", other),
                    ("product_template_id", other.product_tmpl_id),
                    ("product_uom_qty", 7),
                    ("product_uom_id", self.env.ref("uom.product_uom_dozen")),
                    ("price_unit", 1),
                    ("discount", 50),
                ):
                    with (
                        self.subTest(state=state, field=field),
                        self.assertRaisesRegex(AssertionError, f"readonly field '?{field}"),
                    ):
                        line[field] = value
                with self.assertRaisesRegex(AssertionError, "not editable|readonly"):
                    line.tax_ids.add(tax)

    def test_server_refuses_changes_that_the_form_does_not_offer(self):
        line = self.order.order_line
        tax = self.env["account.tax"].search([("company_id", "=", self.company.id)], limit=1)
        other = self.env["product.product"].create({"name": "Other"})
        dozen = self.env.ref("uom.product_uom_dozen")
        spoofed = line.with_context(keycrm_marks=["<KeyCRM bridge>"])
        refused = {
            "quantity": lambda: line.write({"product_uom_qty": 7}),
            "price": lambda: line.write({"price_unit": 1}),
            "discount": lambda: line.write({"discount": 5}),
            "unit": lambda: line.write({"product_uom_id": dozen.id}),
            "tax": lambda: line.write({"tax_ids": [Command.set((tax - line.tax_ids).ids)]}),
            "product": lambda: line.write({"product_id": other.id}),
            "removing": line.unlink,
            "adding": lambda: self.order.write(
                {"order_line": [Command.create({"product_id": other.id})]}
            ),
            "a context that a user sends": lambda: spoofed.write({"product_uom_qty": 7}),
        }
        for what, change in refused.items():
            with self.subTest(what), self.assertRaises(UserError) as refusal:
                change()
            self.assertIn("KeyCRM", str(refusal.exception))
        self.assertEqual(line.product_uom_qty, 2)
        self.assertEqual(len(self.order.order_line), 1)

    def test_unchanged_values_and_odoos_own_changes_are_accepted(self):
        line = self.order.order_line
        line.write(
            {
                "product_id": line.product_id.id,
                "product_uom_qty": line.product_uom_qty,
                "price_unit": line.price_unit,
                "tax_ids": [Command.set(line.tax_ids.ids)],
            }
        )
        self.order.write(
            {"order_line": [Command.create({"display_type": "line_note", "name": "Fragile"})]}
        )
        # What a delivery adds without an order line.
        extra = self.env["product.product"].create({"name": "Extra"})
        self.order.write(
            {"order_line": [Command.create({"product_id": extra.id, "product_uom_qty": 0})]}
        )
        self.assertEqual(len(self.order.order_line), 3)
        self.arrive(self.order.keycrm_id)
        self.assertEqual(len(self.order.order_line), 3)

    def test_chosen_description_route_and_warehouse_are_kept(self):
        other = self.env["stock.warehouse"].create({"name": "Workshop", "code": "WSH"})
        self.salesperson.group_ids += self.env.ref("stock.group_adv_location")
        route = self.env["stock.route"].create({"name": "By hand", "sale_selectable": True})
        with Form(self.order) as form, form.order_line.edit(0) as line:
            line.name = "Mug with a name on it"
            line.route_ids.add(route)
            line.warehouse_id = other
        number, mug = self.order.keycrm_id, self.order.order_line
        line_id = self.keycrm.order(number)["answer"]["products"][0]["id"]
        self.keycrm.patch_line(number, line_id, quantity=3, price=90, webhook=False)
        self.arrive(number)
        self.assertRecordValues(
            mug,
            [
                {
                    "name": "Mug with a name on it",
                    "route_ids": route.ids,
                    "warehouse_id": other.id,
                    "product_uom_qty": 3,
                    "price_unit": 90,
                }
            ],
        )
        # What KeyCRM changes of its side is taken over.
        self.keycrm.patch_line(number, line_id, name="Кухоль великий", webhook=False)
        self.arrive(number)
        self.assertEqual(mug.name, "Кухоль великий")
        self.assertEqual(mug.warehouse_id, other)
        self.keycrm.set_status(number, self.status(3).keycrm_id, webhook=False)
        self.arrive(number)
        self.assertEqual(self.order.sudo().picking_ids.picking_type_id.warehouse_id, other)

    def test_fields_of_odoo_stay_editable(self):
        delivery = datetime.combine(date.today() + timedelta(days=3), datetime.min.time())
        with Form(self.order) as form:
            form.user_id = self.salesperson
            form.commitment_date = delivery
            form.warehouse_id = self.warehouse
            form.note = "<p>Gift wrap</p>"
        self.assertEqual(self.order.user_id, self.salesperson)
        self.assertEqual(self.order.commitment_date, delivery)
        self.assertIn("Gift wrap", self.order.note)

    def test_disabled_account_makes_its_orders_editable(self):
        self.account.enabled = False
        with Form(self.order) as form:
            form.client_order_ref = "By hand"
            with form.order_line.edit(0) as line:
                line.product_uom_qty = 5
        self.assertEqual(self.order.order_line.product_uom_qty, 5)
        self.assertEqual(self.order.client_order_ref, "By hand")

    def test_order_deleted_in_keycrm_is_editable(self):
        self.order.sudo()._keycrm_mark_deleted()
        self.assertFalse(self.order.keycrm_is_locked)

    def test_copy_of_an_order_is_editable(self):
        copy = self.order.copy()
        self.assertFalse(copy.keycrm_is_locked)
        with Form(copy) as form, form.order_line.edit(0) as line:
            line.product_uom_qty = 7
        self.assertEqual(copy.order_line.product_uom_qty, 7)

    def test_form_shows_the_reason_of_the_lock_once(self):
        arch = self.env["sale.order"].get_view(view_type="form")["arch"]
        self.assertEqual(arch.count("are changed in KeyCRM"), 1)


class TestAccountDefaults(KeycrmCase):
    def test_activities_are_never_assigned_to_odoobot(self):
        self.assertFalse(self.account.user_id, "these tests run as OdooBot")
        person = new_test_user(
            self.env, "boss", groups="base.group_user,ordage_keycrm.group_manager"
        )
        account = self.env["keycrm.account"].with_user(person).create({"name": "Second shop"})
        self.assertEqual(account.user_id, person)

    def test_default_warehouse_is_of_the_accounts_company(self):
        company = self.env["res.company"].create({"name": "Second company"})
        theirs = self.env["stock.warehouse"].search([("company_id", "=", company.id)], limit=1)
        self.assertEqual(self.account.warehouse_id, self.warehouse)
        account = self.env["keycrm.account"].create({"name": "Theirs", "company_id": company.id})
        self.assertEqual(account.warehouse_id, theirs)
        account.company_id = self.company
        self.assertEqual(account.warehouse_id, self.warehouse)

    def test_chosen_warehouse_is_kept(self):
        chosen = self.env["stock.warehouse"].create({"name": "Workshop", "code": "WSH"})
        account = self.env["keycrm.account"].create({"name": "Two", "warehouse_id": chosen.id})
        account.name = "Three"
        self.assertEqual(account.warehouse_id, chosen)


class TestStatusNames(KeycrmCase):
    def test_status_alias_has_a_name_in_the_readers_language(self):
        status = self.status(name="incorrect_data")
        self.assertEqual(status.display_name, "Incorrect data")
        self.assertEqual(status.with_context(lang="uk_UA").display_name, "Неправильні дані")
        self.assertEqual(status.name, "incorrect_data")

    def test_a_renamed_status_keeps_its_name(self):
        status = self.status(name="new")
        status.name = "Щойно прийшло"
        self.assertEqual(status.display_name, "Щойно прийшло")

    def test_status_is_found_by_its_displayed_name(self):
        Status = self.env["keycrm.order.status"].with_context(lang="uk_UA")
        found = [name for _id, name in Status.name_search("виробн")]
        self.assertIn("Виробництво", found)
        self.assertEqual([name for _id, name in Status.name_search("Пошиття")], ["Пошиття"])


class TestSeveralAccounts(KeycrmCase):
    def test_the_links_of_several_accounts_are_read_at_once(self):
        account = self.env["keycrm.account"].create({"name": "Second shop"})
        links = (self.account | account).mapped("webhook_url")
        self.assertEqual(len(set(links)), 2)

    def test_a_key_can_be_pasted_and_the_integration_enabled_in_one_save(self):
        values = {"api_key": self.second_key(), "api_url": self.sandbox.api_url, "enabled": True}
        account = self.env["keycrm.account"].create({"name": "Second shop", **values})
        self.assertTrue(account.enabled)
        account.write({"enabled": False, "api_key": False})
        with self.assertRaises(ValidationError):
            account.enabled = True
        account.write({"enabled": True, "api_key": self.second_key()})
        with self.assertRaises(ValidationError):
            account.api_key = False


class TestOnePlaceOfASetting(KeycrmCase):
    """A setting of an account is edited on one screen; the others show it."""

    def editable(self, model, view=None, read_only_if=("1", "True", "id")):
        """:return: names of the fields of a form, without those of lists in it"""
        Model = self.env[model]
        view = self.env.ref(f"ordage_keycrm.{view}") if view else self.env["ir.ui.view"]
        arch = etree.fromstring(Model.get_view(view.id, "form")["arch"])
        return {
            node.get("name")
            for node in arch.xpath("//field[not(ancestor::field)]")
            if node.get("invisible") not in ("1", "True")
            and node.get("readonly") not in read_only_if
            and not Model._fields[node.get("name")].readonly
        }

    def test_setting_is_edited_on_one_screen(self):
        setup = self.editable("keycrm.account", "keycrm_account_view_form_setup")
        form = self.editable("keycrm.account", "keycrm_account_view_form")
        # The key of another server is saved together with its address, which only the form has.
        self.assertEqual(setup & form, {"api_key"})
        self.assertIn("warehouse_ids", setup)
        settings = self.editable(
            "res.config.settings", read_only_if=("1", "True", "keycrm_account_id")
        )
        self.assertEqual([name for name in settings if name.startswith("keycrm_")], [])

    def test_matching_of_warehouses_is_edited_in_the_setup_alone(self):
        Warehouse = self.env["keycrm.warehouse"]
        for kind in ("list", "kanban"):
            arch = etree.fromstring(Warehouse.get_view(view_type=kind)["arch"])
            self.assertEqual([arch.get(key) for key in ("create", "edit", "delete")], ["0"] * 3)
            self.assertFalse(arch.get("editable"))
        other = self.env["keycrm.account"].create({"name": "Second shop"})
        place = Warehouse.create({"name": "Depot", "keycrm_id": 7, "account_id": other.id})
        for records, account in ((place, other), (Warehouse, self.account)):
            action = records.action_open_setup()
            self.assertEqual(
                (action["res_id"], action["context"]), (account.id, {"keycrm_step": "stock"})
            )


class TestOtherOrders(KeycrmCase):
    """Orders that are none of KeyCRM's are as Odoo has them, also for other modules."""

    def options_of_lines(self):
        arch = etree.fromstring(self.env["sale.order"].get_view(view_type="form")["arch"])
        (node,) = arch.xpath("//page[@name='order_lines']/field[@name='order_line']")
        return literal_eval(node.get("options"))

    def test_options_of_other_modules_are_kept(self):
        plain = self.options_of_lines()
        rule = [("keycrm_is_locked", "=", False)]
        self.assertEqual((plain["create"], plain["delete"]), (rule, rule))
        self.assertTrue(plain["subsections"], "Odoo's own are there")
        for options, expected in (
            ("{'of_theirs': 7}", {"of_theirs": 7, "create": rule, "delete": rule}),
            (
                "{'create': False, 'delete': [('locked', '=', False)]}",
                {"create": False, "delete": [*rule, ("locked", "=", False)]},
            ),
        ):
            view = self.env["ir.ui.view"].create(
                {
                    "name": "another module",
                    "model": "sale.order",
                    "inherit_id": self.env.ref("sale.view_order_form").id,
                    "arch": "<xpath expr=\"//page[@name='order_lines']/field[@name='order_line']\" "
                    f"position='attributes'><attribute name='options'>{options}</attribute></xpath>",
                }
            )
            self.assertEqual(self.options_of_lines(), expected)
            view.unlink()

    def test_warehouse_of_a_line_is_not_editable_and_not_copied(self):
        self.assertTrue(self.env["sale.order.line"]._fields["warehouse_id"].readonly)
        self.env.user.group_ids += self.env.ref("stock.group_stock_multi_warehouses")
        other = self.env["stock.warehouse"].create({"name": "Інший", "code": "OTH"})
        order = self.env["sale.order"].create(
            {
                "partner_id": self.env["res.partner"].create({"name": "К"}).id,
                "order_line": [
                    Command.create(
                        {"product_id": self.env["product.product"].create({"name": "Річ"}).id}
                    )
                ],
            }
        )
        with (
            self.assertRaises(AssertionError),
            Form(order) as form,
            form.order_line.edit(0) as line,
        ):
            line.warehouse_id = other
        order.order_line.warehouse_id = other
        self.assertNotEqual(order.copy().order_line.warehouse_id, other)


class TestEmptyScreens(KeycrmCase):
    def test_buttons_of_empty_screens_open_an_action(self):
        ours = [("module", "=", "ordage_keycrm"), ("model", "=", "ir.actions.act_window")]
        actions = self.env["ir.actions.act_window"].browse(
            self.env["ir.model.data"].search(ours).mapped("res_id")
        )
        for lang in ("en_US", "uk_UA"):
            names = [
                name
                for action in actions.with_context(lang=lang)
                if action.help
                for name in etree.HTML(action.help).xpath("//a[@type='action']/@name")
            ]
            self.assertGreater(len(names), 6)
            for name in names:
                self.assertTrue(self.env.ref(name)._name.startswith("ir.actions."), name)


class TestFavorites(KeycrmCase):
    """Favorites of all users in the lists of orders, parcels and stock."""

    def test_favorites_find_records_and_have_names_in_the_users_language(self):
        order = self.arrive(self.new_order([LINE]))
        order.state = "sale"
        for action, count in (
            ("keycrm_order_action", 3),
            ("keycrm_pack_action", 2),
            ("keycrm_stock_report_action", 2),
        ):
            action = self.env.ref(f"ordage_keycrm.{action}")
            model = action.res_model
            Filter = self.env["ir.filters"]
            favorites = Filter.get_filters(model, action.id)
            ours = [row for row in favorites if not row["user_ids"]]
            self.assertEqual(len(ours), count, model)
            self.env.user.lang = "uk_UA"
            names = {
                row["name"]
                for row in Filter.with_context(lang="uk_UA").get_filters(model, action.id)
            }
            self.env.user.lang = "en_US"
            self.assertFalse(names & {row["name"] for row in ours})
            for row in ours:
                domain = literal_eval(row["domain"])
                groups = literal_eval(row["context"]).get("group_by", [])
                with self.subTest(row["name"]):
                    self.env[model].search_count(domain)
                    self.env[model].formatted_read_group(domain, groups, ["__count"])
        found = self.env.ref("ordage_keycrm.filter_orders_by_source").domain
        self.assertIn(order, order.search(literal_eval(found)))

    def test_a_favorite_that_a_user_named_keeps_its_name(self):
        seller = new_test_user(
            self.env, "favorite", groups="sales_team.group_sale_salesman", lang="uk_UA"
        )
        Filter = self.env["ir.filters"].with_user(seller)
        mine = Filter.create(
            {"name": "Refused or on hold", "model_id": "sale.order", "user_ids": seller.ids}
        )
        rows = Filter.get_filters("sale.order")
        self.assertEqual([row["name"] for row in rows if row["id"] == mine.id], [mine.name])
