from odoo.exceptions import ValidationError
from odoo.fields import Command

from .stock_common import StockCase


class TestStockSending(StockCase):
    """What is sent, what is not, and what KeyCRM makes of it."""

    def setUp(self):
        super().setUp()
        self.keycrm.set_switches(
            fractional="keep", negative="keep", stock_put_unknown="skip", stock_put_apply="now"
        )
        self.keycrm.clear_faults()
        self.keycrm.clear_log()

    # === COALESCING ===#

    def test_hundred_changes_are_one_row(self):
        sock = self.goods("SOCK-100")
        for quantity in range(1, 101):
            self.count(sock, quantity)
        requests = self.sent()
        self.assertEqual(requests, [(1, {self.number(sock): 100})])

    def test_an_inventory_of_many_products_is_one_request(self):
        products = self.many(120, "T")
        self.count_all(products, 3)
        self.work()
        self.sent()
        self.count_all(products, 4)
        requests = self.sent()
        self.assertEqual(len(requests), 1)
        self.assertEqual(set(requests[0][1].values()), {4})
        self.assertEqual(len(requests[0][1]), 120)
        self.assertEqual(self.read_requests, [])

    def test_quantity_that_keycrm_has_is_not_sent(self):
        sock = self.goods("SOCK-SAME", keycrm={1: 7})
        self.count(sock, 7)
        self.assertEqual(self.sent(), [])

    def test_a_product_never_counted_or_moved_is_not_sent(self):
        sock = self.goods("SOCK-NEW", keycrm={1: 7})
        self.account.action_push_all_stock()
        self.assertEqual([r for r in self.sent() if self.number(sock) in r[1]], [])
        self.assertEqual(self.shown(sock), 7)

    def test_full_export_corrects_quantities_changed_in_keycrm(self):
        sock = self.goods("SOCK-HAND", keycrm={1: 5})
        self.count(sock, 5)
        self.work()
        self.keycrm.set_stock(self.number(sock), 1, 99, webhook=False)
        self.account.action_push_all_stock()
        self.work()
        self.assertEqual(self.shown(sock), 5)

    # === WHAT KEYCRM TAKES ===#

    def test_fractions_and_negatives_are_sent_as_keycrm_accepts_them(self):
        for fractional, shown in (("keep", 2.5), ("floor", 2), ("refuse", 2)):
            for negative, below in (("keep", -3), ("zero", 0), ("refuse", 0)):
                with self.subTest(fractional=fractional, negative=negative):
                    self.keycrm.set_switches(fractional=fractional, negative=negative)
                    self.account.write({"stock_whole_numbers": False, "stock_no_negatives": False})
                    name = f"{fractional}-{negative}"
                    part, minus, plain = (
                        self.goods(f"{kind}-{name}", keycrm={1: 1})
                        for kind in ("PART", "MIN", "PLN")
                    )
                    part.uom_id = self.env.ref("uom.product_uom_kgm")
                    self.count(part, 2.5)
                    self.count(plain, 4)
                    self.move(minus, 3, self.warehouse.lot_stock_id, self.customers)
                    self.work()
                    self.assertEqual(self.shown(part), shown)
                    self.assertEqual(self.shown(minus), below)
                    self.assertEqual(self.shown(plain), 4)
                    self.sent()
                    # Looked at again, KeyCRM's way of keeping a number is no difference.
                    self.env["keycrm.stock.change"]._enqueue_refresh(
                        self.account, (part + minus + plain).ids
                    )
                    self.assertEqual(self.sent(), [])

    def test_refused_row_delays_no_other_and_shows_why(self):
        good, bad = self.goods("GOOD"), self.goods("BAD")
        self.count(good, 3)
        self.count(bad, 3)
        self.work()
        self.keycrm.set_switches(stock_put_unknown="refuse")
        self.keycrm.delete_offer(self.number(bad))
        self.count(good, 4)
        self.count(bad, 4)
        self.work()
        self.assertEqual(self.shown(good), 4)
        level = bad.keycrm_level_ids
        self.assertIn("invalid", level.error)
        self.assertEqual(bad.keycrm_push_state, "refused")
        self.assertIn(level.error, bad.keycrm_push_error)
        self.assertFalse(good.keycrm_push_error)
        self.sent()
        # It is not offered again for nothing, but when something about it changes.
        self.env["keycrm.stock.change"]._enqueue_rows([(self.account.id, bad.id)])
        self.assertEqual(self.sent(), [])
        self.count(bad, 5)
        self.assertTrue(self.sent())

    def test_few_deleted_offers_among_many_delay_no_other(self):
        products = self.many(80, "FEW-")
        self.count_all(products, 3)
        self.work()
        self.keycrm.set_switches(stock_put_unknown="refuse")
        deleted = products[::20]
        for product in deleted:
            self.keycrm.delete_offer(self.number(product))
        self.count_all(products, 4)
        self.work()
        others = products - deleted
        self.assertEqual({self.shown(product) for product in others}, {4.0})
        self.assertFalse(others.filtered("keycrm_push_error"))
        self.assertEqual(deleted.filtered("keycrm_push_error"), deleted)

    def test_not_every_row_is_tried_if_all_are_refused(self):
        products = self.many(120, "ALL-")
        self.count_all(products, 3)
        self.work()
        self.sent()
        self.keycrm.add_fault("status", status=422, method="PUT", path="/offers/stocks", times=None)
        self.count_all(products, 4)
        self.assertLess(len(self.sent()), 60)
        self.assertEqual(products.filtered("keycrm_push_error"), products)

    def test_refused_fractions_are_detected_once_for_many_rows(self):
        self.account.stock_whole_numbers = False
        products = self.many(60, "KG-")
        products.uom_id = self.env.ref("uom.product_uom_kgm")
        self.keycrm.set_switches(fractional="refuse")
        self.count_all(products[::2], 3.5)
        self.count_all(products[1::2], 3)
        self.work()
        self.assertTrue(self.account.stock_whole_numbers)
        self.assertEqual({self.shown(product) for product in products}, {3.0})
        self.assertLess(len(self.sent()), 30)

    def test_quantity_whose_answer_was_lost_is_sent_again(self):
        sock = self.goods("SOCK-CUT")
        self.count(sock, 3)
        self.work()
        self.count(sock, 9)
        self.keycrm.add_fault("close", method="PUT", path="/offers/stocks", times=3, executed=True)
        self.work()
        self.assertEqual(self.shown(sock), 9)
        self.count(sock, 3)
        self.work()
        self.assertEqual(self.shown(sock), 3)

    def test_write_that_takes_effect_late_is_corrected(self):
        sock = self.goods("SOCK-LATE")
        self.keycrm.set_switches(stock_put_apply="late", stock_put_delay=1)
        self.count(sock, 5)
        self.work()
        self.count(sock, 0)
        self.env["keycrm.stock.change"]._enqueue_refresh(self.account, sock.ids)
        self.work()
        self.keycrm.wait_quiet()
        # What was read before the write took effect is read once more.
        self.settle()
        self.work()
        self.keycrm.wait_quiet()
        self.assertEqual(self.shown(sock), 0)

    def test_one_run_corrects_everything_after_an_outage(self):
        products = self.many(30, "OUT")
        self.keycrm.add_fault("status", status=503, times=None)
        for quantity in (4, 6):
            self.count_all(products, quantity)
            self.breaks()
        self.assertTrue(self.env["keycrm.stock.change"].search_count([]))
        self.keycrm.clear_faults()
        self.work()
        self.assertEqual({self.shown(product) for product in products}, {6.0})
        self.assertFalse(self.env["keycrm.stock.change"].search_count([]))

    # === PRODUCTS ===#

    def test_product_with_keycrms_sku_is_found_and_mapped(self):
        self.keycrm.create_offer(sku="Found-1", stock={1: 0})
        product = self.env["product.product"].create(
            {"name": "x", "default_code": "Found-1", "type": "consu", "is_storable": True}
        )
        self.count(product, 2)
        self.work()
        self.assertEqual(self.shown(product), 2)

    def test_malformed_row_of_an_answer_delays_no_other_product(self):
        offers = [self.keycrm.create_offer(sku=sku, stock={1: 0}) for sku in ("ROW-1", "ROW-2")]
        self.keycrm.patch_offer(offers[0]["id"], raw={"id": None})
        broken, good = self.env["product.product"].create(
            [{"name": sku, "default_code": sku, "is_storable": True} for sku in ("ROW-1", "ROW-2")]
        )
        self.count(broken, 2)
        self.count(good, 3)
        self.work()
        self.assertEqual(self.shown(good), 3)
        self.assertEqual(broken.keycrm_push_state, "missing")
        self.keycrm.patch_offer(offers[0]["id"], raw={})

    def test_product_is_not_guessed_if_two_have_the_sku(self):
        self.keycrm.create_offer(sku="TWIN", stock={1: 7})
        changed, other = self.env["product.product"].create(
            [{"name": name, "default_code": "TWIN", "is_storable": True} for name in "ab"]
        )
        self.count(changed, 2)
        self.work()
        self.assertFalse((changed + other).keycrm_offer_ids)
        self.assertEqual(changed.keycrm_push_state, "missing")

    def test_many_skus_are_looked_up_in_one_request(self):
        for number in range(120):
            self.keycrm.create_offer(sku=f"ASK-{number}", stock={1: 0})
        products = self.env["product.product"].create(
            [
                {"name": "x", "default_code": f"ASK-{number}", "is_storable": True}
                for number in range(120)
            ]
        )
        self.keycrm.clear_log()
        self.count_all(products, 2)
        self.work()
        lookups = self.keycrm.requests(method="GET", path="/offers")
        self.assertEqual(len(lookups), 3)
        self.assertEqual({self.shown(product) for product in products}, {2.0})
        # Cached: the next change costs no lookup.
        self.sent()
        self.count_all(products, 3)
        self.assertEqual(len(self.sent()), 1)
        self.assertEqual(self.read_requests, [])

    def test_missing_sku_is_looked_up_once(self):
        product = self.env["product.product"].create(
            {"name": "x", "default_code": "NOWHERE", "type": "consu", "is_storable": True}
        )
        for quantity in (2, 3, 4):
            self.count(product, quantity)
            self.sent()
        missing = self.env["keycrm.missing.sku"].search([("product_id", "=", product.id)])
        self.assertEqual(missing.sku, "NOWHERE")
        self.assertEqual(product.keycrm_push_state, "missing")
        self.count(product, 5)
        self.sent()
        self.assertEqual(self.read_requests, [])
        self.keycrm.create_offer(sku="SOMEWHERE", stock={1: 0})
        product.default_code = "SOMEWHERE"
        self.work()
        self.assertEqual(self.shown(product), 5)
        self.assertFalse(missing.exists())

    def test_product_mapped_by_an_order_is_no_longer_missing(self):
        product = self.env["product.product"].create(
            {"name": "x", "default_code": "BY-ORDER", "type": "consu", "is_storable": True}
        )
        self.count(product, 2)
        self.work()
        offer = self.keycrm.create_offer(sku="BY-ORDER", stock={1: 0})["id"]
        self.arrive(self.new_order([{"offer_id": offer, "quantity": 1}]))
        self.work()
        self.assertEqual(self.number(product), offer)
        missing = self.env["keycrm.missing.sku"].search([("product_id", "=", product.id)])
        self.assertFalse(missing)

    def test_services_are_not_sent(self):
        service = self.goods("SERVICE", storable=False, keycrm={1: 3})
        self.env["keycrm.stock.change"]._enqueue_rows([(self.account.id, service.id)])
        self.assertEqual(self.sent(), [])

    # === WAREHOUSES ===#

    def test_one_odoo_warehouse_for_two_of_keycrm_is_refused(self):
        with self.assertRaisesRegex(ValidationError, "offered twice|двічі"):
            self.kw2.warehouse_ids = self.warehouse

    def test_unmatching_sends_nothing_and_matching_again_waits_for_a_preview(self):
        sock = self.goods("SOCK-MATCH")
        self.count(sock, 3)
        self.work()
        self.sent()
        self.kw1.warehouse_ids = False
        self.assertEqual(self.sent(), [])
        self.assertEqual(self.kw1.send_state, "off")
        self.kw1.warehouse_ids = [Command.set(self.warehouse.ids)]
        self.assertEqual(self.kw1.send_state, "preview")
        self.count(sock, 8)
        self.assertEqual(self.sent(), [])
        self.assertEqual(self.shown(sock), 3)

    # === PAUSE ===#

    def test_changes_while_disabled_are_sent_afterwards(self):
        sock = self.goods("SOCK-OFF")
        self.count(sock, 5)
        self.work()
        self.account.enabled = False
        self.count(sock, 9)
        self.work()
        self.assertEqual(self.shown(sock), 5)
        self.account.enabled = True
        self.work()
        self.assertEqual(self.shown(sock), 9)

    def test_changes_while_paused_are_sent_once_resumed(self):
        sock = self.goods("SOCK-PAUSE")
        self.account.action_pause_stock()
        self.count(sock, 3)
        self.assertEqual(self.sent(), [])
        self.account.action_resume_stock()
        self.assert_sent((sock, 3))
