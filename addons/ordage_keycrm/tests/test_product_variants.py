"""Goods with properties: as one name, or as real variants of Odoo."""

from .product_common import SHIRT, ProductCase


class TestVariants(ProductCase):
    def test_properties_are_in_name_and_line_in_keycrms_order(self):
        offer = self.offer(
            sku="P-1",
            properties=[
                {"name": "Розмір", "value": "M"},
                {"name": "Склад", "value": "льон, бавовна"},
            ],
        )
        line = self.line_of({"offer_id": offer["id"], "properties": offer["properties"]})
        self.assertEqual(line.product_id.name, "Сорочка, M, «льон, бавовна»")
        self.assertEqual(line.name, "[P-1] Сорочка, M, «льон, бавовна»")

    def test_real_variants_are_found_again_and_extended(self):
        self.account.product_variants = True
        white = self.offer(sku="V-W-M", barcode="4820000000062", weight=1, properties=SHIRT)
        blue_properties = [SHIRT[0] | {"value": "синя"}, SHIRT[1]]
        blue = self.offer(product_id=white["product_id"], sku="V-B-M", properties=blue_properties)
        first = self.line_of({"offer_id": white["id"], "properties": SHIRT})
        second = self.line_of({"offer_id": blue["id"], "properties": blue_properties})
        template = first.product_id.product_tmpl_id
        self.assertEqual(second.product_id.product_tmpl_id, template)
        self.assertNotEqual(first.product_id, second.product_id)
        self.assertEqual(template.name, "Сорочка")
        self.assertEqual(
            template.attribute_line_ids.attribute_id.mapped("name"), ["Колір", "Розмір"]
        )
        self.assertEqual(len(template.product_variant_ids), 2)
        self.assertEqual(first.product_id.default_code, "V-W-M")
        self.assertEqual(first.product_id.barcode, "4820000000062")
        self.assertEqual(second.product_id.default_code, "V-B-M")
        self.assertEqual(first.name, "Сорочка, біла, M")
        self.assertEqual(second.name, "Сорочка, синя, M")
        self.assertTrue(first.product_id.is_storable)
        self.assertEqual(first.product_id.keycrm_origin, "catalog")

    def test_variants_of_one_batch_become_one_product_once(self):
        self.account.product_variants = True
        one = self.offer(sku="W-M", properties=SHIRT)
        large = [SHIRT[0], SHIRT[1] | {"value": "L"}]
        two = self.offer(product_id=one["product_id"], sku="W-L", properties=large)
        lines = self.line_of(
            {"offer_id": one["id"], "properties": SHIRT},
            {"offer_id": two["id"], "properties": large},
        )
        self.assertEqual(len(lines.product_id), 2)
        self.assertEqual(len(lines.product_id.product_tmpl_id), 1)
        again = self.line_of({"offer_id": two["id"], "properties": large})
        self.assertEqual(again.product_id, lines[1].product_id)
        self.assertEqual(lines.product_id.product_tmpl_id.name, "Сорочка")

    def test_repeated_or_different_properties_become_separate_products(self):
        self.account.product_variants = True
        one = self.offer(sku="S-1", properties=SHIRT)
        twin = self.offer(product_id=one["product_id"], sku="S-2", properties=SHIRT)
        other = self.offer(
            product_id=one["product_id"], sku="S-3", properties=[{"name": "Колір", "value": "біла"}]
        )
        lines = self.line_of(*({"offer_id": offer["id"]} for offer in (one, twin, other)))
        self.assertEqual(
            lines.product_id.mapped("default_code"), ["S-1", "S-2", "S-3"], "three goods stay three"
        )

    def test_variants_created_in_odoo_are_found_by_sku(self):
        attribute = self.env["product.attribute"].create({"name": "Розмір"})
        values = self.env["product.attribute.value"].create(
            [{"attribute_id": attribute.id, "name": name} for name in ("S", "M")]
        )
        template = self.env["product.template"].create(
            {
                "name": "Футболка",
                "attribute_line_ids": [
                    (0, 0, {"attribute_id": attribute.id, "value_ids": [(6, 0, values.ids)]})
                ],
            }
        )
        medium = template.product_variant_ids[1]
        medium.default_code = "FUT-M"
        offer = self.offer(
            name="Футболка", sku="FUT-M", properties=[{"name": "Розмір", "value": "M"}]
        )
        line = self.line_of({"offer_id": offer["id"]})
        self.assertEqual(line.product_id, medium)
        self.assertEqual(template.name, "Футболка", "the attribute says the size, not the name")


class TestVariantPrices(ProductCase):
    def setUp(self):
        super().setUp()
        self.account.product_variants = True
        self.offers = {}
        for color in ("біла", "синя"):
            for size, price in (("M", 500), ("L", 550)):
                parent = next(iter(self.offers.values()), {}).get("product_id")
                self.offers[color, size] = self.offer(
                    sku=f"{color}-{size}",
                    price=price,
                    properties=[SHIRT[0] | {"value": color}, SHIRT[1] | {"value": size}],
                    **({"product_id": parent} if parent else {}),
                )

    def variants(self):
        """Let an order with all of them come.

        :return: their prices in Odoo, by color and size
        """
        lines = self.line_of(*({"offer_id": o["id"]} for o in self.offers.values()))
        self.assertEqual(len(lines.product_id.product_tmpl_id), 1)
        return dict(zip(self.offers, lines.product_id.mapped("lst_price"), strict=True))

    def patch_prices(self, **by_size):
        for (_colour, size), offer in self.offers.items():
            if size in by_size:
                self.keycrm.patch_offer(offer["id"], price=by_size[size])

    def test_each_variant_has_keycrms_price_and_follows_it(self):
        self.assertEqual(
            self.variants(), {key: 550 if key[1] == "L" else 500 for key in self.offers}
        )
        self.patch_prices(M=480, L=600)
        self.assertEqual(
            self.variants(), {key: 600 if key[1] == "L" else 480 for key in self.offers}
        )

    def test_price_that_attributes_cannot_express_is_shown(self):
        self.variants()
        odd = self.offers["синя", "L"]["id"]
        self.keycrm.patch_offer(odd, price=900)
        before = self.variants()
        self.assertEqual(before["синя", "L"], 550, "the others keep their prices")
        mapping = self.env["keycrm.offer"].search([("keycrm_id", "=", odd)])
        self.assertIn("900", mapping.problem)
        self.keycrm.patch_offer(odd, price=550)
        self.variants()
        self.assertFalse(mapping.problem)

    def test_with_product_information_kept_only_new_values_get_a_price(self):
        small = {key: offer for key, offer in self.offers.items() if key[1] == "M"}
        large, self.offers = self.offers, small
        self.variants()
        self.account.keep_product_info = True
        self.patch_prices(M=1)
        self.offers = large
        self.assertEqual(self.variants(), {key: 550 if key[1] == "L" else 500 for key in large})
