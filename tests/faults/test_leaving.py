"""Neutralized copies, uninstallation and upgrades of a used database."""

from __future__ import annotations

import xmlrpc.client
from collections.abc import Callable
from typing import Any

import pytest

from tests.faults.residue import indexes, rows_with, structure
from tests.system.webhook_client import path_of, post
from tools import git_history, shop
from tools.odoo_server import OdooServer
from tools.runtime import Runtime
from tools.templates import ADDON
from tools.waiting import wait_for

#: Tables whose rows stay after uninstallation; their texts may contain "KeyCRM".
STANDARD = (
    *("sale_order", "sale_order_line", "product_template", "product_product", "res_partner"),
    *("stock_picking", "stock_move", "mail_message", "mail_activity", "account_payment"),
)


def references() -> list[str]:
    """List the versions to upgrade from: each release, or before the first, HEAD."""
    return git_history.tags() or ["HEAD"]


def connected_account(odoo: OdooServer, sandbox: Any, **values: Any) -> tuple[int, str]:
    """Create an enabled account and return its id and its webhook link."""
    rpc = odoo.rpc()
    account = shop.make_account(rpc, odoo, sandbox, **values)
    return account, shop.switch_on(rpc, sandbox, account)


def import_order(odoo: OdooServer, sandbox: Any) -> dict[str, Any]:
    """Create an order in KeyCRM and wait until Odoo has imported it."""
    number = sandbox.control.create_sample_order()["id"]
    rpc = odoo.rpc()
    fields = ("name", "amount_total", "state", "keycrm_total", "partner_id")
    return wait_for(lambda: shop.order_in_odoo(rpc, number, *fields), 120, f"order {number}")


def use_addon(odoo: OdooServer, sandbox: Any) -> tuple[int, str]:
    """Create everything that could leave residue: orders, chatter, filters, rules."""
    account, link = connected_account(odoo, sandbox, import_payments=True)
    rpc = odoo.rpc()
    import_order(odoo, sandbox)
    import_order(odoo, sandbox)
    rpc.call("keycrm.account", "message_post", [account], body="note about keycrm")
    rpc.call("keycrm.account", "message_subscribe", [account], [rpc.uid])
    rpc.create(
        "ir.attachment", name="keycrm.txt", raw="x", res_model="keycrm.account", res_id=account
    )
    rpc.create("ir.filters", name="My events", model_id="keycrm.event", domain="[]")
    rpc.call("ir.default", "set", "keycrm.account", "keep_days", 30)
    rpc.create(
        "ir.exports",
        name="keycrm list",
        resource="keycrm.event",
        export_fields=[(0, 0, {"name": "event"})],
    )
    model = rpc.search("ir.model", ("model", "=", "keycrm.event"))[0]
    rpc.create("mail.activity.type", name="Of KeyCRM events", res_model="keycrm.event")
    rpc.create("ir.rule", name="Own rule", model_id=model, domain_force="[]")
    rpc.call("keycrm.account", "action_refresh_warehouses", [account])
    return account, link


def click_in_apps(odoo: OdooServer, button: str) -> None:
    """Click a button of the addon in Apps."""
    rpc = odoo.rpc()
    ids = rpc.search("ir.module.module", ("name", "=", ADDON))
    rpc.call("ir.module.module", button, ids)


@pytest.fixture
def new_odoo_on(runtime: Runtime) -> Any:
    """Start Odoo on a given database, with given addons."""
    started: list[OdooServer] = []

    def start(database: str, **options: Any) -> OdooServer:
        started.append(OdooServer(runtime, database, **options))
        return started[-1].start(300)

    yield start
    for server in started:
        server.kill()
    for database in {server.database for server in started}:
        runtime.databases.drop(database)


def test_a_neutralized_copy_neither_sends_nor_receives_and_reports_it(
    runtime: Runtime, new_odoo_on: Callable[..., OdooServer], new_sandbox: Callable[..., Any]
) -> None:
    sandbox = new_sandbox(offers=10)
    original = new_odoo_on(runtime.addon_database("original"))
    account, link = use_addon(original, sandbox)
    sandbox.control.create_sample_order(webhook=False)
    original.stop()
    copy = runtime.databases.name("neutralized")
    runtime.databases.clone(original.database, copy)
    runtime.run_odoo(copy, "neutralize")
    (rows,) = runtime.server.query(copy, "SELECT string_agg(a::text, ' ') FROM keycrm_account a")
    assert sandbox.key not in rows[0]

    odoo = new_odoo_on(copy)
    rpc = odoo.rpc()
    request_count = len(sandbox.control.requests())
    shown = rpc.read(
        "keycrm.account", account, "enabled", "push_stock", "api_key", "circuit_error_text"
    )
    assert (shown["enabled"], shown["push_stock"], shown["api_key"]) == (False, False, False)
    assert "copy" in shown["circuit_error_text"]
    sandbox.control.create_sample_order()
    with pytest.raises(xmlrpc.client.Fault, match="API key"):
        rpc.call("keycrm.account", "action_test_connection", [account])
    for cron in rpc.search("ir.cron", ("active", "=", False), ("code", "like", "model._cron_")):
        rpc.call("ir.cron", "method_direct_trigger", [cron])
    product = rpc.search("product.product", ("is_storable", "=", True), limit=1)[0]
    shop.receive(rpc, rpc.search("stock.warehouse", limit=1)[0], product, 5)
    assert len(sandbox.control.requests()) == request_count
    assert post(odoo.port, path_of(link)) == 404

    test_shop = new_sandbox(offers=10)
    rpc.write("keycrm.account", account, api_key=test_shop.key, api_url=test_shop.api_url)
    rpc.call("keycrm.account", "action_new_webhook_token", [account])
    rpc.write("keycrm.account", account, public_url=odoo.url)
    shop.switch_on(rpc, test_shop, account)
    assert import_order(odoo, test_shop)
    assert len(sandbox.control.requests()) == request_count


def test_database_copy_is_paused_until_a_user_confirms_it(
    runtime: Runtime, new_odoo_on: Callable[..., OdooServer], new_sandbox: Callable[..., Any]
) -> None:
    sandbox = new_sandbox(offers=10)
    original = new_odoo_on(runtime.addon_database("original"))
    account, _link = connected_account(original, sandbox)
    import_order(original, sandbox)
    original.stop()
    copy = runtime.databases.name("copy")
    runtime.databases.clone(original.database, copy)
    original.start(300)
    copied = new_odoo_on(copy)
    rpc = copied.rpc()
    wait_for(
        lambda: rpc.read("keycrm.account", account, "circuit_error_code")["circuit_error_code"],
        120,
        "the copy",
    )
    shown = rpc.read("keycrm.account", account, "circuit_error_text", "overview_state")
    assert "copy or a restored backup" in shown["circuit_error_text"]
    assert shown["overview_state"] == "problem"
    new = import_order(original, sandbox)
    for cron in rpc.search("ir.cron", ("code", "like", "model._cron_")):
        rpc.call("ir.cron", "method_direct_trigger", [cron])
    assert not rpc.search("sale.order", ("name", "=", new["name"]))

    original.stop()
    request_count = len(sandbox.control.requests())
    number = sandbox.control.create_sample_order(webhook=False)["id"]
    for cron in rpc.search("ir.cron", ("code", "like", "model._cron_")):
        rpc.call("ir.cron", "method_direct_trigger", [cron])
    assert len(sandbox.control.requests()) == request_count
    rpc.call("keycrm.account", "action_confirm_database", [account])
    wait_for(lambda: shop.order_in_odoo(rpc, number, "name"), 400, "the order by polling")


def test_uninstalling_leaves_standard_records_and_nothing_else(
    runtime: Runtime, new_odoo_on: Callable[..., OdooServer], new_sandbox: Callable[..., Any]
) -> None:
    sandbox = new_sandbox(offers=10)
    plain = runtime.plain_database("before")
    before = structure(runtime.server, plain)
    odoo = new_odoo_on(runtime.addon_database("uninstalled"))
    use_addon(odoo, sandbox)
    rpc = odoo.rpc()
    orders = rpc.rows("sale.order", fields=["name", "amount_total", "state", "partner_id"])
    products = rpc.rows("product.product", fields=["name", "default_code"])
    stock = rpc.rows("stock.quant", fields=["product_id", "quantity"])
    assert len(orders) >= 2

    click_in_apps(odoo, "button_immediate_uninstall")
    odoo.restart()
    rpc = odoo.rpc()
    assert rpc.rows("sale.order", fields=["name", "amount_total", "state", "partner_id"]) == orders
    assert rpc.rows("product.product", fields=["name", "default_code"]) == products
    assert rpc.rows("stock.quant", fields=["product_id", "quantity"]) == stock
    residue = structure(runtime.server, odoo.database) - before
    assert not residue, f"left in the structure: {sorted(residue)}"
    # The pricelist of KeyCRM's currency: the orders still have it.
    used = {
        order["pricelist_id"][0]
        for order in rpc.rows("sale.order", fields=["pricelist_id"])
        if order["pricelist_id"]
    }
    kept = {
        table: [
            row
            for row in rows
            if (table not in STANDARD or "keycrm." in row)
            and not (table == "product_pricelist" and int(row[1:].split(",")[0]) in used)
            and not row.endswith("base,ir.module.module)")  # the list of apps again
        ]
        for table, rows in rows_with(runtime.server, odoo.database, "keycrm").items()
        if not table.startswith("ir_module_module")  # the list of apps, installed or not
    }
    kept = {table: [row[:300] for row in rows][:9] for table, rows in kept.items() if rows}
    assert not kept, "\n".join(f"{table}: {row}" for table, rows in kept.items() for row in rows)

    # The remaining records are usable.
    draft = [order["id"] for order in orders if order["state"] == "draft"]
    for order in draft:
        rpc.call("sale.order", "action_confirm", [order])
    product = next(row["id"] for row in products if row["default_code"])
    order = rpc.create(
        "sale.order",
        partner_id=orders[0]["partner_id"][0],
        order_line=[(0, 0, {"product_id": product, "product_uom_qty": 1})],
    )
    rpc.call("sale.order", "action_confirm", [order])
    rpc.call("sale.order", "copy", [orders[0]["id"]])
    assert "Traceback" not in odoo.log_text()

    # A second installation works; the earlier orders are plain Odoo orders now.
    click_in_apps(odoo, "button_immediate_install")
    odoo.restart()
    connected_account(odoo, sandbox)
    new = import_order(odoo, sandbox)
    assert shop.money(new["amount_total"]) == shop.money(new["keycrm_total"])
    rpc = odoo.rpc()
    still = {order["name"] for order in rpc.rows("sale.order", fields=["name"])}
    assert {order["name"] for order in orders} <= still
    click_in_apps(odoo, "button_immediate_uninstall")
    odoo.restart()
    assert not structure(runtime.server, odoo.database) - before


@pytest.mark.parametrize("ref", references())
def test_upgrade_from_an_earlier_version_keeps_everything(
    ref: str,
    runtime: Runtime,
    new_odoo_on: Callable[..., OdooServer],
    new_sandbox: Callable[..., Any],
) -> None:
    sandbox = new_sandbox(offers=10)
    old_addons = git_history.addons_at(ref, runtime.free_name("earlier"))
    paths = ",".join(str(path) for path in (*runtime.source.addons, old_addons))
    database = runtime.plain_database("upgraded")
    old = OdooServer(runtime, database, addons_path=paths)
    old.start(300, install=ADDON)
    try:
        account, link = use_addon(old, sandbox)
        rpc = old.rpc()
        names = ("name", "amount_total", "state", "keycrm_id", "keycrm_total", "keycrm_amount_paid")
        orders = rpc.rows("sale.order", fields=list(names))
        offers = rpc.rows("keycrm.offer", fields=["keycrm_id", "product_id"])
        events = rpc.call("keycrm.event", "search_count", [])
        payments = rpc.call("keycrm.payment", "search_count", [])
    finally:
        old.stop()

    runtime.run_odoo(database, "--no-http", "--stop-after-init", "--update", ADDON)
    odoo = new_odoo_on(database, port=old.port)
    rpc = odoo.rpc()
    assert rpc.rows("sale.order", fields=list(names)) == orders
    assert rpc.rows("keycrm.offer", fields=["keycrm_id", "product_id"]) == offers
    assert rpc.call("keycrm.event", "search_count", []) >= events
    assert rpc.call("keycrm.payment", "search_count", []) == payments
    assert rpc.read("keycrm.account", account, "webhook_url")["webhook_url"] == link
    (row,) = runtime.server.query(database, "SELECT string_agg(a::text, ' ') FROM keycrm_account a")
    assert sandbox.key not in row[0]
    rpc.call("keycrm.account", "action_test_connection", [account])
    assert post(odoo.port, path_of(link)) == 204
    assert import_order(odoo, sandbox)
    assert " ERROR " not in odoo.log_text()
    # A surplus index costs at each write, a missing one at each search.
    fresh = runtime.addon_database()
    assert indexes(runtime.server, database, "keycrm") == indexes(runtime.server, fresh, "keycrm")
