"""The words of this addon, checked as those of the one it belongs to."""

from odoo.addons.ordage_keycrm.tests import test_terms


class TestMrpTerms(test_terms.TestTerms):
    addon = "ordage_keycrm_mrp"
    a_word = "Bill of Material"
