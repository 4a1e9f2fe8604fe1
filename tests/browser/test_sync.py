"""Jobs show their progress and end without a user watching."""

import re

from playwright.sync_api import expect

from tools import shop


def test_synchronization_updates_its_progress_and_end_on_the_screen(
    new_account, new_sandbox, rpc, screen
):
    sandbox = new_sandbox(orders=400, offers=10)
    account = new_account(sandbox)
    theirs = {status["id"]: status["name"] for status in sandbox.control.statuses()}
    counts = {number: sandbox.control.summary([number])["count"] for number in theirs}
    most = sorted(counts, key=counts.get, reverse=True)[:6]
    names = [
        row["display_name"]
        for row in rpc.call(
            "keycrm.order.status",
            "search_read",
            [("account_id", "=", account.id), ("keycrm_id", "in", most)],
            ["display_name"],
            context={"lang": "uk_UA"},
        )
    ]
    screen.open("keycrm_account_action", account.id)
    screen.press("Синхронізувати замовлення")
    screen.tag("status_ids", *names)
    screen.picture("sync-chosen")
    screen.press("Синхронізувати")
    screen.sees("Замовлення завантажуються. Сторінку можна закрити")
    bar = screen.page.locator(".o_field_widget[name=progress] .o_progress").first
    bar.wait_for()
    screen.picture("sync-running")

    # On another screen meanwhile, and back: the job has continued.
    address = screen.page.url
    screen.menu("Замовлення клієнтів")
    screen.page.goto(address)
    screen.settle()
    screen.sees(re.compile("Завершено"), timeout=180)
    screen.does_not_see("Замовлення завантажуються")
    screen.picture("sync-finished")
    (run,) = rpc.rows(
        "keycrm.order.sync",
        ("account_id", "=", account.id),
        fields=["state", "total_count", "created_count", "failed_count"],
    )
    wanted = sum(counts[number] for number in most)
    assert (run["state"], run["failed_count"]) == ("done", 0)
    assert run["total_count"] == run["created_count"] == wanted
    assert int(bar.get_attribute("aria-valuenow")) == 100


def test_end_of_a_synchronization_is_notified_on_every_screen(
    new_account, new_sandbox, rpc, screen
):
    sandbox = new_sandbox(orders=60, offers=5)
    account = new_account(sandbox)
    theirs = [status["id"] for status in sandbox.control.statuses()]
    counts = {number: sandbox.control.summary([number])["count"] for number in theirs}
    chosen = max(counts, key=counts.get)
    (name,) = rpc.call(
        "keycrm.order.status",
        "search_read",
        [("account_id", "=", account.id), ("keycrm_id", "=", chosen)],
        ["display_name"],
        context={"lang": "uk_UA"},
    )
    screen.open("keycrm_account_action", account.id)
    screen.press("Синхронізувати замовлення")
    screen.tag("status_ids", name["display_name"])
    # Long enough for a person to turn to something else.
    sandbox.control.add_fault("delay", path="/order", seconds=8)
    screen.press("Синхронізувати")
    screen.sees("Замовлення завантажуються. Сторінку можна закрити")
    screen.menu("Архів замовлень")
    screen.page.evaluate("window.isStillTheSamePage = true")
    sandbox.control.clear_faults()
    notification = screen.page.locator(".o_notification", has_text="Синхронізація замовлень")
    expect(notification).to_contain_text(f"Нових замовлень: {counts[chosen]}", timeout=180_000)
    screen.picture("sync-notified-elsewhere")
    assert screen.page.evaluate("window.isStillTheSamePage")


def test_product_import_updates_its_progress_and_end_on_the_screen(
    new_account, new_sandbox, rpc, screen
):
    sandbox = new_sandbox(orders=0, offers=160)
    account = new_account(sandbox)
    screen.open("keycrm_account_action", account.id)
    screen.press("Завантажити товари з KeyCRM")
    sandbox.control.add_fault("delay", path="/offers", seconds=3, times=None)
    screen.press("Завантажити товари")
    screen.sees("Товари завантажуються. Сторінку можна закрити")
    bar = screen.page.locator(".o_field_widget[name=progress] .o_progress").first
    expect(bar).to_have_attribute("aria-valuenow", re.compile(r"^[1-9]\d?(\.\d+)?$"))
    screen.picture("load-running")
    sandbox.control.clear_faults()
    expect(bar).to_have_attribute("aria-valuenow", "100", timeout=180_000)
    screen.does_not_see("Товари завантажуються")
    screen.picture("load-finished")
    (load,) = rpc.rows(
        "keycrm.product.import",
        ("account_id", "=", account.id),
        fields=["state", "total_count", "done_count"],
    )
    assert load["state"] == "done"
    assert load["done_count"] == load["total_count"] >= 160


def test_comparison_stopped_during_a_request_stays_stopped(account, rpc, screen, wait_for):
    warehouse = rpc.search("stock.warehouse")[0]
    offer = account.keycrm.create_offer(sku="STOP-1", name="Кухоль", stock={1: 3})["id"]
    product = rpc.create("product.product", name="Кухоль", default_code="STOP-1", is_storable=True)
    shop.receive(rpc, warehouse, product, 8)
    account.call("action_refresh_warehouses")
    theirs = rpc.search("keycrm.warehouse", ("account_id", "=", account.id), ("keycrm_id", "=", 1))
    rpc.write("keycrm.warehouse", theirs[0], warehouse_ids=[(6, 0, [warehouse])])
    account.write(push_stock=True)

    def in_keycrm(number):
        return float(account.keycrm.stock(number)["warehouses"]["1"]["quantity"])

    account.call("action_push_all_stock")
    wait_for(lambda: in_keycrm(offer) == 8, 90, "Odoo's number in KeyCRM")
    account.keycrm.set_stock(offer, 1, 99, webhook=False)
    account.keycrm.clear_log()
    account.keycrm.add_fault("delay", path="/offers/stocks", method="GET", seconds=8)

    def list_requests():
        return account.keycrm.requests(method="GET", path="/offers/stocks")

    screen.open("keycrm_account_action", account.id)
    screen.press("Звірити з KeyCRM")
    screen.page.locator(".modal-footer .btn-primary").click()
    screen.sees("Читання з KeyCRM")
    wait_for(list_requests, 60, "the worker's request")
    screen.press("Зупинити")
    screen.sees("Зупинено")
    screen.picture("comparison-stopped")
    assert not list_requests()[0]["status"], "stopped too late to see anything"
    wait_for(lambda: list_requests()[0]["status"], 60, "KeyCRM's answer")
    # The worker is through with the answer when it sends what changed afterwards.
    other = account.keycrm.create_offer(sku="STOP-2", name="Таця", stock={1: 1})["id"]
    tray = rpc.create("product.product", name="Таця", default_code="STOP-2", is_storable=True)
    shop.receive(rpc, warehouse, tray, 6)
    wait_for(lambda: in_keycrm(other) == 6, 90, "the next change")
    screen.page.reload()
    screen.settle()
    screen.sees("Зупинено")
    (run,) = rpc.rows(
        "keycrm.stock.comparison", ("account_id", "=", account.id), fields=["state", "line_ids"]
    )
    assert (run["state"], run["line_ids"]) == ("canceled", [])
    assert in_keycrm(offer) == 99
