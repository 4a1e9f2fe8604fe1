"""Views of the till's and the website's modules that contain ours: Odoo finds no fault in them either."""

from __future__ import annotations

from odoo.addons.ordage_keycrm.tests import test_views


class TestShopViews(test_views.TestViews):
    pass
