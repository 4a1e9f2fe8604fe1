"""``make pictures``: the pictures of the guides and of the README, taken from the running system.

A small shop is set up on both sides as a person would do it. At each stage two people look at the same
screen, one in English, one in Ukrainian. What they see is kept with few colours, so that it stays small.
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageChops
from playwright.sync_api import Browser

from . import chromium, shop
from .demo import start
from .messages import say
from .odoo_server import OdooServer
from .paths import ADDONS
from .runtime import Runtime
from .sandbox_server import SandboxServer
from .scene import GOODS, Scene
from .screen import Screen
from .templates import ADDON
from .waiting import wait_for

#: The guides' pictures, a folder for each language; Odoo's list of apps shows some of them too.
GUIDE = ADDONS / ADDON / "static" / "description" / "guide"
LANGUAGES = {"en": "en_US", "uk": "uk_UA"}
SIZE = (1280, 720)
_GAP = 16  # pixels left below what is drawn
_NAMES = {"en": "Olena (English)", "uk": "Олена"}


def main(_arguments: list[str]) -> int:
    """Play the scene and take the pictures.

    :return: the exit code
    """
    with Runtime() as runtime, chromium.browser() as browser:
        odoo, sandbox = start(runtime, orders=0, offers=0)
        Photographer(browser, odoo, sandbox, runtime.free_name("pictures")).run()
    return 0


class Photographer:
    """Two people before the same shop.

    :param browser: a browser
    :param odoo: a running Odoo with the addon on a fresh database
    :param sandbox: a running KeyCRM without orders
    :param folder: where pictures lie until they are made small
    """

    def __init__(
        self, browser: Browser, odoo: OdooServer, sandbox: SandboxServer, folder: Path
    ) -> None:
        self._browser = browser
        self._odoo = odoo
        self._sandbox = sandbox
        self._folder = folder
        self._rpc = odoo.rpc()
        self._scene = Scene(odoo, sandbox)
        self._screens: dict[str, Screen] = {}

    def run(self) -> None:
        """Set the shop up, step by step, and take a picture of each."""
        self._scene.open_shop()
        self._let_people_in()
        account = self._connect()
        self._bring_products_and_orders(account)
        self._match_warehouses(account)
        self._work(account)

    # === STAGES ===

    def _let_people_in(self) -> None:
        (admin,) = self._rpc.search("res.users", ("login", "=", "admin"))
        groups = self._rpc.read("res.users", admin, "group_ids")["group_ids"]
        for name, language in LANGUAGES.items():
            (known,) = self._rpc.search(
                "res.lang", ("code", "=", language), context={"active_test": False}
            )
            self._rpc.write("res.lang", known, active=True)
            self._rpc.create(
                "res.users",
                name=_NAMES[name],
                login=name,
                password=name,
                lang=language,
                odoobot_state="disabled",
                group_ids=[(6, 0, groups)],
            )
            self._screens[name] = Screen(
                self._browser, self._odoo, language=language, size=SIZE, folder=self._folder / name
            )
            self._screens[name].log_in(name, name)
            self._screens[name].open("keycrm_order_action")  # the app whose menus are shown

    def _connect(self) -> int:
        account = shop.make_account(
            self._rpc, self._odoo, self._sandbox, name="Льон і мед", import_payments=True
        )
        self._rpc.call("keycrm.account", "action_test_connection", [account])
        self._rpc.call("keycrm.account", "action_refresh_statuses", [account])
        self._take("setup-key", "keycrm_setup_action", account)
        shop.switch_on(self._rpc, self._sandbox, account)
        # KeyCRM has the link that works here; people are shown one as theirs will look.
        self._rpc.write("keycrm.account", account, public_url="https://odoo.example.com")
        self._take("setup-webhook", "keycrm_setup_action", account, scroll="section[name=webhook]")
        archive = shop.status_ids(self._rpc, account, shop.COMPLETED)
        self._rpc.write("keycrm.account", account, archive_status_ids=[(6, 0, archive)])
        return account

    def _bring_products_and_orders(self, account: int) -> None:
        numbers = self._scene.sell(webhook=False)
        run = self._rpc.create(
            "keycrm.order.sync",
            account_id=account,
            status_ids=[(6, 0, shop.status_ids(self._rpc, account, 1, 2, 4, 5, shop.COMPLETED))],
        )
        self._rpc.call("keycrm.order.sync", "action_start", [run])
        for number in numbers:
            self._scene.arrived(number)
        wait_for(
            lambda: self._rpc.read("keycrm.order.sync", run, "state")["state"] == "done",
            120,
            "the end of the synchronisation",
        )
        self._take("sync", "keycrm_order_sync_action", run)

    def _match_warehouses(self, account: int) -> None:
        warehouse = self._rpc.search("stock.warehouse", limit=1)[0]
        self._rpc.write("stock.warehouse", warehouse, name="Склад у Києві")
        self._rpc.call("keycrm.account", "action_refresh_warehouses", [account])
        (main_one,) = self._rpc.search(
            "keycrm.warehouse", ("account_id", "=", account), ("keycrm_id", "=", 1)
        )
        self._scene.count_stock(warehouse)
        self._rpc.write("keycrm.warehouse", main_one, warehouse_ids=[(6, 0, [warehouse])])
        self._take("warehouses", "keycrm_warehouse_action")
        self._rpc.call("keycrm.account", "action_rehearse_stock", [account])
        (rehearsal,) = wait_for(
            lambda: self._rpc.search("keycrm.stock.comparison", ("state", "=", "ready")),
            120,
            "the rehearsal",
        )
        self._take("rehearsal", "keycrm_stock_comparison_action", rehearsal)
        self._rpc.call("keycrm.stock.comparison", "action_send", [rehearsal])
        wait_for(
            lambda: not self._rpc.search("keycrm.stock.change", ("account_id", "=", account)),
            120,
            "the stock in KeyCRM",
        )

    def _work(self, account: int) -> None:
        made = self._sandbox.control.create_sample_order()["answer"]["id"]
        sample = self._scene.arrived(made)
        self._take("overview", "keycrm_overview_action")
        self._take("orders", "keycrm_order_action")
        self._take("order", "keycrm_order_action", sample)
        self._take("stock", "keycrm_stock_level_action")
        self._take("payments", "keycrm_payment_action")
        self._take("settings", "res_config_settings_action")
        self._fail()

    def _fail(self) -> None:
        """Two products with one SKU: nobody guesses which one is meant."""
        first = self._rpc.search("product.product", ("default_code", "=", GOODS[7][0]))[0]
        self._rpc.call("product.product", "copy", [first], {"default_code": GOODS[7][0]})
        self._rpc.call(
            "keycrm.offer",
            "unlink",
            self._rpc.search("keycrm.offer", ("product_id", "=", first)),
        )
        offer = next(o for o in self._sandbox.control.offers() if o["sku"] == GOODS[7][0])
        self._sandbox.control.create_order(
            buyer={"full_name": "Соломія Кравець"}, lines=[{"offer_id": offer["id"], "quantity": 6}]
        )
        (failed,) = wait_for(
            lambda: self._rpc.search("keycrm.event", ("state", "=", "failed")), 120, "the failure"
        )
        self._take("event-failed", "keycrm_event_action", failed)

    # === THE PICTURES ===

    def _take(
        self, name: str, action: str, record: int | None = None, *, scroll: str | None = None
    ) -> None:
        for language, screen in self._screens.items():
            screen.open(action, record)
            if scroll:
                screen.scroll_to(scroll)
            shrink(screen.picture(name), GUIDE / language / f"{name}.png", trim=True)
        say(f"picture: {name}")


def shrink(file: Path, target: Path, *, trim: bool = False) -> None:
    """Keep a picture with at most 256 colours: screens have few, and it becomes a third as large.

    :param file: the picture as it was taken
    :param target: where it is kept
    :param trim: whether what is empty at its lower end is cut off
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with Image.open(file) as taken:
        picture = taken.convert("RGB")
    if trim:
        width, height = picture.size
        empty = Image.new("RGB", picture.size, picture.getpixel((width // 2, height - 1)))
        drawn = ImageChops.difference(picture, empty).getbbox()
        if drawn:
            picture = picture.crop((0, 0, width, min(height, drawn[3] + _GAP)))
    picture.quantize(256, dither=Image.Dither.NONE).save(target, optimize=True)
