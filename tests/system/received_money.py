"""Money that Odoo receives for orders of KeyCRM, over RPC as a bookkeeper enters it."""

from __future__ import annotations

import contextlib
from datetime import date
from xmlrpc.client import Fault

from tools import shop


def use_hryvnias(account) -> None:
    """Let the company of an account work in the currency of KeyCRM's orders."""
    company = account.rpc.rows("res.company", fields=["currency_id"], limit=1)[0]
    if company["currency_id"][1] != "UAH":
        shop.use_currency(account.rpc, account.id)


def prepare(account) -> int:
    """Let an account send received money; return the bank journal."""
    rpc = account.rpc
    use_hryvnias(account)
    (journal,) = rpc.search("account.journal", ("type", "=", "bank"), limit=1)
    (line,) = rpc.search(
        "account.payment.method.line",
        ("journal_id", "=", journal),
        ("payment_type", "=", "inbound"),
        limit=1,
    )
    if not rpc.read("account.payment.method.line", line, "payment_account_id")[
        "payment_account_id"
    ]:
        outstanding = rpc.create(
            "account.account",
            name="Outstanding",
            code="101999",
            account_type="asset_current",
            reconcile=True,
        )
        rpc.write("account.payment.method.line", line, payment_account_id=outstanding)
    (method,) = rpc.search("keycrm.payment.method", ("account_id", "=", account.id), limit=1)
    rpc.write("keycrm.payment.method", method, sent_journal_ids=[(6, 0, [journal])])
    account.write(send_payments=True)
    return journal


def invoice(rpc, order: int) -> int:
    """Invoice what was ordered; return the posted invoice."""
    lines = rpc.rows("sale.order.line", ("order_id", "=", order), fields=["product_id"])
    products = [line["product_id"][0] for line in lines if line["product_id"]]
    rpc.call("product.product", "write", products, {"invoice_policy": "order"})
    wizard = rpc.create(
        "sale.advance.payment.inv",
        sale_order_ids=[(6, 0, [order])],
        advance_payment_method="delivered",
    )
    # Its answer holds a None, which XML-RPC cannot carry.
    with contextlib.suppress(Fault):
        rpc.call("sale.advance.payment.inv", "create_invoices", [wizard])
    (made,) = rpc.read("sale.order", order, "invoice_ids")["invoice_ids"]
    rpc.write("account.move", made, invoice_date=date.today().isoformat())
    rpc.call("account.move", "action_post", [made])
    return made


def pay(rpc, invoice_id: int, journal: int, amount: float) -> None:
    """Register a payment of an invoice."""
    open_before = rpc.read("account.move", invoice_id, "amount_residual")["amount_residual"]
    (wizard,) = rpc.call(
        "account.payment.register",
        "create",
        [{"journal_id": journal, "amount": amount}],
        context={"active_model": "account.move", "active_ids": [invoice_id]},
    )
    with contextlib.suppress(Fault):
        rpc.call("account.payment.register", "action_create_payments", [wizard])
    assert rpc.read("account.move", invoice_id, "amount_residual")["amount_residual"] < open_before
