"""What happens to products that Odoo has: kept, or following the catalog."""

from unittest.mock import patch

from odoo.tools import mute_logger

from odoo.addons.ordage_keycrm.keycrm.errors import QuotaExceeded

from ..services.common.api_gateway import open_client
from ..services.orders.order_enrichment import OrderEnrichment
from ..services.orders.order_inbox import OrderInbox
from ..services.orders.order_writer import OrderWriter
from .product_common import ProductCase

OUTCOME = "odoo.addons.ordage_keycrm.services.orders.order_import"


class TestKeepAndFollow(ProductCase):
    def known(self, **vals):
        offer = self.offer(
            sku="K-1",
            barcode="4820000000048",
            price=777,
            purchased_price=300,
            weight="1.5",
            thumbnail_url="https://cdn.example.com/1.jpg",
        )
        product = self.product(
            name="Наша назва", default_code="K-1", list_price=10, barcode=False, **vals
        )
        return offer, product

    def test_kept_product_information_is_never_changed(self):
        self.account.keep_product_info = True
        offer, product = self.known()
        self.line_of({"offer_id": offer["id"]})
        names = [
            name
            for name, field in product._fields.items()
            if field.store
            and name not in ("write_date", "write_uid", "keycrm_offer_ids")
            and field.type not in ("one2many",)
        ]
        before = product.read(names)
        self.keycrm.patch_offer(offer["id"], price=1, barcode="4820000000055", sku="K-2")
        self.keycrm.patch_product(offer["product_id"], name="Геть інша")
        self.line_of({"offer_id": offer["id"], "name": "Назва з маркетплейсу", "price": 3})
        self.assertEqual(product.read(names), before)

    def test_name_price_barcode_and_weight_follow_the_catalog(self):
        offer, product = self.known()
        self.line_of({"offer_id": offer["id"], "name": "АКЦІЯ", "price": 3})
        self.assertRecordValues(
            product,
            [
                {
                    "name": "Сорочка",
                    "list_price": 777,
                    "barcode": "4820000000048",
                    "weight": 1.5,
                    "standard_price": 300,
                    "default_code": "K-1",
                }
            ],
        )
        self.keycrm.patch_offer(offer["id"], price=800, weight=2, purchased_price=999)
        self.keycrm.patch_product(offer["product_id"], name="Сорочка лляна")
        self.line_of({"offer_id": offer["id"], "name": "АКЦІЯ", "price": 3})
        self.assertRecordValues(
            product,
            [{"name": "Сорочка лляна", "list_price": 800, "weight": 2, "standard_price": 300}],
        )

    def test_weight_with_more_digits_than_odoos_is_written_once(self):
        offer, product = self.known()
        self.keycrm.patch_offer(offer["id"], weight="0.3456")
        self.line_of({"offer_id": offer["id"]})
        self.assertEqual(product.weight, 0.35)
        Product, written = type(self.env["product.product"]), []
        write = Product.write
        with patch.object(
            Product, "write", lambda self, vals: written.append(vals) or write(self, vals)
        ):
            self.line_of({"offer_id": offer["id"]})
        self.assertFalse(written)

    def test_order_of_known_products_appears_before_the_catalog_is_read(self):
        offer, product = self.known()
        self.line_of({"offer_id": offer["id"]})
        self.keycrm.patch_product(offer["product_id"], name="Сорочка лляна")
        number = self.new_order([{"offer_id": offer["id"]}])
        self.receive_webhook(number)
        read, seen = OrderEnrichment.read_offers, []

        def read_offers(enrichment, numbers):
            order = self.env["sale.order"].search([("keycrm_id", "=", number)])
            event = self.env["keycrm.event"].search([("keycrm_order_id", "=", number)])
            seen.append((len(order), event.state, product.name))
            if len(seen) == 1:
                raise QuotaExceeded(1.0)
            return read(enrichment, numbers)

        with (
            patch.object(OrderEnrichment, "read_offers", read_offers),
            self.committing(),
            open_client(self.account) as client,
        ):
            with self.assertRaises(QuotaExceeded):
                OrderInbox(self.account, client).process()
            OrderInbox(self.account, client).process()
        # What broke off between is done again.
        self.assertEqual(seen, [(1, "pending", "Сорочка")] * 2)
        self.assertEqual(product.name, "Сорочка лляна")
        event = self.env["keycrm.event"].search([("keycrm_order_id", "=", number)])
        self.assertEqual((event.state, event.attempts), ("done", 1))

    def test_product_that_cannot_be_updated_delays_its_order_alone(self):
        bad, good = self.offer(sku="F-1"), self.offer(sku="F-2")
        self.line_of({"offer_id": bad["id"]}, {"offer_id": good["id"]})
        for offer in (bad, good):
            self.keycrm.patch_product(offer["product_id"], name=f"Нова {offer['sku']}")
        numbers = [self.new_order([{"offer_id": offer["id"]}]) for offer in (bad, good)]
        self.receive_webhook(*numbers)
        Product = type(self.env["product.product"])
        write = Product.write

        def refuse(product, vals):
            if vals.get("name") == "Нова F-1":
                raise ValueError("no such name")
            return write(product, vals)

        with (
            patch.object(Product, "write", refuse),
            mute_logger(OUTCOME),
            self.committing(),
            open_client(self.account) as client,
        ):
            OrderInbox(self.account, client).process()
        events = self.env["keycrm.event"].search([("keycrm_order_id", "in", numbers)], order="id")
        self.assertEqual(events.mapped("state"), ["failed", "done"])
        self.assertEqual(self.env["sale.order"].search_count([("keycrm_id", "in", numbers)]), 2)
        offers = self.env["keycrm.offer"].search([("keycrm_id", "in", (bad["id"], good["id"]))])
        self.assertEqual(set(offers.product_id.mapped("name")), {"Сорочка", "Нова F-2"})

    def test_line_changes_no_product_while_the_catalog_is_unreadable(self):
        offer, product = self.known()
        self.keycrm.add_fault("status", path="/offers", status=400, times=None)
        self.addCleanup(self.keycrm.clear_faults)
        self.line_of({"offer_id": offer["id"], "name": "АКЦІЯ", "price": 3})
        self.assertEqual(product.name, "Наша назва")
        self.assertEqual(product.list_price, 777, "the offer came with the order")

    def test_existing_cost_is_kept(self):
        offer, product = self.known(standard_price=55)
        self.line_of({"offer_id": offer["id"]})
        self.assertEqual(product.standard_price, 55)

    def test_barcode_of_another_product_is_not_taken_and_reported(self):
        other = self.product(name="Власник", barcode="4820000000048")
        offer, product = self.known()
        line = self.line_of({"offer_id": offer["id"]})
        self.assertEqual(line.product_id, product)
        self.assertFalse(product.barcode)
        self.assertEqual(other.barcode, "4820000000048")
        self.assertIn("Власник", product.keycrm_offer_ids.problem)
        other.barcode = False
        self.line_of({"offer_id": offer["id"]})
        self.assertEqual(product.barcode, "4820000000048")
        self.assertFalse(product.keycrm_offer_ids.problem)

    def test_barcode_of_a_packaging_is_not_taken(self):
        box = self.product(name="Ящик")
        self.env["product.uom"].create(
            {
                "product_id": box.id,
                "uom_id": self.env.ref("uom.product_uom_dozen").id,
                "barcode": "4820000000048",
            }
        )
        offer, product = self.known()
        self.line_of({"offer_id": offer["id"]})
        self.assertFalse(product.barcode)

    def test_older_answer_does_not_overwrite_a_newer_one(self):
        offer, product = self.known()
        number = self.new_order([{"offer_id": offer["id"]}])
        self.keycrm.patch_offer(offer["id"], raw={"updated_at": "2026-08-01T10:00:00.000000Z"})
        old = self.read_order(number)
        self.keycrm.patch_offer(
            offer["id"], price=900, raw={"updated_at": "2026-08-01T11:00:00.000000Z"}
        )
        self.lines_of(number)
        OrderWriter(self.account).import_orders([old])
        self.assertEqual(product.list_price, 900)

    def test_catalog_is_read_in_fifties_and_not_for_old_orders(self):
        offers = [self.offer(sku=f"Q-{index}")["id"] for index in range(60)]
        numbers = [
            self.new_order(
                [{"offer_id": offer} for offer in offers],
                created_at="2026-08-01 10:00:00",
                updated_at="2026-08-01 10:00:00",
            )
            for _again in range(2)
        ]
        self.keycrm.clear_log()
        self.outcomes_by_worker(numbers[0])
        self.assertEqual(len(self.keycrm.requests(path="/offers")), 2)
        self.outcomes_by_worker(numbers[1])
        self.assertEqual(len(self.keycrm.requests(path="/offers")), 2)

    def test_a_price_in_another_currency_is_not_taken_as_hryvnias(self):
        offer, product = self.known()
        self.keycrm.patch_product(offer["product_id"], currency_code="USD")
        dollar = self.env.ref("base.USD")
        dollar.active = True
        self.env["res.currency.rate"].create(
            {"currency_id": dollar.id, "rate": 0.025, "company_id": self.company.id}
        )
        self.line_of({"offer_id": offer["id"]})
        self.assertAlmostEqual(product.list_price, 777 / 0.025, places=2)
