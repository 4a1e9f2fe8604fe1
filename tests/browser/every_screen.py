"""Every screen of the app, in a shop that has something to show on each of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import NamedTuple

from playwright.sync_api import expect

from sandbox.control import Control
from tools import shop
from tools.demo_data import COMPANY, ON_THE_WAY, DemoData
from tools.odoo_server import OdooServer
from tools.rpc import Rpc
from tools.sandbox_server import SandboxServer
from tools.screen import Screen
from tools.waiting import MAX_WAIT, wait_for

IN_PRODUCTION = 4
#: Actions that open no list, or one of a few columns that has no cards.
NO_LISTS = {
    "keycrm_buyer_action",
    "keycrm_company_action",
    "keycrm_first_setup_action",
    "keycrm_latency_action",
    "res_config_settings_action",
}
#: Icons of the types of views.
ICONS = {
    "activity": "fa-clock-o",
    "calendar": "fa-calendar",
    "graph": "fa-area-chart",
    "kanban": "oi-view-kanban",
    "list": "oi-view-list",
    "pivot": "oi-view-pivot",
}


class Place(NamedTuple):
    """A screen, and what is pressed on it.

    :param action: name of the addon's action; empty for a record's standard form
    :param record: id of the record to open, or ``new``
    :param model: the record's model, where no action is named
    :param view: type of the view to which is switched
    :param tab: technical name of the form's page
    :param press: technical name of the button that opens a dialog
    :param prepare: what else is done there
    :param on_phone: whether a phone has it too
    :param is_odoos: whether it is Odoo's own form, whose headings and titles are Odoo's too
    """

    action: str = ""
    record: int | str | None = None
    model: str = ""
    view: str = ""
    tab: str = ""
    press: str = ""
    prepare: Callable[[Screen], None] | None = None
    on_phone: bool = True
    is_odoos: bool = False

    def is_list(self) -> bool:
        """Return whether it is a list, which a phone shows as cards."""
        plain = not (self.record or self.model or self.view or self.prepare)
        return plain and self.action not in NO_LISTS

    def show(self, screen: Screen) -> None:
        """Open it in a window.

        :param screen: the window
        """
        page = screen.page
        if self.model:
            assert isinstance(self.record, int)
            screen.open_record(self.model, self.record)
        else:
            screen.open(self.action, self.record)
        if self.view:
            switch_view(screen, self.view)
        if self.tab:
            page.locator(f".o_notebook .nav-link[name={self.tab}]").click()
            page.locator(f".o_notebook .nav-link.active[name={self.tab}]").wait_for()
        if self.prepare:
            self.prepare(screen)
        if self.press:
            button = page.locator(f".o_action_manager button[name={self.press}]")
            if not button.locator("visible=true").count():
                page.locator(".o_statusbar_buttons .oi-ellipsis-v").click()
                button = page.locator(f".o-dropdown--menu button[name={self.press}]")
            button.locator("visible=true").first.click()
            page.locator(".modal").wait_for()
        screen.settle()

    def leave(self, screen: Screen) -> None:
        """Discard a new record, which Odoo saves where one goes elsewhere.

        :param screen: the window
        """
        discard = screen.page.locator(".o_form_button_cancel").locator("visible=true")
        if self.record == "new" and discard.count():
            discard.first.click()
            screen.settle()


def switch_view(screen: Screen, kind: str) -> None:
    """Switch to another type of view.

    :param screen: the window
    :param kind: such as ``pivot``
    """
    button = screen.page.locator(f".o_switch_view.o_{kind}")
    if not button.locator("visible=true").count():  # a phone has them in a menu
        screen.page.locator(".o_cp_switch_buttons button").locator("visible=true").first.click()
        item = screen.page.locator(".o_cp_switch_buttons .o-dropdown-item")
        button = item.filter(has=screen.page.locator(f".{ICONS[kind]}"))
    button.locator("visible=true").first.click()
    screen.settle()


def unfold(screen: Screen) -> None:
    """Unfold all steps of the setup.

    :param screen: the window
    """
    for heading in screen.page.locator("section.o_keycrm_step h2 button").all():
        if heading.get_attribute("aria-expanded") == "false":
            heading.click()
        expect(heading).to_have_attribute("aria-expanded", "true")
    screen.settle()


def _disable(screen: Screen) -> None:
    unfold(screen)
    screen.page.locator("section[name=start] [name=enabled] input").click()
    screen.page.locator(".modal").wait_for()


def _explain(screen: Screen) -> None:
    rows = screen.page.locator(".o_data_row, .o_kanban_record:not(.o_kanban_ghost)")
    row = rows.locator("visible=true").first
    cell = row.locator("td[name=reason]")
    (cell if cell.count() else row).click()
    screen.page.locator(".modal").wait_for()


def _select(screen: Screen) -> None:
    screen.page.locator(".o_data_row .o_list_record_selector input").first.click()


def _figures(screen: Screen) -> None:
    for place in screen.page.locator(".o_kanban_renderer details summary").all():
        place.click()


class Shop:
    """A shop of an Odoo and a sandbox, both new, that has worked for some days.

    :param odoo: a running Odoo with the addon
    :param sandbox: a running KeyCRM without orders
    """

    def __init__(self, odoo: OdooServer, sandbox: SandboxServer) -> None:
        self.rpc: Rpc = odoo.rpc()
        self.keycrm: Control = sandbox.control
        self._odoo = odoo
        self._sandbox = sandbox
        self._demo = DemoData(odoo, sandbox)
        self.account = 0
        self.records: dict[str, int] = {}

    def fill(self) -> Shop:
        """Connect both and let something happen of each kind.

        :return: this shop
        """
        self._demo.open_shop()
        self._speak_ukrainian()
        warehouses = self._demo.open_warehouses()
        numbers = self._demo.sell()
        self._connect()
        self._import(numbers)
        self._send_stock(warehouses)
        self._sell()
        self._refuse_parcel()
        self._decide()
        self._exchange()
        return self

    def _speak_ukrainian(self) -> None:
        """What Odoo writes for the company is in its language."""
        company = self.rpc.read("res.company", 1, "partner_id")
        self.rpc.write("res.partner", company["partner_id"][0], lang="uk_UA")
        (admin,) = self.rpc.search("res.users", ("login", "=", "admin"))
        self.rpc.write("res.users", admin, name="Тарас Мельник")

    def _connect(self) -> None:
        rpc = self.rpc
        self.account = shop.make_account(
            *(rpc, self._odoo, self._sandbox),
            name=COMPANY,
            import_payments=True,
            stock_quantity="available",
        )
        self._press("action_test_connection")
        self._press("action_refresh_statuses")
        shop.use_currency(rpc, self.account)
        archive = shop.status_ids(rpc, self.account, shop.COMPLETED)
        rpc.write("keycrm.account", self.account, archive_status_ids=[(6, 0, archive)])
        self._press("action_load_all_products")
        self._wait("import", "keycrm.product.import", "done")
        shop.switch_on(rpc, self._sandbox, self.account)

    def _import(self, numbers: list[int]) -> None:
        chosen = shop.status_ids(self.rpc, self.account, 1, 2, 4, 5, shop.COMPLETED)
        sync = self.rpc.create(
            "keycrm.order.sync", account_id=self.account, status_ids=[(6, 0, chosen)]
        )
        self.rpc.call("keycrm.order.sync", "action_start", [sync])
        for number in numbers:
            self._demo.wait_for_order(number)
        self._wait("sync", "keycrm.order.sync", "done")

    def _send_stock(self, warehouses: tuple[int, ...]) -> None:
        """Send the stock of one warehouse; the preview of another one waits for its user."""
        rpc = self.rpc
        self._press("action_refresh_warehouses")
        self._demo.count_stock(warehouses)
        for number, ours in ((1, warehouses), (2, ())):
            self._match(number, *ours)
        self._press("action_preview_stock")
        preview = self._wait("preview", "keycrm.stock.comparison", "ready")
        rpc.call("keycrm.stock.comparison", "action_send", [preview])
        self._wait_until_sent()
        self._press("action_push_all_stock")
        self._wait("export", "keycrm.stock.export", "done")
        self._press("action_compare_stock")
        self._wait("comparison", "keycrm.stock.comparison", "done", kind="comparison")
        rpc.create("product.product", name="Ваза скляна", default_code="VASE", is_storable=True)
        vase = rpc.search("product.product", ("default_code", "=", "VASE"))[0]
        shop.receive(rpc, warehouses[0], vase, 3)
        self._match(2, rpc.create("stock.warehouse", name="Виставка", code="SHOW"))
        self._press("action_preview_stock")
        self._wait("preview", "keycrm.stock.comparison", "ready")

    def _match(self, number: int, *ours: int) -> None:
        theirs = self.rpc.search("keycrm.warehouse", ("keycrm_id", "=", number))
        self.rpc.write("keycrm.warehouse", theirs[0], warehouse_ids=[(6, 0, ours)])

    def _sell(self) -> None:
        self.records["order"] = self._demo.wait_for_order(self._demo.sell_one_more())
        for number in self._demo.sell_today():
            self._demo.wait_for_order(number)
        # Long words, and a day on which the parcel is to be shipped.
        dress = self.keycrm.create_offer(sku="LINEN-DRESS-XL", name="Сукня лляна", stock={1: 3})
        planned = self.keycrm.create_order(
            status_id=IN_PRODUCTION,
            buyer={"full_name": "Олександра Коваленко-Мельниченко"},
            lines=[{"offer_id": dress["id"], "quantity": 1}],
            shipping={
                "shipping_date": str(date.today()),
                "tracking_code": "20451001110099",
                "recipient_full_name": "Олександра Коваленко-Мельниченко",
                "shipping_address_city": "Кам’янець-Подільський",
                "shipping_receive_point": "Відділення №12 (до 30 кг): вул. Васильківська, 100",
            },
        )
        order = self._demo.wait_for_order(planned["id"])
        (product,) = self.rpc.search("product.product", ("default_code", "=", dress["sku"]))
        shop.receive(self.rpc, self.rpc.search("stock.warehouse", limit=1)[0], product, 2)
        pickings = self.rpc.read("sale.order", order, "picking_ids")["picking_ids"]
        self.rpc.call("stock.picking", "action_assign", pickings)

    def _refuse_parcel(self) -> None:
        """Ship a parcel that is refused: its return is expected."""
        rpc = self.rpc
        (order,) = rpc.rows(
            "sale.order",
            ("keycrm_status_id.keycrm_id", "=", ON_THE_WAY),
            ("picking_ids.state", "=", "assigned"),
            fields=["keycrm_id", "picking_ids", "keycrm_tracking_code", "partner_id"],
            limit=1,
        )
        rpc.call("stock.picking", "button_validate", order["picking_ids"])
        self.keycrm.patch_order(
            order["keycrm_id"],
            shipping={
                "tracking_code": order["keycrm_tracking_code"],
                "recipient_full_name": order["partner_id"][1],
                "shipping_status": "refused",
            },
        )
        self.keycrm.send_webhook(order["keycrm_id"])
        (self.records["return"],) = wait_for(
            lambda: rpc.search("stock.picking", ("return_id", "!=", False)), MAX_WAIT, "the return"
        )

    def _decide(self) -> None:
        self.records["differs"] = self._demo.differ()
        self.records["discount"] = self._demo.exceed_by_discount()
        self.records["failed"] = self._demo.fail()

    def _exchange(self) -> None:
        rpc = self.rpc
        self.records["send"] = self._demo.preview_costs(self.account)
        self.records["create"] = self._demo.create_in_keycrm()
        rpc.create(
            "keycrm.product.mapping",
            account_id=self.account,
            sku="ROZ-1",
            product_id=rpc.search("product.product", ("default_code", "=", "SCARF"))[0],
        )
        for name, model, *domain in (
            ("event", "keycrm.event", ("state", "=", "done")),
            ("offer", "keycrm.offer", ("sku", "=", "LINEN-DRESS-XL")),
            ("variant", "product.product", ("default_code", "=", "SH-WHITE-M")),
            ("payment", "keycrm.payment"),
            ("mapping", "keycrm.product.mapping"),
            ("status", "keycrm.order.status"),
            ("source", "keycrm.source"),
            ("method", "keycrm.payment.method"),
        ):
            self.records[name] = rpc.search(model, *domain, limit=1)[0]
        order = rpc.read("sale.order", self.records["order"], "picking_ids", "partner_id")
        self.records["delivery"] = order["picking_ids"][0]
        self.records["buyer"] = order["partner_id"][0]
        variant = rpc.read("product.product", self.records["variant"], "product_tmpl_id")
        self.records["product"] = variant["product_tmpl_id"][0]

    def _press(self, method: str) -> None:
        self.rpc.call("keycrm.account", method, [self.account])

    def _wait(self, name: str, model: str, state: str, **values: str) -> int:
        domain = [(key, "=", value) for key, value in {"state": state, **values}.items()]
        found = wait_for(lambda: self.rpc.search(model, *domain), MAX_WAIT, f"{model}: {state}")
        self.records[name] = found[0]
        return found[0]

    def _wait_until_sent(self) -> None:
        wait_for(
            lambda: not self.rpc.search("keycrm.stock.change", ("account_id", "=", self.account)),
            MAX_WAIT,
            "the stock in KeyCRM",
        )

    def places(self) -> dict[str, Place]:
        """Return all screens by their names."""
        orders, archive, pack = (
            "keycrm_order_action",
            "keycrm_order_archive_action",
            "keycrm_pack_action",
        )
        account, setup, stock = (
            *("keycrm_account_action", "keycrm_setup_action", "keycrm_stock_report_action"),
        )
        comparison = "keycrm_stock_comparison_action"
        at = self.records
        return {
            "overview": Place("keycrm_overview_action", prepare=_figures),
            "orders": Place(orders),
            "orders-board": Place(orders, view="kanban"),
            "orders-calendar": Place(orders, view="calendar"),
            "orders-pivot": Place(orders, view="pivot"),
            "orders-graph": Place(orders, view="graph"),
            "orders-activity": Place(orders, view="activity"),
            "order": Place(orders, at["order"], is_odoos=True),
            "order-keycrm": Place(orders, at["order"], tab="keycrm", is_odoos=True),
            "order-cancel": Place(orders, at["order"], press="action_cancel", is_odoos=True),
            "order-differs": Place(orders, at["differs"], is_odoos=True),
            "order-discount": Place(orders, at["discount"], is_odoos=True),
            "order-confirm": Place(orders, at["differs"], press="action_confirm", is_odoos=True),
            "orders-selected": Place(orders, prepare=_select, on_phone=False),
            "archive": Place(archive),
            "archive-pivot": Place(archive, view="pivot"),
            "archive-graph": Place(archive, view="graph"),
            "offers": Place("keycrm_offer_action"),
            "offer": Place("keycrm_offer_action", at["offer"]),
            "product": Place(
                model="product.template", record=at["product"], tab="keycrm", is_odoos=True
            ),
            "variant": Place(
                model="product.product", record=at["variant"], tab="keycrm", is_odoos=True
            ),
            "buyer": Place(model="res.partner", record=at["buyer"], is_odoos=True),
            "pack": Place(pack),
            "pack-board": Place(pack, view="kanban"),
            "pack-calendar": Place(pack, view="calendar"),
            "pack-selected": Place(pack, prepare=_select, on_phone=False),
            "parcel": Place(pack, at["delivery"], is_odoos=True),
            "warehouses": Place("keycrm_warehouse_action"),
            "waiting": Place("keycrm_stock_change_action"),
            "stock": Place(stock),
            "stock-why": Place(stock, prepare=_explain),
            "stock-selected": Place(stock, prepare=_select, on_phone=False),
            "refused": Place("keycrm_stock_refused_action"),
            "missing": Place("keycrm_missing_sku_action"),
            "comparisons": Place(comparison),
            "preview": Place(comparison, at["preview"]),
            "preview-send": Place(comparison, at["preview"], press="action_send"),
            "preview-opening": Place(comparison, at["preview"], press="action_take_opening"),
            "comparison": Place(comparison, at["comparison"]),
            "replenish": Place("keycrm_replenish_server_action"),
            "returns": Place("stock_picking_returns_action"),
            "return": Place("stock_picking_returns_action", at["return"], is_odoos=True),
            "payments": Place("keycrm_payment_action"),
            "payment": Place("keycrm_payment_action", at["payment"]),
            "transactions": Place("keycrm_transaction_action"),
            "events": Place("keycrm_event_action"),
            "event": Place("keycrm_event_action", at["event"]),
            "event-failed": Place("keycrm_event_action", at["failed"]),
            "syncs": Place("keycrm_order_sync_action"),
            "sync": Place("keycrm_order_sync_action", at["sync"]),
            "sync-new": Place("keycrm_order_sync_action", "new"),
            "imports": Place("keycrm_product_import_action"),
            "import": Place("keycrm_product_import_action", at["import"]),
            "import-new": Place("keycrm_product_import_action", "new"),
            "exports": Place("keycrm_stock_export_action"),
            "export": Place("keycrm_stock_export_action", at["export"]),
            "times": Place("keycrm_latency_action"),
            "times-pivot": Place("keycrm_latency_action", view="pivot"),
            "times-list": Place("keycrm_latency_action", view="list"),
            "updates": Place("keycrm_order_update_action"),
            "creations": Place("keycrm_product_export_action"),
            "creation": Place("keycrm_product_export_action", at["create"]),
            "send-previews": Place("keycrm_send_preview_action"),
            "send-preview": Place("keycrm_send_preview_action", at["send"]),
            "setup": Place(setup, self.account, prepare=unfold),
            "setup-first": Place("keycrm_first_setup_action"),
            "setup-new": Place("keycrm_overview_action", "new"),
            "setup-disable": Place(setup, self.account, prepare=_disable),
            "settings": Place("res_config_settings_action"),
            "accounts": Place(account),
            **{
                f"account-{tab}": Place(account, self.account, tab=tab)
                for tab in ("statuses", "warehouses", "sending", "connection")
            },
            "account-new": Place(account, "new"),
            "account-link": Place(
                account, self.account, tab="connection", press="action_new_webhook_token"
            ),
            "statuses": Place("keycrm_order_status_action"),
            "status": Place("keycrm_order_status_action", at["status"]),
            "sources": Place("keycrm_source_action"),
            "source": Place("keycrm_source_action", at["source"]),
            "methods": Place("keycrm_payment_method_action"),
            "method": Place("keycrm_payment_method_action", at["method"]),
            "mappings": Place("keycrm_product_mapping_action"),
            "mapping": Place("keycrm_product_mapping_action", at["mapping"]),
            "buyers": Place("keycrm_buyer_action"),
            "companies": Place("keycrm_company_action"),
        }

    def menu_actions(self) -> set[str]:
        """Return the names of the actions of all the app's menus."""
        (root,) = self.rpc.rows(
            "ir.model.data",
            ("module", "=", "ordage_keycrm"),
            ("name", "=", "menu_root"),
            fields=["res_id"],
        )
        menus = self.rpc.rows(
            "ir.ui.menu",
            ("id", "child_of", root["res_id"]),
            ("action", "!=", False),
            fields=["action"],
        )
        names = set()
        for menu in menus:
            model, action = menu["action"].split(",")
            (found,) = self.rpc.rows(
                "ir.model.data",
                ("model", "=", model),
                ("res_id", "=", int(action)),
                fields=["name"],
            )
            names.add(found["name"])
        return names
