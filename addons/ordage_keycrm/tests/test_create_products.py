"""Products of Odoo are created in KeyCRM: with what it needs, and never twice."""

from datetime import timedelta

from odoo.exceptions import UserError
from odoo.fields import Command

from ..keycrm.errors import KeyCrmError
from ..services.common.api_gateway import open_client
from ..services.products.product_creation import ProductCreation
from .common import KeycrmCase


class TestCreateProducts(KeycrmCase):
    def setUp(self):
        super().setUp()
        self.keycrm.clear_faults()
        self.keycrm.set_switches(duplicate_sku="accept", first_offer="replaced")

    def product(self, sku, **values):
        return self.env["product.product"].create(
            {"name": f"Товар {sku}", "default_code": sku, "is_storable": True, **values}
        )

    def export(self, products):
        return self.env["keycrm.product.export"].browse(products.action_keycrm_create()["res_id"])

    def work(self, export):
        with self.committing(), open_client(self.account) as client:
            for _ in range(200):
                if export.state != "running":
                    return
                ProductCreation(self.account, client).process()

    def fail_to_work(self, export):
        """Let the worker fail; Odoo's own assertRaises would roll back what it committed."""
        try:
            self.work(export)
        except KeyCrmError:
            return
        self.fail("The request did not fail.")

    def create_in_keycrm(self, products):
        export = self.export(products)
        export.action_start()
        self.work(export)
        return export

    def in_keycrm(self, sku):
        return [row for row in self.keycrm.offers() if row["sku"] == sku]

    def writes(self):
        return [row for row in self.keycrm.requests() if row["method"] == "POST"]

    # === PREVIEW ===

    def test_preview_names_what_is_missing_and_sends_nothing(self):
        good, without = self.product("CR-GOOD"), self.product(False)
        twice = self.product("CR-TWICE") | self.product("cr-twice")
        comma = self.product("A,B")
        self.keycrm.clear_log()
        export = self.export(good | without | twice | comma)
        self.assertFalse(self.keycrm.requests())
        self.assertEqual((export.ready_count, export.problem_count), (1, 4))
        problems = {line.product_id: line.error_code for line in export.line_ids}
        self.assertEqual(problems[without], "create_no_sku")
        self.assertEqual({problems[one] for one in twice}, {"create_sku_repeated"})
        self.assertEqual(problems[comma], "create_sku_unusable")
        without.default_code = "CR-NOW"
        export.action_check_again()
        self.assertEqual(export.ready_count, 2)

    def test_without_a_ready_product_nothing_starts(self):
        with self.assertRaises(UserError):
            self.export(self.product(False)).action_start()

    # === CREATION ===

    def test_product_is_created_with_its_values_and_mapped(self):
        product = self.product(
            "CR-1",
            barcode="4820000000017",
            lst_price=450,
            standard_price=210.5,
            weight=0.3,
            uom_id=self.env.ref("uom.product_uom_kgm").id,
        )
        export = self.create_in_keycrm(product)
        self.assertEqual(export.state, "done")
        (offer,) = self.in_keycrm("CR-1")
        self.assertEqual(offer["barcode"], "4820000000017")
        self.assertEqual((float(offer["price"]), float(offer["purchased_price"])), (450, 210.5))
        self.assertAlmostEqual(float(offer["weight"]), 0.3)
        (made,) = [row for row in self.keycrm.products() if row["id"] == offer["product_id"]]
        self.assertEqual((made["name"], made["unit_type"]), ("Товар CR-1", "кг"))
        self.assertEqual(product.keycrm_offer_ids.keycrm_id, offer["id"])
        self.assertEqual(export.created_count, 1)

    def test_stock_of_a_created_product_is_enqueued(self):
        self.account.push_stock = True
        product = self.product("CR-STOCK")
        self.create_in_keycrm(product)
        waiting = self.env["keycrm.stock.change"].search([("product_id", "=", product.id)])
        self.assertTrue(waiting)

    def test_hundred_products_need_few_requests(self):
        products = self.env["product.product"].union(
            *(self.product(f"CR-MANY-{number}") for number in range(100))
        )
        self.keycrm.clear_log()
        export = self.create_in_keycrm(products)
        self.assertEqual(export.created_count, 100)
        self.assertEqual(len(self.writes()), 2)
        self.assertLessEqual(len(self.keycrm.requests()), 6)

    def test_variants_become_variants_of_one_product(self):
        for switch in ("replaced", "kept"):
            with self.subTest(switch):
                self.keycrm.set_switches(first_offer=switch)
                attribute = self.env["product.attribute"].create(
                    {
                        "name": "Колір",
                        "value_ids": [Command.create({"name": n}) for n in ("біла", "чорна")],
                    }
                )
                template = self.env["product.template"].create(
                    {
                        "name": f"Сорочка {switch}",
                        "attribute_line_ids": [
                            Command.create(
                                {
                                    "attribute_id": attribute.id,
                                    "value_ids": [Command.set(attribute.value_ids.ids)],
                                }
                            )
                        ],
                    }
                )
                for place, variant in enumerate(template.product_variant_ids):
                    variant.default_code = f"SH-{switch}-{place}"
                export = self.create_in_keycrm(template.product_variant_ids)
                self.assertEqual(export.created_count, 2, export.line_ids.mapped("error"))
                offers = template.product_variant_ids.keycrm_offer_ids
                self.assertEqual(len(set(offers.mapped("keycrm_product_id"))), 1)
                for variant in template.product_variant_ids:
                    (row,) = self.in_keycrm(variant.default_code)
                    value = variant.product_template_attribute_value_ids.name
                    self.assertEqual(row["properties"], [{"name": "Колір", "value": value}])

    # === NEVER TWICE ===

    def test_product_that_keycrm_has_is_mapped_and_not_created(self):
        number = self.keycrm.create_offer(sku="CR-THERE")["id"]
        product = self.product("CR-THERE")
        self.keycrm.clear_log()
        self.create_in_keycrm(product)
        self.assertEqual(self.writes(), [])
        self.assertEqual(product.keycrm_offer_ids.keycrm_id, number)

    def test_two_users_create_the_same_product_once(self):
        product = self.product("CR-TWO")
        one, other = self.export(product), self.export(product)
        one.action_start()
        other.action_start()
        self.work(one)
        self.work(other)
        self.assertEqual(len(self.in_keycrm("CR-TWO")), 1)
        self.assertEqual((one.created_count, other.created_count), (1, 1))

    def test_lost_answer_creates_the_product_once(self):
        product = self.product("CR-LOST")
        export = self.export(product)
        export.action_start()
        self.keycrm.add_fault("close", method="POST", path="/products/import", executed=True)
        self.fail_to_work(export)
        self.work(export)
        self.assertEqual(len(self.in_keycrm("CR-LOST")), 1)
        self.assertEqual(export.state, "done")
        self.assertEqual(product.keycrm_offer_ids.sku, "CR-LOST")

    def test_request_that_did_not_arrive_is_not_repeated_at_once(self):
        product = self.product("CR-DOUBT")
        export = self.export(product)
        export.action_start()
        self.keycrm.add_fault("close", method="POST", path="/products/import")
        self.fail_to_work(export)
        self.work(export)
        self.assertEqual(export.line_ids.error_code, "create_unclear")
        self.assertEqual(self.in_keycrm("CR-DOUBT"), [])
        export.line_ids.sudo().requested_at = self.env.cr.now() - timedelta(minutes=2)
        export.action_check_again()
        export.action_start()
        self.work(export)
        self.assertEqual(len(self.in_keycrm("CR-DOUBT")), 1)

    def test_refused_product_is_isolated_and_shows_the_reason(self):
        self.keycrm.set_switches(duplicate_sku="refuse")
        good = self.product("CR-FINE") | self.product("CR-FINE-2")
        bad = self.product("CR-BAD")
        self.keycrm.add_fault(
            "status",
            method="POST",
            path="/products/import",
            contains="CR-BAD",
            status=422,
            message="The name is too long.",
            times=None,
        )
        export = self.create_in_keycrm(good | bad)
        self.assertEqual(export.created_count, 2)
        line = export.line_ids.filtered(lambda one: one.product_id == bad)
        self.assertIn("The name is too long.", line.error)
        self.assertEqual(self.in_keycrm("CR-BAD"), [])

    def test_sku_that_keycrm_has_several_times_is_not_guessed(self):
        for _ in range(2):
            self.keycrm.create_offer(sku="CR-SEVERAL")
        export = self.create_in_keycrm(self.product("CR-SEVERAL"))
        self.assertEqual(export.line_ids.error_code, "create_sku_in_keycrm")

    def test_list_of_missing_products_creates_them(self):
        product = self.product("CR-MISSING")
        missing = self.env["keycrm.missing.sku"].create(
            {"account_id": self.account.id, "product_id": product.id, "sku": "CR-MISSING"}
        )
        export = self.env["keycrm.product.export"].browse(missing.action_create()["res_id"])
        export.action_start()
        self.work(export)
        self.assertFalse(missing.exists())
