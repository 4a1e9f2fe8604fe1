"""A shop owner looks at the phone: nothing is cut off, nothing has to be moved sideways."""

import pytest

from tools.screen import PHONE

SCREENS = {
    "overview": "keycrm_overview_action",
    "orders": "keycrm_order_action",
    "archive": "keycrm_order_archive_action",
    "offers": "keycrm_offer_action",
    "warehouses": "keycrm_warehouse_action",
    "stock": "keycrm_stock_level_action",
    "payments": "keycrm_payment_action",
    "events": "keycrm_event_action",
    "syncs": "keycrm_order_sync_action",
    "settings": "res_config_settings_action",
}


@pytest.fixture
def phone(account, new_screen, wait_for):
    made = account.keycrm.create_sample_order()["answer"]
    wait_for(lambda: account.order(made["id"], "id"), 90, "the order")
    account.call("action_refresh_warehouses")
    return new_screen(size=PHONE)


def test_every_screen_fits_a_phone(phone):
    wide = []
    for name, action in SCREENS.items():
        phone.open(action)
        assert phone.page.locator(".o_action_manager > *").first.is_visible(), name
        phone.picture(f"phone-{name}")
        if phone.overflows():
            wide.append(name)
    assert wide == []


def test_an_order_and_an_account_fit_a_phone(account, phone, rpc):
    order = rpc.search("sale.order", ("keycrm_account_id", "=", account.id), limit=1)[0]
    for name, action, record in (
        ("order", "keycrm_order_action", order),
        ("setup", "keycrm_setup_action", account.id),
        ("account", "keycrm_account_action", account.id),
        ("synchronise", "keycrm_order_sync_action", "new"),
    ):
        phone.open(action, record)
        phone.picture(f"phone-{name}")
        assert not phone.overflows(), name
