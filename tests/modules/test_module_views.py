"""Views of other modules that contain ours: Odoo finds no fault in them either."""

from __future__ import annotations

from odoo.addons.ordage_keycrm.tests import test_views


class TestModuleViews(test_views.TestViews):
    pass
