"""Goods that open orders need and no stock has: a list, and a button that buys or makes them."""

import pytest
from playwright.sync_api import expect

from tools import shop

IN_PRODUCTION = 4


@pytest.fixture(scope="module")
def odoo(runtime, new_odoo):
    """An Odoo that buys and makes."""
    database = runtime.addon_database("replenish")
    runtime.install(database, "mrp", "purchase_stock")
    return new_odoo(database)


def reference(rpc, name):
    """Return the id of a record by its external id."""
    module, name = name.split(".")
    (found,) = rpc.rows(
        "ir.model.data", ("module", "=", module), ("name", "=", name), fields=["res_id"]
    )
    return found["res_id"]


@pytest.fixture
def goods(rpc):
    """A lamp that a vendor sells and a table that is made."""
    vendor = rpc.create("res.partner", name="Постачальник")
    buy = reference(rpc, "purchase_stock.route_warehouse0_buy")
    make = reference(rpc, "mrp.route_warehouse0_manufacture")
    lamp = rpc.create(
        "product.product",
        name="Лампа",
        default_code="LAMP-1",
        is_storable=True,
        route_ids=[(6, 0, [buy])],
        seller_ids=[(0, 0, {"partner_id": vendor, "price": 90})],
    )
    table = rpc.create(
        "product.product",
        name="Стіл",
        default_code="TABLE-1",
        is_storable=True,
        route_ids=[(6, 0, [make])],
    )
    board = rpc.create("product.product", name="Дошка", is_storable=True)
    rpc.create(
        "mrp.bom",
        product_tmpl_id=rpc.read("product.product", table, "product_tmpl_id")["product_tmpl_id"][0],
        bom_line_ids=[(0, 0, {"product_id": board, "product_qty": 4})],
    )
    return lamp, table


def test_missing_goods_are_listed_and_ordered(account, goods, rpc, new_screen, new_user, wait_for):
    lamp, table = goods
    shop.receive(rpc, rpc.search("stock.warehouse", limit=1)[0], lamp, 2)
    numbers = []
    for buyer, wanted in (
        ("Олена Коваль", {"LAMP-1": 3}),
        ("Тарас Бойко", {"LAMP-1": 4, "TABLE-1": 1}),
    ):
        lines = []
        for sku, quantity in wanted.items():
            known = {offer["sku"]: offer["id"] for offer in account.keycrm.offers()}
            offer = (
                known.get(sku) or account.keycrm.create_offer(sku=sku, name=sku, price=500)["id"]
            )
            lines.append({"offer_id": offer, "price": 500, "quantity": quantity})
        made = account.keycrm.create_order(
            lines=lines, status_id=IN_PRODUCTION, buyer={"full_name": buyer}
        )
        numbers.append(made["id"])
    for number in numbers:
        wait_for(
            lambda number=number: (account.order(number, "state") or {}).get("state") == "sale",
            *(90, "the order"),
        )
    groups = ("stock.group_stock_manager", "purchase.group_purchase_user", "mrp.group_mrp_user")
    screen = new_screen(new_user("planner", *groups))
    screen.open("keycrm_pack_action")
    screen.menu("Залишки на складах", "Виготовити або купити")
    lamps = screen.page.locator(".o_data_row", has_text="LAMP-1")
    tables = screen.page.locator(".o_data_row", has_text="TABLE-1")
    expect(lamps.locator("td[name=keycrm_demand]")).to_contain_text("7")
    expect(lamps.locator("td[name=qty_on_hand]")).to_contain_text("2")
    expect(lamps.locator("td[name=qty_to_order]")).to_contain_text("5")
    expect(tables.locator("td[name=qty_to_order]")).to_contain_text("1")
    screen.picture("replenish")
    # The orders behind a row.
    lamps.locator("button[name=action_keycrm_orders]").click()
    screen.sees("Олена Коваль")
    screen.sees("Тарас Бойко")
    screen.picture("replenish-orders")
    screen.page.locator(".o_breadcrumb .breadcrumb-item a").last.click()
    screen.settle()
    for row in (lamps, tables):
        row.locator("button[name=action_replenish]").click()
        expect(row).to_have_count(0)
    screen.picture("replenish-ordered")
    (bought,) = rpc.rows("purchase.order.line", ("product_id", "=", lamp), fields=["product_qty"])
    (made,) = rpc.rows("mrp.production", ("product_id", "=", table), fields=["product_qty"])
    assert (bought["product_qty"], made["product_qty"]) == (5, 1)
