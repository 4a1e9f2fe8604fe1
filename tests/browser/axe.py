"""What axe-core finds on a screen, and whether it is ours to mend."""

from importlib import resources

#: What Odoo's widgets draw around our words, by the rule and a class of theirs.
DRAWN_BY_ODOO = {
    ("aria-allowed-attr", "o-autocomplete--input"),
    ("aria-allowed-attr", "o-dropdown"),
    ("aria-allowed-attr", "o_searchview_input"),
    ("aria-allowed-attr", "o_progress"),
    ("aria-allowed-attr", "o_tag"),
    ("aria-required-parent", "nav-link"),
    ("aria-required-parent", "tab"),
    ("autocomplete-valid", "o_select_menu_toggler"),
    ("button-name", "o-dropdown"),
    ("color-contrast", "badge"),
    ("color-contrast", "o_data_cell"),
    ("color-contrast", "o_form_label"),
    ("color-contrast", "o_pivot_measure_row"),
    ("image-alt", "rounded"),
    ("role-img-alt", "fa-check"),
    ("role-img-alt", "fa-clock-o"),
    ("scrollable-region-focusable", "o_list_renderer"),
    ("scrollable-region-focusable", "o_pivot"),
}
#: Serious and critical findings: the rule, the tag and classes of what it found, and whether that is
#: ours: it carries our name, or lies in a screen of our own making.
LOOK = """async place => {
    const found = await axe.run(place, {resultTypes: ["violations"]});
    const serious = found.violations.filter(one => ["serious", "critical"].includes(one.impact));
    return serious.flatMap(one => one.nodes.map(node => {
        const element = document.querySelector(node.target[0]);
        const alone = element.cloneNode(false).outerHTML;
        return {
            rule: one.id,
            kind: [element.tagName.toLowerCase(), ...[...element.classList].sort()],
            ours:
                alone.includes("keycrm") ||
                Boolean(
                    element.closest("[class*=o_keycrm]:not(.o_list_view)") &&
                    !element.closest(".o_control_panel")
                ),
            html: node.html.slice(0, 200),
        };
    }));
}"""


#: Odoo's own screens of the same kinds.
ODOOS = (
    "action-sale.action_quotations",
    *(
        f"action-sale.action_orders?view_type={kind}"
        for kind in ("kanban", "calendar", "pivot", "graph", "activity")
    ),
    "action-sale.action_quotations/{order}",
    "action-sale.product_template_action/{product}",
    "action-stock.action_picking_tree_all/{delivery}",
    "action-stock.action_replenishment",
    "action-base_setup.action_general_configuration",
    "action-stock.action_warehouse_form/1",
    "action-stock.stock_quant_action",
)

#: Parts of a screen that are Odoo's alone: the chatter below a form, the grid of a calendar, the table of
#: activities.
ODOOS_PARTS = (".o-mail-Chatter", ".fc", ".o_activity_view")


def common_findings(screen, odoo, records):
    """Return the rules and kinds that Odoo's own screens break.

    :param screen: the window
    :param odoo: the Odoo
    :param records: ids by the names of :data:`ODOOS`
    """
    found = set()
    for address in ODOOS:
        screen.page.goto(f"{odoo.url}/odoo/{address.format(**records)}")
        screen.settle()
        found |= {kind(finding) for finding in serious(screen) if not finding["ours"]}
    return found


def serious(screen):
    """Let axe-core check what the window shows below the menu bar.

    :return: list of findings, see :data:`LOOK`
    """
    page = screen.page
    script = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text()
    page.evaluate(script)
    place = {"include": [".o_action_manager"], "exclude": list(ODOOS_PARTS)}
    return page.evaluate(LOOK, place)


def is_odoos(finding, common):
    """Return whether a finding is not ours to mend.

    :param common: rules and kinds that Odoo's own screens break in the same way
    """
    if any((finding["rule"], name) in DRAWN_BY_ODOO for name in finding["kind"]):
        return True
    return not finding["ours"] and kind(finding) in common


def kind(finding):
    return finding["rule"], *finding["kind"]
