"""Every word that a person can see stands in the translation files and is shown in Ukrainian."""

import io
import re
from pathlib import Path

import polib
from lxml import etree

from odoo.modules.module import get_module_path
from odoo.tests import TransactionCase
from odoo.tools.translate import trans_export

UKRAINIAN = "uk_UA"
#: Attributes of views that a user reads, or a screen reader reads aloud.
SHOWN = ("string", "help", "placeholder", "confirm", "title", "aria-label", "alt", "sum")
#: Written alike in every language.
SAME = {"ID", "KeyCRM", "Odoo", "POST", "Webhook", "№ KeyCRM"}


class TestTerms(TransactionCase):
    addon = "ordage_keycrm"
    a_word = "Synchronize orders"

    def test_translation_files_contain_the_terms_of_the_addon(self):
        buffer = io.BytesIO()
        trans_export(None, [self.addon], buffer, "po", self.env)
        fresh = {entry.msgid for entry in polib.pofile(buffer.getvalue().decode())}
        self.assertIn(self.a_word, fresh)
        module = self.env["ir.module.module"].search([("name", "=", self.addon)])
        fresh |= {module.shortdesc, module.summary}
        folder = f"{get_module_path(self.addon)}/i18n"
        for name in (f"{self.addon}.pot", "uk.po"):
            with self.subTest(name):
                kept = {entry.msgid for entry in polib.pofile(f"{folder}/{name}")}
                self.assertEqual(sorted(fresh - kept), [], "run make terms")
                self.assertEqual(sorted(kept - fresh), [], "run make terms")

    def test_list_of_apps_is_in_ukrainian(self):
        module = self.env["ir.module.module"].search([("name", "=", self.addon)])
        self.assertUkrainian({module.with_context(lang=UKRAINIAN).summary})

    def test_labels_helps_and_choices_are_in_ukrainian(self):
        data = self.env["ir.model.data"].search(
            [("module", "=", self.addon), ("model", "=", "ir.model.fields")]
        )
        odoos_own = self.env["mail.activity.mixin"]._fields
        for field in self.env["ir.model.fields"].browse(data.mapped("res_id")):
            if field.name in odoos_own:
                continue
            Model = self.env[field.model].with_context(lang=UKRAINIAN)
            shown = Model.fields_get([field.name]).get(field.name) or {}
            words = {shown.get("string"), shown.get("help")}
            words |= {label for _value, label in shown.get("selection") or ()}
            if field.name in ("state", "order_action") or field.model.startswith("keycrm."):
                with self.subTest(field=f"{field.model}.{field.name}"):
                    self.assertUkrainian(words)

    def test_records_without_a_number_have_a_name_in_ukrainian(self):
        explain = self.env["keycrm.error.message"].with_context(lang=UKRAINIAN)
        kinds = set()
        for file in Path(get_module_path("ordage_keycrm"), "keycrm").glob("*.py"):
            kinds |= set(re.findall(r'required_id\(data, "([^"]+)"\)', file.read_text()))
        self.assertGreater(len(kinds), 5)
        for kind in kinds:
            with self.subTest(kind):
                sentence = explain._sentence("id_missing", {"what": kind})
                self.assertNotIn(kind, sentence)
                self.assertUkrainian({sentence})

    def test_screens_are_in_ukrainian(self):
        views = self.env["ir.ui.view"].search([("model_data_id.module", "=", self.addon)])
        for view in views.with_context(lang=UKRAINIAN):
            with self.subTest(view.xml_id):
                self.assertUkrainian(self._words(etree.fromstring(view.arch)))

    def test_menus_and_actions_are_in_ukrainian(self):
        for model, fields in (
            ("ir.ui.menu", ["name"]),
            ("ir.actions.act_window", ["name", "help"]),
            ("ir.actions.server", ["name"]),
            ("res.groups", ["name", "comment"]),
            ("res.groups.privilege", ["name", "description"]),
        ):
            data = self.env["ir.model.data"].search(
                [("module", "=", self.addon), ("model", "=", model)]
            )
            for record in self.env[model].browse(data.mapped("res_id")):
                [shown] = record.with_context(lang=UKRAINIAN).read(fields)
                words = {str(shown[name] or "") for name in fields}
                with self.subTest(f"{model}: {record.display_name}"):
                    self.assertUkrainian({re.sub(r"<[^>]+>", "", word) for word in words})

    @staticmethod
    def _words(arch):
        for node in arch.iter():
            if not isinstance(node.tag, str):
                continue
            # Of a changed attribute only what is shown is a word; conditions and options are none.
            if node.tag != "attribute" or node.get("name") in SHOWN:
                yield node.text
            yield node.tail
            yield from (node.get(name) for name in SHOWN)

    def assertUkrainian(self, words):
        """Assert that texts with letters have Ukrainian ones, or are the same in all languages."""
        wrong = [
            word
            for word in words
            if word
            and word.strip() not in SAME
            and re.search(r"[A-Za-z]{2}", word)
            and not re.search(r"https?://|\w\.\w+\.\w", word)
            and not re.search(r"[А-Яа-яІіЇїЄєҐґ]", word)
        ]
        self.assertEqual(wrong, [])
