"""The sandbox's page in a real browser: its buttons work, and nothing fails in silence."""

from __future__ import annotations

from importlib import resources

import pytest

from tests.browser.conftest import FOLDER

SIZES = {
    "desktop": {"width": 1366, "height": 768},
    "phone": {"width": 390, "height": 844},
}


@pytest.fixture
def sandbox(new_sandbox):
    return new_sandbox(orders=20, offers=12)


@pytest.fixture
def page(browser, sandbox):
    """The page in Ukrainian; the browser's console must stay clean."""
    context = browser.new_context(viewport=SIZES["desktop"], locale="uk")
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(sandbox.url)
    yield page
    context.close()
    assert complaints == []


def test_a_pasted_link_receives_webhooks_which_are_shown(page, sandbox):
    page.get_by_role("button", name="Копіювати").first.click()
    page.get_by_text("Скопійовано.").wait_for()
    assert page.locator("#key").input_value() == sandbox.key
    assert page.locator("#api").input_value() == sandbox.api_url
    # The sandbox's own API refuses the webhook, with a body that says why.
    page.get_by_label("Посилання з Odoo").fill(f"{sandbox.api_url}/hook/secret")
    page.get_by_role("button", name="Зберегти").first.click()
    page.get_by_text("Зміна статусу замовлення → Відправити Webhook").wait_for()
    page.get_by_role("button", name="Створити замовлення").click()
    page.locator("#webhooks .bad").get_by_text("401").wait_for()
    page.locator("#webhooks summary").click()
    answer = page.get_by_text("Unauthenticated.")
    answer.wait_for()
    # The page is read again every second; what was opened stays open.
    page.get_by_role("button", name="Створити замовлення").click()
    page.locator("#webhooks details").nth(1).wait_for()
    page.wait_for_timeout(1500)
    assert answer.first.is_visible() or answer.last.is_visible()


def test_refused_action_and_stopped_sandbox_are_reported(browser, sandbox):
    page = browser.new_page(locale="uk")
    page.goto(sandbox.url)
    page.get_by_label("Посилання з Odoo").fill("127.0.0.1:8069/keycrm")
    page.get_by_role("button", name="Зберегти").first.click()
    refusal = page.get_by_role("status").get_by_text("Вставте посилання з Odoo повністю")
    refusal.wait_for()
    page.wait_for_timeout(2500)
    assert refusal.is_visible() and refusal.evaluate("e => e.getBoundingClientRect().top") < 768
    sandbox.stop()
    page.get_by_text("Пісочниця не відповідає.").wait_for()
    page.close()


def test_a_switch_is_set_and_a_typed_value_is_not_lost(page, sandbox):
    page.get_by_text("Показати перемикачі").click()
    page.get_by_label("як надходять Webhook").select_option("late")
    page.get_by_label("запитів за хвилину").fill("7")
    page.get_by_text("Останні запити до API").click()
    page.wait_for_timeout(2500)
    page.locator("#switches").get_by_role("button", name="Зберегти").click()
    page.get_by_text("Готово.").wait_for()
    switches = sandbox.control.switches()
    assert (switches["webhook_delivery"], switches["rate_limit"]) == ("late", "7")
    page.get_by_role("button", name="Повернути початкові").click()
    page.locator("#switch-rate_limit[value='60']").wait_for()


@pytest.mark.parametrize("lang", ["uk", "en"])
@pytest.mark.parametrize("size", SIZES)
def test_page_fits_and_is_accessible(page, sandbox, size, lang):
    page.set_viewport_size(SIZES[size])
    page.goto(f"{sandbox.url}/?lang={lang}")
    sandbox.control.add_webhook("http://127.0.0.1:9/nobody/listens")
    page.locator("[name=status_id]").first.select_option("3")
    page.locator("#orders form button").first.click()
    page.locator("#webhooks .bad").wait_for()
    page.locator("#webhooks summary").click()
    page.locator("#all-switches > summary").click()
    page.screenshot(path=FOLDER / f"sandbox-{size}-{lang}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size]["width"]
    page.evaluate(resources.files("axe_playwright_python").joinpath("axe.min.js").read_text())
    found = page.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
    assert [(one["id"], [n["html"][:150] for n in one["nodes"]]) for one in found] == []
