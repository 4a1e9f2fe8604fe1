"""Who cannot see the screen, or not well, can use it: axe-core finds nothing there that is ours to mend."""

from importlib import resources

import pytest

OURS = {
    "overview": ("keycrm_overview_action", None),
    "orders": ("keycrm_order_action", None),
    "packing": ("keycrm_pack_action", None),
    "offers": ("keycrm_offer_action", None),
    "warehouses": ("keycrm_warehouse_action", None),
    "stock": ("keycrm_stock_report_action", None),
    "payments": ("keycrm_payment_action", None),
    "events": ("keycrm_event_action", None),
    "syncs": ("keycrm_order_sync_action", None),
    "synchronize": ("keycrm_order_sync_action", "new"),
    "settings": ("res_config_settings_action", None),
}
#: What Odoo's widgets draw around our words, by the rule and a class of theirs.
DRAWN_BY_ODOO = {
    ("aria-allowed-attr", "o-autocomplete--input"),
    ("aria-allowed-attr", "o-dropdown"),
    ("aria-allowed-attr", "o_progress"),
    ("aria-allowed-attr", "o_tag"),
    ("aria-required-parent", "nav-link"),
    ("aria-required-parent", "tab"),
    ("autocomplete-valid", "o_select_menu_toggler"),
    ("button-name", "o-dropdown"),
    ("color-contrast", "badge"),
    ("color-contrast", "o_data_cell"),
    ("role-img-alt", "fa-clock-o"),
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


def serious(screen):
    """Let axe-core look at what the window shows below the menu bar.

    :return: list of findings, see :data:`LOOK`
    """
    page = screen.page
    script = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text()
    page.evaluate(script)
    # The chatter below a form is Odoo's alone.
    place = {"include": [".o_action_manager"], "exclude": [".o-mail-Chatter"]}
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


@pytest.fixture
def filled(account, rpc, wait_for):
    """An account with an order, and with a run of each kind.

    :return: the account, and ``{name: (action, record)}`` of forms
    """
    made = account.keycrm.create_sample_order()["answer"]
    order = wait_for(lambda: account.order(made["id"], "id"), 90, "the order")
    account.call("action_refresh_warehouses")
    warehouse = rpc.search("stock.warehouse")[0]
    theirs = rpc.search("keycrm.warehouse", ("account_id", "=", account.id))[0]
    rpc.write("keycrm.warehouse", theirs, warehouse_ids=[(6, 0, [warehouse])])
    preview = account.call("action_preview_stock")["res_id"]
    wait_for(
        lambda: rpc.search(
            "keycrm.stock.comparison", ("id", "=", preview), ("state", "=", "ready")
        ),
        90,
        "the preview",
    )
    event = rpc.search("keycrm.event", ("account_id", "=", account.id))[0]
    # A decision in the overview: an order whose total differs.
    differs = account.keycrm.create_order(grand_total=777)["answer"]
    wait_for(lambda: account.order(differs["id"], "id"), 90, "the differing order")
    load = rpc.create("keycrm.product.import", account_id=account.id)
    rpc.call("keycrm.product.import", "action_start", [load])
    return account, {
        "order": ("keycrm_order_action", order["id"]),
        "setup": ("keycrm_setup_action", account.id),
        "account": ("keycrm_account_action", account.id),
        "event": ("keycrm_event_action", event),
        "load": ("keycrm_product_import_action", load),
        "preview": ("keycrm_stock_comparison_action", preview),
    }


def sending(account, rpc, preview):
    """Choose that Odoo is right, send all and compare.

    :return: ``{name: (action, record)}`` of forms
    """
    rpc.call("keycrm.stock.comparison", "action_send", [preview])
    return {
        "push": ("keycrm_stock_export_action", account.call("action_push_all_stock")["res_id"]),
        "comparison": (
            "keycrm_stock_comparison_action",
            account.call("action_compare_stock")["res_id"],
        ),
    }


def unfold(screen):
    """Unfold all steps of the setup."""
    folded = screen.page.locator("section.o_keycrm_step h2 button[aria-expanded=false]")
    for _ in range(folded.count()):
        folded.first.click()
    screen.settle()


def test_no_screen_is_harder_to_use_than_odoos_own(filled, screen, odoo, rpc):
    account, forms = filled
    # What axe-core finds on Odoo's own screens of the same kinds is not ours to mend.
    common = set()
    for address in (
        "action-sale.action_quotations",
        f"action-sale.action_quotations/{forms['order'][1]}",
        "action-base_setup.action_general_configuration",
        "action-stock.action_warehouse_form/1",
        "action-stock.stock_quant_action",
    ):
        screen.page.goto(f"{odoo.url}/odoo/{address}")
        screen.settle()
        common |= {kind(finding) for finding in serious(screen) if not finding["ours"]}
    found = []

    def look(screens):
        for name, (action, record) in screens.items():
            screen.open(action, record)
            if name == "setup":
                unfold(screen)
            screen.picture(f"accessibility-{name}")
            ours = [one for one in serious(screen) if not is_odoos(one, common)]
            found.extend(f"{name}: {one['rule']}: {one['html']}" for one in ours)

    look({**OURS, **forms})
    look(sending(account, rpc, forms["preview"][1]))
    assert not found, "\n".join(found)
