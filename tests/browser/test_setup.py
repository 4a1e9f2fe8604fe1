"""A new user sets it up: from nothing to the first order, with the mouse and without."""

import re

import pytest
from playwright.sync_api import expect


@pytest.fixture(scope="module")
def odoo(new_odoo):
    """An Odoo that has no account yet."""
    return new_odoo()


@pytest.fixture
def own_keycrm(rpc, sandbox):
    """A new account asks the sandbox: its API address is no field of the set-up."""
    rpc.call("ir.default", "set", "keycrm.account", "api_url", sandbox.api_url)
    yield sandbox
    accounts = rpc.search("keycrm.account", ("api_url", "=", sandbox.api_url))
    rpc.call("keycrm.account", "write", accounts, {"enabled": False})


def paste(screen, key):
    """Paste the key and go on to the next field."""
    screen.fill("api_key", key)
    screen.page.keyboard.press("Tab")


def link_of(screen):
    """Read the webhook link off the screen."""
    return re.search(r"https?://\S+", screen.field("webhook_url").inner_text())[0]


def test_from_nothing_to_the_first_order(own_keycrm, odoo, rpc, screen, wait_for):
    screen.open("keycrm_order_action")
    screen.menu("Налаштування", "Початкове налаштування")
    screen.picture("setup-empty")
    screen.fill("name", "Льон і мед")
    paste(screen, "not-the-key")
    screen.sees("KeyCRM не приймає API-ключ")  # without pressing anything
    screen.picture("setup-wrong-key")

    paste(screen, own_keycrm.key)
    screen.sees("Підключено.")
    screen.does_not_see("KeyCRM не приймає API-ключ")
    screen.tick("enabled")
    screen.sees("Жоден Webhook ще не надійшов")
    screen.fill("public_url", odoo.url)
    screen.press("Перевірити посилання")
    screen.sees("адреса вашої внутрішньої мережі")
    screen.picture("setup-link-checked")

    own_keycrm.control.add_webhook(link_of(screen))
    tick = screen.field("setup_webhook").locator("[data-tick]")
    assert tick.get_attribute("data-tick") != "done"
    screen.page.evaluate("window.isStillTheSamePage = true")
    made = own_keycrm.control.create_sample_order()["answer"]
    screen.sees("Webhook надійшов")  # by itself, while one looks
    expect(tick).to_have_attribute("data-tick", "done")
    assert screen.page.evaluate("window.isStillTheSamePage")
    screen.scroll_to("section[name=webhook]")
    screen.picture("setup-webhook-arrived")

    screen.tag("archive_status_ids", "Виконано")
    screen.menu("Замовлення клієнтів")
    wait_for(lambda: rpc.search("sale.order", ("keycrm_id", "=", made["id"])), 60, "the order")
    screen.open("keycrm_order_action")
    screen.sees(made["buyer"]["full_name"].split()[0])
    screen.picture("setup-first-order")
    (account,) = rpc.rows(
        "keycrm.account", ("name", "=", "Льон і мед"), fields=["enabled", "archive_status_ids"]
    )
    assert account["enabled"] and len(account["archive_status_ids"]) == 1


def test_the_keyboard_alone_sets_it_up(own_keycrm, rpc, screen, wait_for):
    screen.open("keycrm_setup_action", "new")
    keys = screen.page.keyboard
    screen.tab_to(screen.field("name").locator("input, textarea").first)
    keys.press("Control+A")
    keys.type("Без миші")
    screen.tab_to(screen.field("api_key").locator("input").first)
    keys.type(own_keycrm.key)
    screen.tab_to(screen.button("Перевірити підключення"))
    screen.picture("keyboard-focus")
    screen.sees("Підключено. Статусів")
    screen.tab_to(screen.field("enabled").locator("input").first)
    keys.press("Space")
    screen.sees("Жоден Webhook ще не надійшов")
    screen.tab_to(screen.button("Синхронізувати замовлення"))
    keys.press("Enter")
    screen.sees("Синхронізувати замовлення")
    screen.picture("keyboard-done")
    (account,) = wait_for(
        lambda: rpc.rows("keycrm.account", ("name", "=", "Без миші"), fields=["enabled"]),
        30,
        "the account",
    )
    assert account["enabled"]


def test_news_that_come_while_one_chooses_take_nothing_away(account, rpc, screen):
    screen.open("keycrm_setup_action", account.id)
    held = []
    screen.page.route("**/keycrm.account/web_read*", lambda route: held.append(route))
    account.keycrm.create_sample_order()
    for _ in range(600):
        if held:
            break
        screen.page.wait_for_timeout(100)
    assert held, "no news came"
    screen.tag("archive_status_ids", "Виконано")  # while the answer is on its way
    for route in held:
        route.continue_()
    screen.page.unroute("**/keycrm.account/web_read*")
    screen.settle()
    screen.page.locator(".o_form_button_save").locator("visible=true").first.click()
    screen.settle()
    assert len(account.read("archive_status_ids")["archive_status_ids"]) == 1
