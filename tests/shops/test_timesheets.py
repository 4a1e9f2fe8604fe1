"""Projects on orders of KeyCRM count as in Odoo without the addon: hours, analytic distribution."""

from __future__ import annotations

from odoo.fields import Command
from odoo.tests import new_test_user

from odoo.addons.ordage_keycrm.tests.stock_common import StockCase

PRODUCTION = 4


class TestTimesheets(StockCase):
    def test_hours_of_an_order_of_keycrm_can_be_recorded(self):
        hours = self.env["product.product"].create(
            {
                "name": "Fitting",
                "default_code": "FITTING",
                "type": "service",
                "invoice_policy": "delivery",
                "service_type": "timesheet",
                "service_tracking": "task_in_project",
                "uom_id": self.env.ref("uom.product_uom_hour").id,
                "taxes_id": [Command.clear()],
            }
        )
        offer = self.keycrm.create_offer(sku="FITTING", name="Fitting", price=300)["id"]
        number = self.new_order(
            [{"offer_id": offer, "quantity": 2, "price": 300}], status_id=PRODUCTION
        )
        order = self.arrive(number)
        line = order.order_line
        self.assertEqual((order.state, line.product_id), ("sale", hours))
        self.assertTrue(line.task_id)
        person = new_test_user(
            self.env, "fitter", groups="hr_timesheet.group_hr_timesheet_approver"
        )
        employee = self.env["hr.employee"].create({"name": "Fitter", "user_id": person.id})
        self.env["account.analytic.line"].with_user(person).create(
            {
                "name": "Fitted",
                "project_id": line.task_id.project_id.id,
                "task_id": line.task_id.id,
                "unit_amount": 1.5,
                "employee_id": employee.id,
            }
        )
        self.assertEqual(line.qty_delivered, 1.5)
        self.assertFalse(order.keycrm_total_differs)
        self.keycrm.patch_line(
            number, self.keycrm.order(number)["answer"]["products"][0]["id"], quantity=3
        )
        self.arrive(number)
        self.assertEqual((line.product_uom_qty, line.qty_delivered), (3, 1.5))
        invoice = order._create_invoices()
        self.assertEqual(invoice.amount_untaxed, 450)

    def test_goods_added_in_keycrm_get_the_distribution_of_the_orders_project(self):
        plan = self.env["account.analytic.plan"].create({"name": "Projects"})
        analytic = self.env["account.analytic.account"].create(
            {"name": "Kitchen", "plan_id": plan.id}
        )
        number = self.new_order([{"name": "Table", "quantity": 1, "price": 500}])
        order = self.arrive(number)
        order.project_id = self.env["project.project"].create(
            {"name": "Kitchen", "account_id": analytic.id, "allow_billable": True}
        )
        self.keycrm.add_line(number, name="Chair", price=100, quantity=2)
        self.arrive(number)
        self.assertEqual(
            order.order_line.mapped("analytic_distribution"), [{str(analytic.id): 100.0}] * 2
        )
