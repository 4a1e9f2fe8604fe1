from odoo import api, models


class KeycrmProductMatcher(models.AbstractModel):
    """Products created from KeyCRM are not offered in purchase orders until somebody allows it."""

    _inherit = "keycrm.product.matcher"

    @api.model
    def _prepare_variant_values(self, account, goods, sku, barcodes):
        """Change the values of a product that is created.

        :param account: ``keycrm.account``
        :param goods: what KeyCRM's catalog or order line says (``ordage_keycrm.keycrm.product_data.Goods``)
        :param sku: the SKU that the product gets
        :return: values of ``product.product``
        """
        return {
            **super()._prepare_variant_values(account, goods, sku, barcodes),
            "purchase_ok": False,
        }
