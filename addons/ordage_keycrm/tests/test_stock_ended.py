from odoo.tests import tagged

from .stock_common import StockCase


@tagged("post_install", "-at_install")
class TestStockEnded(StockCase):
    """What KeyCRM shows once Odoo no longer sells a product, or the mapping of its offer ends."""

    def setUp(self):
        super().setUp()
        self.keycrm.clear_log()
        self.cap = self.goods(f"ENDED-{self.id().rsplit('.', 1)[-1]}")
        self.count(self.cap, 7)
        self.assert_sent((self.cap, 7))

    # === PRODUCTS ===#

    def ways_to_end(self):
        """:return: ``[(name, end, resume)]``"""
        other = self.env["res.company"].create({"name": "Other"})
        template = self.cap.product_tmpl_id

        def move_to(company):
            # Odoo allows it where the quantities and moves are none of another company.
            self.env.cr.execute(
                "UPDATE product_template SET company_id = %s WHERE id = %s",
                [company.id or None, template.id],
            )
            template.invalidate_recordset()
            self.env["keycrm.stock.change"]._enqueue_everywhere(self.cap.ids)

        return [
            ("variant archived", self.cap.action_archive, self.cap.action_unarchive),
            ("template archived", template.action_archive, template.action_unarchive),
            (
                "not tracked",
                lambda: template.write({"is_storable": False}),
                lambda: template.write({"is_storable": True}),
            ),
            (
                "other company",
                lambda: move_to(other),
                lambda: move_to(self.env["res.company"]),
            ),
        ]

    def test_product_no_longer_sold_is_zero_until_it_is_sold_again(self):
        for way, end, resume in self.ways_to_end():
            with self.subTest(way):
                end()
                self.assert_sent((self.cap, 0))
                resume()
                self.assert_sent((self.cap, 7))

    def test_moves_of_an_archived_product_send_nothing(self):
        self.cap.action_archive()
        self.work()
        self.sent()
        self.move(self.cap, 1, self.suppliers, self.warehouse.lot_stock_id)
        self.assertFalse(self.sent())
        self.cap.action_unarchive()
        self.assert_sent((self.cap, 8))

    def test_account_may_keep_sending_the_remaining_stock(self):
        self.account.stock_when_ended = "remaining"
        for way, end, resume in self.ways_to_end():
            with self.subTest(way):
                end()
                self.assertFalse(self.sent(), "KeyCRM has this number")
                resume()
                self.assertFalse(self.sent())
        self.cap.action_archive()
        self.move(self.cap, 2, self.warehouse.lot_stock_id, self.customers)
        self.assert_sent((self.cap, 5))

    def test_changed_option_sends_the_other_quantity(self):
        self.cap.action_archive()
        self.assert_sent((self.cap, 0))
        self.account.stock_when_ended = "remaining"
        self.assert_sent((self.cap, 7))
        self.account.stock_when_ended = "zero"
        self.assert_sent((self.cap, 0))

    def test_change_while_sending_was_off_is_found_by_the_comparison(self):
        self.account.enabled = False
        self.cap.action_archive()
        self.account.enabled = True
        self.work()
        self.assertEqual(self.shown(self.cap), 0)

    def test_archived_product_that_was_never_sent_sends_nothing(self):
        self.account.push_stock = False
        old = self.goods("NEVER-SENT", keycrm={1: 4})
        self.count(old, 3)
        old.action_archive()
        self.account.push_stock = True
        self.account.action_push_all_stock()
        self.work()
        self.assertEqual(self.shown(old), 4)

    def test_archiving_many_products_waits_for_a_user(self):
        products = self.many(30, "RANGE-")
        self.count_all(products, 5)
        self.work()
        products.action_archive()
        self.assertFalse(self.sent())
        self.assertEqual(self.account.stock_held_zeros, 30)
        self.account.action_allow_zeros()
        self.assert_sent(*((product, 0) for product in products))

    def test_explanation_of_an_archived_product_shows_why_it_is_zero(self):
        template = self.cap.product_tmpl_id
        template.action_archive()
        self.work()
        action = template.with_context(lang="en_US").action_keycrm_explain()
        why = self.env["keycrm.stock.explanation"].browse(action["res_id"])
        lines = why.line_ids.filtered(lambda line: line.keycrm_warehouse_id == self.kw1)
        self.assertRegex(
            " ".join(lines[1:].mapped("name")),
            r"7 − archived, or no longer tracked in Odoo 7 = sent 0 at",
        )
        action = lines.filtered(lambda line: line.kind == "ended").action_open()
        self.assertEqual(self.env[action["res_model"]].search(action["domain"]), self.cap)

    # === MAPPINGS ===#

    def zeros(self):
        return [(warehouse, list(rows.items())) for warehouse, rows in self.sent()]

    def test_offer_whose_mapping_is_deleted_becomes_zero(self):
        number = self.number(self.cap)
        self.cap.default_code = "OTHER-SKU"
        self.cap.keycrm_offer_ids.unlink()
        self.assertEqual(self.zeros(), [(1, [(number, 0)])])
        self.assertFalse(self.sent())

    def test_offer_that_is_mapped_again_at_once_keeps_its_quantity(self):
        number = self.number(self.cap)
        self.cap.keycrm_offer_ids.unlink()
        self.work()
        self.assertEqual(self.number(self.cap), number, "its SKU led back to it")
        self.assertEqual(self.shown(self.cap), 7)
        # Sent as zero for no moment.
        self.assertNotIn(0.0, [q for _warehouse, rows in self.sent() for q in rows.values()])

    def test_offer_mapped_to_a_product_never_counted_becomes_zero(self):
        offer = self.cap.keycrm_offer_ids
        self.cap.default_code = "OTHER-SKU"
        new = self.env["product.product"].create(
            {"name": "New", "default_code": "NEW", "is_storable": True}
        )
        offer.product_id = new
        self.assertEqual(self.zeros(), [(1, [(offer.keycrm_id, 0)])])
        self.count(new, 3)
        self.assert_sent((new, 3))

    def test_corrected_offer_number_zeroes_the_wrong_offer(self):
        offer, wrong = self.cap.keycrm_offer_ids, self.number(self.cap)
        right = self.keycrm.create_offer(sku="RIGHT", stock={1: 1})["id"]
        offer.keycrm_id = right
        sent = {}
        for _warehouse, rows in self.sent():
            sent.update(rows)
        self.assertEqual(sent, {wrong: 0, right: 7})

    def test_deleted_mapping_keeps_its_quantity_with_remaining_stock(self):
        self.account.stock_when_ended = "remaining"
        self.cap.default_code = "OTHER-SKU"
        self.cap.keycrm_offer_ids.unlink()
        self.assertFalse(self.sent())

    def test_many_ended_mappings_are_one_request(self):
        self.account.write({"stock_zero_limit": 100, "stock_zero_percent": 100})
        products = self.many(30, "BATCH-")
        self.count_all(products, 5)
        self.work()
        self.sent()
        numbers = [self.number(product) for product in products]
        products.write({"default_code": False})
        products.keycrm_offer_ids.unlink()
        self.assertEqual(self.sent(), [(1, dict.fromkeys(numbers, 0))])

    def test_ended_mappings_whose_zero_fails_delay_no_other_product(self):
        self.account.write({"stock_zero_limit": 100, "stock_zero_percent": 100})
        products = self.many(12, "FAIL-")
        self.count_all(products, 5)
        self.work()
        numbers = [self.number(product) for product in products]
        for number in numbers[3:8]:
            self.keycrm.add_fault("status", method="PUT", contains=f'"id": {number},', times=None)
        self.addCleanup(self.keycrm.clear_faults)
        products.write({"default_code": False})
        products.keycrm_offer_ids.unlink()
        self.work()
        stock = {number: self.keycrm.stock(number)["warehouses"]["1"] for number in numbers}
        self.assertEqual(
            {number for number, row in stock.items() if float(row["quantity"])}, set(numbers[3:8])
        )
        self.assertFalse(self.env["keycrm.stock.change"].search([]), "nothing waits")
        self.assertFalse(self.account.circuit_error_text)
        notes = self.account.activity_ids.filtered(lambda one: "offer remains" in one.summary)
        for number in numbers[3:8]:
            self.assertIn(str(number), " ".join(notes.mapped("note")))
        for _note in notes:
            (row,) = self.activity_rows()
            self.env["mail.activity"].browse(row["id"]).action_done()
        self.assertFalse(self.activity_rows())
        self.keycrm.clear_log()
        self.count(self.cap, 6)
        self.assert_sent((self.cap, 6))

    def test_clearing_the_whole_mapping_zeroes_nothing(self):
        products = self.many(30, "CLEAR-")
        self.count_all(products, 5)
        self.work()
        self.sent()
        products.keycrm_offer_ids.unlink()
        self.assertFalse(self.sent())

    def ended_shop(self):
        """Make a shop of thirty offers, four of them no longer linked to a product."""
        products = self.many(29, "SHOP-")
        self.count_all(products, 5)
        self.work()
        self.sent()
        products[:4].write({"default_code": False})
        self.numbers = [self.number(product) for product in products[:4]]
        products[:4].keycrm_offer_ids.unlink()
        self.assertFalse(self.sent())
        return products

    def activity_rows(self):
        rows = self.account.get_overview()["decisions"]
        return [row for row in rows if row["model"] == "mail.activity"]

    def hold_activity(self):
        return self.account.activity_ids.filtered(lambda one: "on hold" in one.summary)

    def test_many_ended_mappings_are_held_and_a_user_decides(self):
        products = self.ended_shop()
        self.assertEqual(self.account.stock_held_zeros, 4)
        (activity,) = self.hold_activity()
        self.assertIn("SHOP-0", activity.note)
        self.assertFalse(self.activity_rows(), "products on hold are a row")
        # Neither everyday changes nor a further ended mapping release them.
        self.count(products[9], 4)
        self.assert_sent((products[9], 4))
        self.assertEqual(self.account.stock_held_zeros, 4)
        self.account.action_allow_zeros()
        self.assertEqual(self.sent(), [(1, dict.fromkeys(self.numbers, 0))])
        self.assertEqual(self.account.stock_held_zeros, 0)
        self.assertFalse(self.hold_activity())
        self.assertFalse(self.env["keycrm.ended.offer"].search([]))

    def test_held_mappings_that_are_created_again_keep_their_quantities(self):
        products = self.ended_shop()
        self.env["keycrm.offer"].create(
            [
                {
                    "account_id": self.account.id,
                    "keycrm_id": number,
                    "product_id": product.id,
                }
                for number, product in zip(self.numbers[:3], products, strict=False)
            ]
        )
        self.assertFalse(self.sent())
        self.assertEqual(self.account.stock_held_zeros, 1)
        self.env["keycrm.offer"].create(
            {
                "account_id": self.account.id,
                "keycrm_id": self.numbers[3],
                "product_id": products[3].id,
            }
        )
        self.assertFalse(self.sent())
        self.assertEqual(self.account.stock_held_zeros, 0)
        self.assertFalse(self.hold_activity())

    def test_higher_limit_sends_the_zeros_of_ended_mappings(self):
        self.ended_shop()
        self.account.write({"stock_zero_limit": 30, "stock_zero_percent": 100})
        self.assertEqual(self.sent(), [(1, dict.fromkeys(self.numbers, 0))])
        self.assertEqual(self.account.stock_held_zeros, 0)

    def test_offer_of_a_deleted_product_becomes_zero(self):
        for name, record in (
            ("variant", lambda one: one),
            ("product", lambda one: one.product_tmpl_id),
        ):
            with self.subTest(name):
                self.keycrm.clear_log()
                product = self.goods(f"DELETED-{name}", keycrm={1: 3})
                self.work()
                number = self.number(product)
                # It was sent without a move of its own, as a kit is.
                self.keycrm.set_stock(number, 1, 3, webhook=False)
                self.env["keycrm.stock.level"]._mark_confirmed(
                    self.kw1, {product.keycrm_offer_ids.id: 3}
                )
                self.sent(work=False)
                record(product).unlink()
                self.assertEqual(self.sent(), [(1, {number: 0})])

    def test_offer_deleted_in_keycrm_does_not_stop_the_others(self):
        other = self.goods("ENDED-OTHER")
        self.count(other, 2)
        self.work()
        self.sent()
        self.keycrm.set_switches(stock_put_unknown="refuse")
        self.addCleanup(self.keycrm.set_switches, stock_put_unknown="skip")
        self.keycrm.delete_offer(self.number(self.cap))
        (self.cap + other).write({"default_code": False})
        number = self.number(other)
        (self.cap + other).keycrm_offer_ids.unlink()
        self.work()
        self.assertEqual(float(self.keycrm.stock(number)["warehouses"]["1"]["quantity"]), 0)
