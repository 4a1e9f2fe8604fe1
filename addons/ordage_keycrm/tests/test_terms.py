"""Every word that a person can see stands in the translation files: ``make terms`` takes them in."""

import io

import polib

from odoo.modules.module import get_module_path
from odoo.tests import TransactionCase
from odoo.tools.translate import trans_export


class TestTerms(TransactionCase):
    def test_the_files_hold_the_words_of_the_addon(self):
        buffer = io.BytesIO()
        trans_export(None, ["ordage_keycrm"], buffer, "po", self.env)
        fresh = {entry.msgid for entry in polib.pofile(buffer.getvalue().decode())}
        self.assertIn("Synchronise orders", fresh)
        folder = f"{get_module_path('ordage_keycrm')}/i18n"
        for name in ("ordage_keycrm.pot", "uk.po"):
            with self.subTest(name):
                kept = {entry.msgid for entry in polib.pofile(f"{folder}/{name}")}
                self.assertEqual(sorted(fresh - kept), [], "run make terms")
                self.assertEqual(sorted(kept - fresh), [], "run make terms")
