"""The overview: decisions with their buttons, today's orders, sales and money."""

import pytest
from playwright.sync_api import expect

from tools.screen import DESKTOP, PHONE

SIZES = {"1366": DESKTOP, "1920": (1920, 1080), "390": PHONE}
LANGUAGES = {"uk": "uk_UA", "en": "en_US"}
AGREEMENT, PRODUCTION, DELIVERING, COMPLETED, CANCELED = 2, 4, 6, 8, 12


def decision(screen, text):
    return screen.page.locator(".o_keycrm_decision", has_text=text)


def card(screen, text):
    return screen.page.locator(".o_keycrm_card", has_text=text)


@pytest.fixture
def differing(account, wait_for):
    """Make an order whose total differs."""

    def make(buyer):
        made = account.keycrm.create_order(buyer={"full_name": buyer}, grand_total=555)
        wait_for(lambda: account.order(made["id"], "id"), 90, "the differing order")
        return made["id"]

    return make


@pytest.fixture
def speaking(rpc):
    """Let the administrator read a language, until the test ends."""
    (admin,) = rpc.search("res.users", ("login", "=", "admin"))
    yield lambda code: rpc.write("res.users", admin, lang=code)
    rpc.write("res.users", admin, lang="uk_UA")


def fill(account, wait_for):
    """Create a day's work: orders in several statuses, and what an account itself waits for."""
    day = (
        ("Марія Шевчук", PRODUCTION, 1, {"shipping": {"tracking_code": "20451001110010"}}),
        ("Тарас Бойко", PRODUCTION, 3, {"source_uuid": "LM-1042"}),
        ("ТОВ «Льон і мед, гуртові продажі»", DELIVERING, 2, {}),
        ("Ірина Ткач", COMPLETED, 1, {}),
        ("Остап Гук", CANCELED, 1, {}),
    )
    jug = account.keycrm.create_offer(sku="JUG-9", name="Глечик керамічний, 2 л", price=540)["id"]
    cup = account.keycrm.create_offer(sku="CUP-350", name="Кухоль, 350 мл", price=260)["id"]

    def lines(count):
        return [
            {"offer_id": jug, "price": 540, "quantity": count},
            {"offer_id": cup, "price": 260, "quantity": 2},
        ]

    for count, (buyer, status, source, values) in enumerate(day, 1):
        account.keycrm.create_order(
            buyer={"full_name": buyer},
            status_id=status,
            source_id=source,
            lines=lines(count),
            **values,
        )
    paid = account.keycrm.create_order(
        buyer={"full_name": "Софія Гнатюк"},
        lines=lines(1),
        payments=[{"amount": 1200, "status": "paid"}],
    )
    wait_for(lambda: account.order(paid["id"], "id"), 90, "the paid order")
    account.write(push_stock=True)
    account.call("action_pause_stock")


def test_overview_shows_decisions_orders_and_sales(
    account, differing, screen, new_screen, rpc, speaking, wait_for
):
    screen.open("keycrm_overview_action")
    overview = screen.page.locator(".o_keycrm_overview")
    expect(overview).to_contain_text("Потребує вашого рішення")
    fill(account, wait_for)
    expect(card(screen, "Марія Шевчук")).to_contain_text("20451001110010")
    expect(card(screen, "Тарас Бойко")).to_contain_text("LM-1042")
    canceled = card(screen, "Остап Гук").locator(".fw-bolder")
    expect(canceled).to_have_css("text-decoration-line", "line-through")
    number = differing("Олена Коваль")
    row = decision(screen, "Олена Коваль")
    expect(row).to_contain_text("Сума не збігається")
    expect(row).to_contain_text(f"Замовлення {number}")
    expect(decision(screen, "Передачу залишків призупинено")).to_contain_text("Відновити передачу")
    expect(overview.locator(".o_keycrm_bar div").first).to_be_visible()
    # No button is more prominent than those of the decisions.
    expect(screen.page.locator(".o-kanban-button-new:visible")).to_have_count(0)
    for short, code in LANGUAGES.items():
        speaking(code)
        for width, size in SIZES.items():
            other = new_screen(size=size)
            other.open("keycrm_overview_action")
            expect(decision(other, "Олена Коваль")).to_be_visible()
            expect(other.page.locator(".o_keycrm_bar div").first).to_be_visible()
            assert not other.overflows(), (width, short)
            # The reasons and the buttons of all rows begin at the same place.
            for part in (".o_keycrm_why", ".o_keycrm_what"):
                lefts = {
                    round(place.bounding_box()["x"])
                    for place in other.page.locator(f".o_keycrm_decision {part}").all()
                }
                assert len(lefts) == 1, (part, width, short)
            other.page.set_viewport_size({"width": size[0], "height": 2000})
            other.picture(f"overview-{width}-{short}", of=".o_keycrm_overview")
    row.get_by_role("button", name="Відкрити замовлення").click()
    screen.sees("Олена Коваль")


def test_overview_of_two_accounts_names_the_account_of_each_row(
    account, new_account, new_sandbox, differing, screen, wait_for
):
    other = new_account(new_sandbox(), name="Другий магазин")
    account.write(name="Перший магазин")
    differing("Олена Коваль")
    other.write(push_stock=True)
    for one in (account, other):
        one.call("action_pause_stock")
    account.write(push_stock=True)
    screen.open("keycrm_overview_action")
    paused = decision(screen, "Передачу залишків призупинено")
    expect(paused).to_have_count(2)
    expect(decision(screen, "Олена Коваль")).to_contain_text("Перший магазин")
    expect(screen.page.locator(".o_keycrm_column", has_text="Перший магазин")).to_have_count(1)
    screen.picture("overview-two-accounts", of=".o_keycrm_overview")
    paused.filter(has_text="Другий магазин").get_by_role("button").click()
    expect(paused).to_have_count(1)
    assert account.read("stock_paused")["stock_paused"]
    assert not other.read("stock_paused")["stock_paused"]
    screen.page.get_by_role("button", name="Другий магазин").first.click()
    expect(screen.page.locator(".o_keycrm_all_done")).to_be_visible()


def test_decisions_are_made_with_the_keyboard(account, differing, screen):
    numbers = [differing(buyer) for buyer in ("Петро Іваненко", "Юлія Коваленко")]
    screen.open("keycrm_overview_action")
    rows = screen.page.locator(".o_keycrm_decision")
    keep = rows.first.get_by_role("button", name="Залишити як є")
    keep.focus()
    screen.page.keyboard.press("Enter")
    expect(rows).to_have_count(1)
    expect(rows.get_by_role("button").first).to_be_focused()
    screen.tab_to(rows.get_by_role("button", name="Залишити як є"))
    screen.page.keyboard.press("Enter")
    expect(screen.page.locator(".o_keycrm_all_done")).to_contain_text("Усе гаразд")
    expect(screen.page.get_by_role("heading", name="Потребує вашого рішення")).to_be_focused()
    # The account's card follows at once, not with the next refresh.
    well = screen.page.locator(".o_kanban_record", has_text="Підключено")
    expect(well.first).to_be_visible(timeout=10_000)
    for number in numbers:
        assert not account.order(number, "keycrm_needs_decision")["keycrm_needs_decision"]


def test_activity_is_a_row_until_it_is_marked_as_done(account, screen, wait_for):
    names = ("Олена Коваль", "Коваль О.")
    keep, merged = (account.keycrm.create_buyer(full_name=name)["id"] for name in names)
    number = account.keycrm.create_order(client_id=merged)["id"]
    wait_for(lambda: account.order(number, "id"), 90, "the order")
    account.keycrm.merge_buyers(keep, merged)
    account.keycrm.set_status(number, AGREEMENT)
    screen.open("keycrm_overview_action")
    row = decision(screen, f"Замовлення {number}")
    # Activities are in the company's language.
    expect(row).to_contain_text("Merge two contacts?")
    row.get_by_role("button", name="Відкрити").click()
    screen.sees("Об’єднати контакти")
    screen.open("keycrm_overview_action")
    row.get_by_role("button", name="Позначити виконаним").click()
    expect(screen.page.locator(".o_keycrm_all_done")).to_be_visible()


def test_overview_of_others_or_disabled_accounts_is_not_green(
    account, differing, new_screen, new_user
):
    differing("Олена Коваль")
    screen = new_screen(new_user("overview-reader", "ordage_keycrm.group_user"))
    screen.open("keycrm_overview_action")
    screen.sees("Очікують рішення колег: 1.")
    screen.picture("overview-others-decide")
    account.write(enabled=False)
    screen.open("keycrm_overview_action")
    screen.sees("Інтеграцію вимкнено")
    expect(screen.page.locator(".o_keycrm_all_done")).to_have_count(0)
    screen.picture("overview-disabled")


@pytest.mark.parametrize(
    ("place", "buyer", "later"),
    [(decision, "Ганна Бондар", "Ще Один"), (card, "Ольга Лисенко", "Ще Двоє")],
    ids=["decision", "card"],
)
def test_nothing_moves_while_a_user_is_about_to_click(differing, screen, place, buyer, later):
    differing(buyer)
    screen.open("keycrm_overview_action")
    target = place(screen, buyer)
    button = target if place is card else target.get_by_role("button").first
    button.hover()
    button.focus()
    box = button.bounding_box()
    differing(later)
    for _ in range(6):  # three seconds in which the mouse moves on the row
        screen.page.wait_for_timeout(500)
        button.hover(position={"x": 3, "y": 3})
        button.hover()
        assert button.bounding_box() == box
    screen.page.mouse.move(5, 5)
    expect(place(screen, later)).to_be_visible()
    expect(button).to_be_focused()
