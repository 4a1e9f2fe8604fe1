"""Every screen in both languages on three sizes: nothing is cut off, untranslated or inaccessible.

axe-core checks each of them, and none may write an error to the browser's console.
"""

import re

import polib
import pytest
from playwright.sync_api import Error

from tests.browser import axe
from tests.browser.every_screen import Shop
from tools.paths import ADDONS
from tools.sandbox_server import SandboxServer
from tools.screen import DESKTOP, PHONE

SIZES = {"desktop": (DESKTOP, (1920, 1080)), "phone": (PHONE,)}
LANGUAGES = {"uk": "uk_UA", "en": "en_US"}
#: Pixels of the tallest picture.
TALLEST = 3000
#: How much more a window would have to show at once, so that nothing in it scrolls.
HIDDEN_BELOW = """() => Math.max(0, ...[...document.querySelectorAll("*")]
    .filter((place) => ["auto", "scroll"].includes(getComputedStyle(place).overflowY))
    .map((place) => place.scrollHeight - place.clientHeight))"""


@pytest.fixture(scope="module")
def odoo(new_odoo):
    """An Odoo of its own: its screens show this shop alone."""
    return new_odoo()


@pytest.fixture(scope="module")
def filled(runtime, odoo, in_ukrainian):
    with SandboxServer(runtime.folder, "every-screen") as sandbox:
        yield Shop(odoo, sandbox).fill()


@pytest.fixture(params=LANGUAGES)
def language(request, rpc):
    """The administrator reads a language until the test ends."""
    (admin,) = rpc.search("res.users", ("login", "=", "admin"))
    rpc.write("res.users", admin, lang=LANGUAGES[request.param])
    yield request.param
    rpc.write("res.users", admin, lang="uk_UA")


def untranslated_words():
    """Return the addons' English words that are others in Ukrainian."""
    files = (polib.pofile(str(file)) for file in ADDONS.glob("*/i18n/uk.po"))
    entries = [entry for file in files for entry in file]
    changed = [entry for entry in entries if entry.msgstr not in ("", entry.msgid)]
    return {re.sub(r"<[^>]*>", "", entry.msgid).strip() for entry in changed}


def whole_picture(screen, name, size):
    """Take a picture of all that scrolls in a window.

    :param size: width and height of the window
    """
    width, height = size
    below = screen.page.evaluate(HIDDEN_BELOW)
    screen.page.set_viewport_size({"width": width, "height": min(TALLEST, height + below)})
    screen.page.evaluate("document.querySelectorAll('*').forEach((place) => place.scrollTo(0, 0))")
    screen.picture(name)
    screen.page.set_viewport_size({"width": width, "height": height})


def test_every_menu_is_in_the_list_of_screens(filled):
    assert filled.menu_actions() <= {place.action for place in filled.places().values()}


@pytest.mark.parametrize("device", SIZES)
def test_screens_are_whole_translated_and_accessible(filled, language, device, odoo, new_screen):
    screen = new_screen(size=SIZES[device][0])
    common = axe.common_findings(screen, odoo, filled.records)
    found = []
    ours = untranslated_words()
    for name, place in filled.places().items():
        if device == "phone" and not place.on_phone:
            continue
        try:
            place.show(screen)
        except Error as error:
            found.append(f"{name}: {error}")
            continue
        if device == "phone" and place.is_list():
            cards = screen.page.locator(".o_kanban_view")
            if not cards.is_visible():
                found.append(f"{name}: no cards")
        for size in SIZES[device]:
            screen.page.set_viewport_size({"width": size[0], "height": size[1]})
            where = f"{name}-{size[0]}-{language}"
            if screen.overflows():
                found.append(f"{where}: wider than the window")
            cut = [] if place.is_odoos else screen.cut_controls()
            if device == "desktop" and not place.is_odoos:
                cut += screen.cut_texts()
            found.extend(f"{where}: cut: {text!r}" for text in cut)
            whole_picture(screen, f"screen-{where}", size)
        if language == "uk":
            english = ours.intersection(screen.latin_texts())
            found.extend(f"{name}: in English: {text!r}" for text in english)
        found.extend(
            f"{name}: {one['rule']}: {one['html']}"
            for one in axe.serious(screen)
            if not axe.is_odoos(one, common)
        )
        place.leave(screen)
    assert not found, "\n".join(found)
