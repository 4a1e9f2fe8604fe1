"""Orders that need a decision show it, and one click decides."""

import re

from playwright.sync_api import expect

IN_PRODUCTION = 4


def test_orders_that_need_a_decision_show_it(account, rpc, screen, wait_for):
    rpc.write("keycrm.account", account.id, import_payments=True)
    offer = account.keycrm.create_offer(sku="CUP-9", name="Кухоль", price=500)["id"]

    def made(**values):
        number = account.keycrm.create_order(
            lines=[{"offer_id": offer, "price": 500, "quantity": 1}],
            status_id=IN_PRODUCTION,
            **values,
        )["id"]
        return number, wait_for(lambda: account.order(number, "id", "state"), 90, "the order")["id"]

    number, order = made(payments=[{"amount": 24, "status": "paid"}])
    screen.open("keycrm_order_action", order)
    screen.press("Скасувати")
    screen.press("Скасувати в Odoo")
    screen.sees("Це замовлення скасовано в Odoo")
    account.keycrm.patch_order(number, raw={"payments_total": 480})
    account.keycrm.send_webhook(number)
    wait_for(
        lambda: account.order(number, "keycrm_payments_differ")["keycrm_payments_differ"],
        *(90, "the payment"),
    )
    assert account.order(number, "state")["state"] == "cancel"
    screen.open("keycrm_order_action", order)
    screen.picture("order-canceled-in-odoo")
    screen.page.get_by_role("tab", name="KeyCRM", exact=True).click()
    screen.sees("не дають суми")
    screen.picture("order-payments-differ")
    screen.press("Відновити замовлення")
    wait_for(lambda: account.order(number, "state")["state"] == "sale", 90, "the order back")
    screen.open("keycrm_order_action", order)
    screen.does_not_see("Це замовлення скасовано в Odoo")
    screen.sees("Оплати цього замовлення не дають суми")
    screen.open("keycrm_order_action")
    row = screen.page.locator(".o_data_row", has_text=account.order(number, "name")["name"])
    expect(row.locator("[name=keycrm_id]")).to_have_class(re.compile("text-warning"))
    row.locator(".o_list_record_selector input").click()
    screen.page.locator(
        ".o_cp_action_menus .dropdown-toggle, .o_cp_action_menus button"
    ).last.click()
    screen.page.locator(".o-dropdown--menu").get_by_text("Скасувати", exact=True).click()
    screen.sees("У KeyCRM ці замовлення лишаються")
    screen.picture("orders-cancel-question")
    screen.page.locator(".modal .btn-close").click()
    expect(screen.page.locator(".modal")).to_have_count(0)
    screen.settle()
    # Odoo reads the list again without its selection.
    row.locator(".o_list_record_selector input").click()
    screen.press("Залишити як є")
    expect(row.locator("[name=keycrm_id]")).not_to_have_class(re.compile("text-warning"))

    _number, waiting = made(discount_amount=530)
    screen.open("keycrm_order_action", waiting)
    screen.sees("перевищують вартість")
    screen.picture("order-discount-over-goods")

    account.keycrm.patch_order(number, raw={"products": []})
    account.keycrm.send_webhook(number)
    wait_for(
        lambda: account.order(number, "keycrm_problem")["keycrm_problem"],
        90,
        "the malformed answer",
    )
    screen.open("keycrm_order_action", order)
    screen.sees("без товарів")
    screen.picture("order-without-lines")
    screen.open("keycrm_order_status_action")
    screen.picture("order-statuses")


def test_confirming_an_order_with_differing_total_needs_an_answer(account, screen, wait_for):
    made = account.keycrm.create_order(grand_total=777, status_id=IN_PRODUCTION)["id"]
    order = wait_for(lambda: account.order(made, "id", "date_order", "state"), 90, "the order")
    assert order["state"] == "draft"
    screen.open("keycrm_order_action", order["id"])
    screen.press("Підтвердити")
    screen.sees("Порівняйте")
    screen.picture("question-confirm")
    screen.page.keyboard.press("Escape")
    expect(screen.page.locator(".modal")).to_have_count(0)
    assert account.order(made, "state")["state"] == "draft"
    screen.press("Підтвердити")
    screen.sees("Порівняйте")
    screen.press("Усе одно підтвердити")
    wait_for(lambda: account.order(made, "state")["state"] == "sale", 90, "the confirmation")
    # Its date stays that of KeyCRM.
    assert account.order(made, "date_order")["date_order"] == order["date_order"]
