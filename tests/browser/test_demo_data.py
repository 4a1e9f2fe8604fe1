"""Odoo's demo mode: a shop to look at, without any network."""

import pytest

from tools import templates
from tools.odoo_server import OdooServer

SCREENS = (
    "keycrm_order_action",
    "keycrm_order_archive_action",
    "keycrm_offer_action",
    "keycrm_stock_report_action",
    "keycrm_stock_refused_action",
    "keycrm_missing_sku_action",
    "keycrm_stock_comparison_action",
    "keycrm_payment_action",
    "keycrm_transaction_action",
    "keycrm_event_action",
    "keycrm_order_sync_action",
    "keycrm_account_action",
)


@pytest.fixture(scope="module")
def odoo(runtime):
    """An Odoo whose database was made with demo data."""
    database = runtime.databases.name("with_demo")
    runtime.databases.create(database)
    runtime.install(database, language=templates.UKRAINIAN, demo=True)
    server = OdooServer(runtime, database).start()
    yield server
    server.kill()
    runtime.databases.drop(database)


def test_demo_data_is_on_every_screen(screen):
    empty = []
    for action in SCREENS:
        screen.open(action)
        screen.picture(f"demo-{action.removeprefix('keycrm_').removesuffix('_action')}")
        if not screen.page.locator(".o_data_row, .o_kanban_record:not(.o_kanban_ghost)").count():
            empty.append(action)
    assert empty == []


def test_demo_orders_have_the_states_of_their_statuses(rpc):
    orders = rpc.rows(
        "sale.order",
        ("keycrm_account_id", "!=", False),
        fields=["state", "keycrm_archived", "amount_total", "keycrm_total", "keycrm_payment_ids"],
    )
    states = [order["state"] for order in orders if not order["keycrm_archived"]]
    assert {"draft", "sale", "cancel"} <= set(states)
    assert [order for order in orders if order["keycrm_archived"]]
    assert [order for order in orders if order["keycrm_payment_ids"]]
    differing = [o for o in orders if abs(o["amount_total"] - o["keycrm_total"]) > 0.005]
    assert len(differing) == 1  # one shows what becomes of a total that cannot be made equal


def test_company_in_dollars_keeps_its_currency_and_waits_for_a_rate(rpc):
    """Odoo's demo data has journal entries, and an exchange rate of 2010 that no user entered."""
    (account,) = rpc.rows(
        "keycrm.account", fields=["company_id", "currency_state", "keycrm_currency_id"]
    )
    company = rpc.read("res.company", account["company_id"][0], "currency_id")
    assert company["currency_id"][1] == "USD"
    assert (account["keycrm_currency_id"][1], account["currency_state"]) == ("UAH", "rate")
    assert (
        rpc.rows(
            "sale.order",
            ("keycrm_account_id", "!=", False),
            ("currency_id.name", "!=", "UAH"),
            fields=["name"],
        )
        == []
    )


def test_failed_event_shows_its_reason(rpc, screen):
    failed = rpc.search("keycrm.event", ("state", "=", "failed"))
    assert len(failed) == 2
    screen.open("keycrm_event_action", failed[-1])
    screen.sees("Свічка соєва (стара партія)")
    screen.picture("demo-event-failed")


def test_demo_mode_sends_no_request_to_keycrm(odoo, rpc, runtime, screen):
    """A request is booked before it is made, and one without an answer is recorded as a problem."""
    (account,) = rpc.rows("keycrm.account", fields=["enabled", "api_url"])
    assert account["enabled"] and account["api_url"].startswith("http://127.0.0.1:")
    workers = """SELECT count(*), count(*) FILTER (WHERE cron.active) FROM ir_cron cron
                   JOIN keycrm_account a ON cron.id IN (a.orders_cron_id, a.stock_cron_id)"""
    assert runtime.server.query(odoo.database, workers) == [(2, 0)]
    for action in SCREENS:
        screen.open(action)
    assert not rpc.read("keycrm.account", account["id"], "circuit_error_code")["circuit_error_code"]
    assert runtime.server.query(odoo.database, "SELECT count(*) FROM keycrm_rate_limit") == [(0,)]
