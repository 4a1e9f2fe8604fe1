import base64
import logging
from urllib.parse import urlsplit

import psycopg2

from odoo import models

from ...keycrm import images
from ...keycrm.errors import KeyCrmError
from ...keycrm.images import PictureTrouble

_logger = logging.getLogger(__name__)

#: Tries of one picture before it is left.
PICTURE_TRIES = 3


class KeycrmAccount(models.Model):
    """Pictures of products: bulk work, one at a time, outside of any order's transaction."""

    _inherit = "keycrm.account"

    def _work_picture(self):
        """Fetch one picture that is wanted; off as long as no hosts are set.

        :return: True when there may be more
        :raise PictureTrouble: when its host is in trouble, after it was noted
        """
        hosts = images.hosts_of(self.sudo().picture_hosts or "")
        if not hosts:
            return False
        offer = (
            self.env["keycrm.offer"]
            .sudo()
            .search(
                [("account_id", "=", self.id), ("picture_state", "=", "wanted")],
                order="picture_tries, id",
                limit=1,
            )
        )
        if not offer:
            return False
        url = offer.picture_url
        # Nothing is held open while the picture is fetched.
        self.env.cr.commit()
        picture, vals, is_ill = None, {"picture_state": "done"}, False
        try:
            picture = self._fetch_picture(url, hosts)
        except KeyCrmError as error:
            tries, is_ill = offer.picture_tries + 1, error.transient
            left = is_ill and tries < PICTURE_TRIES
            vals = {"picture_state": "wanted" if left else "failed", "picture_tries": tries}
        self._run_in_transaction(lambda: self._put_picture(offer, url, picture, vals))
        if is_ill:
            # Or a host that answers slowly would hold the orders' worker for each of its pictures.
            raise PictureTrouble("picture_host_ill", host=urlsplit(url).hostname)
        return True

    def _fetch_picture(self, url, hosts):
        return images.fetch(url, hosts)

    def _put_picture(self, offer, url, picture, vals):
        """Put a picture on the product, unless KeyCRM named another one meanwhile."""
        if not offer.exists() or offer.picture_url != url:
            return
        product = offer.product_id.with_context(keycrm_import=True)
        if picture and not (self.keep_product_info and product.image_1920):
            try:
                with self.env.cr.savepoint():
                    product.image_1920 = base64.b64encode(picture)
            except psycopg2.Error:
                raise
            except Exception as error:
                # It says to be a picture and is none, is broken, or would be gigantic when unpacked:
                # whatever Odoo's and Pillow's opinion is, the rest of the account's work goes on.
                _logger.info(
                    "KeyCRM: the picture at %s is not taken: %s", url, type(error).__name__
                )
                vals = {"picture_state": "failed"}
        offer.write(vals)
