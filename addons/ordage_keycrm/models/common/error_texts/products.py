"""Sentences about products, their images and their stock, by error code."""

from odoo.tools.translate import LazyTranslate

_lt = LazyTranslate(__name__)

TEXTS = {
    "picture_host_unavailable": _lt(
        "Product images cannot be downloaded from %(host)s now. Odoo will try again "
        "automatically; orders and stock are not affected."
    ),
    "value_rate_missing": _lt(
        "Not sent to KeyCRM: an exchange rate of %(currency)s is missing in Odoo. Enter one "
        "(Invoicing → Configuration → Accounting → Currencies); the value follows automatically."
    ),
    "create_no_sku": _lt(
        "The product has no SKU (internal reference). Enter one, then click “Check again”."
    ),
    "create_sku_unusable": _lt(
        "KeyCRM cannot look up this SKU: it holds a comma or is too long. Change it, then click "
        "“Check again”."
    ),
    "create_sku_repeated": _lt(
        "Several products in Odoo have this SKU. Give each its own, then click “Check again”."
    ),
    "create_sku_in_keycrm": _lt(
        "KeyCRM has this SKU several times, or for another product of Odoo. Correct it there, "
        "then click “Check again”."
    ),
    "create_other_company": _lt(
        "The product belongs to another company than the KeyCRM account. Create it with an "
        "account of its own company."
    ),
    "create_archived": _lt("The product is archived. Restore it, then click “Check again”."),
    "create_combo": _lt(
        "Odoo would neither deliver nor invoice the products of a combo. Create its products, or "
        "a kit."
    ),
    "create_barcode_repeated": _lt(
        "Another product of the list, or one that KeyCRM has, has this barcode. Correct it, then "
        "click “Check again”."
    ),
    "create_is_archived": _lt(
        "KeyCRM has the product, but it is archived there. Restore it in KeyCRM to sell it."
    ),
    "create_not_linked": _lt(
        "KeyCRM has the product, but Odoo could not link it: %(reason)s Fix this, then click "
        "“Check again” and “Create in KeyCRM”: the product is linked, not created twice."
    ),
    "stock_list_empty": _lt(
        "KeyCRM's stock list was empty although Odoo has products linked to it, so Odoo did not "
        "use it. Check that the products exist in KeyCRM, then try again."
    ),
    "stock_list_short": _lt(
        "KeyCRM's stock list lacks products that it had before (%(count)s), so Odoo did not use "
        "it. The comparison is repeated automatically. If the products were really deleted in "
        "KeyCRM, click “Compare with KeyCRM”."
    ),
    "sku_ambiguous": _lt(
        "The SKU “%(sku)s” belongs to several products: %(products)s. Give each its own SKU, or "
        "choose the right product; the order will then arrive automatically."
    ),
    "barcode_ambiguous": _lt(
        "The barcode “%(barcode)s” belongs to several products: %(products)s. Correct it; the "
        "order will then arrive automatically."
    ),
    "barcode_taken": _lt("The barcode “%(barcode)s” was not imported: %(product)s already has it."),
    "unit_differs": _lt(
        "“%(product)s” is counted in “%(keycrm)s” in KeyCRM but in “%(odoo)s” in Odoo, so its "
        "quantity would be wrong. Change the unit on one side, then click “Refresh from KeyCRM” "
        "on the order. If the quantity is right nevertheless, confirm the order here."
    ),
    "variant_price": _lt(
        "The price of %(product)s in KeyCRM is %(price)s. Odoo shows another one: it copies the "
        "prices of variants only where one attribute, such as the size, decides them. Enter price "
        "extras for the product's attributes. Orders still use KeyCRM's prices."
    ),
    "picture_host": _lt("Images are not downloaded from %(host)s: it is not in the settings."),
    "picture_refused": _lt("The image cannot be downloaded: %(reason)s."),
}
