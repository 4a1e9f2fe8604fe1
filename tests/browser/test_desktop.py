"""A shop owner looks at the smallest common desktop: no list cuts a heading or a value."""

from tests.browser.test_phone import CARDS, SCREENS


def test_lists_cut_nothing_on_a_small_desktop(account, rpc, screen, wait_for):
    offer = account.keycrm.create_offer(sku="LINEN-DRESS-XL", name="Сукня лляна", stock={1: 3})
    made = account.keycrm.create_order(
        buyer={"full_name": "Олександра Коваленко-Мельниченко"},
        lines=[{"offer_id": offer["id"], "quantity": 1}],
        shipping={"tracking_code": "20451001110010"},
    )["answer"]
    wait_for(lambda: account.order(made["id"], "id"), 90, "the order")
    account.call("action_refresh_warehouses")
    cut = {}
    for name in sorted(CARDS):
        screen.open(SCREENS[name])
        screen.picture(f"desktop-{name}")
        if found := screen.cut_texts():
            cut[name] = found
    assert not cut, str(cut)
