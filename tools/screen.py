"""Odoo's screens in a real browser, for the browser tests and the pictures.

Elements are found by their visible text or their accessible name.
"""

from __future__ import annotations

import re
import time
from pathlib import Path

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, expect

from .odoo_server import OdooServer

DESKTOP = (1366, 768)
PHONE = (390, 844)
_TIMEOUT_MS = 60_000  # milliseconds until an element must be visible, on a busy machine

_IDLE_SECONDS = 0.4  # seconds without a request after which a screen is complete
#: An element of a cell, or the cell, whose content is wider than it shows.
_CUT_TEXTS = """[...document.querySelectorAll(".o_list_table :is(th, .o_data_row > td)")].filter(
    cell => [cell, ...cell.querySelectorAll("*")].some(place =>
        place.scrollWidth > place.clientWidth + 1
        && getComputedStyle(place).textOverflow === "ellipsis")
).map(cell => cell.innerText)"""

#: Titles, tabs and buttons whose text does not fit, or that lie beside the window, where nothing scrolls.
_CUT_CONTROLS = """() => {
    const places = document.querySelectorAll(
        ".o_breadcrumb .active, .o_form_view h1, .modal-title, h2, h3, .nav-link, .btn, [role=button]"
    );
    const isCut = (place) =>
        place.clientWidth > 1 && place.scrollWidth > place.clientWidth + 1
        && getComputedStyle(place).overflowX !== "visible" && place.innerText?.trim();
    const scrolls = (place) =>
        place && (["auto", "scroll"].includes(getComputedStyle(place).overflowX)
            || scrolls(place.parentElement));
    const isBeside = (place) => {
        const box = place.getBoundingClientRect();
        return (box.right > window.innerWidth + 1 || box.left < -1) && !scrolls(place.parentElement);
    };
    return [...places]
        .filter((place) => place.checkVisibility({ visibilityProperty: true, opacityProperty: true })
            && !place.closest(".visually-hidden, .o-mail-Chatter, .o_main_navbar"))
        .filter((place) => [place, ...place.querySelectorAll("*")].some(isCut) || isBeside(place))
        .map((place) => place.innerText || place.title || place.className);
}"""
#: Visible texts and hints of a screen that have a word of Latin letters and none of Ukrainian ones.
_LATIN_TEXTS = """() => {
    const found = new Set();
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const place = walker.currentNode.parentElement;
        if (!place.closest("script, style, pre, input, textarea") && place.checkVisibility()) {
            found.add(walker.currentNode.textContent);
        }
    }
    for (const name of ["placeholder", "title", "aria-label", "data-tooltip"]) {
        for (const place of document.querySelectorAll(`[${name}]`)) {
            if (place.checkVisibility()) {
                found.add(place.getAttribute(name));
            }
        }
    }
    return [...found].map((text) => text.trim().replace(/\\s+/g, " "))
        .filter((text) => /[A-Za-z]{3}/.test(text) && !/[а-яіїєґ]/i.test(text));
}"""

expect.set_options(timeout=_TIMEOUT_MS)


class Screen:
    """A browser window of one user.

    :param browser: the browser
    :param odoo: the Odoo server
    :param language: Odoo's code of the user's language, for dates and numbers
    :param size: width and height in pixels
    :param scale: pixels of a picture for each pixel of the window, such as 2 for a sharp display
    :param folder: the folder of pictures
    """

    def __init__(
        self,
        browser: Browser,
        odoo: OdooServer,
        *,
        language: str = "uk_UA",
        size: tuple[int, int] = DESKTOP,
        scale: int = 1,
        folder: Path,
    ) -> None:
        self._context = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            device_scale_factor=scale,
            locale=language.replace("_", "-"),
            timezone_id="Europe/Kyiv",
            has_touch=size == PHONE,
            is_mobile=size == PHONE,
            reduced_motion="reduce",
        )
        self._context.set_default_timeout(_TIMEOUT_MS)
        self.page: Page = self._context.new_page()
        self._odoo = odoo
        self._folder = folder
        self.page_errors: list[str] = []
        self._pending: set[Request] = set()
        self.page.on("request", self._request_started)
        self.page.on("requestfinished", self._request_ended)
        self.page.on("requestfailed", self._request_ended)
        self.page.on("pageerror", lambda error: self.page_errors.append(str(error)))
        self.page.on("console", self._console_message)

    # === NAVIGATION ===

    def log_in(self, login: str = "admin", password: str = "admin") -> None:
        """Log in and wait for Odoo.

        :param login: the user's login
        :param password: and password
        """
        self.page.goto(f"{self._odoo.url}/web/login")
        self.page.fill("input[name=login]", login)
        self.page.fill("input[name=password]", password)
        self.page.click(".oe_login_buttons button[type=submit]")
        self.page.wait_for_selector(".o_web_client", timeout=2 * _TIMEOUT_MS)
        self.settle()

    def open(self, action: str, record: int | str | None = None) -> None:
        """Open an action of the addon by its address.

        :param action: its name in the addon, such as ``keycrm_event_action``
        :param record: id of a record to open, or ``new``
        """
        path = f"/odoo/action-ordage_keycrm.{action}"
        self.page.goto(f"{self._odoo.url}{path}" + (f"/{record}" if record else ""))
        self.settle()

    def open_record(self, model: str, record: int) -> None:
        """Open a record's standard form by its address.

        :param model: its model
        :param record: its id
        """
        self.page.goto(f"{self._odoo.url}/odoo/{model}/{record}")
        self.settle()

    def menu(self, *words: str) -> None:
        """Click through the app's menus.

        :param words: labels of the menus, from the bar down
        """
        for word in words:
            bar = self.page.locator(".o_main_navbar, .o_popover, .dropdown-menu")
            bar.get_by_text(word, exact=True).locator("visible=true").first.click()
        self.settle()

    def settle(self) -> None:
        """Wait until the screen is complete: no pending requests, fonts loaded."""
        self.page.wait_for_selector(".o_action_manager > *, .modal", state="attached")
        idle_since = time.monotonic()
        deadline = idle_since + _TIMEOUT_MS / 1000
        while time.monotonic() < min(deadline, idle_since + _IDLE_SECONDS):
            self.page.wait_for_timeout(50)
            if self._pending:
                idle_since = time.monotonic()
        self.page.evaluate("document.fonts.ready.then(() => true)")

    # === ACTIONS ===

    def press(self, words: str) -> None:
        """Click a button, in the open dialog if there is one.

        :param words: its label
        """
        self.button(words).click()

    def button(self, words: str) -> Locator:
        """Find a button by its label, in the open dialog if there is one.

        :param words: its label
        """
        dialog = self.page.locator(".modal.o_technical_modal, .modal.show").last
        place = dialog if dialog.is_visible() else self.page.locator(".o_action_manager")
        return place.get_by_role("button", name=words, exact=True).locator("visible=true").first

    def field(self, name: str) -> Locator:
        """Find a field by its technical name; in a list that of the edited row.

        :param name: such as ``api_key``
        """
        edited = self.page.locator(f".o_selected_row .o_field_widget[name={name}]")
        if edited.count():
            return edited.first
        return self.page.locator(f".o_field_widget[name={name}]").locator("visible=true").first

    def fill(self, name: str, value: str) -> None:
        """Type into a field.

        :param name: its technical name
        :param value: the text
        """
        self.field(name).locator("input, textarea").first.fill(value)

    def tag(self, name: str, *words: str) -> None:
        """Choose values of a field with tags.

        :param name: its technical name
        :param words: the displayed values
        """
        for word in words:
            typed = self.field(name).locator("input").first
            typed.click()
            typed.fill(word)
            self.page.locator(".o-autocomplete--dropdown-item").get_by_text(
                word, exact=True
            ).first.click()

    def tick(self, name: str) -> None:
        """Toggle a checkbox.

        :param name: its technical name
        """
        self.field(name).locator("input[type=checkbox]").first.click()

    def tab_to(self, place: Locator, presses: int = 80) -> None:
        """Focus an element with the keyboard only.

        :param place: the element
        :param presses: maximum number of Tab presses
        :raise AssertionError: if it does not get the focus
        """
        place.wait_for()
        for _ in range(presses):
            if place.evaluate("place => place === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"the keyboard does not reach {place}")

    def scroll_to(self, place: str) -> None:
        """Scroll an element to the top of the window.

        :param place: its selector
        """
        self.page.locator(place).first.evaluate("place => place.scrollIntoView()")

    # === CHECKS ===

    def sees(self, text: str | re.Pattern[str], timeout: float | None = None) -> None:
        """Wait until a text is visible.

        :param text: the text, or a part of it
        :param timeout: maximum seconds
        """
        place = self.page.locator("body").get_by_text(text).locator("visible=true").first
        expect(place).to_be_visible(timeout=timeout * 1000 if timeout else _TIMEOUT_MS)

    def does_not_see(self, text: str) -> None:
        """Wait until a text is no longer visible.

        :param text: the text, or a part of it
        """
        expect(self.page.get_by_text(text).locator("visible=true")).to_have_count(0)

    def cut_texts(self) -> list[str]:
        """Return the headings and values of the open list that do not fit their columns."""
        return list(self.page.evaluate(_CUT_TEXTS))

    def cut_controls(self) -> list[str]:
        """Return the titles, tabs and buttons that do not fit their places or the window."""
        return list(self.page.evaluate(_CUT_CONTROLS))

    def latin_texts(self) -> list[str]:
        """Return the visible texts in Latin letters: on a Ukrainian screen names, or not translated."""
        return list(self.page.evaluate(_LATIN_TEXTS))

    def overflows(self) -> bool:
        """Return whether the page is wider than its window and scrolls sideways."""
        return bool(
            self.page.evaluate("document.documentElement.scrollWidth > window.innerWidth + 1")
        )

    def picture(self, name: str, *, of: str | None = None) -> Path:
        """Take a picture.

        :param name: its file's name, without ending
        :param of: selector of the element; by default the window
        :return: the file
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._folder / f"{name}.png"
        self.page.wait_for_timeout(300)  # the end of a transition
        if of:
            self.page.locator(of).locator("visible=true").first.screenshot(path=file)
        else:
            self.page.screenshot(path=file)
        return file

    def _console_message(self, message: ConsoleMessage) -> None:
        # Without a library that Debian's package of Odoo leaves out.
        if message.type == "error" and "Could not get content for" not in message.text:
            self.page_errors.append(f"{message.text} ({message.location.get('url', '')})")

    def _request_started(self, request: Request) -> None:
        # Requests of the bus stay open until a notification.
        if not re.search(r"/bus/|/websocket|longpolling", request.url):
            self._pending.add(request)

    def _request_ended(self, request: Request) -> None:
        self._pending.discard(request)

    def close(self) -> None:
        """Close the window."""
        self._context.close()
