"""Warehouses are matched on the screen, and nothing is sent before a person has seen what changes."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import requests_of
from tools import shop
from tools.screen import PHONE


def test_matching_warehouses_leads_to_the_preview_and_then_to_keycrm(
    account, half_minutes, rpc, screen, new_screen, wait_for
):
    warehouse = rpc.create("stock.warehouse", name="Склад на Подолі", code="PODIL")
    offers = {}
    for sku, theirs, ours in (("SHIRT-M", 3, 8), ("SHIRT-L", 9, 2), ("SCARF", 4, 4), ("CAP", 2, 0)):
        offers[sku] = account.keycrm.create_offer(sku=sku, name=sku, stock={1: theirs})["id"]
        name = f"{sku} Сорочка чоловіча лляна з довгим рукавом, біла, розмір великий"
        product = rpc.create("product.product", name=name, default_code=sku, is_storable=True)
        if ours:
            shop.receive(rpc, warehouse, product, ours)
    # Further ones fill a page of the preview.
    filling = [f"FILL-{number:02}" for number in range(40)]
    for sku in filling:
        account.keycrm.create_offer(sku=sku, name=sku, stock={1: 1})
    rpc.call(
        "product.product",
        "create",
        [{"name": sku, "default_code": sku, "is_storable": True} for sku in filling],
    )
    account.write(name="Крамниця з двома складами")
    account.call("action_refresh_warehouses")

    def in_keycrm(sku):
        return float(account.keycrm.stock(offers[sku])["warehouses"]["1"]["quantity"])

    # The list shows the match and leads to the step of the setup, where it is edited.
    screen.open("keycrm_warehouse_action")
    row = screen.page.locator(".o_data_row", has_text="Крамниця з двома складами")
    row = row.filter(has_text="Основний склад")
    row.locator("td[name=warehouse_ids]").click()
    place = screen.page.locator("section[name=stock] .o_data_row", has_text="Основний склад")
    place.locator("td[name=warehouse_ids]").click()
    screen.page.locator(".o_selected_row").wait_for()
    screen.tag("warehouse_ids", "Склад на Подолі")
    screen.picture("warehouses-matching")
    screen.page.locator(".o_form_button_save").locator("visible=true").first.click()
    screen.sees("Потрібна попередня перевірка")
    screen.open("keycrm_warehouse_action")
    expect(row).to_contain_text("Склад на Подолі")
    expect(row).to_contain_text("Потрібна попередня перевірка")
    screen.picture("warehouses-matched")

    screen.open("keycrm_account_action", account.id)
    screen.press("Перевірити перед передачею")
    comparison = wait_for(
        lambda: rpc.search(
            "keycrm.stock.comparison", ("account_id", "=", account.id), ("state", "=", "ready")
        ),
        90,
        "the preview",
    )
    screen.open_record("keycrm.stock.comparison", comparison[0])
    screen.sees("Зменшиться")
    screen.sees("Збільшиться")
    screen.picture("preview")
    assert screen.cut_texts() == []
    assert (in_keycrm("SHIRT-M"), in_keycrm("SHIRT-L")) == (3, 9), "sent before it was seen"
    # A form that refreshes itself keeps the order and the page of its list.
    lines = screen.page.locator(".o_field_x2many")
    lines.locator("th[data-name=sku]").click()
    lines.locator(".o_pager_next").click()
    shown = lines.locator("td[name=sku]")
    expect(lines.locator(".o_pager_value")).to_have_text(re.compile("^41-"))
    last_page = shown.all_inner_texts()
    assert "SHIRT-M" in last_page
    screen.page.evaluate("document.activeElement.blur()")
    reads = requests_of(screen, "keycrm.stock.comparison/web_read")
    half_minutes()
    assert reads
    expect(shown).to_have_text(last_page)

    screen.press("Передати залишки з Odoo")
    screen.picture("preview-asks")
    screen.page.locator(".modal-footer .btn-primary").click()
    wait_for(lambda: (in_keycrm("SHIRT-M"), in_keycrm("SHIRT-L")) == (8, 2), 90, "Odoo's numbers")

    # Side by side: what differs, why, and the terms of the quantity.
    screen.open("keycrm_stock_report_action")
    screen.sees("SHIRT-M")
    account.call("action_pause_stock")
    product = rpc.search("product.product", ("default_code", "=", "SHIRT-L"))[0]
    shop.receive(rpc, warehouse, product, 5)
    screen.open("keycrm_stock_report_action")
    row = screen.page.locator(".o_data_row", has_text="SHIRT-L")
    expect(row.locator("td[name=odoo_quantity]")).to_have_text("7")
    expect(row.locator("td[name=keycrm_quantity]")).to_have_text("2")
    expect(row.locator("td[name=difference]")).to_have_text("5")
    screen.picture("stock-side-by-side")
    assert screen.cut_texts() == []
    assert not screen.overflows()
    row.locator("td[name=reason]").click()
    screen.sees("Чому такий залишок?")
    screen.page.locator(".modal .btn-close").click()
    row.locator(".o_list_record_selector input").click()
    account.call("action_resume_stock")
    screen.press("Передати в KeyCRM")
    wait_for(lambda: in_keycrm("SHIRT-L") == 7, 90, "the chosen row")
    # The open list shows it.
    expect(row.locator("td[name=keycrm_quantity]")).to_have_text("7")
    phone = new_screen(size=PHONE)
    phone.open("keycrm_stock_report_action")
    phone.sees("SHIRT-L")
    phone.picture("phone-stock-side-by-side")
    assert not phone.overflows()


def test_opening_quantities_are_shown_at_once_and_can_be_undone(account, rpc, screen, wait_for):
    warehouse = rpc.create("stock.warehouse", name="Склад на Троєщині", code="TROY")
    for sku, quantity in (("PLATE", 6), ("BOWL", 3)):
        account.keycrm.create_offer(sku=sku, name=sku, stock={1: quantity})
        rpc.create("product.product", name=f"{sku} глиняна", default_code=sku, is_storable=True)
    account.call("action_refresh_warehouses")
    theirs = rpc.search("keycrm.warehouse", ("account_id", "=", account.id), ("keycrm_id", "=", 1))
    rpc.write("keycrm.warehouse", theirs[0], warehouse_ids=[(6, 0, [warehouse])])

    def quantities():
        rows = rpc.rows(
            "stock.quant",
            ("location_id.warehouse_id", "=", warehouse),
            # Other tests' products may have offers of this KeyCRM too.
            ("product_id.default_code", "in", ("PLATE", "BOWL")),
            fields=["product_id", "quantity"],
        )
        return {row["product_id"][1][:6]: row["quantity"] for row in rows if row["quantity"]}

    screen.open("keycrm_account_action", account.id)
    screen.press("Перевірити перед передачею")
    comparison = wait_for(
        lambda: rpc.search(
            "keycrm.stock.comparison", ("account_id", "=", account.id), ("state", "=", "ready")
        ),
        *(90, "the preview"),
    )
    screen.open_record("keycrm.stock.comparison", comparison[0])
    # Nothing would be sent, so the quantities of KeyCRM are the sensible choice.
    choice = screen.page.locator(".o_statusbar_buttons .btn-primary").locator("visible=true")
    expect(choice).to_have_text("Взяти початкові залишки з KeyCRM")
    choice.click()
    screen.page.locator(".modal-footer .btn-primary").click()
    row = screen.page.locator(".o_data_row", has_text="PLATE")
    expect(row.locator("td[name=odoo_quantity]")).to_have_text("6")
    expect(row.locator("td[name=difference]")).to_have_text("0")
    expect(row.locator("td[name=outcome]")).to_have_text("Без змін")
    screen.picture("opening-taken")
    assert quantities() == {"[PLATE": 6, "[BOWL]": 3}
    # Nothing was sent, so there is nothing to restore in KeyCRM; no message stays.
    undo = screen.button("Скасувати початкові залишки")
    expect(undo).to_be_visible()
    expect(screen.button("Повернути попередні залишки в KeyCRM")).to_have_count(0)
    screen.open("keycrm_order_action")
    expect(screen.page.locator(".o_notification")).to_have_count(0)

    screen.open_record("keycrm.stock.comparison", comparison[0])
    undo.click()
    screen.page.locator(".modal-footer .btn-primary").click()
    expect(row.locator("td[name=odoo_quantity]")).to_have_text("0")
    expect(row.locator("td[name=opening]")).to_have_text("Скасовано")
    screen.picture("opening-undone")
    assert quantities() == {}
    assert not account.read("push_stock")["push_stock"]
