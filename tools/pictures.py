"""``make pictures``: take the pictures of the guides and of the app list, or those named in ``NAME``.

A small shop is set up on both sides of a running system in the steps of a user. At each stage the same
screen is opened in English and in Ukrainian. Pictures have twice the resolution of the window, and few colors
so that their files stay small.
"""

from __future__ import annotations

import base64
import os
from pathlib import Path

from PIL import Image, ImageChops
from playwright.sync_api import Browser

from . import chromium, shop
from .demo import start
from .demo_data import COMPANY, GOODS, DemoData
from .messages import echo, warn
from .odoo_server import OdooServer
from .paths import ADDONS
from .runtime import Runtime
from .sandbox_server import SandboxServer
from .screen import Screen
from .templates import ADDON
from .waiting import MAX_WAIT, wait_for

DESCRIPTION = ADDONS / ADDON / "static" / "description"
#: The guides' pictures, a folder for each language; Odoo's list of apps shows some of them too.
GUIDE = DESCRIPTION / "guide"
BANNER = Path(__file__).with_name("banner.html")
LANGUAGES = {"en": "en_US", "uk": "uk_UA"}
#: Pixels of the window: the smallest common desktop, on which every menu has to be visible.
WIDTH = 1366
HEIGHT = 768
SCALE = 2
COLORS = 160
_GAP = 24  # pixels left below what is drawn
#: Odoo's settings "Discounts" and "Customer Addresses".
_MORE_GROUPS = (
    ("sale", "group_discount_per_so_line"),
    ("account", "group_delivery_invoice_address"),
)
_NAMES = {"en": "Olena Koval", "uk": "Олена Коваль"}
PUBLIC_URL = "https://odoo.example.com"
_LINES = ".o_field_widget[name=order_line]"
#: Without Odoo's untranslated placeholder, an empty field and an empty column, with headings in full.
#: The column stays with no width, since the empty rows span all columns.
_ORDER_STYLE = f"""
.o_cell:has([for^=payment_term_id], [name=payment_term_id], [for^=pricelist_id], [name=pricelist_id]),
{_LINES} :is(th[data-name=tax_ids], td[name=tax_ids]) > * {{ display: none !important }}
{_LINES} :is(th[data-name=tax_ids], td[name=tax_ids]) {{ width: 0 !important; padding: 0 !important }}
{_LINES} th:is([data-name=product_id], [data-name=product_template_id]) {{ width: auto !important }}
{_LINES} th[data-name=qty_invoiced] {{ width: 12rem !important }}
{_LINES} th:is([data-name=price_unit], [data-name=discount]) {{ width: 8rem !important }}
"""


def main(_arguments: list[str]) -> int:
    """Set up the shop and take the pictures.

    :return: the exit code
    """
    with Runtime() as runtime, chromium.browser() as browser:
        odoo, sandbox = start(runtime, orders=0, offers=0)
        Photographer(browser, odoo, sandbox, runtime.free_name("pictures")).run()
    return 0


class Photographer:
    """Browser sessions of two users in the same shop.

    :param browser: a browser
    :param odoo: a running Odoo with the addon on a fresh database
    :param sandbox: a running KeyCRM without orders
    :param folder: the folder of the unprocessed pictures
    """

    def __init__(
        self, browser: Browser, odoo: OdooServer, sandbox: SandboxServer, folder: Path
    ) -> None:
        self._browser = browser
        self._odoo = odoo
        self._sandbox = sandbox
        self._folder = folder
        self._rpc = odoo.rpc()
        self._demo = DemoData(odoo, sandbox)
        self._screens: dict[str, Screen] = {}
        self._wanted = {name for name in (os.environ.get("NAME") or "").split(",") if name}

    def run(self) -> None:
        """Set the shop up step by step, with a picture of each step."""
        self._demo.open_shop()
        warehouses = self._demo.open_warehouses()
        self._create_users()
        numbers = self._demo.sell()
        account = self._connect()
        self._import_products_and_orders(account, numbers)
        self._match_warehouses(account, warehouses)
        self._work(account)
        self._send(account)
        if not self._wanted:
            banner(self._browser, self._folder / "banner.png", self._folder / "en" / "orders.png")
            drawn_banners(self._browser)

    # === STAGES ===

    def _create_users(self) -> None:
        (admin,) = self._rpc.search("res.users", ("login", "=", "admin"))
        self._rpc.write("res.users", admin, name="Тарас Мельник")
        # Common settings of shops, which show further columns and fields.
        groups = self._rpc.read("res.users", admin, "group_ids")["group_ids"]
        for addon, name in _MORE_GROUPS:
            (group,) = self._rpc.search(
                "ir.model.data", ("module", "=", addon), ("name", "=", name)
            )
            groups.append(self._rpc.read("ir.model.data", group, "res_id")["res_id"])
        for name, language in LANGUAGES.items():
            shop.add_language(self._rpc, language)
            self._rpc.create(
                "res.users",
                name=_NAMES[name],
                login=name,
                password=name,
                lang=language,
                tz="Europe/Kyiv",
                odoobot_state="disabled",
                group_ids=[(6, 0, groups)],
            )
            self._screens[name] = Screen(
                self._browser,
                self._odoo,
                language=language,
                size=(WIDTH, HEIGHT),
                scale=SCALE,
                folder=self._folder / name,
            )
            self._screens[name].log_in(name, name)
            self._screens[name].open("keycrm_order_action")  # the app whose menus are shown

    def _connect(self) -> int:
        account = shop.make_account(
            self._rpc,
            self._odoo,
            self._sandbox,
            name=COMPANY,
            import_payments=True,
            stock_quantity="available",
        )
        self._rpc.call("keycrm.account", "action_test_connection", [account])
        self._rpc.call("keycrm.account", "action_refresh_statuses", [account])
        shop.use_currency(self._rpc, account)
        archive = shop.status_ids(self._rpc, account, shop.COMPLETED)
        self._rpc.write("keycrm.account", account, archive_status_ids=[(6, 0, archive)])
        # The pictures show a realistic link; KeyCRM gets the working one below.
        self._rpc.write("keycrm.account", account, public_url=PUBLIC_URL)
        # The key goes to the sandbox here, which the step says; that of a shop goes to KeyCRM.
        self._take_step(
            *("setup-key", account, "key"),
            style="section[name=key] .text-danger { display: none }",
        )
        self._take_step("setup-orders", account, "orders")
        self._take_step("setup-webhook", account, "webhook", height=1200)
        self._rpc.write("keycrm.account", account, public_url=self._odoo.url)
        self._rpc.call("keycrm.account", "action_load_all_products", [account])
        wait_for(
            lambda: self._rpc.search("keycrm.product.import", ("state", "=", "done")),
            MAX_WAIT,
            "the products",
        )
        self._take_step("setup-products", account, "products")
        self._take_step("setup-start", account, "start")
        shop.switch_on(self._rpc, self._sandbox, account)
        return account

    def _import_products_and_orders(self, account: int, numbers: list[int]) -> None:
        sync = self._rpc.create(
            "keycrm.order.sync",
            account_id=account,
            status_ids=[(6, 0, shop.status_ids(self._rpc, account, 1, 2, 4, 5, shop.COMPLETED))],
        )
        self._rpc.call("keycrm.order.sync", "action_start", [sync])
        for number in numbers:
            self._demo.wait_for_order(number)
        wait_for(
            lambda: self._rpc.read("keycrm.order.sync", sync, "state")["state"] == "done",
            MAX_WAIT,
            "the end of the synchronization",
        )
        self._take("sync", "keycrm_order_sync_action", sync)

    def _match_warehouses(self, account: int, warehouses: tuple[int, ...]) -> None:
        self._rpc.call("keycrm.account", "action_refresh_warehouses", [account])
        (main_one,) = self._rpc.search(
            "keycrm.warehouse", ("account_id", "=", account), ("keycrm_id", "=", 1)
        )
        self._demo.count_stock(warehouses)
        self._rpc.write("keycrm.warehouse", main_one, warehouse_ids=[(6, 0, warehouses)])
        self._take_step("warehouses", account, "stock")
        self._rpc.call("keycrm.account", "action_preview_stock", [account])
        (preview,) = wait_for(
            lambda: self._rpc.search("keycrm.stock.comparison", ("state", "=", "ready")),
            MAX_WAIT,
            "the preview",
        )
        self._take("preview", "keycrm_stock_comparison_action", preview, height=900)
        self._rpc.call("keycrm.stock.comparison", "action_send", [preview])
        wait_for(
            lambda: not self._rpc.search("keycrm.stock.change", ("account_id", "=", account)),
            MAX_WAIT,
            "the stock in KeyCRM",
        )

    def _work(self, account: int) -> None:
        sample = self._demo.wait_for_order(self._demo.sell_one_more())
        wait_for(
            lambda: not self._rpc.search("keycrm.stock.change", ("account_id", "=", account)),
            MAX_WAIT,
            "the stock in KeyCRM",
        )
        self._take("orders", "keycrm_order_action")
        chatter = ".o-mail-Form-chatter"
        self._take(
            *("order", "keycrm_order_action", sample),
            height=1000,
            until=chatter,
            style=_ORDER_STYLE,
        )
        self._take(
            *("order-keycrm", "keycrm_order_action", sample),
            height=1100,
            tab="keycrm",
            until=chatter,
            style=_ORDER_STYLE,
        )
        self._take("pack", "keycrm_pack_action")
        self._take("stock", "keycrm_stock_report_action")
        self._take_why()
        self._take("payments", "keycrm_payment_action")
        self._rpc.write("keycrm.account", account, public_url=PUBLIC_URL)
        self._take(
            *("settings", "res_config_settings_action"),
            height=1300,
            scroll="xpath=//*[@id='keycrm_import_payments']/../preceding-sibling::h2[1]",
            through=".app_settings_block .o_settings_container >> nth=-1",
            # Room to scroll to the same top in both languages.
            style=".settings { padding-bottom: 60rem }",
        )
        self._rpc.write("keycrm.account", account, public_url=self._odoo.url)
        self._fail()
        self._demo.differ()
        for number in self._demo.sell_today():
            self._demo.wait_for_order(number)
        self._take("overview", "keycrm_overview_action", height=1600)
        self._decide()

    def _send(self, account: int) -> None:
        """Let costs be sent after a preview, and create products in KeyCRM."""
        preview = self._demo.preview_costs(account)
        self._take("send-preview", "keycrm_send_preview_action", preview, height=900)
        self._rpc.call("keycrm.send.preview", "action_send", [preview])
        self._take(
            *("account-sending", "keycrm_account_action", account),
            height=1000,
            tab="sending",
            scroll=".o_notebook",
            until=".o-mail-Form-chatter",
            style=".o_notebook { scroll-margin-top: 4.5rem }",  # below the bar of buttons
        )
        export = self._demo.create_in_keycrm()
        self._take("create-in-keycrm", "keycrm_product_export_action", export)

    def _is_wanted(self, name: str) -> bool:
        return not self._wanted or name in self._wanted

    def _take_step(
        self,
        name: str,
        account: int,
        step: str,
        *,
        height: int = HEIGHT,
        style: str = "",
    ) -> None:
        """Take a picture of a setup step, unfolded.

        :param name: the file's name, without ending
        :param account: id of the account
        :param step: the step's name
        :param height: of the window
        :param style: rules of CSS that apply in the picture
        """
        for screen in self._screens.values() if self._is_wanted(name) else ():
            screen.page.evaluate(
                "([key, step]) => sessionStorage.setItem(key, step)",
                [f"ordage_keycrm.setup.{account}", step],
            )
        self._take(name, "keycrm_setup_action", account, height=height, style=style)

    def _take_why(self) -> None:
        """Take a picture of a quantity's explanation, opened from the product's form."""
        if not self._is_wanted("why"):
            return
        product = self._rpc.search("product.product", ("default_code", "=", GOODS[0][0]))[0]
        template = self._rpc.read("product.product", product, "product_tmpl_id")["product_tmpl_id"]
        for language, screen in self._screens.items():
            screen.open_record("product.template", template[0])
            screen.page.locator(".nav-link[name=keycrm]").click()
            screen.page.locator("button[name=action_keycrm_explain]").click()
            screen.page.locator(".modal .o_keycrm_equation").wait_for()
            screen.settle()
            file = screen.picture("why", of=".modal-content")
            shrink(file, GUIDE / language / "why.png")
        echo("picture: why")

    def _fail(self) -> None:
        """Take a picture of a failed event: two products with one SKU are ambiguous."""
        failed = self._demo.fail()
        # The payload below is for administrators: the picture ends above it.
        self._take("event-failed", "keycrm_event_action", failed, until=".o_notebook")

    def _decide(self) -> None:
        """Take a picture of an order that needs a decision: its discount exceeds its goods."""
        order = self._demo.exceed_by_discount()
        chatter = ".o-mail-Form-chatter"
        self._take(
            *("order-decision", "keycrm_order_action", order),
            height=1000,
            until=chatter,
            style=_ORDER_STYLE,
        )

    # === THE PICTURES ===

    def _take(
        self,
        name: str,
        action: str,
        record: int | None = None,
        *,
        height: int = HEIGHT,
        tab: str | None = None,
        scroll: str | None = None,
        until: str | None = None,
        through: str | None = None,
        style: str = "",
    ) -> None:
        """Take a picture of a screen in each language, and report headings that are cut.

        :param name: its file's name, without ending
        :param action: the addon's action that is opened
        :param record: id of a record to open
        :param height: of the window
        :param tab: page of the form that is opened
        :param scroll: selector of the element at the top
        :param until: selector of the element below the picture
        :param through: selector of the last element in the picture
        :param style: rules of CSS that apply in the picture
        """
        if not self._is_wanted(name):
            return
        for language, screen in self._screens.items():
            screen.page.set_viewport_size({"width": WIDTH, "height": height})
            screen.open(action, record)
            if tab:
                screen.page.locator(f".nav-link[name={tab}]").click()
                screen.settle()
            if style:
                screen.page.add_style_tag(content=style)
            if scroll:
                screen.scroll_to(scroll)
            # Charts grow when they are drawn.
            screen.page.wait_for_timeout(1500 if name == "overview" else 0)
            for text in screen.cut_texts():
                warn(f"picture {name} ({language}): {text!r} is cut")
            file = screen.picture(name)
            last = until or through
            end = screen.page.locator(last).first.bounding_box() if last else None
            below = end["height"] + _GAP if end and through else 0
            bottom = round((end["y"] + below) * SCALE) if end else None
            shrink(file, GUIDE / language / f"{name}.png", bottom=bottom)
        echo(f"picture: {name}")


def shrink(file: Path, target: Path, *, bottom: int | None = None) -> None:
    """Save a picture with few colors, cropped at its empty lower end.

    :param file: the original picture
    :param target: the file to write
    :param bottom: maximum height
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with Image.open(file) as taken:
        picture = taken.convert("RGB")
    if bottom:
        picture = picture.crop((0, 0, picture.width, min(bottom, picture.height)))
    empty = Image.new(
        "RGB", picture.size, picture.getpixel((picture.width // 2, picture.height - 1))
    )
    drawn = ImageChops.difference(picture, empty).getbbox()
    if drawn:
        picture = picture.crop((0, 0, picture.width, min(picture.height, drawn[3] + _GAP)))
    picture.quantize(COLORS, dither=Image.Dither.NONE).save(target, optimize=True)


def banner(browser: Browser, file: Path, orders: Path) -> None:
    """Draw the banner of the app list.

    :param browser: a browser
    :param file: the banner before processing
    :param orders: the picture of the list of orders
    """
    page = browser.new_page(viewport={"width": 1120, "height": 560})
    icon = (DESCRIPTION / "icon.svg").read_text().replace('width="50" height="50"', "")
    picture = f"data:image/png;base64,{base64.b64encode(orders.read_bytes()).decode()}"
    page.set_content(BANNER.read_text().replace("ICON", icon).replace("PICTURE", picture))
    page.screenshot(path=file)
    page.close()
    with Image.open(file) as drawn:
        drawn.convert("RGB").quantize(256).save(DESCRIPTION / "banner.png", optimize=True)
    echo("the banner of the app list")


def drawn_banners(browser: Browser) -> None:
    """Draw the banners of the other addons, from ``banner.svg`` beside each.

    :param browser: a browser
    """
    page = browser.new_page(viewport={"width": 1120, "height": 560})
    for drawing in sorted(ADDONS.glob("*/static/description/banner.svg")):
        page.set_content(f"<style>body {{ margin: 0 }}</style>{drawing.read_text()}")
        page.screenshot(path=drawing.with_suffix(".png"))
    page.close()
