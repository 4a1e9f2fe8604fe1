"""A default Odoo in English with US dollars imports orders after a short setup."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.control import Control
from tools import shop
from tools.odoo_server import OdooServer
from tools.rpc import Rpc

LINES = [
    {"name": "Кухоль", "price": "100.10", "quantity": 3, "discount_percent": 7},
    {"name": "Тарілка", "price": "49.99", "quantity": 2},
]
ORDER = ("id", "amount_total", "currency_id", "keycrm_total_differs", "keycrm_amount_paid")


def company(rpc: Rpc) -> tuple[int, str]:
    """Return the id of Odoo's first company, and its currency."""
    row = rpc.rows("res.company", fields=["currency_id"])[0]
    return row["id"], row["currency_id"][1]


def shown(rpc: Rpc) -> set[str]:
    """Return the codes of the active currencies."""
    return {row["name"] for row in rpc.rows("res.currency", fields=["name"])}


def assert_equal(order: dict[str, Any], expected: dict[str, Any]) -> None:
    assert shop.money(order["amount_total"]) == shop.money(expected["grand_total"])
    assert not order["keycrm_total_differs"]
    assert order["currency_id"][1] == "UAH"


def sell(keycrm: Control, **fields: Any) -> dict[str, Any]:
    return keycrm.create_order(source_id=1, lines=LINES, discount_amount="3.33", **fields)["answer"]


def test_order_in_hryvnias_arrives_to_the_cent(odoo, rpc, sandbox, wait_for):
    assert company(rpc)[1] == "USD"
    assert shown(rpc) == {"USD"}
    assert [row["code"] for row in rpc.rows("res.lang", fields=["code"])] == ["en_US"]
    (digits,) = rpc.rows("decimal.precision", ("name", "=", "Product Unit"), fields=["digits"])
    assert digits["digits"] == 2
    account = shop.make_account(rpc, odoo, sandbox)
    rpc.write("keycrm.account", account, enabled=True)
    link = rpc.read("keycrm.account", account, "webhook_url")["webhook_url"]
    sandbox.control.add_webhook(link)
    expected = sell(sandbox.control)
    order = wait_for(lambda: shop.order_in_odoo(rpc, expected["id"], *ORDER), 60, "the order")
    assert_equal(order, expected)
    assert "UAH" in shown(rpc)
    assert company(rpc)[1] == "USD", "nobody changed it"
    rpc.write("keycrm.account", account, enabled=False)


def test_one_click_leaves_one_currency(new_odoo, sandbox):
    rpc = (odoo := new_odoo()).rpc()

    def features() -> list[bool]:
        groups = ("base.group_multi_currency", "product.group_product_pricelist")
        return [rpc.call("res.users", "has_group", [rpc.uid], group) for group in groups]

    assert features() == [False, False]
    for source in sandbox.control.sources():
        sandbox.control.put_source(id=source["id"], currency_code="UAH")
    account = shop.make_account(rpc, odoo, sandbox)
    rpc.call("keycrm.account", "action_test_connection", [account])
    read = rpc.read("keycrm.account", account, "keycrm_currency_id", "currency_state")
    assert (read["keycrm_currency_id"][1], read["currency_state"]) == ("UAH", "switch")
    assert features() == [True, True], "Odoo's own consequence of a second currency"
    rpc.call("keycrm.account", "action_set_company_currency", [account])
    assert company(rpc)[1] == "UAH"
    assert shown(rpc) == {"UAH"}
    assert features() == [False, False]
    assert rpc.read("keycrm.account", account, "currency_state")["currency_state"] == "same"


def test_two_accounts_that_connect_at_once_both_bring_orders(new_odoo, new_sandbox, wait_for):
    odoo = new_odoo(workers=2)
    rpc = odoo.rpc()
    sandboxes = [new_sandbox(offers=1) for _ in range(2)]
    for sandbox in sandboxes:
        account = shop.make_account(rpc, odoo, sandbox)
        rpc.write("keycrm.account", account, enabled=True)
        link = rpc.read("keycrm.account", account, "webhook_url")["webhook_url"]
        sandbox.control.add_webhook(link)
    expected = [
        sell(sandbox.control, buyer={"full_name": f"Buyer {n}", "phone": f"+38050000000{n}"})
        for n, sandbox in enumerate(sandboxes)
    ]
    fields = [*ORDER, "keycrm_id"]

    def all_orders() -> list[dict[str, Any]] | None:
        rows = rpc.rows("sale.order", ("keycrm_id", "!=", False), fields=fields)
        return rows if len(rows) == len(expected) else None

    for order in wait_for(all_orders, 90, "both orders"):
        assert_equal(order, expected[0])
    assert {"UAH", "USD"} <= shown(rpc)


def test_second_company_without_a_chart_of_accounts_has_its_own_orders(
    odoo, rpc, new_sandbox, wait_for
):
    first = company(rpc)
    (euro,) = rpc.search("res.currency", ("name", "=", "EUR"), ("active", "in", (True, False)))
    rpc.write("res.currency", euro, active=True)
    second = rpc.create("res.company", name="Second", currency_id=euro)
    rpc.write("res.users", rpc.uid, company_ids=[(4, second)])
    assert not rpc.read("res.company", second, "chart_template")["chart_template"]
    # Odoo creates a warehouse for the first company only.
    rpc.create("stock.warehouse", name="Second", code="SEC", company_id=second)
    sandbox = new_sandbox(offers=1)
    account = shop.make_account(
        rpc, odoo, sandbox, company_id=second, import_payments=True, name="Second"
    )
    shop.switch_on(rpc, sandbox, account)
    expected = sell(sandbox.control, payments=[{"amount": 100, "status": "paid"}])
    fields = (*ORDER, "company_id", "warehouse_id")

    def ours() -> dict[str, Any] | None:
        rows = rpc.rows("sale.order", ("company_id", "=", second), fields=fields)
        return rows[0] if rows else None

    order = wait_for(ours, 60, "the order")
    assert_equal(order, expected)
    assert order["keycrm_amount_paid"] == 100
    warehouse = rpc.read("stock.warehouse", order["warehouse_id"][0], "company_id")
    assert warehouse["company_id"][0] == second
    assert rpc.read("res.company", second, "currency_id")["currency_id"][0] == euro
    assert rpc.read("res.company", first[0], "currency_id")["currency_id"][1] == first[1]
    rpc.write("keycrm.account", account, enabled=False)


@pytest.fixture(scope="module")
def polish(runtime):
    """Return an Odoo of a Polish company, with Poland's chart of accounts."""
    database = runtime.addon_database("polish")
    server = OdooServer(runtime, database)
    server.start(install="l10n_pl")
    rpc = server.rpc()
    (poland,) = rpc.search("res.country", ("code", "=", "PL"))
    rpc.write("res.company", company(rpc)[0], country_id=poland)
    yield server
    server.kill()
    runtime.databases.drop(database)


def test_chart_of_another_country_waits_for_a_rate(polish, sandbox, wait_for):
    rpc = polish.rpc()
    settings = rpc.create("res.config.settings", chart_template="pl")
    rpc.call("res.config.settings", "execute", [settings])
    assert company(rpc)[1] == "PLN"
    account = shop.make_account(rpc, polish, sandbox, import_payments=True)
    journal = rpc.search("account.journal", ("type", "=", "bank"), limit=1)[0]
    rpc.write("keycrm.account", account, payment_journal_id=journal)
    shop.switch_on(rpc, sandbox, account)

    def state() -> str:
        return rpc.read("keycrm.account", account, "currency_state")["currency_state"]

    assert state() == "choose"
    (uah,) = rpc.search("res.currency", ("name", "=", "UAH"))
    rpc.write("keycrm.account", account, keycrm_currency_id=uah)
    assert state() == "switch"
    expected = sell(sandbox.control, payments=[{"amount": 100, "status": "paid"}])
    order = wait_for(lambda: shop.order_in_odoo(rpc, expected["id"], *ORDER), 60, "the order")
    assert_equal(order, expected)
    assert order["keycrm_amount_paid"] == 100
    (payment,) = rpc.rows(
        "keycrm.payment", ("sale_order_id", "=", order["id"]), fields=["payment_id", "problem"]
    )
    assert not payment["payment_id"] and "UAH" in payment["problem"]
    products = rpc.rows(
        "product.product", ("name", "in", ["Кухоль", "Тарілка"]), fields=["list_price"]
    )
    assert [row["list_price"] for row in products] == [0, 0]
    rpc.write("keycrm.account", account, currency_rate=10)
    rpc.call("keycrm.account", "action_set_currency_rate", [account])
    (payment,) = rpc.rows(
        "keycrm.payment", ("sale_order_id", "=", order["id"]), fields=["payment_id", "problem"]
    )
    assert payment["payment_id"] and not payment["problem"]
    posted = rpc.read("account.payment", payment["payment_id"][0], "amount_company_currency_signed")
    assert shop.money(posted["amount_company_currency_signed"]) == "10.00"
    assert state() == "rate_done"
    rpc.write("keycrm.account", account, enabled=False)
