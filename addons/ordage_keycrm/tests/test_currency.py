"""The currency of KeyCRM in an Odoo as anyone installs it: the company in dollars, hryvnias inactive."""

from unittest.mock import patch

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import TransactionCase, new_test_user, tagged
from odoo.tools import mute_logger

from ..services.account.currency import AccountCurrency


@tagged("post_install", "-at_install")
class TestCurrency(TransactionCase):
    """A shop in hryvnias in a company in dollars without journal items."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        currencies = cls.env["res.currency"].with_context(active_test=False)
        cls.usd = cls.env.ref("base.USD")
        cls.uah = cls.env.ref("base.UAH")
        cls.pln = cls.env.ref("base.PLN")
        cls.company = cls.env["res.company"].create(
            {"name": "Fresh", "currency_id": cls.usd.id, "country_id": False}
        )
        cls.env["res.company"].search([]).write({"currency_id": cls.usd.id})
        cls.env["res.currency.rate"].search([]).unlink()
        (currencies.search([]) - cls.usd).active = False
        cls.env.user.company_ids |= cls.company
        cls.env = cls.env(context={"allowed_company_ids": cls.company.ids})
        cls.account = cls.env["keycrm.account"].create(
            {"name": "Shop", "company_id": cls.company.id, "api_key": "a key"}
        )

    def source(self, *codes, number=1):
        """Let KeyCRM name sources, one for each currency code."""
        return self.env["keycrm.source"].create(
            [
                {
                    "account_id": self.account.id,
                    "keycrm_id": number + index,
                    "name": f"Source {number + index}",
                    "currency_code": code,
                }
                for index, code in enumerate(codes)
            ]
        )

    def journal_item(self):
        journal = self.env["account.journal"].create(
            {"name": "Any", "type": "general", "code": "ANY", "company_id": self.company.id}
        )
        accounts = self.env["account.account"].create(
            [
                {"name": f"Account {n}", "code": f"9000{n}", "account_type": "asset_current"}
                for n in range(2)
            ]
        )
        self.env["account.move"].create(
            {
                "journal_id": journal.id,
                "line_ids": [
                    fields.Command.create({"account_id": accounts[0].id, "debit": 1.0}),
                    fields.Command.create({"account_id": accounts[1].id, "credit": 1.0}),
                ],
            }
        ).action_post()

    # === ACTIVATION ===#

    def test_source_activates_its_currency(self):
        self.assertEqual(self.account.currency_state, "unknown")
        source = self.source("UAH")
        self.assertTrue(self.uah.active)
        self.assertEqual(self.account.keycrm_currency_id, self.uah)
        self.assertEqual(self.account.keycrm_currency_ids, self.uah)
        source.currency_code = "PLN"
        self.assertTrue(self.pln.active, "a source that changes later counts too")
        self.assertEqual(self.account.keycrm_currency_id, self.pln)

    def test_code_that_odoo_lacks_activates_nothing(self):
        before = self.env["res.currency"].search([])
        self.source("USDT", "XX", "", False, "ZZZ")
        self.assertEqual(self.env["res.currency"].search([]), before)
        self.assertEqual(self.account.currency_state, "unknown")

    def test_deactivated_currency_stays_inactive(self):
        source = self.source("PLN")
        self.pln.active = False
        source.name = "Renamed in KeyCRM"
        self.assertFalse(self.pln.active)

    def test_user_chooses_among_several_currencies(self):
        self.source("UAH", "PLN")
        self.assertEqual(self.account.keycrm_currency_ids, self.uah | self.pln)
        self.assertEqual(self.account.currency_state, "choose")
        self.account.keycrm_currency_id = self.pln
        self.source("EUR", number=3)
        self.assertEqual(self.account.keycrm_currency_id, self.pln, "the choice stays")
        self.assertEqual(self.account.currency_state, "switch")

    # === COMPANY CURRENCY ===#

    def test_one_click_replaces_company_currency(self):
        self.source("UAH")
        self.assertEqual(self.account.currency_state, "switch")
        others = self.env["res.company"].search([]) - self.company
        self.account.action_set_company_currency()
        self.assertEqual(self.company.currency_id, self.uah)
        self.assertEqual(self.account.currency_state, "same")
        self.assertTrue(self.usd.active, "other companies use it")
        others.write({"currency_id": self.uah.id})
        pricelists = self.env["product.pricelist"].search([])
        pricelists.currency_id = self.uah
        AccountCurrency(self.account)._replace_currency(self.company, self.usd)
        self.assertFalse(self.usd.active, "nothing uses it")

    def test_account_of_branch_changes_currency_of_root(self):
        branch = self.env["res.company"].create({"name": "Branch", "parent_id": self.company.id})
        self.env.user.company_ids |= branch
        self.account = self.env["keycrm.account"].create(
            {"name": "Branch", "company_id": branch.id, "api_key": "another key"}
        )
        self.source("UAH")
        self.account.action_set_company_currency()
        self.assertEqual((self.company | branch).mapped("currency_id"), self.uah)
        self.assertEqual(self.account.currency_state, "same")

    def test_company_with_journal_items_gets_rate(self):
        self.source("UAH")
        self.journal_item()
        self.assertEqual(self.account.currency_state, "rate")
        self.assertEqual(self.account.currency_rate_text, "1 USD = … UAH")
        with self.assertRaisesRegex(UserError, "journal items"):
            self.account.action_set_company_currency()
        with self.assertRaisesRegex(UserError, "how many UAH"):
            self.account.action_set_currency_rate()
        self.account.currency_rate = 41.5
        self.account.action_set_currency_rate()
        self.assertEqual(self.account.currency_state, "rate_done")
        self.assertEqual(self.account.currency_rate_text, "1 USD = 41.50 UAH")
        self.account.currency_rate = 42
        self.account.action_set_currency_rate()
        self.assertEqual(self.account.currency_rate_text, "1 USD = 42.00 UAH", "corrected today")
        day = fields.Date.today()
        self.assertEqual(self.uah._convert(84, self.usd, self.company, day), 2.0)

    def test_rate_is_entered_as_price_of_one_foreign_unit(self):
        self.company.currency_id = self.uah
        self.source("USD")
        self.journal_item()
        self.assertEqual(self.account.currency_rate_text, "1 USD = … UAH")
        self.account.currency_rate = 40
        self.account.action_set_currency_rate()
        day = fields.Date.today()
        self.assertEqual(self.usd._convert(2, self.uah, self.company, day), 80.0)

    def test_manager_without_rights_is_referred_to_an_administrator(self):
        self.source("UAH")
        manager = new_test_user(
            self.env,
            "keycrm-only",
            "ordage_keycrm.group_manager",
            company_id=self.company.id,
            company_ids=self.company.ids,
        )
        account = self.account.with_user(manager)
        self.assertEqual(account.currency_state, "switch")
        with self.assertRaisesRegex(UserError, "administrator"):
            account.action_set_company_currency()
        self.journal_item()
        account.currency_rate = 41.5
        with self.assertRaisesRegex(UserError, "administrator"):
            account.action_set_currency_rate()

    # === UKRAINIAN ===#

    def test_manager_switches_to_ukrainian(self):
        self.env["res.lang"]._activate_lang("en_US")
        language = self.env["res.lang"].search([("code", "=", "uk_UA")])
        manager = new_test_user(
            self.env,
            "ukrainian",
            "ordage_keycrm.group_manager",
            company_id=self.company.id,
            company_ids=self.company.ids,
            lang="en_US",
        )
        account = self.account.with_user(manager)
        self.assertEqual(account.ukrainian_state, "available")
        self.env["res.partner"].with_context(active_test=False).search(
            [("lang", "=", "uk_UA")]
        ).lang = "en_US"
        language.active = False
        account.invalidate_recordset()
        self.assertEqual(account.ukrainian_state, "missing")
        account.action_switch_to_ukrainian()
        self.assertTrue(language.active)
        self.assertEqual(manager.lang, "uk_UA")
        account.invalidate_recordset()
        self.assertEqual(account.ukrainian_state, "done")
        term = self.env.ref("ordage_keycrm.group_manager").with_context(lang="uk_UA")
        self.assertNotEqual(term.name, term.with_context(lang="en_US").name)

    def test_terms_are_loaded_although_a_thread_hides_the_new_language(self):
        Lang, cr = self.env["res.lang"], self.env.cr
        Lang._activate_lang("en_US")
        language = Lang.search([("code", "=", "uk_UA")])
        self.env["res.partner"].with_context(active_test=False).search(
            [("lang", "=", "uk_UA")]
        ).lang = "en_US"
        language.active = False
        menu = self.env.ref("ordage_keycrm.menu_configuration")
        self.env.flush_all()
        cr.execute("UPDATE ir_ui_menu SET name = name - 'uk_UA' WHERE id = %s", [menu.id])
        self.env.invalidate_all()
        real, calls = type(self.env["ir.module.module"])._update_translations, []

        def hide_language_once(modules, *args, **kwargs):
            calls.append(args)
            if len(calls) == 1:
                # What a thread keeps that began before this transaction's commit.
                cr.execute("UPDATE res_lang SET active = false WHERE id = %s", [language.id])
                self.env.invalidate_all()
                self.registry.clear_cache("stable")
                self.assertNotIn("uk_UA", dict(Lang.get_installed()))
                cr.execute("UPDATE res_lang SET active = true WHERE id = %s", [language.id])
                self.env.invalidate_all()
            return real(modules, *args, **kwargs)

        with (
            patch.object(
                type(self.env["ir.module.module"]), "_update_translations", hide_language_once
            ),
            mute_logger("odoo.tools.translate"),
        ):
            self.account.action_switch_to_ukrainian()
        self.assertEqual(len(calls), 2)
        self.env.invalidate_all()
        cr.execute("SELECT name ->> 'uk_UA' FROM ir_ui_menu WHERE id = %s", [menu.id])
        self.assertEqual(cr.fetchone()[0], "Налаштування")

    def test_each_missing_rate_is_entered_in_one_place(self):
        path = self.env.ref("account.menu_action_currency_form").complete_name
        explain = self.env["keycrm.error.message"]
        for code in ("payment_rate_missing", "no_rate", "value_rate_missing"):
            with self.subTest(code):
                sentence = explain._sentence(code, {"currency": "PLN", "amount": "5"})
                self.assertIn(path.replace("/", " → "), sentence)
