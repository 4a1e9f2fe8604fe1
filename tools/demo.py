"""``make demo``: the main scenario on a real Odoo and a local KeyCRM simulator.

Each step changes one side and waits for the result on the other. At the end a table compares both.
"""

from __future__ import annotations

import time
import xmlrpc.client
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

from . import shop, wkhtmltopdf
from .messages import UserError, echo, step
from .odoo_server import OdooServer
from .runtime import Runtime
from .sandbox_server import SandboxServer
from .table import table
from .templates import ADDON
from .waiting import MAX_WAIT, ConditionTimeout, wait_for

_KEYCRM_WAREHOUSE = 1
_RECEIVED = (7, 5)  # pieces, in the first and the second Odoo warehouse


def main(_arguments: list[str]) -> int:
    """Run the main scenario.

    :return: the exit code
    """
    with Runtime() as runtime:
        odoo, sandbox = start(runtime)
        Demo(odoo, sandbox).run()
    echo("every step was confirmed on both sides")
    return 0


def start(
    runtime: Runtime,
    odoo_port: int | None = None,
    sandbox_port: int = 0,
    *,
    orders: int = 60,
    offers: int = 20,
) -> tuple[OdooServer, SandboxServer]:
    """Start Odoo with the addon on a new database, and a sandbox with orders.

    :param runtime: the Odoo and the database server to use
    :param odoo_port: by default any free one
    :param sandbox_port: 0 for any free one
    :param orders: number of orders in KeyCRM at the start
    :param offers: number of offers in KeyCRM at the start
    :return: both servers, running
    """
    sandbox = SandboxServer(runtime.folder, port=sandbox_port, orders=orders, offers=offers).start()
    echo(f"KeyCRM sandbox at {sandbox.url}")
    odoo = OdooServer(
        runtime,
        runtime.plain_database("demo"),
        port=odoo_port,
        environment=wkhtmltopdf.environment(),
    )
    with step(f"installing the addon {ADDON} into a fresh database"):
        odoo.start(install=ADDON)
    echo(f"Odoo at {odoo.url}, database {odoo.database}")
    return odoo, sandbox


class Demo:
    """The steps, each checked on both sides.

    :param odoo: a running Odoo on a fresh database with the addon
    :param sandbox: a running KeyCRM with orders
    """

    def __init__(self, odoo: OdooServer, sandbox: SandboxServer) -> None:
        self._odoo = odoo
        self._sandbox = sandbox
        self._keycrm = sandbox.control
        self._rpc = odoo.rpc()
        self._rows: list[tuple[str, str, str]] = []
        self._account = 0

    def run(self) -> None:
        """Run all steps and print the table.

        :raise UserError: if a step was not confirmed on both sides
        """
        with self._step("fresh default Odoo without orders"):
            self._begin()
        with self._step("API key pasted, connection tested, integration enabled"):
            self._connect()
        with self._step("company currency set to hryvnias with one click"):
            self._use_currency()
        with self._step("order statuses loaded"):
            self._read_statuses()
        with self._step("two Odoo warehouses mapped to one KeyCRM warehouse"):
            warehouses = self._match_warehouses()
        with self._step('"Synchronize orders" for two statuses'):
            self._synchronize()
        with self._step("a new order in KeyCRM arrives in Odoo"):
            order, product, offer = self._new_order()
        with self._step("products received in both Odoo warehouses, the sum exported to KeyCRM"):
            self._receive_goods(warehouses, product, offer)
        with self._step("the order completed in KeyCRM, archived in Odoo"):
            self._archive(order)
        print(f"\n{table(('', 'KeyCRM', 'Odoo'), self._rows)}\n", flush=True)

    # === STEPS ===

    def _begin(self) -> None:
        self._check(self._rpc.search("sale.order") == [], "the database already holds orders")

    def _connect(self) -> None:
        self._account = shop.make_account(self._rpc, self._odoo, self._sandbox)
        before = len(self._keycrm.requests())
        self._rpc.call("keycrm.account", "action_test_connection", [self._account])
        answered = self._keycrm.requests()[before:]
        self._check(
            any(request["status"] == 200 for request in answered),
            "KeyCRM received no request with the right key",
        )
        link = shop.switch_on(self._rpc, self._sandbox, self._account)
        self._check(
            link.startswith(f"{self._odoo.url}/keycrm/webhook/"), f"unexpected webhook link: {link}"
        )
        targets = [target["url"] for target in self._keycrm.webhooks()]
        self._check(targets == [link], "KeyCRM does not have Odoo's webhook link")
        self._add_row(
            "webhook link, without its secret", *(url.rsplit("/", 1)[0] for url in (*targets, link))
        )

    def _use_currency(self) -> None:
        theirs = {source["currency_code"] for source in self._keycrm.sources()}
        ours = {row["name"] for row in self._rpc.rows("res.currency", fields=["name"])}
        self._check(theirs <= ours, f"not activated in Odoo: {sorted(theirs - ours)}")
        shop.use_currency(self._rpc, self._account)
        (company,) = self._rpc.rows("res.company", fields=["currency_id"])
        self._check_equal("currency of the shop", "UAH", company["currency_id"][1])

    def _read_statuses(self) -> None:
        theirs = {status["id"]: status["name"] for status in self._keycrm.statuses()}
        ours = self._rpc.rows(
            "keycrm.order.status",
            ("account_id", "=", self._account),
            fields=["keycrm_id", "name"],
        )
        self._check_equal("statuses", len(theirs), len(ours))
        self._check(theirs == {row["keycrm_id"]: row["name"] for row in ours}, "statuses differ")
        archive = shop.status_ids(self._rpc, self._account, shop.COMPLETED)
        self._rpc.write("keycrm.account", self._account, archive_status_ids=[(6, 0, archive)])

    def _match_warehouses(self) -> list[int]:
        rpc = self._rpc
        rpc.call("keycrm.account", "action_refresh_warehouses", [self._account])
        first = rpc.search("stock.warehouse", limit=1)[0]
        second = rpc.create("stock.warehouse", name="Цех", code="TSEH")
        (theirs,) = (w for w in self._keycrm.warehouses() if w["id"] == _KEYCRM_WAREHOUSE)
        found = rpc.rows(
            "keycrm.warehouse",
            ("account_id", "=", self._account),
            ("keycrm_id", "=", _KEYCRM_WAREHOUSE),
            fields=["name"],
        )
        self._check(bool(found), "Odoo did not load KeyCRM's warehouse")
        rpc.write("keycrm.warehouse", found[0]["id"], warehouse_ids=[(6, 0, [first, second])])
        rpc.write("keycrm.account", self._account, push_stock=True, warehouse_id=first)
        self._check_equal("warehouse", theirs["name"], found[0]["name"])
        return [first, second]

    def _synchronize(self) -> None:
        rpc = self._rpc
        ids = self._two_statuses()
        run = rpc.create(
            "keycrm.order.sync",
            account_id=self._account,
            status_ids=[(6, 0, shop.status_ids(rpc, self._account, *ids))],
        )
        rpc.call("keycrm.order.sync", "action_start", [run])

        def finished() -> bool:
            state = rpc.read("keycrm.order.sync", run, "state", "done_count", "failed_count")
            return state["state"] not in ("draft", "running")

        wait_for(finished, MAX_WAIT, "the end of the synchronization")
        ended = rpc.read("keycrm.order.sync", run, "state", "created_count", "failed_count")
        self._check(ended["state"] == "done", f"the run ended as {ended['state']}")
        self._check(ended["failed_count"] == 0, f"{ended['failed_count']} orders failed")
        theirs = self._keycrm.summary(ids)
        ours = rpc.rows(
            "sale.order", ("keycrm_status_id.keycrm_id", "in", ids), fields=["amount_total"]
        )
        total = sum((Decimal(shop.money(row["amount_total"])) for row in ours), Decimal())
        self._check_equal("orders of two statuses", theirs["count"], len(ours))
        self._check_equal("their total", shop.money(theirs["grand_total"]), shop.money(total))

    def _new_order(self) -> tuple[int, int, int]:
        begun = time.monotonic()
        made = self._keycrm.create_sample_order()["answer"]
        number = int(made["id"])
        fields = ("id", "name", "amount_total", "partner_id", "state")
        order = wait_for(
            lambda: shop.order_in_odoo(self._rpc, number, *fields),
            MAX_WAIT,
            f"order {number} in Odoo",
        )
        echo(
            f"  {time.monotonic() - begun:.1f} s after its creation: {order['name']}, "
            f"{order['partner_id'][1]}"
        )
        lines = self._rpc.rows(
            "sale.order.line",
            ("order_id", "=", order["id"]),
            ("product_id", "!=", False),
            fields=[
                "name",
                "product_id",
                "product_uom_qty",
                "price_unit",
                "price_total",
                "keycrm_id",
            ],
        )
        codes = self._codes(lines)
        for line in lines:
            echo(
                f"    {line['product_uom_qty']:g} × {line['name']} [{codes[line['product_id'][0]]}]"
                f" = {shop.money(line['price_total'])}"
            )
        by_line = {line["keycrm_id"]: line for line in lines}
        theirs = {line["id"]: line for line in made["products"]}
        self._check(theirs.keys() <= by_line.keys(), "Odoo does not have all lines of the order")
        self._check(all(codes.values()), "a product in Odoo has no SKU")
        self._check(
            any("Сорочка, біла, M" in line["name"] for line in lines),
            'no line reads "Сорочка, біла, M"',
        )
        self._check_equal(
            f"lines of order {number}", len(theirs), len(theirs.keys() & by_line.keys())
        )
        self._check_equal(
            "its total", shop.money(made["grand_total"]), shop.money(order["amount_total"])
        )
        exported = next(line for line in theirs.values() if line.get("offer") and line["sku"])
        return number, by_line[exported["id"]]["product_id"][0], exported["offer"]["id"]

    def _receive_goods(self, warehouses: list[int], product: int, offer: int) -> None:
        for warehouse, quantity in zip(warehouses, _RECEIVED, strict=True):
            shop.receive(self._rpc, warehouse, product, quantity)
        begun = time.monotonic()
        ours = shop.on_hand(self._rpc, product, warehouses)
        self._check(
            ours == sum(_RECEIVED), f"Odoo has {shop.number(ours)} instead of {sum(_RECEIVED)}"
        )

        def theirs() -> Decimal:
            stock = self._keycrm.stock(offer)["warehouses"].get(str(_KEYCRM_WAREHOUSE), {})
            return Decimal(str(stock.get("quantity", 0)))

        wait_for(
            lambda: theirs() == ours,
            MAX_WAIT,
            f"{shop.number(ours)} pieces of offer {offer} in KeyCRM",
        )
        echo(f"  {time.monotonic() - begun:.1f} s after the second receipt")
        self._check_equal("stock of the received product", shop.number(theirs()), shop.number(ours))

    def _archive(self, number: int) -> None:
        begun = time.monotonic()
        moved = self._keycrm.set_status(number, shop.COMPLETED)["answer"]
        order = wait_for(
            lambda: (
                (
                    found := shop.order_in_odoo(
                        self._rpc, number, "keycrm_archived", "keycrm_status_id"
                    )
                )
                and found["keycrm_archived"]
                and found
            ),
            MAX_WAIT,
            f"order {number} in Odoo's archive",
        )
        echo(f"  {time.monotonic() - begun:.1f} s after the status change")
        status = order["keycrm_status_id"][0]
        ours = self._rpc.read("keycrm.order.status", status, "name")["name"]
        self._check_equal(f"status of order {number}", moved["status"]["name"], ours)
        self._add_row("where it is shown", "completed", "order archive")

    # === HELPERS ===

    def _two_statuses(self) -> list[int]:
        """Choose the two statuses with the most orders, except archive statuses."""
        counts = Counter(
            {
                status["id"]: self._keycrm.summary([status["id"]])["count"]
                for status in self._keycrm.statuses()
                if status["group_id"] <= 3
            }
        )
        return [status for status, _count in counts.most_common(2)]

    def _codes(self, lines: list[dict]) -> dict[int, str]:
        ids = [line["product_id"][0] for line in lines]
        rows = self._rpc.rows("product.product", ("id", "in", ids), fields=["default_code"])
        return {row["id"]: row["default_code"] or "" for row in rows}

    @contextmanager
    def _step(self, title: str) -> Iterator[None]:
        begun = time.monotonic()
        echo(f"— {title}")
        try:
            yield
        except ConditionTimeout as error:
            raise UserError(f'Step "{title}": {error}.{self._odoo_errors()}') from error
        except xmlrpc.client.Fault as fault:
            raise UserError(f'Step "{title}": Odoo refused: {fault.faultString[-2000:]}') from fault
        echo(f"  confirmed after {time.monotonic() - begun:.1f} s")

    def _odoo_errors(self) -> str:
        lines = [line for line in self._odoo.log_text().splitlines() if " INFO " not in line]
        failed = self._rpc.rows("keycrm.event", ("state", "=", "failed"), fields=["error"], limit=3)
        errors = [f"Event: {event['error']}" for event in failed]
        return "\n".join(["", *errors, "Odoo's log:", *lines[-40:]])

    def _check(self, condition: bool, message: str) -> None:
        if not condition:
            raise ConditionTimeout(message)

    def _check_equal(self, what: str, keycrm: object, odoo: object) -> None:
        self._check(keycrm == odoo, f"{what}: {keycrm} in KeyCRM, {odoo} in Odoo")
        self._add_row(what, str(keycrm), str(odoo))

    def _add_row(self, what: str, keycrm: str, odoo: str) -> None:
        self._rows.append((what, keycrm, odoo))
