"""Loyalty programs of Odoo are not applied to orders of KeyCRM."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="module")
def rpc(odoo):
    """Return Odoo's administrator, with a program that mails a coupon for each order."""
    rpc = odoo.rpc()
    module = rpc.search("ir.module.module", ("name", "=", "sale_loyalty"))
    rpc.call("ir.module.module", "button_immediate_install", module)
    rpc = odoo.rpc()
    mail = rpc.create(
        "mail.template",
        name="Ваш купон",
        model_id=rpc.search("ir.model", ("model", "=", "loyalty.card"))[0],
        subject="Ваш купон",
        partner_to="{{ object.order_id.partner_id.id }}",
    )
    rpc.create(
        "loyalty.program",
        name="Купон на наступне",
        program_type="next_order_coupons",
        applies_on="future",
        trigger="auto",
        rule_ids=[(0, 0, {"minimum_qty": 1})],
        reward_ids=[(0, 0, {"reward_type": "discount", "discount": 10})],
        communication_plan_ids=[(0, 0, {"trigger": "create", "mail_template_id": mail})],
    )
    return rpc


def test_no_loyalty_program_is_applied_to_orders_of_keycrm(account, rpc, wait_for):
    own = rpc.create(
        "sale.order",
        partner_id=rpc.create("res.partner", name="Свій", email="svii@example.com"),
        order_line=[
            (0, 0, {"product_id": rpc.create("product.product", name="Річ", list_price=10)})
        ],
    )
    rpc.call("sale.order", "action_confirm", [own])
    cards = rpc.search("loyalty.card")
    assert cards, "orders of Odoo itself get their coupon"
    buyer = account.keycrm.create_buyer(full_name="Чужа", emails=["chuzha@example.com"])["id"]
    line = {"name": "Кухоль", "price": 100, "quantity": 2}
    number = account.keycrm.create_order(lines=[line], status_id=4, client_id=buyer)["id"]
    order = wait_for(lambda: account.order(number, "state", "amount_total"), 60, "the order")
    assert (order["state"], order["amount_total"]) == ("sale", 200)
    assert rpc.search("loyalty.card") == cards
    partner = rpc.search("res.partner", ("email", "=", "chuzha@example.com"))
    assert not rpc.search("mail.mail", ("recipient_ids", "in", partner))
