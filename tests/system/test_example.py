"""The example addon of docs/extending.md works as documented."""

from __future__ import annotations

import pytest

from tools.odoo_server import OdooServer
from tools.paths import ADDONS, REPOSITORY

EXAMPLES = REPOSITORY / "examples"
EXAMPLE = "ordage_keycrm_example"


@pytest.fixture(scope="module")
def odoo(runtime):
    """Return an Odoo with the example addon in a separate addons folder."""
    database = runtime.addon_database("example")
    folders = ",".join(map(str, (*runtime.source.addons, ADDONS, EXAMPLES)))
    server = OdooServer(runtime, database, addons_path=folders)
    yield server.start(install=EXAMPLE)
    server.kill()
    runtime.databases.drop(database)


def test_manager_of_the_order_becomes_its_salesperson(account, rpc, sandbox, wait_for):
    olena = rpc.create("res.users", name="Олена Коваль", login="olena")
    made = sandbox.control.create_order(
        manager_id=1, lines=[{"name": "Листівка", "price": 50, "quantity": 1}]
    )
    order = wait_for(lambda: account.order(made["id"], "user_id"), 60, "the order")
    assert order["user_id"][0] == olena


def test_order_of_an_unmapped_manager_has_no_salesperson(account, rpc, sandbox, wait_for):
    made = sandbox.control.create_order(
        manager_id=2, lines=[{"name": "Конверт", "price": 9, "quantity": 1}]
    )
    order = wait_for(lambda: account.order(made["id"], "user_id"), 60, "the order")
    assert order["user_id"] is False


def test_created_product_is_not_offered_in_purchase_orders(account, rpc, sandbox, wait_for):
    offer = sandbox.control.create_offer(sku="EXAMPLE-1", price=100, name="Приклад")["id"]
    made = sandbox.control.create_order(lines=[{"offer_id": offer, "quantity": 1}])
    wait_for(lambda: account.order(made["id"], "id"), 60, "the order")
    (product,) = rpc.rows(
        "product.product", ("default_code", "=", "EXAMPLE-1"), fields=["purchase_ok"]
    )
    assert product["purchase_ok"] is False
