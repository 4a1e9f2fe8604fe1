"""One-off products and generated SKUs."""

from ..services.orders.order_writer import OrderWriter
from .product_common import ProductCase


class TestOneOffs(ProductCase):
    def test_one_off_line_creates_a_marked_product(self):
        line = self.line_of({"name": "Гравіювання", "price": "150.25"})
        self.assertEqual(line.product_id.keycrm_origin, "one_off")
        self.assertEqual(line.product_id.list_price, 150.25)
        self.assertEqual(line.product_id.default_code, f"KC-L{line.keycrm_id}")

    def test_edited_or_repeated_one_off_line_keeps_its_product(self):
        number = self.new_order([{"name": "Гравіювання", "price": 100}])
        line = self.lines_of(number)
        product, sku = line.product_id, line.product_id.default_code
        self.keycrm.patch_line(
            number, line.keycrm_id, webhook=False, name="Гравіювання імені", price=120
        )
        again = self.lines_of(number)
        self.assertEqual(again.product_id, product)
        self.assertEqual(again.name, "Гравіювання імені")
        self.assertEqual(product.default_code, sku)
        self.assertEqual(product.name, "Гравіювання")

    def test_equal_name_and_properties_are_one_product_in_all_orders(self):
        one = {"name": "Кулон", "properties": [{"name": "Метал", "value": "срібло"}]}
        two = {"name": "Кулон", "properties": [{"name": "Метал", "value": "золото"}]}
        first = self.line_of(one, one, two)
        second = self.line_of({**one, "name": "кулон "})
        self.assertEqual(first[0].product_id, first[1].product_id)
        self.assertNotEqual(first[0].product_id, first[2].product_id)
        self.assertEqual(second.product_id, first[0].product_id)
        self.assertEqual(first[2].product_id.name, "Кулон, золото")

    def test_line_with_a_null_or_missing_offer_is_one_off(self):
        for way in ("null", "missing"):
            with self.subTest(way=way):
                self.keycrm.set_switches(one_off_offer=way)
                line = self.line_of({"name": f"Разовий {way}"})
                self.assertEqual(line.product_id.keycrm_origin, "one_off")

    def test_one_off_line_added_to_the_catalog_gets_the_catalog_product(self):
        number = self.new_order([{"name": "Брошка", "price": 90}])
        product = self.lines_of(number).product_id
        sku = product.default_code
        offer = self.offer(name="Брошка срібна", sku="BR-1", price=95)
        self.keycrm.patch_line(
            number, self.lines_of(number).keycrm_id, webhook=False, offer_id=offer["id"], sku="BR-1"
        )
        self.assertEqual(self.lines_of(number).product_id, product)
        self.assertEqual(product.keycrm_origin, "catalog")
        self.assertEqual(product.default_code, sku, "a generated SKU is never changed later")

    def test_one_off_product_found_in_the_catalog_becomes_that_product(self):
        by_name = self.line_of({"name": "Чохол", "price": 50}).product_id
        by_sku = self.line_of({"name": "Інша назва", "sku": "CV-2"}).product_id
        lines = self.line_of(
            {"offer_id": self.offer(name="Чохол", sku="CV-1")["id"]},
            {"offer_id": self.offer(name="Чохол 2", sku="cv-2")["id"]},
        )
        self.assertEqual(lines[0].product_id, by_name)
        self.assertEqual(lines[1].product_id, by_sku)
        self.assertEqual(set(lines.product_id.mapped("keycrm_origin")), {"catalog"})


class TestGeneratedSkus(ProductCase):
    def test_generated_sku_is_readable_and_kept_at_the_next_import(self):
        offer = self.offer(name="Листівка", sku=None)
        first = self.line_of({"offer_id": offer["id"]}).product_id
        self.assertEqual(first.default_code, f"KC-{offer['id']}")
        self.keycrm.patch_offer(offer["id"], sku="NOW-IT-HAS")
        again = self.line_of({"offer_id": offer["id"]}).product_id
        self.assertEqual(again, first)
        self.assertEqual(again.default_code, f"KC-{offer['id']}")

    def test_generated_sku_differs_from_skus_of_archived_products_too(self):
        offer = self.offer(name="Листівка", sku="")
        self.product(default_code=f"kc-{offer['id']}", active=False)
        self.product(default_code=f"KC-{offer['id']}-2")
        line = self.line_of({"offer_id": offer["id"]})
        self.assertEqual(line.product_id.default_code, f"KC-{offer['id']}-3")

    def test_product_from_before_the_addon_was_installed_again_is_used(self):
        """Otherwise each product without a SKU would be there twice, its stock with the former one."""
        former = {}
        for name in ("Листівка", "Листівка", "Інша назва"):
            offer = self.offer(name="Листівка", sku="")
            former[offer["id"]] = self.product(name=name, default_code=f"KC-{offer['id']}")
        first, mapped, renamed = former
        self.env["keycrm.offer"].create(
            {"account_id": self.account.id, "keycrm_id": 0, "product_id": former[mapped].id}
        )
        lines = self.line_of(*({"offer_id": offer} for offer in former))
        self.assertEqual(lines[0].product_id, former[first])
        self.assertEqual(former[first].keycrm_offer_ids.keycrm_id, first)
        # What has an offer or another name is another product.
        self.assertEqual(
            lines[1:].product_id.mapped("default_code"), [f"KC-{mapped}-2", f"KC-{renamed}-2"]
        )

    def test_two_accounts_of_a_company_never_give_one_sku_to_two_products(self):
        other = self.account.copy(
            {"name": "Other", "api_key": self.second_key(), "api_url": self.sandbox.api_url}
        )
        offer = self.offer(name="Листівка", sku="")
        number = self.new_order([{"offer_id": offer["id"]}])
        order = self.read_order(number)
        products = self.env["product.product"]
        for account in (self.account, other):
            outcome = OrderWriter(account).import_orders([order])[number]
            record = self.env["sale.order"].browse(outcome.order_id)
            products |= record.order_line.filtered("keycrm_id").product_id
        self.assertEqual(len(products), 2, "what the two cabinets number 1 are different goods")
        self.assertEqual(len(set(products.mapped("keycrm_sku_key"))), 2)
