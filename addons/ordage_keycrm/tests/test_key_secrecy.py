"""The API key cannot be found in Odoo: on no screen, by no call, in no log, in no table."""

import json
import logging

from psycopg2 import errors

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, HttpCase, new_test_user, tagged
from odoo.tools import SQL

from sandbox.threaded import ThreadedSandbox

from ..const import API_KEY_MASK, API_URL
from .common import KEY, KeycrmCase

SECRET_FIELDS = ("api_key_secret", "webhook_token", "webhook_token_digest")


class SecretCase(KeycrmCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.manager = new_test_user(
            cls.env,
            "keycrm-boss",
            groups="ordage_keycrm.group_manager,sales_team.group_sale_manager,base.group_allow_export",
        )
        cls.admin = cls.env.ref("base.user_admin")
        cls.token = cls.account.webhook_url.rsplit("/", 1)[1]

    def assertSecret(self, *shown):
        """Nothing of what was shown holds the key, as typed or as stored."""
        text = json.dumps(shown, default=str, ensure_ascii=False)
        self.assertNotIn(KEY, text)
        self.assertNotIn(self.account.sudo().api_key_secret, text)

    def seen_by(self, user):
        self.env.flush_all()
        self.env.invalidate_all()
        return self.account.with_user(user)

    def accounts_of_all_users(self):
        yield self.seen_by(self.manager)
        yield self.seen_by(self.admin)


class TestKeyOnScreens(SecretCase):
    def test_no_way_of_reading_gives_the_key(self):
        for account in self.accounts_of_all_users():
            names = list(account.fields_get())
            self.assertFalse(set(SECRET_FIELDS) & set(names))
            self.assertSecret(
                account.read(names),
                account.search_read([("id", "=", account.id)], names),
                account.web_read({name: {} for name in names}),
                account.web_search_read([("id", "=", account.id)], {name: {} for name in names}),
                account.export_data(names),
                account.name_search("Shop"),
                account.default_get(names),
                account.copy_data(),
                account.onchange({"name": "x"}, ["name"], {name: {} for name in names}),
                account.onchange({}, [], {"api_key": {}}),
            )
            self.assertEqual(account.read(["api_key"])[0]["api_key"], API_KEY_MASK)

    def test_stored_secrets_cannot_be_read_by_field_name(self):
        for account in self.accounts_of_all_users():
            for field in SECRET_FIELDS:
                spec = {field: {}}
                attempts = (
                    lambda a, f, _s: a.read([f]),
                    lambda a, f, _s: a.search_read([], [f]),
                    lambda a, _f, s: a.web_read(s),
                    lambda a, f, _s: a.export_data([f]),
                    lambda a, f, _s: a[f],
                    lambda a, f, _s: a.mapped(f),
                    lambda a, f, _s: a.write({f: "x"}),
                    lambda a, f, _s: a.create({"name": "New", f: "x"}),
                )
                for number, read in enumerate(attempts):
                    with self.subTest(field=field, way=number):
                        self.assertRefused(read, account, field, spec)

    def test_nothing_can_be_guessed_by_searching_sorting_or_grouping(self):
        for account in self.accounts_of_all_users():
            env = account.env
            for field in SECRET_FIELDS:
                for model, path in (
                    ("keycrm.account", field),
                    ("sale.order", f"keycrm_account_id.{field}"),
                    ("keycrm.event", f"account_id.{field}"),
                    ("keycrm.order.status", f"account_id.{field}"),
                ):
                    Model = env[model]
                    relation, _dot, _field = path.rpartition(".")
                    attempts = [
                        lambda m, p: m.search_count([(p, "=like", "a%")]),
                        lambda m, p: m.search([(p, "!=", False)]),
                        lambda m, p: m.search([], order=p),
                        lambda m, p: m.formatted_read_group([], [p]),
                        lambda m, p: m.web_read_group([], [p]),
                        lambda m, p: m.formatted_read_group([], [], [f"{p}:max"]),
                        lambda m, p: m.formatted_read_group([], [], [f"{p}:array_agg"]),
                        lambda m, p: m.read_group([], [f"x:max({p})"], []),
                    ]
                    if relation:
                        part = [(field, "=like", "a%")]
                        attempts.append(lambda m, _p, r=relation, d=part: m.search([(r, "any", d)]))
                    for number, read in enumerate(attempts):
                        with self.subTest(path=path, model=model, way=number):
                            self.assertRefused(read, Model, path)

    def test_mask_cannot_be_searched(self):
        for account in self.accounts_of_all_users():
            self.assertRefused(account.search, [("api_key", "=like", "t%")])
            self.assertRefused(account.formatted_read_group, [], ["api_key"])

    def test_a_reopened_form_shows_the_mask_and_saving_it_changes_nothing(self):
        for account in self.accounts_of_all_users():
            stored = self.account.sudo().api_key_secret
            with Form(account, view="ordage_keycrm.keycrm_account_view_form_setup") as form:
                self.assertEqual(form.api_key, API_KEY_MASK)
                form.name = f"Shop of {account.env.user.login}"
            account.write({"api_key": API_KEY_MASK})
            account.write({"api_key": f" {API_KEY_MASK} "})
            self.assertEqual(self.account.sudo().api_key_secret, stored)
            self.assertEqual(self.account._api_key(), KEY)

    def test_key_never_appears_in_the_chatter(self):
        account = self.seen_by(self.manager)
        account.write({"api_key": "a second key of this shop"})
        account.write({"api_key": KEY, "name": "Renamed", "push_stock": True})
        self.env.flush_all()
        messages = self.env["mail.message"].search([("model", "=", "keycrm.account")])
        tracked = messages.sudo().tracking_value_ids
        self.assertSecret(messages.read(["body", "subject"]), tracked.read())
        self.assertNotIn("second key", str(tracked.read()))

    def test_new_key_is_not_read_back_in_the_same_request(self):
        account = self.seen_by(self.manager)
        account.write({"api_key": "a second key of this shop"})
        self.assertEqual(account.read(["api_key"])[0]["api_key"], API_KEY_MASK)
        new = account.create({"name": "New", "api_key": "a third key of this shop"})
        self.assertEqual(new.api_key, API_KEY_MASK)
        saved = account.web_save({"api_key": "a fourth key of this shop"}, {"api_key": {}})
        self.assertEqual(saved[0]["api_key"], API_KEY_MASK)

    def test_a_copy_of_an_account_has_no_key_and_no_link_of_the_other(self):
        copy = self.seen_by(self.manager).copy()
        self.assertFalse(copy.api_key)
        self.assertFalse(copy.enabled)
        self.assertNotEqual(copy.webhook_url, self.account.webhook_url)

    def test_mail_template_cannot_render_the_key(self):
        text = "{{ object.api_key_secret }}"
        for user in (self.manager, self.admin):
            self.seen_by(user)
            renderer = self.env["mail.render.mixin"].with_user(user)
            self.assertRefused(renderer._render_template, text, "keycrm.account", self.account.ids)


class TestKeyOnTheWay(SecretCase):
    def test_a_stored_key_is_sent_to_no_other_server(self):
        with ThreadedSandbox(KEY) as attacker:
            for account in self.accounts_of_all_users():
                for vals in ({}, {"api_key": API_KEY_MASK}):
                    self.assertRefused(account.write, {"api_url": attacker.api_url, **vals})
                self.assertEqual(account.api_url, self.sandbox.api_url)
                account.action_test_connection()
            self.assertFalse(attacker.control.requests())

    def test_key_entered_with_an_address_is_sent_to_it(self):
        with ThreadedSandbox("the key of the other") as other:
            account = self.seen_by(self.admin)
            account.write({"api_url": other.api_url, "api_key": "the key of the other"})
            account.action_test_connection()
            self.assertTrue(other.control.requests())
            self.assertNotIn(KEY, str(other.control.requests()))

    def test_only_odoos_administrators_may_change_the_address(self):
        with ThreadedSandbox(KEY) as attacker:
            account = self.seen_by(self.manager)
            account.write({"enabled": False, "api_key": False})
            for vals in (
                {"api_url": attacker.api_url},
                {"api_url": attacker.api_url, "api_key": "x"},
            ):
                with self.assertRaises(AccessError), self.env.cr.savepoint():
                    account.write(vals)
                with self.assertRaises(AccessError), self.env.cr.savepoint():
                    account.create({"name": "Second", **vals})
                sent = account.with_context(default_api_url=attacker.api_url)
                with self.assertRaises(AccessError), self.env.cr.savepoint():
                    sent.create({"name": "Second"})
            self.assertNotEqual(account.copy({"name": "Copy"}).api_url, attacker.api_url)
            self.assertTrue(account.fields_get(["api_url"])["api_url"]["readonly"])
            self.seen_by(self.admin).api_key = KEY
            self.account.action_test_connection()
            self.assertFalse(attacker.control.requests())

    def test_no_default_of_a_user_changes_the_address_of_the_key(self):
        with ThreadedSandbox(KEY) as attacker:
            seen = self.seen_by(self.manager)
            own = self.env["ir.default"].with_user(self.manager)
            own.set("keycrm.account", "api_url", attacker.api_url, True)
            for accounts in (seen, seen.sudo()):
                self.assertEqual(accounts.create({"name": "Second"}).api_url, API_URL)
            # Odoo's administrators may change the address, and have a default for it.
            self.env["ir.default"].with_user(self.admin).set(
                "keycrm.account", "api_url", attacker.api_url, True
            )
            made = self.seen_by(self.admin).create({"name": "Third"})
            self.assertEqual(made.api_url, attacker.api_url)

    def test_server_that_is_not_keycrms_is_shown_next_to_the_key(self):
        self.assertEqual(self.seen_by(self.manager).other_host, "127.0.0.1")
        self.account.write({"api_url": "https://openapi.keycrm.app/v1/", "api_key": "x"})
        self.assertFalse(self.seen_by(self.manager).other_host)
        for address in (
            "http://openapi.keycrm.app/v1",
            "https://openapi.keycrm.app.evil.example/v1",
        ):
            self.account.write({"api_url": address, "api_key": "x"})
            self.assertTrue(self.seen_by(self.manager).other_host)

    def test_another_path_of_the_same_server_needs_no_key(self):
        account = self.seen_by(self.admin)
        account.write({"api_url": self.sandbox.api_url + "/"})
        self.assertEqual(account._api_key(), KEY)

    def test_addresses_that_hide_another_host_are_refused(self):
        for address in (
            "https://user:password@openapi.keycrm.app/v1",
            "https://openapi.keycrm.app@evil.example/v1",
            "https://openapi.keycrm.app:port/v1",
            "https://openapi.keycrm.app/v1\nHost: evil.example",
            "javascript:alert(1)",
            "file:///etc/passwd",
            "//openapi.keycrm.app",
        ):
            with self.subTest(address), self.assertRaises(ValidationError):
                self.account.write({"api_url": address, "api_key": KEY})

    def test_copied_database_cannot_decrypt_the_key_and_shows_it(self):
        self.env["ir.config_parameter"].init(force=True)
        account = self.seen_by(self.manager)
        self.assertFalse(account.webhook_url)
        with self.assertRaisesRegex(UserError, "Shop"):
            account.action_test_connection()
        before = len(self.keycrm.requests())
        with self.committing():
            self.env["keycrm.account"]._cron_orders(self.account.id)
        self.assertEqual(self.account.circuit_error_code, "key_not_decryptable")
        self.assertEqual(len(self.keycrm.requests()), before)
        account.write({"api_key": KEY})
        account.action_test_connection()
        self.assertFalse(self.account.circuit_error_code)


class TestKeyInLogs(SecretCase):
    """Odoo with ``--log-level=debug_sql``, and all other loggers at the level DEBUG."""

    def setUp(self):
        super().setUp()
        self.lines = []
        handler = logging.Handler()
        handler.emit = lambda record: self.lines.append(self.written(record))
        root = logging.getLogger()
        names = ("", "odoo", "odoo.sql_db", "odoo.http", "urllib3", "requests", "werkzeug")
        for name in names:
            logger = logging.getLogger(name)
            self.addCleanup(logger.setLevel, logger.level)
            logger.setLevel(logging.DEBUG)
        root.addHandler(handler)
        self.addCleanup(root.removeHandler, handler)

    @staticmethod
    def written(record):
        return logging.Formatter("%(name)s %(message)s").format(record)

    def assertLogHasNo(self, *secrets):
        log = "\n".join(self.lines)
        self.assertIn("odoo.sql_db", log)
        for secret in secrets:
            self.assertNotIn(secret, log)

    def test_entering_using_and_failing_logs_no_key(self):
        account = self.seen_by(self.manager)
        account.write({"api_key": KEY})
        self.env.flush_all()
        account.action_test_connection()
        account.write({"api_key": "wrong-key-of-this-shop"})
        with self.assertRaises(UserError):
            account.action_test_connection()
        account.write({"api_key": KEY})
        with self.committing():
            self.env["keycrm.account"]._cron_orders(self.account.id)
        self.assertIn("urllib3", "\n".join(self.lines))
        self.assertLogHasNo(KEY, "wrong-key-of-this-shop", "Bearer")

    def test_a_statement_that_fails_logs_no_secret(self):
        # What happens when two people save one account at once: Odoo logs the statement as an error.
        account = self.seen_by(self.manager)
        account.write({"api_key": "another-key-of-this-shop"})
        account.action_new_webhook_token()
        token = account.webhook_url.rsplit("/", 1)[1]
        with self.assertRaises(errors.CheckViolation), self.cr.savepoint():
            account.sudo().write({"poll_minutes": 0, "api_key": "a-third-key-of-this-shop"})
            self.env.flush_all()
        self.assertIn("bad query", "\n".join(self.lines))
        self.assertLogHasNo("another-key-of-this-shop", "a-third-key-of-this-shop", token)

    def test_a_key_that_cannot_be_sent_is_not_repeated(self):
        account = self.seen_by(self.manager)
        for key in ("ключ-крамниці", "two\nlines-of-a-key", "nul\0in-a-key", "половина\ud800"):
            with self.subTest(repr(key)):
                account.write({"api_key": key})
                self.env.flush_all()
                with self.assertRaises(UserError) as caught:
                    account.action_test_connection()
                self.assertNotIn(key, str(caught.exception))
                self.assertLogHasNo(key)

    def test_key_repeated_by_a_server_is_shown_on_no_screen(self):
        self.keycrm.add_fault(
            "status",
            path="/order/status",
            status=422,
            message=f"Key {KEY} is not known here",
            times=None,
        )
        self.addCleanup(self.keycrm.clear_faults)
        with self.assertRaises(UserError) as caught:
            self.account.action_refresh_statuses()
        self.assertNotIn(KEY, str(caught.exception))
        self.assertIn("is not known here", str(caught.exception))
        self.assertLogHasNo(KEY)

    def test_no_table_of_the_database_holds_a_secret(self):
        account = self.seen_by(self.admin)
        settings = self.env["res.config.settings"].with_user(self.admin).create({})
        settings.keycrm_api_key = "typed-into-the-settings"
        self.env.flush_all()
        token = account.webhook_url.rsplit("/", 1)[1]
        self.cr.execute(
            "SELECT table_name FROM information_schema.tables"
            " WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
        )
        tables = [name for (name,) in self.cr.fetchall()]
        self.assertGreater(len(tables), 300)
        for table in tables:
            for secret in (KEY, token, "typed-into-the-settings"):
                self.cr.execute(
                    SQL(
                        "SELECT 1 FROM %s AS row WHERE row::text LIKE %s LIMIT 1",
                        SQL.identifier(table),
                        f"%{secret}%",
                    )
                )
                self.assertFalse(self.cr.fetchall(), table)


@tagged("-at_install", "post_install")
class TestKeyOverRpc(SecretCase, HttpCase):
    def test_web_client_receives_only_the_mask(self):
        new_test_user(
            self.env, "keycrm-web", groups="ordage_keycrm.group_manager", password="keycrm-web"
        )
        self.authenticate("keycrm-web", "keycrm-web")
        names = list(self.account.with_user(self.manager).fields_get())
        for method, args in (
            ("read", [[self.account.id], names]),
            ("search_read", [[], names]),
            ("web_read", [[self.account.id], {name: {} for name in names}]),
            ("read", [[self.account.id], ["api_key_secret"]]),
            ("_api_key", [[self.account.id]]),
            ("_unsealed", ["x"]),
            ("_client", [[self.account.id]]),
        ):
            answer = self.url_open(
                f"/web/dataset/call_kw/keycrm.account/{method}",
                data=json.dumps(
                    {
                        "params": {
                            "model": "keycrm.account",
                            "method": method,
                            "args": args,
                            "kwargs": {},
                        }
                    }
                ),
                headers={"Content-Type": "application/json"},
            )
            self.assertEqual(answer.status_code, 200)
            self.assertSecret(answer.text)
            if method.startswith("_") or args[-1] == ["api_key_secret"]:
                self.assertIn("error", answer.json())

    def test_settings_show_the_mask_to_the_administrator(self):
        settings = self.env["res.config.settings"].with_user(self.admin).create({})
        self.assertSecret(settings.read(), settings.onchange({}, [], {"keycrm_api_key": {}}))
        self.assertEqual(settings.keycrm_api_key, API_KEY_MASK)
        settings.execute()
        self.assertEqual(self.account._api_key(), KEY)
