"""A day of two people: a seller and a storekeeper, from an order to its refused parcel, back in stock."""

import pytest
from playwright.sync_api import expect

from tools import shop
from tools.screen import PHONE

IN_PRODUCTION, IN_DELIVERY = 4, 6
PARCEL = "20450000000777"


@pytest.fixture
def offer(account, rpc, wait_for):
    """An offer of KeyCRM with ten pieces in Odoo, whose stock is sent."""
    account.write(stock_quantity="on_hand", poll_minutes=1)
    offer = account.keycrm.create_offer(sku="DAY-1", name="Глечик", price=500, stock={1: 1})["id"]
    product = rpc.create("product.product", name="Глечик", default_code="DAY-1", is_storable=True)
    warehouse = rpc.search("stock.warehouse")[0]
    shop.receive(rpc, warehouse, product, 10)
    account.call("action_refresh_warehouses")
    theirs = rpc.search("keycrm.warehouse", ("account_id", "=", account.id), ("keycrm_id", "=", 1))
    rpc.write("keycrm.warehouse", theirs[0], warehouse_ids=[(6, 0, [warehouse])])
    account.write(push_stock=True)
    account.call("action_push_all_stock")
    wait_for(lambda: in_keycrm(account, offer) == 10, 90, "Odoo's stock in KeyCRM")
    return offer


def in_keycrm(account, offer):
    return float(account.keycrm.stock(offer)["warehouses"]["1"]["quantity"])


def refresh(screen):
    """Open the overview again."""
    screen.open("keycrm_overview_action")
    return screen.page.locator(".o_keycrm_overview")


def test_seller_and_storekeeper_do_a_days_work(account, offer, new_screen, new_user, rpc, wait_for):
    seller = new_screen(new_user("day-seller", "sales_team.group_sale_salesman_all_leads"))
    keeper = new_screen(new_user("day-keeper", "stock.group_stock_user"))

    # An order arrives while the seller looks at the overview.
    overview = refresh(seller)
    number = account.keycrm.create_order(
        lines=[{"offer_id": offer, "price": 500, "quantity": 2}],
        status_id=IN_PRODUCTION,
        buyer={"full_name": "Дарина Мороз", "phone": "+380671112233"},
        shipping={"tracking_code": PARCEL, "recipient_full_name": "Дарина Мороз"},
    )["id"]
    card = overview.locator(".o_keycrm_card", has_text="Дарина Мороз")
    expect(card).to_contain_text(PARCEL)
    expect(card).to_contain_text("До сплати")
    seller.picture("day-seller-board")
    card.click()
    seller.settle()
    seller.sees("Глечик")
    seller.picture("day-seller-order")

    # The storekeeper finds the parcel by its number and validates it.
    def delivery(state):
        return rpc.search("stock.picking", ("origin", "like", name), ("state", "=", state))

    name = account.order(number, "name")["name"]
    wait_for(lambda: delivery("assigned"), 90, "the reserved goods")
    phone = new_screen("day-keeper", size=PHONE)
    for screen, name_of_size in ((phone, "390"), (keeper, "1366")):
        screen.open("keycrm_pack_action")
        screen.sees(PARCEL)
        screen.sees("Дарина Мороз")
        screen.picture(f"day-keeper-list-{name_of_size}")
        assert not screen.overflows()
        box = screen.page.get_by_label("Скануйте або введіть номер")
        box.fill(PARCEL)
        box.press("Enter")
        screen.sees("Отримувач")
        screen.picture(f"day-keeper-parcel-{name_of_size}")
    keeper.press("Підтвердити")
    wait_for(lambda: delivery("done"), 90, "the delivery")
    keeper.settle()
    keeper.open("keycrm_pack_action")
    expect(keeper.page.locator(".o_data_row", has_text=PARCEL)).to_have_count(0)
    wait_for(lambda: in_keycrm(account, offer) == 8, 90, "what is left in KeyCRM")

    # It is on its way, and its money is awaited.
    def parcel_is(status):
        """Let the delivery service report a status to KeyCRM, which sends no webhook."""
        account.keycrm.set_parcel(number, shipping_status=status)
        field = "keycrm_shipping_status"
        wait_for(lambda: account.order(number, field)[field] == status, 120, "the parcel's status")

    account.keycrm.set_status(number, IN_DELIVERY)
    parcel_is("transit")
    overview = refresh(seller)
    expect(overview.locator(".o_keycrm_entry", has_text="У дорозі")).to_contain_text("000")
    seller.picture("day-seller-on-the-way", of=".o_keycrm_overview")

    # The buyer refuses it: the seller reads it, the storekeeper receives the goods.
    parcel_is("refused")
    row = overview.locator(".o_keycrm_decision", has_text="Дарина Мороз")
    expect(row).to_contain_text("Покупець відмовився від посилки")
    expect(row).to_contain_text("000")
    seller.picture("day-seller-refused")
    overview_of_keeper = refresh(keeper)
    waiting = overview_of_keeper.locator(".o_keycrm_decision", has_text="Дарина Мороз")
    keeper.picture("day-keeper-refused")
    waiting.get_by_role("button", name="Прийняти товар").click()
    keeper.settle()
    keeper.picture("day-keeper-return")
    keeper.press("Підтвердити")
    wait_for(lambda: in_keycrm(account, offer) == 10, 90, "the returned goods in KeyCRM")
    overview = refresh(seller)
    expect(overview.locator(".o_keycrm_decision", has_text="Дарина Мороз")).to_have_count(0)
    seller.picture("day-seller-end")
    assert not rpc.search(
        "stock.picking", ("origin", "like", name), ("state", "not in", ["done", "cancel"])
    )
