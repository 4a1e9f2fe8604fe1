"""The words of this addon, checked as those of the one it belongs to."""

from odoo.addons.ordage_keycrm.tests import test_terms


class TestDeliveryTerms(test_terms.TestTerms):
    addon = "ordage_keycrm_delivery"
    a_word = "Odoo delivery methods"
