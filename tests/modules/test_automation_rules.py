"""Automation rules of Odoo that raise fail no import of an order."""

from __future__ import annotations

from odoo.fields import Command

from odoo.addons.ordage_keycrm.tests.order_common import OrderCase

LOGGER = "odoo.addons.ordage_keycrm.services.common.automation_rules"


class TestAutomationRules(OrderCase):
    def rule(self, model, trigger="on_create", code="{}['missing']", **vals):
        """Create an automation rule.

        :param model: name of the model
        :param code: Python code, which fails by default
        :return: the rule
        """
        model_id = self.env["ir.model"]._get_id(model)
        fields = self.env["ir.model.fields"].search(
            [("model_id", "=", model_id), ("name", "=", "state")]
        )
        if trigger == "on_create_or_write":
            vals["trigger_field_ids"] = [Command.set(fields.ids)]
        action = self.env["ir.actions.server"].create(
            {
                "name": "Rule",
                "model_id": model_id,
                "state": "code",
                "code": code,
                "usage": "base_automation",
            }
        )
        return self.env["base.automation"].create(
            {
                "name": "Зламане правило",
                "model_id": model_id,
                "trigger": trigger,
                "action_server_ids": [Command.set(action.ids)],
                **vals,
            }
        )

    def assertReported(self, record):
        self.assertIn("Зламане правило", self.activities(record))
        self.assertIn("missing", self.activities(record))
        self.assertEqual(len(record.activity_ids), 1, "once")

    def test_order_is_created_although_a_rule_fails(self):
        self.rule("sale.order")
        with self.assertLogs(LOGGER, "WARNING"):
            order = self.make(self.made)
        self.assertEqual((order.state, order.amount_total), ("sale", 500))
        self.assertReported(order)

    def test_order_is_confirmed_although_a_rule_fails(self):
        self.rule(
            "sale.order",
            "on_create_or_write",
            filter_pre_domain="[('state', '=', 'draft')]",
            filter_domain="[('state', '=', 'sale')]",
        )
        order = self.make(self.new)
        self.assertFalse(order.activity_ids)
        with self.assertLogs(LOGGER, "WARNING"):
            self.move(order, self.made)
        self.assertEqual(order.state, "sale")
        self.assertEqual(order.picking_ids.move_ids.product_uom_qty, 5)
        self.assertReported(order)

    def test_rule_that_fails_on_lines_is_reported_on_the_order(self):
        self.rule("sale.order.line")
        with self.assertLogs(LOGGER, "WARNING"):
            order = self.make(self.made)
        self.assertEqual(order.state, "sale")
        self.assertReported(order)

    def test_contact_is_created_although_a_rule_fails(self):
        self.rule("res.partner")
        client = self.keycrm.create_buyer(full_name="Іван", phone="0671112233")["id"]
        with self.assertLogs(LOGGER, "WARNING"):
            order = self.make(client_id=client)
        self.assertEqual(order.partner_id.name, "Іван")
        self.assertReported(order.partner_id)

    def test_rule_that_writes_before_it_fails_leaves_nothing(self):
        self.rule("sale.order", code="record.write({'client_order_ref': 'x'})\n{}['missing']")
        with self.assertLogs(LOGGER, "WARNING"):
            order = self.make()
        self.assertNotEqual(order.client_order_ref, "x")
        self.assertReported(order)

    def test_order_is_confirmed_despite_a_rule_with_a_broken_condition(self):
        self.rule(
            "sale.order", code="pass", filter_domain="[('no_such_field', '=', {}['missing'])]"
        )
        with self.assertLogs(LOGGER, "WARNING"):
            order = self.make(self.made)
        self.assertEqual(order.state, "sale")

    def test_working_rule_still_runs(self):
        self.rule("sale.order", code="record.write({'client_order_ref': 'from rule'})")
        self.assertEqual(self.make(self.made).client_order_ref, "from rule")

    def test_failing_rule_still_stops_a_user(self):
        order = self.make()
        self.rule("sale.order", code="raise UserError('not allowed')")
        self.assertRefused(self.env["sale.order"].create, {"partner_id": order.partner_id.id})
