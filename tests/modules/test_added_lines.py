"""Lines that Odoo's own modules add to orders of KeyCRM pass, and the order shows the difference."""

from __future__ import annotations

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import new_test_user

from odoo.addons.ordage_keycrm.tests.stock_common import StockCase

PRODUCTION = 4


class TestAddedLines(StockCase):
    def setUp(self):
        super().setUp()
        name = self.id().rsplit(".", 1)[-1]
        self.lamp, self.bulb = self.goods(f"LAMP-{name}"), self.goods(f"BULB-{name}")
        self.count(self.lamp, 10)
        self.count(self.bulb, 10)
        number = self.new_order(
            [{"offer_id": self.number(self.lamp), "quantity": 2, "price": 100}],
            status_id=PRODUCTION,
        )
        groups = (
            "sales_team.group_sale_manager,stock.group_stock_manager,account.group_account_user"
        )
        self.person = new_test_user(self.env, f"person-{name}", groups=groups)
        self.order = self.arrive(number).with_user(self.person)
        self.assertEqual(self.order.state, "sale")
        self.assertTrue(self.order.keycrm_is_locked)

    def added(self):
        return self.order.order_line.filtered(lambda line: not line.keycrm_is_locked)

    def test_real_cost_of_the_carrier_is_added(self):
        carrier = self.env["delivery.carrier"].create(
            {
                "name": "Carrier",
                "product_id": self.env["product.product"]
                .create({"name": "Delivery", "type": "service"})
                .id,
                "delivery_type": "fixed",
                "fixed_price": 70,
                "invoice_policy": "real",
                "integration_level": "rate_and_ship",
            }
        )
        picking = self.order.picking_ids
        picking.carrier_id = carrier
        picking.move_ids.write({"quantity": 2, "picked": True})
        picking.with_user(self.person).button_validate()
        self.assertEqual(picking.state, "done")
        self.assertEqual(self.added().price_unit, 70)
        self.assertTrue(self.order.keycrm_total_differs)

    def test_parts_of_a_repair_are_added_and_shipped(self):
        repair = self.env["repair.order"].create(
            {
                "partner_id": self.order.partner_id.id,
                "product_id": self.lamp.id,
                "sale_order_id": self.order.id,
                "move_ids": [
                    Command.create(
                        {
                            "product_id": self.bulb.id,
                            "product_uom_qty": 3,
                            "repair_line_type": "add",
                        }
                    )
                ],
            }
        )
        self.assertEqual(self.added().product_uom_qty, 3)
        repair.move_ids.product_uom_qty = 4
        self.assertEqual(self.added().product_uom_qty, 4)
        repair.action_validate()
        repair.move_ids._action_assign()
        self.assertEqual(
            self.offered(self.bulb), {"on_hand": 10, "free": 6, "available": 6}, "reserved"
        )
        repair.action_repair_start()
        repair.move_ids.write({"quantity": 4, "picked": True})
        repair.action_repair_end()
        self.assertEqual(repair.state, "done")
        self.assertTrue(self.order.keycrm_total_differs)
        self.assertEqual(set(self.offered(self.bulb).values()), {6})

    def test_rewards_are_added(self):
        for reward in (
            {"reward_type": "product", "reward_product_id": self.bulb.id},
            {"reward_type": "discount", "discount": 10},
        ):
            program = self.env["loyalty.program"].create(
                {
                    "name": "For each lamp",
                    "program_type": "promotion",
                    "trigger": "auto",
                    "rule_ids": [Command.create({"product_ids": self.lamp.ids})],
                    "reward_ids": [Command.create(reward)],
                }
            )
            self.order._update_programs_and_rewards()
            (coupon,) = [
                coupon
                for coupon, rewards in self.order._get_claimable_rewards().items()
                if program.reward_ids in rewards
            ]
            self.order._apply_program_reward(program.reward_ids, coupon)
        self.assertEqual(len(self.added()), 2)
        self.assertIn(self.bulb, self.added().product_id)
        self.assertTrue(self.order.keycrm_total_differs)

    def mail_coupons(self):
        """Let each order of a lamp earn a coupon that is mailed."""
        template = self.env["mail.template"].create(
            {
                "name": "Coupon",
                "model_id": self.env["ir.model"]._get("loyalty.card").id,
                "subject": "Your coupon",
                "partner_to": "{{ object.order_id.partner_id.id }}",
            }
        )
        self.env["loyalty.program"].create(
            {
                "name": "Next order",
                "program_type": "next_order_coupons",
                "applies_on": "future",
                "trigger": "auto",
                "rule_ids": [Command.create({"product_ids": self.lamp.ids})],
                "reward_ids": [Command.create({"reward_type": "discount", "discount": 10})],
                "communication_plan_ids": [
                    Command.create({"trigger": "create", "mail_template_id": template.id})
                ],
            }
        )

    def test_coupons_are_mailed_only_where_the_account_says_so(self):
        self.mail_coupons()
        self.order.partner_id.email = "buyer@example.com"
        self.order._update_programs_and_rewards()
        self.assertTrue(self.order._get_reward_coupons())
        mails = [("recipient_ids", "in", self.order.partner_id.id)]
        for is_allowed in (False, True):
            self.account.notify_buyers = is_allowed
            self.order._send_reward_coupon_mail()
            self.assertEqual(bool(self.env["mail.mail"].search(mails)), is_allowed)

    def test_imported_order_earns_no_coupon_and_mails_none(self):
        self.mail_coupons()
        partner = self.env["res.partner"].create({"name": "Own", "email": "own@example.com"})
        lines = [Command.create({"product_id": self.lamp.id})]
        self.env["sale.order"].create(
            {"partner_id": partner.id, "order_line": lines}
        ).action_confirm()
        coupons = self.env["loyalty.card"].search([])
        self.assertTrue(coupons, "an order of Odoo itself earns one")
        buyer = self.keycrm.create_buyer(full_name="Other", emails=["other@example.com"])["id"]
        line = {"offer_id": self.number(self.lamp), "quantity": 2, "price": 100}
        order = self.arrive(self.new_order([line], status_id=PRODUCTION, client_id=buyer))
        self.assertEqual((order.state, order.amount_total), ("sale", 200))
        self.assertEqual(order.partner_id.email, "other@example.com")
        self.assertEqual(self.env["loyalty.card"].search([]), coupons)
        mails = [("recipient_ids", "in", order.partner_id.id)]
        self.assertFalse(self.env["mail.mail"].search(mails))

    def test_expense_of_goods_is_added_and_not_shipped(self):
        """A vendor bill that is invoiced again adds the goods that were bought."""
        line = self.order.order_line.create(
            {
                "order_id": self.order.id,
                "product_id": self.bulb.id,
                "product_uom_qty": 5,
                "price_unit": 3,
                "is_expense": True,
            }
        )
        self.assertTrue(self.order.keycrm_total_differs)
        self.assertFalse(line.move_ids)
        line.product_uom_qty = 6
        self.order.order_line._action_launch_stock_rule()
        self.assertFalse(line.move_ids)
        self.assertEqual(self.offered(self.bulb), {"on_hand": 10, "free": 10, "available": 10})
        with self.assertRaises(UserError), self.env.cr.savepoint():
            line.is_expense = False

    def test_expense_on_a_quotation_is_not_shipped_on_confirmation(self):
        number = self.new_order(
            [{"offer_id": self.number(self.lamp), "quantity": 2, "price": 100}], status_id=1
        )
        order = self.arrive(number)
        self.assertEqual(order.state, "draft")
        vals = {"product_id": self.bulb.id, "product_uom_qty": 5, "is_expense": True}
        order.with_user(self.person).order_line.create({"order_id": order.id, **vals})
        order.with_user(self.person).action_confirm()
        self.assertEqual(order.picking_ids.move_ids.product_id, self.lamp)

    def test_reward_adds_only_its_own_goods(self):
        program = self.env["loyalty.program"].create(
            {
                "name": "For each lamp",
                "program_type": "promotion",
                "trigger": "auto",
                "rule_ids": [Command.create({"product_ids": self.lamp.ids})],
                "reward_ids": [
                    Command.create({"reward_type": "discount", "discount": 10}),
                    Command.create({"reward_type": "product", "reward_product_id": self.lamp.id}),
                ],
            }
        )
        for reward in program.reward_ids:
            vals = {
                "name": "Bulb",
                "product_id": self.bulb.id,
                "product_uom_qty": 5,
                "reward_id": reward.id,
            }
            with (
                self.subTest(reward.reward_type),
                self.assertRaises(UserError),
                self.env.cr.savepoint(),
            ):
                self.order.order_line.create({"order_id": self.order.id, **vals})

    def test_line_of_keycrm_cannot_be_marked_as_a_line_of_odoo(self):
        for name in ("is_expense", "is_delivery"):
            with self.subTest(name), self.assertRaises(UserError), self.env.cr.savepoint():
                self.order.order_line.write({name: True})

    def test_goods_marked_as_delivery_by_a_user_are_refused(self):
        with self.assertRaises(UserError), self.env.cr.savepoint():
            self.order.order_line.create(
                {
                    "order_id": self.order.id,
                    "product_id": self.bulb.id,
                    "product_uom_qty": 5,
                    "is_delivery": True,
                }
            )
