"""What failed says why, and one press tries it again."""


def test_a_failed_event_names_both_products_and_is_retried(account, rpc, screen, wait_for):
    cups = [
        rpc.create("product.product", name=name, default_code="CUP-1", is_storable=True)
        for name in ("Кухоль білий", "Кухоль старий")
    ]
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
    screen.picture("event-failed")

    rpc.write("product.product", cups[1], default_code="CUP-OLD")
    screen.press("Повторити")
    wait_for(lambda: event("done"), 90, "the event to be worked")
    screen.open("keycrm_event_action", failed)
    screen.sees("Оброблено")
    screen.does_not_see("мають кілька товарів")
    screen.picture("event-retried")
    assert account.order(made["id"], "id")
