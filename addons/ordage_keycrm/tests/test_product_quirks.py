"""Unusual products: odd SKUs, archived duplicates, barcodes of other products, unknown units, weights."""

from odoo.tests import new_test_user

from ..services.common.api_gateway import open_client
from ..services.stock.stock_lookup import StockLookup
from .product_common import ProductCase
from .stock_common import StockCase

#: Characters that are invisible between the letters of a SKU.
INVISIBLE = ("\u200b", "\ufeff", "\u00ad", "\u2060", "\u200d", "\u200e")


class TestSkus(ProductCase):
    def test_invisible_characters_create_no_second_product(self):
        known = self.product(default_code="AB 1")
        for typed in (
            *(f"A{c}B 1{c}" for c in INVISIBLE),
            "AB\u00a01",
            "ＡＢ １",
            "\u202fab\u20071 ",
        ):
            with self.subTest(typed=ascii(typed)):
                line = self.line_of({"offer_id": self.offer(sku=typed)["id"]})
                self.assertEqual(line.product_id, known)

    def test_new_product_gets_the_sku_without_invisible_characters(self):
        line = self.line_of({"offer_id": self.offer(sku="\ufeffСК\u200b-7\u00a0A")["id"]})
        self.assertEqual(line.product_id.default_code, "СК-7 A")

    def test_sku_of_invisible_characters_counts_as_none(self):
        line = self.line_of({"offer_id": (offer := self.offer(sku="\u200b"))["id"]})
        self.assertEqual(line.product_id.default_code, f"KC-{offer['id']}")

    def test_barcode_with_an_invisible_character_finds_its_product(self):
        known = self.product(default_code="OURS", barcode="4820000000111")
        line = self.line_of({"offer_id": self.offer(sku="T", barcode="\u200b4820000000111")["id"]})
        self.assertEqual(line.product_id, known)


class TestArchivedTwins(ProductCase):
    def setUp(self):
        super().setUp()
        # KeyCRM forgets nothing between the tests.
        self.sku = f"TWIN-{self._testMethodName}"
        self.number = self.offer(sku=self.sku)["id"]
        self.line = self.line_of({"offer_id": self.number}, status_id=self.status(3).keycrm_id)
        self.old = self.line.product_id
        self.mapping = self.env["keycrm.offer"].search([("keycrm_id", "=", self.number)])
        self.old.active = False
        self.new = self.product(name="Новий", default_code=self.sku.lower())

    def test_new_orders_use_the_active_product_confirmed_keep_theirs(self):
        confirmed = self.line.order_id
        line = self.line_of({"offer_id": self.number})
        self.assertEqual((line.product_id, self.mapping.product_id), (self.new, self.new))
        self.keycrm.patch_order(confirmed.keycrm_id, manager_comment="Терміново", webhook=False)
        again = self.lines_of(confirmed.keycrm_id)
        self.assertEqual((again, again.product_id), (self.line, self.old))

    def test_known_and_new_order_of_one_batch_keep_their_products(self):
        confirmed = self.line.order_id
        number = self.new_order([{"offer_id": self.number}])
        outcomes = self.outcomes_by_worker(confirmed.keycrm_id, number)
        order = self.env["sale.order"].browse(outcomes[number].order_id)
        self.assertEqual(order.order_line.product_id, self.new)
        self.assertEqual(confirmed.order_line.filtered("keycrm_id").product_id, self.old)

    def test_two_active_products_are_not_guessed(self):
        self.product(default_code=self.sku)
        line = self.line_of({"offer_id": self.number})
        self.assertEqual(line.product_id, self.old)

    def test_stock_change_maps_the_offer_to_the_active_product(self):
        with open_client(self.account) as client, self.committing():
            self.new.default_code = self.sku
            StockLookup(self.account, client).map_by_sku(self.new)
        self.assertEqual(self.mapping.product_id, self.new)

    def test_comparison_maps_the_offer_to_the_active_product(self):
        StockLookup(self.account).map_snapshot({self.number: (self.sku, None)})
        self.assertEqual(self.mapping.product_id, self.new)


class TestStockOfArchivedTwins(StockCase):
    def test_comparison_sends_the_stock_of_the_active_product_alone(self):
        old = self.goods("TWIN-STOCK")
        self.count(old, 7)
        self.work()
        # While both are active, KeyCRM's offer stays with the first, and Odoo requests the SKU once.
        new = self.env["product.product"].create(
            {"name": "Новий", "default_code": "TWIN-STOCK", "is_storable": True}
        )
        self.count(new, 4)
        self.work()
        old.action_archive()
        self.work()
        number = self.number(old)
        self.account.action_compare_stock()
        self.work()
        self.assertEqual(self.number(new), number)
        self.assertEqual(self.shown(new), 4)
        self.sent()
        self.count(old, 9)
        old.action_unarchive()
        self.assert_sent()
        self.count(new, 3)
        self.assert_sent((new, 3))


class TestForeignBarcodes(ProductCase):
    def setUp(self):
        super().setUp()
        self.theirs = self.env["res.company"].create({"name": "Інша"})
        self.other = self.product(
            name="Таємний", company_id=self.theirs.id, barcode="4820000000222"
        )

    def test_shared_product_keeps_no_barcode_and_offer_shows_why(self):
        known = self.product(default_code="S-1")
        self.assertFalse(known.company_id)
        line = self.line_of({"offer_id": self.offer(sku="S-1", barcode="4820000000222")["id"]})
        self.assertEqual((line.product_id, known.barcode), (known, False))
        self.assertIn("4820000000222", known.keycrm_offer_ids.problem)
        self.assertNotIn("Таємний", known.keycrm_offer_ids.problem)

    def test_barcode_of_a_packaging_of_another_company_is_not_taken(self):
        self.env["product.uom"].create(
            {
                "product_id": self.other.id,
                "uom_id": self.env.ref("uom.product_uom_dozen").id,
                "barcode": "4820000000239",
                "company_id": self.theirs.id,
            }
        )
        known = self.product(default_code="S-2")
        line = self.line_of({"offer_id": self.offer(sku="S-2", barcode="4820000000239")["id"]})
        self.assertEqual((line.product_id, known.barcode), (known, False))

    def test_own_product_may_have_a_barcode_of_another_company(self):
        line = self.line_of({"offer_id": self.offer(sku="S-3", barcode="4820000000222")["id"]})
        self.assertEqual(line.product_id.barcode, "4820000000222")


class TestUnits(ProductCase):
    def unit_of(self, unit):
        name = f"Річ {unit}"
        return self.line_of({"name": name, "unit_type": unit, "quantity": 2}).product_id.uom_id

    def test_missing_units_are_created_once_and_never_become_pieces(self):
        pack = self.unit_of("уп")
        self.assertEqual(pack.name, "уп")
        self.assertEqual(self.unit_of("УП"), pack)
        self.assertEqual(self.unit_of("пог.м"), self.env.ref("uom.product_uom_meter"))
        for typed in ("шт", "шт.", ""):
            self.assertEqual(self.unit_of(typed), self.env.ref("uom.product_uom_unit"))

    def test_unit_of_the_same_name_is_used_in_any_language(self):
        pair = self.env["uom.uom"].create({"name": "Pair"})
        pair.with_context(lang="uk_UA").name = "пара"
        self.assertEqual(self.unit_of("пара"), pair)

    def test_user_may_change_the_unit_of_a_product_in_orders(self):
        line = self.line_of(
            {"name": "Стрічка", "price": 70, "discount_amount": 7, "quantity": 4},
            status_id=self.status(3).keycrm_id,
        )
        before = (line.price_unit, line.discount, line.price_total, line.order_id.amount_total)
        meter = self.env.ref("uom.product_uom_meter")
        manager = new_test_user(
            self.env,
            "m",
            groups="stock.group_stock_manager,sales_team.group_sale_manager,product.group_product_manager",
        )
        line.product_id.product_tmpl_id.with_user(manager).uom_id = meter
        self.assertEqual((line.product_uom_id, line.move_ids.product_uom), (meter, meter))
        after = (line.price_unit, line.discount, line.price_total, line.order_id.amount_total)
        self.assertEqual(after, before)
        self.assertRefused(
            line.with_user(manager).write,
            {"product_uom_id": self.env.ref("uom.product_uom_unit").id},
        )
        self.assertEqual(self.lines_of(line.order_id.keycrm_id), line)
        self.assertEqual(line.product_uom_id, meter)

    def test_order_waits_if_its_product_has_another_unit_in_keycrm(self):
        kilogram = self.env.ref("uom.product_uom_kgm")
        known = self.product(default_code="RICE")
        offer = self.offer(sku="RICE", unit_type="кг")["id"]
        line = self.line_of(
            {"offer_id": offer, "price": 40, "quantity": 2.5}, status_id=self.status(3).keycrm_id
        )
        order, mapping = line.order_id, known.keycrm_offer_ids
        self.assertEqual((line.product_id, order.state), (known, "draft"))
        for text in (order.keycrm_problem, mapping.problem):
            self.assertIn("кг", text)
            self.assertIn(known.uom_id.name, text)
        self.assertTrue(order.keycrm_needs_decision)
        known.product_tmpl_id.uom_id = kilogram
        self.lines_of(order.keycrm_id)
        self.assertEqual((order.state, line.product_uom_id), ("sale", kilogram))
        self.assertFalse(order.keycrm_problem or mapping.problem_code or order.activity_ids)

    def test_compatible_units_delay_no_order(self):
        self.product(default_code="BOX")
        pack = self.env["uom.uom"].create({"name": "Мішок"})
        self.product(default_code="SACK", uom_id=pack.id)
        for sku, unit in (("BOX", "уп"), ("BOX", "шт."), ("BOX", ""), ("SACK", "шт")):
            with self.subTest(sku=sku, unit=unit):
                line = self.line_of(
                    {"name": sku, "sku": sku, "unit_type": unit, "price": 1},
                    status_id=self.status(3).keycrm_id,
                )
                self.assertEqual(line.order_id.state, "sale")

    def test_pieces_of_a_product_sold_by_weight_wait(self):
        self.product(default_code="FLOUR", uom_id=self.env.ref("uom.product_uom_gram").id)
        for unit in ("шт", "кг"):
            line = self.line_of(
                {"name": "Борошно", "sku": "FLOUR", "unit_type": unit, "price": 1},
                status_id=self.status(3).keycrm_id,
            )
            self.assertEqual(line.order_id.state, "draft")


class TestWeights(ProductCase):
    def weight_of(self, sku):
        offer = self.offer(sku=sku, weight="0.35")["id"]
        return self.line_of({"offer_id": offer}).product_id.weight

    def test_weight_is_taken_in_the_unit_of_keycrm(self):
        for unit, chosen in (("g", "product_uom_gram"), ("kg", "product_uom_kgm")):
            self.keycrm.set_switches(weight_unit=unit)
            self.account.weight_unit = chosen
            self.assertEqual(self.weight_of(f"W-{unit}"), 0.35)

    def test_weight_is_not_guessed(self):
        self.account.weight_unit = False
        self.assertEqual(self.weight_of("W-0"), 0)
