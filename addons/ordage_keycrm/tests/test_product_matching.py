"""Which product a line becomes, and what a person says once of it."""

from unittest.mock import patch

from odoo.tests import Form, new_test_user

from .product_common import SHIRT, ProductCase


class TestMatching(ProductCase):
    def test_sku_is_found_in_any_case_and_spacing(self):
        shirt = self.product(default_code="Абв-1 ")
        line = self.line_of({"offer_id": self.offer(sku=" аБВ-1")["id"]})
        self.assertEqual(line.product_id, shirt)
        self.assertEqual(shirt.keycrm_offer_ids.sku, "аБВ-1")
        self.assertEqual(shirt.default_code, "Абв-1 ", "the SKU of a product is never overwritten")

    def test_mapping_has_priority_over_a_changed_sku(self):
        offer = self.offer(sku="T-1")
        first = self.line_of({"offer_id": offer["id"]}).product_id
        other = self.product(default_code="T-2")
        self.keycrm.patch_offer(offer["id"], sku="T-2")
        second = self.line_of({"offer_id": offer["id"]}).product_id
        self.assertEqual(second, first)
        self.assertFalse(other.keycrm_offer_ids)
        self.assertEqual(first.default_code, "T-1")
        self.assertEqual(first.keycrm_offer_ids.sku, "T-2")

    def test_barcode_identifies_a_product_without_its_sku(self):
        known = self.product(default_code="OURS", barcode="4820000000017")
        line = self.line_of({"offer_id": self.offer(sku="THEIRS", barcode="4820000000017")["id"]})
        self.assertEqual(line.product_id, known)
        self.assertEqual(known.default_code, "OURS")

    def test_shared_barcode_does_not_merge_two_offers(self):
        one = self.line_of({"offer_id": self.offer(sku="B-1", barcode="4820000000024")["id"]})
        two = self.line_of({"offer_id": self.offer(sku="B-2", barcode="4820000000024")["id"]})
        self.assertNotEqual(one.product_id, two.product_id)
        self.assertFalse(two.product_id.barcode)
        self.assertIn("4820000000024", two.product_id.keycrm_offer_ids.problem)
        self.assertIn("B-1", two.product_id.keycrm_offer_ids.problem)

    def test_new_product_is_storable_and_has_the_catalogs_values(self):
        offer = self.offer(
            sku="N-1",
            barcode="4820000000031",
            price="1290.50",
            purchased_price="700",
            weight="0.35",
            properties=SHIRT,
        )
        line = self.line_of({"offer_id": offer["id"], "name": "SALE!!! Сорочка топ", "price": 990})
        self.assertRecordValues(
            line.product_id,
            [
                {
                    "name": "Сорочка, біла, M",
                    "default_code": "N-1",
                    "barcode": "4820000000031",
                    "type": "consu",
                    "is_storable": True,
                    "list_price": 1290.5,
                    "standard_price": 700.0,
                    "weight": 0.35,
                    "keycrm_origin": "catalog",
                }
            ],
        )
        self.assertEqual(line.price_unit, 990)

    def test_archived_product_with_the_sku_is_used(self):
        old = self.product(default_code="OLD-1", active=False)
        self.assertEqual(self.line_of({"offer_id": self.offer(sku="OLD-1")["id"]}).product_id, old)

    def test_product_of_another_company_is_not_used(self):
        other = self.env["res.company"].create({"name": "Other shop"})
        theirs = self.product(default_code="C-1", company_id=other.id)
        line = self.line_of({"offer_id": self.offer(sku="C-1")["id"]})
        self.assertNotEqual(line.product_id, theirs)

    def test_line_without_offer_finds_the_product_mapped_to_its_sku(self):
        mug = self.product(default_code="MUG")
        offer = self.offer(sku="OFFER-SKU")
        self.env["keycrm.offer"].create(
            {"account_id": self.account.id, "keycrm_id": offer["id"], "product_id": mug.id}
        )
        self.line_of({"offer_id": offer["id"]})
        line = self.line_of({"name": "Щось", "sku": "offer-sku", "raw": {"offer": None}})
        self.assertEqual(line.product_id, mug)

    def test_units_of_weight_become_the_unit_of_the_product(self):
        line = self.line_of({"name": "Кава на вагу", "unit_type": "кг", "quantity": "0.5"})
        self.assertEqual(line.product_id.uom_id, self.env.ref("uom.product_uom_kgm"))
        self.assertEqual(line.product_uom_qty, 0.5)

    # === TWO WITH ONE SKU ===#

    def failed_order(self, sku):
        """Let an order fail for a SKU that two products have, as the worker records it."""
        both = self.product(default_code=sku, name="Перша") | self.product(
            default_code=f" {sku.lower()}", name="Друга"
        )
        number = self.new_order([{"offer_id": self.offer(sku=sku)["id"]}])
        event = self.env["keycrm.event"].create(
            {"account_id": self.account.id, "event": "test", "keycrm_order_id": number}
        )
        outcomes = self.outcomes_by_worker(number)
        event._finish(outcomes)
        return both, number, event

    def test_two_products_with_one_sku_fail_the_order_and_are_named(self):
        both, _number, event = self.failed_order("AMB-1")
        self.assertEqual(event.state, "failed")
        self.assertIn("Перша", event.error)
        self.assertIn("Друга", event.error)
        self.assertIn("AMB-1", event.error)
        self.assertFalse(both.keycrm_offer_ids, "no guess")

    def is_pending_again(self, number):
        with self.enter_registry_test_mode():
            self.env.cr.postcommit.run()
        return bool(
            self.env["keycrm.event"].search_count(
                [("keycrm_order_id", "=", number), ("state", "=", "pending")]
            )
        )

    def test_order_is_retried_after_the_skus_were_corrected(self):
        both, number, event = self.failed_order("AMB-2")
        event.next_try_at = False
        self.assertFalse(self.is_pending_again(number))
        both[1].default_code = "AMB-2-b"
        self.assertTrue(self.is_pending_again(number))
        self.assertEqual(self.lines_of(number).product_id, both[0])

    def test_products_written_singly_search_failed_orders_once_after_commit(self):
        both, _number, _event = self.failed_order("AMB-5")
        self.env.cr.postcommit.clear()
        Event = type(self.env["keycrm.event"])
        with patch.object(Event, "_retry_product_problems") as retry:
            for product in both:
                product.barcode = f"AMB-5-{product.id}"
                product.active = False
            self.env.cr.flush()
            retry.assert_not_called()
            with self.enter_registry_test_mode():
                self.env.cr.postcommit.run()
            retry.assert_called_once_with()

    def test_archiving_a_duplicate_retries_the_order(self):
        both, number, event = self.failed_order("AMB-3")
        event.next_try_at = False
        both[1].product_tmpl_id.action_archive()
        self.assertTrue(self.is_pending_again(number))
        self.assertEqual(self.lines_of(number).product_id, both[0])

    def test_user_chooses_the_product_once(self):
        both, number, event = self.failed_order("AMB-4")
        event.next_try_at = False
        self.env["keycrm.product.mapping"].create(
            {"account_id": self.account.id, "sku": "amb-4", "product_id": both[1].id}
        )
        self.assertTrue(self.is_pending_again(number))
        self.assertEqual(self.lines_of(number).product_id, both[1])


class TestProductMappings(ProductCase):
    def test_unknown_sku_is_mapped_once_for_later_orders(self):
        ours = self.product(default_code="OUR-1")
        number = self.new_order([{"name": "Сорочка ROZETKA", "sku": "RZ-777"}])
        line = self.lines_of(number)
        self.assertEqual(line.product_id.keycrm_origin, "one_off")
        mapping = (
            self.env["keycrm.product.mapping"]
            .with_context(active_model="product.product", active_id=line.product_id.id)
            .create({"product_id": ours.id})
        )
        self.assertEqual(mapping.sku, "RZ-777")
        events = self.env["keycrm.event"]._due(self.account, limit=100)
        self.assertIn(number, events.mapped("keycrm_order_id"), "the open order is updated")
        self.assertEqual(self.lines_of(number).product_id, ours)
        self.assertEqual(self.line_of({"name": "інше", "sku": " rz-777"}).product_id, ours)

    def test_one_off_line_can_be_mapped_to_a_service(self):
        delivery = self.env["product.product"].create({"name": "Доставка", "type": "service"})
        self.env["keycrm.product.mapping"].create(
            {"account_id": self.account.id, "name": "Доставка", "product_id": delivery.id}
        )
        line = self.line_of({"name": " доставка ", "price": 80})
        self.assertEqual(line.product_id, delivery)
        self.assertEqual(line.price_unit, 80)

    def test_mapping_applies_to_its_account_alone(self):
        other = self.account.copy({"name": "Other", "api_key": "other"})
        mug = self.product(default_code="MUG-9")
        self.env["keycrm.product.mapping"].create(
            {"account_id": other.id, "sku": "X-9", "product_id": mug.id}
        )
        self.assertNotEqual(self.line_of({"name": "Щось", "sku": "X-9"}).product_id, mug)

    def test_button_of_the_line_maps_it_for_all_orders(self):
        ours = self.product(default_code="OUR-7")
        wrap = self.env["product.product"].create({"name": "Пакування", "type": "service"})
        number = self.new_order(
            [
                {"name": "Сорочка ROZETKA", "sku": "RZ-778"},
                {"name": "Пакування святкове", "price": 30, "comment": "червоне"},
                {"offer_id": self.offer(sku="KNOWN-1")["id"]},
            ]
        )
        unknown, one_off, known = self.lines_of(number)
        self.assertEqual(known.keycrm_product_origin, "catalog", "no button is shown there")
        boss = new_test_user(
            self.env,
            "mapping-manager",
            groups="sales_team.group_sale_manager,ordage_keycrm.group_manager",
        )
        for line, product in ((unknown, ours), (one_off, wrap)):
            self.assertEqual(line.keycrm_product_origin, "one_off")
            action = line.with_user(boss).action_keycrm_choose_product()
            form = Form(
                self.env[action["res_model"]].with_user(boss).with_context(**action["context"])
            )
            form.product_id = product
            form.save()
        events = self.env["keycrm.event"]._due(self.account, limit=100)
        self.assertIn(
            number, events.mapped("keycrm_order_id"), "the order is updated automatically"
        )
        self.assertEqual(self.lines_of(number).product_id, ours | wrap | known.product_id)
        later = self.line_of(
            {"name": "Геть інша назва", "sku": "rz-778"}, {"name": "пакування  святкове"}
        )
        self.assertEqual(later.product_id, ours | wrap)

    def test_mapping_button_is_on_the_order_form(self):
        arch = self.env["sale.order"].get_view(view_type="form")["arch"]
        self.assertIn("action_keycrm_choose_product", arch)
