"""An offer or a buyer that KeyCRM cannot return holds back no other; a user sees which one and why."""

import contextlib
from functools import partial

from odoo.tools import mute_logger

from ..services.orders import order_enrichment, order_priorities
from ..services.workers import cron_runner
from .common import KeycrmCase

FIRST, COUNT = 90001, 50
FAULTY = FIRST + 17
FAULTS = (
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 414},
    {"kind": "malformed"},
    {"kind": "html"},
    {"kind": "close"},
)
LOGS = (
    "odoo.addons.ordage_keycrm.services.common.circuit_breaker",
    order_enrichment.__name__,
)


class TestUnreadableRows(KeycrmCase):
    forget = True

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for log in LOGS:
            cls.enterClassContext(mute_logger(log))

    def setUp(self):
        super().setUp()
        self.stop_polling()

    def run_queue(self):
        self.keycrm.clear_log()
        with self.committing():
            self.env["keycrm.account"]._cron_orders(self.account.id)

    def receive(self, *orders):
        self.receive_webhook(*orders, status_id=1)
        self.run_queue()

    def events(self, state):
        return self.env["keycrm.event"].search([("state", "=", state)])

    def names(self):
        offers = self.env["keycrm.offer"].search([("keycrm_id", ">=", FIRST)])
        return {offer.keycrm_id: offer.product_id.name for offer in offers}

    def requests(self, path):
        return len(self.keycrm.requests(path=path))

    def each_fault(self, check):
        """Check each fault, with the database and KeyCRM as before."""
        for fault in FAULTS:
            with self.subTest(**fault):
                with contextlib.closing(self.env.cr.savepoint(flush=True)):
                    self.create_offers()
                    check({"times": None, **fault})
                self.env.invalidate_all()
                self.keycrm.reset(keep_switches=True)
                order_priorities._states.clear()

    def create_offers(self):
        for number in range(FIRST, FIRST + COUNT):
            self.keycrm.create_offer(id=number, name=f"Товар {number}", sku=f"U-{number}", price=5)

    def check_only_the_faulty_one_failed(self, order, name):
        """Check that all products but one follow KeyCRM, and that its order names it."""
        # Three attempts, and a bisection of fifty.
        self.assertLessEqual(self.requests("/offers"), 3 + 12)
        self.assertLessEqual(self.requests("/order/status"), 2)
        names = self.names()
        names.pop(FAULTY, None)
        numbers = range(FIRST, FIRST + COUNT)
        self.assertEqual(names, {one: f"{name} {one}" for one in numbers if one != FAULTY})
        failed = self.events("failed")
        self.assertEqual(failed.mapped("keycrm_order_id"), [order])
        self.assertIn(str(FAULTY), failed.error)
        self.assertEqual(failed.sale_order_id.keycrm_id, order)
        self.assertGreater(failed.next_try_at, self.env.cr.now())
        self.assertFalse(self.account.circuit_error_text)
        # Once KeyCRM returns it, one click ends it.
        self.keycrm.clear_faults()
        failed.action_retry()
        self.run_queue()
        self.assertFalse(self.events("failed"))
        self.assertEqual(self.names()[FAULTY], f"{name} {FAULTY}")

    def test_an_offer_that_cannot_be_read_holds_back_no_new_order(self):
        def check(fault):
            orders = [
                self.new_order([{"offer_id": number, "quantity": 1}])
                for number in range(FIRST, FIRST + COUNT)
            ]
            self.keycrm.add_fault(path="/offers", contains=str(FAULTY), **fault)
            self.receive(*orders)
            found = self.env["sale.order"].search_count([("keycrm_id", "in", orders)])
            self.assertEqual(found, COUNT)
            self.check_only_the_faulty_one_failed(orders[FAULTY - FIRST], "Товар")

        self.each_fault(check)

    def test_unreadable_offer_keeps_no_other_product_from_following(self):
        def check(fault):
            order = self.new_order([{"offer_id": FIRST + n, "quantity": 1} for n in range(COUNT)])
            self.receive(order)
            for offer in self.keycrm.offers():
                if offer["id"] >= FIRST:
                    self.keycrm.patch_product(offer["product_id"], name=f"Нова {offer['id']}")
            self.keycrm.patch_order(order, webhook=False, manager_comment="ще раз")
            self.keycrm.add_fault(path="/offers", contains=str(FAULTY), **fault)
            self.receive(order)
            self.check_only_the_faulty_one_failed(order, "Нова")

        self.each_fault(check)

    def test_a_buyer_that_cannot_be_read_keeps_no_other_company_from_following(self):
        def check(fault):
            buyers = [
                self.keycrm.create_buyer(id=FIRST + n, full_name=f"Оля {n}", company=f"ТОВ {n}")
                for n in range(COUNT)
            ]
            orders = [self.new_order([], client_id=buyer["id"]) for buyer in buyers]
            self.keycrm.add_fault(path="/buyer", contains=str(FAULTY), **fault)
            self.receive(*orders)
            self.assertLessEqual(self.requests("/buyer"), 3 + 12)
            companies = self.env["keycrm.company"].search([("account_id", "=", self.account.id)])
            self.assertEqual(len(companies), COUNT - 1)
            failed = self.events("failed")
            self.assertEqual(failed.mapped("keycrm_order_id"), [orders[FAULTY - FIRST]])
            self.assertIn(str(FAULTY), failed.error)
            self.keycrm.clear_faults()
            failed.action_retry()
            self.run_queue()
            self.assertEqual(failed.state, "done")
            self.assertEqual(
                failed.sale_order_id.partner_id.commercial_partner_id.name, f"ТОВ {FAULTY - FIRST}"
            )

        self.each_fault(check)

    def test_buyer_with_a_malformed_company_fails_alone(self):
        buyers = [
            self.keycrm.create_buyer(full_name=name, company=f"ТОВ {name}")["id"]
            for name in ("Оля", "Ігор")
        ]
        self.keycrm.patch_buyer(buyers[1], raw={"company": {"id": "no number"}})
        orders = [self.new_order([], client_id=buyer) for buyer in buyers]
        self.receive(*orders)
        self.assertEqual(self.env["sale.order"].search_count([("keycrm_id", "in", orders)]), 2)
        failed = self.events("failed")
        self.assertEqual(failed.mapped("keycrm_order_id"), [orders[1]])
        self.assertIn(f"buyer {buyers[1]} ", failed.error)

    def test_faulty_offer_delays_one_of_its_orders_alone(self):
        self.create_offers()
        self.keycrm.add_fault("status", path="/offers", contains=str(FAULTY), times=None)
        for _ in range(2):
            orders = [self.new_order([{"offer_id": FAULTY}, {"offer_id": FIRST}]) for _ in range(5)]
            self.receive(*orders)
            found = self.env["sale.order"].search_count([("keycrm_id", "in", orders)])
            self.assertEqual(found, 5)
        waiting = self.events("failed")
        self.assertEqual(len(waiting), 1)
        waiting.action_retry()
        self.run_queue()
        self.assertEqual((waiting.state, waiting.attempts), ("failed", 1))
        self.keycrm.clear_faults()
        waiting.action_retry()
        self.run_queue()
        self.assertEqual(waiting.state, "done")
        self.assertEqual(self.names()[FAULTY], f"Товар {FAULTY}")

    def test_a_known_faulty_offer_costs_each_later_order_one_request(self):
        self.create_offers()
        first = self.new_order([{"offer_id": FIRST + n} for n in range(COUNT)])
        self.keycrm.add_fault("status", path="/offers", contains=str(FAULTY), times=None)
        self.receive(first)
        for _ in range(3):
            self.receive(self.new_order([{"offer_id": FAULTY}]))
            self.assertEqual(self.requests("/offers"), 1)

    def test_an_offer_that_times_out_is_isolated_by_the_next_run(self):
        # Odoo's tests give each request ten seconds.
        self.patch(cron_runner, "open_client", partial(cron_runner.open_client, timeout=(5, 10)))
        self.create_offers()
        order = self.new_order([{"offer_id": FIRST}, {"offer_id": FAULTY}])
        self.keycrm.add_fault(
            "delay", path="/offers", contains=str(FAULTY), seconds=10.5, times=None
        )
        self.receive(order)
        # The run's time is over: the order is there, and the search goes on with the next attempt.
        self.assertTrue(self.env["sale.order"].search([("keycrm_id", "=", order)]))
        failed = self.events("failed")
        self.assertEqual(failed.error_code, "timed_out")
        self.keycrm.patch_product(self.product_of(FIRST), name="Нова назва")
        failed.action_retry()
        self.run_queue()
        self.assertEqual(self.names()[FIRST], "Нова назва")
        self.assertIn(str(FAULTY), self.events("failed").error)

    def product_of(self, number):
        return next(one["product_id"] for one in self.keycrm.offers() if one["id"] == number)

    def test_a_catalog_that_cannot_be_read_at_all_delays_no_order(self):
        self.create_offers()
        numbers = iter(range(FIRST, FIRST + COUNT))
        self.keycrm.add_fault("status", path="/offers", times=None)
        most = [30, 3, 3]
        for limit in most:
            orders = [self.new_order([{"offer_id": next(numbers)}]) for _ in range(10)]
            self.receive(*orders)
            found = self.env["sale.order"].search_count([("keycrm_id", "in", orders)])
            self.assertEqual(found, 10)
            self.assertLessEqual(self.requests("/offers"), limit)
        self.assertEqual(len(self.events("failed")), 30)
        self.keycrm.clear_faults()
        self.events("failed").action_retry()
        self.run_queue()
        self.assertFalse(self.events("failed"))
        self.assertEqual(len(self.names()), 30)

    def test_while_keycrm_is_unavailable_orders_that_were_read_are_written(self):
        self.create_offers()
        order = self.new_order([{"offer_id": FIRST}])
        for path in ("/offers", "/order/status"):
            self.keycrm.add_fault("status", path=path, status=503, times=None)
        self.receive(order)
        self.assertTrue(self.env["sale.order"].search([("keycrm_id", "=", order)]))
        self.assertEqual(self.events("failed").error_code, "server_trouble")
        self.assertLessEqual(len(self.keycrm.requests()), 6)
