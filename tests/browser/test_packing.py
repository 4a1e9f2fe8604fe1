"""A storekeeper's day: a parcel is found by its number, packed and labeled; the board shows the orders."""

from datetime import date

from playwright.sync_api import expect

IN_PRODUCTION = 4


def test_a_typed_number_opens_its_parcel_and_its_label_is_printed(
    account, new_screen, new_user, rpc, screen, wait_for
):
    offer = account.keycrm.create_offer(sku="PACK-1", name="Кухоль", price=500)["id"]
    number = account.keycrm.create_order(
        lines=[{"offer_id": offer, "price": 500, "quantity": 1}],
        status_id=IN_PRODUCTION,
        buyer={"full_name": "Олена Коваль", "phone": "+380671234567"},
        shipping={
            "tracking_code": "20450000000123",
            "recipient_full_name": "Олена Коваль",
            "shipping_date": str(date.today()),
        },
    )["id"]
    wait_for(lambda: (account.order(number, "state") or {}).get("state") == "sale", 90, "the order")
    storekeeper = new_screen(new_user("packer", "stock.group_stock_user"))
    storekeeper.open("keycrm_pack_action")
    page = storekeeper.page
    page.locator(".o_searchview_facet .o_facet_remove").first.click()
    storekeeper.sees("20450000000123")
    storekeeper.picture("pack-list")
    box = page.get_by_label("Скануйте або введіть номер")
    box.fill("20450000000999")
    box.press("Enter")
    storekeeper.sees("Доставки з номером «20450000000999» немає.")
    page.locator(".o_dialog footer button").first.click()
    box.fill("20450000000123")
    box.press("Enter")
    storekeeper.sees("Отримувач")
    expect(page.locator(".o_form_view [name=keycrm_recipient_phone]")).to_contain_text("67")
    storekeeper.picture("pack-form")
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
