"""A shop owner looks at the phone: nothing is cut off, nothing has to be moved sideways."""

import pytest
from playwright.sync_api import expect

from tools.screen import PHONE


@pytest.fixture
def phone(account, new_screen, wait_for):
    made = account.keycrm.create_sample_order()["answer"]
    wait_for(lambda: account.order(made["id"], "id"), 90, "the order")
    account.call("action_refresh_warehouses")
    return new_screen(size=PHONE)


def test_failed_event_is_read_and_retried_on_a_phone(account, phone, rpc, wait_for):
    for name in ("Чашка біла", "Чашка стара"):
        rpc.create("product.product", name=name, default_code="CUP-THUMB")
    account.keycrm.create_order(lines=[{"name": "Чашка", "sku": "CUP-THUMB", "price": 50}])
    failed = [("account_id", "=", account.id), ("state", "=", "failed")]
    (event,) = wait_for(lambda: rpc.search("keycrm.event", *failed), 90, "the failure")
    phone.open("keycrm_event_action")
    card = phone.page.locator(".o_kanban_record", has_text="CUP-THUMB").first
    card.wait_for()
    phone.picture("phone-event-failed")
    (second,) = rpc.search("product.product", ("name", "=", "Чашка стара"))
    rpc.write("product.product", second, default_code="CUP-OLD")
    if rpc.read("keycrm.event", event, "state")["state"] == "failed":
        card.get_by_role("button", name="Повторити").click()
    wait_for(lambda: rpc.read("keycrm.event", event, "state")["state"] == "done", 90, "the order")


def test_warehouses_are_matched_on_a_phone(account, phone, rpc):
    ours = rpc.create("stock.warehouse", name="Склад на Оболоні", code="OBOL")
    account.keycrm.create_offer(sku="THUMB", name="Кухоль", stock={1: 3})
    account.write(name="Крамниця в кишені")
    account.call("action_refresh_warehouses")
    phone.open("keycrm_warehouse_action")
    phone.page.locator(".o_kanban_record", has_text="Крамниця в кишені").first.click()
    phone.settle()
    # The step of the setup, in which a card opens its warehouse.
    step = phone.page.locator("section[name=stock]")
    step.locator(".o_kanban_record", has_text="Основний склад").click()
    phone.page.locator(".modal").wait_for()
    phone.picture("phone-warehouse")
    assert not phone.overflows()
    phone.page.locator(".modal [name=warehouse_ids] input").first.click()
    phone.page.locator(".modal .o_kanban_record", has_text="Склад на Оболоні").click()
    phone.page.locator(".modal .o_form_button_save").locator("visible=true").first.click()
    expect(step).to_contain_text("Склад на Оболоні")
    phone.page.locator(".o_form_button_save").locator("visible=true").first.click()
    phone.settle()
    phone.open("keycrm_warehouse_action")
    phone.sees("Склад на Оболоні")
    phone.picture("phone-warehouse-matched")
    assert rpc.search("keycrm.warehouse", ("warehouse_ids", "in", [ours]))


def test_an_order_and_an_account_fit_a_phone(account, phone, rpc):
    order = rpc.search("sale.order", ("keycrm_account_id", "=", account.id), limit=1)[0]
    for name, action, record in (
        ("order", "keycrm_order_action", order),
        ("setup", "keycrm_setup_action", account.id),
        ("account", "keycrm_account_action", account.id),
        ("synchronize", "keycrm_order_sync_action", "new"),
    ):
        phone.open(action, record)
        phone.picture(f"phone-{name}")
        assert not phone.overflows(), name
