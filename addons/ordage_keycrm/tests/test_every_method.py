"""Every method that can be called from outside, called by every role: readers change nothing."""

import inspect
from collections import defaultdict

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.models import BaseModel
from odoo.service.model import call_kw, get_public_method
from odoo.tests import new_test_user

from .test_guards import GuardCase
from .test_rights import is_of_this_addon

ADMINS = {"KeyCRM administrator", "administrator"}
#: Whom Odoo lets write an order.
ORDER_WRITERS = ADMINS | {
    "seller",
    "own seller",
    "sales manager",
    "storekeeper",
    "stock manager",
    "accountant",
}
#: Roles that may change something with a method; other methods are for KeyCRM's administrators alone.
MAY = {
    # Its answer names the account, of which accountants see nothing.
    ("sale.order", "action_keycrm_refresh"): ORDER_WRITERS - {"accountant"},
    ("sale.order", "action_keycrm_restore"): ORDER_WRITERS,
    ("sale.order", "action_keycrm_keep_canceled"): ORDER_WRITERS,
    ("sale.order", "action_keycrm_accept"): ORDER_WRITERS,
}
#: Odoo lets its own administrators alone touch its settings.
SETTINGS = {"administrator"}
#: Rows that stand for an open window and belong to its user alone.
WINDOWS = {"keycrm_stock_explanation", "keycrm_stock_explanation_line", "res_config_settings"}
MORE_ROLES = {
    "own seller": "sales_team.group_sale_salesman",
    "auditor": "account.group_account_readonly",
    "reader": "account.group_account_readonly,ordage_keycrm.group_user",
    "employee": "base.group_user",
}
#: Tried with no record, one that is not there and an order without KeyCRM, too: the outcome is the same
#: for the others.
CURIOUS = ("portal", "own seller", "KeyCRM administrator")
NOT_THERE = 2_000_000_000


class TestEveryMethod(GuardCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for place, (role, groups) in enumerate(MORE_ROLES.items()):
            cls.people[role] = new_test_user(cls.env, f"more-{place}", groups=groups)
        cls.people["public"] = cls.env.ref("base.public_user")
        # The shopper sees this very order in the portal, and no salesperson has it: all may read it.
        cls.order.partner_id = cls.people["portal"].partner_id
        cls.order.user_id = False
        # Each button finds something to do.
        cls.account.push_stock = True
        cls.records["keycrm.stock.comparison"].finished_at = fields.Datetime.now()
        cls.order.keycrm_former_partner_id = cls.env["res.partner"].create({"name": "Колишній"})
        cls.settings = {
            role: cls.env["res.config.settings"].create({}) for role, _person in cls.people.items()
        }
        cls.plain_order = cls.order.copy()
        cls.env.flush_all()

    def public_methods(self):
        """:return: sorted ``[(model, method)]`` that the addons add and RPC lets through"""
        base = {name for name, _value in inspect.getmembers(BaseModel)}
        found = set()
        for name, Model in self.env.registry.items():
            ours = [klass for klass in Model.mro() if is_of_this_addon(klass)]
            others = [klass for klass in Model.mro() if klass not in (Model, *ours)]
            for method in {m for klass in ours for m, v in vars(klass).items() if callable(v)}:
                if method in base or method.startswith("_") or Model._abstract:
                    continue
                if any(method in vars(klass) for klass in others):
                    continue
                try:
                    get_public_method(self.env[name], method)
                except AccessError:
                    continue
                found.add((name, method))
        return sorted(found)

    def written(self):
        """:return: ``{table: rows written in this transaction so far}``"""
        self.env.cr.execute(
            """SELECT relname, n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_xact_user_tables
                WHERE n_tup_ins + n_tup_upd + n_tup_del > 0"""
        )
        return dict(self.env.cr.fetchall())

    def requests(self):
        """:return: how many requests KeyCRM got so far"""
        return sum(self.sandbox.sandbox.request_log.counts().values())

    def outcome(self, role, model, method, ids):
        """Call a method as RPC does, and undo it.

        :return: ``(kind of answer, tables written, requests that KeyCRM got)``
        """
        person = self.people[role]
        Model = self.env[model].with_user(person).with_company(person.company_id)
        self.env.flush_all()
        self.env.invalidate_all()
        before, requests = self.written(), self.requests()
        kind = "answers"
        savepoint = self.env.cr.savepoint(flush=False)
        try:
            with self.committing():
                args = [] if getattr(getattr(Model, method), "_api_model", False) else [ids]
                answer = call_kw(Model, method, args, {})
            self.assertIsNotNone(answer, f"{model}.{method}: XML-RPC cannot carry None")
            self.env.flush_all()
            # What waits for the commit is written too.
            self.env.cr.precommit.run()
        except (AccessError, UserError) as error:
            kind = type(error).__name__
        except ValueError as error:
            kind = "singleton" if "singleton" in str(error) else repr(error)
        except Exception as error:
            kind = repr(error)
        after = self.written()
        savepoint.close(rollback=True)
        self.env.cr.precommit.clear()
        self.env.invalidate_all()
        tables = {table for table, rows in after.items() if rows != before.get(table)} - WINDOWS
        return kind, tables, self.requests() - requests

    def ids_for(self, role, model):
        """:return: what a method is called on: a record, none, one that is not there, and a plain order"""
        if model == "res.config.settings":
            return (self.settings[role].ids, [])
        rows = [self.records[model].ids]
        if role in CURIOUS:
            rows += [[], [NOT_THERE]]
        if model == "sale.order" and role in CURIOUS:
            rows.append(self.plain_order.ids)
        return tuple(rows)

    def allowed(self, model, method):
        if model == "res.config.settings":
            return SETTINGS
        return MAY.get((model, method), ADMINS)

    def test_role_without_write_access_changes_nothing_by_any_method(self):
        methods = self.public_methods()
        self.assertGreater(len(methods), 60)
        changed, strange, working = [], [], defaultdict(set)
        for role in self.people:
            for model, method in methods:
                for ids in self.ids_for(role, model):
                    kind, tables, requests = self.outcome(role, model, method, ids)
                    if tables or requests:
                        working[model, method].add(role)
                    what = (role, model, method, ids)
                    if kind not in ("answers", "singleton") and not kind.endswith("Error"):
                        strange.append((*what, kind))
                    if kind == "singleton" and ids:
                        strange.append((*what, kind))
                    if (tables or requests) and role not in self.allowed(model, method):
                        changed.append((*what, kind, sorted(tables), requests))
        self.assertEqual(changed, [], "changed by a role that may not")
        self.assertEqual(strange, [], "no refusal in words")
        # What is not seen to work for those who may proves nothing for the others.
        self.assertIn("own seller", working["sale.order", "action_keycrm_refresh"])
        self.assertIn("KeyCRM administrator", working["keycrm.account", "action_test_connection"])
        self.assertGreater(len(working), 20, "methods that change something")

    def test_role_with_the_right_is_not_refused(self):
        for (model, method), roles in MAY.items():
            for role in sorted(roles - {"own seller"}):
                with self.subTest(role=role, method=method):
                    kind, _tables, _requests = self.outcome(
                        role, model, method, self.records[model].ids
                    )
                    self.assertNotEqual(kind, "AccessError")

    def test_portal_buyer_cannot_call_the_addons_methods_of_orders(self):
        for model in ("sale.order", "sale.order.line"):
            for name, method in self.public_methods():
                if name == model:
                    for role in ("portal", "public"):
                        with self.subTest(role=role, method=method):
                            kind, _t, _a = self.outcome(
                                role, model, method, self.records[model].ids
                            )
                            self.assertEqual(kind, "AccessError")
