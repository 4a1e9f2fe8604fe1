from odoo import models


class KeycrmExplain(models.AbstractModel):
    """Sentences about products."""

    _inherit = "keycrm.explain"

    def _order_texts(self):
        return {
            **super()._order_texts(),
            "sku_ambiguous": self.env._(
                "The SKU “%(sku)s” belongs to several products: %(products)s. Give each its own "
                "SKU, or choose which of them it is; the order then comes by itself."
            ),
            "barcode_ambiguous": self.env._(
                "The barcode “%(barcode)s” belongs to several products: %(products)s. Correct it; "
                "the order then comes by itself."
            ),
            "barcode_taken": self.env._(
                "The barcode “%(barcode)s” is not taken over: %(product)s has it already."
            ),
            "variant_price": self.env._(
                "KeyCRM's price of %(product)s is %(price)s. Odoo shows another one: its variants have one "
                "price and what each value adds, and KeyCRM's prices are no such sums. Orders have "
                "KeyCRM's prices all the same."
            ),
            "picture_host": self.env._(
                "Pictures are not fetched from %(host)s: it is not in the settings."
            ),
            "picture_refused": self.env._("The picture cannot be taken: %(reason)s."),
        }
