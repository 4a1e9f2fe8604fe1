"""Change the forms of orders so that a user cannot change what KeyCRM determines.

The form is changed here and not by a view, which would depend on each field that a module or a release
of Odoo moves, adds or removes. For lines, the server refuses such writes too. Other values of an order
that are written over RPC are overwritten by its next import.
"""

from ast import literal_eval
from copy import deepcopy

#: Fields of a line that a form does not change.
_LOCKED_IN_LINES = {
    *("product_id", "product_template_id", "product_uom_qty", "product_uom_id"),
    *("price_unit", "discount", "tax_ids"),
}
#: Fields of an order that a form does not change.
_LOCKED_IN_ORDERS = {
    *("partner_id", "partner_invoice_id", "partner_shipping_id", "sale_order_template_id"),
    *("date_order", "pricelist_id", "client_order_ref", "tag_ids", "fiscal_position_id"),
}
#: Buttons that would change lines: prices and taxes computed again, discounts, shipping, rewards.
_HIDDEN_IN_ORDERS = ("action_update_prices", "action_update_taxes", "so_button_below_order_lines")


def lock_form(env, arch):
    """Make fields read-only that KeyCRM determines, and ask before actions that contradict KeyCRM.

    :param env: environment, for the language of the questions
    :param arch: ``lxml.etree`` node of a form of ``sale.order``; it is changed
    """
    for node in arch.xpath("//field[@name='order_line']"):
        # A view could replace the options only as a whole, with those of other modules.
        node.set("options", _with_rules(node.get("options")))
        for field in node.xpath(".//field"):
            if field.get("name") in _LOCKED_IN_LINES:
                _add_condition(field, "readonly", "keycrm_is_locked")
    for node in arch.xpath("//field[not(ancestor::field)]"):
        if node.get("name") in _LOCKED_IN_ORDERS:
            _add_condition(node, "readonly", "keycrm_is_locked")
    for name in _HIDDEN_IN_ORDERS:
        for node in arch.xpath("//*[@name=$name]", name=name):
            _add_condition(node, "invisible", "keycrm_is_locked")
    for button in arch.xpath("//header/button[@name='action_cancel']"):
        _confirm(
            button,
            "keycrm_is_locked",
            {
                "confirm-title": env._("Cancel only in Odoo?"),
                "confirm": env._(
                    "KeyCRM still has this order. Cancel it in KeyCRM too: until then, the order "
                    "is shown as “Needs a decision”."
                ),
                "confirm-label": env._("Cancel in Odoo"),
                "cancel-label": env._("Do not cancel"),
            },
        )
    for button in arch.xpath("//header/button[@name='action_confirm']"):
        _confirm(
            button,
            "keycrm_total_differs",
            {
                "confirm-title": env._("The total differs from KeyCRM"),
                "confirm": env._(
                    "The order has another total in KeyCRM. Compare the lines first: what you "
                    "confirm is shipped and invoiced as it is in Odoo."
                ),
                "confirm-label": env._("Confirm anyway"),
            },
        )


def _add_condition(node, attribute, condition):
    """Add a condition to an attribute of a view.

    :param node: ``lxml.etree`` node
    :param attribute: ``readonly`` or ``invisible``
    :param condition: expression of the view's language
    """
    present = node.get(attribute)
    node.set(attribute, f"({present}) or {condition}" if present else condition)


def _confirm(button, condition, attributes):
    """Add a copy of a button that asks for confirmation, shown where a condition applies.

    :param button: ``lxml.etree`` node
    :param condition: expression of the view's language
    :param attributes: of the question
    """
    asking = deepcopy(button)
    asking.attrib.pop("id", None)
    asking.attrib.update(attributes)
    asking.tail = None
    _add_condition(button, "invisible", condition)
    _add_condition(asking, "invisible", f"not {condition}")
    button.addnext(asking)


def _with_rules(text):
    """Restrict adding and removing in the options of the lines; existing restrictions stay.

    :param text: options in a view; unreadable ones are unchanged, since the server refuses such lines too
    :return: options with the rules
    """
    try:
        options = literal_eval((text or "").strip() or "{}")
    except (SyntaxError, ValueError):
        return text
    rule = [("keycrm_is_locked", "=", False)]
    for name in ("create", "delete"):
        present = options.get(name, True)
        if isinstance(present, list):
            options[name] = rule + present
        elif present:
            options[name] = rule
    return repr(options)
