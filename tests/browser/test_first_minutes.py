"""The first minutes in an Odoo as anyone installs it: English screens, and every menu in sight."""

import pytest
from playwright.sync_api import expect

from tools.screen import DESKTOP

MENUS = {
    "en": ("Overview", "Customer orders", "Order archive", "Configuration"),
    "uk": ("Огляд", "Замовлення клієнтів", "Архів замовлень", "Налаштування"),
}


@pytest.fixture(scope="module")
def odoo(new_odoo):
    """A default Odoo, without a chosen language or currency."""
    return new_odoo()


@pytest.fixture(scope="module", autouse=True)
def in_ukrainian(rpc):
    """Here a person does that: only OdooBot's greeting is hidden."""
    (admin,) = rpc.search("res.users", ("login", "=", "admin"))
    rpc.write("res.users", admin, odoobot_state="disabled")


def assert_menus_fit(screen, language):
    assert screen.page.viewport_size["width"] == DESKTOP[0]
    bar = screen.page.locator(".o_menu_sections")
    for name in MENUS[language]:
        expect(bar.get_by_text(name, exact=True)).to_be_visible()
    expect(bar.locator(".o_menu_sections_more")).to_have_count(0)


def test_one_click_in_the_setup_switches_to_ukrainian(rpc, sandbox, screen):
    assert [row["code"] for row in rpc.rows("res.lang", fields=["code"])] == ["en_US"]
    rpc.call("ir.default", "set", "keycrm.account", "api_url", sandbox.api_url)
    rpc.write("res.company", 1, name="ТОВ «Льон і мед»")
    screen.open("keycrm_overview_action", "new")
    assert_menus_fit(screen, "en")
    screen.picture("first-english")
    screen.press("Перейти на українську")  # before the key: readable for a user without English
    screen.sees("Згенерувати API ключ")
    screen.does_not_see("Prefer Ukrainian screens?")
    assert_menus_fit(screen, "uk")
    screen.field("api_key").locator("input").fill(sandbox.key)
    screen.press("Перевірити підключення")
    screen.sees("Підключено.")
    screen.picture("first-ukrainian")
    assert rpc.call("keycrm.account", "search_count", []) == 1
