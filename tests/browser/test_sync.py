"""Long work shows itself and does not need anybody to watch."""

import re

from playwright.sync_api import expect


def test_a_synchronisation_shows_its_progress_and_its_end_by_itself(
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

    # Somewhere else meanwhile, and back: the work has gone on.
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


def test_the_end_of_a_synchronisation_is_told_wherever_one_is(
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
    told = screen.page.locator(".o_notification", has_text="Синхронізувати замовлення")
    expect(told).to_contain_text(f"Нових замовлень: {counts[chosen]}", timeout=180_000)
    screen.picture("sync-told-elsewhere")
    assert screen.page.evaluate("window.isStillTheSamePage")
