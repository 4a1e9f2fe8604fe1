"""Answers without lines change nothing, and discounts over the goods wait for a person."""

from odoo import fields
from odoo.tests import new_test_user

from ..services.common.api_gateway import open_client
from ..services.orders.order_inbox import OrderInbox
from ..services.orders.order_polling import OrderPolling
from ..services.workers.order_queue import OrderQueue
from .order_common import OrderCase

#: What stands in the place of an order's lines in a malformed answer.
MALFORMED = (None, [], {}, "", {"0": {"id": 1}}, [None])


class TestMalformedLines(OrderCase):
    def setUp(self):
        super().setUp()
        self.account.polled_at = fields.Datetime.now()

    def work(self):
        with self.committing(), open_client(self.account) as client:
            while OrderInbox(self.account, client).process():
                pass

    def process_webhook(self, number):
        self.receive_webhook(number)
        self.work()
        return self.env["keycrm.event"].search(
            [("keycrm_order_id", "=", number)], order="id desc", limit=1
        )

    def order(self, number):
        return self.env["sale.order"].search(
            [("keycrm_account_id", "=", self.account.id), ("keycrm_id", "=", number)]
        )

    def state(self, order):
        return (
            order.state,
            order.amount_total,
            order.keycrm_status_id,
            [(line.id, line.keycrm_id, line.product_uom_qty) for line in order.order_line],
            [(picking.id, picking.state) for picking in order.picking_ids],
        )

    def test_malformed_answer_changes_no_order_and_is_shown(self):
        order = self.make(self.made)
        before = self.state(order)
        for products in MALFORMED:
            with self.subTest(products=products):
                raw = {"products": products}
                self.keycrm.patch_order(
                    order.keycrm_id, raw=raw, status_id=self.canceled.keycrm_id, webhook=False
                )
                event = self.process_webhook(order.keycrm_id)
                self.assertEqual(self.state(order), before)
                self.assertEqual((event.state, event.sale_order_id), ("failed", order))
                self.assertTrue(event.next_try_at, "it is read again")
                for text in (event.error, order.keycrm_problem):
                    self.assertIn(str(order.keycrm_id), text)
                    self.assertIn("500", text)
                uk = order.with_context(lang="uk_UA").keycrm_problem
                self.assertNotEqual(uk, order.keycrm_problem)

    def test_next_valid_answer_continues_with_the_same_transfer(self):
        order = self.make(self.made)
        before = self.state(order)
        self.keycrm.patch_order(order.keycrm_id, raw={"products": []}, webhook=False)
        event = self.process_webhook(order.keycrm_id)
        self.keycrm.patch_order(order.keycrm_id, raw={}, webhook=False)
        event.next_try_at = self.env.cr.now()
        self.work()
        self.assertEqual(event.state, "done")
        self.assertEqual(self.state(order), before)
        self.assertFalse(order.keycrm_problem or order.keycrm_problem_code)

    def test_new_order_is_not_created_until_its_lines_arrive(self):
        number = self.new_order(
            [{"offer_id": self.offer, "price": 100, "quantity": 5}],
            status_id=self.made.keycrm_id,
            raw={"products": None},
        )
        event = self.process_webhook(number)
        self.assertFalse(self.order(number))
        self.assertEqual(event.state, "failed")
        self.assertIn(str(number), event.error)
        self.keycrm.patch_order(number, raw={}, webhook=False)
        event.next_try_at = self.env.cr.now()
        self.work()
        self.assertEqual((event.state, self.order(number).state), ("done", "sale"))

    def test_failed_order_shows_buyer_total_and_lines_until_it_arrives(self):
        products = self.env["product.product"].create(
            [{"name": name, "default_code": "TWICE-1"} for name in ("Чашка", "Чашка стара")]
        )
        offer = self.keycrm.create_offer(sku="TWICE-1", name="Чашка", price=620)["id"]
        number = self.new_order(
            [{"offer_id": offer, "price": 620, "quantity": 2}],
            buyer={"full_name": "Олена Коваль", "phone": "+380671112233"},
        )
        event = self.process_webhook(number)
        self.assertEqual(event.state, "failed")
        self.assertEqual(event.order_text, "Олена Коваль · 1240.00 · Чашка × 2")
        products[1].active = False
        answer = event.action_retry()
        self.assertEqual(
            answer["params"]["message"], "Retrying: 1. The result appears here in a moment."
        )
        self.work()
        self.assertEqual(event.state, "done")
        self.assertFalse(event.order_text)

    def test_malformed_order_is_not_changed_by_polling_or_sync(self):
        order = self.make(self.made)
        before = self.state(order)
        self.keycrm.patch_order(order.keycrm_id, raw={"products": []}, webhook=False)
        self.account.polled_at = False
        with self.committing(), open_client(self.account) as client:
            while OrderPolling(self.account, client).process():
                pass
        self.assertEqual(self.state(order), before)
        self.assertTrue(order.keycrm_problem)
        sync = self.env["keycrm.order.sync"].create(
            {"account_id": self.account.id, "status_ids": self.made.ids}
        )
        sync.action_start()
        with self.committing(), open_client(self.account) as client:
            while sync.state == "running":
                OrderQueue(self.account, client).process()
        self.assertEqual(self.state(order), before)
        self.assertEqual(sync.failed_count, 1)

    def test_order_whose_lines_were_removed_is_followed(self):
        order = self.make(self.made)
        self.keycrm.remove_line(order.keycrm_id, self.line_id(order))
        self.arrive(order.keycrm_id)
        self.assertEqual(sum(order.order_line.mapped("product_uom_qty")), 0)
        self.assertFalse(order.keycrm_problem)


class TestDiscountsOverGoods(OrderCase):
    def test_order_with_negative_total_waits_and_shows_why(self):
        order = self.make(self.made, discount_amount=530)
        self.assertEqual((order.amount_total, order.state), (-30, "draft"))
        self.assertFalse(order.picking_ids)
        self.assertIn(order.currency_id.format(-30), order.keycrm_problem)
        self.assertEqual(len(order.activity_ids), 1)
        self.arrive(order.keycrm_id)
        self.assertEqual(len(order.activity_ids), 1)

    def test_negative_goods_total_waits_despite_paid_shipping(self):
        order = self.make(self.made, discount_amount=530, shipping_price=100)
        self.assertEqual((order.amount_total, order.state), (70, "draft"))

    def test_fully_discounted_goods_are_confirmed(self):
        order = self.make(self.made, discount_percent=100)
        self.assertEqual((order.amount_total, order.state), (0, "sale"))
        self.assertFalse(order.keycrm_problem)

    def test_corrected_discount_confirms_the_order_and_ends_the_activity(self):
        order = self.make(self.made, discount_amount=530)
        self.keycrm.patch_order(order.keycrm_id, discount_amount=100, webhook=False)
        self.arrive(order.keycrm_id)
        self.assertEqual((order.amount_total, order.state), (400, "sale"))
        self.assertFalse(order.activity_ids or order.keycrm_problem)

    def test_user_may_confirm_an_order_with_negative_total(self):
        order = self.make(self.made, discount_amount=530)
        seller = new_test_user(self.env, "seller", groups="sales_team.group_sale_manager")
        order.with_user(seller).action_confirm()
        self.assertEqual(order.state, "sale")
        self.assertFalse(order.keycrm_problem)
        self.arrive(order.keycrm_id)
        self.assertEqual(order.state, "sale")
        self.assertFalse(order.activity_ids)

    def test_confirmed_order_stays_confirmed_after_a_later_discount(self):
        order = self.make(self.made)
        self.keycrm.patch_order(order.keycrm_id, discount_amount=530, webhook=False)
        self.arrive(order.keycrm_id)
        self.assertEqual((order.amount_total, order.state), (-30, "sale"))
        self.assertEqual(order.keycrm_total, -30)
        self.assertIn("30.00", order.activity_ids.note, "an activity shows it")
        self.assertDecisions(order)
        self.arrive(order.keycrm_id)
        self.assertEqual(len(order.activity_ids), 1)
        self.keycrm.patch_order(order.keycrm_id, discount_amount=0, webhook=False)
        self.arrive(order.keycrm_id)
        self.assertFalse(order.activity_ids)
