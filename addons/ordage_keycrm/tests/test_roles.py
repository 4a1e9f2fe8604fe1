"""Every role that sees a menu can open what is in it."""

from ast import literal_eval

from lxml import etree

from odoo import Command

from .test_rights import RightsCase

ROLES = {
    "seller": "sales_team.group_sale_salesman_all_leads",
    "storekeeper": "stock.group_stock_user",
    "accountant": "account.group_account_invoice",
    "user": "ordage_keycrm.group_user",
    "manager": "ordage_keycrm.group_manager",
}


class TestRoles(RightsCase):
    def setUp(self):
        super().setUp()
        self.order = self.records["sale.order"]
        self.order.user_id = False

    def actions(self, user):
        """Return the window actions of our menus that a user sees."""
        menus = self.env["ir.ui.menu"].with_user(user).load_menus(False)
        root = self.env.ref("ordage_keycrm.menu_root").id
        own = [
            menu for menu in menus.values() if menu.get("app_id") == root and menu.get("action_id")
        ]
        for menu in own:
            if menu["action_model"] == "ir.actions.act_window":
                action = self.env["ir.actions.act_window"].browse(menu["action_id"])
                yield menu["name"], action

    def specification(self, arch, models, model):
        """Return what the web client reads for a view: its fields, one level deep."""
        names = {}
        for node in arch.xpath("//field[not(ancestor::field)]"):
            name = node.get("name")
            field = models[model].get(name)
            if not field:
                continue
            if field["type"] == "many2one":
                names[name] = {"fields": {"display_name": {}}}
            elif field["type"] in ("one2many", "many2many"):
                inner = {
                    sub.get("name"): {}
                    for sub in node.xpath(".//field")
                    if sub.get("name") in models.get(field["relation"], {})
                }
                names[name] = {"fields": {"display_name": {}, **inner} if inner else {}}
            else:
                names[name] = {}
        return names

    def open(self, user, action):
        """Read a list and the first record's form as the web client does."""
        Model = self.env[action.res_model].with_user(user).with_company(self.company)
        modes = [mode for mode in action.view_mode.split(",") if mode in ("list", "kanban", "form")]
        bound = {view.view_mode: view.view_id.id for view in action.view_ids}
        first = action.view_mode.split(",")[0]
        views = Model.get_views(
            [
                (bound.get(mode) or (action.view_id.id if mode == first else False), mode)
                for mode in modes
            ]
        )
        fields = {name: model["fields"] for name, model in views["models"].items()}
        domain = literal_eval(action.domain or "[]")
        found = None
        for mode in modes:
            arch = etree.fromstring(views["views"][mode]["arch"])
            spec = self.specification(arch, fields, action.res_model)
            if mode == "form":
                record = Model.search(domain, limit=1) if found is None else found
                record.web_read(spec)
            else:
                rows = Model.web_search_read(domain, spec, limit=5)["records"]
                found = Model.browse(row["id"] for row in rows[:1])
        return found

    def test_every_role_can_open_each_of_its_menus(self):
        for role, groups in ROLES.items():
            user = self.new_user(f"role-{role}", groups)
            user.company_ids = [Command.set(self.company.ids)]
            seen = 0
            for name, action in self.actions(user):
                with self.subTest(role=role, menu=name):
                    self.env.invalidate_all()
                    self.open(user, action)
                    seen += 1
            self.assertGreater(seen, 1, role)
