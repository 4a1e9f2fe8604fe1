"""Order lines to be manufactured, with Odoo's Manufacturing installed."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="module")
def rpc(odoo):
    """Return Odoo's administrator, with Manufacturing installed."""
    rpc = odoo.rpc()
    module = rpc.search("ir.module.module", ("name", "=", "mrp"))
    rpc.call("ir.module.module", "button_immediate_install", module)
    return odoo.rpc()


def test_a_product_with_a_bill_of_materials_is_made_to_order(account, rpc, wait_for):
    product = rpc.create(
        "product.product", name="Стіл", default_code="STIL-1", type="consu", is_storable=True
    )
    template = rpc.read("product.product", product, "product_tmpl_id")["product_tmpl_id"][0]
    board = rpc.create("product.product", name="Дошка", type="consu", is_storable=True)
    route = rpc.search("stock.route", ("name", "=", "Manufacture"))
    rpc.write("product.product", product, route_ids=[(6, 0, route)])
    rpc.create(
        "mrp.bom",
        product_tmpl_id=template,
        product_qty=1,
        bom_line_ids=[(0, 0, {"product_id": board, "product_qty": 4})],
    )
    offer = account.keycrm.create_offer(sku="STIL-1", price=2000, name="Стіл")["id"]
    line = {"offer_id": offer, "price": 2000, "quantity": 3, "shipment_type": "manufacturing"}
    number = account.keycrm.create_order(lines=[line], status_id=4)["id"]
    order = wait_for(lambda: account.order(number, "name", "state"), 60, "the order")
    assert order["state"] == "sale"
    made = rpc.rows(
        "mrp.production", ("product_id", "=", product), fields=["product_qty", "origin", "state"]
    )
    assert [(row["product_qty"], row["state"]) for row in made] == [(3.0, "confirmed")]
    assert order["name"] in made[0]["origin"]
