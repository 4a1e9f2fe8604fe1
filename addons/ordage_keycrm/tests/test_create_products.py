"""Products of Odoo are created in KeyCRM: with what it needs, and never twice."""

from datetime import timedelta

from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command
from odoo.tests import HttpCase

from ..keycrm.client import RateLimiter
from ..keycrm.errors import QuotaExceeded
from ..keycrm.product_export_rules import marker_sku
from ..services.common.api_gateway import open_client
from ..services.products import pictures
from ..services.products.product_creation import ProductCreation
from .common import KeycrmCase

#: One pixel.
PICTURE = b"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


class TestCreateProducts(KeycrmCase):
    def setUp(self):
        super().setUp()
        self.keycrm.clear_faults()
        self.keycrm.set_switches(duplicate_sku="accept", first_offer="replaced")

    def product(self, sku, **values):
        return self.env["product.product"].create(
            {"name": f"Товар {sku}", "default_code": sku, "is_storable": True, **values}
        )

    def variants(self, sku, names=("біла", "чорна")):
        """Make a product with two variants, or more."""
        attribute = self.env["product.attribute"].create(
            {"name": "Колір", "value_ids": [Command.create({"name": n}) for n in names]}
        )
        values = {
            "attribute_id": attribute.id,
            "value_ids": [Command.set(attribute.value_ids.ids)],
        }
        template = self.env["product.template"].create(
            {"name": f"Сорочка {sku}", "attribute_line_ids": [Command.create(values)]}
        )
        for place, variant in enumerate(template.product_variant_ids):
            variant.default_code = f"{sku}-{place}"
        return template

    def export(self, products):
        return self.env["keycrm.product.export"].browse(products.action_keycrm_create()["res_id"])

    def work(self, export):
        """Let the worker run until it has nothing to do now."""
        with self.committing(), open_client(self.account) as client:
            for _ in range(200):
                if not ProductCreation(self.account, client).process():
                    return

    def pass_a_minute(self, export):
        """Let a minute pass since the last requests."""
        for line in export.line_ids.filtered("requested_at").sudo():
            line.requested_at -= timedelta(minutes=1)

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

    def test_product_that_cannot_be_sold_in_keycrm_is_not_created(self):
        other = self.env["res.company"].create({"name": "Інша"})
        good, foreign = self.product("CR-OWN"), self.product("CR-FOREIGN", company_id=other.id)
        archived = self.product("CR-ARCHIVED", active=False)
        part = Command.create({"product_id": good.id})
        combo = self.env["product.combo"].create({"name": "Набір", "combo_item_ids": [part]})
        combo = self.product(
            "CR-COMBO", type="combo", is_storable=False, combo_ids=[Command.set(combo.ids)]
        )
        self.keycrm.clear_log()
        export = self.create_in_keycrm(good | foreign | archived | combo)
        problems = {line.product_id: line.error_code for line in export.line_ids}
        self.assertEqual(
            problems,
            {
                good: False,
                foreign: "create_other_company",
                archived: "create_archived",
                combo: "create_combo",
            },
        )
        self.assertEqual(
            [self.in_keycrm(one.default_code) for one in export.line_ids.product_id if one != good],
            [[]] * 3,
        )
        self.assertEqual(good.keycrm_offer_ids.sku, "CR-OWN")
        self.assertEqual(export.state, "done")

    def test_product_that_cannot_be_linked_delays_no_other(self):
        other = self.env["res.company"].create({"name": "Інша"})
        good, moved = self.product("CR-STAYS"), self.product("CR-MOVES")
        export = self.export(good | moved)
        export.action_start()
        moved.company_id = other
        self.work(export)
        self.assertEqual(export.state, "done")
        self.assertEqual(good.keycrm_offer_ids.sku, "CR-STAYS")
        line = export.line_ids.filtered(lambda one: one.product_id == moved)
        self.assertEqual((line.state, line.error_code), ("problem", "create_not_linked"))
        self.assertIn("company inconsistencies", line.error)
        # Corrected, it is linked and not created again.
        moved.company_id = False
        export.action_check_again()
        export.action_start()
        self.work(export)
        self.assertEqual(moved.keycrm_offer_ids.sku, "CR-MOVES")
        self.assertEqual(len(self.in_keycrm("CR-MOVES")), 1)

    def test_product_archived_after_the_preview_is_not_created(self):
        good, archived = self.product("CR-KEPT"), self.product("CR-ARCHIVED")
        export = self.export(good | archived)
        archived.active = False
        export.action_start()
        self.work(export)
        self.assertEqual((export.state, export.total_count), ("done", 1))
        self.assertEqual(self.in_keycrm("CR-ARCHIVED"), [])

    def test_barcode_of_another_product_of_keycrm_is_not_created_again(self):
        """The former product with the barcode is archived in Odoo, and still is in KeyCRM."""
        self.create_in_keycrm(old := self.product("CR-BAR-OLD", barcode="4820000000024"))
        old.active = False
        export = self.export(self.product("CR-BAR", barcode="4820000000024"))
        self.assertEqual(export.line_ids.error_code, "create_barcode_repeated")

    def test_preview_says_that_prices_are_left_out_without_a_rate(self):
        product = self.product("CR-RATE", lst_price=450, standard_price=210)
        export = self.export(product)
        self.account.keycrm_currency_id = False
        self.assertFalse(export.rate_text)
        currency = self.account.keycrm_currency_id = self.env.ref("base.PLN")
        self.assertIn("PLN", export.rate_text)
        currency.active = True
        self.env["res.currency.rate"].create(
            {"currency_id": currency.id, "company_rate": 0.1, "company_id": self.company.id}
        )
        export.invalidate_recordset()
        self.assertFalse(export.rate_text)
        export.action_start()
        self.work(export)
        (offer,) = self.in_keycrm("CR-RATE")
        self.assertEqual((float(offer["price"]), float(offer["purchased_price"])), (45, 21))

    def test_archived_offer_is_linked_and_shown_as_archived(self):
        number = self.keycrm.create_offer(sku="CR-HIDDEN")["id"]
        self.keycrm.patch_offer(number, is_archived=True)
        export = self.create_in_keycrm(product := self.product("CR-HIDDEN"))
        self.assertEqual(product.keycrm_offer_ids.keycrm_id, number)
        self.assertEqual(export.line_ids.state, "done")
        self.assertIn("archived", export.line_ids.error)

    def test_run_without_a_ready_product_is_refused(self):
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
                template = self.variants(f"SH-{switch}")
                export = self.create_in_keycrm(template.product_variant_ids)
                self.assertEqual(export.created_count, 2, export.line_ids.mapped("error"))
                offers = template.product_variant_ids.keycrm_offer_ids
                self.assertEqual(len(set(offers.mapped("keycrm_product_id"))), 1)
                for variant in template.product_variant_ids:
                    (row,) = self.in_keycrm(variant.default_code)
                    value = variant.product_template_attribute_value_ids.name
                    self.assertEqual(row["properties"], [{"name": "Колір", "value": value}])

    def test_product_with_variants_has_its_name_in_the_company_language(self):
        self.company.partner_id.lang = "uk_UA"
        template = self.variants("SH-LANG")
        template.with_context(lang="en_US").name = "Shirt"
        template.with_context(lang="uk_UA").name = "Сорочка"
        self.keycrm.clear_log()
        self.create_in_keycrm(template.product_variant_ids.with_context(lang="en_US"))
        self.assertEqual(self.writes()[0]["body"]["name"], "Сорочка")

    def test_product_gets_its_own_or_the_nearest_parent_category(self):
        shirts = self.env["product.category"].create({"name": "Футболки"})
        below = self.env["product.category"].create({"name": "З принтом", "parent_id": shirts.id})
        other = self.env["product.category"].create({"name": "Інше"})
        # Of the same name in KeyCRM: matched when the list is read.
        dishes = self.env["product.category"].create({"name": "ПОСУД"})
        self.account.action_refresh_categories()
        by_name = {one.name: one for one in self.account.category_ids}
        self.assertEqual(by_name["Посуд"].product_category_ids, dishes)
        by_name["Сорочки"].product_category_ids = shirts
        with self.assertRaises(ValidationError):
            by_name["Одяг"].product_category_ids = shirts
        expected = {below: 2, dishes: 3, other: None}
        products = {
            number: self.product(f"CR-CAT-{place.id}", categ_id=place.id)
            for place, number in expected.items()
        }
        export = self.export(products[2] | products[3] | products[None])
        self.assertEqual(export.line_ids.mapped("category"), ["Сорочки", "Посуд", False])
        export.action_start()
        self.work(export)
        made = {row["id"]: row["category_id"] for row in self.keycrm.products()}
        for number, product in products.items():
            self.assertEqual(made[product.keycrm_offer_ids.keycrm_product_id], number)

    def test_picture_is_sent_only_where_the_public_address_serves_it(self):
        self.account.public_url = "https://shop.example"
        for serves in (False, True):
            self.account.sudo().serves_pictures = serves
            product = self.product(f"CR-PIC-{serves}", image_1920=PICTURE)
            export = self.create_in_keycrm(product)
            self.assertEqual(export.line_ids.has_picture, serves)
            number = product.keycrm_offer_ids.keycrm_product_id
            (made,) = [row for row in self.keycrm.products() if row["id"] == number]
            url = product._keycrm_picture_url(self.account) or None
            self.assertEqual(made["thumbnail_url"], url)
            self.assertEqual(bool(url), serves)
        self.assertTrue(url.startswith(f"https://shop.example/keycrm/picture/{product.id}/"))
        self.assertFalse(self.product("CR-NOPIC")._keycrm_picture_url(self.account))
        # Another address was not checked yet.
        self.account.public_url = "https://other.example"
        self.assertFalse(self.account.serves_pictures)

    def test_account_without_the_products_is_chosen(self):
        second = self.env["keycrm.account"].create(
            {"name": "Second", "api_key": self.second_key(), "api_url": self.sandbox.api_url}
        )
        second.enabled = True
        product = self.product("CR-ACCOUNT")
        self.assertEqual(self.export(product).account_id, self.account)
        self.env["keycrm.offer"].create(
            {"account_id": self.account.id, "keycrm_id": 4711, "product_id": product.id}
        )
        self.assertEqual(self.export(product).account_id, second)
        self.account.enabled = False
        self.assertEqual(self.export(self.product("CR-NEW")).account_id, second)
        missing = self.env["keycrm.missing.sku"].create(
            {"account_id": self.account.id, "product_id": product.id, "sku": "CR-ACCOUNT"}
        )
        export = self.env["keycrm.product.export"].browse(missing.action_create()["res_id"])
        self.assertEqual(export.account_id, self.account)

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
        self.work(export)
        self.work(export)
        self.assertEqual(len(self.in_keycrm("CR-LOST")), 1)
        self.assertEqual(export.state, "done")
        self.assertEqual(product.keycrm_offer_ids.sku, "CR-LOST")

    def test_request_that_did_not_arrive_is_repeated_after_a_minute(self):
        product = self.product("CR-DOUBT")
        export = self.export(product)
        export.action_start()
        self.keycrm.add_fault("close", method="POST", path="/products/import")
        self.work(export)
        self.work(export)
        self.assertEqual(export.state, "running")
        self.assertIn("looked up again", export.waiting_text)
        self.assertEqual(self.in_keycrm("CR-DOUBT"), [])
        self.pass_a_minute(export)
        self.work(export)
        self.assertEqual(export.state, "done")
        self.assertFalse(export.waiting_text)
        self.assertEqual(len(self.in_keycrm("CR-DOUBT")), 1)

    def test_other_products_are_created_while_one_is_unclear(self):
        product, other = self.product("CR-SLOW"), self.product("CR-NEXT")
        first, second = self.export(product), self.export(other)
        first.action_start()
        self.keycrm.add_fault("close", method="POST", path="/products/import")
        self.work(first)
        second.action_start()
        self.work(second)
        self.assertEqual((first.state, second.state), ("running", "done"))

    def test_products_that_keycrm_cannot_process_do_not_stop_the_others(self):
        products = self.env["product.product"].union(
            *(self.product(f"CR-500-{number}") for number in range(8))
        )
        bad = products[2] | products[3]
        for product in bad:
            self.keycrm.add_fault(
                "status",
                method="POST",
                path="/products/import",
                contains=product.default_code,
                status=500,
                times=None,
            )
        export = self.export(products)
        export.action_start()
        for _ in range(20):
            self.work(export)
            self.pass_a_minute(export)
        self.assertEqual((export.state, export.created_count), ("done", 6))
        failed = export.line_ids.filtered("error")
        self.assertEqual(failed.product_id, bad)
        self.assertEqual(set(failed.mapped("error_code")), {"server_trouble"})

    def test_variants_that_keycrm_cannot_process_do_not_stop_the_others(self):
        template = self.variants("CR-V500")
        products = template.product_variant_ids
        other = self.variants("CR-VFINE").product_variant_ids
        self.keycrm.add_fault(
            "status",
            method="POST",
            path="/products",
            contains=marker_sku(template.id),
            status=500,
            times=None,
        )
        export = self.export(products | other)
        export.action_start()
        for _ in range(6):
            self.work(export)
            self.pass_a_minute(export)
        self.assertEqual((export.state, export.created_count), ("done", len(other)))
        self.assertEqual(export.line_ids.filtered("error").product_id, products)

    def test_refused_variant_is_isolated_and_shows_the_reason(self):
        for switch in ("replaced", "kept"):
            with self.subTest(switch):
                self.keycrm.clear_faults()
                self.keycrm.set_switches(first_offer=switch)
                names = ("біла", "чорна", "синя", "сіра", "руда")
                products = self.variants(f"CR-{switch}", names).product_variant_ids
                bad = products[3]
                self.keycrm.add_fault(
                    "status",
                    method="POST",
                    path="/products/*",
                    contains=bad.default_code,
                    status=422,
                    message="No such color.",
                    times=None,
                )
                export = self.create_in_keycrm(products)
                self.assertEqual((export.state, export.created_count), ("done", 4))
                line = export.line_ids.filtered("error")
                self.assertEqual(line.product_id, bad)
                self.assertIn("No such color.", line.error)
                # Corrected, it becomes a variant of the same product.
                self.keycrm.clear_faults()
                export.action_check_again()
                export.action_start()
                self.work(export)
                offers = products.keycrm_offer_ids
                self.assertEqual(len(offers), 5)
                self.assertEqual(len(set(offers.mapped("keycrm_product_id"))), 1)
                for product in products:
                    self.assertEqual(len(self.in_keycrm(product.default_code)), 1)

    def test_product_deleted_in_keycrm_meanwhile_makes_variants_problems(self):
        products = self.variants("CR-DELETED").product_variant_ids
        export = self.export(products)
        export.action_start()
        self.keycrm.add_fault("status", method="POST", path="/products/*", status=404, times=None)
        self.work(export)
        self.assertEqual((export.state, export.problem_count), ("done", 2))
        self.assertFalse(any(export.line_ids.mapped("keycrm_product_id")))

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

    def test_each_step_is_one_request_so_live_orders_come_in_between(self):
        self.keycrm.add_fault(
            "status",
            method="POST",
            path="/products/import",
            contains="CR-STEP-3",
            status=422,
            message="No.",
            times=None,
        )
        products = self.env["product.product"].union(
            *(self.product(f"CR-STEP-{number}") for number in range(8))
        )
        export = self.export(products)
        export.action_start()
        with self.committing(), open_client(self.account) as client:
            while export.state == "running":
                self.keycrm.clear_log()
                ProductCreation(self.account, client).process()
                self.assertLessEqual(len(self.keycrm.requests()), 1)
        self.assertEqual((export.created_count, export.problem_count), (7, 1))

    def test_product_whose_request_the_limit_delays_is_not_unclear(self):
        class Full(RateLimiter):
            def acquire(self, queue, *, continues=False):
                raise QuotaExceeded(1.0)

        product = self.product("CR-LIMIT")
        export = self.export(product)
        export.action_start()
        with self.committing(), open_client(self.account) as client:
            # It is looked up, and would be created next.
            ProductCreation(self.account, client).process()
            client._rate_limiter = Full()
            with self.assertRaises(QuotaExceeded):
                ProductCreation(self.account, client).process()
        self.assertFalse(export.line_ids.requested_at)
        self.work(export)
        self.assertEqual(export.state, "done")

    def test_unclear_request_of_another_run_is_waited_for(self):
        product = self.product("CR-OTHER")
        first, second = self.export(product), self.export(product)
        first.action_start()
        self.keycrm.add_fault("close", method="POST", path="/products/import")
        self.work(first)
        first.action_cancel()
        second.action_start()
        self.work(second)
        self.assertEqual(second.state, "running")
        self.assertEqual(self.in_keycrm("CR-OTHER"), [])
        self.pass_a_minute(first)
        self.pass_a_minute(second)
        self.work(second)
        self.assertEqual(len(self.in_keycrm("CR-OTHER")), 1)

    def test_lost_answers_create_variants_once(self):
        template = self.variants("CR-LOSTV")
        export = self.export(template.product_variant_ids)
        export.action_start()
        self.keycrm.add_fault("close", method="POST", path="/products", executed=True)
        self.work(export)
        self.keycrm.add_fault("close", method="POST", path="/products/*", executed=True)
        self.work(export)
        self.work(export)
        self.assertEqual(export.created_count, 2, export.line_ids.mapped("error"))
        for place in range(2):
            self.assertEqual(len(self.in_keycrm(f"CR-LOSTV-{place}")), 1)
        offers = template.product_variant_ids.keycrm_offer_ids
        self.assertEqual(len(set(offers.mapped("keycrm_product_id"))), 1)
        made = [row for row in self.keycrm.products() if row["name"] == template.name]
        self.assertEqual(len(made), 1)

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


class TestServedPictures(KeycrmCase, HttpCase):
    def test_picture_is_served_to_its_signed_address_alone(self):
        product = self.env["product.product"].create({"name": "X", "image_1920": PICTURE})
        other = self.env["product.product"].create({"name": "Y", "image_1920": PICTURE})
        self.account.public_url = self.base_url()
        self.account.sudo().serves_pictures = True
        url = product._keycrm_picture_url(self.account)
        answer = self.url_open(url)
        self.assertEqual((answer.status_code, answer.headers["Content-Type"]), (200, "image/png"))
        for wrong in (
            url.replace(f"/{product.id}/", f"/{other.id}/"),
            url.replace(".jpg", "0.jpg"),
            url.replace(f"/{product.id}/", "/999999999/"),
        ):
            self.assertEqual(self.url_open(wrong).status_code, 404)
        product.image_1920 = False
        self.assertEqual(self.url_open(url).status_code, 404)

    def test_check_proves_that_the_address_is_this_database(self):
        self.account.public_url = self.base_url()
        url = f"{pictures.address(self.account)}/check/abc"
        answer = self.url_open(url)
        self.assertEqual(answer.text, pictures.proof(self.env, "abc"))
        self.assertNotEqual(answer.text, pictures.proof(self.env, "abd"))
