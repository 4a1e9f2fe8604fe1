"""A storekeeper's day: a parcel is found by its number, packed and labeled; the board shows the orders."""

from datetime import date, timedelta
from functools import partial

import pytest
from playwright.sync_api import expect

from tools import shop
from tools.screen import PHONE


@pytest.fixture
def confirm(account, new_parcel):
    """Let an order with a cup arrive and be confirmed: ``confirm(buyer, tracking number)``."""
    offer = account.keycrm.create_offer(sku="PACK-1", name="Кухоль", price=500)["id"]
    return partial(new_parcel, offer, shipping_date=str(date.today()))


def test_a_typed_or_scanned_number_opens_its_parcel(
    account, confirm, new_screen, new_user, rpc, screen
):
    number = confirm("Олена Коваль", "20450000000123")
    (product,) = rpc.search("product.product", ("default_code", "=", "PACK-1"))
    shop.receive(rpc, rpc.search("stock.warehouse", limit=1)[0], product, 5)

    def reserve(order):
        parcels = account.order(order, "picking_ids")["picking_ids"]
        rpc.call("stock.picking", "action_assign", parcels)

    reserve(number)
    # A busy machine does not type as fast as a scanner.
    rpc.call("ir.config_parameter", "set_param", "barcode.max_time_between_keys_in_ms", "2000")
    storekeeper = new_screen(new_user("packer", "stock.group_stock_user"))
    storekeeper.open("keycrm_pack_action")
    page = storekeeper.page
    storekeeper.sees("20450000000123")
    storekeeper.picture("pack-list")
    box = page.get_by_label("Скануйте або введіть номер")
    box.fill("20450000000999")
    box.press("Enter")
    storekeeper.sees("Відвантаження з номером «20450000000999» немає.")
    storekeeper.picture("pack-not-found")
    # The next scan goes into the box.
    expect(box).to_be_focused()
    expect(box).to_have_value("")
    opened = page.locator(".o_form_view .o_field_widget[name=keycrm_tracking_code]")
    page.keyboard.type("pack-1")
    page.keyboard.press("Enter")
    expect(opened).to_contain_text("20450000000123")
    # A scanner types fast and needs no box, also after another row was selected.
    reserve(confirm("Семен Яремчук", "20450000000124"))
    for leave in (
        lambda: box.evaluate("place => place.blur()"),
        lambda: page.locator(".o_data_row", has_text="Семен Яремчук").locator("input").click(),
    ):
        storekeeper.menu("Залишки на складах", "До пакування")
        box.focus()
        leave()
        page.keyboard.type("20450000000123")
        page.keyboard.press("Enter")
        expect(opened).to_contain_text("20450000000123")
        expect(page.locator(".o_breadcrumb .breadcrumb-item")).to_have_count(1)
    storekeeper.menu("Залишки на складах", "До пакування")
    box.fill("20450000000123")
    box.press("Enter")
    expect(opened).to_contain_text("20450000000123")
    expect(page.locator(".o_form_view [name=keycrm_recipient_phone]")).to_contain_text("67")
    storekeeper.picture("pack-form")
    # The parcel is not to be shipped while the order has another total in KeyCRM: the open form shows it.
    account.keycrm.patch_order(number, grand_total=501)
    account.keycrm.send_webhook(number)
    storekeeper.sees("Поки не відправляйте")
    storekeeper.picture("pack-form-do-not-ship")
    storekeeper.menu("Залишки на складах", "До пакування")
    red_number = page.locator(".o_data_row [name=keycrm_order_number].text-danger")
    expect(red_number).to_have_count(1)
    storekeeper.picture("pack-list-do-not-ship")
    # A date of another year, or of months from now, is shown whole, too.
    far = (date.today() - timedelta(days=400), date.today() + timedelta(days=80))
    for day in far:
        for parcel in account.order(number, "picking_ids")["picking_ids"]:
            rpc.write("stock.picking", parcel, scheduled_date=f"{day} 12:00:00")
        storekeeper.menu("Залишки на складах", "До пакування")
        expect(red_number).to_have_count(1)
        assert storekeeper.cut_texts() == []
        storekeeper.picture(f"pack-list-{day.year}")
    packer_phone = new_screen("packer", size=PHONE)
    packer_phone.open("keycrm_pack_action")
    packer_phone.sees("Поки не відправляйте")
    packer_phone.picture("phone-pack-do-not-ship")
    screen.open("keycrm_order_action", account.order(number, "id")["id"])
    screen.sees("Звірте рядки")
    # The name of a product is not repeated as its description.
    line = screen.page.locator("[name=order_line] .o_data_row").first
    assert line.inner_text().count("Кухоль") == 1
    screen.picture("order-total-differs")
    screen.press("Залишити як є")
    screen.does_not_see("Звірте рядки")
    screen.picture("order-total-kept")
    storekeeper.menu("Залишки на складах", "До пакування")
    expect(page.locator(".o_data_row [name=keycrm_order_number]")).not_to_have_count(0)
    expect(red_number).to_have_count(0)
    storekeeper.open("keycrm_order_action", account.order(number, "id")["id"])
    storekeeper.sees("Олена Коваль")
    storekeeper.picture("order-of-a-storekeeper")
    screen.open("keycrm_order_action")
    screen.picture("orders-list")
    screen.page.locator(".o_switch_view.o_kanban").click()
    screen.sees("До сплати:")
    screen.picture("orders-board")
    screen.page.locator(".o_switch_view.o_calendar").click()
    name = account.order(number, "name")["name"]
    expect(screen.page.locator(".fc-event", has_text=name).first).to_be_visible()
    screen.picture("orders-calendar")
    screen.page.locator(".o_switch_view.o_activity").click()
    screen.settle()
    screen.picture("orders-activities")
    screen.page.locator(".o_switch_view.o_graph").click()
    screen.settle()
    screen.picture("orders-graph")
