"""Pictures of products follow the catalog, fetched apart from orders, from a real https server."""

import base64
import tempfile
from functools import partial
from io import BytesIO
from pathlib import Path

from PIL import Image

from odoo.tools import mute_logger

from tools.tls_server import TlsServer

from ..keycrm import images
from ..services.common.circuit_breaker import CircuitBreaker
from ..services.products.image_fetcher import ImageFetcher
from .common import KeycrmCase

LOG = "odoo.addons.ordage_keycrm.services.common.circuit_breaker"
IMAGE = {"Content-Type": "image/png"}


def png(color):
    stream = BytesIO()
    Image.new("RGB", (8, 8), color).save(stream, "PNG")
    return stream.getvalue()


class TestProductPictures(KeycrmCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.web = cls.enterClassContext(TlsServer({}, folder))

    def setUp(self):
        super().setUp()
        self.web.requested.clear()
        self.web.answers.update(
            {"/red.png": (200, IMAGE, png("red")), "/blue.png": (200, IMAGE, png("blue"))}
        )
        self.remote = self.keycrm.create_offer(
            name="Річ", sku="PIC-1", thumbnail_url=self.web.url("/red.png")
        )
        self.product = self.import_offer()
        self.offer = self.product.keycrm_offer_ids
        self.account.picture_hosts = f"cdn.example.com, 127.0.0.1:{self.web.port}"

    def import_offer(self):
        """Import an order with the offer.

        :return: its product
        """
        order = self.arrive(self.new_order([{"offer_id": self.remote["id"]}]))
        return order.order_line.filtered("keycrm_id").product_id

    def trust_the_test_server(self):
        """For a test alone: accept the certificate of the test's server and its private address."""
        fetch = partial(images.fetch, may_reach=lambda address: True, ca_certs=self.web.ca_certs)
        self.patch(images, "fetch", fetch)

    def work(self):
        with self.committing():
            return ImageFetcher(self.account).process()

    def run_orders_queue(self):
        self.stop_polling()
        with self.committing():
            self.env["keycrm.account"]._cron_orders(self.account.id)

    def pause_is_over(self):
        circuits = dict(self.account.work_circuits or {})
        if "pictures" in circuits:
            circuits["pictures"] = {**circuits["pictures"], "until": "2020-01-01 00:00:00"}
            self.account.work_circuits = circuits

    def color(self):
        """:return: color of the product's picture, or None"""
        if not self.product.image_1920:
            return None
        picture = Image.open(BytesIO(base64.b64decode(self.product.image_1920)))
        return {(255, 0, 0): "red", (0, 0, 255): "blue"}[picture.convert("RGB").getpixel((4, 4))]

    def test_catalog_picture_reaches_the_product_once_and_is_updated(self):
        self.trust_the_test_server()
        self.assertFalse(self.web.requested, "an order never waits for a picture")
        self.assertTrue(self.work())
        self.assertEqual((self.color(), self.offer.picture_state), ("red", "done"))
        self.import_offer()
        self.assertFalse(self.work(), "the same picture is not fetched again")
        self.assertEqual(self.web.requested, ["/red.png"])
        self.keycrm.patch_offer(self.remote["id"], thumbnail_url=self.web.url("/blue.png"))
        self.import_offer()
        self.assertTrue(self.work())
        self.assertEqual(self.color(), "blue")

    def test_pictures_are_not_fetched_without_chosen_hosts(self):
        self.trust_the_test_server()
        self.account.picture_hosts = False
        self.assertFalse(self.work())
        self.assertFalse(self.web.requested)

    def test_host_that_is_not_in_the_setting_gets_no_request(self):
        self.trust_the_test_server()
        self.account.picture_hosts = "cdn.example.com"
        self.work()
        self.assertEqual((self.color(), self.offer.picture_state), (None, "failed"))
        self.assertFalse(self.web.requested)

    def test_own_network_gets_no_request_even_if_its_host_is_set(self):
        self.work()
        self.assertEqual((self.color(), self.offer.picture_state), (None, "failed"))
        self.assertFalse(self.web.requested)

    def test_existing_picture_is_kept_with_kept_product_information(self):
        self.trust_the_test_server()
        self.product.image_1920 = base64.b64encode(png("blue"))
        self.account.keep_product_info = True
        self.work()
        self.assertEqual(self.color(), "blue")

    def test_invalid_picture_is_not_stored(self):
        self.trust_the_test_server()
        self.web.answers["/red.png"] = (200, IMAGE, b"no picture at all")
        self.work()
        self.assertEqual((self.color(), self.offer.picture_state), (None, "failed"))

    def test_picture_of_a_failing_host_is_tried_three_times(self):
        self.trust_the_test_server()
        self.web.answers["/red.png"] = (503, {}, b"")
        for state in ("wanted", "wanted", "failed"):
            with mute_logger(LOG):
                self.run_orders_queue()
            self.assertEqual(self.offer.picture_state, state)
            self.pause_is_over()
        self.run_orders_queue()
        self.assertEqual(len(self.web.requested), 3)

    def test_unavailable_host_pauses_all_pictures_and_no_order(self):
        self.trust_the_test_server()
        self.web.answers["/red.png"] = (503, {}, b"")
        for number in range(5):
            self.remote = self.keycrm.create_offer(
                name=f"Річ {number}",
                sku=f"FAILING-{number}",
                thumbnail_url=self.web.url("/red.png"),
            )
            self.import_offer()
        number = self.new_order([])
        self.receive_webhook(number)
        with mute_logger(LOG):
            self.run_orders_queue()
            self.run_orders_queue()
        self.assertEqual(len(self.web.requested), 1)
        self.assertFalse(CircuitBreaker(self.account).is_unavailable())
        self.assertIn("127.0.0.1", self.account.circuit_error_text)
        self.assertTrue(self.env["sale.order"].search([("keycrm_id", "=", number)]))
        self.web.answers["/red.png"] = (200, IMAGE, png("red"))
        self.pause_is_over()
        self.run_orders_queue()
        self.assertEqual(len(self.web.requested), 7)
        self.assertFalse(self.account.circuit_error_text)
