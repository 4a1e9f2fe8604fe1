"""Whole-system tests: real Odoo processes, a real PostgreSQL, a real KeyCRM sandbox.

Everything is outside of this process and reached as in life: over HTTP, XML-RPC and SQL.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from sandbox.control import Control
from tools import processes, shop, waiting
from tools.odoo_server import OdooServer
from tools.rpc import Rpc
from tools.runtime import Runtime
from tools.sandbox_server import SandboxServer

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Account:
    """An enabled ``keycrm.account`` of Odoo, connected to a sandbox.

    :param id: its id in Odoo
    :param link: its webhook link
    :param rpc: Odoo's administrator
    :param keycrm: the control interface of its sandbox
    """

    id: int
    link: str
    rpc: Rpc
    keycrm: Control

    def read(self, *fields: str) -> dict[str, Any]:
        """Read fields of the account."""
        return self.rpc.read("keycrm.account", self.id, *fields)

    def write(self, **values: Any) -> None:
        """Write fields of the account."""
        self.rpc.write("keycrm.account", self.id, **values)

    def call(self, method: str) -> Any:
        """Click a button of the account."""
        return self.rpc.call("keycrm.account", method, [self.id])

    def order(self, keycrm_id: int, *fields: str) -> dict[str, Any] | None:
        """Find an order of this account in Odoo."""
        found = self.rpc.rows(
            "sale.order",
            ("keycrm_account_id", "=", self.id),
            ("keycrm_id", "=", keycrm_id),
            fields=list(fields),
        )
        return found[0] if found else None


def pytest_configure() -> None:
    processes.clean_up_on_signals(as_interrupt=True)


@pytest.fixture(scope="session")
def runtime() -> Iterator[Runtime]:
    """Return Odoo, a database server and databases to clone, shared by all tests."""
    with Runtime() as made:
        yield made


@pytest.fixture(scope="module")
def new_odoo(
    runtime: Runtime, request: pytest.FixtureRequest
) -> Iterator[Callable[..., OdooServer]]:
    """Start further Odoo processes, on new clones or on a given ``database``."""
    started: list[OdooServer] = []
    databases: list[str] = []

    def start(database: str | None = None, **options: Any) -> OdooServer:
        if not database:
            database = runtime.addon_database(request.module.__name__.rsplit(".", 1)[-1])
            databases.append(database)
        started.append(OdooServer(runtime, database, **options))
        return started[-1].start()

    yield start
    for server in started:
        server.resume()
        server.kill()
    for database in databases:
        runtime.databases.drop(database)


@pytest.fixture(scope="module")
def odoo(new_odoo: Callable[..., OdooServer]) -> OdooServer:
    """Return an Odoo process on a new database with the addon, one per test file."""
    return new_odoo()


@pytest.fixture(scope="module")
def rpc(odoo: OdooServer) -> Rpc:
    """Return the RPC session of Odoo's administrator."""
    return odoo.rpc()


@pytest.fixture
def new_sandbox(runtime: Runtime) -> Iterator[Callable[..., SandboxServer]]:
    """Start sandboxes with chosen data and switches."""
    started: list[SandboxServer] = []

    def start(**options: Any) -> SandboxServer:
        started.append(SandboxServer(runtime.folder, f"sandbox-{next(_numbers)}", **options))
        return started[-1].start()

    yield start
    for server in started:
        server.kill()


@pytest.fixture
def sandbox(new_sandbox: Callable[..., SandboxServer]) -> SandboxServer:
    """Return a sandbox for one test, with a few offers and no order."""
    return new_sandbox(offers=10)


@pytest.fixture
def new_account(odoo: OdooServer, rpc: Rpc) -> Iterator[Callable[..., Account]]:
    """Create accounts connected to a sandbox; they are disabled after the test."""
    made: list[int] = []

    def make(sandbox: SandboxServer, **values: Any) -> Account:
        account = shop.make_account(rpc, odoo, sandbox, **values)
        made.append(account)
        link = shop.switch_on(rpc, sandbox, account)
        return Account(account, link, rpc, sandbox.control)

    yield make
    rpc.call("keycrm.account", "write", made, {"enabled": False})


@pytest.fixture
def account(new_account: Callable[..., Account], sandbox: SandboxServer) -> Account:
    """Return an enabled account connected to the test's sandbox, with its webhook."""
    return new_account(sandbox)


@pytest.fixture
def wait_for() -> Callable[..., Any]:
    """Poll until a condition is true: ``wait_for(condition, timeout, what)``."""
    return waiting.wait_for


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Add Odoo's warnings and errors to the report of a failed test."""
    outcome = yield
    report = outcome.get_result()
    server = getattr(item, "funcargs", {}).get("odoo")
    if report.failed and isinstance(server, OdooServer):
        lines = [line for line in server.log_text().splitlines() if " INFO " not in line]
        report.sections.append(("Odoo's log, without what is routine", "\n".join(lines[-60:])))
