"""``make pictures``: the picture of both sides in step that the README shows, taken anew.

The demo is played, then the list of orders in Odoo and the sandbox's page are photographed in a real
browser and put into one picture, once in each language. Needs a Chromium (``CHROMIUM`` names one that
is not in the path).
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from . import shop
from .demo import Demo, start
from .messages import Trouble, say
from .odoo_server import OdooServer
from .paths import REPOSITORY
from .runtime import Runtime
from .sandbox_server import SandboxServer
from .waiting import wait_for

FOLDER = REPOSITORY / "docs" / "pictures"
#: Odoo's language, that of the sandbox's page, and the picture.
LANGUAGES = (("en_US", "en", "both-sides.png"), ("uk_UA", "uk", "both-sides.uk.png"))
#: One side of the picture, in pixels.
WIDTH, HEIGHT = 1400, 600
GAP = 16
#: Orders that are made for the picture: status of an untouched account, buyer, offer, pieces.
ORDERS = (
    (4, "Олена Ткачук", 1, 2),
    (2, "Ірина Бондар", 7, 1),
    (1, "Андрій Литвин", 8, 3),
    (5, "Соломія Кравець", 2, 1),
    (1, "Тарас Гончар", 3, 2),
)


def main(_arguments: list[str]) -> int:
    """Play the demo and take the pictures.

    :return: the exit code
    """
    program = _chromium()
    FOLDER.mkdir(parents=True, exist_ok=True)
    with Runtime() as runtime:
        odoo, sandbox = start(runtime)
        Demo(odoo, sandbox).run()
        _some_orders(odoo, sandbox)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=program,
                # As root Chromium starts no sandbox of its own; it opens these two pages alone.
                args=["--no-sandbox", "--disable-background-networking"],
            )
            for ours, theirs, name in LANGUAGES:
                above, below = runtime.free_name("keycrm"), runtime.free_name("odoo")
                _keycrm(browser, f"{sandbox.url}/?lang={theirs}", above)
                _odoo(browser, odoo, ours, below)
                _join(above, below, FOLDER / name)
                say(f"docs/pictures/{name}")
            browser.close()
    return 0


def _chromium() -> str:
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not found:
        raise Trouble("No Chromium found: install one (apt-get install chromium) or set CHROMIUM.")
    return found


def _some_orders(odoo: OdooServer, sandbox: SandboxServer) -> None:
    """Let a few orders come, so that both sides begin with the same ones."""
    rpc = odoo.rpc()
    for status, name, offer, pieces in ORDERS:
        made = sandbox.control.create_order(
            status_id=status,
            buyer={"full_name": name},
            lines=[{"offer_id": offer, "quantity": pieces}],
        )["answer"]["id"]
        wait_for(lambda made=made: shop.order_in_odoo(rpc, made, "id"), 60, f"order {made}")


def _page(browser: Browser) -> Page:
    return browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})


def _keycrm(browser: Browser, address: str, file: Path) -> None:
    page = _page(browser)
    page.goto(address)
    page.screenshot(path=file, type="png")
    page.close()


def _odoo(browser: Browser, odoo: OdooServer, language: str, file: Path) -> None:
    rpc = odoo.rpc()
    (known,) = rpc.search("res.lang", ("code", "=", language), context={"active_test": False})
    rpc.write("res.lang", known, active=True)
    (admin,) = rpc.search("res.users", ("login", "=", "admin"))
    rpc.write("res.users", admin, lang=language)
    context = browser.new_context(
        viewport={"width": WIDTH, "height": HEIGHT}, locale=language.replace("_", "-")
    )
    page = context.new_page()
    page.goto(f"{odoo.url}/web/login")
    page.fill("input[name=login]", "admin")
    page.fill("input[name=password]", "admin")
    page.click(".oe_login_buttons button[type=submit]")
    page.wait_for_selector(".o_web_client", timeout=120_000)
    page.goto(f"{odoo.url}/odoo/action-ordage_keycrm.keycrm_order_action")
    page.wait_for_selector(".o_list_renderer .o_data_row", timeout=120_000)
    page.evaluate("document.fonts.ready.then(() => true)")
    page.screenshot(path=file, type="png")
    context.close()


def _join(above: Path, below: Path, file: Path) -> None:
    picture = Image.new("RGB", (WIDTH, 2 * HEIGHT + GAP), "white")
    for side, at in ((above, 0), (below, HEIGHT + GAP)):
        with Image.open(side) as half:
            picture.paste(half, (0, at))
    picture.quantize(256).save(file, optimize=True)
