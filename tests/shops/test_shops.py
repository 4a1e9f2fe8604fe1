"""Goods sold at the till and on the website, beside KeyCRM's orders of the same goods.

After each step KeyCRM has all three kinds of quantity exactly right. Odoo sells there as it does
without the addon: nothing is refused, also where the till settles an order of KeyCRM.
"""

from __future__ import annotations

import json
from uuid import uuid4

from odoo import fields
from odoo.fields import Command
from odoo.tests import HttpCase, tagged

from odoo.addons.ordage_keycrm.tests.stock_common import StockCase

PRODUCTION, DELIVERING, CANCELLED = 4, 6, 12


class ShopCase(StockCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.keycrm.set_switches(status_reserve="on", status_write_off="on")
        if not cls.company.chart_template:
            cls.env["account.chart.template"].try_loading("generic_coa", cls.company, False)
        cls.buyer = cls.env["res.partner"].create({"name": "Neighbor"})

    def setUp(self):
        super().setUp()
        name = f"{self.id().rsplit('.', 1)[-1]}-{uuid4().hex[:6]}"
        self.thing = self.goods(name, list_price=100, taxes_id=[Command.clear()])
        self.count(self.thing, 20)

    def check(self, on_hand, free, available, step):
        """KeyCRM gets each kind of quantity."""
        self.assert_each_kind(step, {self.thing: (on_hand, free, available)})

    def order(self, quantity=5, status=PRODUCTION):
        """Sell in KeyCRM."""
        order = self.arrive(
            self.new_order(
                [{"offer_id": self.number(self.thing), "quantity": quantity, "price": 100}],
                status_id=status,
            )
        )
        if order.picking_ids:
            order.picking_ids.action_assign()
        return order

    def ship(self, order):
        picking = order.picking_ids.filtered(lambda one: one.state in ("confirmed", "assigned"))
        picking.action_assign()
        picking.move_ids.picked = True
        picking.button_validate()
        self.assertEqual(picking.state, "done")


class TestPointOfSale(ShopCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.user.group_ids |= cls.env.ref("point_of_sale.group_pos_manager")
        cash = cls.env["account.journal"].create(
            {"name": "Till", "type": "cash", "code": "TILL", "company_id": cls.company.id}
        )
        method = cls.env["pos.payment.method"].create({"name": "Cash", "journal_id": cash.id})
        cls.config = cls.env["pos.config"].create(
            {
                "name": "Till",
                "picking_type_id": cls.warehouse.pos_type_id.id,
                "payment_method_ids": [Command.set(method.ids)],
                "ship_later": True,
                "warehouse_id": cls.warehouse.id,
            }
        )

    def open_till(self, stock="real"):
        self.company.point_of_sale_update_stock_quantities = stock
        self.config.open_ui()
        self.till = self.config.current_session_id
        self.till.set_opening_control(0, "")

    def close_till(self):
        self.till.post_closing_cash_details(sum(self.till.order_ids.payment_ids.mapped("amount")))
        self.till.close_session_from_ui()
        self.assertEqual(self.till.state, "closed")

    def sell(self, quantity, *, partner=None, line_of=None, **vals):
        """Sell at the till, as its screen does when the buyer has paid."""
        amount = 100 * quantity
        settled = {}
        if line_of:
            settled = {
                "sale_order_origin_id": line_of.order_id.id,
                "sale_order_line_id": line_of.id,
            }
        data = {
            "uuid": str(uuid4()),
            "session_id": self.till.id,
            "user_id": self.env.uid,
            "partner_id": (partner or self.buyer).id,
            "pricelist_id": self.config.pricelist_id.id,
            "date_order": fields.Datetime.to_string(fields.Datetime.now()),
            "amount_paid": amount,
            "amount_total": amount,
            "amount_tax": 0,
            "amount_return": 0,
            "lines": [
                Command.create(
                    {
                        "product_id": self.thing.id,
                        "qty": quantity,
                        "price_unit": 100,
                        "price_subtotal": amount,
                        "price_subtotal_incl": amount,
                        "tax_ids": [Command.clear()],
                        "pack_lot_ids": [],
                        **settled,
                    }
                )
            ],
            "payment_ids": [
                Command.create(
                    {
                        "amount": amount,
                        "name": fields.Datetime.now(),
                        "payment_method_id": self.config.payment_method_ids.id,
                    }
                )
            ],
            "to_invoice": False,
            **vals,
        }
        result = self.env["pos.order"].sync_from_ui([data])
        order = self.env["pos.order"].browse(result["pos.order"][0]["id"])
        self.assertEqual(order.state, "paid")
        return order

    def test_stock_sold_at_the_till_is_exact_at_each_step(self):
        self.open_till()
        order = self.order()
        self.check(20, 15, 15, "ordered in KeyCRM")
        sold = self.sell(3)
        self.check(17, 12, 12, "sold at the till")
        refund = sold._refund()
        self.env["pos.make.payment"].with_context(
            active_ids=refund.ids, active_id=refund.id
        ).create(
            {
                "payment_method_id": self.config.payment_method_ids.id,
                "amount": refund.amount_total,
            }
        ).check()
        self.check(20, 15, 15, "brought back to the till")
        self.ship(order)
        self.check(15, 15, 15, "shipped")
        self.close_till()
        self.check(15, 15, 15, "closed")

    def test_stock_booked_when_the_till_closes_is_exact(self):
        self.open_till(stock="closing")
        self.order(status=DELIVERING)
        self.check(15, 15, 15, "written off in KeyCRM")
        self.sell(3)
        self.check(15, 15, 15, "sold; Odoo books it when the till closes")
        self.close_till()
        self.check(12, 12, 12, "closed")

    def test_stock_sold_at_the_till_and_shipped_later_is_exact(self):
        self.open_till()
        self.order()
        sold = self.sell(3, shipping_date=fields.Date.to_string(fields.Date.today()))
        sold.picking_ids.action_assign()
        self.check(20, 12, 12, "to be shipped")
        self.ship(sold)
        self.check(17, 12, 12, "shipped")

    def test_stock_is_exact_if_the_till_settles_an_order(self):
        self.open_till()
        order = self.order()
        line = order.order_line
        self.sell(5, partner=order.partner_id, line_of=line)
        self.assertEqual((line.qty_delivered, order.picking_ids.state), (5, "cancel"))
        self.check(15, 15, 15, "taken along at the till")
        self.keycrm.set_status(order.keycrm_id, DELIVERING, webhook=False)
        self.arrive(order.keycrm_id)
        self.assertEqual((order.state, line.product_uom_qty), ("sale", 5))
        self.assertNotIn("assigned", order.picking_ids.mapped("state"))
        self.check(15, 15, 15, "written off in KeyCRM")

    def test_stock_is_exact_if_the_till_settles_a_part_of_an_order(self):
        self.open_till()
        order = self.order(status=DELIVERING)
        self.check(15, 15, 15, "written off in KeyCRM")
        self.sell(2, partner=order.partner_id, line_of=order.order_line)
        self.assertEqual(order.picking_ids.move_ids.product_uom_qty, 3)
        self.check(15, 15, 15, "two taken along at the till")
        self.ship(order)
        self.check(15, 15, 15, "three shipped")

    def test_stock_is_exact_if_the_till_settles_a_quotation(self):
        self.account.status_ids.filtered(
            lambda one: one.keycrm_id == PRODUCTION
        ).order_action = "quotation"
        self.open_till()
        order = self.order()
        self.assertEqual(order.state, "draft")
        self.check(20, 20, 15, "a quotation that KeyCRM reserves")
        self.sell(5, partner=order.partner_id, line_of=order.order_line)
        self.assertEqual(order.state, "sale")
        self.check(15, 15, 15, "taken along at the till")


@tagged("post_install", "-at_install")
class TestWebsite(ShopCase, HttpCase):
    def add_to_cart(self, quantity):
        """Put goods into a visitor's cart, as the page does.

        :return: the website's ``sale.order``
        """
        last = self.env["sale.order"].search([], limit=1, order="id desc").id or 0
        self.url_open(
            "/shop/cart/add",
            data=json.dumps(
                {
                    "params": {
                        "product_template_id": self.thing.product_tmpl_id.id,
                        "product_id": self.thing.id,
                        "quantity": quantity,
                    }
                }
            ),
            headers={"Content-Type": "application/json"},
        ).raise_for_status()
        cart = self.env["sale.order"].search([("id", ">", last)])
        self.assertTrue(cart.website_id)
        self.assertEqual(cart.order_line.product_uom_qty, quantity)
        return cart

    def test_stock_sold_on_the_website_is_exact_at_each_step(self):
        self.thing.product_tmpl_id.is_published = True
        order = self.order()
        self.check(20, 15, 15, "ordered in KeyCRM")
        cart = self.add_to_cart(3)
        self.check(20, 15, 15, "a cart reserves nothing")
        cart.partner_id = self.buyer
        cart.with_context(send_email=False)._validate_order()
        self.assertEqual(cart.state, "sale")
        cart.picking_ids.action_assign()
        self.check(20, 12, 12, "bought")
        self.ship(cart)
        self.check(17, 12, 12, "sent to the visitor")
        self.keycrm.set_status(order.keycrm_id, CANCELLED, webhook=False)
        self.arrive(order.keycrm_id)
        self.check(17, 17, 17, "canceled in KeyCRM")

    def test_website_does_not_offer_what_keycrm_sold(self):
        self.thing.product_tmpl_id.write({"is_published": True, "allow_out_of_stock_order": False})
        self.order(18)
        website = self.env["website"].search([], limit=1)
        self.assertEqual(website._get_product_available_qty(self.thing.sudo()), 2)
        self.check(20, 2, 2, "eighteen ordered in KeyCRM")
