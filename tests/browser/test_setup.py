"""A new user sets it up: from nothing to the first order, with the mouse and without."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import requests_of, wait_until
from tools import shop
from tools.screen import PHONE

COMPLETED = 8


@pytest.fixture(scope="module")
def odoo(new_odoo):
    """An Odoo that has no account yet."""
    return new_odoo()


@pytest.fixture
def own_keycrm(rpc, sandbox):
    """New accounts use the sandbox: the API address is no field of the setup."""
    rpc.call("ir.default", "set", "keycrm.account", "api_url", sandbox.api_url)
    yield sandbox
    accounts = rpc.search("keycrm.account", ("api_url", "=", sandbox.api_url))
    rpc.call("keycrm.account", "write", accounts, {"enabled": False})


#: Words of KeyCRM's own pages, in the order in which its user meets them.
KEY_WORDS = ("Налаштування → Основні → API-ключ", "Згенерувати API ключ")
TRIGGER_WORDS = (
    *("Налаштування → Додатково → Автоматизація", "Додати тригер", "Назва", "Значення"),
    *("Час виконання", "Відразу", "Умови виконання", "Відправити Webhook"),
    *("HTTP метод запиту", "POST", "Зберегти"),
)
#: How many clicks in Odoo a setup may take, from any page of Odoo to the end.
MOST_CLICKS = 25
COUNT = """window.addEventListener("pointerdown", (event) => {
    if (event.isTrusted) { window.countClick(event.target.textContent.trim().slice(0, 40)); }
}, true);"""


@pytest.fixture
def clicks(screen):
    """Where the user clicked so far; a reload of the page forgets nothing."""
    made = []
    screen.page.expose_binding("countClick", lambda _source, place: made.append(place))
    screen.page.add_init_script(COUNT)
    screen.page.evaluate(COUNT)
    return made


def paste(screen, key):
    """Paste the key and go on to the next field."""
    screen.field("api_key").locator("input").click()
    screen.page.keyboard.press("Control+A")
    screen.page.keyboard.insert_text(key)
    screen.page.keyboard.press("Tab")


@pytest.fixture
def keycrm_page(own_keycrm, browser):
    """The sandbox's page beside Odoo: what the user copies and does in KeyCRM."""
    page = browser.new_page(locale="uk")
    complaints = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{own_keycrm.url}/?lang=uk")
    yield page
    page.close()
    assert complaints == []


def link_of(screen):
    """Read the webhook link off the screen."""
    return re.search(r"https?://\S+", screen.field("webhook_url").inner_text())[0]


def step(screen, name):
    """Find a step of the setup."""
    return screen.page.locator(f"section[name={name}]")


def is_unfolded(screen, name):
    """Wait until a step is unfolded, and its heading has the focus or is in the window."""
    expect(step(screen, name).locator("h2 button")).to_have_attribute("aria-expanded", "true")
    expect(step(screen, name).locator("h2 button")).to_be_in_viewport()


def next_step(screen, name):
    """Press "Next" and wait for the step that it opens."""
    screen.press("Далі")
    is_unfolded(screen, name)
    expect(step(screen, name).locator("h2 button")).to_be_focused()


def test_from_nothing_to_the_first_order_and_quantity(
    own_keycrm, keycrm_page, odoo, rpc, screen, clicks, wait_for
):
    screen.page.goto(f"{odoo.url}/odoo")
    screen.settle()
    screen.page.locator(".o_navbar_apps_menu button").click()
    screen.page.get_by_role("menuitem", name="KeyCRM", exact=True).click()
    screen.settle()
    screen.press("Новий")
    screen.settle()
    for words in KEY_WORDS:
        screen.sees(words)
    screen.picture("setup-empty")
    paste(screen, keycrm_page.locator("#key").input_value())
    screen.sees("Підключено.")
    screen.picture("setup-key")

    next_step(screen, "currency")
    currency = step(screen, "currency")
    if currency.get_by_text("оберіть ту, у якій ваші ціни").is_visible():
        screen.field("keycrm_currency_id").locator("input").click()
        screen.page.locator(".o-autocomplete--dropdown-item").get_by_text("UAH").first.click()
        screen.settle()
    if screen.button("Зробити валюту KeyCRM валютою компанії").is_visible():
        screen.picture("setup-currency")
        screen.press("Зробити валюту KeyCRM валютою компанії")
    expect(currency).to_have_attribute("data-state", "done")
    screen.settle()

    next_step(screen, "orders")
    screen.sees("нові та погодження → комерційна пропозиція")
    screen.tag("archive_status_ids", "Виконано")
    screen.picture("setup-orders")
    next_step(screen, "products")
    screen.press("Завантажити товари з KeyCRM")
    expect(step(screen, "products")).to_have_attribute("data-state", "done", timeout=120_000)
    screen.picture("setup-products")

    next_step(screen, "webhook")
    for words in TRIGGER_WORDS:
        screen.sees(words)
    screen.picture("setup-webhook", of="section[name=webhook]")
    keycrm_page.get_by_label("Посилання з Odoo").fill(link_of(screen))
    keycrm_page.get_by_role("button", name="Зберегти").first.click()
    keycrm_page.get_by_text("Зміна статусу замовлення → Відправити Webhook").wait_for()
    screen.page.evaluate("window.isStillTheSamePage = true")
    keycrm_page.get_by_role("button", name="Створити замовлення").click()
    screen.sees("Webhook надійшов")  # by itself, while the page is open
    assert screen.page.evaluate("window.isStillTheSamePage")
    screen.picture("setup-webhook-arrived")

    next_step(screen, "stock")
    offer = rpc.rows(
        "keycrm.offer",
        ("account_id.api_url", "=", own_keycrm.api_url),
        ("product_id", "!=", False),
        fields=["product_id", "keycrm_id"],
    )[0]
    warehouse = rpc.search("stock.warehouse")[0]
    shop.receive(rpc, warehouse, offer["product_id"][0], 8)
    theirs = step(screen, "stock").locator("td[name=warehouse_ids]").first
    theirs.click()
    screen.page.locator(".o_selected_row").wait_for()
    screen.field("warehouse_ids").locator("input").click()
    screen.page.locator(".o-autocomplete--dropdown-item").first.click()
    screen.picture("setup-stock", of="section[name=stock]")
    screen.press("Перевірити перед передачею")
    screen.press("Передати залишки з Odoo")
    screen.page.locator(".modal-footer .btn-primary").click()
    screen.settle()
    screen.page.locator(".o_breadcrumb .breadcrumb-item a").last.click()
    is_unfolded(screen, "stock")
    screen.picture("setup-stock-back")

    next_step(screen, "sync")
    screen.press("Не завантажувати наявні замовлення")  # goes on by itself
    is_unfolded(screen, "start")
    ours = ("keycrm_account_id.api_url", "=", own_keycrm.api_url)
    assert not rpc.search("sale.order", ours), "before the start"
    screen.picture("setup-start")
    screen.tick("enabled")
    screen.sees("Відтепер:")
    expect(step(screen, "start")).to_have_attribute("data-state", "done")
    assert len(clicks) <= MOST_CLICKS, clicks

    wait_for(lambda: rpc.search("sale.order", ours), 90, "the order")
    for check in ("check_order", "check_stock"):
        mark = screen.field(check).locator("[data-tick]")
        expect(mark).to_have_attribute("data-tick", "done", timeout=90_000)
    screen.picture("setup-done")
    stock = own_keycrm.control.stock(offer["keycrm_id"])["warehouses"]
    assert any(float(place["quantity"]) == 8 for place in stock.values()), stock
    (account,) = rpc.rows(
        "keycrm.account",
        ("api_url", "=", own_keycrm.api_url),
        fields=["enabled", "archive_status_ids", "push_stock"],
    )
    assert account["enabled"] and account["push_stock"] and len(account["archive_status_ids"]) == 1


def test_wrong_key_and_local_address_are_reported(own_keycrm, odoo, rpc, screen):
    screen.open("keycrm_setup_action", "new")
    paste(screen, "not-the-key")
    screen.sees("KeyCRM не приймає API-ключ")  # without pressing anything
    screen.picture("setup-wrong-key")
    paste(screen, own_keycrm.key)
    screen.sees("Підключено.")
    screen.does_not_see("KeyCRM не приймає API-ключ")
    step(screen, "webhook").locator("h2 button").click()
    screen.fill("public_url", odoo.url.removeprefix("http://"))
    screen.press("Перевірити посилання")
    screen.sees("внутрішньої мережі")
    drawn = step(screen, "webhook").locator(".o_keycrm_trigger")
    expect(drawn.get_by_role("button", name="Копіювати")).to_have_count(drawn.locator("dd").count())
    screen.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    drawn.locator("dd", has_text="Відразу").get_by_role("button").click()
    screen.sees("Скопійовано")
    assert screen.page.evaluate("navigator.clipboard.readText()") == "Відразу"
    assert link_of(screen).startswith(odoo.url)
    screen.press("Продовжити без Webhook")
    expect(step(screen, "webhook")).to_have_attribute("data-state", "done")


def test_the_setup_fits_a_phone(account, new_screen):
    phone = new_screen(size=PHONE)
    phone.open("keycrm_setup_action", account.id)
    for heading in phone.page.locator("section.o_keycrm_step h2 button").all():
        if heading.get_attribute("aria-expanded") == "false":
            heading.click()
        phone.settle()
        assert not phone.overflows(), heading.inner_text()
    for name in ("key", "currency", "orders", "products", "webhook", "stock", "sync", "start"):
        phone.picture(f"phone-setup-{name}", of=f"section[name={name}]")


def test_updates_change_no_typed_text_and_close_no_edited_row(account, half_minutes, screen):
    account.keycrm.create_offer(sku="OPEN-ROW", name="Кухоль", stock={1: 3})
    account.call("action_refresh_warehouses")
    screen.open("keycrm_setup_action", account.id)
    name = screen.field("name").locator("input, textarea").first
    name.click()
    screen.page.keyboard.press("Control+A")
    screen.page.keyboard.type("Крамниця ")
    half_minutes()
    screen.page.keyboard.type("на Подолі")
    expect(name).to_have_value("Крамниця на Подолі")
    screen.page.locator(".o_form_button_save").locator("visible=true").first.click()
    screen.settle()
    assert account.read("name")["name"] == "Крамниця на Подолі"

    heading = step(screen, "stock").locator("h2 button")
    if heading.get_attribute("aria-expanded") == "false":
        heading.click()
    step(screen, "stock").locator("td[name=warehouse_ids]").first.click()
    row = screen.page.locator(".o_selected_row")
    row.wait_for()
    screen.field("warehouse_ids").locator("input").click()
    reads = requests_of(screen, "web_read")
    account.keycrm.create_sample_order()
    half_minutes()
    expect(row).to_be_visible()
    expect(screen.page.locator(".o-autocomplete--dropdown-menu")).to_be_visible()
    assert not reads
    screen.page.keyboard.press("Escape")
    screen.page.keyboard.press("Escape")
    step(screen, "stock").locator("h2 button").focus()
    screen.page.locator(".o_form_view .oe_title").first.click()
    wait_until(screen, lambda: reads, "the update that waited for its user")


def test_setup_works_with_the_keyboard_alone(own_keycrm, rpc, screen, wait_for):
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
    for name, button in (
        ("orders", "Архівні статуси не потрібні"),
        ("products", "Не завантажувати товари"),
    ):
        heading = step(screen, name).locator("h2 button")
        screen.tab_to(heading)
        if heading.get_attribute("aria-expanded") == "false":
            keys.press("Enter")
        screen.tab_to(screen.button(button))
        keys.press("Enter")
        expect(step(screen, name)).to_have_attribute("data-state", "done")
    heading = step(screen, "start").locator("h2 button")
    screen.tab_to(heading)
    if heading.get_attribute("aria-expanded") == "false":
        keys.press("Enter")
    screen.tab_to(screen.field("enabled").locator("input").first)
    keys.press("Space")
    screen.sees("Відтепер:")
    screen.picture("keyboard-done")
    (account,) = wait_for(
        lambda: rpc.rows("keycrm.account", ("name", "=", "Без миші"), fields=["enabled"]),
        30,
        "the account",
    )
    assert account["enabled"]


def test_updates_do_not_close_an_open_choice(account, rpc, screen):
    screen.open("keycrm_setup_action", account.id)
    heading = step(screen, "orders").locator("h2 button")
    if heading.get_attribute("aria-expanded") == "false":
        heading.click()
    delayed = []
    screen.page.route("**/keycrm.account/web_read*", lambda route: delayed.append(route))
    account.keycrm.create_order(status_id=COMPLETED)
    for _ in range(600):
        if delayed:
            break
        screen.page.wait_for_timeout(100)
    assert delayed, "no update came"
    screen.tag("archive_status_ids", "Виконано")  # while the answer is on its way
    screen.sees("Замовлень, які перейдуть до архіву: 1. З них Odoo відвантажить: 0.")
    for route in delayed:
        route.continue_()
    screen.page.unroute("**/keycrm.account/web_read*")
    screen.settle()
    screen.page.locator(".o_form_button_save").locator("visible=true").first.click()
    screen.settle()
    assert len(account.read("archive_status_ids")["archive_status_ids"]) == 1


#: The steps to which the account's form and Odoo's settings lead, in the order of their links.
STEPS = {
    "keycrm_account_action": ("key", "orders", "products", "stock"),
    "res_config_settings_action": (
        *("key", "start", "webhook", "orders", "products"),
        *("orders", "orders", "stock", "stock"),
    ),
}


def test_other_screens_show_settings_and_lead_to_their_steps(account, screen):
    for action, steps in STEPS.items():
        record = account.id if action == "keycrm_account_action" else None
        for number, name in enumerate(steps):
            screen.open(action, record)
            links = screen.page.get_by_role("button", name="Змінити в початковому налаштуванні")
            expect(links.locator("visible=true")).to_have_count(len(steps))
            for field in ("push_stock", "keycrm_push_stock"):
                assert not screen.page.locator(f"[name={field}] input:enabled").count()
            if not number:
                screen.picture(f"one-place-{action}")
                pages = screen.page.locator(".o_form_view .o_notebook .nav-link")
                for page in pages.all() if record else ():
                    page.click()
                    screen.picture(f"account-page-{page.get_attribute('name')}")
            links.locator("visible=true").nth(number).click()
            is_unfolded(screen, name)
