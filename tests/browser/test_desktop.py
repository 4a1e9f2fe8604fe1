"""A shop owner at a desktop: a tour of the first day, and the figures of the orders."""

from datetime import date

from playwright.sync_api import expect

from tests.browser.every_screen import switch_view


def test_tour_of_the_first_day_leads_from_the_overview_to_the_stock(
    account, new_screen, rpc, wait_for
):
    made = account.keycrm.create_sample_order()["answer"]
    wait_for(lambda: account.order(made["id"], "id"), 90, "the order")
    screen = new_screen()
    messages = []
    screen.page.on("console", lambda message: messages.append(message.text))
    screen.open("keycrm_setup_action", account.id)
    heading = screen.page.locator("section[name=start] h2 button")
    if heading.get_attribute("aria-expanded") == "false":
        heading.click()
    screen.press("Показати, що де")
    pointer = screen.page.locator(".o_tour_pointer")
    for number, (place, words) in enumerate(
        (
            (".o_main_navbar [data-menu-xmlid='ordage_keycrm.menu_orders']", "потребує"),
            (".o_data_row .o_data_cell[name=partner_id]", "Відкрийте замовлення"),
            (".o_notebook .nav-link[name=keycrm]", "статус"),
            (".o_main_navbar [data-menu-xmlid='ordage_keycrm.menu_stock']", "Посилки"),
            (".o-dropdown--menu [data-menu-xmlid='ordage_keycrm.menu_pack']", "Посилки"),
            (".o_keycrm_number", "Скануйте"),
            (".o_main_navbar [data-menu-xmlid='ordage_keycrm.menu_stock']", "залишки"),
            (".o-dropdown--menu [data-menu-xmlid='ordage_keycrm.menu_stock_levels']", "Залишки"),
            (".o_searchview_dropdown_toggler", "Фільтри"),
        )
    ):
        target = screen.page.locator(place).locator("visible=true").first
        target.wait_for()
        pointer.wait_for()
        pointer.hover(force=True)  # it bounces until the mouse is over it
        expect(pointer).to_contain_text(words)
        screen.picture(f"tour-{number}")
        target.click()
        screen.settle()
    screen.sees("Розбіжності")
    screen.picture("tour-end")
    for _ in range(100):
        if "tour succeeded" in messages:
            break
        screen.page.wait_for_timeout(100)
    assert "tour succeeded" in messages
    (admin,) = rpc.search("res.users", ("login", "=", "admin"))
    assert rpc.search("web_tour.tour", ("user_consumed_ids", "in", [admin])), "it would start again"


def test_orders_are_analyzed_by_day_source_and_status(account, new_screen, wait_for):
    """Revenue, not counts by customer; a parcel stands at its planned day."""
    for number, price in enumerate((100, 250), 1):
        made = account.keycrm.create_order(
            source_uuid=f"ANALYSIS-{number}",
            lines=[{"name": "Ваза", "price": price, "quantity": 1}],
            buyer={"full_name": f"Покупець {number}"},
            shipping={"shipping_date": str(date.today())},
        )
        wait_for(lambda made=made: account.order(made["id"], "id"), 90, "the order")
    screen = new_screen()
    screen.open("keycrm_order_action")
    screen.page.locator(".o_searchview_input").fill("ANALYSIS-")
    screen.page.locator(".o_searchview_input").press("Enter")
    screen.settle()
    switch_view(screen, "pivot")
    total = screen.page.locator(".o_pivot tbody tr").first
    expect(total).to_contain_text("350")
    screen.picture("analysis-pivot")
    switch_view(screen, "graph")
    expect(screen.page.locator(".o_graph_canvas_container canvas")).to_be_visible()
    screen.picture("analysis-graph")
    switch_view(screen, "calendar")
    expect(screen.page.locator(".fc-day-today .fc-event")).to_have_count(2)
    screen.picture("analysis-calendar")
