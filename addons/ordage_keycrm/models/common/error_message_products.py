from odoo import models


class KeycrmErrorMessage(models.AbstractModel):
    """Add sentences about products."""

    _inherit = "keycrm.error.message"

    def _order_texts(self):
        return {
            **super()._order_texts(),
            "sku_ambiguous": self.env._(
                "The SKU “%(sku)s” belongs to several products: %(products)s. Give each its own "
                "SKU, or choose the right product; the order will then arrive automatically."
            ),
            "barcode_ambiguous": self.env._(
                "The barcode “%(barcode)s” belongs to several products: %(products)s. Correct "
                "it; the order will then arrive automatically."
            ),
            "barcode_taken": self.env._(
                "The barcode “%(barcode)s” was not imported: %(product)s already has it."
            ),
            "variant_price": self.env._(
                "The price of %(product)s in KeyCRM is %(price)s. Odoo shows another one: it "
                "computes the price of a variant as one common price plus extras, and KeyCRM's "
                "prices cannot be split this way. Orders still use KeyCRM's prices."
            ),
            "picture_host": self.env._(
                "Images are not downloaded from %(host)s: it is not in the settings."
            ),
            "picture_refused": self.env._("The image cannot be downloaded: %(reason)s."),
        }
