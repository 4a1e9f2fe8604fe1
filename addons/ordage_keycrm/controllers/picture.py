import hmac
from http import HTTPStatus

from odoo import SUPERUSER_ID, http
from odoo.http import request

from ..services.products import pictures


class KeycrmPicture(http.Controller):
    """Serve the pictures of products that were created in KeyCRM, which downloads them.

    KeyCRM cannot log in. The address is signed, so only pictures whose address was sent can be read.
    """

    @http.route(
        "/keycrm/picture/<int(max=2147483647):product_id>/<string:signature>.jpg",
        type="http",
        auth="none",
        methods=["GET"],
        save_session=False,
    )
    def send(self, product_id, signature, **_query):
        """Send a picture.

        :param product_id: id of ``product.product``
        :param signature: of the address
        :return: the picture; 404 without one and for a wrong signature, indistinguishable from outside
        """
        env = request.env(user=SUPERUSER_ID, su=True)
        product = env["product.product"].browse(product_id).exists()
        expected = product._keycrm_picture_signature() if product else ""
        if not hmac.compare_digest(signature.encode(), expected.encode()) or not product.image_1024:
            return request.make_response("", status=HTTPStatus.NOT_FOUND)
        return env["ir.binary"]._get_image_stream_from(product, "image_1024").get_response()

    @http.route(
        "/keycrm/picture/check/<string:nonce>",
        type="http",
        auth="none",
        methods=["GET"],
        save_session=False,
    )
    def check(self, nonce, **_query):
        """Answer the check whether the public address serves pictures.

        :param nonce: random text of the check
        :return: the proof that this database answers
        """
        env = request.env(user=SUPERUSER_ID, su=True)
        return request.make_response(pictures.proof(env, nonce[:64]))
