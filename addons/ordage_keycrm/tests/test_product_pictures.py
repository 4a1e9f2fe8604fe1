"""Pictures of products follow the catalogue, fetched apart from orders."""

import base64
from io import BytesIO
from unittest.mock import patch

from PIL import Image

from ..keycrm import pictures
from .common import KeycrmCase

URL = "https://cdn.example.com/1.png"


def png():
    stream = BytesIO()
    Image.new("RGB", (8, 8), "red").save(stream, "PNG")
    return stream.getvalue()


class TestProductPictures(KeycrmCase):
    def setUp(self):
        super().setUp()
        offer = self.keycrm.create_offer(name="Річ", sku="PIC-1", thumbnail_url=URL)
        order = self.arrive(self.new_order([{"offer_id": offer["id"]}]))
        self.product = order.order_line.filtered("keycrm_id").product_id
        self.offer = self.product.keycrm_offer_ids

    def work(self, answer):
        """Let the worker fetch; what the outside host answers is given."""
        with self.committing(), patch.object(pictures, "fetch", side_effect=answer) as fetch:
            worked = self.account._work_picture()
        return worked, fetch

    def test_without_hosts_nothing_is_fetched(self):
        worked, fetch = self.work([png()])
        self.assertFalse(worked)
        fetch.assert_not_called()
        self.assertFalse(self.product.image_1920)

    def test_a_picture_is_put_on_the_product_once(self):
        self.account.picture_hosts = "example.com"
        worked, fetch = self.work([png()])
        self.assertTrue(worked)
        fetch.assert_called_once_with(URL, ["example.com"])
        self.assertEqual(base64.b64decode(self.product.image_1920)[:4], b"\x89PNG")
        self.assertFalse(self.work([png()])[0], "it is not fetched again")

    def test_what_is_no_picture_or_cannot_be_had_is_left_after_a_few_tries(self):
        self.account.picture_hosts = "example.com"
        self.work([b"no picture at all"])
        self.assertEqual(self.offer.picture_state, "failed")
        self.offer.write({"picture_state": "wanted", "picture_tries": 0})
        for _try in range(3):
            self.work(pictures.PictureTrouble("unreachable", host="x"))
        self.assertEqual(self.offer.picture_state, "failed")
        self.assertFalse(self.product.image_1920)
