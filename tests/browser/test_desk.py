"""The overview as a desk: decisions with their buttons, today's orders, sales and money."""

from playwright.sync_api import expect

from tools.screen import PHONE


def test_desk_shows_decisions_orders_and_sales(account, screen, new_screen, rpc, wait_for):
    screen.open("keycrm_overview_action")
    desk = screen.page.locator(".o_keycrm_desk")
    expect(desk).to_contain_text("Потребує вашого рішення")
    good = account.keycrm.create_order(
        buyer={"full_name": "Марія Шевчук"}, shipping={"tracking_code": "20451001110010"}
    )["answer"]
    wait_for(lambda: account.order(good["id"], "id"), 90, "the order")
    expect(desk.locator(".o_keycrm_card", has_text="Марія Шевчук")).to_contain_text(
        "20451001110010"
    )
    differs = account.keycrm.create_order(buyer={"full_name": "Олена Коваль"}, grand_total=777)
    number = differs["answer"]["id"]
    wait_for(lambda: account.order(number, "id"), 90, "the differing order")
    row = desk.locator(".o_keycrm_decision", has_text="Олена Коваль")
    expect(row).to_contain_text("Сума не збігається")
    expect(desk.locator(".o_keycrm_bar div").first).to_be_visible()
    screen.picture("desk-1366")
    for size, name in ((PHONE, "390"), ((1920, 1080), "1920")):
        other = new_screen(size=size)
        other.open("keycrm_overview_action")
        expect(other.page.locator(".o_keycrm_decision", has_text="Олена Коваль")).to_be_visible()
        other.picture(f"desk-{name}", of=".o_keycrm_desk")
        wide = other.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert wide <= 0, name
    row.get_by_role("button", name="Відкрити замовлення").click()
    screen.sees("Олена Коваль")
    (admin,) = rpc.search("res.users", ("login", "=", "admin"))
    rpc.write("res.users", admin, lang="en_US")
    try:
        english = new_screen()
        english.open("keycrm_overview_action")
        expect(english.page.locator(".o_keycrm_desk")).to_contain_text("Needs your decision")
        english.picture("desk-1366-en", of=".o_keycrm_desk")
        phone = new_screen(size=PHONE)
        phone.open("keycrm_overview_action")
        phone.picture("desk-390-en", of=".o_keycrm_desk")
    finally:
        rpc.write("res.users", admin, lang="uk_UA")


def test_a_decision_is_made_at_the_desk(account, screen, wait_for):
    made = account.keycrm.create_order(buyer={"full_name": "Петро Іваненко"}, grand_total=555)
    number = made["answer"]["id"]
    wait_for(lambda: account.order(number, "id"), 90, "the order")
    screen.open("keycrm_overview_action")
    row = screen.page.locator(".o_keycrm_decision", has_text="Петро Іваненко")
    row.get_by_role("button", name="Залишити як є").click()
    expect(row).to_have_count(0)
    assert not account.order(number, "keycrm_needs_decision")["keycrm_needs_decision"]


def test_rows_stay_while_a_user_is_about_to_click(account, screen, wait_for):
    made = account.keycrm.create_order(buyer={"full_name": "Ганна Бондар"}, grand_total=555)
    wait_for(lambda: account.order(made["answer"]["id"], "id"), 90, "the order")
    screen.open("keycrm_overview_action")
    row = screen.page.locator(".o_keycrm_decision", has_text="Ганна Бондар")
    button = row.get_by_role("button").first
    button.hover()
    button.focus()
    place = button.bounding_box()
    other = account.keycrm.create_order(buyer={"full_name": "Ще Один"}, grand_total=444)
    wait_for(lambda: account.order(other["answer"]["id"], "id"), 90, "the second order")
    for _ in range(6):  # three seconds in which the mouse moves on the row
        screen.page.wait_for_timeout(500)
        button.hover(position={"x": 3, "y": 3})
        button.hover()
        assert button.bounding_box() == place
    screen.page.mouse.move(5, 5)
    expect(screen.page.locator(".o_keycrm_decision", has_text="Ще Один")).to_be_visible()
    expect(button).to_be_focused()
