"""Odoo finds no fault in a view that has fields of ours, for any combination of user groups."""

from odoo.tests import TransactionCase, tagged


@tagged("post_install", "-at_install")
class TestViews(TransactionCase):
    def test_no_view_shows_what_needs_a_field_that_its_user_may_not_read(self):
        models = [
            name
            for name, model in self.env.items()
            if any(field.startswith("keycrm_") for field in model._fields)
            or name.startswith("keycrm.")
        ]
        views = self.env["ir.ui.view"].search([("model", "in", models), ("type", "!=", "qweb")])
        self.assertGreater(len(views), 100)
        for view in views:
            with (
                self.subTest(view=view.xml_id),
                self.assertNoLogs("odoo.addons.base.models.ir_ui_view", "WARNING"),
            ):
                view._check_xml()
