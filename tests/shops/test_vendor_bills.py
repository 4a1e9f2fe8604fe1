"""Costs of a vendor bill that Odoo invoices again on an order of KeyCRM, as it does without the addon."""

from __future__ import annotations

from odoo import fields
from odoo.fields import Command
from odoo.tests import new_test_user

from odoo.addons.ordage_keycrm.tests.stock_common import StockCase

PRODUCTION = 4


class TestVendorBills(StockCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not cls.company.chart_template:
            cls.env["account.chart.template"].try_loading("generic_coa", cls.company, False)

    def test_bill_that_is_invoiced_again_adds_its_line_to_the_order(self):
        lamp = self.goods("BILL-LAMP", taxes_id=[Command.clear()])
        self.count(lamp, 10)
        line = {"offer_id": self.number(lamp), "quantity": 2, "price": 100}
        number = self.new_order([line], status_id=PRODUCTION)
        order = self.arrive(number)
        accountant = new_test_user(
            self.env,
            "accountant",
            groups="account.group_account_user,sales_team.group_sale_salesman_all_leads",
        )
        plan, _others = self.env["account.analytic.plan"]._get_all_plans()
        costs = self.env["account.analytic.account"].create({"name": "Costs", "plan_id": plan.id})
        order.project_id = self.env["project.project"].create(
            {"name": "Costs", "account_id": costs.id}
        )
        wiring = self.env["product.product"].create(
            {
                "name": "Wiring",
                "is_storable": True,
                "expense_policy": "cost",
                "taxes_id": [Command.clear()],
                "supplier_taxes_id": [Command.clear()],
            }
        )
        bill = (
            self.env["account.move"]
            .with_user(accountant)
            .create(
                {
                    "move_type": "in_invoice",
                    "partner_id": self.env["res.partner"].create({"name": "Vendor"}).id,
                    "invoice_date": fields.Date.today(),
                    "invoice_line_ids": [
                        Command.create(
                            {
                                "product_id": wiring.id,
                                "quantity": 3,
                                "price_unit": 40,
                                "analytic_distribution": {str(costs.id): 100},
                            }
                        )
                    ],
                }
            )
        )
        bill.action_post()
        self.assertEqual(bill.state, "posted")
        added = order.order_line.filtered("is_expense")
        self.assertEqual(
            (added.product_id, added.product_uom_qty, added.price_unit), (wiring, 3, 40)
        )
        self.assertEqual((order.amount_total, order.keycrm_total_differs), (320, True))
        self.assertFalse(added.move_ids, "what the vendor brought is not shipped")
        self.keycrm.patch_order(number, manager_comment="Later", webhook=False)
        self.arrive(number)
        self.assertEqual((added.exists(), order.amount_total), (added, 320))
        self.assertEqual(order._create_invoices().amount_total, 320)
