"""Screens in a real browser, in Ukrainian: a person's way through them, seen from outside.

Odoo, the database and KeyCRM are those of the whole-system tests. Each test leaves its pictures in
``screenshots/``; one that fails also leaves what was on the screen.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.system.conftest import (  # noqa: F401 - fixtures are found by their names
    Account,
    account,
    new_account,
    new_odoo,
    new_sandbox,
    pytest_configure,
    rpc,
    runtime,
    sandbox,
    wait_for,
)
from tools import chromium, shop
from tools.odoo_server import OdooServer
from tools.paths import REPOSITORY
from tools.rpc import Rpc
from tools.runtime import Runtime
from tools.screen import DESKTOP, Screen

FOLDER = REPOSITORY / "screenshots"
#: A status of the sandbox whose orders are confirmed.
IN_PRODUCTION = 4
#: Hold intervals of half a minute and more, such as that of a refresh without an update, until they pass.
HOLD_INTERVALS = """(() => {
    const { setInterval, clearInterval } = window;
    const held = new Map();
    let last = 0;
    window.setInterval = (work, time, ...values) =>
        time < 30000 ? setInterval(work, time, ...values) : (held.set(--last, work), last);
    window.clearInterval = (id) => held.delete(id) || clearInterval(id);
    window.passHalfMinute = () => held.forEach((work) => work());
})()"""


@pytest.fixture(scope="session")
def shared_odoo(runtime: Runtime) -> Iterator[OdooServer]:  # noqa: F811
    """One Odoo for all files of tests that do not need their own; each test has its own account."""
    server = OdooServer(runtime, runtime.addon_database("browser")).start()
    yield server
    server.kill()


@pytest.fixture(scope="module")
def odoo(shared_odoo: OdooServer) -> OdooServer:
    """The Odoo that is looked at; a file that needs one of its own says so by this name."""
    return shared_odoo


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium, one for all tests."""
    with chromium.browser() as started:
        yield started


@pytest.fixture(scope="module", autouse=True)
def in_ukrainian(rpc: Rpc) -> None:  # noqa: F811
    """The administrator reads Ukrainian, and OdooBot's greeting covers no screen."""
    shop.add_language(rpc, "uk_UA")
    (admin,) = rpc.search("res.users", ("login", "=", "admin"))
    rpc.write("res.users", admin, lang="uk_UA", odoobot_state="disabled")


@pytest.fixture
def new_user(rpc: Rpc) -> Callable[..., str]:  # noqa: F811
    """Make users who read Ukrainian: ``new_user("seller", "sales_team.group_sale_salesman")``."""

    def make(login: str, *groups: str) -> str:
        ids = []
        for group in groups:
            module, name = group.split(".")
            found = rpc.rows(
                "ir.model.data",
                ("module", "=", module),
                ("name", "=", name),
                fields=["res_id"],
            )
            ids.append(found[0]["res_id"])
        rpc.create(
            "res.users",
            name=login.capitalize(),
            login=login,
            password=login,
            lang="uk_UA",
            odoobot_state="disabled",
            group_ids=[(4, group) for group in ids],
        )
        return login

    return make


@pytest.fixture
def new_parcel(account: Account, wait_for: Callable[..., Any]) -> Callable[..., int]:  # noqa: F811
    """Let a confirmed order of one offer arrive, with a tracking number.

    ``new_parcel(offer, buyer, tracking number)``, with further fields of its shipping.
    """

    def make(offer: int, buyer: str, tracking: str, **shipping: Any) -> int:
        number = account.keycrm.create_order(
            lines=[{"offer_id": offer, "price": 500, "quantity": 1}],
            status_id=IN_PRODUCTION,
            buyer={"full_name": buyer, "phone": "+380671234567"},
            shipping={"tracking_code": tracking, "recipient_full_name": buyer, **shipping},
        )["id"]
        wait_for(
            lambda: (account.order(number, "state") or {}).get("state") == "sale", 90, "the order"
        )
        return int(number)

    return make


@pytest.fixture
def new_screen(
    browser: Browser,
    odoo: OdooServer,
    request: pytest.FixtureRequest,
) -> Iterator[Callable[..., Screen]]:
    """Open a window and log in: ``new_screen("seller", size=PHONE)``."""
    opened: list[Screen] = []

    def open_window(login: str = "admin", **options: Any) -> Screen:
        window = Screen(
            browser, odoo, folder=FOLDER, **{"size": DESKTOP, **options, "language": "uk_UA"}
        )
        opened.append(window)
        window.log_in(login, login)
        return window

    yield open_window
    failed = getattr(request.node, "failed", False)
    name = re.sub(r"\W+", "-", request.node.name).strip("-")
    for number, window in enumerate(opened, 1):
        if failed:
            window.picture(f"failed-{name}-{number}")
        window.close()
    broken = [complaint for window in opened for complaint in window.page_errors]
    assert failed or not broken, f"scripts failed in the browser: {broken}"


@pytest.fixture
def half_minutes(screen: Screen) -> Callable[[], None]:
    """Let half a minute pass three times at once, with what screens do then: ``half_minutes()``.

    Otherwise none passes: what comes from elsewhere is brought by Odoo's bus alone.
    """
    screen.page.add_init_script(HOLD_INTERVALS)

    def pass_them() -> None:
        for _ in range(3):
            screen.page.evaluate("passHalfMinute()")
            screen.page.wait_for_timeout(1000)  # longer than the debounce of a screen

    return pass_them


@pytest.fixture
def screen(new_screen: Callable[..., Screen]) -> Screen:
    """The administrator's window."""
    return new_screen()


def requests_of(screen: Screen, name: str) -> list[str]:
    """Return a list that grows with a window's requests whose addresses have a name.

    :param name: such as ``sale.order/web_read``
    """
    found: list[str] = []
    screen.page.on("request", lambda request: name in request.url and found.append(request.url))
    return found


def wait_until(screen: Screen, is_true: Callable[[], Any], what: str) -> None:
    """Wait a minute at most, while the window goes on."""
    for _ in range(600):
        if is_true():
            return
        screen.page.wait_for_timeout(100)
    raise AssertionError(f"in vain: {what}")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Let fixtures know of a failure, and show what Odoo complained about beside it."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        item.failed = True  # type: ignore[attr-defined]
    server = getattr(item, "funcargs", {}).get("odoo")
    if report.failed and isinstance(server, OdooServer):
        lines = [line for line in server.log_text().splitlines() if " INFO " not in line]
        report.sections.append(("Odoo's log, without what is routine", "\n".join(lines[-60:])))


def pytest_sessionstart() -> None:
    """Remove the pictures of the last run, so that what lies there is from this one."""
    for file in Path(FOLDER).glob("*.png"):
        file.unlink()
