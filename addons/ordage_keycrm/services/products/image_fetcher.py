import base64
import logging
import shutil
from urllib.parse import urlsplit

import psycopg2

from ...keycrm import images
from ...keycrm.errors import KeyCrmError
from ...keycrm.images import PictureTrouble
from ..common.bridge import as_bridge
from ..common.service import Service
from ..common.transactions import run_in_transaction

_logger = logging.getLogger(__name__)

#: Attempts at one picture before it is marked as failed.
MAX_TRIES = 3
#: Free bytes on the disk of Odoo's files below which no picture is downloaded. On a full disk Odoo
#: leaves an incomplete file, and later refuses the same picture because of it.
MIN_FREE_BYTES = 200_000_000


class ImageFetcher(Service):
    """Fetch product pictures, one at a time, outside of any order's transaction."""

    def process(self):
        """Fetch one picture that is wanted; disabled as long as no hosts are set.

        :return: True when there may be more
        :raise PictureTrouble: when its host is unavailable, after that was recorded, or when the disk
            of Odoo's files is full
        """
        hosts = images.hosts_of(self.account.sudo().picture_hosts or "")
        if not hosts:
            return False
        offer = (
            self.env["keycrm.offer"]
            .sudo()
            .search(
                [("account_id", "=", self.account.id), ("picture_state", "=", "wanted")],
                order="picture_tries, id",
                limit=1,
            )
        )
        if not offer:
            return False
        if not self._has_free_space():
            raise PictureTrouble("filestore_full")
        url = offer.picture_url
        # No transaction stays open during the request.
        self.env.cr.commit()
        picture, vals, is_unavailable = None, {"picture_state": "done"}, False
        try:
            picture = images.fetch(url, hosts)
        except KeyCrmError as error:
            tries, is_unavailable = offer.picture_tries + 1, error.transient
            is_retried = is_unavailable and tries < MAX_TRIES
            vals = {"picture_state": "wanted" if is_retried else "failed", "picture_tries": tries}
        run_in_transaction(self.env.cr, lambda: self._store(offer, url, picture, vals))
        if is_unavailable:
            # Otherwise a slow host would block the orders queue for each of its pictures.
            raise PictureTrouble("picture_host_unavailable", host=urlsplit(url).hostname)
        return True

    def _has_free_space(self):
        """Return whether the disk of Odoo's files has space for pictures."""
        Attachment = self.env["ir.attachment"]
        if Attachment._storage() != "file":
            return True
        try:
            return shutil.disk_usage(Attachment._filestore()).free >= MIN_FREE_BYTES
        except OSError:
            # The folder is created with the first file.
            return True

    def _store(self, offer, url, picture, vals):
        """Write a picture to the product, unless the offer has another one meanwhile.

        :param offer: ``keycrm.offer``, one
        :param url: address from which the picture was fetched
        :param picture: bytes; None when it could not be fetched
        :param vals: values of the offer
        """
        if not offer.exists() or offer.picture_url != url:
            return
        product = as_bridge(offer.product_id)
        if picture and not (self.account.keep_product_info and product.image_1920):
            try:
                with self.env.cr.savepoint():
                    product.image_1920 = base64.b64encode(picture)
            except psycopg2.Error:
                raise
            except Exception as error:
                if isinstance(error, OSError) and error.errno:
                    # The disk, not the picture; Pillow's own errors have no number.
                    raise PictureTrouble("filestore_full") from error
                # The file is no picture, is broken, or is too large when unpacked. Whatever Odoo and
                # Pillow raise, the account's other work continues.
                _logger.info(
                    "KeyCRM: the picture at %s is not taken: %s", url, type(error).__name__
                )
                vals = {"picture_state": "failed"}
        offer.write(vals)
