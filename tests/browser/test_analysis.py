"""Odoo's own tools on KeyCRM's orders: sums in the pivot, a selection as a spreadsheet."""

import re
from io import BytesIO
from pathlib import Path

from openpyxl import load_workbook

from tests.browser.every_screen import switch_view

IN_PRODUCTION, IN_DELIVERY = 4, 6
#: Buyer, status, source and total of each order.
ORDERS = (
    ("Зведення Перше", IN_PRODUCTION, 1, 500),
    ("Зведення Друге", IN_PRODUCTION, 2, 300),
    ("Зведення Третє", IN_PRODUCTION, 2, 50),
    ("Зведення Четверте", IN_DELIVERY, 2, 200),
)


def test_pivot_sums_by_status_and_source_and_a_selection_is_exported(
    account, rpc, screen, wait_for
):
    numbers = [
        account.keycrm.create_order(
            buyer={"full_name": buyer},
            status_id=status,
            source_id=source,
            source_uuid=f"PIVOT-{number}",
            lines=[{"name": "Ваза", "price": total, "quantity": 1}],
        )["id"]
        for number, (buyer, status, source, total) in enumerate(ORDERS)
    ]
    wait_for(lambda: all(account.order(one, "id") for one in numbers), 90, "the orders")

    def names(model):
        """Return the names of statuses or sources by their ids in KeyCRM."""
        rows = rpc.call(
            model,
            "search_read",
            [("account_id", "=", account.id)],
            ["keycrm_id", "display_name"],
            context={"lang": "uk_UA"},
        )
        return {row["keycrm_id"]: row["display_name"] for row in rows}

    statuses, sources = names("keycrm.order.status"), names("keycrm.source")
    page = screen.page
    screen.open("keycrm_order_action")
    page.locator(".o_searchview_input").fill("PIVOT-")
    page.locator(".o_searchview_input").press("Enter")
    screen.settle()
    switch_view(screen, "pivot")
    columns = page.locator(".o_pivot thead tr").nth(1).locator("th").all_inner_texts()
    sums = {}
    for row in page.locator(".o_pivot tbody tr").all():
        cells = row.locator("td").all_inner_texts()
        for column, cell in zip(columns, cells, strict=False):
            if text := re.sub(r"[^\d,]", "", cell):
                sums[row.locator("th").inner_text().strip(), column.strip()] = text
    screen.picture("orders-pivot")
    expected = {
        (statuses[IN_PRODUCTION], sources[1]): "500,00",
        (statuses[IN_PRODUCTION], sources[2]): "350,00",
        (statuses[IN_DELIVERY], sources[2]): "200,00",
    }
    assert {key: text for key, text in sums.items() if key[0] in statuses.values()} == expected

    switch_view(screen, "list")
    for buyer, *_rest in ORDERS[:2]:
        row = page.locator(".o_data_row", has_text=buyer)
        row.locator(".o_list_record_selector input").click()
    page.locator(".o_cp_action_menus .dropdown-toggle, .o_cp_action_menus button").last.click()
    page.locator(".o-dropdown--menu").get_by_text("Експорт", exact=True).click()
    page.locator(".modal .o_select_button").wait_for()
    with page.expect_download() as download:
        page.locator(".modal .o_select_button").click()
    sheet = load_workbook(BytesIO(Path(download.value.path()).read_bytes())).active
    head, *rows = sheet.iter_rows(values_only=True)
    assert len(rows) == 2
    labels = rpc.call(
        "sale.order",
        "fields_get",
        ["keycrm_id", "amount_total"],
        ["string"],
        context={"lang": "uk_UA"},
    )
    number, total = (head.index(labels[name]["string"]) for name in ("keycrm_id", "amount_total"))
    exported = {int(row[number]): row[total] for row in rows}
    assert exported == {numbers[0]: 500, numbers[1]: 300}
