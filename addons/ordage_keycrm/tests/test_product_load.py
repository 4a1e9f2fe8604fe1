""" "Load products from KeyCRM": the whole catalog before the first order."""

from odoo.exceptions import UserError

from ..services.workers.bulk_jobs import BulkJobs
from .common import KeycrmCase


class TestProductLoad(KeycrmCase):
    def setUp(self):
        super().setUp()
        self.keycrm.reset(keep_switches=True)
        self.Load = self.env["keycrm.product.import"]

    def load(self, **vals):
        load = self.Load.create({"account_id": self.account.id, **vals})
        load.action_start()
        return load

    def work(self, load, pages=100):
        """Let the worker do its bulk work, as its scheduled action would."""
        with self.committing():
            for _page in range(pages):
                if load.state != "running":
                    return
                BulkJobs(self.account).process()

    def rows(self, load, kind):
        return load.row_ids.filtered(lambda row: row.kind == kind)

    def product(self, **vals):
        return self.env["product.product"].create({"name": "Товар", "is_storable": True, **vals})

    def test_whole_catalog_is_mapped_or_created_with_progress(self):
        ours = self.product(default_code="LOAD-7")
        for number in range(120):
            self.keycrm.create_offer(name=f"Річ {number}", sku=f"load-{number}", price=number + 1)
        load = self.load()
        self.work(load, pages=1)
        self.assertEqual((load.state, load.done_count, load.total_count), ("running", 50, 120))
        self.assertAlmostEqual(load.progress, 100 * 50 / 120, places=3)
        self.work(load)
        self.assertEqual((load.state, load.progress), ("done", 100))
        self.assertEqual((load.done_count, load.mapped_count, load.created_count), (120, 1, 119))
        mappings = self.env["keycrm.offer"].search([("account_id", "=", self.account.id)])
        self.assertEqual(len(mappings), 120)
        self.assertEqual(len(mappings.product_id), 120)
        self.assertTrue(ours.keycrm_offer_ids)
        self.assertEqual(ours.default_code, "LOAD-7")

    def test_second_import_creates_nothing_twice(self):
        for number in range(3):
            self.keycrm.create_offer(name=f"Річ {number}")
        first = self.load()
        self.work(first)
        before = self.env["product.product"].search_count([])
        second = self.load()
        self.work(second)
        self.assertEqual(self.env["product.product"].search_count([]), before)
        self.assertEqual((second.mapped_count, second.created_count), (3, 0))

    def test_stopped_job_ends_and_interrupted_job_resumes(self):
        for number in range(120):
            self.keycrm.create_offer(name=f"Річ {number}", sku=f"ST-{number}")
        load = self.load()
        self.work(load, pages=1)
        self.keycrm.clear_log()
        # A restart leaves what was committed: the state and the cursor.
        self.work(self.Load.browse(load.id), pages=1)
        (request,) = self.keycrm.requests(path="/offers")
        self.assertIn("'page': '2'", str(request["query"]))
        load.action_cancel()
        self.work(load)
        self.assertEqual((load.state, load.done_count), ("canceled", 100))
        self.assertEqual(load.created_count, 100)

    def test_import_report_lists_missing_repeated_and_unmapped_products(self):
        self.keycrm.create_offer(name="Без артикула")
        for name in ("Перша", "Друга"):
            self.keycrm.create_offer(name=name, sku="TWICE")
        both = [self.product(name=name, default_code="DOUBLE") for name in ("Аа", "Бб")]
        self.keycrm.create_offer(name="Неоднозначна", sku="double")
        self.keycrm.create_offer(name="Лише там", sku="THERE")
        here = self.product(name="Лише тут", default_code="HERE")
        mapped = self.product(name="Обидва", default_code="BOTH")
        self.keycrm.create_offer(name="Обидва", sku="BOTH")
        load = self.load()
        self.work(load)
        self.assertEqual(load.state, "done")
        self.assertEqual(self.rows(load, "missing_sku").mapped("name"), ["Без артикула"])
        repeated = self.rows(load, "repeated_sku")
        self.assertEqual(sorted(repeated.mapped("sku")), ["TWICE", "TWICE", "double"])
        self.assertIn("Аа", repeated.filtered("error").error)
        # What was created is in Odoo now: the report does not list it as missing there.
        created = self.rows(load, "created")
        self.assertIn("Лише там", created.mapped("name"))
        self.assertEqual(len(created), load.created_count)
        self.assertFalse(load.only_there_count)
        only_here = self.rows(load, "only_here").product_id
        self.assertIn(here, only_here)
        self.assertIn(both[0], only_here)
        self.assertNotIn(mapped, only_here)
        self.assertEqual(load.missing_count, 1)

    def test_import_report_names_products_in_the_company_language(self):
        self.company.partner_id.lang = "uk_UA"
        here = self.product(name="Mug", default_code="HERE")
        here.with_context(lang="uk_UA").name = "Кухоль"
        load = self.load()
        self.work(load)
        row = self.rows(load, "only_here").filtered(lambda row: row.product_id == here)
        self.assertEqual(row.name, "Кухоль")

    def test_without_creation_missing_products_are_only_listed(self):
        self.keycrm.create_offer(name="Лише там", sku="THERE-2")
        before = self.env["product.product"].search_count([])
        load = self.load(make_missing=False)
        self.work(load)
        self.assertEqual(self.env["product.product"].search_count([]), before)
        self.assertEqual(self.rows(load, "only_there").mapped("sku"), ["THERE-2"])

    def test_archived_offers_are_mapped_and_not_created(self):
        known = self.product(default_code="ARCH-1")
        self.keycrm.create_offer(name="Стара", sku="ARCH-1", is_archived=True)
        self.keycrm.create_offer(name="Стара 2", sku="ARCH-2", is_archived=True)
        load = self.load()
        self.work(load)
        self.assertTrue(known.keycrm_offer_ids)
        self.assertEqual(load.created_count, 0)

    def test_live_orders_find_imported_products(self):
        offer = self.keycrm.create_offer(name="Річ", sku="LIVE-1")
        self.work(self.load())
        order = self.arrive(self.new_order([{"offer_id": offer["id"]}]))
        product = order.order_line.filtered("keycrm_id").product_id
        self.assertEqual(product.keycrm_offer_ids.keycrm_id, offer["id"])
        self.assertEqual(
            self.env["product.product"].search_count([("keycrm_sku_key", "=", "live-1")]), 1
        )

    def test_import_needs_an_administrator_and_an_enabled_account(self):
        load = self.Load.create({"account_id": self.account.id})
        user = self.env["res.users"].create(
            {
                "name": "Продавець",
                "login": "seller",
                "group_ids": [(4, self.env.ref("sales_team.group_sale_salesman").id)],
            }
        )
        with self.assertRaises(UserError):
            load.with_user(user).action_start()
        self.account.enabled = False
        with self.assertRaises(UserError):
            load.action_start()
