"""Setup of a shop on both sides over RPC, for demo, tests and benchmarks."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from .odoo_server import OdooServer
from .rpc import Rpc
from .sandbox_server import SandboxServer

COMPLETED = 8  # the status "completed" of an untouched KeyCRM account


def make_account(rpc: Rpc, odoo: OdooServer, sandbox: SandboxServer, **values: Any) -> int:
    """Create an account of a sandbox, still disabled.

    :param rpc: Odoo's administrator
    :param odoo: the target of webhooks
    :param sandbox: its KeyCRM simulator
    :param values: further fields of the account
    :return: the account's id
    """
    return rpc.create(
        "keycrm.account",
        **{
            "name": "Sandbox",
            "api_key": sandbox.key,
            "api_url": sandbox.api_url,
            "public_url": odoo.url,
            **values,
        },
    )


def switch_on(rpc: Rpc, sandbox: SandboxServer, account: int) -> str:
    """Enable an account, read its statuses and register its webhook in KeyCRM.

    :param rpc: Odoo's administrator
    :param sandbox: its KeyCRM
    :param account: the account's id
    :return: the webhook link
    """
    rpc.write("keycrm.account", account, enabled=True)
    rpc.call("keycrm.account", "action_refresh_statuses", [account])
    link = str(rpc.read("keycrm.account", account, "webhook_url")["webhook_url"])
    sandbox.control.add_webhook(link)
    return link


def use_currency(rpc: Rpc, account: int, code: str = "UAH") -> None:
    """Set a currency of KeyCRM as the company's with the setup button.

    :param rpc: Odoo's administrator
    :param account: the account's id, its sources read already
    :param code: the KeyCRM currency
    """
    (currency,) = rpc.search("res.currency", ("name", "=", code))
    rpc.write("keycrm.account", account, keycrm_currency_id=currency)
    rpc.call("keycrm.account", "action_set_company_currency", [account])


def add_language(rpc: Rpc, code: str) -> None:
    """Activate a language like Odoo's dialog, with all installed addons' terms.

    :param rpc: Odoo's administrator
    :param code: such as ``uk_UA``
    """
    inactive = rpc.search("res.lang", ("code", "=", code), ("active", "=", False))
    if inactive:
        wizard = rpc.create("base.language.install", lang_ids=[(6, 0, inactive)])
        rpc.call("base.language.install", "lang_install", [wizard])


def status_ids(rpc: Rpc, account: int, *keycrm_ids: int) -> list[int]:
    """Find an account's statuses by KeyCRM's numbers.

    :param rpc: a user of Odoo
    :param account: the account's id
    :param keycrm_ids: KeyCRM's numbers
    :return: ids in Odoo
    """
    return rpc.search(
        "keycrm.order.status", ("account_id", "=", account), ("keycrm_id", "in", keycrm_ids)
    )


def order_in_odoo(rpc: Rpc, keycrm_id: int, *fields: str) -> dict[str, Any] | None:
    """Find a KeyCRM order in Odoo.

    :param rpc: a user of Odoo
    :param keycrm_id: the order's number in KeyCRM
    :param fields: fields to read
    :return: the values, or None before the import
    """
    found = rpc.rows("sale.order", ("keycrm_id", "=", keycrm_id), fields=list(fields))
    return found[0] if found else None


def receive(rpc: Rpc, warehouse: int, product: int, quantity: float) -> None:
    """Receive goods from a vendor by a validated receipt.

    :param rpc: a user of Odoo
    :param warehouse: Odoo's warehouse
    :param product: the product variant
    :param quantity: the quantity in the product's unit
    """
    kind = rpc.read("stock.warehouse", warehouse, "in_type_id")["in_type_id"][0]
    locations = rpc.read(
        "stock.picking.type", kind, "default_location_src_id", "default_location_dest_id"
    )
    source = locations["default_location_src_id"][0]
    target = locations["default_location_dest_id"][0]
    picking = rpc.create(
        "stock.picking",
        picking_type_id=kind,
        location_id=source,
        location_dest_id=target,
        move_ids=[
            (
                0,
                0,
                {
                    "product_id": product,
                    "product_uom_qty": quantity,
                    "location_id": source,
                    "location_dest_id": target,
                },
            )
        ],
    )
    rpc.call("stock.picking", "action_confirm", [picking])
    moves = rpc.search("stock.move", ("picking_id", "=", picking))
    for move in moves:
        rpc.write("stock.move", move, quantity=quantity, picked=True)
    rpc.call("stock.picking", "button_validate", [picking])


def on_hand(rpc: Rpc, product: int, warehouses: list[int]) -> Decimal:
    """Sum the on-hand quantity of warehouses.

    :param rpc: a user of Odoo
    :param product: the product variant
    :param warehouses: Odoo's warehouses
    :return: the quantity, in the product's unit
    """
    rows = rpc.rows(
        "stock.quant",
        ("product_id", "=", product),
        ("location_id.usage", "=", "internal"),
        ("location_id.warehouse_id", "in", warehouses),
        fields=["quantity"],
    )
    return sum((Decimal(str(row["quantity"])) for row in rows), Decimal())


def money(value: Any) -> str:
    """Format an amount with two decimals, so that both sides compare as text.

    :param value: the amount of one side
    :return: such as ``1290.00``
    """
    return f"{Decimal(str(value)).quantize(Decimal('0.01'))}"


def number(value: Any) -> str:
    """Format a quantity without trailing zeros, so that both sides compare as text.

    :param value: the quantity of one side
    :return: such as ``12`` or ``0.5``
    """
    return f"{Decimal(str(value)).normalize():f}"
