"""Sentences about orders, by error code."""

from odoo.tools.translate import LazyTranslate

_lt = LazyTranslate(__name__)

TEXTS = {
    "order_not_found": _lt(
        "KeyCRM no longer has order %(order)s: it was deleted there or belongs to another "
        "account. If it was deleted, cancel it in Odoo too."
    ),
    "lines_missing": _lt(
        "KeyCRM returned order %(order)s without its products, although they cost %(total)s. Odoo "
        "changes nothing and will read the order again automatically. If the error persists, open "
        "and save the order in KeyCRM."
    ),
    "tracking_differs": _lt(
        "KeyCRM already has another tracking number of this order: %(theirs)s (Odoo: %(ours)s). "
        "Neither is changed. Correct the wrong one, then click “Retry”."
    ),
    "discount_exceeds_goods": _lt(
        "The discounts of the order exceed its products (%(total)s). Correct the discount in "
        "KeyCRM, or confirm the order here if this is intended."
    ),
    "combo_product": _lt(
        "Odoo would neither deliver nor invoice the products of %(products)s: it is a combo. "
        "Choose another product for it in “Offers”, such as a kit, then click “Refresh from "
        "KeyCRM” on the order."
    ),
    "warehouse_archived": _lt(
        "The warehouse “%(warehouse)s” of the order is archived. Choose another one in the "
        "account or the source, or restore it, then click “Refresh from KeyCRM” on the order."
    ),
    "not_confirmed": _lt(
        "Odoo did not confirm the order: %(reason)s Fix this, then confirm the order here."
    ),
    "imported_before": _lt(
        "%(name)s came from order %(order)s of KeyCRM before the addon was uninstalled, so the order is "
        "not imported again. To import it nevertheless, cancel %(name)s and its payments in Odoo, or "
        "clear its source document, then click “Retry”."
    ),
    "no_order_number": _lt("KeyCRM's message contains no order number, so there is nothing to do."),
    "currency_unknown": _lt(
        "Odoo has no currency %(currency)s. Correct the currency of the order's source in KeyCRM."
    ),
    "no_warehouse": _lt(
        "No Odoo warehouse is chosen for the orders of this account. Choose one in its settings."
    ),
    "odoo_refused": _lt("Odoo did not accept the order: %(reason)s Fix this, then click “Retry”."),
}
