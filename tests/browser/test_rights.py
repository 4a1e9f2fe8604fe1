"""A user without a right does not see what it protects, or reads why it is refused."""


def test_seller_sees_orders_and_cannot_change_the_connection(account, new_user, new_screen):
    made = account.keycrm.create_sample_order()["answer"]
    seller = new_user("seller", "sales_team.group_sale_salesman_all_leads")
    screen = new_screen(seller)
    screen.open("keycrm_order_action")
    screen.sees(str(made["id"]))
    screen.does_not_see("Налаштування")
    screen.picture("seller-orders")

    screen.open("res_config_settings_action")
    screen.sees("Помилка доступу")  # Odoo's own dialog says who may
    screen.does_not_see("Traceback")
    screen.picture("seller-settings")

    screen.open("keycrm_account_action", account.id)
    assert screen.page.locator(".o_statusbar_buttons button:visible").count() == 0
    assert not screen.field("api_key").locator("input").count()
    screen.picture("seller-account")


def test_a_keycrm_administrator_needs_no_right_to_odoos_settings(account, new_user, new_screen):
    manager = new_user("manager", "ordage_keycrm.group_manager", "sales_team.group_sale_manager")
    screen = new_screen(manager)
    screen.open("keycrm_setup_action", account.id)
    screen.fill("name", "Крамниця в Одесі")
    screen.page.locator(".o_form_button_save").locator("visible=true").first.click()
    screen.open("keycrm_account_action", account.id)
    screen.press("Перевірити підключення")
    screen.sees("Підключено")
    screen.picture("manager-account")
    assert account.read("name")["name"] == "Крамниця в Одесі"


def test_wrong_key_is_reported_in_a_sentence(account, screen):
    screen.open("keycrm_account_action", account.id)
    assert not screen.field("api_key").locator("input").count()
    screen.page.get_by_role("button", name="Змінити в початковому налаштуванні").first.click()
    screen.settle()
    screen.fill("api_key", "not-the-key")
    screen.press("Перевірити підключення")
    screen.sees("KeyCRM не приймає API-ключ")
    screen.picture("wrong-key")
