"""Who cannot see the screen, or not well, can use it: axe-core finds no more than on Odoo's own screens."""

from importlib import resources

import pytest

OURS = {
    "overview": ("keycrm_overview_action", None),
    "orders": ("keycrm_order_action", None),
    "offers": ("keycrm_offer_action", None),
    "warehouses": ("keycrm_warehouse_action", None),
    "stock": ("keycrm_stock_level_action", None),
    "payments": ("keycrm_payment_action", None),
    "events": ("keycrm_event_action", None),
    "syncs": ("keycrm_order_sync_action", None),
    "synchronise": ("keycrm_order_sync_action", "new"),
    "settings": ("res_config_settings_action", None),
}


def serious(screen):
    """Let axe-core look at what the window shows below the menu bar.

    :return: ``{rule: [what it found]}``, serious and critical findings alone
    """
    page = screen.page
    script = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text()
    page.evaluate(script)
    # The chatter below a form is Odoo's alone.
    place = {"include": [".o_action_manager"], "exclude": [".o-mail-Chatter"]}
    found = page.evaluate("place => axe.run(place, {resultTypes: ['violations']})", place)
    return {
        violation["id"]: [node["html"][:200] for node in violation["nodes"]]
        for violation in found["violations"]
        if violation["impact"] in ("serious", "critical")
    }


@pytest.fixture
def filled(account, rpc, wait_for):
    made = account.keycrm.create_sample_order()["answer"]
    order = wait_for(lambda: account.order(made["id"], "id"), 90, "the order")
    account.call("action_refresh_warehouses")
    return account, order["id"]


def test_no_screen_is_harder_to_use_than_odoos_own(filled, screen, odoo):
    account, order = filled
    # What axe-core finds on Odoo's own screens of the same kinds is not ours to mend.
    common = set()
    for address in (
        "action-sale.action_quotations",
        f"action-sale.action_quotations/{order}",
        "action-base_setup.action_general_configuration",
        "action-stock.action_warehouse_form/1",
        "action-stock.dashboard_open_quants",
    ):
        screen.page.goto(f"{odoo.url}/odoo/{address}")
        screen.settle()
        common |= serious(screen).keys()
    found = {}
    for name, (action, record) in {
        **OURS,
        "order": ("keycrm_order_action", order),
        "setup": ("keycrm_setup_action", account.id),
        "account": ("keycrm_account_action", account.id),
    }.items():
        screen.open(action, record)
        screen.picture(f"accessibility-{name}")
        ours = {rule: nodes for rule, nodes in serious(screen).items() if rule not in common}
        if ours:
            found[name] = ours
    assert found == {}
