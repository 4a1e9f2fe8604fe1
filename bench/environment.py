"""The environment of benchmarks: Odoo processes, PostgreSQL and sandboxes."""

from __future__ import annotations

import itertools
import os
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sandbox.control import Control
from tools import shop, templates
from tools.odoo_server import OdooServer
from tools.paths import ADDONS, REPOSITORY
from tools.rpc import Rpc
from tools.runtime import Runtime
from tools.sandbox_server import SandboxServer

BENCH_ADDON = "bench_baseline"
#: Requests a minute where the limit is not measured.
NO_LIMIT = 1_000_000


class Environment:
    """Start processes and databases for a benchmark; :meth:`clear` ends them.

    :param runtime: Odoo, a database server, databases to clone
    """

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.scale = float(os.environ.get("SCALE") or 1)
        self._templates: dict[bool, str] = {}
        self._started: list[OdooServer | SandboxServer] = []
        self._databases: list[str] = []
        self._numbers = itertools.count(1)

    def sized(self, count: int, least: int = 1) -> int:
        """Scale a size by the variable ``SCALE``, a fraction for a quick trial.

        :param count: the full size
        :param least: the minimum
        :return: the scaled size
        """
        return max(least, round(count * self.scale))

    def database(self, *, addon: bool = True, template: str | None = None) -> str:
        """Create a database with the benchmark addon.

        :param addon: whether the KeyCRM addon is installed too
        :param template: copy this one instead
        :return: its name on the server
        """
        name = self.runtime.databases.name(f"bench_{next(self._numbers)}")
        self.runtime.databases.clone(template or self._template(addon), name)
        self._databases.append(name)
        return name

    def odoo(self, database: str, **options: Any) -> OdooServer:
        """Start an Odoo process.

        :param database: its database
        :param options: see :class:`~tools.odoo_server.OdooServer`
        :return: the process
        """
        server = OdooServer(self.runtime, database, **{"addons_path": self._addons_path, **options})
        self._started.append(server)
        return server.start()

    def sandbox(self, **options: Any) -> SandboxServer:
        """Start a sandbox, by default without a rate limit.

        :param options: see :class:`~tools.sandbox_server.SandboxServer`
        :return: the sandbox
        """
        server = SandboxServer(
            self.runtime.folder,
            f"sandbox-{next(self._numbers)}",
            **{"rate_limit": 0, **options},
        )
        self._started.append(server)
        return server.start()

    def shop(
        self,
        *,
        database: str | None = None,
        odoo: dict[str, Any] | None = None,
        sandbox: dict[str, Any] | None = None,
        account: dict[str, Any] | None = None,
    ) -> Shop:
        """Start an Odoo process and a sandbox, connected by an enabled account.

        :param database: an existing one; a new one by default
        :param odoo: options of the Odoo process
        :param sandbox: options of the sandbox
        :param account: fields of the account
        :return: both sides
        """
        server = self.odoo(database or self.database(), **(odoo or {}))
        keycrm = self.sandbox(**(sandbox or {}))
        rpc = server.rpc()
        account_and_link = self.account(server, rpc, keycrm, **(account or {}))
        return Shop(self, server, rpc, keycrm, *account_and_link)

    def account(
        self, odoo: OdooServer, rpc: Rpc, sandbox: SandboxServer, **values: Any
    ) -> tuple[int, str]:
        """Create and enable an account.

        :param values: its fields
        :return: its id and its webhook link
        """
        account = shop.make_account(rpc, odoo, sandbox, **{"request_limit": NO_LIMIT, **values})
        link = shop.switch_on(rpc, sandbox, account)
        shop.use_currency(rpc, account)
        return account, link

    def clear(self) -> None:
        """End all processes and drop all databases of a benchmark."""
        for server in reversed(self._started):
            server.kill()
        for database in self._databases:
            self.runtime.databases.drop(database)
        self._started, self._databases = [], []

    @cached_property
    def _addons_path(self) -> str:
        folders = (*self.runtime.source.addons, ADDONS, REPOSITORY / "bench" / "addons")
        return ",".join(map(str, folders))

    def _template(self, addon: bool) -> str:
        if addon not in self._templates:
            runtime = self.runtime
            database = runtime.plain_database("template")
            addons = (templates.ADDON, BENCH_ADDON) if addon else (BENCH_ADDON,)
            runtime.install(database, *addons, addons_path=self._addons_path)
            self._templates[addon] = database
        return self._templates[addon]


@dataclass
class Shop:
    """An Odoo process and a sandbox, connected by an account.

    :param environment: the environment that started them
    :param odoo: the Odoo process
    :param rpc: its administrator
    :param sandbox: the KeyCRM simulator
    :param account: the account's id in Odoo
    :param link: its webhook link
    """

    environment: Environment
    odoo: OdooServer
    rpc: Rpc
    sandbox: SandboxServer
    account: int
    link: str

    @cached_property
    def keycrm(self) -> Control:
        """Return the control interface of the sandbox."""
        return self.sandbox.control

    @cached_property
    def _connection(self) -> Any:
        return self.environment.runtime.server.connect(self.odoo.database)

    def further_account(self, number: int, **values: Any) -> tuple[int, str]:
        """Create and enable a further account, with a key of its own at the same sandbox.

        :param number: its number, for the key
        :param values: its fields
        :return: its id and its webhook link
        """
        key = f"key-of-shop-{number}"
        self.keycrm.add_key(key)
        return self.environment.account(self.odoo, self.rpc, self.sandbox, api_key=key, **values)

    def sql(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run a statement on a persistent connection to the database.

        :return: its rows
        """
        with self._connection.cursor() as cursor:
            cursor.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []

    def one(self, statement: str, *values: Any) -> Any:
        """Return the single value of a statement."""
        return self.sql(statement, *values)[0][0]

    def bench(self, method: str, *arguments: Any, **named: Any) -> Any:
        """Call a method of the benchmark addon and return its result."""
        return self.rpc.call("bench.baseline", method, *arguments, **named)
