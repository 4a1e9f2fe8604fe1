"""Only the pictures whose address was sent to KeyCRM can be read without a login."""

from odoo.tests import HttpCase, tagged

from ..services.products import pictures
from .common import KeycrmCase
from .test_create_products import PICTURE


@tagged("post_install", "-at_install")
class TestPictureAddress(KeycrmCase, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.account.sudo().serves_pictures = True
        cls.product, cls.other, cls.bare = cls.env["product.product"].create(
            [
                {"name": "Чашка", "image_1920": PICTURE},
                {"name": "Секрет", "image_1920": PICTURE},
                {"name": "Без фото"},
            ]
        )

    def path(self, product, signature=None):
        signature = signature or product._keycrm_picture_signature()
        return f"/keycrm/picture/{product.id}/{signature}.jpg"

    def test_a_sent_address_serves_the_picture(self):
        url = self.product._keycrm_picture_url(self.account)
        self.assertTrue(url.endswith(self.path(self.product)))
        answer = self.url_open(self.path(self.product))
        self.assertEqual(answer.status_code, 200)
        self.assertTrue(answer.headers["Content-Type"].startswith("image/"))
        self.assertTrue(answer.content)

    def test_any_other_address_is_not_found(self):
        signature = self.product._keycrm_picture_signature()
        for path in (
            self.path(self.other, signature),
            self.path(self.bare),
            self.path(self.product, signature[:-1]),
            self.path(self.product, signature.upper()),
            self.path(self.product, "%D1%97"),
            self.path(self.product, "%FF"),
            f"/keycrm/picture/{self.product.id}/.jpg",
            f"/keycrm/picture/0/{signature}.jpg",
            f"/keycrm/picture/-1/{signature}.jpg",
            f"/keycrm/picture/{2**31 - 1}/{signature}.jpg",
            f"/keycrm/picture/{2**31}/{signature}.jpg",
            f"/keycrm/picture/{10**40}/{signature}.jpg",
        ):
            with self.subTest(path), self.assertNoLogs("odoo.http", "ERROR"):
                answer = self.url_open(path)
                self.assertEqual(answer.status_code, 404)
                self.assertNotIn(b"PNG", answer.content)

    def test_check_proves_the_challenge_alone(self):
        answer = self.url_open("/keycrm/picture/check/abc")
        self.assertEqual(answer.text, pictures.proof(self.env, "abc"))
        # The proof of a product's number is no signature of its picture.
        proof = self.url_open(f"/keycrm/picture/check/{self.other.id}").text
        self.assertEqual(self.url_open(self.path(self.other, proof)).status_code, 404)
