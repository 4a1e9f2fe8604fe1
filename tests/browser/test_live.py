"""Screens refresh themselves, and never take away what a person is working in."""

from playwright.sync_api import expect

from tests.browser.conftest import requests_of, wait_until

IN_PRODUCTION, IN_DELIVERY, CANCELED = 4, 6, 12


def test_overview_updates_its_card_while_the_menu_of_the_card_is_open(
    account, half_minutes, screen
):
    screen.open("keycrm_overview_action")
    page = screen.page
    # Accounts of earlier tests are disabled.
    card = page.locator(".o_kanban_record", has_text="Підключено").last
    card.locator(".o_dropdown_kanban button").click(force=True)
    menu = page.locator(".o-dropdown--menu")
    menu.wait_for()
    button = card.get_by_role("link", name="Замовлень сьогодні")
    before = button.inner_text()
    account.keycrm.create_sample_order()
    wait_until(screen, lambda: button.inner_text() != before, "the new number of orders")
    expect(menu).to_be_visible()
    reads = requests_of(screen, "keycrm.account/web_search_read")
    half_minutes()
    assert reads
    expect(menu).to_be_visible()
    screen.picture("overview-menu-stays-open")
    menu.get_by_text("Події", exact=True).click()
    screen.sees("Події")


def test_list_of_orders_grows_while_rows_are_selected(account, screen, wait_for):
    first = account.keycrm.create_sample_order()["id"]
    wait_for(lambda: account.order(first, "name"), 90, "the first order")
    screen.open("keycrm_order_action")
    rows = screen.page.locator(".o_data_row")
    rows.first.locator(".o_list_record_selector input").click()
    count = rows.count()
    account.keycrm.create_sample_order()
    wait_until(screen, lambda: rows.count() > count, "the second order")
    expect(screen.page.locator(".o_data_row_selected")).to_have_count(1)


def arrive(account, buyer, status=IN_PRODUCTION, **fields):
    """Create an order in KeyCRM and return its number."""
    made = account.keycrm.create_order(buyer={"full_name": buyer}, status_id=status, **fields)
    return made["id"]


def status_of(account, number):
    return account.order(number, "keycrm_status_id")["keycrm_status_id"]


def are_in_odoo(account, numbers):
    return all(account.order(number, "id") for number in numbers)


def test_selected_row_is_kept_although_its_order_leaves_the_list(account, screen, wait_for):
    number = arrive(account, "Соломія Кравець")
    wait_for(lambda: account.order(number, "id"), 90, "the order")
    screen.open("keycrm_order_action")
    row = screen.page.locator(".o_data_row", has_text="Соломія Кравець")
    selector = row.locator(".o_list_record_selector input")
    selector.click()
    account.keycrm.set_status(number, CANCELED)
    wait_for(lambda: account.order(number, "state")["state"] == "cancel", 90, "the cancellation")
    screen.page.wait_for_timeout(5000)
    expect(selector).to_be_checked()
    selector.click()
    expect(row).to_have_count(0)


#: Scroll what holds an element, and return how far.
SCROLL = """place => {
    while (place.scrollHeight <= place.clientHeight || getComputedStyle(place).overflowY === "visible") {
        place = place.parentElement;
    }
    place.scrollTop = 250;
    return place.scrollTop;
}"""


def test_list_and_board_keep_scroll_and_focus_while_orders_arrive(account, screen, wait_for):
    numbers = [arrive(account, f"Покупець {n}", source_uuid=f"BOARD-{n}") for n in range(10)]
    wait_for(lambda: are_in_odoo(account, numbers), 90, "the orders")
    page = screen.page
    screen.open("keycrm_order_action")
    # Odoo folds all but ten columns, and other tests have left theirs.
    page.locator(".o_searchview_input").fill("BOARD-")
    page.locator(".o_searchview_input").press("Enter")
    screen.settle()
    page.set_viewport_size({"width": 1366, "height": 420})
    rows = page.locator(".o_data_row")
    selector = rows.filter(has_text="Покупець 2").locator(".o_list_record_selector input")
    page.keyboard.press("Tab")  # a user of the keyboard, whose focus is visible
    selector.focus()
    assert selector.evaluate(SCROLL) > 0
    box = selector.bounding_box()
    arrive(account, "Прибув До Списку", source_uuid="BOARD-LIST")
    expect(rows.filter(has_text="Прибув До Списку")).to_have_count(1)
    expect(selector).to_be_focused()
    assert abs(selector.bounding_box()["y"] - box["y"]) <= 1
    # No row moves away under the text that its user selects.
    buyer = rows.filter(has_text="Покупець 3").locator("td[name=partner_id]")
    buyer.evaluate("place => document.getSelection().selectAllChildren(place)")
    late = arrive(account, "Ще До Списку", source_uuid="BOARD-TEXT")
    wait_for(lambda: are_in_odoo(account, [late]), 90, "the order of the selection")
    reads = requests_of(screen, "sale.order/web_search_read")
    wait_until(screen, lambda: len(reads) > 1, "the update")
    expect(rows.filter(has_text="Ще До Списку")).to_have_count(0)
    assert page.evaluate("document.getSelection().toString()").strip() == "Покупець 3"
    page.evaluate("document.getSelection().removeAllRanges()")
    expect(rows.filter(has_text="Ще До Списку")).to_have_count(1)
    page.set_viewport_size({"width": 1366, "height": 768})

    page.locator(".o_switch_view.o_kanban").click()
    screen.settle()
    column = screen.page.locator(".o_kanban_group", has_text="Покупець 3")
    card = column.locator(".o_kanban_record", has_text="Покупець 4")
    screen.page.keyboard.press("Tab")  # a user of the keyboard, whose focus is visible
    card.focus()
    assert column.evaluate(SCROLL) > 0
    box = card.bounding_box()
    arrive(account, "Щойно Прибув", source_uuid="BOARD-NEW")
    new = column.locator(".o_kanban_record", has_text="Щойно Прибув")
    expect(new).to_have_count(1)
    expect(card).to_be_focused()
    assert abs(card.bounding_box()["y"] - box["y"]) <= 1
    screen.picture("board-stays")
    # A card that would leave its column waits until its user leaves it.
    account.keycrm.set_status(numbers[4], IN_DELIVERY)
    wait_for(
        lambda: status_of(account, numbers[4]) != status_of(account, numbers[3]),
        90,
        "the other status",
    )
    screen.page.wait_for_timeout(3000)
    expect(card).to_be_focused()
    card.evaluate("place => place.blur()")
    expect(card).to_have_count(0)
    expect(screen.page.locator(".o_kanban_record", has_text="Покупець 4")).to_have_count(1)


def test_grouped_list_grows_while_rows_are_selected(account, screen, wait_for):
    first = arrive(account, "Зоряна Мельник")
    wait_for(lambda: account.order(first, "id"), 90, "the order")
    screen.open("keycrm_order_action")
    screen.page.locator(".o_searchview_dropdown_toggler").click()
    screen.page.locator(".o_group_by_menu .o-dropdown-item", has_text="Статус").first.click()
    screen.page.keyboard.press("Escape")
    screen.settle()
    for group in screen.page.locator(".o_group_header").all():
        group.click()
    row = screen.page.locator(".o_data_row", has_text="Зоряна Мельник")
    row.locator(".o_list_record_selector input").click()
    arrive(account, "Назар Савчук")
    expect(screen.page.locator(".o_data_row", has_text="Назар Савчук")).to_have_count(1)
    expect(row.locator(".o_list_record_selector input")).to_be_checked()


def test_form_of_an_order_follows_keycrm_and_disturbs_nobody(
    account, half_minutes, odoo, screen, wait_for
):
    page = screen.page
    number = account.keycrm.create_order(
        buyer={"full_name": "Лідія Гончар"},
        status_id=IN_PRODUCTION,
        shipping={"tracking_code": "20450000000555"},
        manager_comment="Новий",
    )["id"]
    order = wait_for(lambda: account.order(number, "id"), 90, "the order")["id"]
    screen.open("keycrm_order_action", order)
    page.get_by_role("tab", name="KeyCRM", exact=True).click()
    shown = page.locator(".o_field_widget[name=keycrm_manager_comment]")
    looks = requests_of(screen, "sale.order/read")

    def change(text):
        """Change the comment in KeyCRM and wait until Odoo has it."""
        account.keycrm.patch_order(number, manager_comment=text)
        account.keycrm.send_webhook(number)
        wait_for(
            lambda: (
                account.order(number, "keycrm_manager_comment")["keycrm_manager_comment"] == text
            ),
            90,
            "the comment in Odoo",
        )

    def waits(text):
        """Change the comment; the form finds that out twice and shows nothing."""
        change(text)
        looks.clear()
        wait_until(screen, lambda: len(looks) > 1, "the update")
        expect(shown).not_to_have_text(text)

    # A second change within the second of the first one, which the form has read.
    odoo.runtime.server.query(
        odoo.database,
        "UPDATE sale_order SET keycrm_manager_comment = %s WHERE id = %s",
        ("У ту саму секунду", order),
    )
    half_minutes()
    expect(shown).to_have_text("У ту саму секунду")
    # From here on Odoo's bus alone brings the changes.
    change("Передзвонити о п'ятій")
    expect(shown).to_have_text("Передзвонити о п'ятій")
    expect(page.locator(".o-mail-Message", has_text="Передзвонити о п'ятій")).to_have_count(1)
    screen.picture("order-follows-keycrm")

    page.locator(".o_form_view .o_cp_action_menus button, .o_cp_action_menus button").first.click()
    menu = page.locator(".o-dropdown--menu")
    menu.wait_for()
    waits("Меню відкрите")
    expect(menu).to_be_visible()
    page.keyboard.press("Escape")
    expect(shown).to_have_text("Меню відкрите")

    screen.press("Скасувати")
    screen.sees("У KeyCRM це замовлення лишається")
    waits("Діалог відкритий")
    screen.sees("У KeyCRM це замовлення лишається")
    screen.press("Не скасовувати")
    expect(shown).to_have_text("Діалог відкритий")

    shown.evaluate("place => document.getSelection().selectAllChildren(place)")
    waits("Текст виділено")
    assert page.evaluate("document.getSelection().toString()").strip() == "Діалог відкритий"
    page.evaluate("document.getSelection().removeAllRanges()")
    expect(shown).to_have_text("Текст виділено")

    page.set_viewport_size({"width": 1366, "height": 420})
    copy = page.locator("[name=keycrm_tracking_code] button")
    copy.focus()
    assert copy.evaluate(SCROLL) > 0
    box = copy.bounding_box()
    change("Здалеку")
    expect(shown).to_have_text("Здалеку")
    expect(copy).to_be_focused()
    assert abs(copy.bounding_box()["y"] - box["y"]) <= 1

    page.locator(".o-mail-Chatter-logNote").click()
    message = page.locator(".o-mail-Composer-input")
    message.press_sequentially("Клієнт просить відповісти")
    for _ in range(len("відповісти")):
        page.keyboard.press("ArrowLeft")
    change("Поки пишуть")
    expect(shown).to_have_text("Поки пишуть")
    expect(message).to_be_focused()
    page.keyboard.type("швидко ")
    expect(message).to_have_value("Клієнт просить швидко відповісти")


def test_disabling_the_integration_needs_an_answer(account, screen):
    screen.open("keycrm_setup_action", account.id)
    heading = screen.page.locator("section[name=start] h2 button")
    if heading.get_attribute("aria-expanded") == "false":
        heading.click()
    switch = screen.field("enabled").locator("input").first
    switch.click()
    screen.sees("Вимкнути інтеграцію?")
    screen.picture("question-disable")
    screen.page.keyboard.press("Escape")
    expect(switch).to_be_checked()
    assert account.read("enabled")["enabled"]
    switch.click()
    screen.sees("Вимкнути інтеграцію?")
    screen.press("Вимкнути")
    expect(switch).not_to_be_checked()
    saved = screen.page.locator(".o_form_button_save").locator("visible=true")
    if saved.count():
        saved.first.click()
    screen.settle()
    assert not account.read("enabled")["enabled"]


def test_canceling_an_order_names_keycrm(account, screen, wait_for):
    number = account.keycrm.create_sample_order()["id"]
    order = wait_for(lambda: account.order(number, "id"), 90, "the order")["id"]
    screen.open("keycrm_order_action", order)
    screen.press("Скасувати")
    screen.sees("У KeyCRM це замовлення лишається")
    screen.picture("question-cancel")
    screen.press("Не скасовувати")
    assert account.order(number, "state")["state"] != "cancel"


def test_choosing_another_quantity_needs_an_answer(account, screen):
    account.write(push_stock=True, stock_quantity="available")
    screen.open("keycrm_setup_action", account.id)
    heading = screen.page.locator("section[name=stock] h2 button")
    if heading.get_attribute("aria-expanded") == "false":
        heading.click()
    field = screen.field("stock_quantity")
    field.locator("input[data-value=free]").click()
    screen.sees("Обчислити всі залишки")
    screen.picture("question-stock-quantity")
    screen.page.keyboard.press("Escape")
    expect(field.locator("input[data-value=available]")).to_be_checked()
    field.locator("input[data-value=free]").click()
    screen.press("Перерахувати")
    expect(field.locator("input[data-value=free]")).to_be_checked()
    screen.page.locator(".o_form_button_save").locator("visible=true").first.click()
    screen.settle()
    assert account.read("stock_quantity")["stock_quantity"] == "free"


def test_settings_that_may_do_harm_are_turned_off_only_after_a_question(account, screen):
    account.write(push_stock=True, keep_product_info=True)
    screen.open("keycrm_setup_action", account.id)
    for step, name, question, words in (
        ("stock", "push_stock", "Припинити передачу залишків?", "Припинити передачу"),
        ("products", "keep_product_info", "Дозволити KeyCRM змінювати товари?", "Дозволити зміни"),
    ):
        heading = screen.page.locator(f"section[name={step}] h2 button")
        if heading.get_attribute("aria-expanded") == "false":
            heading.click()
        switch = screen.field(name).locator("input").first
        switch.click()
        screen.sees(question)
        screen.picture(f"question-{name}")
        screen.page.keyboard.press("Escape")
        expect(switch).to_be_checked()
        switch.click()
        screen.sees(question)
        screen.press(words)
        expect(switch).not_to_be_checked()
        saved = screen.page.locator(".o_form_button_save").locator("visible=true")
        if saved.count():
            saved.first.click()
        screen.settle()
        assert not account.read(name)[name]
