"""What failed says why, and one press tries it again."""

import re

from playwright.sync_api import expect

#: A picture of two pixels.
PICTURE = (
    "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAIAAAB7QOjdAAAADUlEQVR4nGM44KAARAAJJwJBDpI+DQAA"
    "AABJRU5ErkJggg=="
)


def test_failed_event_shows_both_products_and_is_retried(account, rpc, screen, wait_for):
    cups = [
        rpc.create("product.product", name=name, default_code="CUP-1", is_storable=True)
        for name in ("Кухоль білий", "Кухоль старий")
    ]
    rpc.write("product.product", cups[1], image_1920=PICTURE)
    offer = account.keycrm.create_offer(sku="CUP-1", name="Кухоль", stock={1: 5})["id"]
    made = account.keycrm.create_order(lines=[{"offer_id": offer, "quantity": 1}])["answer"]

    def event(*states):
        found = rpc.rows(
            "keycrm.event",
            ("account_id", "=", account.id),
            ("keycrm_order_id", "=", made["id"]),
            ("state", "in", states),
            fields=["id"],
        )
        return found and found[0]["id"]

    failed = wait_for(lambda: event("failed"), 90, "the failed event")
    screen.open("keycrm_order_action")
    screen.menu("Журнал обміну", "Події")
    screen.sees("Помилка")
    screen.picture("event-failed-list")
    screen.open("keycrm_event_action", failed)
    screen.sees("Артикул «CUP-1» мають кілька товарів")
    screen.sees("Кухоль старий")
    candidates = screen.page.locator(".o_keycrm_candidates .o_kanban_record:not(.o_kanban_ghost)")
    expect(candidates).to_have_count(2)
    for name in ("Кухоль білий", "Кухоль старий"):
        one = candidates.filter(has_text=name)
        expect(one).to_contain_text("Ціна")
        expect(one).to_contain_text("На складі")
        expect(one.get_by_role("button", name="Обрати цей товар")).to_be_visible()
    # The one that has a picture shows it.
    picture = candidates.filter(has_text="Кухоль старий").locator("[name=image_128] img")
    expect(picture).to_have_attribute("src", re.compile(f"product.product/{cups[1]}/image_128"))
    assert picture.evaluate("image => image.complete && image.naturalWidth") == 2
    screen.picture("event-failed")
    # A candidate is a link to its product; the way back leads to the event.
    candidates.get_by_text("Кухоль старий").click()
    screen.settle()
    expect(screen.field("default_code").locator("input")).to_have_value("CUP-1")
    screen.picture("event-candidate")
    screen.page.locator(".o_breadcrumb .breadcrumb-item a").last.click()
    screen.sees("Артикул «CUP-1» мають кілька товарів")

    rpc.write("product.product", cups[1], default_code="CUP-OLD")
    screen.press("Повторити")
    notification = screen.page.locator(".o_notification")
    expect(notification).to_contain_text("Повторюється: 1. Результат з’явиться тут за мить.")
    wait_for(lambda: event("done"), 90, "the event to be worked")
    screen.open("keycrm_event_action", failed)
    screen.sees("Оброблено")
    screen.does_not_see("мають кілька товарів")
    screen.picture("event-retried")
    assert account.order(made["id"], "id")
